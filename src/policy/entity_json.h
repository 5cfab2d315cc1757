// Entities, contexts and values as JSON.
//
// What     Reads what Cedar's entity and context syntax says into values, with the escapes
//          `__entity` and `__extn`; where a schema tells what is expected, entities and extension
//          values may be written without them. Writes values back.
// Owns     Nothing.
// Threads  Pure.
// Errors   Error{invalid}: which entity and attribute, what stood there, what was expected. What
//          does not fit the schema is refused too (conform.h).
// Limits   json::ParseOptions for one entity or context; EntityJsonOptions.
// Source   Cedar 4.5, "Entities and context syntax".
#pragma once

#include <functional>
#include <string_view>

#include "base/result.h"
#include "json/value.h"
#include "policy/entities.h"
#include "policy/request.h"
#include "policy/schema.h"

namespace mailwarden::policy {

struct EntityJsonOptions {
  std::size_t bytes_max = 1024 * 1024 * 1024;
  std::size_t entities_max = 10'000'000;
  // Whether an entity is to be added; unset where all are.
  std::function<bool(const json::Value& entity)> wants;
};

// An array of entities. With a schema its actions stand among them.
Result<Entities> read_entities(std::string_view json, const Schema* schema = nullptr,
                               const EntityJsonOptions& options = {});
// The same into a builder, without the actions, for several arrays.
Result<void> add_entities(EntitiesBuilder& builder, std::string_view json, const Schema* schema,
                          const EntityJsonOptions& options = {});
// For entities from several places. With a schema each must fit it.
Result<void> add_entity(EntitiesBuilder& builder, const json::Value& entity, const Schema* schema);
// What the schema says of its actions.
Result<void> add_actions(EntitiesBuilder& builder, const Schema& schema);

// `{"type": .., "id": ..}`, in `__entity` or not.
Result<EntityUid> read_uid(const json::Value& value);
// Of a request. With a schema it is read as the action's context has it, and an action that is not
// declared is refused; whether it is what the action wants, conforms() tells of the request.
Result<Value> read_context(const json::Value& context, Memory& memory, const Schema* schema,
                           const EntityUid& action);
// A value without a schema, as policies in JSON have it.
Result<Value> read_value(const json::Value& value, Memory& memory);

json::Value to_json(const EntityUid& uid);
json::Value to_json(const Value& value);

}  // namespace mailwarden::policy
