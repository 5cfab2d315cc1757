#include "respond/incident_values.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace mailwarden::respond {
namespace {

using flow::VariableType;

constexpr std::string_view fact_prefix = "fact.";

constexpr std::array names{
    std::pair{std::string_view("incident.number"), VariableType::integer},
    std::pair{std::string_view("incident.title"), VariableType::string},
    std::pair{std::string_view("incident.severity"), VariableType::integer},
    std::pair{std::string_view("incident.entity"), VariableType::string},
    std::pair{std::string_view("incident.entity_kind"), VariableType::string},
    std::pair{std::string_view("incident.row"), VariableType::string},
    std::pair{std::string_view("incident.type"), VariableType::string}};

}  // namespace

json::Object incident_values(const incident::Incident& incident) {
  // Entities are bytes of log lines, and values are texts.
  json::Object values{{"incident.number", incident.number},
                      {"incident.title", to_utf8(incident.title)},
                      {"incident.severity", static_cast<std::int64_t>(incident.severity)},
                      {"incident.entity", to_utf8(incident.entity.name)},
                      {"incident.entity_kind", to_utf8(incident.entity.kind)},
                      {"incident.row", to_utf8(incident.row)}};
  if (!incident.type.empty()) values["incident.type"] = incident.type;
  for (const auto& [fact, worth] : incident.facts) values[std::string(fact_prefix) + fact] = worth;
  return values;
}

std::optional<VariableType> incident_value_type(std::string_view name) {
  if (name.starts_with(fact_prefix) && name.size() > fact_prefix.size()) {
    return VariableType::integer;
  }
  const auto* const found = std::ranges::find(names, name, [](const auto& n) { return n.first; });
  if (found == names.end()) return std::nullopt;
  return found->second;
}

bool names_a_rule(const flow::When& when, const incident::Incident& incident) {
  return std::ranges::any_of(when.rules,
                             [&](const auto& rule) { return incident.rules.contains(rule); });
}

bool is_due(const flow::When& when, const incident::Incident& incident) {
  if (incident.severity < when.severity_from) return false;
  if (when.rules.empty() && when.types.empty()) return true;
  return when.types.contains(incident.type) || names_a_rule(when, incident);
}

}  // namespace mailwarden::respond
