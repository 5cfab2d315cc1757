// The parts of a policy that must all hold. Not for other modules.
//
// What     A policy's scope and conditions taken apart at `&&`, and at `||` below a negation, so
//          that each part can be asked and shown by itself.
// Owns     Nothing.
// Threads  Pure.
// Errors   None.
// Limits   None.
#pragma once

#include <vector>

#include "policy/authorizer.h"

namespace mailwarden::policy {

struct Part {
  ExprId id = 0;
  bool wanted = true;  // what it must come to
};

// Of an expression that must come to `wanted`; in the order in which they are evaluated.
std::vector<Part> parts_of(const Expressions& expressions, ExprId id, bool wanted);
// Of all conditions of a policy.
std::vector<Part> parts_of(const Expressions& expressions, const Policy& policy);

// Which parts of the scope hold.
struct ScopeState {
  bool principal = false;
  bool action = false;
  bool resource = false;

  bool all() const { return principal && action && resource; }
};
ScopeState scope_state(const Authorizer& authorizer, const Policy& policy, const Bound& bound);

}  // namespace mailwarden::policy
