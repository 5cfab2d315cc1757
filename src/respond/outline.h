// What a playbook would do, for people, before it is done.
//
// What     outline() lists the steps, nested as they are, each with its exact arguments as far as
//          variables are known by then, what it asks for and how it is taken back. What a step sets
//          is not known behind it, and stands as ${name}. Nothing is evaluated: both branches of an
//          if are shown.
// Owns     Nothing.
// Threads  Pure.
// Errors   None: what could not be done as it stands says so in its line.
// Limits   FlowLimits.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "json/value.h"
#include "respond/flow.h"

namespace mailwarden::respond {

struct OutlineStep {
  std::size_t depth = 0;  // of the branch that it stands in
  std::string way;        // what leads into its branch, on the branch's first step: "then"
  std::string step;
  std::string name;
  flow::StepKind kind = flow::StepKind::manual;
  std::string does;
  bool by_hand = false;  // a person will be asked to, and `does` says why
  std::string asks;      // for approval, because
  std::string undo;
  std::string otherwise;  // what follows where it fails
  std::string limits;     // tries, rate, times

  bool operator==(const OutlineStep&) const = default;
};

// `values`: start_values(). `commands`: what the daemon may run; nothing where that is not known.
std::vector<OutlineStep> outline(const flow::Playbook& playbook, const json::Object& values,
                                 const std::optional<std::vector<std::string>>& commands);
json::Object to_json(const OutlineStep& step);

// One step, as it stands with these values.
OutlineStep outline_step(const flow::Step& step, const json::Object& values,
                         const std::optional<std::vector<std::string>>& commands);

// Indented, a line for each step and one for each of what it asks, undoes and limits.
std::string to_text(const std::vector<OutlineStep>& steps);

}  // namespace mailwarden::respond
