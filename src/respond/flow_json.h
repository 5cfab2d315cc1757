// Playbooks as JSON, for the store and for the API.
//
// What     A run's row holds the whole playbook that it began with. to_json() writes what differs
//          from a member's default, playbook_from_json() reads it back to an equal value.
// Owns     Nothing.
// Threads  Pure.
// Errors   corrupt: a stored playbook is damaged.
// Limits   Those of the playbook.
#pragma once

#include <string_view>

#include "base/result.h"
#include "json/value.h"
#include "respond/flow.h"

namespace mailwarden::respond::flow {

std::string_view to_string(StepKind kind);  // "if", "while"

json::Object to_json(const Operation& operation);
json::Object to_json(const Step& step);
json::Object to_json(const Playbook& playbook);
Result<Operation> operation_from_json(const json::Value& value);
Result<Playbook> playbook_from_json(const json::Value& value);

}  // namespace mailwarden::respond::flow
