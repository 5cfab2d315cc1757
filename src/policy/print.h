// Policies and expressions as Cedar text.
//
// What     Text that parses to the same policy; for what was made from JSON, and for messages.
// Owns     Nothing.
// Threads  Pure.
// Errors   None.
// Limits   Depth of the expression.
#pragma once

#include <string>

#include "policy/policy.h"

namespace mailwarden::policy {

std::string print_expression(ExprId id, const Expressions& expressions);
// `principal in Group::"a"`, `action in [..]`.
std::string print_scope(std::string_view variable, const Scope& scope);
std::string print_scope(const ActionScope& scope);
// With annotations, over several lines, closed by ";\n".
std::string print_policy(const Policy& policy, const Expressions& expressions);

}  // namespace mailwarden::policy
