// Whether the matcher and the second evaluator say the same of random rules and events.
//
// What     compare() makes one case out of choices and holds both against it, with both routings.
// Owns     Nothing.
// Threads  One.
// Errors   The first difference, told with rules and event, or "".
// Limits   Those of random_rules.h.
#pragma once

#include <cstdint>
#include <string>

#include "tests/detect/random_rules.h"

namespace mailwarden::detect {

struct Agreement {
  std::string difference;
  std::int64_t pairs = 0;  // of a rule and an event, held against both
  std::int64_t held = 0;
};

Agreement compare(random_rules::Choices& choices);

}  // namespace mailwarden::detect
