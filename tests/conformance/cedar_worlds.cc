#include "tests/conformance/cedar_worlds.h"

#include "tests/conformance/cedar_world_data.h"

namespace mailwarden::cedar_suite {
namespace {

class Maker {
 public:
  explicit Maker(std::uint64_t seed) : data_(seed) {}

  World run(std::size_t requests) {
    if (data_.one_in(4)) data_.space_ = data_.one_in(2) ? "NS::" : "A::B::";
    data_.declare();
    World world{.schema = data_.schema(), .level = data_.below(4)};
    for (const Entity& one : data_.types_) data_.entities_of(one, world.entities);
    const std::size_t policies = 1 + data_.below(6);
    for (std::size_t at = 0; at < policies; ++at) {
      templates_.push_back({false, false});
      world.policies += policy(templates_.back());
    }
    if (data_.one_in(8)) damage(world.policies);
    links(world.links);
    for (std::size_t at = 0; at < requests; ++at) world.requests.push_back(request());
    return world;
  }

 private:
  using Form = Type::Form;

  json::Object request() {
    const Action* action = &data_.of(data_.actions_);
    for (int tries = 0; tries < 3 && action->principals.empty(); ++tries)
      action = &data_.of(data_.actions_);
    const auto one = [&](const std::vector<std::string>& types) {
      const std::string type =
          types.empty() || data_.one_in(40) ? data_.of(data_.types_).type : data_.of(types);
      return data_.uid(type, data_.id_of(data_.entity_type(type)));
    };
    json::Array expressions;
    for (int count = 0; count < 2; ++count) {
      scope(*action);
      expressions.push_back(expression(data_.type(1), 3));
    }
    json::Object made{{"principal", one(action->principals)},
                      {"action", data_.uid("Action", data_.one_in(60) ? "gone" : action->id)},
                      {"resource", one(action->resources)},
                      {"context", data_.record_of(action->context)},
                      {"exprs", std::move(expressions)}};
    if (data_.one_in(3)) made["validateRequest"] = false;
    return made;
  }

  // --- policies ---

  struct Slots {
    bool principal = false;
    bool resource = false;
  };

  void scope(const Action& action) {
    action_ = &action;
    principal_ =
        action.principals.empty() ? data_.of(data_.types_).type : data_.of(action.principals);
    resource_ = action.resources.empty() ? data_.of(data_.types_).type : data_.of(action.resources);
  }

  std::string entity_text(const std::string& type) {
    return policy::to_text(data_.full(type), data_.id_of(data_.entity_type(type)));
  }

  std::string scope_text(const std::string& variable, const std::string& type, bool& slot) {
    const std::string above = data_.entity_type(type).parents.empty() || data_.one_in(8)
                                  ? type
                                  : data_.of(data_.entity_type(type).parents);
    const auto target = [&](const std::string& of_type) {
      slot = data_.one_in(6);
      return slot ? "?" + variable : entity_text(of_type);
    };
    switch (data_.below(6)) {
      case 0:
        return variable + " == " + target(type);
      case 1:
        return variable + " in " + target(above);
      case 2:
        return variable + " is " + data_.full(data_.one_in(8) ? data_.of(data_.types_).type : type);
      case 3:
        return variable + " is " + data_.full(type) + " in " + target(above);
      default:
        return variable;
    }
  }

  std::string action_text(const std::string& id) const {
    return policy::to_text(data_.full("Action"), id);
  }

  std::string policy(Slots& slots) {
    scope(data_.of(data_.actions_));
    std::string out = data_.one_in(6) ? "@note(\"x\") @bare\n" : "";
    out += data_.one_in(3) ? "forbid(" : "permit(";
    out += scope_text("principal", principal_, slots.principal) + ", ";
    switch (data_.below(4)) {
      case 0:
        out += "action == " + action_text(action_->id);
        break;
      case 1:
        out += "action in " +
               action_text(action_->parents.empty() ? action_->id : data_.of(action_->parents));
        break;
      case 2:
        out += "action in [" + action_text(action_->id) + ", " +
               action_text(data_.of(data_.actions_).id) + "]";
        break;
      default:
        out += "action";
    }
    out += ", " + scope_text("resource", resource_, slots.resource) + ")";
    for (std::size_t count = data_.below(3); count > 0; --count) {
      out += (data_.one_in(3) ? " unless { " : " when { ") + condition(4) + " }";
    }
    return out + ";\n";
  }

