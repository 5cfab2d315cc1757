#include "tests/conformance/cedar_worlds.h"

#include <map>
#include <optional>

#include "policy/entity_uid.h"

namespace mailwarden::cedar_suite {
namespace {

// A type as the schema writes it.
struct Type {
  enum class Form { boolean, integer, string, entity, set, record, extension };
  struct Attribute;

  Form form = Form::boolean;
  std::string name;  // of an entity or extension
  std::vector<Type> element;
  std::vector<std::pair<std::string, bool>> names;  // attributes, and whether they are required
  std::vector<Type> types;
};

struct Entity {
  std::string type;
  std::vector<std::string> parents;
  Type shape{.form = Type::Form::record};
  std::optional<Type> tags;
  bool is_enumerated = false;
};

struct Action {
  std::string id;
  std::vector<std::string> parents;
  std::vector<std::string> principals;
  std::vector<std::string> resources;
  Type context{.form = Type::Form::record};
};

class Maker {
 public:
  explicit Maker(std::uint64_t seed) : random_(seed) {}

  World run(std::size_t requests) {
    if (one_in(4)) space_ = one_in(2) ? "NS::" : "A::B::";
    declare();
    World world{.schema = schema(), .level = below(4)};
    for (const Entity& one : types_) entities_of(one, world.entities);
    const std::size_t policies = 1 + below(6);
    for (std::size_t at = 0; at < policies; ++at) {
      templates_.push_back({false, false});
      world.policies += policy(templates_.back());
    }
    if (one_in(8)) damage(world.policies);
    links(world.links);
    for (std::size_t at = 0; at < requests; ++at) world.requests.push_back(request());
    return world;
  }

 private:
  using Form = Type::Form;

  std::size_t below(std::size_t end) { return random_() % end; }
  bool one_in(std::size_t chances) { return below(chances) == 0; }
  template <class List>
  const auto& of(const List& list) {
    return list[below(list.size())];
  }

  // --- the schema ---

  Type type(std::size_t depth) {
    static const std::vector<std::string> extensions{"ipaddr", "decimal", "datetime", "duration"};
    Type made;
    switch (below(depth == 0 ? 5 : 7)) {
      case 0:
        made.form = Form::boolean;
        break;
      case 1:
        made.form = Form::integer;
        break;
      case 2:
        made.form = Form::string;
        break;
      case 3:
        made.form = Form::entity;
        made.name = of(types_).type;
        break;
      case 4:
        made.form = Form::extension;
        made.name = of(extensions);
        break;
      case 5:
        made.form = Form::set;
        made.element.push_back(type(depth - 1));
        break;
      default:
        made = record(depth - 1);
    }
    return made;
  }

  Type record(std::size_t depth) {
    Type made{.form = Form::record};
    for (const char* name : {"a", "b", "c d", "grant", "id"}) {
      if (one_in(2)) continue;
      made.names.emplace_back(name, !one_in(3));
      made.types.push_back(type(depth));
    }
    return made;
  }

  static std::string text(const Type& type) {
    switch (type.form) {
      case Form::boolean:
        return "Bool";
      case Form::integer:
        return "Long";
      case Form::string:
        return "String";
      case Form::entity:
      case Form::extension:
        return type.name;
      case Form::set:
        return "Set<" + text(type.element.front()) + ">";
      case Form::record:
        break;
    }
    std::string out;
    for (std::size_t at = 0; at < type.names.size(); ++at) {
      const auto& [name, required] = type.names[at];
      out += (at == 0 ? "" : ", ") + policy::quoted(name) + (required ? ": " : "?: ") +
             text(type.types[at]);
    }
    return "{" + out + "}";
  }

  void declare() {
    for (const char* name : {"User", "Group", "Doc", "Box"}) types_.push_back({.type = name});
    if (one_in(2)) types_.push_back({.type = "Color", .is_enumerated = true});
    for (Entity& one : types_) {
      if (one.is_enumerated) continue;
      for (const Entity& other : types_) {
        if (!other.is_enumerated && one_in(3)) one.parents.push_back(other.type);
      }
      one.shape = record(2);
      if (one_in(2)) one.tags = type(1);
    }
    for (const char* id : {"read", "write", "all of it", "admin"}) {
      Action action{.id = id};
      for (const Action& above : actions_) {
        if (one_in(3)) action.parents.push_back(above.id);
      }
      if (!one_in(5)) {
        for (auto* list : {&action.principals, &action.resources}) {
          list->push_back(of(types_).type);
          if (const std::string& more = of(types_).type; one_in(2) && more != list->front()) {
            list->push_back(more);
          }
        }
        action.context = record(2);
      }
      actions_.push_back(std::move(action));
    }
  }

