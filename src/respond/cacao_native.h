// Playbooks as JSON, member by member, and the differences between two.
//
// What     One table says how each member of a Step and of a Playbook is written and read; the
//          extension for CACAO is made from it.
//          A difference holds the members of the second in which it differs from the first.
// Owns     Nothing.
// Threads  Pure.
// Errors   invalid: a member that is none of ours, or not of its kind. A refused object leaves what
//          it was to be set in a state to throw away.
// Limits   None; what is read is JSON within its limits, and check() judges it.
#pragma once

#include <string>

#include "base/result.h"
#include "json/value.h"
#include "respond/flow.h"

namespace mailwarden::respond::cacao {

std::string_view kind_name(flow::StepKind kind);  // "if_condition"

// All members but file and version; steps by id.
json::Object members_of(const flow::Playbook& playbook);

json::Object difference(const flow::Step& from, const flow::Step& to);
// Without steps, file and version.
json::Object difference(const flow::Playbook& from, const flow::Playbook& to);
Result<void> set(flow::Step& step, const json::Object& members);
Result<void> set(flow::Playbook& playbook, const json::Object& members);

}  // namespace mailwarden::respond::cacao
