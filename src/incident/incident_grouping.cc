// How detections become incidents: by what they are gathered, and when they have to wait.
#include <algorithm>
#include <bit>

#include "incident/incident.h"
#include "incident/incident_json.h"
#include "incident/incident_parts.h"

namespace mailwarden::incident {
namespace {

// What a rule names may count below the level from which incidents are opened.
bool counts_low(const GroupingRule* rule) {
  return rule != nullptr && rule->threshold > 1 &&
         !(rule->filter.levels.empty() && rule->filter.rules.empty());
}

// "5 accounts within 1h by 'guessing'".
std::string threshold_words(const GroupingRule& rule) {
  const std::string what = rule.distinct.empty() ? "detections" : "of kind " + rule.distinct;
  return std::to_string(rule.threshold) + " " + what + " within " + to_words(rule.within) +
         " by '" + rule.name + "'";
}

// Of what makes a detection wait; for which ones a rule is, is asked apart from that.
bool says_same(const GroupingRule& one, const GroupingRule& other) {
  return one.name == other.name && one.by == other.by && one.within == other.within &&
         one.threshold == other.threshold && one.distinct == other.distinct;
}

json::Array numbers_json(const std::vector<std::int64_t>& numbers) {
  return {numbers.begin(), numbers.end()};
}

std::string_view type_of(const Procedure& procedure, const detect::Detection& detection) {
  const IncidentType* const type =
      procedure.type_of(Facts(detection.facts.begin(), detection.facts.end()));
  return type == nullptr ? std::string_view() : std::string_view(type->name);
}

void count_in(Incident& incident, const detect::Detection& detection) {
  incident.first_event = std::min(incident.first_event, detection.time);
  incident.last_event = std::max(incident.last_event, detection.time);
  ++incident.detections;
}

}  // namespace

std::string reason_of(const Classification& found) {
  if (found.row.empty()) return "no row of the severity table holds";
  std::string words = found.row;
  for (std::size_t i = 0; i < found.because.size(); ++i) {
    words += (i == 0 ? ": " : ", ") + found.because[i];
  }
  return words;
}

IncidentBook::Group IncidentBook::group_of(const detect::Detection& detection) const {
  const std::string_view type = type_of(*procedure_, detection);
  const GroupingRule* const rule = grouping_->rule_for(detection, type);
  Group group{
      .type = type, .rule = rule, .key = {subject_of(detection)}, .within = grouping_->within()};
  if (rule == nullptr) return group;
  group.key = *key_of(rule->by, detection);
  group.within = std::max(group.within, rule->within);
  return group;
}

// The newest open incident of the group whose events the detection's lies near to.
Incident* IncidentBook::find_open(const detect::Detection& detection, const Group& group) {
  const auto numbers = by_entity_.find(group.key.front());
  if (numbers == by_entity_.end()) return nullptr;
  const GroupKey narrowed(group.key.begin() + 1, group.key.end());
  for (auto number = numbers->second.rbegin(); number != numbers->second.rend(); ++number) {
    Incident& incident = incidents_.at(*number);
    if (!is_near(incident, detection.time, group.within)) continue;
    if (incident.narrowed == narrowed) return &incident;
    // What was merged into it, or joined it by a link, is no longer told apart.
    const bool is_other = group.key.front() != incident.entity;
    const bool names_all = std::ranges::all_of(
        narrowed, [&](const detect::Entity& one) { return incident.named.contains(one); });
    if (is_other && names_all) return &incident;
  }
  return nullptr;
}

bool IncidentBook::must_wait(const detect::Detection& detection, const Group& group,
                             const SeverityTable& table) const {
  if (group.rule == nullptr || group.rule->threshold < 2) return false;
  Facts facts;
  merge_facts(facts, detection);
  waiting_.add_facts(group.key, facts);
  if (grouping_->cannot_wait(detection.level, classify(table, facts).severity)) return false;
  return waiting_.count(group.key, *group.rule, detection) < group.rule->threshold;
}

IncidentBook::Applied IncidentBook::apply(const detect::Detection& detection,
                                          const SeverityTable& table, Timestamp now,
                                          std::int64_t number) {
  return place({.number = number, .detection = detection, .rule = {}, .until = {}}, table, now);
}

IncidentBook::Applied IncidentBook::place(Waiting waiting, const SeverityTable& table,
                                          Timestamp now) {
  Applied applied;
  const detect::Detection& detection = waiting.detection;
  Group group = group_of(detection);
  Incident* incident = find_open(detection, group);
  if (incident == nullptr) incident = find_linked(applied.changes, detection, group, now);
  if (incident != nullptr) {
    join(applied, *incident, waiting, group, table, now);
    return applied;
  }
  if (detection.level < table.incidents_from() && !counts_low(group.rule)) return applied;
  std::string early;
  const bool has_waited = waiting.until != Timestamp();
  if (waiting.number != 0 && must_wait(detection, group, table)) {
    early = waiting_.full(group.key);
    if (early.empty()) {
      waiting.rule = *group.rule;
      if (!has_waited) waiting.until = now + group.rule->within + WaitingRoom::kept;
      applied.waits = group.rule->name;
      waiting_.add(group.key, std::move(waiting));
      return applied;
    }
    if (waiting_.is_full()) {
      // Else whoever fills the room opened an incident with each further line.
      group.rule = nullptr;
      group.key = {{"rule", detection.rule_id}};
      incident = find_open(detection, group);
    }
  } else if (has_waited && waiting.rule.name != (group.rule == nullptr ? "" : group.rule->name)) {
    early = "it waits by '" + waiting.rule.name + "' no more";
  }
  if (incident != nullptr) {
    join(applied, *incident, waiting, group, table, now);
    return applied;
  }
  open(applied, waiting, group, table, now, early);
  return applied;
}

// Takes what waited for the incident; the numbers of all that did, that one among them.
std::vector<std::int64_t> IncidentBook::gather(Incident& incident, const Waiting& with,
                                               const Group& group, Facts& facts, Entities& fresh) {
  std::vector<std::int64_t> numbers;
  for (const Waiting& one : waiting_.take(group.key, with.detection.time, group.within)) {
    count_in(incident, one.detection);
    merge_facts(facts, one.detection);
    incident.rules.insert(one.detection.rule_id);
    if (one.detection.level > incident.level) {
      incident.level = one.detection.level;
      incident.title = one.detection.title;
    }
    name(incident, entities_of(one.detection), fresh);
    numbers.push_back(one.number);
  }
  if (with.until != Timestamp()) numbers.push_back(with.number);
  for (const std::int64_t number : numbers) {
    if (incident.gathered.size() < gathered_max) incident.gathered.insert(number);
  }
  return numbers;
}

Incident& IncidentBook::open(Applied& applied, const Waiting& first, const Group& group,
                             const SeverityTable& table, Timestamp now, const std::string& early) {
  const detect::Detection& detection = first.detection;
  const std::int64_t number = ++last_number_;
  Incident& incident =
      incidents_
          .emplace(number, Incident{.number = number,
                                    .title = detection.title,
                                    .level = detection.level,
                                    .entity = group.key.front(),
                                    .opened = now,
                                    .first_event = detection.time,
                                    .last_event = detection.time,
                                    .detections = 1,
                                    .rules = {detection.rule_id},
                                    .narrowed = {group.key.begin() + 1, group.key.end()}})
          .first->second;
  merge_facts(incident.facts, detection);
  Entities fresh;
  name(incident, group.key, fresh);
  name(incident, entities_of(detection), fresh);
  const auto gathered = gather(incident, first, group, incident.facts, fresh);
  const Classification found = classify(table, incident.facts);
  set_class(incident, found);
  grade(incident, table, now);
  by_entity_[incident.entity].insert(number);
  std::string why = incident.title + "; " + reason_of(found);
  if (!early.empty()) {
    why += "; before its time: " + early;
  } else if (!gathered.empty() && group.rule != nullptr) {
    why += "; " + threshold_words(*group.rule);
  }
  Change& change = add(applied.changes, incident, now, "opened", std::move(why));
  change.after = {{"entity", entity_json(incident.entity)},
                  {"facts", facts_json(incident.facts)},
                  {"rule", detection.rule_id},
                  {"severity", static_cast<int>(found.severity)},
                  {"state", to_string(State::detected)},
                  {"title", incident.title}};
  if (group.rule != nullptr) change.after["grouped_by"] = group.rule->name;
  if (!gathered.empty()) change.after["gathered"] = numbers_json(gathered);
  proceed(applied.changes, incident, now);
  relate(applied.changes, incident, detection, group.type, fresh, now);
  applied.incident = number;
  return incident;
}

void IncidentBook::join(Applied& applied, Incident& incident, const Waiting& next,
                        const Group& group, const SeverityTable& table, Timestamp now) {
  const detect::Detection& detection = next.detection;
  applied.incident = incident.number;
  count_in(incident, detection);
  if (incident.rules.insert(detection.rule_id).second) {
    Change& change = add(applied.changes, incident, now, "rule_joined", detection.title);
    change.after["rule"] = detection.rule_id;
    if (detection.level > incident.level) {
      incident.level = detection.level;
      incident.title = detection.title;
      change.after["title"] = detection.title;
    }
  } else if (std::has_single_bit(static_cast<std::uint64_t>(incident.detections))) {
    Change& change = add(applied.changes, incident, now, "detections_doubled",
                         std::to_string(incident.detections) + " detections so far");
    change.after["detections"] = incident.detections;
  }
  Facts facts;
  merge_facts(facts, detection);
  Entities fresh;
  if (const auto gathered = gather(incident, next, group, facts, fresh); !gathered.empty()) {
    Change& change = add(applied.changes, incident, now, "gathered",
                         std::to_string(gathered.size()) + " detections had waited for it");
    change.after = {{"detections", incident.detections}, {"gathered", numbers_json(gathered)}};
  }
  name(incident, entities_of(detection), fresh);
  take_facts(applied.changes, incident, facts, table, now, detection.title);
  relate(applied.changes, incident, detection, group.type, fresh, now);
}

std::vector<Change> IncidentBook::use(std::shared_ptr<const Grouping> grouping,
                                      const SeverityTable& table, Timestamp now) {
  grouping_ = std::move(grouping);
  // What a rule still says stands: else a restart, which asks again, would decide otherwise.
  std::vector<Waiting> anew;
  for (Waiting& one : waiting_.take_all()) {
    const Group group = group_of(one.detection);
    if (group.rule != nullptr && says_same(*group.rule, one.rule)) {
      waiting_.add(group.key, std::move(one));
    } else {
      anew.push_back(std::move(one));
    }
  }
  std::vector<Change> changes;
  for (Waiting& one : anew) {
    Applied applied = place(std::move(one), table, now);
    std::ranges::move(applied.changes, std::back_inserter(changes));
  }
  return changes;
}

void IncidentBook::resume(std::vector<StoredWaiting> stored) {
  for (StoredWaiting& one : stored) {
    waiting_.know(one.row);
    auto key = one.detection ? key_of(one.row.by, *one.detection) : std::nullopt;
    if (!key) continue;
    waiting_.add(*key, {.number = one.row.number,
                        .detection = *std::move(one.detection),
                        .rule = {.name = one.row.rule,
                                 .filter = {},
                                 .by = one.row.by,
                                 .within = one.row.within,
                                 .threshold = one.row.threshold,
                                 .distinct = one.row.distinct},
                        .until = one.row.until});
  }
}

}  // namespace mailwarden::incident
