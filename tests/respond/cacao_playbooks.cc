#include "tests/respond/cacao_playbooks.h"

#include <array>

namespace mailwarden::respond {

using flow::Operation;
using flow::Step;
using flow::StepKind;
using flow::VariableType;

std::string CacaoPlaybooks::text() {
  constexpr std::array texts{"plain",
                             "of ${account}",
                             "it's \"quoted\" \\ so",
                             "two\nlines",
                             "${$}{HOME} and ${$}",
                             "  blanks  ",
                             "__account__:value as it is",
                             "a__${account}__b",
                             "${incident.entity} of ${incident.number}",
                             "Approve before going on: x",
                             "üml äut €",
                             "{\"a\": 1}",
                             "[1]",
                             "true",
                             "",
                             "${_x}_${and-more}"};
  return texts[below(texts.size())];
}

Duration CacaoPlaybooks::time() {
  constexpr std::array<std::int64_t, 5> times{1, 1'500, 1'000'000, 90'000'000, 3'600'000'000};
  return Duration(times[below(times.size())]);
}

json::Value CacaoPlaybooks::value(int depth) {
  switch (below(depth > 2 ? 4 : 6)) {
    case 0:
      return static_cast<std::int64_t>(below(1000)) - 500;
    case 1:
      return 0.25;
    case 2:
      return chance(2);
    case 3:
      return text();
    case 4: {
      json::Array items;
      for (std::size_t i = below(3); i > 0; --i) items.push_back(value(depth + 1));
      return items;
    }
    default: {
      json::Object members;
      for (std::size_t i = below(3); i > 0; --i) members["m" + text()] = value(depth + 1);
      return members;
    }
  }
}

std::string CacaoPlaybooks::condition(int depth) {
  constexpr std::array conditions{"count > 0",
                                  "3 <= count",
                                  "account == \"it's\"",
                                  "account in [\"a\", \"b\"]",
                                  "not (sure or count != 2)",
                                  "exists account and not sure",
                                  "incident.severity >= 2",
                                  "sure == false",
                                  "share < 0.5",
                                  "account == kind"};
  if (depth > 1 || chance(2)) return conditions[below(conditions.size())];
  return "(" + condition(depth + 1) + ") " + (chance(2) ? "and" : "or") + " not (" +
         condition(depth + 1) + ")";
}

Operation CacaoPlaybooks::operation(StepKind kind) {
  Operation out{.kind = kind};
  if (chance(2)) out.time_out = time();
  switch (kind) {
    case StepKind::notify:
      out.to = {"spool", "on-call:primary"};
      out.text = text();
      break;
    case StepKind::command:
      out.command = {"/usr/bin/x"};
      for (std::size_t i = below(4); i > 0; --i) out.command.push_back(text());
      break;
    case StepKind::http:
      out.method = chance(2) ? "GET" : "POST";
      out.url = chance(2) ? "https://h.example/${account}?a=b" : "http://127.0.0.1:8080/x";
      if (chance(2)) out.headers = {{"X-A", text()}, {"X-B", "b"}};
      if (chance(2)) out.body = value(0);
      if (chance(3)) out.sign_with = "key";
      break;
    default:
      out.action = "suspend_account";
      out.arguments = {{"account", "${account}"}, {"more", value(1)}};
      break;
  }
  return out;
}

void CacaoPlaybooks::fill_guards(Step& step) {
  constexpr std::array operations{StepKind::notify, StepKind::command, StepKind::http,
                                  StepKind::action};
  if (chance(3)) step.approval = text();
  step.repeatable = chance(2);
  if (chance(3)) step.undo = operation(operations[below(operations.size())]);
  if (chance(3)) step.probe = flow::Probe{operation(StepKind::command), "exit == 0"};
  if (chance(3)) step.retry = {.tries = 3, .pause = time(), .pause_max = time()};
  if (chance(3)) step.rate = {.times = 5, .per = time()};
  if (chance(3)) step.set = {{"account", "output"}, {"_x", "body.a"}};
}

void CacaoPlaybooks::fill(Step& step, int depth) {
  constexpr std::array kinds{StepKind::notify,
                             StepKind::command,
                             StepKind::http,
                             StepKind::action,
                             StepKind::manual,
                             StepKind::approval,
                             StepKind::wait,
                             StepKind::playbook,
                             StepKind::if_condition,
                             StepKind::switch_condition,
                             StepKind::while_condition,
                             StepKind::parallel};
  step.kind = kinds[below(depth < 3 && made_ < 50 ? kinds.size() : 8)];
  switch (step.kind) {
    case StepKind::manual:
    case StepKind::approval:
      step.text = text();
      if (chance(2)) step.within = time();
      if (chance(2)) step.set = {{"account", "answer"}};
      return;
    case StepKind::wait:
      step.wait = time();
      return;
    case StepKind::playbook:
      step.playbook = chance(2) ? "other" : "playbook--1b4e28ba-2fa1-41d2-883f-0016d3cca427";
      if (chance(2)) step.with = {{"host", "${account}"}, {"more", text()}};
      if (chance(2)) step.set = {{"account", "account"}, {"_x", "found"}};
      return;
    case StepKind::if_condition:
      step.condition = condition(0);
      step.then = branch(depth + 1);
      if (chance(2)) step.otherwise = branch(depth + 1);
      return;
    case StepKind::switch_condition:
      step.condition = chance(2) ? "${kind}" : "a ${kind} of ${incident.type}";
      for (const char* name : {"b", "default", "x: y/z~", ""}) {
        if (chance(2) || step.cases.empty()) step.cases[name] = branch(depth + 1);
      }
      if (chance(2)) step.default_case = branch(depth + 1);
      return;
    case StepKind::while_condition:
      step.condition = condition(0);
      step.rounds_max = 1 + static_cast<std::int64_t>(below(200));
      step.then = branch(depth + 1);
      return;
    case StepKind::parallel:
      for (std::size_t i = 2 + below(2); i > 0; --i) step.branches.push_back(branch(depth + 1));
      return;
    default:
      step.operation = operation(step.kind);
      fill_guards(step);
      return;
  }
}

std::string CacaoPlaybooks::branch(int depth) {
  std::vector<Step> steps(1 + below(4));
  for (Step& step : steps) {
    step.id = "s" + std::to_string(++made_);
    playbook_.order.push_back(step.id);
    if (chance(3)) step.name = text();
    if (chance(3)) step.description = text();
    if (chance(4)) step.delay = time();
    fill(step, depth);
  }
  for (std::size_t i = 0; i + 1 < steps.size(); ++i) {
    steps[i].next = steps[i + 1].id;
    if (i + 2 < steps.size() && chance(3)) {
      steps[i].next = steps[i + 2].id;
      steps[i].on_failure = steps[i + 1].id;
    } else if (chance(4)) {
      steps[i].on_failure = steps[i + 1].id;
      steps[i].next = "";
    }
  }
  for (Step& step : steps) {
    if (chance(4)) step.go_on = true;
  }
  const std::string first = steps.front().id;
  for (Step& step : steps) playbook_.steps[step.id] = std::move(step);
  return first;
}

flow::Playbook CacaoPlaybooks::make() {
  playbook_.name = chance(2) ? "made" : "lock-the-account";
  playbook_.title = chance(2) ? "Lock the account" : "";
  if (chance(2)) playbook_.description = text();
  if (chance(2)) playbook_.when = flow::When{{"a", "b"}, {"malware"}, incident::Severity::high};
  playbook_.dry_run = chance(2);
  playbook_.undo_on_failure = chance(2);
  if (chance(2)) playbook_.rate = {.times = 3, .per = time()};
  playbook_.variables["account"] = {.meaning = text(), .from = "incident.entity"};
  playbook_.variables["count"] = {.type = VariableType::integer, .value = 3, .constant = true};
  playbook_.variables["share"] = {.type = VariableType::floating, .value = 0.75};
  playbook_.variables["sure"] = {.type = VariableType::boolean, .value = true, .external = true};
  playbook_.variables["kind"] = {.meaning = "which", .value = text()};
  playbook_.variables["_x"] = {.type = VariableType::list, .value = json::Array{"1", text()}};
  playbook_.variables["and-more"] = {.type = VariableType::dictionary,
                                     .value = json::Object{{"a", value(0)}}};
  playbook_.variables["a.b"] = {.type = VariableType::ipv4_addr, .value = "10.0.0.1"};
  playbook_.variables["incident_entity"] = {.type = VariableType::uuid};
  playbook_.start = branch(0);
  if (chance(2)) playbook_.on_failure = branch(0);
  return std::move(playbook_);
}

}  // namespace mailwarden::respond
