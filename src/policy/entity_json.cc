#include "policy/entity_json.h"

#include <algorithm>

#include "base/text.h"
#include "policy/conform.h"
#include "policy/value_reader.h"

namespace mailwarden::policy {
namespace {

ValueReader reader_of(EntitiesBuilder& builder, const Schema* schema) {
  return {
      builder.memory(), schema == nullptr ? nullptr : &schema->types(),
      [&builder](std::string_view type, std::string_view id) { return builder.intern(type, id); },
      [&builder](std::string_view text) { return builder.intern(text); }};
}

ValueReader reader_of(Memory& memory, const Schema* schema) {
  const auto name = [&memory](std::string_view type, std::string_view id) {
    const EntityName view{.type = type, .id = id, .hash = hash_of(type, id)};
    return copy(memory, Value::of(&view)).entity;
  };
  return {memory, schema == nullptr ? nullptr : &schema->types(), name,
          [&memory](std::string_view text) { return keep(memory, text); }};
}

const json::Object* object_member(const json::Value& of, std::string_view name) {
  static const json::Object nothing;
  const json::Value& member = of[name];
  return member.is_null() ? &nothing : member.as_object();
}

Result<std::vector<const EntityName*>> parents_of(const json::Value& entity,
                                                  EntitiesBuilder& builder) {
  std::vector<const EntityName*> names;
  const json::Array* const parents = entity["parents"].as_array();
  if (parents == nullptr) return fail(Code::invalid, "'parents' must be an array");
  for (const json::Value& one : *parents) {
    const auto uid = read_uid(one);
    if (!uid) return fail("'parents'", uid.error());
    names.push_back(builder.intern(uid->type, uid->id));
  }
  return names;
}

Result<void> add_named(EntitiesBuilder& builder, const EntityUid& uid, const json::Value& entity,
                       const Schema* schema) {
  for (const auto& [name, value] : *entity.as_object()) {
    if (name != "uid" && name != "attrs" && name != "parents" && name != "tags") {
      return fail(Code::invalid, "an entity has no '" + name + "'");
    }
  }
  const EntityType* const type = schema == nullptr ? nullptr : schema->entity(uid.type);
  const json::Object* const attributes = entity["attrs"].as_object();
  const json::Object* const tags = object_member(entity, "tags");
  if (attributes == nullptr) return fail(Code::invalid, "'attrs' must be an object");
  if (tags == nullptr) return fail(Code::invalid, "'tags' must be an object");
  const ValueReader reader = reader_of(builder, schema);
  std::optional<TypeId> shape;
  if (type != nullptr) shape = type->attributes;
  const auto made = reader.record(*attributes, shape);
  if (!made) return fail("'attrs'", made.error());
  const auto made_tags = reader.tags(*tags, type == nullptr ? std::nullopt : type->tags);
  if (!made_tags) return fail("'tags'", made_tags.error());
  const auto parents = parents_of(entity, builder);
  if (!parents) return std::unexpected(parents.error());
  const EntityName* const name = builder.intern(uid.type, uid.id);
  if (schema != nullptr) {
    if (auto done = conforms(*name, *made, *made_tags, *parents, *schema); !done) return done;
  }
  return builder.add(name, *made, *made_tags, *parents);
}

// Where the value that begins at `at` ends: its brackets and strings are counted, not read.
std::size_t end_of_value(std::string_view json, std::size_t at) {
  std::size_t depth = 0;
  for (; at < json.size(); ++at) {
    const char c = json[at];
    if (c == '"') {
      for (++at; at < json.size() && json[at] != '"'; ++at) {
        if (json[at] == '\\') ++at;
      }
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      if (depth == 0) return at;
      --depth;
    } else if (c == ',' && depth == 0) {
      return at;
    }
  }
  return json.size();
}

}  // namespace

Result<EntityUid> read_uid(const json::Value& value) {
  const json::Value& inner = value["__entity"].is_null() ? value : value["__entity"];
  const json::Object* const object = inner.as_object();
  const std::string* const type = inner["type"].as_string();
  const std::string* const id = inner["id"].as_string();
  const bool is_alone = &inner == &value || value.as_object()->size() == 1;
  if (object == nullptr || type == nullptr || id == nullptr || object->size() != 2 || !is_alone) {
    return fail(Code::invalid, "an entity has a 'type' and an 'id'");
  }
  if (!type_is_valid(*type)) {
    return fail(Code::invalid, "'" + printable(*type) + "' is no entity type");
  }
  return EntityUid{*type, *id};
}

Result<void> add_entity(EntitiesBuilder& builder, const json::Value& entity, const Schema* schema) {
  if (entity.as_object() == nullptr) return fail(Code::invalid, "an entity is an object");
  const auto uid = read_uid(entity["uid"]);
  if (!uid) return fail("'uid'", uid.error());
  if (auto done = add_named(builder, *uid, entity, schema); !done) {
    return fail(to_text(*uid), done.error());
  }
  return {};
}

Result<void> add_actions(EntitiesBuilder& builder, const Schema& schema) {
  const Value empty{.kind = Kind::record, .members = nullptr};
  for (const auto& [uid, action] : schema.actions()) {
    const EntityName* const name = builder.intern(uid.type, uid.id);
    if (builder.is_defined(name)) continue;
    std::vector<const EntityName*> parents;
    for (const EntityUid& parent : action.parents) {
      parents.push_back(builder.intern(parent.type, parent.id));
    }
    if (auto done = builder.add(name, empty, empty, parents); !done) return done;
  }
  return {};
}

// One entity of the array at a time is read, so that a large array needs little room.
Result<void> add_entities(EntitiesBuilder& builder, std::string_view json, const Schema* schema,
                          const EntityJsonOptions& options) {
  if (json.size() > options.bytes_max) {
    return fail(Code::invalid,
                "the entities are longer than " + std::to_string(options.bytes_max) + " bytes");
  }
  const std::string_view array = trim(json);
  if (!array.starts_with('[') || !array.ends_with(']') || array.size() < 2) {
    return fail(Code::invalid, "entities are a JSON array");
  }
  const std::string_view items = array.substr(1, array.size() - 2);
  std::size_t count = 0;
  for (std::size_t at = 0; !trim(items.substr(at)).empty();) {
    const std::size_t end = end_of_value(items, at);
    const std::string where = "entity " + std::to_string(++count);
    if (count > options.entities_max) {
      return fail(Code::full,
                  "there are more than " + std::to_string(options.entities_max) + " entities");
    }
    const auto value = json::parse(items.substr(at, end - at));
    if (!value) return fail(where, value.error());
    if (!options.wants || options.wants(*value)) {
      if (auto done = add_entity(builder, *value, schema); !done) return fail(where, done.error());
    }
    at = end;
    if (at < items.size() && items[at] != ',') {
      return fail(Code::invalid, where + ": a ',' was expected behind it");
    }
    if (at >= items.size()) break;
    ++at;
    if (trim(items.substr(at)).empty()) return fail(Code::invalid, "the array ends with a ','");
  }
  return {};
}

Result<Entities> read_entities(std::string_view json, const Schema* schema,
                               const EntityJsonOptions& options) {
  EntitiesBuilder builder;
  if (auto done = add_entities(builder, json, schema, options); !done) {
    return std::unexpected(done.error());
  }
  if (schema != nullptr) {
    if (auto done = add_actions(builder, *schema); !done) return std::unexpected(done.error());
  }
  return builder.finish();
}

Result<Value> read_context(const json::Value& context, Memory& memory, const Schema* schema,
                           const EntityUid& action) {
  const json::Object* const object = context.as_object();
  if (object == nullptr) return fail(Code::invalid, "a context is an object");
  std::optional<TypeId> type;
  if (schema != nullptr) {
    const ActionType* const known = schema->action(action);
    if (known == nullptr) {
      return fail(Code::invalid, "the action " + to_text(action) + " is not declared");
    }
    type = known->context;
  }
  const ValueReader reader = reader_of(memory, schema);
  // A context may be written as one extension value or entity, and is then no record.
  auto value = reader.read(context, type);
  if (value && value->kind != Kind::record) return fail(Code::invalid, "a context is a record");
  return value;
}

Result<Value> read_value(const json::Value& value, Memory& memory) {
  return reader_of(memory, nullptr).read(value, std::nullopt);
}

json::Value to_json(const EntityUid& uid) {
  return json::Object{{"type", uid.type}, {"id", uid.id}};
}

namespace {

json::Value extension(std::string_view function, const std::string& argument) {
  return json::Object{{"__extn", json::Object{{"fn", function}, {"arg", argument}}}};
}

json::Value datetime_json(std::int64_t milliseconds) {
  constexpr std::string_view open = "datetime(\"";
  const std::string source = datetime_source(milliseconds);
  const auto end = source.find('"', open.size());
  json::Value base = extension("datetime", source.substr(open.size(), end - open.size()));
  if (source.find(".offset(") == std::string::npos) return base;
  json::Array arguments{std::move(base), extension("duration", duration_text(milliseconds))};
  return json::Object{{"__extn", json::Object{{"fn", "offset"}, {"args", std::move(arguments)}}}};
}

}  // namespace

json::Value to_json(const Value& value) {
  switch (value.kind) {
    case Kind::boolean:
      return value.is_true();
    case Kind::integer:
      return value.number;
    case Kind::string:
      return value.as_text();
    case Kind::entity:
      return json::Object{{"__entity", to_json(value.entity->uid())}};
    case Kind::set: {
      json::Array items;
      for (const Value& one : value.as_set()) items.push_back(to_json(one));
      return items;
    }
    case Kind::record: {
      json::Object members;
      for (const Member& one : value.as_record()) {
        members.emplace(std::string(one.name), to_json(one.value));
      }
      return members;
    }
    case Kind::decimal:
      return extension("decimal", decimal_text(value.number));
    case Kind::ip:
      return extension("ip", ip_text(*value.range));
    case Kind::datetime:
      return datetime_json(value.number);
    case Kind::duration:
      return extension("duration", duration_text(value.number));
  }
  return {};
}

}  // namespace mailwarden::policy