  std::string condition(std::size_t depth) { return expression({.form = Form::boolean}, depth); }

  // Where a value of that type can be found: a path from a variable.
  std::string path(const Type& wanted, std::size_t depth) {
    std::string text = "context";
    Type here = action_->context;
    if (data_.one_in(2)) {
      const bool is_principal = data_.one_in(2);
      text = is_principal ? "principal" : "resource";
      here = {.form = Form::entity, .name = is_principal ? principal_ : resource_};
    }
    std::vector<std::string> guards;
    for (std::size_t step = 0; step <= depth; ++step) {
      if (same(here, wanted) && !data_.one_in(4)) break;
      if (here.form == Form::entity) {
        const Entity& type = data_.entity_type(here.name);
        if (type.tags && data_.one_in(3)) {
          const std::string tag = data_.one_in(2) ? "\"t\"" : "\"u\"";
          if (!data_.one_in(6)) guards.push_back(text + ".hasTag(" + tag + ")");
          text += ".getTag(" + tag + ")";
          here = *type.tags;
          continue;
        }
        here = type.shape;
      }
      if (here.form != Form::record || here.names.empty()) break;
      const std::size_t at = data_.below(here.names.size());
      const auto& [name, required] = here.names[at];
      const bool plain = policy::is_identifier(name);
      if (!required && !data_.one_in(6)) {
        guards.push_back(text + " has " + (plain ? name : policy::quoted(name)));
      }
      text += plain ? "." + name : "[" + policy::quoted(name) + "]";
      const Type next = here.types[at];
      here = next;
    }
    guards_ = guards;
    return same(here, wanted) || data_.one_in(10) ? text : "";
  }

  static bool same(const Type& a, const Type& b) {
    return WorldData::text(a) == WorldData::text(b);
  }

  std::string expression(const Type& type, std::size_t depth) {
    if (data_.one_in(120)) return expression(data_.type(1), depth);
    if (depth > 0 && data_.one_in(10)) {
      return "(if " + condition(depth - 1) + " then " + expression(type, depth - 1) + " else " +
             expression(type, depth - 1) + ")";
    }
    if (type.form != Form::boolean && data_.one_in(2)) {
      const std::string found = path(type, 3);
      if (!found.empty() && guards_.empty()) return found;
      if (!found.empty() && depth > 0) {
        std::string all;
        for (const std::string& one : guards_) all += (all.empty() ? "" : " && ") + one;
        return "(if " + all + " then " + found + " else " + literal(type) + ")";
      }
    }
    switch (type.form) {
      case Form::boolean:
        return depth == 0 ? literal(type) : truth(depth - 1);
      case Form::integer:
        return depth == 0 ? literal(type) : arithmetic(depth - 1);
      case Form::extension:
        return depth == 0 ? literal(type) : moved(type, depth - 1);
      case Form::entity:
        if (type.name == principal_ && data_.one_in(2)) return "principal";
        if (type.name == resource_ && data_.one_in(2)) return "resource";
        return literal(type);
      case Form::set: {
        std::string items = expression(type.element.front(), depth == 0 ? 0 : depth - 1);
        if (data_.one_in(2)) items += ", " + literal(type.element.front());
        return data_.one_in(20) ? "[]" : "[" + items + "]";
      }
      default:
        return literal(type);
    }
  }

