// What is wrong with playbooks before anybody runs them.
//
// What     check() looks at playbooks as they are meant: ways between steps, variables on each way,
//          types, what operations name outside, and playbooks that are parts of others. An error is
//          what would fail or could never be reached; a warning is what a careful writer would do
//          otherwise.
// Owns     Nothing.
// Threads  Pure.
// Errors   None: whatever is wrong is a Finding.
// Limits   FlowLimits.
#pragma once

#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "respond/action.h"
#include "respond/flow.h"

namespace mailwarden::respond {

struct Finding {
  enum class Weight : std::uint8_t { error, warning };

  Weight weight = Weight::error;
  std::string playbook;
  std::string step;  // "" where it is about the whole
  std::string what;

  bool operator==(const Finding&) const = default;
};

// What there is outside the playbooks. What is nothing is not known and not checked.
struct CheckContext {
  using Names = std::set<std::string, std::less<>>;
  std::optional<Names> receivers;
  std::optional<Names> schedules;
  std::optional<Names> commands;   // that the daemon may run
  std::optional<Names> sign_keys;  // that requests can be signed with
  std::optional<Names> types;      // of incidents
  std::optional<Names> rules;      // names and ids
  std::span<const ActionKind> actions = action_kinds();
};

// In the order of the playbooks, and of their steps. `playbooks` are all that there are, so that
// those that name others find them.
std::vector<Finding> check(std::span<const flow::Playbook> playbooks, const CheckContext& context);
bool has_error(std::span<const Finding> findings);

}  // namespace mailwarden::respond
