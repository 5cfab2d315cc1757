// What the procedure asks for: types and their tasks, roles, duties, the look back.
#include <algorithm>

#include "base/text.h"
#include "incident/incident.h"
#include "incident/incident_json.h"
#include "incident/incident_parts.h"

namespace mailwarden::incident {
namespace {

using With = std::map<std::string, std::string, std::less<>>;

std::string given(const With& with, std::string_view name) {
  const auto found = with.find(name);
  return found == with.end() ? std::string() : found->second;
}

Result<void> only(const With& with, std::initializer_list<std::string_view> known) {
  for (const auto& [name, value] : with) {
    if (std::ranges::find(known, name) != known.end()) continue;
    std::string names;
    for (const std::string_view one : known) {
      names += (names.empty() ? "" : ", ") + std::string(one);
    }
    return fail(Code::invalid, "'" + printable(name) + "' is not known here" +
                                   (names.empty() ? "" : "; what is: " + names));
  }
  return {};
}

Result<Timestamp> time_in(const With& with, std::string_view name, Timestamp fallback) {
  const std::string text = given(with, name);
  if (text.empty()) return fallback;
  const auto time = parse_rfc3339(text);
  if (time) return *time;
  return fail(Code::invalid, "'" + std::string(name) + "': " + time.error().what);
}

bool fits(std::string_view text) {
  return text.size() <= WorkLimits::title_bytes_max;
}

std::unexpected<Error> too_long(std::string_view what) {
  return fail(Code::invalid, std::string(what) + " takes " +
                                 std::to_string(WorkLimits::title_bytes_max) +
                                 " bytes at the most");
}

Result<Task*> find_task(Incident& incident, std::string_view value) {
  const auto number = to_integer(value);
  const auto found =
      number ? std::ranges::find(incident.tasks, *number, &Task::number) : incident.tasks.end();
  if (found == incident.tasks.end()) {
    return fail(Code::not_found, named(incident) + " has no task " + printable(value));
  }
  if (found->state != Task::State::open) {
    return fail(Code::conflict, "task " + std::to_string(found->number) + " is " +
                                    std::string(to_string(found->state)) + " already");
  }
  return &*found;
}

Result<std::pair<const std::string, Duty>*> find_duty(Incident& incident, std::string_view name) {
  const auto found = incident.duties.find(name);
  if (found != incident.duties.end()) return &*found;
  return fail(Code::not_found,
              named(incident) + " has no duty '" + printable(name) + "' to notify anybody");
}

Result<void> assign_role(const Act& act, Incident& incident, Change& change) {
  const std::size_t equals = act.value.find('=');
  const std::string role = act.value.substr(0, equals);
  if (equals == std::string::npos || std::ranges::find(role_names, role) == role_names.end()) {
    return fail(Code::invalid, "expected lead=, communications= or legal= and a person, not '" +
                                   printable(act.value) + "'");
  }
  std::string person = act.value.substr(equals + 1);
  if (!fits(person)) return too_long("a person's name");
  change.kind = "role_assigned";
  change.before[role] = incident.roles.contains(role) ? incident.roles[role] : "";
  change.after[role] = person;
  if (person.empty()) {
    incident.roles.erase(role);
  } else {
    incident.roles[role] = std::move(person);
  }
  return {};
}

Result<void> add_task(const Act& act, Incident& incident, Change& change) {
  if (auto known = only(act.with, {"phase", "owner", "due"}); !known) return known;
  if (act.value.empty()) return fail(Code::invalid, "what is to be done must be told");
  if (!fits(act.value)) return too_long("a task");
  if (!fits(given(act.with, "owner"))) return too_long("a person's name");
  if (incident.tasks.size() >= WorkLimits::tasks_max) {
    return fail(Code::full, named(incident) + " has as many tasks as it may have");
  }
  const std::string phase = given(act.with, "phase");
  const auto known = parse_phase(phase.empty() ? "analysis" : phase);
  if (!known) {
    return fail(Code::invalid, "'" + printable(phase) + "' is none of " + phase_names());
  }
  const auto due = time_in(act.with, "due", Timestamp());
  if (!due) return std::unexpected(due.error());
  const std::int64_t number = incident.tasks.empty() ? 1 : incident.tasks.back().number + 1;
  incident.tasks.push_back({.number = number,
                            .phase = *known,
                            .title = act.value,
                            .owner = given(act.with, "owner"),
                            .due = *due});
  change.kind = "task_added";
  change.after = {{"task", to_json(incident.tasks.back())}};
  return {};
}

Result<void> change_task(const Act& act, Incident& incident, Change& change) {
  if (auto known = only(act.with, {"owner", "due"}); !known) return known;
  const auto task = find_task(incident, act.value);
  if (!task) return std::unexpected(task.error());
  const auto due = time_in(act.with, "due", (*task)->due);
  if (!due) return std::unexpected(due.error());
  if (!fits(given(act.with, "owner"))) return too_long("a person's name");
  change.kind = "task_changed";
  change.before = {{"task", to_json(**task)}};
  if (act.with.contains("owner")) (*task)->owner = given(act.with, "owner");
  // Another time is told of anew.
  if (*due != (*task)->due) (*task)->missed = false;
  (*task)->due = *due;
  change.after = {{"task", to_json(**task)}};
  return {};
}

Result<void> end_task(const Act& act, Incident& incident, Change& change) {
  if (auto known = only(act.with, {"state"}); !known) return known;
  const auto task = find_task(incident, act.value);
  if (!task) return std::unexpected(task.error());
  const std::string state = given(act.with, "state");
  if (!state.empty() && state != "done" && state != "dropped") {
    return fail(Code::invalid, "'state' is done or dropped, not '" + printable(state) + "'");
  }
  (*task)->state = state == "dropped" ? Task::State::dropped : Task::State::done;
  (*task)->result = act.why;
  (*task)->ended_by = act.who;
  (*task)->ended = change.when;
  change.kind = "task_ended";
  change.after = {{"task", to_json(**task)}};
  return {};
}

Result<void> remark(const Act& act, Incident& incident, Change& change) {
  const bool known = std::ranges::find(review_parts, act.value) != review_parts.end() ||
                     std::ranges::find(notice_parts, act.value) != notice_parts.end();
  if (!known) {
    return fail(Code::invalid,
                "'" + printable(act.value) +
                    "' is none of causes, went_well, lessons (of a review), nature, data, "
                    "consequences, measures (of a notice)");
  }
  std::vector<Remark>& remarks = incident.remarks[act.value];
  if (remarks.size() >= WorkLimits::remarks_max) {
    return fail(Code::full, "there are as many remarks on that as there may be");
  }
  remarks.push_back({.text = act.why, .who = act.who, .when = change.when});
  change.kind = "remarked";
  change.after["part"] = act.value;
  return {};
}

// The clock may be set back, never on.
Result<void> tell_aware(const Act& act, Incident& incident, Change& change) {
  if (auto known = only(act.with, {"since"}); !known) return known;
  const auto found = find_duty(incident, act.value);
  if (!found) return std::unexpected(found.error());
  Duty& duty = (*found)->second;
  const auto since = time_in(act.with, "since", Timestamp());
  if (!since) return std::unexpected(since.error());
  if (*since == Timestamp() || *since >= duty.aware) {
    return fail(Code::invalid, "'since' must be a time before " + to_rfc3339(duty.aware) +
                                   ", from which the clock runs");
  }
  if (duty.state != Duty::State::pending) {
    return fail(Code::conflict, "this duty is " + std::string(to_string(duty.state)) + " already");
  }
  change.kind = "duty_changed";
  change.before = {{"duty", act.value}, {"aware", to_rfc3339(duty.aware)}};
  duty.due = *since + (duty.due - duty.aware);
  duty.aware = *since;
  change.after = {
      {"aware", to_rfc3339(duty.aware)}, {"due", to_rfc3339(duty.due)}, {"duty", act.value}};
  return {};
}

bool is_sha256(std::string_view text) {
  return text.size() == 64 && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

Result<void> send_notice(const Act& act, Incident& incident, Change& change) {
  if (auto known = only(act.with, {"to", "how", "sha256", "sent", "last"}); !known) return known;
  const auto found = find_duty(incident, act.value);
  if (!found) return std::unexpected(found.error());
  Duty& duty = (*found)->second;
  const auto sent = time_in(act.with, "sent", change.when);
  if (!sent) return std::unexpected(sent.error());
  const std::string last = given(act.with, "last");
  Notice notice{.sent = *sent,
                .to = given(act.with, "to"),
                .how = given(act.with, "how"),
                .sha256 = given(act.with, "sha256"),
                .is_last = last == "true",
                .who = act.who};
  if (*sent > change.when) return fail(Code::invalid, "'sent' lies ahead of now");
  if (notice.to.empty()) return fail(Code::invalid, "'to' must say who was notified");
  if (!is_sha256(notice.sha256)) {
    return fail(Code::invalid, "'sha256' must be the hash of what was sent, 64 digits of 0-9a-f");
  }
  if (!last.empty() && last != "true" && last != "false") {
    return fail(Code::invalid, "'last' is true or false");
  }
  if (!fits(notice.to) || !fits(notice.how)) return too_long("whom and how");
  if (duty.notices.size() >= WorkLimits::notices_max) {
    return fail(Code::full, "there are as many notices of that duty as there may be");
  }
  change.kind = "notice_sent";
  change.after = {{"duty", act.value},
                  {"how", notice.how},
                  {"last", notice.is_last},
                  {"late", notice.sent > duty.due && duty.notices.empty()},
                  {"sent", to_rfc3339(notice.sent)},
                  {"sha256", notice.sha256},
                  {"to", notice.to}};
  if (notice.is_last) duty.state = Duty::State::met;
  duty.notices.push_back(std::move(notice));
  return {};
}

Result<void> add_evidence(const Act& act, Incident& incident, Change& change) {
  if (auto known = only(act.with, {"sha256", "bytes", "where"}); !known) return known;
  const std::string where = given(act.with, "where");
  const auto bytes = to_integer(given(act.with, "bytes"));
  if (act.value.empty()) return fail(Code::invalid, "what it is must be told");
  if (!fits(act.value) || !fits(where)) return too_long("what it is and where");
  if (!is_sha256(given(act.with, "sha256"))) {
    return fail(Code::invalid, "'sha256' must be its hash, 64 digits of 0-9a-f");
  }
  if (!bytes || *bytes < 0) return fail(Code::invalid, "'bytes' must be its size");
  if (where.empty()) return fail(Code::invalid, "'where' must say where it is kept");
  if (incident.evidence.size() >= WorkLimits::evidence_max) {
    return fail(Code::full, named(incident) + " has as much evidence as it may have");
  }
  incident.evidence.push_back({.number = std::ssize(incident.evidence) + 1,
                               .name = act.value,
                               .sha256 = given(act.with, "sha256"),
                               .bytes = *bytes,
                               .where = where,
                               .taken = change.when,
                               .taken_by = act.who,
                               .holder = act.who});
  change.kind = "evidence_added";
  change.after = {{"evidence", to_json(incident.evidence.back())}};
  return {};
}

Result<void> hand_over(const Act& act, Incident& incident, Change& change) {
  if (auto known = only(act.with, {"to", "where"}); !known) return known;
  const auto number = to_integer(act.value);
  const auto found = number ? std::ranges::find(incident.evidence, *number, &Evidence::number)
                            : incident.evidence.end();
  if (found == incident.evidence.end()) {
    return fail(Code::not_found, named(incident) + " has no evidence " + printable(act.value));
  }
  const std::string to = given(act.with, "to");
  if (to.empty()) return fail(Code::invalid, "'to' must say who has it now");
  if (!fits(to) || !fits(given(act.with, "where"))) return too_long("who and where");
  if (found->custody.size() >= WorkLimits::handovers_max) {
    return fail(Code::full, "this evidence has been handed over as often as it may be");
  }
  found->custody.push_back({.from = found->holder, .to = to, .when = change.when, .why = act.why});
  found->holder = to;
  if (act.with.contains("where")) found->where = given(act.with, "where");
  change.kind = "evidence_handed_over";
  change.before = {{"holder", found->custody.back().from}};
  change.after = {{"evidence", found->number}, {"holder", to}, {"where", found->where}};
  return {};
}

Result<void> waive_duty(const Act& act, Incident& incident, Change& change) {
  const auto found = find_duty(incident, act.value);
  if (!found) return std::unexpected(found.error());
  Duty& duty = (*found)->second;
  if (duty.state != Duty::State::pending) {
    return fail(Code::conflict, "this duty is " + std::string(to_string(duty.state)) + " already");
  }
  duty.state = Duty::State::waived;
  duty.why = act.why;
  change.kind = "duty_waived";
  change.after["duty"] = act.value;
  return {};
}

// The first notice stops the clock; what it lacks follows in phases.
bool is_running(const Duty& duty) {
  return duty.state == Duty::State::pending && duty.notices.empty();
}

}  // namespace

void IncidentBook::begin_type(std::vector<Change>& changes, Incident& incident,
                              const IncidentType& type, Timestamp now, const std::string& why) {
  Change& change = add(changes, incident, now, "typed", why);
  change.before["type"] = incident.type;
  incident.type = type.name;
  json::Array tasks;
  std::int64_t number = incident.tasks.empty() ? 0 : incident.tasks.back().number;
  for (const TaskTemplate& one : type.tasks) {
    const bool known =
        std::ranges::find(incident.tasks, one.title, &Task::title) != incident.tasks.end();
    if (known || incident.tasks.size() >= WorkLimits::tasks_max) continue;
    incident.tasks.push_back({.number = ++number,
                              .phase = one.phase,
                              .title = one.title,
                              .due = one.within == Duration{} ? Timestamp() : now + one.within});
    tasks.emplace_back(to_json(incident.tasks.back()));
  }
  change.after = {{"tasks", std::move(tasks)}, {"type", type.name}};
  next_due_ = std::min(next_due_, now);
}

// What follows from its facts: its type once, and each duty once.
void IncidentBook::proceed(std::vector<Change>& changes, Incident& incident, Timestamp now) {
  if (incident.type.empty()) {
    if (const IncidentType* const type = procedure_->type_of(incident.facts); type != nullptr) {
      begin_type(changes, incident, *type, now, "the first type that its facts fit");
    }
  }
  for (const DutyRule& rule : procedure_->duties()) {
    if (incident.duties.contains(rule.name) || incident.severity < rule.severity_from ||
        !any_holds(rule.facts, incident.facts)) {
      continue;
    }
    const Duty duty{.aware = now, .due = now + rule.within};
    incident.duties[rule.name] = duty;
    next_due_ = std::min(next_due_, now);
    Change& change =
        add(changes, incident, now, "duty_begun",
            "as " + rule.as + ", " + rule.to + " must be notified by " + to_rfc3339(duty.due) +
                (rule.source.empty() ? "" : " (" + rule.source + ")"));
    change.after = {
        {"aware", to_rfc3339(duty.aware)}, {"due", to_rfc3339(duty.due)}, {"duty", rule.name}};
  }
}

void IncidentBook::tick_work(std::vector<Change>& changes, Incident& incident, Timestamp now) {
  const auto miss = [&](const std::string& deadline, Timestamp due, const std::string& why) {
    Change& change = add(changes, incident, now, "deadline_missed", why);
    change.after = {{"deadline", deadline}, {"due", to_rfc3339(due)}};
  };
  for (auto& [name, duty] : incident.duties) {
    if (duty.missed || !is_running(duty)) continue;
    if (now < duty.due) {
      next_due_ = std::min(next_due_, duty.due);
      continue;
    }
    duty.missed = true;
    miss("duty " + name, duty.due, "nobody was notified by " + to_rfc3339(duty.due));
  }
  for (Task& task : incident.tasks) {
    if (task.missed || task.state != Task::State::open || task.due == Timestamp()) continue;
    if (now < task.due) {
      next_due_ = std::min(next_due_, task.due);
      continue;
    }
    task.missed = true;
    miss("task " + std::to_string(task.number), task.due, task.title);
  }
}

Result<void> IncidentBook::work(std::vector<Change>& changes, Incident& incident, const Act& act,
                                Timestamp now) {
  if (act.kind == Act::Kind::set_type) {
    const IncidentType* const type = procedure_->find_type(act.value);
    if (type == nullptr) {
      std::string names;
      for (const IncidentType& one : procedure_->types()) {
        names += (names.empty() ? "" : ", ") + one.name;
      }
      return fail(Code::invalid, "'" + printable(act.value) + "' is no type of incidents" +
                                     (names.empty() ? "" : "; there are " + names));
    }
    if (incident.type == type->name) {
      return fail(Code::conflict, named(incident) + " is of that type already");
    }
    begin_type(changes, incident, *type, now, act.why);
    return {};
  }
  Change change{.incident = incident.number, .when = now};
  Result<void> done;
  switch (act.kind) {
    case Act::Kind::assign_role:
      done = assign_role(act, incident, change);
      break;
    case Act::Kind::add_task:
      done = add_task(act, incident, change);
      break;
    case Act::Kind::change_task:
      done = change_task(act, incident, change);
      break;
    case Act::Kind::end_task:
      done = end_task(act, incident, change);
      break;
    case Act::Kind::remark:
      done = remark(act, incident, change);
      break;
    case Act::Kind::tell_aware:
      done = tell_aware(act, incident, change);
      break;
    case Act::Kind::send_notice:
      done = send_notice(act, incident, change);
      break;
    case Act::Kind::add_evidence:
      done = add_evidence(act, incident, change);
      break;
    case Act::Kind::hand_over:
      done = hand_over(act, incident, change);
      break;
    default:
      done = waive_duty(act, incident, change);
      break;
  }
  if (!done) return done;
  next_due_ = std::min(next_due_, now);
  Change& added = add(changes, incident, now, change.kind, act.why);
  added.before = std::move(change.before);
  added.after = std::move(change.after);
  return {};
}

std::vector<std::string> closing_obstacles(const Incident& incident, const Procedure& procedure) {
  std::vector<std::string> obstacles;
  for (const Task& task : incident.tasks) {
    if (task.state != Task::State::open) continue;
    obstacles.push_back("task " + std::to_string(task.number) + " of the " +
                        std::string(to_string(task.phase)) + " is open: " + printable(task.title));
  }
  for (const auto& [name, duty] : incident.duties) {
    if (duty.state != Duty::State::pending) continue;
    obstacles.push_back("the duty '" + name + "' is neither met nor waived");
  }
  if (std::max(incident.severity, incident.overruled) < procedure.review_from()) return obstacles;
  for (const std::string_view part : review_parts) {
    const auto found = incident.remarks.find(part);
    if (found != incident.remarks.end() && !found->second.empty()) continue;
    obstacles.push_back("the review says nothing of " + std::string(part));
  }
  for (const Task& task : incident.tasks) {
    if (task.phase != Phase::improvement || task.state == Task::State::dropped) continue;
    if (!task.owner.empty() && task.due != Timestamp()) continue;
    obstacles.push_back("improvement " + std::to_string(task.number) + " has no owner or no date");
  }
  const bool improves =
      std::ranges::find(incident.tasks, Phase::improvement, &Task::phase) != incident.tasks.end();
  if (!improves)
    obstacles.emplace_back("the review has led to no improvement, not even a dropped one");
  return obstacles;
}

}  // namespace mailwarden::incident
