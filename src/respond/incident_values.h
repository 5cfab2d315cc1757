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

#include <array>
#include <optional>
#include <string_view>

#include "incident/incident.h"
#include "json/value.h"
#include "respond/flow.h"

namespace mailwarden::respond {

// What an incident may be of.
inline constexpr std::array incident_types{std::string_view("account_compromise"),
                                           std::string_view("data_exposure"),
                                           std::string_view("lost_device"),
                                           std::string_view("mail_abuse"),
                                           std::string_view("malware"),
                                           std::string_view("physical"),
                                           std::string_view("policy_violation"),
                                           std::string_view("service"),
                                           std::string_view("vulnerability_report")};

// By their names. `type` is the incident's; "" where it has none.
json::Object incident_values(const incident::Incident& incident, std::string_view type = {});
// Of a name that an incident can give; nothing for others.
std::optional<flow::VariableType> incident_value_type(std::string_view name);

// Any of its rules (`rules` are ids) or its types will do, where it names some; where it names
// none, the severity alone decides.
bool is_due(const flow::When& when, const incident::Incident& incident, std::string_view type = {});

}  // namespace mailwarden::respond
