// Playbooks as JSON, as runs keep the one that they began with.
//
// What     to_json() leaves out what is as it is by default; from_json() takes exactly that. Times
//          are whole microseconds, "wait_us".
// Owns     Nothing.
// Threads  Pure.
// Errors   corrupt: not what to_json() writes.
// Limits   FlowLimits::steps_max.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/timestamp.h"
#include "json/value.h"
#include "respond/flow.h"

namespace mailwarden::respond::flow {

json::Object to_json(const Playbook& playbook);
Result<Playbook> playbook_from_json(const json::Value& value);

json::Object to_json(const Step& step);
Result<Step> step_from_json(const json::Value& value);

json::Object to_json(const Operation& operation);
Result<Operation> operation_from_json(const json::Value& value);

// "if", "approve": as files have it.
std::string_view to_string(StepKind kind);
std::optional<StepKind> parse_step_kind(std::string_view text);

// A member, unless it is as it is by default. Times are whole microseconds.
void put(json::Object& object, const char* name, bool truth);
void put(json::Object& object, const char* name, std::int64_t number);
void put(json::Object& object, const char* name, Duration time);
void put(json::Object& object, const char* name, const std::string& text);
void put(json::Object& object, const char* name, const json::Object& members);

}  // namespace mailwarden::respond::flow
