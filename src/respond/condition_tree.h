// The tree of a condition, for whoever checks one or writes it in another language.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "json/value.h"
#include "respond/condition.h"

namespace mailwarden::respond {

struct Condition::Node {
  enum class Kind : std::uint8_t {
    literal,   // value
    variable,  // name
    list,      // items: literals and variables
    exists,    // name
    negation,  // of one item
    all,       // of two items or more
    any,       // of two items or more
    compare    // two items, by op
  };
  enum class Op : std::uint8_t { equal, not_equal, less, less_equal, greater, greater_equal, in };

  Kind kind = Kind::literal;
  json::Value value;
  std::string name;
  Op op = Op::equal;
  std::vector<Node> items;
};
std::string_view to_string(Condition::Node::Op op);  // "=="

// Whether a name may be a variable's: letters, digits, '_', '-' and '.', a letter or '_' first,
// variable_name_bytes_max at most, and no word of the language.
inline constexpr std::size_t variable_name_bytes_max = 250;
bool is_variable_name(std::string_view name);

}  // namespace mailwarden::respond