  static std::string listed(const std::vector<std::string>& names, bool as_strings = false) {
    std::string out;
    for (const std::string& one : names) {
      out += (out.empty() ? "" : ", ") + (as_strings ? policy::quoted(one) : one);
    }
    return "[" + out + "]";
  }

  std::string schema() {
    std::string out;
    for (const Entity& one : types_) {
      if (one.is_enumerated) {
        out += "entity " + one.type + " enum [\"red\", \"blue\"];\n";
        continue;
      }
      out += "entity " + one.type;
      if (!one.parents.empty()) out += " in " + listed(one.parents);
      out += " " + text(one.shape);
      if (one.tags) out += " tags " + text(*one.tags);
      out += ";\n";
    }
    for (const Action& one : actions_) {
      out += "action " + policy::quoted(one.id);
      if (!one.parents.empty()) out += " in " + listed(one.parents, true);
      if (!one.principals.empty()) {
        out += " appliesTo {principal: " + listed(one.principals) +
               ", resource: " + listed(one.resources) + ", context: " + text(one.context) + "}";
      }
      out += ";\n";
    }
    if (space_.empty()) return out;
    return "namespace " + space_.substr(0, space_.size() - 2) + " {\n" + out + "}\n";
  }

  // --- data ---

  std::string full(const std::string& type) const { return space_ + type; }
  const Entity& entity_type(const std::string& name) const {
    for (const Entity& one : types_) {
      if (one.type == name) return one;
    }
    return types_.front();
  }

  std::string id_of(const Entity& type) {
    static const std::vector<std::string> ids{"a", "b", "c", "", "\"q\"\n"};
    static const std::vector<std::string> choices{"red", "blue"};
    if (type.is_enumerated) return one_in(30) ? "green" : of(choices);
    return ids[one_in(6) ? below(ids.size()) : below(3)];
  }

  json::Object uid(const std::string& type, const std::string& id) const {
    return {{"type", full(type)}, {"id", id}};
  }

  std::string extension_text(const std::string& name) {
    static const std::map<std::string, std::vector<std::string>> texts{
        {"ipaddr", {"10.0.0.1", "10.0.0.0/8", "::1", "ff02::1", "192.168.1.1/24", "10.0.0.01"}},
        {"decimal", {"0.0", "1.5", "-1.25", "922337203685477.5807", "1.23456", "12"}},
        {"datetime",
         {"2024-01-01", "2024-02-29T12:00:00Z", "1969-12-31T23:59:59.999Z",
          "2024-10-15T11:35:00.000+0130", "2023-02-29", "0000-01-01"}},
        {"duration", {"1h", "-1d2h3m4s5ms", "90m", "0ms", "1m1h", "106751991167d"}}};
    const auto& all = texts.at(name);
    return all[one_in(25) ? below(all.size()) : below(all.size() - 2)];
  }

  json::Value value(const Type& type) {
    if (one_in(300)) return noise();
    switch (type.form) {
      case Form::boolean:
        return one_in(2);
      case Form::integer:
        return number();
      case Form::string:
        return of(strings_);
      case Form::entity: {
        json::Object made = uid(type.name, id_of(entity_type(type.name)));
        if (one_in(2)) return made;
        return json::Object{{"__entity", std::move(made)}};
      }
      case Form::extension:
        return extension(type.name);
      case Form::set: {
        json::Array items;
        for (std::size_t count = below(4); count > 0; --count) {
          items.push_back(value(type.element.front()));
        }
        return items;
      }
      case Form::record:
        break;
    }
    return record_of(type);
  }

  json::Value record_of(const Type& type) {
    json::Object members;
    for (std::size_t at = 0; at < type.names.size(); ++at) {
      const auto& [name, required] = type.names[at];
      if ((required && !one_in(200)) || one_in(2)) members[name] = value(type.types[at]);
    }
    return members;
  }

  json::Value extension(const std::string& name) {
    const std::string text = extension_text(name);
    if (one_in(2)) return text;
    json::Object call{{"fn", name == "ipaddr" ? "ip" : name}, {"arg", text}};
    return json::Object{{"__extn", std::move(call)}};
  }

