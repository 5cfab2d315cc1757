#include "app/playbook_means.h"

#include "base/text.h"

namespace mailwarden::app {
namespace {

namespace flow = respond::flow;

flow::StepKind kind_of(respond::StepKind kind) {
  switch (kind) {
    case respond::StepKind::notify:
      return flow::StepKind::notify;
    case respond::StepKind::command:
      return flow::StepKind::command;
    case respond::StepKind::http:
      return flow::StepKind::http;
    case respond::StepKind::manual:
      return flow::StepKind::manual;
  }
  return flow::StepKind::manual;
}

flow::Step step_of(const respond::Step& step) {
  flow::Step made{.id = step.id,
                  .kind = kind_of(step.kind),
                  .go_on = step.go_on,
                  .approval = step.approval,
                  .repeatable = step.repeatable};
  made.retry.tries = step.repeatable ? step.tries_max : 1;
  if (made.kind == flow::StepKind::manual) {
    made.text = step.text;
    return made;
  }
  made.operation = {.kind = made.kind,
                    .to = step.to,
                    .text = step.text,
                    .command = step.command,
                    .method = step.method,
                    .url = step.url,
                    .body = step.body,
                    .time_out = step.time_out};
  return made;
}

respond::Step step_of(const flow::Operation& operation) {
  respond::StepKind kind = respond::StepKind::http;
  if (operation.kind == flow::StepKind::notify) kind = respond::StepKind::notify;
  if (operation.kind == flow::StepKind::command) kind = respond::StepKind::command;
  return {.kind = kind,
          .to = operation.to,
          .text = operation.text,
          .command = operation.command,
          .method = operation.method,
          .url = operation.url,
          .body = operation.body};
}

json::Object incident_values(const incident::Incident& incident) {
  return {{"incident.number", incident.number},
          {"incident.title", incident.title},
          {"incident.severity", static_cast<int>(incident.severity)},
          {"incident.entity", incident.entity.name},
          {"incident.entity_kind", incident.entity.kind},
          {"incident.row", incident.row}};
}

std::string text_of(const json::Value& value) {
  return value.as_string() == nullptr ? "" : *value.as_string();
}

std::int64_t number_of(const json::Value& value) {
  return value.as_integer() == nullptr ? 0 : *value.as_integer();
}

incident::Incident incident_of(const flow::Means::Lookup& lookup) {
  return {.number = number_of(lookup("incident.number")),
          .title = text_of(lookup("incident.title")),
          .entity = {text_of(lookup("incident.entity_kind")), text_of(lookup("incident.entity"))},
          .severity = static_cast<incident::Severity>(number_of(lookup("incident.severity"))),
          .row = text_of(lookup("incident.row"))};
}

Result<respond::Step> planned(const respond::Step& step, const flow::Means::Lookup& lookup,
                              const std::vector<std::string>& commands) {
  if (lookup("incident.number").is_null()) {
    return fail(Code::not_found, "the incident's variables have no value without an incident");
  }
  const respond::Playbook playbook{.steps = {step}};
  respond::Step filled = respond::plan(playbook, incident_of(lookup), commands).front();
  if (filled.kind == step.kind) return filled;
  // "By hand, since WHY: LINE"
  const std::string_view by_hand = "By hand, since ";
  const std::string line = filled.text.substr(by_hand.size());
  return fail(Code::denied, line.substr(0, line.find(": " + printable(step.command.front()))));
}

}  // namespace

flow::Playbook flow_of(const respond::Playbook& playbook) {
  flow::Playbook made{
      .name = playbook.name,
      .title = playbook.title,
      .file = playbook.file,
      .version = playbook.version,
      .when = flow::When{.rules = playbook.rules, .severity_from = playbook.severity_from},
      .dry_run = playbook.dry_run};
  for (const respond::Step& step : playbook.steps) {
    if (made.order.empty()) {
      made.start = step.id;
    } else {
      made.steps.find(made.order.back())->second.next = step.id;
    }
    made.order.push_back(step.id);
    made.steps.emplace(step.id, step_of(step));
  }
  return made;
}

flow::Means means_of(const std::vector<std::string>& commands,
                     std::function<const flow::Playbook*(std::string_view name)> find) {
  using Lookup = flow::Means::Lookup;
  return {.holds = [](std::string_view, const Lookup&) -> Result<bool> {
            return fail(Code::invalid, "such a playbook has no conditions");
          },
          .fill_text = [](std::string_view text, const Lookup& lookup) -> Result<std::string> {
            const auto filled =
                planned({.kind = respond::StepKind::manual, .text = std::string(text)}, lookup, {});
            if (!filled) return std::unexpected(filled.error());
            return filled->text;
          },
          .fill = [commands](const flow::Operation& operation,
                             const Lookup& lookup) -> Result<flow::Operation> {
            auto filled = planned(step_of(operation), lookup, commands);
            if (!filled) return std::unexpected(filled.error());
            flow::Operation made = operation;
            made.text = std::move(filled->text);
            made.command = std::move(filled->command);
            made.url = std::move(filled->url);
            made.body = std::move(filled->body);
            return made;
          },
          .read = [](flow::VariableType, const json::Value& value) -> Result<json::Value> {
            return value;
          },
          .describe = [](const flow::Operation& operation) { return describe(step_of(operation)); },
          .is_repeatable = [](std::string_view) { return false; },
          .incident_values = incident_values,
          .find = std::move(find)};
}

}  // namespace mailwarden::app
