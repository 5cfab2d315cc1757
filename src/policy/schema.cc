#include "policy/schema.h"

#include <algorithm>
#include <array>

namespace mailwarden::policy {
namespace {

constexpr std::array<std::string_view, 8> reserved_types = {
    "Bool", "Boolean", "Entity", "Extension", "Long", "Record", "Set", "String"};

}  // namespace

class SchemaResolver {
 public:
  explicit SchemaResolver(const SchemaFragment& fragment) : fragment_(fragment) {}

  Result<Schema> run() {
    if (auto done = declare(); !done) return std::unexpected(done.error());
    if (auto done = forbid_shadows(); !done) return std::unexpected(done.error());
    for (const NamespaceDeclaration& space : fragment_.namespaces) {
      for (const TypeDeclaration& one : space.types) {
        if (auto type = common(name_in(space.name, one.name), 0); !type) {
          return std::unexpected(type.error());
        }
      }
      for (const EntityDeclaration& one : space.entities) {
        if (auto done = entity(space, one); !done) return std::unexpected(done.error());
      }
      for (const ActionDeclaration& one : space.actions) {
        if (auto done = action(space, one); !done) return std::unexpected(done.error());
      }
    }
    if (auto done = close_entities(); !done) return std::unexpected(done.error());
    if (auto done = close_actions(); !done) return std::unexpected(done.error());
    return std::move(schema_);
  }

 private:
  // A type, and how deep types and common types stand in it.
  struct Resolved {
    TypeId type = 0;
    std::size_t height = 0;
  };
  struct Common {
    const TypeDeclaration* declaration = nullptr;
    const NamespaceDeclaration* space = nullptr;
    std::optional<Resolved> type;
    bool is_open = false;  // being looked up now
  };

  static std::unexpected<Error> wrong(const std::string& what) { return fail(Code::invalid, what); }

  Result<void> declare() {
    std::set<std::string> spaces;
    for (const NamespaceDeclaration& space : fragment_.namespaces) {
      if (!spaces.insert(space.name).second) {
        return wrong("the namespace '" + space.name + "' stands twice");
      }
      for (const TypeDeclaration& one : space.types) {
        if (std::ranges::find(reserved_types, one.name) != reserved_types.end()) {
          return wrong("a common type cannot have the reserved name '" + one.name + "'");
        }
        const std::string name = name_in(space.name, one.name);
        if (!commons_.emplace(name, Common{.declaration = &one, .space = &space}).second) {
          return wrong("the type '" + name + "' is declared twice");
        }
      }
      for (const EntityDeclaration& one : space.entities) {
        const std::string name = name_in(space.name, one.name);
        if (one.name == "Action") {
          return wrong("an entity type cannot be named '" + name + "': that is what actions are");
        }
        if (!schema_.entities_.emplace(name, EntityType()).second) {
          return wrong("the entity type '" + name + "' is declared twice");
        }
      }
      const std::string action_type = name_in(space.name, "Action");
      for (const ActionDeclaration& one : space.actions) {
        const EntityUid uid{action_type, one.name};
        if (!schema_.actions_.emplace(uid, ActionType()).second) {
          return wrong("the action " + to_text(uid) + " is declared twice");
        }
        schema_.action_types_.insert(action_type);
      }
    }
    return {};
  }

  // RFC 70: what stands in the empty namespace must not be hidden by one that is named.
  Result<void> forbid_shadows() const {
    const auto is_outside = [&](std::string_view name) {
      return schema_.entities_.contains(name) || commons_.contains(name);
    };
    for (const NamespaceDeclaration& space : fragment_.namespaces) {
      if (space.name.empty()) continue;
      std::vector<std::string> names;
      for (const TypeDeclaration& one : space.types) names.push_back(one.name);
      for (const EntityDeclaration& one : space.entities) names.push_back(one.name);
      for (const std::string& name : names) {
        if (!is_outside(name)) continue;
        return wrong("'" + name_in(space.name, name) + "' hides '" + name +
                     "' of the empty namespace");
      }
      for (const ActionDeclaration& one : space.actions) {
        if (!schema_.actions_.contains({"Action", one.name})) continue;
        return wrong("the action '" + one.name + "' of '" + space.name +
                     "' hides the one of the empty namespace");
      }
    }
    return {};
  }

  // The full name that a written one has in a namespace, if `known` has it.
  template <class Known>
  static std::optional<std::string> find(const Known& known, const NamespaceDeclaration& space,
                                         const std::string& name) {
    const bool is_bare = name.find("::") == std::string::npos;
    if (is_bare && known.contains(name_in(space.name, name))) return name_in(space.name, name);
    if (known.contains(name)) return name;
    return std::nullopt;
  }

  // Of what may stand in the scope or above: no actions.
  Result<std::string> entity_name(const NamespaceDeclaration& space, const std::string& name) {
    const auto found = find(schema_.entities_, space, name);
    if (!found) return wrong("the entity type '" + name + "' is not declared");
    return *found;
  }

