#include "tests/respond/random_playbook.h"

#include "respond/flow_file.h"

namespace mailwarden::respond::flow {

std::string RandomPlaybook::text() {
  constexpr const char* texts[] = {"plain",        "with ${account}",
                                   "a: b # c",     "it's \"quoted\"",
                                   "two\nlines\t", "${$}{HOME}",
                                   "true",         "12",
                                   "1.50",         "- [x]",
                                   "üml äut €",    " blanks ",
                                   "null",         "~",
                                   "\\ \x01",      "yes"};
  return texts[below(std::size(texts))];
}

Duration RandomPlaybook::time() {
  return Duration(static_cast<std::int64_t>(1 + below(5)) * (chance(2)   ? 1'000'000
                                                             : chance(2) ? 3'600'000'000
                                                                         : 1'001));
}

json::Value RandomPlaybook::value(int depth) {
  switch (below(depth > 3 ? 5 : 7)) {
    case 0:
      return {};
    case 1:
      return chance(2);
    case 2:
      return static_cast<std::int64_t>(below(1000)) - 500;
    case 3:
      return static_cast<double>(below(100)) / 4;
    case 5: {
      json::Array items;
      for (std::size_t i = below(4); i > 0; --i) items.push_back(value(depth + 1));
      return items;
    }
    case 6: {
      json::Object members;
      for (std::size_t i = below(4); i > 0; --i) members[text()] = value(depth + 1);
      return members;
    }
    default:
      return text();
  }
}

Operation RandomPlaybook::operation(bool may_notify) {
  Operation operation;
  if (chance(2)) operation.time_out = time();
  switch (below(may_notify ? 4 : 3)) {
    case 0:
      operation.command = {"/bin/x"};
      for (std::size_t i = below(4); i > 0; --i) operation.command.push_back(text());
      break;
    case 1:
      operation.kind = StepKind::http;
      operation.method = chance(2) ? "GET" : "PATCH";
      operation.url = "https://h.example/a?b=${account}";
      if (chance(2)) operation.headers = {{"X-A", text()}};
      operation.body = value(0);
      if (chance(2)) operation.sign_with = "key";
      break;
    case 2:
      operation.kind = StepKind::action;
      operation.action = "suspend_account";
      if (chance(2)) operation.arguments = {{"account", text()}, {"more", value(1)}};
      break;
    default:
      operation.kind = StepKind::notify;
      operation.to = {"spool", "on-call:primary"};
      operation.text = text();
      break;
  }
  return operation;
}

void RandomPlaybook::fill_operation(Step& step) {
  step.operation = operation(true);
  step.kind = step.operation.kind;
  step.repeatable = chance(2);
  step.retry = default_retry(step.kind);
  if (chance(2)) step.retry = {.tries = 1 + static_cast<std::int64_t>(below(20)), .pause = time()};
  step.retry.pause_max = std::max(step.retry.pause, step.retry.pause_max);
  if (chance(2)) step.approval = text();
  if (chance(3)) step.rate = {.times = 5, .per = time()};
  if (chance(3)) step.undo = operation(true);
  if (step.kind == StepKind::notify) return;
  if (chance(3)) step.probe = Probe{.operation = operation(false), .holds = "exit == 0"};
  if (chance(3)) step.set = {{"account", "output"}};
}

void RandomPlaybook::fill_branches(Step& step, int depth) {
  switch (below(4)) {
    case 0:
      step.kind = StepKind::if_condition;
      step.condition = "count > 0 and kind == \"a\"";
      step.then = branch(depth + 1);
      if (chance(2)) step.otherwise = branch(depth + 1);
      return;
    case 1:
      step.kind = StepKind::switch_condition;
      step.condition = text();
      for (const char* name : {"b", "a", "true", "x: y"}) {
        if (chance(2) || step.cases.empty()) step.cases[name] = branch(depth + 1);
      }
      if (chance(2)) step.default_case = branch(depth + 1);
      return;
    case 2:
      step.kind = StepKind::while_condition;
      step.condition = "count > 0";
      step.rounds_max = 1 + static_cast<std::int64_t>(below(1000));
      step.then = branch(depth + 1);
      return;
    default:
      step.kind = StepKind::parallel;
      for (std::size_t i = 2 + below(2); i > 0; --i) step.branches.push_back(branch(depth + 1));
      return;
  }
}

Step RandomPlaybook::step(int depth) {
  Step step;
  step.id = "s" + std::to_string(++made_);
  playbook_.order.push_back(step.id);
  if (chance(4)) step.name = text();
  if (chance(4)) step.description = text();
  if (chance(4)) step.delay = time();
  if (chance(6)) step.cacao = {{"id", text()}, {"x", value(0)}};
  if (depth < 4 && made_ < 60 && chance(3)) {
    fill_branches(step, depth);
  } else if (chance(2)) {
    fill_operation(step);
  } else if (chance(3)) {
    step.kind = StepKind::wait;
    step.wait = time();
  } else if (chance(2)) {
    step.kind = chance(2) ? StepKind::manual : StepKind::approval;
    step.text = text();
    if (chance(2)) step.within = time();
    if (step.kind == StepKind::manual && chance(2)) step.set = {{"account", "answer"}};
  } else {
    step.kind = StepKind::playbook;
    step.playbook = "other";
    step.with = {{"host", text()}};
    step.set = {{"account", "found"}};
  }
  return step;
}

std::string RandomPlaybook::branch(int depth) {
  std::vector<Step> steps;
  for (std::size_t i = 1 + below(4); i > 0; --i) steps.push_back(step(depth));
  for (std::size_t i = 0; i + 1 < steps.size(); ++i) {
    steps[i].next = steps[i + 1].id;
    // A jump over steps that a failure leads to.
    if (i + 2 < steps.size() && chance(3)) {
      steps[i].next = steps[i + 2].id;
      steps[i].on_failure = steps[i + 1].id;
    } else if (chance(5)) {
      steps[i].on_failure = steps[i + 1].id;
      steps[i].next = chance(2) ? "" : steps[i].next;
    } else if (chance(5)) {
      steps[i].go_on = true;
    }
  }
  const std::string first = steps.front().id;
  for (Step& one : steps) playbook_.steps.insert_or_assign(one.id, std::move(one));
  return first;
}

Playbook RandomPlaybook::make() {
  playbook_.name = "random";
  playbook_.title = text();
  if (chance(2)) playbook_.description = text();
  if (chance(2)) playbook_.when = When{.rules = {"a", "b"}, .types = {"malware"}};
  playbook_.dry_run = chance(2);
  playbook_.undo_on_failure = chance(2);
  if (chance(2)) playbook_.rate = {.times = 3, .per = time()};
  playbook_.variables = {
      {"account", {.meaning = text(), .value = {}, .from = "incident.entity"}},
      {"count", {.type = VariableType::integer, .meaning = {}, .value = 3, .from = {}}},
      {"share", {.type = VariableType::floating, .meaning = {}, .value = 2.0, .from = {}}},
      {"kind", {.meaning = {}, .value = text(), .constant = true, .from = {}}},
      {"more",
       {.type = VariableType::dictionary,
        .meaning = {},
        .value = json::Object{{"a", value(0)}},
        .external = true,
        .from = {}}},
      {"hosts",
       {.type = VariableType::list,
        .meaning = {},
        .value = json::Array{"1", "true", text()},
        .from = {}}}};
  playbook_.start = branch(0);
  if (chance(2)) playbook_.on_failure = branch(0);
  if (chance(3)) playbook_.cacao = {{"id", "playbook--1"}, {"more", value(0)}};
  return std::move(playbook_);
}

}  // namespace mailwarden::respond::flow
