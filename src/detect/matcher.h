// Whether one value is what a rule asks for.
//
// What     A Matcher is one value of a rule after its modifiers: a text with wildcards, a regular
//          expression, a network, a number to compare with. matches() holds it against one value.
// Owns     Its content; a compiled expression is shared and never changes.
// Threads  Pure; share a Matcher freely.
// Errors   The makers answer Error{invalid} with the reason.
// Limits   An expression is compiled within RE2's default memory budget.
// Source   Sigma 2.1.0, modifiers and wildcards. Where it is silent: regular expressions search
//          (they need not cover the value), and case is folded for ASCII letters alone.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "detect/attribute.h"
#include "event/fields.h"

namespace re2 {
class RE2;
}

namespace mailwarden::detect {

// A text in which `*` stands for any run of characters and `?` for exactly one.
class Pattern {
 public:
  enum class Anchor { whole, start, end, anywhere };

  // Wildcards and backslashes as the rule wrote them; `anchor` comes from startswith, endswith and
  // contains. `cased` keeps upper and lower case apart.
  static Pattern parse(std::string_view text, Anchor anchor, bool cased);

  bool matches(std::string_view value) const;
  bool empty() const { return pieces_.empty(); }
  // The one text that a value must be, ASCII in lower case; nothing where several will do.
  std::optional<std::string> exact() const;

 private:
  // A run of literal characters, where `any` stands for `?`; before each piece but the first there
  // is a `*`.
  struct Piece {
    std::string text;
    std::vector<bool> any;  // empty where the piece has no `?`
  };

  bool piece_at(const Piece& piece, std::string_view value, std::size_t at) const;
  std::size_t find_piece(const Piece& piece, std::string_view value, std::size_t from) const;

  std::vector<Piece> pieces_;
  bool open_start_ = false;  // begins with `*`
  bool open_end_ = false;    // ends with `*`
  bool cased_ = false;
};

struct Expression {
  std::shared_ptr<const re2::RE2> compiled;
};
// `flags` out of i, m, s.
Result<Expression> make_expression(const std::string& text, std::string_view flags);

struct Network {
  std::array<unsigned char, 16> address{};
  unsigned bits = 0;
  bool v6 = false;
};
Result<Network> make_network(const std::string& text);

struct Number {
  enum class Compare { equal, less, less_equal, greater, greater_equal };
  double value = 0;
  Compare compare = Compare::equal;
};

struct Null {};  // the field is not there, or null
struct Presence {
  bool wanted = true;
};  // exists
struct OtherField {
  std::string name;
  Attribute attribute = attribute_named(name);
};  // fieldref

using Matcher = std::variant<Pattern, Expression, Network, Number, Null, Presence, OtherField>;

// Null, Presence and OtherField are about the event, not one value, and never match here.
bool matches(const Matcher& matcher, const Field& value);

}  // namespace mailwarden::detect
