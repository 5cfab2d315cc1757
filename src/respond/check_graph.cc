// Where the steps of a playbook lead.
#include <algorithm>

#include "base/text.h"
#include "respond/check_parts.h"
#include "respond/flow_words.h"

namespace mailwarden::respond {
namespace {

using flow::FlowLimits;
using flow::Playbook;
using flow::Step;
using flow::StepKind;

class Graph {
 public:
  Graph(Report& report, const Playbook& playbook) : report_(report), playbook_(playbook) {}

  bool run() {
    check_limits();
    check_targets();
    if (broken_) return false;
    enter(playbook_.start, "", 1);
    if (!playbook_.on_failure.empty()) enter(playbook_.on_failure, "", 1);
    for (const auto& [id, step] : playbook_.steps) {
      if (!branch_.contains(id)) report_.error(id, "no way leads to this step");
    }
    for (const auto& [id, step] : playbook_.steps) check_step(step);
    return !broken_;
  }

 private:
  void broken(const std::string& step, const std::string& what) {
    report_.error(step, what);
    broken_ = true;
  }

  void check_limits() {
    if (playbook_.steps.size() > FlowLimits::steps_max) {
      broken("", "more than " + std::to_string(FlowLimits::steps_max) + " steps");
    }
    for (const auto& [id, step] : playbook_.steps) {
      if (step.id != id || !flow::is_step_id(id)) {
        broken(id, in_quotes(id) + " is no id of a step");
      }
      if (flow::branches_of(step).size() > FlowLimits::branches_max) {
        report_.error(id, "more than " + std::to_string(FlowLimits::branches_max) + " branches");
      }
    }
  }

  void check_targets() {
    if (!playbook_.steps.contains(playbook_.start)) {
      broken("", "it begins with a step " + in_quotes(playbook_.start) + ", which is not there");
    }
    if (!playbook_.on_failure.empty()) check_target("", "on_failure", playbook_.on_failure);
    for (const auto& [id, step] : playbook_.steps) {
      if (!step.next.empty()) check_target(id, "next", step.next);
      if (!step.on_failure.empty()) check_target(id, "on_failure", step.on_failure);
      for (const auto& [name, first] : flow::branches_of(step)) check_target(id, name, first);
      check_branches(step);
    }
  }

  void check_target(const std::string& from, const std::string& way, const std::string& to) {
    if (playbook_.steps.contains(to)) return;
    broken(from, way + " leads to a step " + in_quotes(to) + ", which is not there");
  }

  void check_branches(const Step& step) {
    const std::size_t branches = flow::branches_of(step).size();
    switch (step.kind) {
      case StepKind::if_condition:
        if (step.then.empty()) broken(step.id, "nothing is said for when the condition holds");
        return;
      case StepKind::while_condition:
        if (step.then.empty()) broken(step.id, "nothing is said that is done again");
        return;
      case StepKind::switch_condition:
        if (step.cases.empty()) broken(step.id, "a switch needs a case");
        return;
      case StepKind::parallel:
        if (branches < 2) broken(step.id, "parallel needs two branches at least");
        return;
      default:
        return;
    }
  }

  // Follows a branch from its first step; `owner` is the step that leads into it.
  void enter(const std::string& first, const std::string& owner, std::size_t depth) {
    if (depth > FlowLimits::depth_max) {
      broken(owner, "branches nest deeper than " + std::to_string(FlowLimits::depth_max));
      return;
    }
    const std::size_t number = ++branches_;
    std::vector<std::string> open{first};
    std::vector<std::string> members;
    while (!open.empty()) {
      const std::string id = open.back();
      open.pop_back();
      const auto [known, is_new] = branch_.emplace(id, number);
      if (!is_new && known->second != number) {
        broken(id, "this step stands in two branches");
        return;
      }
      if (!is_new) continue;
      members.push_back(id);
      for (const std::string& after : followers(id)) open.push_back(after);
    }
    find_circle(first);
    for (const std::string& id : members) {
      for (const auto& [name, below] : flow::branches_of(playbook_.steps.at(id))) {
        enter(below, id, depth + 1);
      }
    }
  }

  std::vector<std::string> followers(const std::string& id) const {
    const Step& step = playbook_.steps.at(id);
    std::vector<std::string> after;
    if (!step.next.empty()) after.push_back(step.next);
    if (!step.on_failure.empty()) after.push_back(step.on_failure);
    return after;
  }

