#include <algorithm>

#include "base/text.h"
#include "json/value.h"
#include "policy/schema_fragment.h"

namespace mailwarden::policy {
namespace {

using Form = TypeExpression::Form;
using Names = std::initializer_list<std::string_view>;

std::string named(std::string_view kind, std::string_view name) {
  return std::string(kind) + " '" + printable(name) + "'";
}

// A::B, where `__cedar` may stand too: whether there is such a type is found when it is looked up.
bool is_type_name(std::string_view name) {
  constexpr std::string_view own = "__cedar::";
  if (name.starts_with(own)) name.remove_prefix(own.size());
  return type_is_valid(name);
}

class SchemaReader {
 public:
  explicit SchemaReader(const SchemaOptions& options) : options_(options) {}

  Result<SchemaFragment> run(const json::Value& json) {
    if (json.as_object() == nullptr) return wrong("a schema is an object of namespaces");
    SchemaFragment fragment;
    for (const auto& [name, value] : *json.as_object()) {
      auto space = name_space(name, value);
      if (!space) return fail(named("namespace", name), space.error());
      fragment.namespaces.push_back(*std::move(space));
    }
    return fragment;
  }

 private:
  static std::unexpected<Error> wrong(const std::string& what) { return fail(Code::invalid, what); }

  // The object, if its members are among those known.
  static Result<const json::Object*> members(const json::Value& value, Names known,
                                             Names more = {}) {
    const json::Object* const object = value.as_object();
    if (object == nullptr) return wrong("an object was expected");
    for (const auto& [name, member] : *object) {
      if (std::ranges::find(known, name) == known.end() &&
          std::ranges::find(more, name) == more.end()) {
        return wrong("there is no member '" + printable(name) + "' here");
      }
    }
    return object;
  }
  static const json::Value* find(const json::Object& object, std::string_view name) {
    const auto at = object.find(name);
    return at == object.end() ? nullptr : &at->second;
  }

  // Calls read(name, value) for each member of an object that must be there if `is_required`.
  template <class Read>
  static Result<void> each(const json::Object& object, std::string_view member, bool is_required,
                           Read read) {
    const json::Value* const value = find(object, member);
    if (value == nullptr && !is_required) return {};
    if (value == nullptr || value->as_object() == nullptr) {
      return wrong("'" + std::string(member) + "' must be an object");
    }
    for (const auto& [name, inner] : *value->as_object()) {
      if (Result<void> done = read(name, inner); !done) return done;
    }
    return {};
  }

  static Result<void> annotations(const json::Object& object, std::vector<Annotation>& into) {
    return each(object, "annotations", false,
                [&](const std::string& name, const json::Value& value) -> Result<void> {
                  const std::string* const text = value.as_string();
                  if (!is_identifier(name))
                    return wrong(named("annotation", name) + " has no name");
                  if (text == nullptr && !value.is_null()) {
                    return wrong(named("annotation", name) + " must be a string or null");
                  }
                  Annotation one{.name = name, .value = std::nullopt};
                  if (text != nullptr) one.value = *text;
                  into.push_back(std::move(one));
                  return {};
                });
  }

  // A list of strings. `is_name` tells that they are types.
  Result<std::vector<std::string>> strings(const json::Value& value, std::string_view what,
                                           bool is_name) {
    if (value.as_array() == nullptr) return wrong("'" + std::string(what) + "' must be a list");
    std::vector<std::string> all;
    for (const json::Value& one : *value.as_array()) {
      if (auto done = count(); !done) return std::unexpected(done.error());
      const std::string* const text = one.as_string();
      if (text == nullptr || (is_name && !is_type_name(*text))) {
        return wrong("'" + std::string(what) + "' must hold " + (is_name ? "types" : "strings"));
      }
      all.push_back(*text);
    }
    return all;
  }

  Result<void> count() {
    if (++items_ <= options_.items_max) return {};
    return wrong("the schema has more than " + std::to_string(options_.items_max) +
                 " types and list items");
  }

