#include "policy/conform.h"

#include <algorithm>

namespace mailwarden::policy {
namespace {

Result<void> is_known(const EntityName& name, const Schema& schema) {
  if (const EntityType* const type = schema.entity(name.type); type != nullptr) {
    if (!type->choices || type->choices->contains(name.id)) return {};
    return fail(Code::invalid, to_text(name) + " is none of those that its type lists");
  }
  if (schema.knows(name.uid())) return {};
  if (schema.is_action_type(name.type)) {
    return fail(Code::invalid, "the action " + to_text(name) + " is not declared");
  }
  return fail(Code::invalid, "the entity type '" + std::string(name.type) + "' is not declared");
}

// Members and attributes both stand in the order of their names.
Result<void> record_conforms(const Value& value, TypeId type, const Schema& schema) {
  const auto& attributes = schema.types()[type].attributes;
  auto next = attributes.begin();
  const AttributeType* missing = nullptr;
  const auto pass = [&] {
    if (next->is_required && missing == nullptr) missing = &*next;
    ++next;
  };
  for (const Member& one : value.as_record()) {
    std::strong_ordering order = std::strong_ordering::greater;
    while (next != attributes.end() && (order = next->name <=> one.name) < 0) pass();
    if (next == attributes.end() || order != 0) {
      return fail(Code::invalid, "'" + std::string(one.name) + "' is not declared");
    }
    if (auto done = conforms(one.value, next->type, schema); !done) {
      return fail("'" + std::string(one.name) + "'", done.error());
    }
    ++next;
  }
  while (next != attributes.end()) pass();
  if (missing != nullptr) return fail(Code::invalid, "'" + missing->name + "' is missing");
  return {};
}

}  // namespace

Result<void> conforms(const Value& value, TypeId id, const Schema& schema) {
  using Form = Types::Form;
  const Types::Type& type = schema.types()[id];
  const auto differs = [&] {
    return fail(Code::invalid, to_text(value) + " is no " + schema.types().text(id));
  };
  switch (value.kind) {
    case Kind::boolean: {
      const Form only = value.is_true() ? Form::yes : Form::no;
      if (type.form != Form::boolean && type.form != only) return differs();
      return {};
    }
    case Kind::integer:
      if (type.form != Form::integer) return differs();
      return {};
    case Kind::string:
      if (type.form != Form::string) return differs();
      return {};
    case Kind::entity:
      if (type.form != Form::entity || type.name != value.entity->type) return differs();
      return is_known(*value.entity, schema);
    case Kind::set:
      if (type.form != Form::set) return differs();
      for (const Value& one : value.as_set()) {
        if (auto done = conforms(one, type.element, schema); !done) return done;
      }
      return {};
    case Kind::record:
      if (type.form != Form::record) return differs();
      return record_conforms(value, id, schema);
    default:
      if (type.form != Form::extension || type.kind != value.kind) return differs();
      return {};
  }
}

namespace {

Result<void> action_conforms(const EntityName& name, const Value& attributes, const Value& tags,
                             std::span<const EntityName* const> parents, const Schema& schema) {
  const ActionType* const action = schema.action(name.uid());
  if (action == nullptr) return fail(Code::invalid, "the action is not declared");
  if (attributes.size > 0 || tags.size > 0) {
    return fail(Code::invalid, "an action has neither attributes nor tags");
  }
  std::set<EntityUid> all;
  for (const EntityName* parent : parents) {
    all.insert(parent->uid());
    if (const ActionType* const above = schema.action(parent->uid())) {
      all.insert(above->ancestors.begin(), above->ancestors.end());
    }
  }
  if (all != action->ancestors) {
    return fail(Code::invalid, "the action's ancestors are not those of the schema");
  }
  return {};
}

}  // namespace

Result<void> conforms(const EntityName& name, const Value& attributes, const Value& tags,
                      std::span<const EntityName* const> parents, const Schema& schema) {
  const EntityType* const type = schema.entity(name.type);
  if (type == nullptr) {
    if (schema.is_action_type(name.type)) {
      return action_conforms(name, attributes, tags, parents, schema);
    }
    return is_known(name, schema);
  }
  if (auto done = is_known(name, schema); !done) return done;
  if (auto done = conforms(attributes, type->attributes, schema); !done) return done;
  for (const Member& one : tags.as_record()) {
    if (!type->tags) return fail(Code::invalid, "entities of this type have no tags");
    if (auto done = conforms(one.value, *type->tags, schema); !done) {
      return fail("the tag '" + std::string(one.name) + "'", done.error());
    }
  }
  for (const EntityName* parent : parents) {
    if (!type->ancestors.contains(parent->type)) {
      return fail(Code::invalid, "it may not stand under " + to_text(*parent));
    }
    if (auto done = is_known(*parent, schema); !done) return done;
  }
  return {};
}

Result<void> conforms(const Request& request, const Schema& schema) {
  const auto known = [&](const EntityUid& uid, std::string_view what) -> Result<void> {
    if (auto done = is_known({.type = uid.type, .id = uid.id}, schema); !done) {
      return fail(what, done.error());
    }
    return {};
  };
  const ActionType* const action = schema.action(request.action);
  if (auto done = known(request.principal, "principal"); !done) return done;
  if (auto done = known(request.resource, "resource"); !done) return done;
  if (action == nullptr) {
    return fail(Code::invalid, "the action " + to_text(request.action) + " is not declared");
  }
  const auto applies = [&](const auto& types, const EntityUid& uid,
                           const std::string& what) -> Result<void> {
    if (types.contains(uid.type)) return {};
    return fail(Code::invalid,
                to_text(request.action) + " is not for a " + what + " of type " + uid.type);
  };
  if (auto done = applies(action->principals, request.principal, "principal"); !done) return done;
  if (auto done = applies(action->resources, request.resource, "resource"); !done) return done;
  if (auto done = conforms(request.context, action->context, schema); !done) {
    return fail("context", done.error());
  }
  return {};
}

}  // namespace mailwarden::policy