  static std::unexpected<Error> too_deep() {
    return wrong("types stand deeper in one another than " + std::to_string(Schema::nesting_max) +
                 " levels");
  }
  // What holds `inner`. The height is what is limited, so that the order of declarations is
  // nothing to the verdict; the depth of the descent never goes beyond it.
  static Result<Resolved> around(TypeId type, std::size_t inner) {
    if (inner >= Schema::nesting_max) return too_deep();
    return Resolved{.type = type, .height = inner + 1};
  }

  Result<Resolved> common(const std::string& name, std::size_t depth) {
    Common& one = commons_.at(name);
    if (one.type) return *one.type;
    if (one.is_open) return wrong("the common type '" + name + "' is made of itself");
    one.is_open = true;
    const auto type = resolve(*one.space, one.declaration->type, depth + 1);
    one.is_open = false;
    if (!type) return type;
    const auto made = around(type->type, type->height);
    if (made) one.type = *made;
    return made;
  }

  static std::optional<TypeId> primitive(std::string_view name) {
    if (name == "Long") return Types::integer;
    if (name == "String") return Types::string;
    if (name == "Bool") return Types::boolean;
    return std::nullopt;
  }
  static std::optional<TypeId> extension(Types& types, std::string_view name) {
    if (name == "ipaddr") return types.extension(Kind::ip);
    if (name == "decimal") return types.extension(Kind::decimal);
    if (name == "datetime") return types.extension(Kind::datetime);
    if (name == "duration") return types.extension(Kind::duration);
    return std::nullopt;
  }
  std::optional<TypeId> builtin(std::string_view name) {
    constexpr std::string_view own = "__cedar::";
    if (name.starts_with(own)) name.remove_prefix(own.size());
    const auto type = primitive(name);
    return type ? type : extension(schema_.types_, name);
  }

  Result<Resolved> named(const NamespaceDeclaration& space, const TypeExpression& written,
                         std::size_t depth) {
    using Form = TypeExpression::Form;
    const std::string& name = written.name;
    const bool wants_common = written.form != Form::entity;
    const bool wants_entity = written.form != Form::common;
    // The namespace's own names come before those outside, common types before entities.
    for (const std::string& full :
         {name_in(name.find("::") == std::string::npos ? space.name : "", name), name}) {
      if (wants_common && commons_.contains(full)) return common(full, depth);
      if (!wants_entity) continue;
      if (schema_.entities_.contains(full) || schema_.action_types_.contains(full)) {
        return Resolved{.type = schema_.types_.entity(full)};
      }
    }
    if (wants_common) {
      if (const auto type = builtin(name)) return Resolved{.type = *type};
    }
    return wrong("the type '" + name + "' is not declared");
  }

  Result<Resolved> resolve(const NamespaceDeclaration& space, const TypeExpression& written,
                           std::size_t depth) {
    using Form = TypeExpression::Form;
    if (++resolved_ > Schema::types_max) return wrong("the schema's types are too many");
    if (depth > Schema::nesting_max) return too_deep();
    switch (written.form) {
      case Form::named:
      case Form::entity:
      case Form::common:
        return named(space, written, depth);
      case Form::primitive:
      case Form::extension: {
        const auto type = written.form == Form::primitive ? primitive(written.name)
                                                          : extension(schema_.types_, written.name);
        if (!type) return wrong("there is no type '" + written.name + "' in Cedar");
        return Resolved{.type = *type};
      }
      case Form::set: {
        const auto element = resolve(space, written.element.front(), depth + 1);
        if (!element) return element;
        return around(schema_.types_.set(element->type), element->height);
      }
      case Form::record:
        break;
    }
    std::vector<AttributeType> attributes;
    std::size_t height = 0;
    for (const AttributeDeclaration& one : written.attributes) {
      const auto type = resolve(space, one.type.front(), depth + 1);
      if (!type) return type;
      height = std::max(height, type->height);
      attributes.push_back({.name = one.name, .type = type->type, .is_required = one.is_required});
    }
    return around(schema_.types_.record(std::move(attributes)), height);
  }

  Result<TypeId> record(const NamespaceDeclaration& space,
                        const std::optional<TypeExpression>& written, const std::string& of) {
    if (!written) return Types::empty_record;
    const auto type = resolve(space, *written, 0);
    if (!type) return std::unexpected(type.error());
    if (schema_.types_[type->type].form != Types::Form::record) {
      return wrong(of + " must be a record, not " + schema_.types_.text(type->type));
    }
    return type->type;
  }

