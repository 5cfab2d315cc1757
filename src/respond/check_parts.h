// The parts of check(), each in a file of its own.
#pragma once

#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "respond/check.h"
#include "respond/condition_tree.h"
#include "respond/fill.h"
#include "respond/value_type.h"

namespace mailwarden::respond {

// The findings of one playbook.
class Report {
 public:
  explicit Report(std::string playbook) : playbook_(std::move(playbook)) {}

  void error(const std::string& step, const std::string& what) {
    findings_.push_back({Finding::Weight::error, playbook_, step, what});
  }
  void warning(const std::string& step, const std::string& what) {
    findings_.push_back({Finding::Weight::warning, playbook_, step, what});
  }
  std::vector<Finding>& findings() { return findings_; }

 private:
  std::string playbook_;
  std::vector<Finding> findings_;
};

// check_graph.cc: where steps lead. False where the ways are such that nothing can be followed.
bool check_graph(Report& report, const flow::Playbook& playbook);
// The deepest branch, 1 for a playbook without any.
std::size_t depth_of(const flow::Playbook& playbook);
// How deep each step stands, 1 for those in no nested branch.
std::map<std::string, std::size_t> depths_of(const flow::Playbook& playbook);
// The steps of a branch and of the branches below it.
std::set<std::string> steps_below(const flow::Playbook& playbook, const std::string& first);
// Those that their steps set.
Names set_below(const flow::Playbook& playbook, const std::string& first);

using PlaybookByName = std::map<std::string, const flow::Playbook*, std::less<>>;

// check_operations.cc: what steps name outside, and their limits.
void check_operations(Report& report, const flow::Playbook& playbook, const CheckContext& context);
const ActionKind* find_kind(std::span<const ActionKind> kinds, std::string_view name);

// check_types.cc: kinds of values that meet.
void check_types(Report& report, const flow::Playbook& playbook, const PlaybookByName& others,
                 const CheckContext& context);

// check_values.cc: variables that are used before they have a value, on a playbook whose graph is
// good.
void check_values(Report& report, const flow::Playbook& playbook, const CheckContext& context);

// check_playbooks.cc: playbooks within playbooks.
void check_subplaybooks(Report& report, const flow::Playbook& playbook,
                        const PlaybookByName& others);

}  // namespace mailwarden::respond