  // Steps are on the way (1) or left for good (2); whoever leads to one on the way closes a circle.
  void find_circle(const std::string& first) {
    std::map<std::string, int> state;
    std::vector<std::string> way{first};
    while (!way.empty()) {
      const std::string id = way.back();
      const bool entered = state[id] != 0;
      if (entered) {
        way.pop_back();
        state[id] = 2;
        continue;
      }
      state[id] = 1;
      for (const std::string& after : followers(id)) {
        if (state[after] == 1) broken(id, "steps lead in a circle, which only 'while' may");
        if (state[after] == 0) way.push_back(after);
      }
    }
  }

  void check_step(const Step& step) {
    if (!step.on_failure.empty() && step.kind == StepKind::wait) {
      report_.warning(step.id, "a wait cannot fail, so its on_failure is never taken");
    }
    if (!step.on_failure.empty() && step.on_failure == step.next) {
      report_.warning(step.id, "on_failure leads where next does; say go_on");
    }
    if (step.go_on && !step.on_failure.empty()) {
      report_.error(step.id, "go_on and on_failure exclude each other");
    }
    if (broken_) return;
    if (step.kind == StepKind::while_condition) check_while(step);
    if (step.kind == StepKind::parallel) check_parallel(step);
  }

  void check_while(const Step& step) {
    if (step.rounds_max < 1 || step.rounds_max > FlowLimits::rounds_max) {
      report_.error(step.id, "at_most must be from 1 to " + std::to_string(FlowLimits::rounds_max));
    }
    const auto condition = Condition::parse(step.condition);
    if (!condition) return;
    const Names changed = set_below(playbook_, step.then);
    const bool can_change = std::ranges::any_of(condition->variables(), [&](const auto& name) {
      // What people assert of the incident may change while a run waits.
      return changed.contains(name) || name.contains('.');
    });
    if (can_change) return;
    report_.error(step.id, "no step of its body can change its condition, " +
                               printable(condition->to_text()));
  }

  void check_parallel(const Step& step) {
    std::map<std::string, std::size_t, std::less<>> setter;
    for (std::size_t i = 0; i < step.branches.size(); ++i) {
      for (const std::string& name : set_below(playbook_, step.branches[i])) {
        const auto [known, is_new] = setter.emplace(name, i + 1);
        if (is_new) continue;
        report_.error(step.id, "branches " + std::to_string(known->second) + " and " +
                                   std::to_string(i + 1) + " both set " + in_quotes(name));
      }
    }
  }

  Report& report_;
  const Playbook& playbook_;
  std::map<std::string, std::size_t> branch_;  // of each step
  std::size_t branches_ = 0;
  bool broken_ = false;
};

// Each step's depth, by whatever ways there are.
void gather(const Playbook& playbook, const std::string& first, std::size_t depth,
            std::map<std::string, std::size_t>& found) {
  std::vector<std::pair<std::string, std::size_t>> open{{first, depth}};
  while (!open.empty()) {
    const auto [id, at] = open.back();
    open.pop_back();
    const auto step = playbook.steps.find(id);
    if (step == playbook.steps.end() || !found.emplace(id, at).second) continue;
    open.emplace_back(step->second.next, at);
    open.emplace_back(step->second.on_failure, at);
    for (const auto& [name, below] : flow::branches_of(step->second)) {
      open.emplace_back(below, at + 1);
    }
  }
}

}  // namespace

bool check_graph(Report& report, const Playbook& playbook) {
  return Graph(report, playbook).run();
}

std::map<std::string, std::size_t> depths_of(const Playbook& playbook) {
  std::map<std::string, std::size_t> found;
  gather(playbook, playbook.start, 1, found);
  gather(playbook, playbook.on_failure, 1, found);
  return found;
}

std::size_t depth_of(const Playbook& playbook) {
  std::size_t deepest = 0;
  for (const auto& [id, depth] : depths_of(playbook)) deepest = std::max(deepest, depth);
  return deepest;
}

std::set<std::string> steps_below(const Playbook& playbook, const std::string& first) {
  std::map<std::string, std::size_t> found;
  gather(playbook, first, 1, found);
  std::set<std::string> ids;
  for (const auto& [id, depth] : found) ids.insert(id);
  return ids;
}

Names set_below(const Playbook& playbook, const std::string& first) {
  Names names;
  for (const std::string& id : steps_below(playbook, first)) {
    for (const auto& [name, source] : playbook.steps.at(id).set) names.insert(name);
  }
  return names;
}

}  // namespace mailwarden::respond