  Result<void> entity(const NamespaceDeclaration& space, const EntityDeclaration& written) {
    const std::string name = name_in(space.name, written.name);
    EntityType& made = schema_.entities_.at(name);
    if (written.choices) {
      if (written.choices->empty()) return wrong("the enumerated type '" + name + "' is empty");
      made.choices.emplace(written.choices->begin(), written.choices->end());
      return {};
    }
    for (const std::string& parent : written.parents) {
      auto found = entity_name(space, parent);
      if (!found) return std::unexpected(found.error());
      made.ancestors.insert(*std::move(found));
    }
    const auto shape = record(space, written.shape, "the shape of '" + name + "'");
    if (!shape) return std::unexpected(shape.error());
    made.attributes = *shape;
    if (!written.tags) return {};
    const auto tags = resolve(space, *written.tags, 0);
    if (!tags) return std::unexpected(tags.error());
    made.tags = tags->type;
    return {};
  }

  Result<void> action(const NamespaceDeclaration& space, const ActionDeclaration& written) {
    const EntityUid uid{name_in(space.name, "Action"), written.name};
    ActionType& made = schema_.actions_.at(uid);
    for (const ActionReference& one : written.parents) {
      const std::string type = one.type.empty() ? "Action" : one.type;
      const bool is_bare = type.find("::") == std::string::npos;
      const EntityUid inside{is_bare ? name_in(space.name, type) : type, one.id};
      const EntityUid outside{type, one.id};
      const EntityUid& parent = schema_.actions_.contains(inside) ? inside : outside;
      if (!schema_.actions_.contains(parent)) {
        return wrong("the action " + to_text(inside) + ", above " + to_text(uid) +
                     ", is not declared");
      }
      made.parents.insert(parent);
    }
    if (!written.applies_to) return {};
    const auto types = [&](const std::vector<std::string>& names, auto& into) -> Result<void> {
      for (const std::string& name : names) {
        auto found = entity_name(space, name);
        if (!found) return std::unexpected(found.error());
        into.insert(*std::move(found));
      }
      return {};
    };
    if (auto done = types(written.applies_to->principals, made.principals); !done) return done;
    if (auto done = types(written.applies_to->resources, made.resources); !done) return done;
    const auto context =
        record(space, written.applies_to->context, "the context of " + to_text(uid));
    if (!context) return std::unexpected(context.error());
    made.context = *context;
    return {};
  }

  Result<void> count_ancestor() {
    if (++ancestors_ <= Schema::ancestors_max) return {};
    return wrong("the entity types and actions have more than " +
                 std::to_string(Schema::ancestors_max) + " ancestors");
  }

  Result<void> close_entities() {
    std::map<std::string, std::set<std::string, std::less<>>> all;
    for (const auto& [name, type] : schema_.entities_) {
      auto& above = all[name];
      std::vector<std::string> open(type.ancestors.begin(), type.ancestors.end());
      while (!open.empty()) {
        const std::string next = open.back();
        open.pop_back();
        if (!above.insert(next).second) continue;
        if (auto done = count_ancestor(); !done) return done;
        const EntityType* const parent = schema_.entity(next);
        if (parent != nullptr) {
          open.insert(open.end(), parent->ancestors.begin(), parent->ancestors.end());
        }
      }
    }
    for (auto& [name, above] : all) schema_.entities_.at(name).ancestors = std::move(above);
    return {};
  }

  Result<void> close_actions() {
    for (auto& [uid, action] : schema_.actions_) {
      std::vector<EntityUid> open(action.parents.begin(), action.parents.end());
      while (!open.empty()) {
        const EntityUid next = open.back();
        open.pop_back();
        if (next == uid) return wrong("the action " + to_text(uid) + " is above itself");
        if (!action.ancestors.insert(next).second) continue;
        if (auto done = count_ancestor(); !done) return done;
        const auto& parents = schema_.actions_.at(next).parents;
        open.insert(open.end(), parents.begin(), parents.end());
      }
    }
    return {};
  }

  const SchemaFragment& fragment_;
  Schema schema_;
  std::map<std::string, Common, std::less<>> commons_;
  std::size_t resolved_ = 0;
  std::size_t ancestors_ = 0;
};

Result<Schema> Schema::resolve(const SchemaFragment& fragment) {
  return SchemaResolver(fragment).run();
}

const EntityType* Schema::entity(std::string_view type) const {
  const auto at = entities_.find(type);
  return at == entities_.end() ? nullptr : &at->second;
}

const ActionType* Schema::action(const EntityUid& uid) const {
  const auto at = actions_.find(uid);
  return at == actions_.end() ? nullptr : &at->second;
}

bool Schema::is_action_type(std::string_view type) const {
  return action_types_.contains(type);
}

bool Schema::knows(const EntityUid& uid) const {
  if (const EntityType* const type = entity(uid.type)) {
    return !type->choices || type->choices->contains(uid.id);
  }
  return action(uid) != nullptr;
}

bool Schema::may_be_in(std::string_view type, std::string_view above) const {
  if (type == above) return true;
  if (const EntityType* const known = entity(type)) return known->ancestors.contains(above);
  return std::ranges::any_of(actions_, [&](const auto& one) {
    return one.first.type == type && std::ranges::any_of(one.second.ancestors, [&](const auto& up) {
             return up.type == above;
           });
  });
}

}  // namespace mailwarden::policy
