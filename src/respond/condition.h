// What an if, a while or a probe asks of the variables.
//
// What     A Condition is a truth over variables and literals:
//
//            subjects > 0 and not (kind == "test" or kind in ["a", "b"])
//            exists fact.services and fact.services >= 2
//
//          Operators, from the loosest: or; and; not; == != < <= > >= in. Operands are names of
//          variables (incident.severity among them), numbers, texts in double quotes with \" \\ \n
//          \t, true, false, lists of those. Integers and numbers compare with each other; texts by
//          their bytes, but two IPv4 or two IPv6 addresses by their value; other kinds only with ==
//          and != and only with their own. A comparison of what does not fit is an error, never
//          false. A variable on its own must be a boolean. `exists NAME` asks whether one has
//          a value. What stands behind an `or` or `and` that is decided is not evaluated.
// Owns     Its content.
// Threads  Values; evaluate() is pure.
// Errors   parse(): invalid, with the column. evaluate(): not_found for a variable without value,
//          invalid for operands that do not fit.
// Limits   text_bytes_max, depth_max.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "base/result.h"
#include "json/value.h"

namespace mailwarden::respond {

class Condition {
 public:
  static constexpr std::size_t text_bytes_max = 4096;
  static constexpr int depth_max = 50;

  static Result<Condition> parse(std::string_view text);

  // The value of a variable; null where it has none.
  using Lookup = std::function<json::Value(std::string_view name)>;
  Result<bool> evaluate(const Lookup& lookup) const;
  const std::set<std::string, std::less<>>& variables() const { return variables_; }
  // In one form, whatever the blanks were; reading it gives the same condition.
  std::string to_text() const;

  struct Node;  // condition_tree.h
  const Node& root() const { return *root_; }

 private:
  std::shared_ptr<const Node> root_;
  std::set<std::string, std::less<>> variables_;
};

}  // namespace mailwarden::respond
