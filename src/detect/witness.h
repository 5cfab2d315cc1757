// By which predicates a rule is looked up.
//
// What     witness_of() finds, for a condition, the set of predicates that is met least often and
//          of which at least one must hold for the condition to hold.
// Owns     Nothing.
// Threads  Pure.
// Errors   None.
// Limits   None.
#pragma once

#include <optional>
#include <vector>

#include "detect/program.h"

namespace mailwarden::detect {

// Each has evidence; nothing where the condition may hold without any.
std::optional<std::vector<PredicateId>> witness_of(const Program& program, NodeId root);

}  // namespace mailwarden::detect
