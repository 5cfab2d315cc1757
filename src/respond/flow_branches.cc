// Steps with branches or a run of their own, and dry runs, which walk them all the same.
#include <algorithm>

#include "respond/flow_walk.h"

#include "base/text.h"

namespace mailwarden::respond::flow {
namespace {

bool has_no_value(const Error& error) {
  return error.code == Code::not_found;
}

}  // namespace

// In a dry run: goes through all of it, tells what would be done, and does nothing.
void Walk::pretend(Run& run, Standing& standing, const Step& step) {
  json::Object result;
  if (!step.approval.empty()) result["would_ask"] = text_of(run, step.approval);
  if (step.delay > Duration{}) result["would_wait"] = to_words(step.delay);
  if (has_operation(step.kind)) {
    auto filled = means_.fill(step.operation, lookup_of(run));
    result["would"] = filled ? means_.describe(*filled)
                             : means_.describe_unguarded(step.operation, lookup_of(run));
    if (filled) {
      standing.operation = *std::move(filled);
    } else {
      result[has_no_value(filled.error()) ? "depends" : "by_hand_since"] = filled.error().what;
    }
  } else if (step.kind == StepKind::manual || step.kind == StepKind::approval) {
    result["would"] = "ask: " + text_of(run, step.text);
  } else if (step.kind == StepKind::wait) {
    result["would"] = "wait " + to_words(step.wait);
  } else if (step.kind == StepKind::playbook) {
    return begin_child(run, standing, step);
  } else {
    return branch(run, standing, step);
  }
  // What it would have answered nobody knows.
  for (const auto& [variable, name] : step.set) run.values[variable] = json::Value();
  standing.does = json::Value(result).text("would");
  finish(run, standing, StepState::done, {.why = "a dry run", .result = std::move(result)});
}

void Walk::enter(Run& run, Standing& standing, const std::string& first, const std::string& why) {
  if (first.empty()) return finish(run, standing, StepState::done, {.why = why});
  move(run, standing, StepState::at_work, {.why = why});
  standing.branches = 1;
  reach(run, first);
}

Result<bool> Walk::decide(Run& run, Standing& standing, const Step& step) {
  if (run.dry_run && standing.rounds > 0) return false;
  return means_.holds(step.condition, lookup_of(run));
}

Result<std::string> Walk::choose(Run& run, const Step& step) {
  auto text = means_.fill_exactly(step.condition, lookup_of(run));
  if (!text) return text;
  const auto found = step.cases.find(*text);
  return found != step.cases.end() ? found->second : step.default_case;
}

void Walk::branch(Run& run, Standing& standing, const Step& step) {
  const auto refuse = [&](const Error& error) {
    finish(run, standing, StepState::failed, {.why = error.what});
  };
  const auto depends = [&](const Error& error) { return run.dry_run && has_no_value(error); };
  switch (step.kind) {
    case StepKind::if_condition: {
      const auto holds = decide(run, standing, step);
      if (!holds && !depends(holds.error())) return refuse(holds.error());
      const std::string why =
          holds ? (*holds ? "it holds" : "it does not hold") : "it depends: " + holds.error().what;
      return enter(run, standing, holds.value_or(true) ? step.then : step.otherwise, why);
    }
    case StepKind::switch_condition: {
      const auto first = choose(run, step);
      if (!first && !depends(first.error())) return refuse(first.error());
      return enter(run, standing, first ? *first : step.default_case,
                   first ? std::string() : "it depends: " + first.error().what);
    }
    case StepKind::while_condition:
      return next_round(run, standing, step);
    default:
      move(run, standing, StepState::at_work, {});
      standing.branches = std::ssize(step.branches);
      for (const std::string& first : step.branches) reach(run, first);
  }
}

void Walk::next_round(Run& run, Standing& standing, const Step& step) {
  const auto holds = decide(run, standing, step);
  const bool depends = !holds && run.dry_run && has_no_value(holds.error());
  if (!holds && !depends) {
    return finish(run, standing, StepState::failed, {.why = holds.error().what});
  }
  if (!holds.value_or(true)) {
    return finish(run, standing, StepState::done,
                  {.why = std::to_string(standing.rounds) + " rounds"});
  }
  if (standing.rounds >= step.rounds_max) {
    return finish(
        run, standing, StepState::failed,
        {.why = "its condition still holds behind " + std::to_string(standing.rounds) + " rounds"});
  }
  for (const std::string& id : run.graph->inside(standing.step)) {
    Standing& one = run.steps.find(id)->second;
    one = {.step = id, .visit = one.visit};
  }
  ++standing.rounds;
  enter(run, standing, step.then,
        depends ? "it depends: " + holds.error().what : "round " + std::to_string(standing.rounds));
}

void Walk::begin_child(Run& run, Standing& standing, const Step& step) {
  const auto refuse = [&](const std::string& why) {
    finish(run, standing, StepState::failed, {.why = why});
  };
  const Playbook* const playbook = means_.find(step.playbook);
  if (playbook == nullptr) return refuse("there is no playbook '" + step.playbook + "'");
  if (run.depth + 1 >= static_cast<std::int64_t>(FlowLimits::depth_max)) {
    return refuse("playbooks call each other more than " + std::to_string(FlowLimits::depth_max) +
                  " deep");
  }
  Begin begin{.playbook = *playbook,
              .incident = run.incident,
              .cause = Cause::run,
              .dry_run = run.dry_run,
              .why = "step " + step.id + " of run " + std::to_string(run.number),
              .parent = &run,
              .parent_step = step.id};
  for (const auto& [name, value] : run.values) {
    if (name.contains('.')) begin.incident_values[name] = value;
  }
  for (const auto& [name, text] : step.with) {
    auto filled = means_.fill_value(text, lookup_of(run));
    if (filled) {
      begin.given[name] = *std::move(filled);
    } else if (!run.dry_run || !has_no_value(filled.error())) {
      return refuse(in_quotes(name) + ": " + filled.error().what);
    }
  }
  auto values = values_of(begin);
  if (!values) return refuse(values.error().what);
  move(run, standing, StepState::at_work, {});
  standing.child = open(begin, *std::move(values)).number;
}

void Walk::end_branch(Run& run, Standing& container, bool good, const std::string& why) {
  --container.branches;
  container.branch_failed |= !good;
  look_at(run);
  if (container.branches > 0) return;
  const Step& step = run.graph->step(container.step);
  if (container.branch_failed) {
    return finish(run, container, StepState::failed,
                  {.why = why.empty() ? "one of its branches failed" : why});
  }
  if (step.kind == StepKind::while_condition) return next_round(run, container, step);
  finish(run, container, StepState::done, {.why = container.why});
}

void Walk::end_child(Run& child) {
  const auto found = runs_.all.find(child.parent);
  if (found == runs_.all.end()) return;
  Run& run = found->second;
  look_at(run);
  const std::string name =
      "run " + std::to_string(child.number) + " of '" + child.playbook().name + "'";
  for (Standing& undo : run.undos) {
    if (undo.child != child.number || undo.state != StepState::undoing) continue;
    const bool undone = child.state == RunState::undone;
    return finish(run, undo, undone ? StepState::undone : StepState::undo_failed,
                  {.why = name + " was " + (undone ? "taken back" : "not taken back whole")});
  }
  Standing& standing = run.steps.find(child.parent_step)->second;
  if (standing.child != child.number || standing.state != StepState::at_work) return;
  const bool has_undos =
      std::ranges::any_of(child.undos, [](const auto& u) { return u.state == StepState::done; });
  if (has_undos) {
    run.undos.push_back({.step = standing.step,
                         .is_undo = true,
                         .state = StepState::done,
                         .visit = standing.visit,
                         .does = "take back " + name,
                         .child = child.number});
  }
  if (child.state != RunState::done) {
    return finish(run, standing, StepState::failed,
                  {.why = name + ": " + std::string(to_string(child.state))});
  }
  const Step& step = run.graph->step(standing.step);
  if (run.dry_run) {
    for (const auto& [variable, theirs] : step.set) run.values[variable] = child.values[theirs];
  } else if (auto done = set(run, step, child.values); !done) {
    return finish(run, standing, StepState::failed, {.why = done.error().what});
  }
  finish(run, standing, StepState::done, {.why = name + " is done"});
}

}  // namespace mailwarden::respond::flow
