#include "incident/incident.h"

#include <algorithm>
#include <array>
#include <bit>

#include "base/text.h"
#include "incident/incident_json.h"
#include "incident/incident_parts.h"

namespace mailwarden::incident {
namespace {

constexpr std::string_view daemon = "mailwarden";

constexpr std::array<std::string_view, 9> state_names{"detected",    "analysing",  "contained",
                                                      "eradicating", "recovering", "post_incident",
                                                      "closed",      "dismissed",  "merged"};

std::string reason_of(const Classification& found) {
  if (found.row.empty()) return "no row of the severity table holds";
  std::string words = found.row;
  for (std::size_t i = 0; i < found.because.size(); ++i) {
    words += (i == 0 ? ": " : ", ") + found.because[i];
  }
  return words;
}

detect::Entity entity_of(const detect::Detection& detection) {
  // What is about nobody is grouped by its rule, so that it does not open an incident a line.
  if (detection.entity.name.empty()) return {"rule", detection.rule_id};
  return detection.entity;
}

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
    }
    incidents_.emplace(number, std::move(incident));
  }
}

const Incident* IncidentBook::find(std::int64_t number) const {
  const auto found = incidents_.find(number);
  return found == incidents_.end() ? nullptr : &found->second;
}

// The newest open incident of the entity whose events the detection's lies near to.
Incident* IncidentBook::find_open(const detect::Detection& detection,
                                  const detect::Entity& entity) {
  const auto numbers = by_entity_.find(entity);
  if (numbers == by_entity_.end()) return nullptr;
  for (auto number = numbers->second.rbegin(); number != numbers->second.rend(); ++number) {
    Incident& incident = incidents_.at(*number);
    const bool near = detection.time <= incident.last_event + options_.window &&
                      detection.time >= incident.first_event - options_.window;
    if (near) return &incident;
  }
  return nullptr;
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

IncidentBook::Applied IncidentBook::apply(const detect::Detection& detection,
                                          const SeverityTable& table, Timestamp now) {
  const detect::Entity entity = entity_of(detection);
  const Facts facts(detection.facts.begin(), detection.facts.end());
  Applied applied;
  Incident* incident = find_open(detection, entity);
  if (incident == nullptr) {
    if (detection.level < table.incidents_from()) return applied;
    Incident fresh{.number = ++last_number_,
                   .title = detection.title,
                   .level = detection.level,
                   .entity = entity,
                   .facts = facts,
                   .opened = now,
                   .first_event = detection.time,
                   .last_event = detection.time,
                   .detections = 1,
                   .rules = {detection.rule_id}};
    const Classification found = classify(table, facts);
    set_class(fresh, found);
    grade(fresh, table, now);
    by_entity_[entity].insert(fresh.number);
    incident = &incidents_.emplace(fresh.number, std::move(fresh)).first->second;
    Change& change =
        add(applied.changes, *incident, now, "opened", detection.title + "; " + reason_of(found));
    change.after = {
        {"entity", entity_json(entity)},       {"facts", facts_json(facts)},
        {"rule", detection.rule_id},           {"severity", static_cast<int>(found.severity)},
        {"state", to_string(State::detected)}, {"title", detection.title}};
    proceed(applied.changes, *incident, now);
    applied.incident = incident->number;
    return applied;
  }
  applied.incident = incident->number;
  incident->first_event = std::min(incident->first_event, detection.time);
  incident->last_event = std::max(incident->last_event, detection.time);
  ++incident->detections;
  if (incident->rules.insert(detection.rule_id).second) {
    Change& change = add(applied.changes, *incident, now, "rule_joined", detection.title);
    change.after["rule"] = detection.rule_id;
    if (detection.level > incident->level) {
      incident->level = detection.level;
      incident->title = detection.title;
      change.after["title"] = detection.title;
    }
  } else if (std::has_single_bit(static_cast<std::uint64_t>(incident->detections))) {
    Change& change = add(applied.changes, *incident, now, "detections_doubled",
                         std::to_string(incident->detections) + " detections so far");
    change.after["detections"] = incident->detections;
  }
  take_facts(applied.changes, *incident, facts, table, now, detection.title);
  return applied;
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