  std::string literal(const Type& type) {
    switch (type.form) {
      case Form::boolean:
        return data_.one_in(2) ? "true" : "false";
      case Form::integer:
        return std::to_string(data_.number());
      case Form::string:
        return policy::quoted(data_.of(data_.strings_));
      case Form::entity:
        return entity_text(type.name);
      case Form::extension:
        return (type.name == "ipaddr" ? "ip" : type.name) + "(" +
               policy::quoted(data_.extension_text(type.name)) + ")";
      case Form::set:
        return "[" + literal(type.element.front()) + "]";
      case Form::record:
        break;
    }
    std::string out;
    for (std::size_t at = 0; at < type.names.size(); ++at) {
      out += (at == 0 ? "" : ", ") + policy::quoted(type.names[at].first) + ": " +
             literal(type.types[at]);
    }
    return "{" + out + "}";
  }

  std::string arithmetic(std::size_t depth) {
    const Type integer{.form = Form::integer};
    const std::string a = expression(integer, depth);
    const std::string b = expression(integer, depth);
    const Type duration{.form = Form::extension, .name = "duration"};
    switch (data_.below(6)) {
      case 0:
        return "(" + a + " + " + b + ")";
      case 1:
        return "(" + a + " - " + b + ")";
      case 2:
        return "(" + a + " * " + b + ")";
      case 3:
        return "-(" + a + ")";
      case 4:
        return expression(duration, depth) + (data_.one_in(2) ? ".toHours()" : ".toMilliseconds()");
      default:
        return a;
    }
  }

  std::string moved(const Type& type, std::size_t depth) {
    const Type datetime{.form = Form::extension, .name = "datetime"};
    const Type duration{.form = Form::extension, .name = "duration"};
    if (type.name == "datetime" && data_.one_in(2)) {
      return data_.one_in(2)
                 ? expression(datetime, depth) + ".toDate()"
                 : expression(datetime, depth) + ".offset(" + expression(duration, depth) + ")";
    }
    if (type.name == "duration" && data_.one_in(2)) {
      return data_.one_in(2) ? expression(datetime, depth) + ".toTime()"
                             : expression(datetime, depth) + ".durationSince(" +
                                   expression(datetime, depth) + ")";
    }
    return literal(type);
  }

  std::string compared(std::size_t depth) {
    static const std::vector<std::string> signs{" < ", " <= ", " > ", " >= "};
    Type type{.form = Form::integer};
    if (data_.one_in(3))
      type = {.form = Form::extension, .name = data_.one_in(2) ? "datetime" : "duration"};
    return expression(type, depth) + data_.of(signs) + expression(type, depth);
  }

  std::string called(std::size_t depth) {
    const Type ip{.form = Form::extension, .name = "ipaddr"};
    const Type decimal{.form = Form::extension, .name = "decimal"};
    static const std::vector<std::string> ask_ip{".isIpv4()", ".isIpv6()", ".isLoopback()",
                                                 ".isMulticast()"};
    static const std::vector<std::string> ask_decimal{".lessThan(", ".lessThanOrEqual(",
                                                      ".greaterThan(", ".greaterThanOrEqual("};
    switch (data_.below(3)) {
      case 0:
        return expression(ip, depth) + data_.of(ask_ip);
      case 1:
        return expression(ip, depth) + ".isInRange(" + expression(ip, depth) + ")";
      default:
        return expression(decimal, depth) + data_.of(ask_decimal) + expression(decimal, depth) +
               ")";
    }
  }

  std::string sets(std::size_t depth) {
    const Type element = data_.type(0);
    const Type set{.form = Form::set, .element = {element}};
    switch (data_.below(4)) {
      case 0:
        return expression(set, depth) + ".contains(" + expression(element, depth) + ")";
      case 1:
        return expression(set, depth) + ".containsAll(" + expression(set, depth) + ")";
      case 2:
        return expression(set, depth) + ".containsAny(" + expression(set, depth) + ")";
      default:
        return expression(set, depth) + ".isEmpty()";
    }
  }

