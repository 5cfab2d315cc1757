// What the variables of a playbook are when a run begins.
//
// What     start_values() brings together what the playbook says, what the incident gives, and what
//          whoever starts it gives: name to value, with the incident's own names among them. A
//          variable `from` the incident whose value is not of its type has none.
// Owns     Nothing.
// Threads  Pure.
// Errors   invalid, with every mistake: no such variable, one that is not external, a text that is
//          none of its type, an external one that is not given.
// Limits   FlowLimits::value_bytes_max.
#pragma once

#include <map>
#include <string>

#include "base/result.h"
#include "json/value.h"
#include "respond/flow.h"

namespace mailwarden::respond {

using GivenTexts = std::map<std::string, std::string, std::less<>>;

// `incident`: incident_values(), or nothing for a run without one. `given`: external variables as a
// person writes them.
Result<json::Object> start_values(const flow::Playbook& playbook, const json::Object& incident,
                                  const GivenTexts& given);
// `given` as values of another playbook, which its step of kind playbook filled in.
Result<json::Object> start_values(const flow::Playbook& playbook, const json::Object& incident,
                                  const json::Object& given);

}  // namespace mailwarden::respond
