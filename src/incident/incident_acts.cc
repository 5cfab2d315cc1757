// What persons do about incidents, and what passes without them.
#include <algorithm>

#include "base/check.h"
#include "base/text.h"
#include "incident/incident.h"

namespace mailwarden::incident {
namespace {

std::string named(const Incident& incident) {
  return "incident " + std::to_string(incident.number);
}

Timestamp met(const Incident& incident, std::string_view deadline) {
  if (deadline == "acknowledge") return incident.acknowledged;
  return deadline == "contain" ? incident.contained : incident.resolved;
}

}  // namespace

// An acknowledgement is of what was known; a raise asks for another. What is due stays due.
void IncidentBook::grade(Incident& incident, const SeverityTable& table, Timestamp now) {
  incident.graded = now;
  incident.acknowledged = {};
  incident.acknowledged_by.clear();
  incident.deadlines.erase("acknowledge");
  const ServiceLevel& level = table.service_level(incident.severity);
  for (const Promise& promise : promises) {
    const Duration time = level.*promise.time;
    if (time == Duration{} || met(incident, promise.name) != Timestamp()) continue;
    Deadline& deadline =
        incident.deadlines.try_emplace(std::string(promise.name), Deadline{.due = now + time})
            .first->second;
    deadline.due = std::min(deadline.due, now + time);
    next_due_ = std::min(next_due_, deadline.due);
  }
}

std::vector<Change> IncidentBook::tick(Timestamp now) {
  std::vector<Change> changes;
  if (now < next_due_) return changes;
  next_due_ = Timestamp::latest;
  for (auto& [number, incident] : incidents_) {
    if (is_over(incident.state)) continue;
    for (auto& [name, deadline] : incident.deadlines) {
      if (deadline.missed || met(incident, name) != Timestamp()) continue;
      if (now < deadline.due) {
        next_due_ = std::min(next_due_, deadline.due);
        continue;
      }
      deadline.missed = true;
      Change& change =
          add(changes, incident, now, "deadline_missed",
              "severity " + std::to_string(static_cast<int>(incident.severity)) + " since " +
                  to_rfc3339(incident.graded) + ", to " + name + " by " + to_rfc3339(deadline.due));
      change.after = {{"deadline", name}, {"due", to_rfc3339(deadline.due)}};
    }
  }
  return changes;
}

Change IncidentBook::tell(std::int64_t number, std::string kind, std::string why,
                          json::Object after, Timestamp now) {
  const auto found = incidents_.find(number);
  CHECK(found != incidents_.end() && !is_over(found->second.state));
  std::vector<Change> changes;
  add(changes, found->second, now, std::move(kind), std::move(why)).after = std::move(after);
  return std::move(changes.front());
}

// No more detections join it.
void IncidentBook::end(Incident& incident, State state) {
  incident.state = state;
  by_entity_[incident.entity].erase(incident.number);
  for (const detect::Entity& other : incident.others) by_entity_[other].erase(incident.number);
}

Result<void> IncidentBook::move(std::vector<Change>& changes, Incident& incident, const Act& act,
                                Timestamp now) {
  const auto state = parse_state(act.value);
  if (!state) {
    return fail(Code::invalid, "'" + printable(act.value) + "' is not a state of an incident");
  }
  if (*state == State::merged) {
    return fail(Code::invalid, "merging needs the incident to merge into");
  }
  if (!may_follow(incident.state, *state)) {
    return fail(Code::conflict, named(incident) + " is " + std::string(to_string(incident.state)) +
                                    ", and " + std::string(to_string(*state)) +
                                    " cannot follow that");
  }
  Change& change = add(changes, incident, now, "state_changed", act.why);
  change.before["state"] = to_string(incident.state);
  change.after["state"] = to_string(*state);
  // Who moves it has seen it.
  if (incident.acknowledged == Timestamp()) {
    incident.acknowledged = now;
    incident.acknowledged_by = act.who;
    change.after["acknowledged_by"] = act.who;
  }
  if (*state == State::analysing) incident.contained = incident.resolved = {};
  const bool is_contained = *state >= State::contained && *state <= State::closed;
  const bool is_resolved = *state == State::post_incident || *state == State::closed;
  if (is_contained && incident.contained == Timestamp()) incident.contained = now;
  if (is_resolved && incident.resolved == Timestamp()) incident.resolved = now;
  next_due_ = std::min(next_due_, now);
  if (is_over(*state)) {
    end(incident, *state);
  } else {
    incident.state = *state;
  }
  return {};
}

Result<void> IncidentBook::acknowledge(std::vector<Change>& changes, Incident& incident,
                                       const Act& act, Timestamp now) {
  if (incident.acknowledged != Timestamp()) {
    return fail(Code::conflict, named(incident) + " has been acknowledged by " +
                                    printable(incident.acknowledged_by) + " at " +
                                    to_rfc3339(incident.acknowledged));
  }
  incident.acknowledged = now;
  incident.acknowledged_by = act.who;
  Change& change = add(changes, incident, now, "acknowledged", act.why);
  change.after["acknowledged_by"] = act.who;
  return {};
}

Result<void> IncidentBook::lower(std::vector<Change>& changes, Incident& incident, const Act& act,
                                 const SeverityTable& table, Timestamp now) {
  const auto number = to_integer(act.value);
  if (!number || *number < 0 || *number >= static_cast<int>(incident.severity)) {
    return fail(Code::invalid, "'" + printable(act.value) + "' is not a lower severity than " +
                                   std::to_string(static_cast<int>(incident.severity)));
  }
  Change& change = add(changes, incident, now, "severity_lowered", act.why);
  change.before["severity"] = static_cast<int>(incident.severity);
  change.after["severity"] = *number;
  incident.overruled = std::max(incident.overruled, incident.severity);
  incident.severity = static_cast<Severity>(*number);
  incident.row = "lowered by a person";
  incident.because = {act.why};
  // What is still to be met is due as if it had had this severity from the beginning.
  const ServiceLevel& level = table.service_level(incident.severity);
  for (const Promise& promise : promises) {
    const auto one = incident.deadlines.find(promise.name);
    if (one == incident.deadlines.end()) continue;
    auto& [name, deadline] = *one;
    if (deadline.missed || met(incident, name) != Timestamp()) continue;
    const Duration time = level.*promise.time;
    deadline.due = std::max(deadline.due, incident.graded + time);
    if (time == Duration{}) incident.deadlines.erase(one);
  }
  return {};
}

Result<void> IncidentBook::merge(std::vector<Change>& changes, Incident& incident, const Act& act,
                                 const SeverityTable& table, Timestamp now) {
  const auto number = to_integer(act.value);
  const auto found = number ? incidents_.find(*number) : incidents_.end();
  if (found == incidents_.end() || is_over(found->second.state)) {
    return fail(Code::not_found, "there is no open incident " + printable(act.value));
  }
  Incident& into = found->second;
  if (into.number == incident.number) {
    return fail(Code::invalid, named(incident) + " cannot be merged into itself");
  }
  Change& left = add(changes, incident, now, "state_changed", act.why);
  left.before["state"] = to_string(incident.state);
  left.after = {{"merged_into", into.number}, {"state", to_string(State::merged)}};
  end(incident, State::merged);
  incident.merged_into = into.number;

  Change& change = add(changes, into, now, "absorbed", act.why);
  change.after = {{"detections", into.detections + incident.detections},
                  {"incident", incident.number}};
  into.absorbed.insert(incident.number);
  into.absorbed.insert(incident.absorbed.begin(), incident.absorbed.end());
  into.others.insert(incident.entity);
  into.others.insert(incident.others.begin(), incident.others.end());
  into.others.erase(into.entity);
  for (const detect::Entity& other : into.others) by_entity_[other].insert(into.number);
  into.detections += incident.detections;
  into.first_event = std::min(into.first_event, incident.first_event);
  into.last_event = std::max(into.last_event, incident.last_event);
  into.rules.insert(incident.rules.begin(), incident.rules.end());
  if (incident.level > into.level) {
    into.level = incident.level;
    into.title = incident.title;
    change.after["title"] = incident.title;
  }
  take_facts(changes, into, incident.facts, table, now, "merged with " + named(incident));
  return {};
}

Result<std::vector<Change>> IncidentBook::act(const Act& act, const SeverityTable& table,
                                              Timestamp now) {
  const auto found = incidents_.find(act.incident);
  if (found == incidents_.end() || is_over(found->second.state)) {
    return fail(Code::not_found, "there is no open incident " + std::to_string(act.incident));
  }
  if (act.who.empty()) return fail(Code::denied, "who acts must be told");
  if (act.why.empty() || act.why.size() > options_.reason_bytes_max) {
    return fail(Code::denied, "a reason is needed, of at most " +
                                  std::to_string(options_.reason_bytes_max) + " bytes");
  }
  Incident& incident = found->second;
  std::vector<Change> changes;
  Result<void> done;
  switch (act.kind) {
    case Act::Kind::move:
      done = move(changes, incident, act, now);
      break;
    case Act::Kind::acknowledge:
      done = acknowledge(changes, incident, act, now);
      break;
    case Act::Kind::assign: {
      Change& change = add(changes, incident, now, "assigned", act.why);
      change.before["assignee"] = incident.assignee;
      change.after["assignee"] = act.value;
      incident.assignee = act.value;
      break;
    }
    case Act::Kind::assert_fact: {
      const std::size_t equals = act.value.find('=');
      const std::string fact = act.value.substr(0, equals);
      const auto worth = table.read_worth(
          fact, equals == std::string::npos ? "true" : act.value.substr(equals + 1));
      if (!worth) return std::unexpected(worth.error());
      take_facts(changes, incident, {{fact, *worth}}, table, now, act.why);
      break;
    }
    case Act::Kind::lower_severity:
      done = lower(changes, incident, act, table, now);
      break;
    case Act::Kind::merge:
      done = merge(changes, incident, act, table, now);
      break;
    case Act::Kind::note:
      add(changes, incident, now, "noted", act.why);
      break;
  }
  if (!done) return std::unexpected(done.error());
  for (Change& change : changes) {
    change.who = act.who;
    if (change.kind != "severity_raised") continue;
    // Who raised it has seen it.
    Incident& raised = incidents_.at(change.incident);
    raised.acknowledged = now;
    raised.acknowledged_by = act.who;
    change.after["acknowledged_by"] = act.who;
  }
  return changes;
}

}  // namespace mailwarden::incident
