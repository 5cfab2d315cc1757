// What the modifiers of an item make of its values.
//
// What     resolve() applies the modifiers in order and gives the tests that stand for the item.
// Owns     Nothing.
// Threads  Pure.
// Errors   Error{invalid}: a modifier that is unknown, contradicts one before it, or does not suit
//          a value. The sentence names it.
// Limits   values_max texts of one item, after `windash` and `expand`.
// Source   Sigma 2.1.0, modifiers; docs/sigma.md, "Modifiers".
#pragma once

#include <expected>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "detect/matcher.h"
#include "detect/rule.h"

namespace mailwarden::detect {

// The values that stand for a placeholder, by its name without percent signs.
using Placeholders = std::map<std::string, std::vector<std::string>>;

struct FieldTest {
  std::string field;  // empty for keywords
  // One of each inner list must match. There is one list, or, with `all`, one for each value.
  std::vector<std::vector<Matcher>> values;
  bool negated = false;  // neq
};

inline constexpr std::size_t values_max = 10'000;

// A sentence and the line that it is about.
struct RuleError {
  std::size_t line = 0;
  std::string what;
};
// Of all items, in their order.
std::expected<std::vector<FieldTest>, RuleError> resolve(const std::vector<Selection>& selections,
                                                         const Placeholders& placeholders);

Result<FieldTest> resolve(const DetectionItem& item, const Placeholders& placeholders);

}  // namespace mailwarden::detect
