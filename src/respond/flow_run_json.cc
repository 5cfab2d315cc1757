// Runs as JSON: for the store, for people, and as earlier versions stored them.
#include <algorithm>
#include <array>

#include "respond/flow_json.h"
#include "respond/flow_old_run.h"
#include "respond/flow_walk.h"

namespace mailwarden::respond::flow {
namespace {

using json::Array;
using json::Object;
using json::Value;

constexpr std::int64_t format = 2;

constexpr std::array phases{std::pair{Phase::steps, std::string_view("steps")},
                            std::pair{Phase::on_failure, std::string_view("on_failure")},
                            std::pair{Phase::cancelling, std::string_view("cancelling")},
                            std::pair{Phase::undoing, std::string_view("undoing")},
                            std::pair{Phase::over, std::string_view("over")}};

std::string_view name_of(Phase phase) {
  return std::ranges::find(phases, phase, [](const auto& p) { return p.first; })->second;
}

std::optional<Phase> phase_of(std::string_view name) {
  const auto* const found = std::ranges::find(phases, name, [](const auto& p) { return p.second; });
  return found == phases.end() ? std::nullopt : std::optional(found->first);
}

std::optional<Cause> cause_of(std::string_view name) {
  for (const Cause cause : {Cause::change, Cause::hand, Cause::run}) {
    if (to_string(cause) == name) return cause;
  }
  return std::nullopt;
}

std::unexpected<Error> damaged_run(const Value& value) {
  return fail(Code::corrupt,
              "the stored playbook run " + std::to_string(value.integer("number")) + " is damaged");
}

bool truth_of(const Value& value) {
  return value == Value(true);
}

Object object_of(const Value& value) {
  return value.as_object() == nullptr ? Object() : *value.as_object();
}

// What is followed must be there.
bool leads_to_steps(const Playbook& playbook) {
  const auto is_there = [&](const std::string& id) {
    return id.empty() || playbook.steps.contains(id);
  };
  if (!playbook.steps.contains(playbook.start) || !is_there(playbook.on_failure)) return false;
  return std::ranges::all_of(playbook.steps, [&](const auto& one) {
    const Step& step = one.second;
    return is_there(step.next) && is_there(step.on_failure) && is_there(step.then) &&
           is_there(step.otherwise) && is_there(step.default_case) &&
           std::ranges::all_of(step.cases, [&](const auto& c) { return is_there(c.second); }) &&
           std::ranges::all_of(step.branches, is_there);
  });
}

Object stored(const Standing& standing) {
  Object object{{"state", to_string(standing.state)}, {"visit", standing.visit}};
  put(object, "tries", standing.tries);
  if (standing.due) object["due"] = to_rfc3339(*standing.due);
  put(object, "approved", standing.approved);
  put(object, "by_hand", standing.by_hand);
  put(object, "lost", standing.lost);
  put(object, "ordered", standing.ordered);
  put(object, "who", standing.who);
  put(object, "why", standing.why);
  put(object, "result", standing.result);
  if (standing.operation) object["operation"] = to_json(*standing.operation);
  put(object, "does", standing.does);
  put(object, "plan", standing.plan);
  put(object, "rounds", standing.rounds);
  put(object, "branches", standing.branches);
  put(object, "branch_failed", standing.branch_failed);
  put(object, "child", standing.child);
  return object;
}

Result<Standing> standing_of(const std::string& step, const Value& value) {
  const auto state = parse_step_state(value.text("state"));
  if (!state) return fail(Code::corrupt, "a step's standing is damaged");
  Standing standing{.step = step,
                    .state = *state,
                    .visit = value.integer("visit"),
                    .tries = value.integer("tries"),
                    .approved = truth_of(value["approved"]),
                    .by_hand = truth_of(value["by_hand"]),
                    .lost = truth_of(value["lost"]),
                    .ordered = truth_of(value["ordered"]),
                    .who = value.text("who"),
                    .why = value.text("why"),
                    .result = object_of(value["result"]),
                    .does = value.text("does"),
                    .plan = object_of(value["plan"]),
                    .rounds = value.integer("rounds"),
                    .branches = value.integer("branches"),
                    .branch_failed = truth_of(value["branch_failed"]),
                    .child = value.integer("child")};
  if (!value["due"].is_null()) {
    const auto due = parse_rfc3339(value.text("due"));
    if (!due) return std::unexpected(due.error());
    standing.due = *due;
  }
  if (!value["operation"].is_null()) {
    auto operation = operation_from_json(value["operation"]);
    if (!operation) return std::unexpected(operation.error());
    standing.operation = *std::move(operation);
  }
  return standing;
}

Result<void> read_standings(const Value& value, Run& run) {
  for (const auto& [id, step] : run.playbook().steps) {
    auto standing = standing_of(id, value["steps"][id]);
    if (!standing) return std::unexpected(standing.error());
    run.steps[id] = *std::move(standing);
  }
  const auto* const undos = value["undos"].as_array();
  for (const Value& item : undos == nullptr ? Array() : *undos) {
    auto undo = standing_of(item.text("step"), item);
    if (!undo) return std::unexpected(undo.error());
    if (!run.steps.contains(undo->step)) {
      return fail(Code::corrupt, "an undo is no step's");
    }
    undo->is_undo = true;
    run.undos.push_back(*std::move(undo));
  }
  for (const auto& [step, times] : object_of(value["uses"])) {
    const auto* const list = times.as_array();
    for (const Value& time : list == nullptr ? Array() : *list) {
      if (time.as_integer() != nullptr) run.uses[step].push_back({*time.as_integer()});
    }
  }
  return {};
}

// For people: one step, in the file's order.
Object shown(const Run& run, const Standing& standing) {
  const Step& step = run.graph->step(standing.step);
  Object object = stored(standing);
  object["id"] = step.id;
  object["kind"] = to_string(step.kind);
  put(object, "name", step.name);
  put(object, "description", step.description);
  const std::string& container = run.graph->container(step.id);
  put(object, "inside", container);
  for (const char* name : {"who", "why", "does"}) object.try_emplace(name, "");
  object.try_emplace("result", Object());
  object["approved"] = standing.approved;
  return object;
}

Object shown_head(const Run& run) {
  Object object{{"cause", to_string(run.cause)}, {"changed", to_rfc3339(run.changed)},
                {"dry_run", run.dry_run},        {"incident", run.incident},
                {"number", run.number},          {"started", to_rfc3339(run.started)},
                {"state", to_string(run.state)}};
  put(object, "parent", run.parent);
  put(object, "parent_step", run.parent_step);
  put(object, "held", run.held);
  put(object, "who", run.who);
  put(object, "why", run.why);
  put(object, "failure", run.failure);
  put(object, "values", run.values);
  return object;
}

}  // namespace

Object to_stored_json(const Run& run) {
  Object object = shown_head(run);
  object["format"] = format;
  object["playbook"] = to_json(run.playbook());
  object["root"] = run.root;
  put(object, "depth", run.depth);
  put(object, "literal", run.literal);
  object["phase"] = name_of(run.phase);
  object["ends_as"] = to_string(run.ends_as);
  put(object, "undo_asked", run.undo_asked);
  object["visits"] = run.visits;
  Object steps;
  for (const auto& [id, standing] : run.steps) steps[id] = stored(standing);
  object["steps"] = std::move(steps);
  Array undos;
  for (const Standing& undo : run.undos) {
    Object one = stored(undo);
    one["step"] = undo.step;
    undos.push_back(std::move(one));
  }
  if (!undos.empty()) object["undos"] = std::move(undos);
  Object uses;
  for (const auto& [step, times] : run.uses) {
    Array list;
    for (const Timestamp time : times) list.push_back(time.us);
    uses[step] = std::move(list);
  }
  put(object, "uses", uses);
  return object;
}

Result<Run> run_from_json(const Value& value) {
  if (value.integer("format") != format) return run_of_format_1(value);
  auto playbook = playbook_from_json(value["playbook"]);
  const auto state = parse_run_state(value.text("state"));
  const auto ends_as = parse_run_state(value.text("ends_as"));
  const auto phase = phase_of(value.text("phase"));
  const auto cause = cause_of(value.text("cause"));
  const auto started = parse_rfc3339(value.text("started"));
  const auto changed = parse_rfc3339(value.text("changed"));
  if (!playbook || !leads_to_steps(*playbook) || !state || !ends_as || !phase || !cause ||
      !started || !changed) {
    return damaged_run(value);
  }
  Run run{.number = value.integer("number"),
          .graph = std::make_shared<const Graph>(*std::move(playbook)),
          .incident = value.integer("incident"),
          .cause = *cause,
          .parent = value.integer("parent"),
          .parent_step = value.text("parent_step"),
          .root = value.integer("root"),
          .depth = value.integer("depth"),
          .dry_run = truth_of(value["dry_run"]),
          .literal = truth_of(value["literal"]),
          .state = *state,
          .phase = *phase,
          .ends_as = *ends_as,
          .undo_asked = truth_of(value["undo_asked"]),
          .held = value.text("held"),
          .who = value.text("who"),
          .why = value.text("why"),
          .failure = value.text("failure"),
          .started = *started,
          .changed = *changed,
          .visits = value.integer("visits"),
          .values = object_of(value["values"])};
  if (!read_standings(value, run)) return damaged_run(value);
  return run;
}

Object to_json(const Run& run) {
  Object object = shown_head(run);
  const Playbook& playbook = run.playbook();
  object["playbook"] = playbook.name;
  object["title"] = playbook.title;
  object["version"] = playbook.version;
  Array steps;
  for (const std::string& id : playbook.order) {
    const auto found = run.steps.find(id);
    if (found != run.steps.end()) steps.push_back(shown(run, found->second));
  }
  object["steps"] = std::move(steps);
  Array undos;
  for (const Standing& undo : run.undos) {
    Object one = stored(undo);
    one["step"] = undo.step;
    undos.push_back(std::move(one));
  }
  if (!undos.empty()) object["undos"] = std::move(undos);
  return object;
}

Object to_record(const StepChange& change, const Run& run) {
  Object record{{"after", change.after},    {"before", change.before},
                {"incident", run.incident}, {"playbook", run.playbook().name},
                {"run", change.run},        {"version", run.playbook().version},
                {"who", change.who}};
  put(record, "step", change.step);
  if (change.visit > 1) record["visit"] = change.visit;
  put(record, "undo", change.is_undo);
  put(record, "why", change.why);
  put(record, "act", change.act);
  put(record, "does", change.does);
  put(record, "result", change.result);
  return record;
}

}  // namespace mailwarden::respond::flow