  std::int64_t number() {
    static const std::vector<std::int64_t> numbers{0, 1, -1, 2, 41, 42, INT64_MAX, INT64_MIN};
    return numbers[one_in(8) ? below(numbers.size()) : below(6)];
  }

  json::Value noise() {
    switch (below(5)) {
      case 0:
        return json::Value();
      case 1:
        return json::Array{number(), "x"};
      case 2:
        return json::Object{{"zz", true}};
      case 3:
        return 1.5;
      default:
        return "noise";
    }
  }

  void entities_of(const Entity& type, json::Array& into) {
    for (const char* id : {"a", "b", "c"}) {
      if (one_in(5) || (type.is_enumerated && !one_in(20))) continue;
      json::Array parents;
      for (const std::string& parent : type.parents) {
        // Upwards alone, so that there is no circle but by chance.
        if (one_in(2)) continue;
        const bool up = parent != type.type || one_in(40);
        if (up || id[0] != 'c')
          parents.push_back(uid(parent, up ? id_of(entity_type(parent)) : "c"));
      }
      json::Object made{{"uid", uid(type.type, type.is_enumerated ? "red" : id)},
                        {"attrs", value(type.shape)},
                        {"parents", std::move(parents)}};
      if (type.tags) {
        json::Object tags;
        for (const char* tag : {"t", "u"}) {
          if (one_in(2)) tags[tag] = value(*type.tags);
        }
        made["tags"] = std::move(tags);
      }
      into.push_back(std::move(made));
    }
  }

  json::Object request() {
    const Action* action = &of(actions_);
    for (int tries = 0; tries < 3 && action->principals.empty(); ++tries) action = &of(actions_);
    const auto one = [&](const std::vector<std::string>& types) {
      const std::string type = types.empty() || one_in(40) ? of(types_).type : of(types);
      return uid(type, id_of(entity_type(type)));
    };
    json::Array expressions;
    for (int count = 0; count < 2; ++count) {
      scope(*action);
      expressions.push_back(expression(type(1), 3));
    }
    json::Object made{{"principal", one(action->principals)},
                      {"action", uid("Action", one_in(60) ? "gone" : action->id)},
                      {"resource", one(action->resources)},
                      {"context", record_of(action->context)},
                      {"exprs", std::move(expressions)}};
    if (one_in(3)) made["validateRequest"] = false;
    return made;
  }

  // --- policies ---

  struct Slots {
    bool principal = false;
    bool resource = false;
  };

  void scope(const Action& action) {
    action_ = &action;
    principal_ = action.principals.empty() ? of(types_).type : of(action.principals);
    resource_ = action.resources.empty() ? of(types_).type : of(action.resources);
  }

  std::string entity_text(const std::string& type) {
    return policy::to_text(full(type), id_of(entity_type(type)));
  }

  std::string scope_text(const std::string& variable, const std::string& type, bool& slot) {
    const std::string above =
        entity_type(type).parents.empty() || one_in(8) ? type : of(entity_type(type).parents);
    const auto target = [&](const std::string& of_type) {
      slot = one_in(6);
      return slot ? "?" + variable : entity_text(of_type);
    };
    switch (below(6)) {
      case 0:
        return variable + " == " + target(type);
      case 1:
        return variable + " in " + target(above);
      case 2:
        return variable + " is " + full(one_in(8) ? of(types_).type : type);
      case 3:
        return variable + " is " + full(type) + " in " + target(above);
      default:
        return variable;
    }
  }

  std::string action_text(const std::string& id) const {
    return policy::to_text(full("Action"), id);
  }

  std::string policy(Slots& slots) {
    scope(of(actions_));
    std::string out = one_in(6) ? "@note(\"x\") @bare\n" : "";
    out += one_in(3) ? "forbid(" : "permit(";
    out += scope_text("principal", principal_, slots.principal) + ", ";
    switch (below(4)) {
      case 0:
        out += "action == " + action_text(action_->id);
        break;
      case 1:
        out += "action in " +
               action_text(action_->parents.empty() ? action_->id : of(action_->parents));
        break;
      case 2:
        out += "action in [" + action_text(action_->id) + ", " + action_text(of(actions_).id) + "]";
        break;
      default:
        out += "action";
    }
    out += ", " + scope_text("resource", resource_, slots.resource) + ")";
    for (std::size_t count = below(3); count > 0; --count) {
      out += (one_in(3) ? " unless { " : " when { ") + condition(4) + " }";
    }
    return out + ";\n";
  }

