// What an event must have for a rule to hold at all.
//
// What     gate_of() finds, where a rule's condition implies it, a field and the few values of
//          which the field must have one. Rules are then looked up by the value that an event has,
//          and the many others are not tried. A gate never keeps out a rule that would hold; it may
//          let in one that does not.
// Owns     Nothing.
// Threads  Pure.
// Errors   None: a rule without a gate is always tried.
// Limits   None.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "detect/rule.h"

namespace mailwarden::detect {

struct Gate {
  static constexpr std::size_t value_bytes_max = 64;

  std::string field;
  std::set<std::string> values;  // ASCII in lower case, none longer than value_bytes_max
};

std::optional<Gate> gate_of(const Rule& rule);

}  // namespace mailwarden::detect
