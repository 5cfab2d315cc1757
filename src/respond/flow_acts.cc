// What people order.
#include <algorithm>

#include "respond/flow_walk.h"

namespace mailwarden::respond::flow {
namespace {

using Kind = RunAct::Kind;

Result<void> check_names(const RunAct& act) {
  if (act.who.empty()) return fail(Code::denied, "who does this must be named");
  if (act.why.empty() && act.kind != Kind::approve) {
    return fail(Code::denied, "a reason must be given");
  }
  if (act.why.size() > RunLimits::reason_bytes_max) {
    return fail(Code::invalid, "the reason is too long");
  }
  if (act.value.size() > FlowLimits::value_bytes_max) {
    return fail(Code::invalid, "the answer is too long");
  }
  return {};
}

Result<void> act_on_run(Walk& walk, Run& run, const RunAct& act) {
  const bool has_ended = run.phase == Phase::over;
  const auto conflict = [&](const std::string& why) {
    return fail(Code::conflict, "run " + std::to_string(run.number) + " " + why);
  };
  const Walk::Note note{.why = act.why, .who = act.who, .act = std::string(to_string(act.kind))};
  switch (act.kind) {
    case Kind::approve:
    case Kind::reject:
      if (run.held.empty()) return conflict("waits for nobody to let it begin");
      walk.move(run, run.state, note);
      if (act.kind == Kind::approve) {
        walk.release(run);
        walk.look_at(run);
      } else {
        walk.cancel(run, false);
      }
      return {};
    case Kind::cancel:
      if (has_ended) return conflict("is over");
      if (run.phase == Phase::undoing) return conflict("is being taken back already");
      walk.move(run, run.state, note);
      walk.cancel(run, act.undo);
      return {};
    case Kind::undo:
      if (run.phase == Phase::undoing) return conflict("is being taken back already");
      if (has_ended && std::ranges::none_of(run.undos, [](const Standing& u) {
            return u.state == StepState::done || u.state == StepState::undo_failed;
          })) {
        return conflict("has done nothing that can be taken back");
      }
      walk.move(run, run.state, note);
      if (has_ended) {
        walk.order_undo(run, "", RunState::undone);
      } else {
        walk.cancel(run, true);
      }
      return {};
    default:
      return fail(Code::invalid, "a step must be named");
  }
}

Result<void> undo_step(Walk& walk, Run& run, const RunAct& act) {
  const bool has_undo = std::ranges::any_of(run.undos, [&](const Standing& u) {
    return u.step == act.step && !u.ordered &&
           (u.state == StepState::done || u.state == StepState::undo_failed);
  });
  if (!has_undo) {
    return fail(Code::conflict, "the step '" + act.step +
                                    "' has done nothing that can be taken "
                                    "back");
  }
  walk.move(run, run.state, {.why = act.step + ": " + act.why, .who = act.who, .act = "undo"});
  // What else of an ended run stands as it stood.
  walk.order_undo(run, act.step, run.state);
  return {};
}

bool fits_standing(const RunAct& act, const Standing& standing) {
  const StepState state = standing.state;
  const bool asks = state == StepState::needs_approval;
  const bool open = state == StepState::needs_person || state == StepState::unknown;
  switch (act.kind) {
    case Kind::approve:
      return asks;
    case Kind::reject:
      return asks || state == StepState::needs_person;
    case Kind::done:
    case Kind::failed:
      return open;
    case Kind::again:
      return state == StepState::unknown;
    default:
      return false;
  }
}

// What a person answers is a variable's, where the step says so.
Result<json::Object> take_answer(Walk& walk, Run& run, const Step& step, const RunAct& act) {
  json::Object answer;
  if (!act.value.empty()) answer["answer"] = act.value;
  const bool is_question = step.kind == StepKind::manual || step.kind == StepKind::approval;
  if (!is_question) return answer;
  if (act.value.empty() && !step.set.empty()) {
    return fail(Code::invalid, "the step '" + step.id + "' needs an answer");
  }
  if (auto done = walk.set(run, step, answer); !done) {
    return fail(Code::invalid, done.error().what);
  }
  return answer;
}

Result<void> answer_step(Walk& walk, Run& run, Standing& standing, const RunAct& act) {
  const Step& step = run.graph->step(standing.step);
  const bool is_undo = standing.is_undo;
  Walk::Note note{.why = act.why, .who = act.who, .act = std::string(to_string(act.kind))};
  const bool completes =
      act.kind == Kind::done || (act.kind == Kind::approve && step.kind == StepKind::approval);
  if (completes && !is_undo) {
    auto answer = take_answer(walk, run, step, act);
    if (!answer) return std::unexpected(answer.error());
    note.result = *std::move(answer);
    walk.keep_undo(run, standing);
  }
  if (completes) {
    walk.finish(run, standing, is_undo ? StepState::undone : StepState::done, note);
  } else if (act.kind == Kind::approve) {
    standing.approved = true;
    walk.move(run, standing, StepState::waiting, note);
    walk.proceed(run, standing);
  } else if (act.kind == Kind::again) {
    walk.intend(run, standing, note);
  } else if (act.kind == Kind::reject && step.kind != StepKind::approval) {
    walk.finish(run, standing, StepState::skipped, note);
  } else {
    walk.finish(run, standing, is_undo ? StepState::undo_failed : StepState::failed, note);
  }
  return {};
}

}  // namespace

Result<Moves> RunBook::act(const RunAct& act, Timestamp now) {
  if (auto named = check_names(act); !named) return std::unexpected(named.error());
  const auto found = runs_.all.find(act.run);
  if (found == runs_.all.end()) {
    return fail(Code::not_found, "there is no open playbook run " + std::to_string(act.run));
  }
  Run& run = found->second;
  Walk walk(runs_, means_, now);
  const auto moved = [&](const Result<void>& done) -> Result<Moves> {
    if (!done) return std::unexpected(done.error());
    return walk.take();
  };
  if (act.step.empty()) return moved(act_on_run(walk, run, act));
  const auto step = run.steps.find(act.step);
  if (step == run.steps.end()) {
    return fail(Code::not_found,
                "run " + std::to_string(act.run) + " has no step '" + act.step + "'");
  }
  if (act.kind == Kind::undo) return moved(undo_step(walk, run, act));
  const auto undo = std::ranges::find_if(run.undos, [&](const Standing& u) {
    return u.step == act.step && u.state == StepState::unknown;
  });
  const bool is_step = waits_for_person(step->second.state);
  Standing& standing = !is_step && undo != run.undos.end() ? *undo : step->second;
  const bool is_new = act.kind == Kind::again && run.phase == Phase::cancelling;
  if (!fits_standing(act, standing) || (is_new && !standing.is_undo)) {
    return fail(Code::conflict, "the step '" + act.step + "' is " +
                                    std::string(to_string(standing.state)) +
                                    ", which this does not fit");
  }
  return moved(answer_step(walk, run, standing, act));
}

}  // namespace mailwarden::respond::flow