  Result<NamespaceDeclaration> name_space(const std::string& name, const json::Value& json) {
    NamespaceDeclaration made{.name = name};
    if (!name.empty() && !type_is_valid(name)) return wrong("this is no name of a namespace");
    const auto object = members(json, {"entityTypes", "actions", "commonTypes", "annotations"});
    if (!object) return std::unexpected(object.error());
    const auto read = [](auto& into, auto one) {
      return [&into, one](const std::string& name, const json::Value& value) -> Result<void> {
        auto declared = one(name, value);
        if (!declared) return fail("'" + printable(name) + "'", declared.error());
        into.push_back(*std::move(declared));
        return {};
      };
    };
    const auto entities = each(**object, "entityTypes", true,
                               read(made.entities, [this](const auto& name, const auto& value) {
                                 return entity(name, value);
                               }));
    if (!entities) return fail("entityTypes", entities.error());
    const auto actions = each(**object, "actions", true,
                              read(made.actions, [this](const auto& name, const auto& value) {
                                return action(name, value);
                              }));
    if (!actions) return fail("actions", actions.error());
    const auto types = each(**object, "commonTypes", false,
                            read(made.types, [this](const auto& name, const auto& value) {
                              return common(name, value);
                            }));
    if (!types) return fail("commonTypes", types.error());
    if (auto done = annotations(**object, made.annotations); !done) {
      return std::unexpected(done.error());
    }
    if (name.empty() && !made.annotations.empty()) {
      return wrong("the empty namespace has no annotations");
    }
    return made;
  }

  Result<EntityDeclaration> entity(const std::string& name, const json::Value& json) {
    EntityDeclaration made{.name = name};
    if (!is_identifier(name) || is_reserved(name)) return wrong("this is no name of a type");
    const bool is_enumerated = !json["enum"].is_null();
    const auto object = is_enumerated
                            ? members(json, {"enum", "annotations"})
                            : members(json, {"memberOfTypes", "shape", "tags", "annotations"});
    if (!object) return std::unexpected(object.error());
    if (is_enumerated) {
      auto choices = strings(json["enum"], "enum", false);
      if (!choices) return std::unexpected(choices.error());
      if (choices->empty()) return wrong("'enum' is empty");
      made.choices = *std::move(choices);
    }
    if (const auto* const parents = find(**object, "memberOfTypes")) {
      auto types = strings(*parents, "memberOfTypes", true);
      if (!types) return std::unexpected(types.error());
      made.parents = *std::move(types);
    }
    const std::pair<std::string_view, std::optional<TypeExpression>*> parts[] = {
        {"shape", &made.shape}, {"tags", &made.tags}};
    for (const auto& [member, into] : parts) {
      const auto* const written = find(**object, member);
      if (written == nullptr) continue;
      auto read = type(*written);
      if (!read) return fail(member, read.error());
      *into = *std::move(read);
    }
    if (auto done = annotations(**object, made.annotations); !done) {
      return std::unexpected(done.error());
    }
    return made;
  }

  Result<ActionDeclaration> action(const std::string& name, const json::Value& json) {
    ActionDeclaration made{.name = name};
    const auto object = members(json, {"memberOf", "appliesTo", "attributes", "annotations"});
    if (!object) return std::unexpected(object.error());
    if (!json["attributes"].is_null()) return wrong("actions have no attributes");
    if (const json::Value& parents = json["memberOf"]; !parents.is_null()) {
      if (parents.as_array() == nullptr) return wrong("'memberOf' must be a list");
      for (const json::Value& parent : *parents.as_array()) {
        auto one = reference(parent);
        if (!one) return fail("memberOf", one.error());
        made.parents.push_back(*std::move(one));
      }
    }
    if (const json::Value& written = json["appliesTo"]; !written.is_null()) {
      auto read = applies_to(written);
      if (!read) return fail("appliesTo", read.error());
      made.applies_to = *std::move(read);
    }
    if (auto done = annotations(**object, made.annotations); !done) {
      return std::unexpected(done.error());
    }
    return made;
  }

  Result<ActionReference> reference(const json::Value& json) {
    if (auto done = count(); !done) return std::unexpected(done.error());
    if (auto object = members(json, {"id", "type"}); !object) {
      return std::unexpected(object.error());
    }
    const std::string* const id = json["id"].as_string();
    const std::string* const type = json["type"].as_string();
    if (id == nullptr) return wrong("'id' must be a string");
    if (type == nullptr && !json["type"].is_null()) return wrong("'type' must be a string");
    if (type != nullptr && !is_type_name(*type)) return wrong("'type' must be a type");
    return ActionReference{.type = type == nullptr ? "" : *type, .id = *id};
  }

