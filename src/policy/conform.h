// Whether entities and requests are as a schema wants them.
//
// What     Values are held against types, entities against their declarations, requests against the
//          action's.
// Owns     Nothing.
// Threads  Pure.
// Errors   Error{invalid}: what is wrong, in one sentence.
// Limits   None.
// Source   Cedar.Validation.RequestEntityValidator of the formal model.
#pragma once

#include "base/result.h"
#include "policy/request.h"
#include "policy/schema.h"

namespace mailwarden::policy {

Result<void> conforms(const Value& value, TypeId type, const Schema& schema);
// Attributes and tags are records; `parents` are those that were named.
Result<void> conforms(const EntityName& name, const Value& attributes, const Value& tags,
                      std::span<const EntityName* const> parents, const Schema& schema);
Result<void> conforms(const Request& request, const Schema& schema);

}  // namespace mailwarden::policy
