#include <set>

#include "base/text.h"
#include "policy/entity_uid.h"
#include "policy/schema_fragment.h"

namespace mailwarden::policy {
namespace {

using Form = TypeExpression::Form;

// As an identifier where it is one.
std::string name_text(std::string_view name) {
  return is_identifier(name) && !is_reserved(name) ? std::string(name) : policy::quoted(name);
}

bool is_cedars(std::string_view name) {
  constexpr std::array<std::string_view, 7> all = {"Long",    "String",   "Bool",    "ipaddr",
                                                   "decimal", "datetime", "duration"};
  return std::ranges::find(all, name) != all.end();
}

std::string listed(const std::vector<std::string>& types) {
  if (types.size() == 1) return types.front();
  std::string text;
  for (const std::string& one : types) text += (text.empty() ? "" : ", ") + one;
  return "[" + text + "]";
}

std::string annotations(const std::vector<Annotation>& all, const std::string& indent) {
  std::string text;
  for (const Annotation& one : all) {
    text +=
        indent + "@" + one.name + (one.value ? "(" + policy::quoted(*one.value) + ")" : "") + "\n";
  }
  return text;
}

class SchemaPrinter {
 public:
  explicit SchemaPrinter(const SchemaFragment& fragment) : fragment_(fragment) {
    for (const NamespaceDeclaration& space : fragment.namespaces) {
      for (const TypeDeclaration& one : space.types) {
        commons_.emplace(name_in(space.name, one.name), Common{&space, &one});
      }
      for (const EntityDeclaration& one : space.entities) {
        entities_.insert(name_in(space.name, one.name));
      }
      if (!space.actions.empty()) entities_.insert(name_in(space.name, "Action"));
    }
  }

  Result<std::string> run() {
    std::string text;
    for (const NamespaceDeclaration& space : fragment_.namespaces) {
      const std::string indent = space.name.empty() ? "" : "  ";
      auto inside = declarations(space, indent);
      if (!inside) return inside;
      if (!text.empty() && !inside->empty()) text += "\n";
      if (space.name.empty()) {
        text += *inside;
      } else {
        text += annotations(space.annotations, "");
        text += "namespace " + space.name + " {\n" + *inside + "}\n";
      }
    }
    return text;
  }

 private:
  struct Common {
    const NamespaceDeclaration* space = nullptr;
    const TypeDeclaration* declaration = nullptr;
  };
  // What a written type refers to.
  struct Meaning {
    enum class Kind : std::uint8_t { nothing, common, entity, cedars };

    Kind kind = Kind::nothing;
    std::string name;  // in full

    bool operator==(const Meaning&) const = default;
  };

  static std::unexpected<Error> only_json(const std::string& what) {
    return fail(Code::conflict, what + ", which only JSON can say");
  }

  // As Schema::resolve() looks it up.
  Meaning meaning(std::string_view space, Form form, const std::string& name) const {
    using Kind = Meaning::Kind;
    constexpr std::string_view own = "__cedar::";
    if (form == Form::primitive || form == Form::extension) {
      return {is_cedars(name) ? Kind::cedars : Kind::nothing, name};
    }
    const bool is_bare = name.find("::") == std::string::npos;
    for (const std::string& full : {name_in(is_bare ? space : "", name), name}) {
      if (form != Form::entity && commons_.contains(full)) return {Kind::common, full};
      if (form != Form::common && entities_.contains(full)) return {Kind::entity, full};
    }
    const std::string base = name.starts_with(own) ? name.substr(own.size()) : name;
    if (form != Form::entity && is_cedars(base)) return {Kind::cedars, base};
    return {Kind::nothing, name};
  }

  // A name that means in `here` what `type` means where it is written.
  Result<std::string> spelled(const TypeExpression& type, std::string_view written_in,
                              std::string_view here) const {
    const Meaning wanted = meaning(written_in, type.form, type.name);
    for (const std::string& name : {type.name, wanted.name, "__cedar::" + wanted.name}) {
      if (meaning(here, Form::named, name) == wanted) return name;
    }
    return only_json("'" + printable(type.name) +
                     "' stands for one type of two that have the name");
  }

  // `written_in` is the namespace that the names belong to, `here` the one that is printed.
  Result<std::string> type(const TypeExpression& type, std::string_view written_in,
                           std::string_view here, const std::string& indent) {
    if (type.form == Form::set) {
      auto element = this->type(type.element.front(), written_in, here, indent);
      if (!element) return element;
      return "Set<" + *element + ">";
    }
    if (type.form != Form::record) return spelled(type, written_in, here);
    if (type.attributes.empty()) return "{}";
    std::string text = "{\n";
    const std::string inside = indent + "  ";
    for (const AttributeDeclaration& one : type.attributes) {
      if (++attributes_ > attributes_max) {
        return fail(Code::full, "the schema as text has more than " +
                                    std::to_string(attributes_max) + " attributes");
      }
      auto of = this->type(one.type.front(), written_in, here, inside);
      if (!of) return of;
      text += annotations(one.annotations, inside);
      text += inside + name_text(one.name) + (one.is_required ? ": " : "?: ") + *of + ",\n";
    }
    return text + indent + "}";
  }

