#include "incident/incident.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "incident/incident_json.h"
#include "incident/incident_parts.h"

namespace mailwarden::incident {
namespace {

constexpr std::string_view daemon = "mailwarden";

constexpr std::array<std::string_view, 9> state_names{"detected",    "analysing",  "contained",
                                                      "eradicating", "recovering", "post_incident",
                                                      "closed",      "dismissed",  "merged"};

}  // namespace

std::string_view to_string(State state) {
  return state_names[static_cast<std::size_t>(state)];
}

std::optional<State> parse_state(std::string_view text) {
  const auto found = std::ranges::find(state_names, text);
  if (found == state_names.end()) return std::nullopt;
  return static_cast<State>(found - state_names.begin());
}

bool is_over(State state) {
  return state == State::closed || state == State::dismissed || state == State::merged;
}

bool may_follow(State from, State to) {
  if (is_over(from)) return false;
  if (to == State::dismissed || to == State::merged) return true;
  if (to == State::analysing) return from <= State::recovering && from != State::analysing;
  // Closing follows the look back, and nothing skips the analysis.
  if (to == State::closed) return from == State::post_incident;
  return to > from && from >= State::analysing;
}

IncidentBook::IncidentBook(std::vector<Incident> incidents, std::int64_t last_number,
                           const BookOptions& options)
    : options_(options), last_number_(last_number) {
  for (Incident& incident : incidents) {
    const std::int64_t number = incident.number;
    if (!is_over(incident.state)) {
      by_entity_[incident.entity].insert(number);
      for (const detect::Entity& other : incident.others) by_entity_[other].insert(number);
      // An older version did not keep whom it names.
      by_named_[incident.entity].insert(number);
      for (const detect::Entity& one : incident.named) by_named_[one].insert(number);
    }
    incidents_.emplace(number, std::move(incident));
  }
}

const Incident* IncidentBook::find(std::int64_t number) const {
  const auto found = incidents_.find(number);
  return found == incidents_.end() ? nullptr : &found->second;
}

Change& IncidentBook::add(std::vector<Change>& changes, Incident& incident, Timestamp now,
                          std::string kind, std::string why) {
  incident.changed = now;
  return changes.emplace_back(Change{.incident = incident.number,
                                     .sequence = ++incident.changes,
                                     .when = now,
                                     .kind = std::move(kind),
                                     .why = std::move(why),
                                     .who = std::string(daemon)});
}

// Raises where the facts now say more; lowering is a person's.
void IncidentBook::reclassify(std::vector<Change>& changes, Incident& incident,
                              const SeverityTable& table, Timestamp now) {
  const Classification found = classify(table, incident.facts);
  const bool overruled = incident.overruled > Severity::low;
  if (found.severity < incident.severity) return;
  if (overruled && found.severity <= incident.overruled) return;
  const Severity before = incident.severity;
  set_class(incident, found);
  if (found.severity == before) return;
  grade(incident, table, now);
  Change& change = add(changes, incident, now, "severity_raised", reason_of(found));
  change.before["severity"] = static_cast<int>(before);
  change.after["severity"] = static_cast<int>(found.severity);
}

void IncidentBook::take_facts(std::vector<Change>& changes, Incident& incident, const Facts& facts,
                              const SeverityTable& table, Timestamp now, const std::string& why) {
  const Facts before = incident.facts;
  for (const auto& [name, worth] : facts) {
    std::int64_t& known = incident.facts.try_emplace(name, worth).first->second;
    known = std::max(known, worth);
  }
  if (incident.facts == before) return;
  Change& change = add(changes, incident, now, "facts_changed", why);
  change.before["facts"] = facts_json(before);
  change.after["facts"] = facts_json(incident.facts);
  reclassify(changes, incident, table, now);
  proceed(changes, incident, now);
}

json::Object to_record(const Change& change) {
  return {{"after", change.after},
          {"before", change.before},
          {"change", change.kind},
          {"incident", change.incident},
          {"sequence", change.sequence},
          {"who", change.who},
          {"why", change.why}};
}

}  // namespace mailwarden::incident