  std::string condition(std::size_t depth) { return expression({.form = Form::boolean}, depth); }

  // Where a value of that type can be found: a path from a variable.
  std::string path(const Type& wanted, std::size_t depth) {
    std::string text = "context";
    Type here = action_->context;
    if (one_in(2)) {
      const bool is_principal = one_in(2);
      text = is_principal ? "principal" : "resource";
      here = {.form = Form::entity, .name = is_principal ? principal_ : resource_};
    }
    std::vector<std::string> guards;
    for (std::size_t step = 0; step <= depth; ++step) {
      if (same(here, wanted) && !one_in(4)) break;
      if (here.form == Form::entity) {
        const Entity& type = entity_type(here.name);
        if (type.tags && one_in(3)) {
          const std::string tag = one_in(2) ? "\"t\"" : "\"u\"";
          if (!one_in(6)) guards.push_back(text + ".hasTag(" + tag + ")");
          text += ".getTag(" + tag + ")";
          here = *type.tags;
          continue;
        }
        here = type.shape;
      }
      if (here.form != Form::record || here.names.empty()) break;
      const std::size_t at = below(here.names.size());
      const auto& [name, required] = here.names[at];
      const bool plain = policy::is_identifier(name);
      if (!required && !one_in(6)) {
        guards.push_back(text + " has " + (plain ? name : policy::quoted(name)));
      }
      text += plain ? "." + name : "[" + policy::quoted(name) + "]";
      const Type next = here.types[at];
      here = next;
    }
    guards_ = guards;
    return same(here, wanted) || one_in(10) ? text : "";
  }

  static bool same(const Type& a, const Type& b) { return text(a) == text(b); }

  std::string expression(const Type& type, std::size_t depth) {
    if (one_in(120)) return expression(this->type(1), depth);
    if (depth > 0 && one_in(10)) {
      return "(if " + condition(depth - 1) + " then " + expression(type, depth - 1) + " else " +
             expression(type, depth - 1) + ")";
    }
    if (type.form != Form::boolean && one_in(2)) {
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
        if (type.name == principal_ && one_in(2)) return "principal";
        if (type.name == resource_ && one_in(2)) return "resource";
        return literal(type);
      case Form::set: {
        std::string items = expression(type.element.front(), depth == 0 ? 0 : depth - 1);
        if (one_in(2)) items += ", " + literal(type.element.front());
        return one_in(20) ? "[]" : "[" + items + "]";
      }
      default:
        return literal(type);
    }
  }

