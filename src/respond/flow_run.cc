#include "respond/flow_run.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "respond/flow_walk.h"
#include "respond/incident_values.h"

namespace mailwarden::respond::flow {
namespace {

constexpr std::array step_states{
    std::pair{StepState::waiting, std::string_view("waiting")},
    std::pair{StepState::delayed, std::string_view("delayed")},
    std::pair{StepState::needs_approval, std::string_view("needs_approval")},
    std::pair{StepState::needs_person, std::string_view("needs_person")},
    std::pair{StepState::at_work, std::string_view("at_work")},
    std::pair{StepState::intended, std::string_view("intended")},
    std::pair{StepState::probing, std::string_view("probing")},
    std::pair{StepState::unknown, std::string_view("unknown")},
    std::pair{StepState::retrying, std::string_view("retrying")},
    std::pair{StepState::done, std::string_view("done")},
    std::pair{StepState::failed, std::string_view("failed")},
    std::pair{StepState::skipped, std::string_view("skipped")},
    std::pair{StepState::undoing, std::string_view("undoing")},
    std::pair{StepState::undone, std::string_view("undone")},
    std::pair{StepState::undo_failed, std::string_view("undo_failed")}};

constexpr std::array run_states{
    std::pair{RunState::running, std::string_view("running")},
    std::pair{RunState::waits_for_person, std::string_view("waits_for_person")},
    std::pair{RunState::undoing, std::string_view("undoing")},
    std::pair{RunState::done, std::string_view("done")},
    std::pair{RunState::failed, std::string_view("failed")},
    std::pair{RunState::cancelled, std::string_view("cancelled")},
    std::pair{RunState::undone, std::string_view("undone")}};

constexpr std::array causes{std::pair{Cause::change, std::string_view("change")},
                            std::pair{Cause::hand, std::string_view("hand")},
                            std::pair{Cause::run, std::string_view("run")}};

constexpr std::array acts{std::pair{RunAct::Kind::approve, std::string_view("approve")},
                          std::pair{RunAct::Kind::reject, std::string_view("reject")},
                          std::pair{RunAct::Kind::done, std::string_view("done")},
                          std::pair{RunAct::Kind::failed, std::string_view("failed")},
                          std::pair{RunAct::Kind::again, std::string_view("again")},
                          std::pair{RunAct::Kind::undo, std::string_view("undo")},
                          std::pair{RunAct::Kind::cancel, std::string_view("cancel")}};

template <class Names, class Value>
std::string_view name_of(const Names& names, Value value) {
  return std::ranges::find(names, value, [](const auto& n) { return n.first; })->second;
}

template <class Names>
auto value_of(const Names& names, std::string_view name) {
  const auto* const found = std::ranges::find(names, name, [](const auto& n) { return n.second; });
  return found == names.end() ? std::nullopt : std::optional(found->first);
}

}  // namespace

std::string_view to_string(StepState state) {
  return name_of(step_states, state);
}
std::optional<StepState> parse_step_state(std::string_view text) {
  return value_of(step_states, text);
}
std::string_view to_string(RunState state) {
  return name_of(run_states, state);
}
std::optional<RunState> parse_run_state(std::string_view text) {
  return value_of(run_states, text);
}
std::string_view to_string(Cause cause) {
  return name_of(causes, cause);
}
std::string_view to_string(RunAct::Kind kind) {
  return name_of(acts, kind);
}
std::optional<RunAct::Kind> parse_act(std::string_view text) {
  return value_of(acts, text);
}

bool is_over(RunState state) {
  return state == RunState::done || state == RunState::failed || state == RunState::cancelled ||
         state == RunState::undone;
}

Graph::Graph(Playbook playbook) : playbook_(std::move(playbook)) {
  walk(playbook_.start, "");
  walk(playbook_.on_failure, "");
}

// A branch, and the branches in it.
void Graph::walk(const std::string& first, const std::string& container) {
  std::vector<std::string> found{first};
  while (!found.empty()) {
    const std::string id = std::move(found.back());
    found.pop_back();
    if (id.empty() || !has(id) || !containers_.try_emplace(id, container).second) continue;
    const Step& step = this->step(id);
    found.push_back(step.next);
    found.push_back(step.on_failure);
    walk(step.then, id);
    walk(step.otherwise, id);
    walk(step.default_case, id);
    for (const auto& [text, branch] : step.cases) walk(branch, id);
    for (const std::string& branch : step.branches) walk(branch, id);
  }
}

const Step& Graph::step(std::string_view id) const {
  const auto found = playbook_.steps.find(id);
  CHECK(found != playbook_.steps.end());
  return found->second;
}

const std::string& Graph::container(std::string_view id) const {
  const auto found = containers_.find(id);
  return found == containers_.end() ? none_ : found->second;
}

std::vector<std::string> Graph::inside(std::string_view id) const {
  std::vector<std::string> all;
  for (const auto& [step, container] : containers_) {
    std::string_view above = container;
    while (!above.empty() && above != id) above = this->container(above);
    if (above == id) all.push_back(step);
  }
  return all;
}

Outcome outcome_of(const Effect& effect, Result<json::Object> answer) {
  return {.kind = effect.kind,
          .run = effect.run,
          .step = effect.step,
          .visit = effect.visit,
          .tries = effect.tries,
          .is_undo = effect.is_undo,
          .answer = std::move(answer)};
}

json::Value answered(const json::Object& result, std::string_view name) {
  if (const auto whole = result.find(name); whole != result.end()) return whole->second;
  const std::size_t dot = name.find('.');
  if (dot == std::string_view::npos) return {};
  const auto part = result.find(name.substr(0, dot));
  if (part == result.end()) return {};
  json::Value inner = part->second;
  if (const auto* text = inner.as_string(); text != nullptr) {
    auto parsed = json::parse(*text);
    if (!parsed) return {};
    inner = *std::move(parsed);
  }
  const auto* const members = inner.as_object();
  return members == nullptr ? json::Value() : answered(*members, name.substr(dot + 1));
}

json::Object cut(json::Object result) {
  const std::string text = json::to_text(result);
  if (text.size() <= RunLimits::result_bytes_max) return result;
  return {{"cut", text.substr(0, RunLimits::result_bytes_max)}, {"bytes", text.size()}};
}

std::set<std::int64_t> Moves::runs() const {
  std::set<std::int64_t> numbers;
  for (const StepChange& change : changes) numbers.insert(change.run);
  return numbers;
}

RunBook::RunBook(Means means, Stored stored)
    : means_(std::move(means)),
      runs_{.started = std::move(stored.started),
            .last_number = stored.last_number,
            .uses = std::move(stored.uses)} {
  for (const auto& [playbook, incident] : runs_.started) runs_.taken.insert(incident);
  recall(std::move(stored.runs));
}

const Run* RunBook::find(std::int64_t number) const {
  const auto found = runs_.all.find(number);
  return found == runs_.all.end() ? nullptr : &found->second;
}

void RunBook::recall(std::vector<Run> family) {
  for (Run& run : family) {
    const std::int64_t number = run.number;
    runs_.all.try_emplace(number, std::move(run));
    runs_.knows_due = false;
  }
}

std::vector<std::int64_t> RunBook::open_runs(std::int64_t incident) const {
  std::vector<std::int64_t> open;
  for (const auto& [number, run] : runs_.all) {
    if (run.incident == incident && run.phase != Phase::over) open.push_back(number);
  }
  return open;
}

void RunBook::forget_ended() {
  std::set<std::int64_t> open;
  for (const auto& [number, run] : runs_.all) {
    if (run.phase != Phase::over) open.insert(run.root);
  }
  std::erase_if(runs_.all, [&](const auto& one) { return !open.contains(one.second.root); });
}

std::map<RunState, std::int64_t> RunBook::count() const {
  std::map<RunState, std::int64_t> counts{
      {RunState::running, 0}, {RunState::waits_for_person, 0}, {RunState::undoing, 0}};
  for (const auto& [number, run] : runs_.all) {
    if (run.phase != Phase::over) ++counts[run.state];
  }
  return counts;
}

Moves RunBook::resume(Timestamp now) {
  Walk walk(runs_, means_, now);
  for (auto& [number, run] : runs_.all) {
    if (run.phase == Phase::over) continue;
    for (auto& [id, standing] : run.steps) walk.resume(run, standing);
    for (Standing& undo : run.undos) walk.resume(run, undo);
    walk.look_at(run);
  }
  return walk.take();
}

Moves RunBook::start_due(std::span<const Playbook> playbooks, const incident::Incident& incident,
                         Timestamp now) {
  Walk walk(runs_, means_, now);
  // What is meant for the very thing that happened comes before what is meant for its kind.
  std::vector<const Playbook*> due;
  for (const Playbook& playbook : playbooks) {
    if (playbook.when && respond::is_due(*playbook.when, incident)) due.push_back(&playbook);
  }
  const auto of_its_kind = std::ranges::stable_partition(
      due, [&](const Playbook* one) { return respond::names_a_rule(*one->when, incident); });
  for (auto one = due.begin(); one != due.end(); ++one) {
    const Playbook& playbook = **one;
    if (one >= of_its_kind.begin() && runs_.taken.contains(incident.number)) continue;
    if (!runs_.started.emplace(playbook.name, incident.number).second) continue;
    runs_.taken.insert(incident.number);
    const Walk::Begin begin{.playbook = playbook,
                            .incident = incident.number,
                            .incident_values = means_.incident_values(incident),
                            .why = playbook.title};
    auto values = walk.values_of(begin);
    // Nothing is given, so nothing of it can be wrong.
    CHECK(values);
    walk.open(begin, *std::move(values));
  }
  return walk.take();
}

Result<RunBook::Started> RunBook::start(const StartOrder& order, Timestamp now) {
  if (order.who.empty()) return fail(Code::denied, "who does this must be named");
  if (order.why.empty()) return fail(Code::denied, "a reason must be given");
  if (order.why.size() > RunLimits::reason_bytes_max) {
    return fail(Code::invalid, "the reason is too long");
  }
  const Playbook* const playbook = means_.find(order.playbook);
  if (playbook == nullptr) {
    return fail(Code::not_found, "there is no playbook '" + order.playbook + "'");
  }
  const auto open = std::ranges::count_if(
      runs_.all, [](const auto& one) { return one.second.phase != Phase::over; });
  if (open >= static_cast<std::ptrdiff_t>(RunLimits::runs_open_max)) {
    return fail(Code::full, std::to_string(open) + " runs are open already");
  }
  Walk walk(runs_, means_, now);
  Walk::Begin begin{.playbook = *playbook,
                    .given = order.values,
                    .cause = Cause::hand,
                    .dry_run = order.dry_run,
                    .who = order.who,
                    .why = order.why};
  if (order.incident != nullptr) {
    begin.incident = order.incident->number;
    begin.incident_values = means_.incident_values(*order.incident);
  }
  auto values = walk.values_of(begin);
  if (!values) return std::unexpected(values.error());
  for (const auto& [name, variable] : playbook->variables) {
    if (!variable.external || !values->find(name)->second.is_null()) continue;
    return fail(Code::invalid,
                "the playbook '" + playbook->name + "' needs a value for '" + name + "'");
  }
  const std::int64_t number = walk.open(begin, *std::move(values)).number;
  return Started{.run = number, .moves = walk.take()};
}

Moves RunBook::settle(const Outcome& outcome, Timestamp now) {
  const auto found = runs_.all.find(outcome.run);
  if (found == runs_.all.end()) return {};
  Run& run = found->second;
  const bool is_probe = outcome.kind == Effect::Kind::probe;
  const auto fits = [&](const Standing& standing) {
    const StepState asked = is_probe          ? StepState::probing
                            : outcome.is_undo ? StepState::undoing
                                              : StepState::intended;
    return standing.step == outcome.step && standing.visit == outcome.visit &&
           standing.tries == outcome.tries && standing.state == asked && standing.operation;
  };
  Walk walk(runs_, means_, now);
  if (outcome.is_undo) {
    const auto undo = std::ranges::find_if(run.undos, fits);
    if (undo != run.undos.end()) walk.settle(run, *undo, outcome);
  } else if (const auto step = run.steps.find(outcome.step);
             step != run.steps.end() && fits(step->second)) {
    walk.settle(run, step->second, outcome);
  }
  return walk.take();
}

Moves RunBook::tick(Timestamp now) {
  const auto due = next_due();
  if (!due || *due > now) return {};
  Walk walk(runs_, means_, now);
  for (auto& [number, run] : runs_.all) {
    const auto take_up = [&](Standing& standing) {
      if (standing.due && *standing.due <= now) walk.take_up(run, standing);
    };
    for (auto& [id, standing] : run.steps) take_up(standing);
    for (Standing& undo : run.undos) take_up(undo);
  }
  return walk.take();
}

std::optional<Timestamp> RunBook::next_due() {
  if (runs_.knows_due) return runs_.due;
  std::optional<Timestamp>& next = runs_.due;
  next.reset();
  runs_.knows_due = true;
  const auto look = [&](const Standing& standing) {
    if (standing.due && (!next || *standing.due < *next)) next = standing.due;
  };
  for (const auto& [number, run] : runs_.all) {
    for (const auto& [id, standing] : run.steps) look(standing);
    for (const Standing& undo : run.undos) look(undo);
  }
  return next;
}

}  // namespace mailwarden::respond::flow