  Result<AppliesTo> applies_to(const json::Value& json) {
    AppliesTo made;
    const auto object = members(json, {"principalTypes", "resourceTypes", "context"});
    if (!object) return std::unexpected(object.error());
    auto principals = strings(json["principalTypes"], "principalTypes", true);
    if (!principals) return std::unexpected(principals.error());
    made.principals = *std::move(principals);
    auto resources = strings(json["resourceTypes"], "resourceTypes", true);
    if (!resources) return std::unexpected(resources.error());
    made.resources = *std::move(resources);
    const auto* const context = find(**object, "context");
    if (context == nullptr) return made;
    auto read = type(*context);
    if (!read) return fail("context", read.error());
    made.context = *std::move(read);
    return made;
  }

  Result<TypeDeclaration> common(const std::string& name, const json::Value& json) {
    TypeDeclaration made{.name = name};
    if (!is_identifier(name) || is_reserved(name)) return wrong("this is no name of a type");
    auto read = type(json, {"annotations"});
    if (!read) return std::unexpected(read.error());
    made.type = *std::move(read);
    if (auto done = annotations(*json.as_object(), made.annotations); !done) {
      return std::unexpected(done.error());
    }
    return made;
  }

  // `more` are the members that may stand beside those of the type.
  Result<TypeExpression> type(const json::Value& json, Names more = {}) {
    if (nesting_ >= options_.nesting_max) {
      return wrong("types stand deeper in one another than " +
                   std::to_string(options_.nesting_max) + " levels");
    }
    if (auto done = count(); !done) return std::unexpected(done.error());
    ++nesting_;
    auto made = type_inside(json, more);
    --nesting_;
    return made;
  }

  Result<TypeExpression> type_inside(const json::Value& json, Names more) {
    if (json.as_object() == nullptr) return wrong("a type is an object");
    const std::string* const word = json["type"].as_string();
    if (word == nullptr) return wrong("'type' must be a string");
    if (*word == "Record") return record(json, more);
    if (*word == "Set") {
      if (auto known = members(json, {"type", "element"}, more); !known) {
        return std::unexpected(known.error());
      }
      auto element = type(json["element"]);
      if (!element) return fail("element", element.error());
      TypeExpression made{.form = Form::set};
      made.element.push_back(*std::move(element));
      return made;
    }
    if (*word == "Entity" || *word == "Extension" || *word == "EntityOrCommon") {
      if (auto known = members(json, {"type", "name"}, more); !known) {
        return std::unexpected(known.error());
      }
      const std::string* const name = json["name"].as_string();
      if (name == nullptr || !is_type_name(*name)) return wrong("'name' must name a type");
      const Form form = *word == "Entity"      ? Form::entity
                        : *word == "Extension" ? Form::extension
                                               : Form::named;
      return TypeExpression{.form = form, .name = *name};
    }
    if (auto known = members(json, {"type"}, more); !known) return std::unexpected(known.error());
    if (*word == "Long" || *word == "String") {
      return TypeExpression{.form = Form::primitive, .name = *word};
    }
    if (*word == "Boolean") return TypeExpression{.form = Form::primitive, .name = "Bool"};
    if (!is_type_name(*word)) return wrong(named("type", *word) + " is none");
    return TypeExpression{.form = Form::common, .name = *word};
  }

  Result<TypeExpression> record(const json::Value& json, Names more) {
    const auto object = members(json, {"type", "attributes", "additionalAttributes"}, more);
    if (!object) return std::unexpected(object.error());
    if (const auto* const open = find(**object, "additionalAttributes");
        open != nullptr && *open != json::Value(false)) {
      return wrong("'additionalAttributes' can only be false");
    }
    TypeExpression made{.form = Form::record};
    const auto done = each(**object, "attributes", true,
                           [&](const std::string& name, const json::Value& value) -> Result<void> {
                             auto one = attribute(name, value);
                             if (!one)
                               return fail("attribute '" + printable(name) + "'", one.error());
                             made.attributes.push_back(*std::move(one));
                             return {};
                           });
    if (!done) return std::unexpected(done.error());
    return made;
  }

  Result<AttributeDeclaration> attribute(const std::string& name, const json::Value& json) {
    AttributeDeclaration made{.name = name};
    auto read = type(json, {"required", "annotations"});
    if (!read) return std::unexpected(read.error());
    made.type.push_back(*std::move(read));
    const json::Object& object = *json.as_object();
    if (const auto* const required = find(object, "required")) {
      if (required->as_bool() == nullptr) return wrong("'required' must be true or false");
      made.is_required = *required->as_bool();
    }
    if (auto done = annotations(object, made.annotations); !done) {
      return std::unexpected(done.error());
    }
    return made;
  }