  std::string literal(const Type& type) {
    switch (type.form) {
      case Form::boolean:
        return one_in(2) ? "true" : "false";
      case Form::integer:
        return std::to_string(number());
      case Form::string:
        return policy::quoted(of(strings_));
      case Form::entity:
        return entity_text(type.name);
      case Form::extension:
        return (type.name == "ipaddr" ? "ip" : type.name) + "(" +
               policy::quoted(extension_text(type.name)) + ")";
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
    switch (below(6)) {
      case 0:
        return "(" + a + " + " + b + ")";
      case 1:
        return "(" + a + " - " + b + ")";
      case 2:
        return "(" + a + " * " + b + ")";
      case 3:
        return "-(" + a + ")";
      case 4:
        return expression(duration, depth) + (one_in(2) ? ".toHours()" : ".toMilliseconds()");
      default:
        return a;
    }
  }

  std::string moved(const Type& type, std::size_t depth) {
    const Type datetime{.form = Form::extension, .name = "datetime"};
    const Type duration{.form = Form::extension, .name = "duration"};
    if (type.name == "datetime" && one_in(2)) {
      return one_in(2)
                 ? expression(datetime, depth) + ".toDate()"
                 : expression(datetime, depth) + ".offset(" + expression(duration, depth) + ")";
    }
    if (type.name == "duration" && one_in(2)) {
      return one_in(2) ? expression(datetime, depth) + ".toTime()"
                       : expression(datetime, depth) + ".durationSince(" +
                             expression(datetime, depth) + ")";
    }
    return literal(type);
  }

  std::string compared(std::size_t depth) {
    static const std::vector<std::string> signs{" < ", " <= ", " > ", " >= "};
    Type type{.form = Form::integer};
    if (one_in(3)) type = {.form = Form::extension, .name = one_in(2) ? "datetime" : "duration"};
    return expression(type, depth) + of(signs) + expression(type, depth);
  }

  std::string called(std::size_t depth) {
    const Type ip{.form = Form::extension, .name = "ipaddr"};
    const Type decimal{.form = Form::extension, .name = "decimal"};
    static const std::vector<std::string> ask_ip{".isIpv4()", ".isIpv6()", ".isLoopback()",
                                                 ".isMulticast()"};
    static const std::vector<std::string> ask_decimal{".lessThan(", ".lessThanOrEqual(",
                                                      ".greaterThan(", ".greaterThanOrEqual("};
    switch (below(3)) {
      case 0:
        return expression(ip, depth) + of(ask_ip);
      case 1:
        return expression(ip, depth) + ".isInRange(" + expression(ip, depth) + ")";
      default:
        return expression(decimal, depth) + of(ask_decimal) + expression(decimal, depth) + ")";
    }
  }

  std::string sets(std::size_t depth) {
    const Type element = type(0);
    const Type set{.form = Form::set, .element = {element}};
    switch (below(4)) {
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
    const Type entity{.form = Form::entity, .name = of(types_).type};
    const Type other{.form = Form::entity, .name = of(types_).type};
    switch (below(6)) {
      case 0:
        return expression(entity, depth) + " in " + expression(other, depth);
      case 1:
        return expression(entity, depth) + " in [" + expression(other, depth) + "]";
      case 2:
        return expression(entity, depth) + " is " + full(other.name);
      case 3:
        return expression(entity, depth) + " is " + full(entity.name) + " in " +
               expression(other, depth);
      case 4:
        return "action in [" + action_text(of(actions_).id) + "]";
      default:
        return expression(entity, depth) + " has " + (one_in(2) ? "a" : "grant.id");
    }
  }

  std::string truth(std::size_t depth) {
    const Type boolean{.form = Form::boolean};
    switch (below(13)) {
      case 0:
        return "(" + expression(boolean, depth) + " && " + expression(boolean, depth) + ")";
      case 1:
        return "(" + expression(boolean, depth) + " || " + expression(boolean, depth) + ")";
      case 2:
        return "!(" + expression(boolean, depth) + ")";
      case 3:
      case 4: {
        const Type both = type(1);
        return "(" + expression(both, depth) + (one_in(3) ? " != " : " == ") +
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
    const Type wanted = type(1);
    const std::string found = path(wanted, 3);
    if (found.empty()) return literal({.form = Form::boolean});
    std::string out;
    for (const std::string& one : guards_) out += one + " && ";
    const std::string test =
        wanted.form == Form::boolean ? found : found + " == " + expression(wanted, depth);
    return "(" + out + test + ")";
  }

  void damage(std::string& text) {
    for (std::size_t count = 1 + below(2); count > 0 && !text.empty(); --count) {
      const std::size_t at = below(text.size());
      static const std::string letters = "(){}[]\"\\.,;:=!<>&|+-*/%?@ a1_\n";
      switch (below(3)) {
        case 0:
          text.erase(at, 1 + below(3));
          break;
        case 1:
          text.insert(at, 1, of(letters));
          break;
        default:
          text[at] = of(letters);
      }
      // What was cut in the middle of a letter is no UTF-8, and no JSON could carry it.
      std::erase_if(text, [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
    }
  }

  void links(json::Array& into) {
    for (std::size_t at = 0; at < templates_.size(); ++at) {
      const auto& [principal, resource] = templates_[at];
      if ((!principal && !resource) || one_in(5)) continue;
      json::Object link{{"template", "policy" + std::to_string(at)},
                        {"id", "link" + std::to_string(at)}};
      // Ids that an enumerated type does not list are refused by us alone.
      const auto any = [&] {
        const Entity& type = of(types_);
        return uid(type.type, type.is_enumerated ? "red" : id_of(type));
      };
      if (principal || one_in(30)) link["principal"] = any();
      if (resource || one_in(30)) link["resource"] = any();
      into.push_back(std::move(link));
    }
  }

  const std::vector<std::string> strings_{"", "a", "abc", "a*b", "support", "é\n"};
  std::mt19937_64 random_;
  std::string space_;
  std::vector<Entity> types_;
  std::vector<Action> actions_;
  std::vector<Slots> templates_;
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