  // Text has no common types for shapes, so their attributes are listed.
  Result<std::string> shape(const TypeExpression& written, std::string_view here,
                            const std::string& indent) {
    const TypeExpression* at = &written;
    std::string_view written_in = here;
    for (std::size_t steps = 0; at->form != Form::record; ++steps) {
      const bool has_name = at->form == Form::common || at->form == Form::named;
      const auto found =
          commons_.find(has_name ? meaning(written_in, at->form, at->name).name : "");
      if (found == commons_.end() || steps > commons_.size()) {
        return only_json("a shape is no record");
      }
      at = &found->second.declaration->type;
      written_in = found->second.space->name;
    }
    return type(*at, written_in, here, indent);
  }

  Result<std::string> declarations(const NamespaceDeclaration& space, const std::string& indent) {
    std::vector<std::string> all;
    const auto add = [&](const auto& declared, auto print) -> Result<void> {
      for (const auto& one : declared) {
        auto text = (this->*print)(space, one, indent);
        if (!text) return fail("'" + printable(name_in(space.name, one.name)) + "'", text.error());
        all.push_back(annotations(one.annotations, indent) + indent + *text + ";\n");
      }
      return {};
    };
    if (auto done = add(space.types, &SchemaPrinter::common); !done) {
      return std::unexpected(done.error());
    }
    if (auto done = add(space.entities, &SchemaPrinter::entity); !done) {
      return std::unexpected(done.error());
    }
    if (auto done = add(space.actions, &SchemaPrinter::action); !done) {
      return std::unexpected(done.error());
    }
    // Declarations of one line stand together, others apart.
    const auto is_long = [](const std::string& one) { return one.find('\n') + 1 < one.size(); };
    std::string text;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (i > 0 && (is_long(all[i - 1]) || is_long(all[i]))) text += "\n";
      text += all[i];
    }
    return text;
  }

  Result<std::string> common(const NamespaceDeclaration& space, const TypeDeclaration& one,
                             const std::string& indent) {
    auto of = type(one.type, space.name, space.name, indent);
    if (!of) return of;
    return "type " + one.name + " = " + *of;
  }

  Result<std::string> entity(const NamespaceDeclaration& space, const EntityDeclaration& one,
                             const std::string& indent) {
    std::string text = "entity " + one.name;
    if (one.choices) {
      std::string ids;
      for (const std::string& id : *one.choices)
        ids += (ids.empty() ? "" : ", ") + policy::quoted(id);
      return text + " enum [" + ids + "]";
    }
    if (!one.parents.empty()) text += " in " + listed(one.parents);
    if (one.shape) {
      auto attributes = shape(*one.shape, space.name, indent);
      if (!attributes) return attributes;
      text += " " + *attributes;
    }
    if (!one.tags) return text;
    auto tags = type(*one.tags, space.name, space.name, indent);
    if (!tags) return tags;
    return text + " tags " + *tags;
  }

  Result<std::string> action(const NamespaceDeclaration& space, const ActionDeclaration& one,
                             const std::string& indent) {
    std::string text = "action " + name_text(one.name);
    std::vector<std::string> parents;
    for (const ActionReference& parent : one.parents) {
      parents.push_back(parent.type.empty() ? name_text(parent.id)
                                            : to_text(parent.type, parent.id));
    }
    if (!parents.empty()) text += " in " + listed(parents);
    if (!one.applies_to) return text;
    const AppliesTo& to = *one.applies_to;
    // Without principals or resources there is no request, as without any of it.
    if (to.principals.empty() || to.resources.empty()) return text;
    const std::string inside = indent + "  ";
    text += " appliesTo {\n" + inside + "principal: " + listed(to.principals) + ",\n" + inside +
            "resource: " + listed(to.resources) + ",\n";
    if (to.context) {
      auto context = type(*to.context, space.name, space.name, inside);
      if (!context) return context;
      text += inside + "context: " + *context + ",\n";
    }
    return text + indent + "}";
  }

  static constexpr std::size_t attributes_max = 1'000'000;

  const SchemaFragment& fragment_;
  std::map<std::string, Common, std::less<>> commons_;
  std::set<std::string, std::less<>> entities_;  // types of actions too
  std::size_t attributes_ = 0;
};

}  // namespace

Result<std::string> print_schema(const SchemaFragment& fragment) {
  return SchemaPrinter(fragment).run();
}

}  // namespace mailwarden::policy
