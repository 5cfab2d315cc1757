#include "respond/flow_walk.h"

#include <algorithm>
#include <ranges>

#include "base/check.h"
#include "base/text.h"

namespace mailwarden::respond::flow {
namespace {

bool is_at_work(const Standing& standing) {
  switch (standing.state) {
    case StepState::intended:
    case StepState::probing:
    case StepState::unknown:
      return true;
    case StepState::at_work:
      return standing.child != 0;
    default:
      return false;
  }
}

}  // namespace

bool is_over(StepState state) {
  switch (state) {
    case StepState::done:
    case StepState::failed:
    case StepState::skipped:
    case StepState::undoing:
    case StepState::undone:
    case StepState::undo_failed:
      return true;
    default:
      return false;
  }
}

bool waits_for_person(StepState state) {
  return state == StepState::needs_approval || state == StepState::needs_person ||
         state == StepState::unknown;
}

bool has_operation(StepKind kind) {
  return kind == StepKind::notify || kind == StepKind::command || kind == StepKind::http ||
         kind == StepKind::action;
}

Means::Lookup lookup_of(const Run& run) {
  return [&run](std::string_view name) {
    const auto found = run.values.find(name);
    return found == run.values.end() ? json::Value() : found->second;
  };
}

void Walk::move(Run& run, Standing& standing, StepState after, const Note& note) {
  moves_.changes.push_back({.run = run.number,
                            .step = standing.step,
                            .visit = standing.visit,
                            .is_undo = standing.is_undo,
                            .before = std::string(to_string(standing.state)),
                            .after = std::string(to_string(after)),
                            .who = note.who,
                            .why = note.why,
                            .act = note.act,
                            .does = note.does,
                            .result = cut(note.result),
                            .when = now_});
  standing.state = after;
  standing.due.reset();
  standing.who = note.who;
  standing.why = note.why;
  standing.result = moves_.changes.back().result;
  run.changed = now_;
  if (standing.is_undo) show_undo(run, standing);
  look_at(run);
}

void Walk::move(Run& run, RunState after, const Note& note) {
  moves_.changes.push_back({.run = run.number,
                            .before = std::string(to_string(run.state)),
                            .after = std::string(to_string(after)),
                            .who = note.who,
                            .why = note.why,
                            .act = note.act,
                            .when = now_});
  run.state = after;
  run.who = note.who;
  run.why = note.why;
  run.changed = now_;
}

Result<json::Object> Walk::values_of(const Begin& begin) const {
  json::Object values = begin.incident_values;
  for (const auto& [name, variable] : begin.playbook.variables) {
    json::Value value = variable.value;
    if (!variable.from.empty()) {
      const auto found = begin.incident_values.find(variable.from);
      if (found != begin.incident_values.end()) value = found->second;
    }
    if (const auto given = begin.given.find(name); given != begin.given.end()) {
      if (!variable.external) return fail(Code::invalid, in_quotes(name) + " is not to be given");
      auto read = means_.read(variable.type, given->second);
      if (!read) return fail(in_quotes(name), read.error());
      value = *std::move(read);
    }
    values[name] = std::move(value);
  }
  for (const auto& [name, value] : begin.given) {
    if (!begin.playbook.variables.contains(name)) {
      return fail(Code::invalid,
                  "the playbook '" + begin.playbook.name + "' has no variable " + in_quotes(name));
    }
  }
  return values;
}

Run& Walk::open(const Begin& begin, json::Object values) {
  const auto open_runs = std::ranges::count_if(
      runs_.all, [](const auto& one) { return one.second.phase != Phase::over; });
  Run& run = runs_.all[++runs_.last_number];
  run = {.number = runs_.last_number,
         .graph = std::make_shared<const Graph>(begin.playbook),
         .incident = begin.incident,
         .cause = begin.cause,
         .parent = begin.parent != nullptr ? begin.parent->number : 0,
         .parent_step = begin.parent_step,
         .root = begin.parent != nullptr ? begin.parent->root : runs_.last_number,
         .depth = begin.parent != nullptr ? begin.parent->depth + 1 : 0,
         .dry_run = begin.dry_run || begin.playbook.dry_run,
         .who = begin.who,
         .why = begin.why,
         .started = now_,
         .changed = now_,
         .values = std::move(values)};
  for (const auto& [id, step] : run.playbook().steps) run.steps[id] = {.step = id};
  moves_.changes.push_back({.run = run.number,
                            .after = std::string(to_string(run.state)),
                            .who = begin.who,
                            .why = begin.why,
                            .when = now_});
  look_at(run);
  if (open_runs >= static_cast<std::ptrdiff_t>(RunLimits::runs_open_max)) {
    end_main(run, false, std::to_string(open_runs) + " runs are open already");
    return run;
  }
  const Rate& rate = run.playbook().rate;
  if (!run.dry_run) run.held = used_up(run.playbook().name, "", rate);
  if (run.held.empty()) release(run);
  return run;
}

void Walk::release(Run& run) {
  run.held.clear();
  if (!run.dry_run) use(run, "", run.playbook().rate);
  reach(run, run.playbook().start);
}

void Walk::reach(Run& run, const std::string& step) {
  tasks_.push_back({.kind = Task::Kind::reach, .run = run.number, .step = step});
}

void Walk::come_to(Run& run, const std::string& id) {
  if (run.phase != Phase::steps && run.phase != Phase::on_failure) return;
  CHECK(run.steps.contains(id));
  Standing& standing = run.steps.find(id)->second;
  const Step& step = run.graph->step(id);
  const std::int64_t visit = standing.visit + 1;
  const bool twice = standing.state != StepState::waiting;
  standing = {.step = id, .visit = visit};
  if (twice || ++run.visits > RunLimits::visits_max) {
    run.failure =
        twice ? "the run came to the step '" + id + "' a second time"
              : "the run came to more than " + std::to_string(RunLimits::visits_max) + " steps";
    move(run, standing, StepState::failed, {.why = run.failure});
    run.ends_as = RunState::failed;
    return cancel(run, run.playbook().undo_on_failure);
  }
  const Duration pause = step.delay + (step.kind == StepKind::wait ? step.wait : Duration{});
  if (run.dry_run || pause <= Duration{}) return proceed(run, standing);
  move(run, standing, StepState::delayed, {.why = "for " + to_words(pause)});
  standing.due = now_ + pause;
}

// What was waited for is there, or nothing had to be.
void Walk::proceed(Run& run, Standing& standing) {
  const Step& step = run.graph->step(standing.step);
  if (run.dry_run) return pretend(run, standing, step);
  if (has_operation(step.kind) && !standing.operation && !fill(run, standing, step)) return;
  if (step.kind == StepKind::approval) {
    return ask(run, standing, StepState::needs_approval, text_of(run, step.text));
  }
  if (const std::string why = reason_to_ask(run, standing, step); !why.empty()) {
    return ask(run, standing, StepState::needs_approval, why);
  }
  switch (step.kind) {
    case StepKind::notify:
    case StepKind::command:
    case StepKind::http:
    case StepKind::action:
      return intend(run, standing, {});
    case StepKind::manual:
      return ask(run, standing, StepState::needs_person, text_of(run, step.text));
    case StepKind::approval:
      return;
    case StepKind::wait:
      return finish(run, standing, StepState::done, {});
    case StepKind::if_condition:
    case StepKind::switch_condition:
    case StepKind::while_condition:
    case StepKind::parallel:
      return branch(run, standing, step);
    case StepKind::playbook:
      return begin_child(run, standing, step);
  }
}

void Walk::finish(Run& run, Standing& standing, StepState after, const Note& note) {
  move(run, standing, after, note);
  if (standing.is_undo) return;
  tasks_.push_back({.kind = Task::Kind::follow, .run = run.number, .step = standing.step});
}

void Walk::follow(Run& run, Standing& standing) {
  if (run.phase != Phase::steps && run.phase != Phase::on_failure) return;
  const Step& step = run.graph->step(standing.step);
  const bool failed = standing.state == StepState::failed;
  if (failed && !step.on_failure.empty()) return reach(run, step.on_failure);
  const bool good = !failed || step.go_on;
  if (good && !step.next.empty()) return reach(run, step.next);
  const std::string why = good ? std::string() : "the step '" + standing.step + "' failed";
  const std::string& container = run.graph->container(standing.step);
  if (container.empty()) return end_main(run, good, why);
  end_branch(run, run.steps.find(container)->second, good, why);
}

// The last step of the steps, or of what is done about their failure, has ended.
void Walk::end_main(Run& run, bool good, const std::string& why) {
  look_at(run);
  const Playbook& playbook = run.playbook();
  if (run.phase == Phase::steps && !good && !playbook.on_failure.empty() && run.visits > 0) {
    run.phase = Phase::on_failure;
    run.failure = why;
    return reach(run, playbook.on_failure);
  }
  if (run.phase == Phase::steps) run.failure = why;
  const bool failed = run.phase == Phase::on_failure || !good;
  run.phase = Phase::undoing;
  run.ends_as = failed ? RunState::failed : RunState::done;
  if (failed && playbook.undo_on_failure) order_undo(run, "", run.ends_as);
}

// All of it or nothing.
Result<void> Walk::set(Run& run, const Step& step, const json::Object& answer) {
  json::Object values;
  for (const auto& [variable, name] : step.set) {
    const json::Value value = answered(answer, name);
    if (value.is_null()) return fail(Code::not_found, "the answer has no '" + name + "'");
    const auto known = run.playbook().variables.find(variable);
    if (known == run.playbook().variables.end() || known->second.constant) {
      return fail(Code::invalid, in_quotes(variable) + " cannot be set");
    }
    auto read = means_.read(known->second.type, value);
    if (!read)
      return fail("'" + variable + "' cannot be " + json::to_text(value).substr(0, 100),
                  read.error());
    if (json::to_text(*read).size() > FlowLimits::value_bytes_max) {
      return fail(Code::invalid, "what is answered is too long for '" + variable + "'");
    }
    values[variable] = *std::move(read);
  }
  for (auto& [variable, value] : values) run.values[variable] = std::move(value);
  return {};
}

// No new steps; what is at work comes to its end.
void Walk::cancel(Run& run, bool undo) {
  run.undo_asked |= undo;
  if (run.phase != Phase::steps && run.phase != Phase::on_failure) return;
  run.phase = Phase::cancelling;
  run.held.clear();
  look_at(run);
  for (auto& [id, standing] : run.steps) {
    if (standing.state == StepState::waiting || is_over(standing.state)) continue;
    if (!is_at_work(standing)) {
      move(run, standing, StepState::skipped, {.why = "the run was cancelled"});
    } else if (standing.child != 0) {
      cancel(runs_.all.find(standing.child)->second, false);
    }
  }
}

// How the run as a whole stands once nothing more follows by itself.
void Walk::settle_run(Run& run) {
  if (run.phase == Phase::over) return;
  if (run.phase == Phase::cancelling &&
      std::ranges::none_of(run.steps | std::views::values, is_at_work)) {
    run.phase = Phase::undoing;
    if (run.ends_as != RunState::failed) run.ends_as = RunState::cancelled;
    if (run.undo_asked) order_undo(run, "", run.ends_as);
  }
  undo_next(run);
  const auto is_busy = [](const Standing& u) { return u.ordered || is_open_undo(u.state); };
  if (run.phase == Phase::undoing && std::ranges::none_of(run.undos, is_busy)) {
    run.phase = Phase::over;
    const bool broken =
        run.ends_as == RunState::undone && std::ranges::any_of(run.undos, [](const Standing& u) {
          return u.state == StepState::undo_failed;
        });
    move(run, broken ? RunState::failed : run.ends_as,
         {.why = broken ? "not all of it could be taken back" : run.failure});
    if (run.parent != 0) tasks_.push_back({Task::Kind::end_of_child, run.number, ""});
    return;
  }
  const auto waits = [](const Standing& s) { return waits_for_person(s.state); };
  const bool asks = !run.held.empty() ||
                    std::ranges::any_of(run.steps | std::views::values, waits) ||
                    std::ranges::any_of(run.undos, waits);
  const RunState state = asks                          ? RunState::waits_for_person
                         : run.phase == Phase::undoing ? RunState::undoing
                                                       : RunState::running;
  if (state != run.state) move(run, state, {.why = run.held});
}

Moves Walk::take() {
  while (!tasks_.empty() || !touched_.empty()) {
    if (tasks_.empty()) {
      const std::int64_t number = touched_.extract(touched_.begin()).value();
      settle_run(runs_.all.find(number)->second);
      continue;
    }
    const Task task = std::move(tasks_.front());
    tasks_.pop_front();
    Run& run = runs_.all.find(task.run)->second;
    switch (task.kind) {
      case Task::Kind::reach:
        come_to(run, task.step);
        break;
      case Task::Kind::follow:
        follow(run, run.steps.find(task.step)->second);
        break;
      case Task::Kind::end_of_child:
        end_child(run);
        break;
    }
  }
  if (!moves_.changes.empty()) runs_.knows_due = false;
  return std::move(moves_);
}

}  // namespace mailwarden::respond::flow
