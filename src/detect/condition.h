// The condition of a rule.
//
// What     `and`, `or`, `not`, parentheses, `1 of x*`, `all of x*`, `1 of them`, `all of them`,
//          with or < and < not < of. Names with a leading underscore are left out of `them`.
// Owns     Nothing.
// Threads  Pure.
// Errors   Error{invalid}: what was read and what was expected.
// Limits   depth_max levels of nesting.
// Source   Sigma 2.1.0, condition.
#pragma once

#include <span>
#include <string_view>

#include "base/result.h"
#include "detect/rule.h"

namespace mailwarden::detect {

Result<Condition> parse_condition(std::string_view text, std::span<const Selection> selections,
                                  std::size_t depth_max);

}  // namespace mailwarden::detect