  std::string about_entities(std::size_t depth) {
    const Type entity{.form = Form::entity, .name = data_.of(data_.types_).type};
    const Type other{.form = Form::entity, .name = data_.of(data_.types_).type};
    switch (data_.below(6)) {
      case 0:
        return expression(entity, depth) + " in " + expression(other, depth);
      case 1:
        return expression(entity, depth) + " in [" + expression(other, depth) + "]";
      case 2:
        return expression(entity, depth) + " is " + data_.full(other.name);
      case 3:
        return expression(entity, depth) + " is " + data_.full(entity.name) + " in " +
               expression(other, depth);
      case 4:
        return "action in [" + action_text(data_.of(data_.actions_).id) + "]";
      default:
        return expression(entity, depth) + " has " + (data_.one_in(2) ? "a" : "grant.id");
    }
  }

  std::string truth(std::size_t depth) {
    const Type boolean{.form = Form::boolean};
    switch (data_.below(13)) {
      case 0:
        return "(" + expression(boolean, depth) + " && " + expression(boolean, depth) + ")";
      case 1:
        return "(" + expression(boolean, depth) + " || " + expression(boolean, depth) + ")";
      case 2:
        return "!(" + expression(boolean, depth) + ")";
      case 3:
      case 4: {
        const Type both = data_.type(1);
        return "(" + expression(both, depth) + (data_.one_in(3) ? " != " : " == ") +
               expression(both, depth) + ")";
      }
      case 5:
        return "(" + compared(depth) + ")";
      case 6:
        return called(depth);
      case 7:
        return sets(depth);
      case 8:
      case 9:
        return "(" + about_entities(depth) + ")";
      case 10:
        return "(" + expression({.form = Form::string}, depth) + " like \"*a\\*?b*\")";
      default:
        return guarded(depth);
    }
  }

  std::string guarded(std::size_t depth) {
    const Type wanted = data_.type(1);
    const std::string found = path(wanted, 3);
    if (found.empty()) return literal({.form = Form::boolean});
    std::string out;
    for (const std::string& one : guards_) out += one + " && ";
    const std::string test =
        wanted.form == Form::boolean ? found : found + " == " + expression(wanted, depth);
    return "(" + out + test + ")";
  }

  void damage(std::string& text) {
    for (std::size_t count = 1 + data_.below(2); count > 0 && !text.empty(); --count) {
      const std::size_t at = data_.below(text.size());
      static const std::string letters = "(){}[]\"\\.,;:=!<>&|+-*/%?@ a1_\n";
      switch (data_.below(3)) {
        case 0:
          text.erase(at, 1 + data_.below(3));
          break;
        case 1:
          text.insert(at, 1, data_.of(letters));
          break;
        default:
          text[at] = data_.of(letters);
      }
      // What was cut in the middle of a letter is no UTF-8, and no JSON could carry it.
      std::erase_if(text, [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
    }
  }

  void links(json::Array& into) {
    for (std::size_t at = 0; at < templates_.size(); ++at) {
      const auto& [principal, resource] = templates_[at];
      if ((!principal && !resource) || data_.one_in(5)) continue;
      json::Object link{{"template", "policy" + std::to_string(at)},
                        {"id", "link" + std::to_string(at)}};
      // Ids that an enumerated type does not list are refused by us alone.
      const auto any = [&] {
        const Entity& type = data_.of(data_.types_);
        return data_.uid(type.type, type.is_enumerated ? "red" : data_.id_of(type));
      };
      if (principal || data_.one_in(30)) link["principal"] = any();
      if (resource || data_.one_in(30)) link["resource"] = any();
      into.push_back(std::move(link));
    }
  }

  std::vector<Slots> templates_;
  WorldData data_;
  const Action* action_ = nullptr;
  std::string principal_;
  std::string resource_;
  std::vector<std::string> guards_;  // of the last path
};

}  // namespace

World make_world(std::uint64_t seed, std::size_t requests) {
  return Maker(seed).run(requests);
}

}  // namespace mailwarden::cedar_suite
