#include "respond/flow_old_run.h"

#include "respond/flow_walk.h"

namespace mailwarden::respond::flow {
namespace {

std::vector<std::string> texts_of(const json::Value& value) {
  std::vector<std::string> texts;
  if (value.as_array() == nullptr) return texts;
  for (const json::Value& item : *value.as_array()) {
    if (item.as_string() != nullptr) texts.push_back(*item.as_string());
  }
  return texts;
}

std::optional<StepKind> kind_of(std::string_view name) {
  if (name == "notify") return StepKind::notify;
  if (name == "command") return StepKind::command;
  if (name == "http") return StepKind::http;
  if (name == "manual") return StepKind::manual;
  return std::nullopt;
}

std::optional<Step> step_of(const json::Value& value) {
  const auto kind = kind_of(value.text("kind"));
  if (!kind || value.text("id").empty()) return std::nullopt;
  Step step{.id = value.text("id"),
            .kind = *kind,
            .go_on = value["go_on"] == json::Value(true),
            .approval = value.text("approval"),
            .repeatable = value["repeatable"] == json::Value(true)};
  step.retry.tries = step.repeatable ? value.integer("tries_max", 3) : 1;
  if (*kind == StepKind::manual) {
    step.text = value.text("text");
    return step;
  }
  step.operation = {.kind = *kind,
                    .to = texts_of(value["to"]),
                    .text = value.text("text"),
                    .command = texts_of(value["command"]),
                    .method = value.text("method"),
                    .url = value.text("url"),
                    .body = value["body"]};
  step.operation.time_out = Duration(value.integer("time_out_us", step.operation.time_out.count()));
  return step;
}

std::optional<Standing> standing_of(const Step& step, const json::Value& value) {
  const auto state = parse_step_state(value.text("state"));
  if (!state) return std::nullopt;
  const bool reached = *state != StepState::waiting;
  Standing standing{.step = step.id,
                    .state = *state,
                    .visit = reached ? 1 : 0,
                    .tries = *state == StepState::intended ? 1 : 0,
                    .approved = value["approved"] == json::Value(true),
                    .who = value.text("who"),
                    .why = value.text("why"),
                    .does = value.text("does")};
  if (value["result"].as_object() != nullptr) standing.result = *value["result"].as_object();
  if (has_operation(step.kind) && reached) standing.operation = step.operation;
  return standing;
}

}  // namespace

Result<Run> run_of_format_1(const json::Value& value) {
  const auto damaged = [&] {
    return fail(Code::corrupt, "the stored playbook run " +
                                   std::to_string(value.integer("number")) + " is damaged");
  };
  const auto state = parse_run_state(value.text("state"));
  const auto started = parse_rfc3339(value.text("started"));
  const auto changed = parse_rfc3339(value.text("changed"));
  const auto* const steps = value["steps"].as_array();
  if (!state || !started || !changed || steps == nullptr || steps->empty()) return damaged();
  Playbook playbook{.name = value.text("playbook"),
                    .title = value.text("title"),
                    .version = value.text("version")};
  Run run{.number = value.integer("number"),
          .incident = value.integer("incident"),
          .root = value.integer("number"),
          .dry_run = value["dry_run"] == json::Value(true),
          .literal = true,
          .state = *state,
          .phase = is_over(*state) ? Phase::over : Phase::steps,
          .ends_as = is_over(*state) ? *state : RunState::done,
          .started = *started,
          .changed = *changed};
  for (const json::Value& item : *steps) {
    auto step = step_of(item);
    const auto standing = step ? standing_of(*step, item) : std::nullopt;
    if (!standing || playbook.steps.contains(step->id)) return damaged();
    run.visits += standing->visit;
    run.steps[step->id] = *standing;
    if (playbook.start.empty()) playbook.start = step->id;
    if (!playbook.order.empty()) {
      playbook.steps.find(playbook.order.back())->second.next = step->id;
    }
    playbook.order.push_back(step->id);
    playbook.steps.emplace(step->id, *std::move(step));
  }
  run.graph = std::make_shared<const Graph>(std::move(playbook));
  return run;
}

}  // namespace mailwarden::respond::flow
