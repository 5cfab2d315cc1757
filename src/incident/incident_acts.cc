// What persons do about incidents, and what passes without them.
#include <algorithm>

#include "base/check.h"
#include "base/text.h"
#include "incident/incident.h"
#include "incident/incident_json.h"
#include "incident/incident_parts.h"

namespace mailwarden::incident {
namespace {

constexpr std::array<std::pair<std::string_view, Act::Kind>, 19> act_kinds{
    {{"move", Act::Kind::move},
     {"acknowledge", Act::Kind::acknowledge},
     {"assign", Act::Kind::assign},
     {"assert_fact", Act::Kind::assert_fact},
     {"lower_severity", Act::Kind::lower_severity},
     {"merge", Act::Kind::merge},
     {"split", Act::Kind::split},
     {"note", Act::Kind::note},
     {"set_type", Act::Kind::set_type},
     {"assign_role", Act::Kind::assign_role},
     {"add_task", Act::Kind::add_task},
     {"change_task", Act::Kind::change_task},
     {"end_task", Act::Kind::end_task},
     {"remark", Act::Kind::remark},
     {"tell_aware", Act::Kind::tell_aware},
     {"send_notice", Act::Kind::send_notice},
     {"waive_duty", Act::Kind::waive_duty},
     {"add_evidence", Act::Kind::add_evidence},
     {"hand_over", Act::Kind::hand_over}}};

Timestamp met(const Incident& incident, std::string_view deadline) {
  if (deadline == "acknowledge") return incident.acknowledged;
  return deadline == "contain" ? incident.contained : incident.resolved;
}

// What is known of one is known of both, and what is open of one stays to be done.
void take_over(Incident& into, const Incident& from) {
  for (Task task : from.tasks) {
    if (into.tasks.size() >= WorkLimits::tasks_max) break;
    const auto same = std::ranges::find(into.tasks, task.title, &Task::title);
    if (same != into.tasks.end() && task.state == Task::State::open) continue;
    task.number = into.tasks.empty() ? 1 : into.tasks.back().number + 1;
    into.tasks.push_back(std::move(task));
  }
  for (Evidence evidence : from.evidence) {
    if (into.evidence.size() >= WorkLimits::evidence_max) break;
    evidence.number = std::ssize(into.evidence) + 1;
    into.evidence.push_back(std::move(evidence));
  }
  for (const auto& [part, remarks] : from.remarks) {
    std::vector<Remark>& known = into.remarks[part];
    for (const Remark& remark : remarks) {
      if (known.size() < WorkLimits::remarks_max) known.push_back(remark);
    }
  }
  for (const auto& [role, person] : from.roles) into.roles.try_emplace(role, person);
  for (const auto& [name, duty] : from.duties) {
    Duty& known = into.duties.try_emplace(name, duty).first->second;
    if (duty.aware < known.aware) {
      known.aware = duty.aware;
      known.due = duty.due;
    }
  }
  if (into.type.empty()) into.type = from.type;
}

std::string joined(const std::vector<std::string>& sentences) {
  std::string text;
  for (const std::string& one : sentences) text += (text.empty() ? "" : "; ") + one;
  return text;
}

}  // namespace

std::optional<Act::Kind> parse_act(std::string_view name) {
  const auto* const found =
      std::ranges::find(act_kinds, name, &std::pair<std::string_view, Act::Kind>::first);
  if (found == act_kinds.end()) return std::nullopt;
  return found->second;
}

std::string act_names() {
  std::string names;
  for (const auto& [name, kind] : act_kinds)
    names += (names.empty() ? "" : ", ") + std::string(name);
  return names;
}

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
  waiting_.expire(now);
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
    tick_work(changes, incident, now);
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
  incident.named.insert(incident.entity);
  for (const detect::Entity& one : incident.named) {
    const auto named = by_named_.find(one);
    if (named == by_named_.end()) continue;
    named->second.erase(incident.number);
    if (named->second.empty()) by_named_.erase(named);
  }
  // Whoever of them is forgotten one day must not take an incident of others along.
  incident.named.clear();
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
  if (*state == State::closed) {
    const auto obstacles = closing_obstacles(incident, *procedure_);
    if (!obstacles.empty()) {
      return fail(Code::conflict, named(incident) + " cannot be closed yet: " + joined(obstacles));
    }
  }
  if (*state == State::dismissed) {
    for (const auto& [name, duty] : incident.duties) {
      if (duty.state != Duty::State::pending) continue;
      return fail(Code::conflict, named(incident) + " cannot be dismissed: the duty '" + name +
                                      "' is neither met nor waived");
    }
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
  Entities fresh;
  name(into, {incident.named.begin(), incident.named.end()}, fresh);
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
  into.related.insert(incident.related.begin(), incident.related.end());
  into.related.erase(into.number);
  into.related.erase(incident.number);
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
  take_over(into, incident);
  take_facts(changes, into, incident.facts, table, now, "merged with " + named(incident));
  next_due_ = std::min(next_due_, now);
  return {};
}

// What is known of it stays with the old one; the new one begins with the facts that are named.
Result<void> IncidentBook::split(std::vector<Change>& changes, Incident& incident, const Act& act,
                                 const SeverityTable& table, Timestamp now) {
  const std::size_t colon = act.value.find(':');
  const detect::Entity entity{act.value.substr(0, colon),
                              colon == std::string::npos ? "" : act.value.substr(colon + 1)};
  if (!incident.others.contains(entity)) {
    std::string names;
    for (const detect::Entity& other : incident.others) {
      names += (names.empty() ? "" : ", ") + other.kind + ":" + other.name;
    }
    return fail(
        Code::not_found,
        named(incident) + " has no other entity '" + printable(act.value) + "'" +
            (names.empty() ? "; nothing was merged into it" : "; it has " + printable(names)));
  }
  Facts facts;
  for (const auto& [option, text] : act.with) {
    if (option != "facts") return fail(Code::invalid, "only 'facts' is known here");
    for (const std::string_view name : mailwarden::split(text, ',')) {
      const auto known = incident.facts.find(trim(name));
      if (known == incident.facts.end()) {
        return fail(Code::not_found,
                    named(incident) + " does not know the fact '" + printable(trim(name)) + "'");
      }
      facts[known->first] = known->second;
    }
  }
  Incident fresh{.number = ++last_number_,
                 .title = incident.title,
                 .level = incident.level,
                 .entity = entity,
                 .facts = facts,
                 .opened = now,
                 .first_event = incident.first_event,
                 .last_event = incident.last_event,
                 .rules = incident.rules,
                 .split_from = incident.number};
  set_class(fresh, classify(table, facts));
  grade(fresh, table, now);

  Change& left = add(changes, incident, now, "split", act.why);
  left.after = {{"entity", entity_json(entity)}, {"incident", fresh.number}};
  incident.others.erase(entity);
  by_entity_[entity].erase(incident.number);
  by_entity_[entity].insert(fresh.number);
  Incident& stored = incidents_.emplace(fresh.number, std::move(fresh)).first->second;
  Entities named;
  name(stored, {entity}, named);
  Change& opened = add(changes, stored, now, "opened", act.why);
  opened.after = {{"entity", entity_json(entity)},
                  {"facts", facts_json(facts)},
                  {"severity", static_cast<int>(stored.severity)},
                  {"split_from", incident.number},
                  {"state", to_string(State::detected)},
                  {"title", stored.title}};
  proceed(changes, stored, now);
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
    case Act::Kind::split:
      done = split(changes, incident, act, table, now);
      break;
    case Act::Kind::note:
      add(changes, incident, now, "noted", act.why);
      break;
    default:
      done = work(changes, incident, act, now);
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
