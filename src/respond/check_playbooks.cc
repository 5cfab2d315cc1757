// Playbooks that are parts of others.
#include <algorithm>

#include "base/text.h"
#include "respond/check_parts.h"
#include "respond/flow_words.h"

namespace mailwarden::respond {
namespace {

using flow::FlowLimits;
using flow::Playbook;
using flow::StepKind;

class Parts {
 public:
  explicit Parts(const PlaybookByName& others) : others_(others) {}

  // How deep branches nest with those of its parts; more than depth_max where parts are a circle.
  std::size_t depth(const Playbook& playbook) {
    const auto known = depth_.find(playbook.name);
    if (known != depth_.end()) return known->second;
    depth_[playbook.name] = endless;  // whoever comes here again has gone in a circle
    std::size_t deepest = depth_of(playbook);
    for (const auto& [id, at] : depths_of(playbook)) {
      const auto& step = playbook.steps.at(id);
      const auto part = others_.find(step.playbook);
      if (step.kind != StepKind::playbook || part == others_.end()) continue;
      deepest = std::max(deepest, std::min(endless, at + depth(*part->second)));
    }
    depth_[playbook.name] = deepest;
    return deepest;
  }

  // Whether a playbook is a part of the other, however far below.
  bool leads_to(const std::string& from, const std::string& to) const {
    std::set<std::string> seen;
    std::vector<std::string> open{from};
    while (!open.empty()) {
      const std::string name = open.back();
      open.pop_back();
      if (name == to) return true;
      const auto found = others_.find(name);
      if (found == others_.end() || !seen.insert(name).second) continue;
      for (const auto& [id, step] : found->second->steps) {
        if (step.kind == StepKind::playbook) open.push_back(step.playbook);
      }
    }
    return false;
  }

 private:
  static constexpr std::size_t endless = 1'000'000;

  const PlaybookByName& others_;
  std::map<std::string, std::size_t> depth_;
};

}  // namespace

void check_subplaybooks(Report& report, const Playbook& playbook, const PlaybookByName& others) {
  Parts parts(others);
  bool is_circle = false;
  for (const auto& [id, step] : playbook.steps) {
    if (step.kind != StepKind::playbook) continue;
    if (!others.contains(step.playbook)) {
      report.error(id, "there is no playbook '" + printable(step.playbook) + "'");
    } else if (parts.leads_to(step.playbook, playbook.name)) {
      is_circle = true;
      report.error(id, "the playbook '" + step.playbook + "' leads back to this one");
    }
  }
  if (is_circle || parts.depth(playbook) <= FlowLimits::depth_max) return;
  report.error(
      "", "with its parts, branches nest deeper than " + std::to_string(FlowLimits::depth_max));
}

std::vector<Finding> check(std::span<const Playbook> playbooks, const CheckContext& context) {
  PlaybookByName by_name;
  std::vector<Finding> all;
  for (const Playbook& playbook : playbooks) by_name.emplace(playbook.name, &playbook);
  for (const Playbook& playbook : playbooks) {
    Report report(playbook.name);
    if (by_name.at(playbook.name) != &playbook) {
      report.error("", "another playbook has the same name");
    }
    const bool can_be_followed = check_graph(report, playbook);
    check_operations(report, playbook, context);
    check_types(report, playbook, by_name, context);
    if (can_be_followed) check_values(report, playbook, context);
    check_subplaybooks(report, playbook, by_name);
    const auto place = [&](const Finding& finding) {
      return finding.step.empty()
                 ? std::ptrdiff_t{-1}
                 : std::ranges::find(playbook.order, finding.step) - playbook.order.begin();
    };
    std::ranges::stable_sort(report.findings(), {}, place);
    std::ranges::move(report.findings(), std::back_inserter(all));
  }
  return all;
}

bool has_error(std::span<const Finding> findings) {
  return std::ranges::any_of(
      findings, [](const Finding& finding) { return finding.weight == Finding::Weight::error; });
}

}  // namespace mailwarden::respond