  const SchemaOptions& options_;
  std::size_t nesting_ = 0;
  std::size_t items_ = 0;
};

json::Array strings(const std::vector<std::string>& texts) {
  return json::Array(texts.begin(), texts.end());
}

void put_annotations(const std::vector<Annotation>& annotations, json::Object& into) {
  if (annotations.empty()) return;
  json::Object made;
  for (const Annotation& one : annotations) {
    made.emplace(one.name, one.value ? json::Value(*one.value) : json::Value(nullptr));
  }
  into.emplace("annotations", std::move(made));
}

json::Object to_json(const TypeExpression& type) {
  switch (type.form) {
    case Form::named:
      return {{"type", "EntityOrCommon"}, {"name", type.name}};
    case Form::entity:
      return {{"type", "Entity"}, {"name", type.name}};
    case Form::extension:
      return {{"type", "Extension"}, {"name", type.name}};
    case Form::common:
      return {{"type", type.name}};
    case Form::primitive:
      return {{"type", type.name == "Bool" ? "Boolean" : type.name}};
    case Form::set:
      return {{"type", "Set"}, {"element", to_json(type.element.front())}};
    case Form::record:
      break;
  }
  json::Object attributes;
  for (const AttributeDeclaration& one : type.attributes) {
    json::Object made = to_json(one.type.front());
    if (!one.is_required) made.emplace("required", false);
    put_annotations(one.annotations, made);
    attributes.emplace(one.name, std::move(made));
  }
  return {{"type", "Record"}, {"attributes", std::move(attributes)}};
}

json::Object to_json(const EntityDeclaration& entity) {
  json::Object made;
  if (entity.choices) made.emplace("enum", strings(*entity.choices));
  if (!entity.parents.empty()) made.emplace("memberOfTypes", strings(entity.parents));
  if (entity.shape) made.emplace("shape", to_json(*entity.shape));
  if (entity.tags) made.emplace("tags", to_json(*entity.tags));
  put_annotations(entity.annotations, made);
  return made;
}

json::Object to_json(const ActionDeclaration& action) {
  json::Object made;
  json::Array parents;
  for (const ActionReference& one : action.parents) {
    json::Object parent{{"id", one.id}};
    if (!one.type.empty()) parent.emplace("type", one.type);
    parents.emplace_back(std::move(parent));
  }
  if (!parents.empty()) made.emplace("memberOf", std::move(parents));
  if (action.applies_to) {
    json::Object applies_to{{"principalTypes", strings(action.applies_to->principals)},
                            {"resourceTypes", strings(action.applies_to->resources)}};
    if (action.applies_to->context) {
      applies_to.emplace("context", to_json(*action.applies_to->context));
    }
    made.emplace("appliesTo", std::move(applies_to));
  }
  put_annotations(action.annotations, made);
  return made;
}

json::Object to_json(const TypeDeclaration& type) {
  json::Object made = to_json(type.type);
  put_annotations(type.annotations, made);
  return made;
}

template <class Declarations>
json::Object to_json(const Declarations& declarations) {
  json::Object made;
  for (const auto& one : declarations) made.emplace(one.name, to_json(one));
  return made;
}

}  // namespace

Result<SchemaFragment> parse_schema_json(std::string_view text, const SchemaOptions& options) {
  // Two levels of JSON for each of a type, and what stands around it.
  const auto json = json::parse(
      text, {.depth_max = options.nesting_max * 2 + 16, .bytes_max = options.bytes_max});
  if (!json) return std::unexpected(json.error());
  return SchemaReader(options).run(*json);
}

std::string print_schema_json(const SchemaFragment& fragment) {
  json::Object all;
  for (const NamespaceDeclaration& space : fragment.namespaces) {
    json::Object made{{"entityTypes", to_json(space.entities)},
                      {"actions", to_json(space.actions)}};
    if (!space.types.empty()) made.emplace("commonTypes", to_json(space.types));
    put_annotations(space.annotations, made);
    all.emplace(space.name, std::move(made));
  }
  return json::to_pretty_text(std::move(all)) + "\n";
}

}  // namespace mailwarden::policy
