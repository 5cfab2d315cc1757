// What a playbook may know of its incident.
//
// What     incident.number, .title, .severity, .entity, .entity_kind, .row and .type, and what is
//          asserted of it as fact.NAME, a number: truths are 1, words their place in the severity
//          table's list. What is not known has no value.
// Owns     Nothing.
// Threads  Pure.
// Errors   None.
// Limits   None.
#pragma once

#include <optional>
#include <string_view>

#include "incident/incident.h"
#include "json/value.h"
#include "respond/flow.h"

namespace mailwarden::respond {

// By their names.
json::Object incident_values(const incident::Incident& incident);
// Of a name that an incident can give; nothing for others.
std::optional<flow::VariableType> incident_value_type(std::string_view name);

// Whether a rule of the incident is one that it names.
bool names_a_rule(const flow::When& when, const incident::Incident& incident);
// Any of its rules (`rules` are ids) or types will do, where it names some; where it names
// none, the severity alone decides.
bool is_due(const flow::When& when, const incident::Incident& incident);

}  // namespace mailwarden::respond
