#include "respond/run.h"

#include <algorithm>
#include <array>

#include "base/check.h"

namespace mailwarden::respond {
namespace {

constexpr std::array step_states{
    std::pair{StepState::waiting, std::string_view("waiting")},
    std::pair{StepState::needs_approval, std::string_view("needs_approval")},
    std::pair{StepState::needs_person, std::string_view("needs_person")},
    std::pair{StepState::intended, std::string_view("intended")},
    std::pair{StepState::unknown, std::string_view("unknown")},
    std::pair{StepState::done, std::string_view("done")},
    std::pair{StepState::failed, std::string_view("failed")},
    std::pair{StepState::skipped, std::string_view("skipped")}};

constexpr std::array run_states{
    std::pair{RunState::running, std::string_view("running")},
    std::pair{RunState::waits_for_person, std::string_view("waits_for_person")},
    std::pair{RunState::done, std::string_view("done")},
    std::pair{RunState::failed, std::string_view("failed")}};

template <class States, class State>
std::string_view name_of(const States& states, State state) {
  return std::ranges::find(states, state, [](const auto& s) { return s.first; })->second;
}

template <class States>
auto state_of(const States& states, std::string_view name) {
  const auto* const found = std::ranges::find(states, name, [](const auto& s) { return s.second; });
  return found == states.end() ? std::nullopt : std::optional(found->first);
}

bool is_over(StepState state) {
  return state == StepState::done || state == StepState::failed || state == StepState::skipped;
}

bool is_over(RunState state) {
  return state == RunState::done || state == RunState::failed;
}

constexpr const char* daemon_itself = "mailwarden";

}  // namespace

std::string_view to_string(StepState state) {
  return name_of(step_states, state);
}

std::string_view to_string(RunState state) {
  return name_of(run_states, state);
}

std::optional<RunState> parse_run_state(std::string_view text) {
  return state_of(run_states, text);
}

std::string step_key(const Run& run, const Step& step) {
  return "run-" + std::to_string(run.number) + "-" + step.id;
}

json::Object to_json(const Run& run) {
  json::Array steps;
  for (const StepStanding& standing : run.steps) {
    json::Object step = to_json(standing.step);
    step["does"] = describe(standing.step);
    step["state"] = to_string(standing.state);
    step["approved"] = standing.approved;
    step["who"] = standing.who;
    step["why"] = standing.why;
    step["result"] = standing.result;
    steps.push_back(std::move(step));
  }
  return {{"changed", to_rfc3339(run.changed)},
          {"dry_run", run.dry_run},
          {"incident", run.incident},
          {"number", run.number},
          {"playbook", run.playbook},
          {"started", to_rfc3339(run.started)},
          {"state", to_string(run.state)},
          {"steps", std::move(steps)},
          {"title", run.title},
          {"version", run.version}};
}

Result<Run> run_from_json(const json::Value& value) {
  const auto damaged = [&] {
    return fail(Code::corrupt, "the stored playbook run " +
                                   std::to_string(value.integer("number")) + " is damaged");
  };
  const auto state = state_of(run_states, value.text("state"));
  const auto started = parse_rfc3339(value.text("started"));
  const auto changed = parse_rfc3339(value.text("changed"));
  const auto* const steps = value["steps"].as_array();
  const auto* const dry_run = value["dry_run"].as_bool();
  if (!state || !started || !changed || steps == nullptr || dry_run == nullptr) return damaged();
  Run run{.number = value.integer("number"),
          .playbook = value.text("playbook"),
          .title = value.text("title"),
          .version = value.text("version"),
          .incident = value.integer("incident"),
          .dry_run = *dry_run,
          .state = *state,
          .started = *started,
          .changed = *changed};
  for (const json::Value& item : *steps) {
    auto step = step_from_json(item);
    const auto step_state = state_of(step_states, item.text("state"));
    const auto* const approved = item["approved"].as_bool();
    const auto* const result = item["result"].as_object();
    if (!step || !step_state || approved == nullptr || result == nullptr) return damaged();
    run.steps.push_back({.step = *std::move(step),
                         .state = *step_state,
                         .approved = *approved,
                         .who = item.text("who"),
                         .why = item.text("why"),
                         .result = *result});
  }
  return run;
}

json::Object to_record(const StepChange& change, const Run& run) {
  json::Object record{{"after", change.after},    {"before", change.before},
                      {"incident", run.incident}, {"playbook", run.playbook},
                      {"run", change.run},        {"version", run.version},
                      {"who", change.who}};
  if (!change.step.empty()) record["step"] = change.step;
  if (!change.why.empty()) record["why"] = change.why;
  if (!change.result.empty()) record["result"] = change.result;
  return record;
}

RunBook::RunBook(std::vector<Run> runs, std::set<std::pair<std::string, std::int64_t>> started,
                 std::int64_t last_number)
    : started_(std::move(started)), last_number_(last_number) {
  for (Run& run : runs) {
    const std::int64_t number = run.number;
    runs_.emplace(number, std::move(run));
  }
}

const Run* RunBook::find(std::int64_t number) const {
  const auto found = runs_.find(number);
  return found == runs_.end() ? nullptr : &found->second;
}

void RunBook::forget_ended() {
  std::erase_if(runs_, [](const auto& run) { return is_over(run.second.state); });
}

StepStanding* RunBook::find_step(Run& run, std::string_view id) {
  const auto found = std::ranges::find(
      run.steps, id, [](const StepStanding& s) { return std::string_view(s.step.id); });
  return found == run.steps.end() ? nullptr : &*found;
}

void RunBook::move(Moves& moves, Run& run, StepStanding& standing, StepState state,
                   const std::string& who, const std::string& why, Timestamp now,
                   json::Object result) {
  moves.changes.push_back({.run = run.number,
                           .step = standing.step.id,
                           .before = std::string(to_string(standing.state)),
                           .after = std::string(to_string(state)),
                           .who = who,
                           .why = why,
                           .result = result,
                           .when = now});
  standing.state = state;
  standing.who = who;
  standing.why = why;
  standing.result = std::move(result);
  run.changed = now;
}

void RunBook::end(Moves& moves, Run& run, RunState state, Timestamp now) {
  if (run.state == state) return;
  moves.changes.push_back({.run = run.number,
                           .before = std::string(to_string(run.state)),
                           .after = std::string(to_string(state)),
                           .who = daemon_itself,
                           .when = now});
  run.state = state;
  run.changed = now;
}

bool RunBook::begin(Moves& moves, Run& run, StepStanding& standing, Timestamp now) {
  const Step& step = standing.step;
  if (run.dry_run) {
    move(moves, run, standing, StepState::done, daemon_itself, "a dry run", now,
         {{"would", describe(step)}});
    return true;
  }
  if (!step.approval.empty() && !standing.approved) {
    move(moves, run, standing, StepState::needs_approval, daemon_itself, step.approval, now);
    return false;
  }
  switch (step.kind) {
    case StepKind::manual:
      move(moves, run, standing, StepState::needs_person, daemon_itself, step.text, now);
      return false;
    case StepKind::notify:
      // The outbox sees to its delivery, under the step's key.
      move(moves, run, standing, StepState::done, daemon_itself, "handed to the outbox", now);
      break;
    case StepKind::command:
    case StepKind::http:
      move(moves, run, standing, StepState::intended, daemon_itself, "", now);
      break;
  }
  moves.effects.push_back(
      {.run = run.number, .key = step_key(run, step), .incident = run.incident, .step = step});
  return step.kind == StepKind::notify;
}

// As far as it goes without waiting for anybody.
void RunBook::advance(Moves& moves, Run& run, Timestamp now) {
  for (StepStanding& standing : run.steps) {
    if (standing.state == StepState::failed && !standing.step.go_on) {
      return end(moves, run, RunState::failed, now);
    }
    if (is_over(standing.state)) continue;
    if (standing.state == StepState::waiting && begin(moves, run, standing, now)) continue;
    const bool at_work = standing.state == StepState::intended;
    return end(moves, run, at_work ? RunState::running : RunState::waits_for_person, now);
  }
  end(moves, run, RunState::done, now);
}

RunBook::Moves RunBook::resume(Timestamp now) {
  Moves moves;
  for (auto& [number, run] : runs_) {
    for (StepStanding& standing : run.steps) {
      if (standing.state != StepState::intended) continue;
      if (standing.step.repeatable) {
        moves.effects.push_back({.run = number,
                                 .key = step_key(run, standing.step),
                                 .incident = run.incident,
                                 .step = standing.step});
      } else {
        move(moves, run, standing, StepState::unknown, daemon_itself,
             "the daemon ended before it learned what the command did; look, then say done, failed "
             "or again",
             now);
      }
    }
    advance(moves, run, now);
  }
  return moves;
}

RunBook::Moves RunBook::start_due(const std::vector<Playbook>& playbooks,
                                  const incident::Incident& incident,
                                  const std::vector<std::string>& commands, Timestamp now) {
  Moves moves;
  for (const Playbook& playbook : playbooks) {
    if (!is_due(playbook, incident)) continue;
    if (!started_.emplace(playbook.name, incident.number).second) continue;
    Run& run = runs_[++last_number_];
    run = {.number = last_number_,
           .playbook = playbook.name,
           .title = playbook.title,
           .version = playbook.version,
           .incident = incident.number,
           .dry_run = playbook.dry_run,
           .started = now,
           .changed = now};
    for (Step& step : plan(playbook, incident, commands)) {
      run.steps.push_back({.step = std::move(step)});
    }
    moves.changes.push_back({.run = run.number,
                             .before = "",
                             .after = std::string(to_string(run.state)),
                             .who = daemon_itself,
                             .why = playbook.title,
                             .when = now});
    advance(moves, run, now);
  }
  return moves;
}

RunBook::Moves RunBook::settle(const StepOutcome& outcome, Timestamp now) {
  Moves moves;
  const auto run = runs_.find(outcome.run);
  if (run == runs_.end()) return moves;
  StepStanding* const standing = find_step(run->second, outcome.step);
  if (standing == nullptr || standing->state != StepState::intended) return moves;
  move(moves, run->second, *standing, outcome.good ? StepState::done : StepState::failed,
       daemon_itself, outcome.why, now, outcome.result);
  advance(moves, run->second, now);
  return moves;
}

Result<RunBook::Moves> RunBook::act(const RunAct& act, Timestamp now) {
  if (act.who.empty()) return fail(Code::denied, "who does this must be named");
  if (act.why.empty() && act.kind != RunAct::Kind::approve) {
    return fail(Code::denied, "a reason must be given");
  }
  if (act.why.size() > reason_bytes_max) return fail(Code::invalid, "the reason is too long");
  const auto found = runs_.find(act.run);
  if (found == runs_.end()) {
    return fail(Code::not_found, "there is no open playbook run " + std::to_string(act.run));
  }
  Run& run = found->second;
  StepStanding* const standing = find_step(run, act.step);
  if (standing == nullptr) {
    return fail(Code::not_found,
                "run " + std::to_string(act.run) + " has no step '" + act.step + "'");
  }
  const StepState state = standing->state;
  const bool asks = state == StepState::needs_approval;
  const bool open = state == StepState::needs_person || state == StepState::unknown;
  using Kind = RunAct::Kind;
  const bool fits = (act.kind == Kind::approve && asks) ||
                    (act.kind == Kind::reject && (asks || state == StepState::needs_person)) ||
                    ((act.kind == Kind::done || act.kind == Kind::failed) && open) ||
                    (act.kind == Kind::again && state == StepState::unknown);
  if (!fits) {
    return fail(Code::conflict, "the step '" + act.step + "' is " + std::string(to_string(state)) +
                                    ", which this does not fit");
  }
  Moves moves;
  switch (act.kind) {
    case Kind::approve:
      standing->approved = true;
      move(moves, run, *standing, StepState::waiting, act.who, act.why, now);
      break;
    case Kind::again:
      move(moves, run, *standing, StepState::waiting, act.who, act.why, now);
      break;
    case Kind::reject:
      move(moves, run, *standing, StepState::skipped, act.who, act.why, now);
      break;
    case Kind::done:
      move(moves, run, *standing, StepState::done, act.who, act.why, now);
      break;
    case Kind::failed:
      move(moves, run, *standing, StepState::failed, act.who, act.why, now);
      break;
  }
  advance(moves, run, now);
  return moves;
}

}  // namespace mailwarden::respond
