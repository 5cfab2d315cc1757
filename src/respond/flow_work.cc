// Effects of steps: their intents, tries and outcomes, and how they are taken back.
#include <algorithm>

#include "base/check.h"
#include "crypto/sha256.h"
#include "respond/flow_walk.h"

namespace mailwarden::respond::flow {
namespace {

bool may_pass(const Error& error) {
  return error.code == Code::unavailable || error.code == Code::io || error.code == Code::full;
}

// Between an id and what follows, so that no key of another step can read the same.
std::string separator(const Playbook& playbook, const std::string& id) {
  std::string between = "-";
  while (true) {
    const auto next = playbook.steps.lower_bound(id + between);
    if (next == playbook.steps.end() || !next->first.starts_with(id + between)) return between;
    between += '-';
  }
}

// Else the daemon's own action is asked.
bool asks_own_probe(const Step& step, const Standing& standing) {
  return step.probe && !(standing.is_undo && standing.operation->kind == StepKind::action);
}

std::string retry_key(std::string_view key, std::int64_t tries) {
  return std::string(key) + "/" + std::to_string(tries);
}

}  // namespace

bool is_open_undo(StepState state) {
  return state == StepState::undoing || state == StepState::probing ||
         state == StepState::unknown || state == StepState::retrying;
}

std::string step_key(const Run& run, const Standing& standing) {
  const std::string between = separator(run.playbook(), standing.step);
  std::string key = "run-" + std::to_string(run.number) + "-" + standing.step;
  if (standing.visit > 1) key += between + std::to_string(standing.visit);
  if (standing.is_undo) key += between + "undo";
  return key;
}

Duration pause_after(std::int64_t tries, const Retry& retry, std::string_view key) {
  Duration pause = retry.pause;
  for (std::int64_t i = 1; i < tries && pause < retry.pause_max; ++i) pause *= 2;
  pause = std::min(pause, retry.pause_max);
  const auto digest = crypto::sha256(retry_key(key, tries));
  const auto spread = std::to_integer<std::int64_t>(digest[0]);  // up to a quarter less
  return pause - pause * spread / 1024;
}

// An http step carries its key, the outbox knows an alert by it, and an action knows.
bool Walk::may_repeat(const Step& step, const Operation& operation) const {
  switch (operation.kind) {
    case StepKind::command:
      return step.repeatable;
    case StepKind::action:
      return means_.is_repeatable(operation.action);
    default:
      return true;
  }
}

bool Walk::can_probe(const Step& step, const Operation& operation) const {
  return step.probe.has_value() || operation.kind == StepKind::action;
}

void Walk::emit(Run& run, const Standing& standing) {
  moves_.effects.push_back({.kind = Effect::Kind::perform,
                            .run = run.number,
                            .step = standing.step,
                            .visit = standing.visit,
                            .tries = standing.tries,
                            .is_undo = standing.is_undo,
                            .key = step_key(run, standing),
                            .incident = run.incident,
                            .operation = *standing.operation});
}

void Walk::intend(Run& run, Standing& standing, const Note& note) {
  CHECK(standing.operation);
  if (standing.tries == 0 && !standing.is_undo) {
    use(run, standing.step, run.graph->step(standing.step).rate);
  }
  ++standing.tries;
  standing.lost = false;
  emit(run, standing);
  Note told = note;
  told.does = standing.does;
  if (standing.operation->kind == StepKind::notify) {
    // The outbox sees to its delivery, under the step's key.
    told.why = "handed to the outbox";
    return complete(run, standing, told);
  }
  move(run, standing, standing.is_undo ? StepState::undoing : StepState::intended, told);
}

// Its effect is there.
void Walk::complete(Run& run, Standing& standing, const Note& note) {
  if (standing.is_undo) return finish(run, standing, StepState::undone, note);
  const auto done = set(run, run.graph->step(standing.step), note.result);
  keep_undo(run, standing);
  if (done) return finish(run, standing, StepState::done, note);
  Note failed = note;
  failed.why = done.error().what;
  finish(run, standing, StepState::failed, failed);
}

// How it is taken back follows from what is known now; what is known later is another matter's.
void Walk::keep_undo(Run& run, const Standing& standing) {
  const Step& step = run.graph->step(standing.step);
  if (!step.undo) return;
  Standing undo{
      .step = standing.step, .is_undo = true, .state = StepState::done, .visit = standing.visit};
  auto filled =
      run.literal ? Result<Operation>(*step.undo) : means_.fill(*step.undo, lookup_of(run));
  undo.does =
      filled ? means_.describe(*filled) : means_.describe_unguarded(*step.undo, lookup_of(run));
  if (filled) {
    undo.operation = *std::move(filled);
  } else {
    undo.why = filled.error().what;
  }
  run.undos.push_back(std::move(undo));
}

void Walk::settle(Run& run, Standing& standing, const Outcome& outcome) {
  if (outcome.kind == Effect::Kind::probe) return settle_probe(run, standing, outcome);
  if (!outcome.answer) return fail_try(run, standing, outcome.answer.error());
  complete(run, standing, {.result = *outcome.answer});
}

void Walk::fail_try(Run& run, Standing& standing, const Error& error) {
  const Step& step = run.graph->step(standing.step);
  const Operation& operation = *standing.operation;
  if (!may_pass(error)) {
    return finish(run, standing, standing.is_undo ? StepState::undo_failed : StepState::failed,
                  {.why = error.what});
  }
  // A command that could not be started has had no effect.
  const bool never_began = operation.kind == StepKind::command && error.code == Code::io;
  if (never_began || may_repeat(step, operation)) {
    return again_or_failed(run, standing, error.what);
  }
  if (can_probe(step, operation)) return probe(run, standing, error.what);
  move(run, standing, StepState::unknown,
       {.why = error.what + "; nobody knows what it did: look, then say done, failed or again"});
}

void Walk::again_or_failed(Run& run, Standing& standing, const std::string& why) {
  const Retry& retry = run.graph->step(standing.step).retry;
  const bool over = run.phase == Phase::cancelling && !standing.is_undo;
  if (over || standing.tries >= retry.tries) {
    return finish(run, standing, standing.is_undo ? StepState::undo_failed : StepState::failed,
                  {.why = why});
  }
  move(run, standing, StepState::retrying, {.why = why});
  standing.due = now_ + pause_after(standing.tries, retry, step_key(run, standing));
}

// Asks whether the effect is there.
void Walk::probe(Run& run, Standing& standing, const std::string& why) {
  const Step& step = run.graph->step(standing.step);
  const bool has_own = asks_own_probe(step, standing);
  Result<Operation> operation = *standing.operation;
  if (has_own) operation = means_.fill(step.probe->operation, lookup_of(run));
  if (!operation) {
    return move(run, standing, StepState::unknown,
                {.why = "its probe cannot be made: " + operation.error().what});
  }
  if (standing.state != StepState::probing) {
    move(run, standing, StepState::probing, {.why = why});
  }
  moves_.effects.push_back({.kind = Effect::Kind::probe,
                            .run = run.number,
                            .step = standing.step,
                            .visit = standing.visit,
                            .tries = standing.tries,
                            .is_undo = standing.is_undo,
                            .key = step_key(run, standing),
                            .incident = run.incident,
                            .operation = *std::move(operation),
                            .asks_action = !has_own});
}

void Walk::settle_probe(Run& run, Standing& standing, const Outcome& outcome) {
  const Step& step = run.graph->step(standing.step);
  const bool has_own = asks_own_probe(step, standing);
  Result<bool> holds = true;
  if (!outcome.answer) {
    holds = std::unexpected(outcome.answer.error());
  } else if (has_own) {
    holds = means_.holds(step.probe->holds, [&](std::string_view name) {
      json::Value value = answered(*outcome.answer, name);
      return value.is_null() ? lookup_of(run)(name) : value;
    });
  } else {
    holds = json::Value(*outcome.answer)["holds"] == json::Value(true);
  }
  if (!holds) {
    return move(run, standing, StepState::unknown,
                {.why = "its probe does not tell: " + holds.error().what +
                        "; look, then say done, failed or again"});
  }
  // A playbook's probe asks for the step's effect, also when that is to be taken back.
  const bool is_there = has_own && standing.is_undo ? !*holds : *holds;
  if (is_there) {
    if (!standing.is_undo) keep_undo(run, standing);
    return finish(run, standing, standing.is_undo ? StepState::undone : StepState::done,
                  {.why = "its probe says that it has had its effect"});
  }
  const std::string why = "its probe says that it has had no effect";
  if (!standing.lost || (run.phase == Phase::cancelling && !standing.is_undo)) {
    return again_or_failed(run, standing, why);
  }
  standing.lost = false;
  emit(run, standing);
  move(run, standing, standing.is_undo ? StepState::undoing : StepState::intended,
       {.why = why, .does = standing.does});
}

void Walk::resume(Run& run, Standing& standing) {
  if (standing.state == StepState::probing) return probe(run, standing, "");
  // A step shows how its undo stands, which is at work by itself.
  if (standing.state != (standing.is_undo ? StepState::undoing : StepState::intended)) return;
  if (standing.child != 0) return;
  const Step& step = run.graph->step(standing.step);
  if (may_repeat(step, *standing.operation)) return emit(run, standing);
  standing.lost = true;
  const std::string why = "the daemon ended before it learned what it did";
  if (can_probe(step, *standing.operation)) return probe(run, standing, why);
  move(run, standing, StepState::unknown, {.why = why + "; look, then say done, failed or again"});
}

void Walk::take_up(Run& run, Standing& standing) {
  standing.due.reset();
  if (standing.state == StepState::delayed) return proceed(run, standing);
  if (standing.state == StepState::retrying) {
    return intend(run, standing, {.why = "try " + std::to_string(standing.tries + 1)});
  }
  const Step& step = run.graph->step(standing.step);
  finish(run, standing, StepState::failed,
         {.why = "nobody answered within " + to_words(step.within)});
}

// Of a step, or with "" of all of them: those that are done, and those that failed to be undone.
void Walk::order_undo(Run& run, std::string_view step, RunState ends_as) {
  for (Standing& undo : run.undos) {
    if (!step.empty() && undo.step != step) continue;
    if (undo.state == StepState::undo_failed) undo.tries = 0;
    if (undo.state == StepState::undo_failed) undo.state = StepState::done;
    if (undo.state == StepState::done) undo.ordered = true;
  }
  if (run.phase == Phase::over) {
    run.phase = Phase::undoing;
    run.ends_as = ends_as;
    run.failure.clear();
  }
  look_at(run);
}

// The last that is to be undone, where none is at work.
void Walk::undo_next(Run& run) {
  while (std::ranges::none_of(run.undos, [](const Standing& u) { return is_open_undo(u.state); })) {
    const auto last = std::find_if(run.undos.rbegin(), run.undos.rend(),
                                   [](const Standing& u) { return u.ordered; });
    if (last == run.undos.rend()) return;
    begin_undo(run, *last);
  }
}

void Walk::begin_undo(Run& run, Standing& undo) {
  undo.ordered = false;
  if (undo.child != 0) {
    move(run, undo, StepState::undoing, {.does = undo.does});
    Run& child = runs_.all.find(undo.child)->second;
    order_undo(child, "", RunState::undone);
    child.ends_as = RunState::undone;
    return;
  }
  if (undo.operation) return intend(run, undo, {});
  const std::string why = undo.why;
  move(run, undo, StepState::undo_failed, {.why = "take it back by hand, since " + why});
  undo.why = why;
}

// The step shows how the undo of its last visit stands.
void Walk::show_undo(Run& run, const Standing& undo) {
  Standing& standing = run.steps.find(undo.step)->second;
  if (standing.visit != undo.visit || !is_over(standing.state)) return;
  standing.state = is_over(undo.state) ? undo.state : StepState::undoing;
  standing.who = undo.who;
  standing.why = undo.why;
}

}  // namespace mailwarden::respond::flow
