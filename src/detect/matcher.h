// Whether one value is what a rule asks for.
//
// What     A Matcher is one value of a rule after its modifiers: a text with wildcards, a regular
//          expression, a network, a number or a part of a date to compare with, or a question about
//          the field itself. matches() holds it against one value.
// Owns     Its content; a compiled expression is shared and never changes.
// Threads  Pure; share a Matcher freely.
// Errors   The makers answer Error{invalid} with the reason.
// Limits   An expression compiles within expression_bytes_max of memory.
// Source   Sigma 2.1.0, modifiers; docs/sigma.md where it is silent.
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
#include "detect/decimal.h"
#include "detect/pattern.h"

namespace re2 {
class RE2;
}

namespace mailwarden::detect {

inline constexpr std::int64_t expression_bytes_max = 8 * 1024 * 1024;

struct Text {
  Pattern pattern;  // folded unless `cased`
  bool cased = false;
};

struct Expression {
  std::string text;
  std::string flags;  // out of i, m, s
  std::shared_ptr<const re2::RE2> compiled;
  // Each value that matches holds one of these, folded; a look for them is cheaper than a run. None
  // where nothing is known.
  std::vector<std::string> hints;
};
Result<Expression> make_expression(const std::string& text, const std::string& flags);
// Lists of folded texts; of each list, every value that the expression matches holds at least one.
// None where there are no such texts of so many bytes.
std::vector<std::vector<std::string>> needed_texts(const Expression& expression,
                                                   int text_bytes_min);

struct Network {
  std::array<unsigned char, 16> address{};  // an IPv4 address as ::ffff:a.b.c.d
  unsigned bits = 0;                        // of the 128
};
Result<Network> make_network(const std::string& text);

enum class Compare : std::uint8_t { equal, less, less_equal, greater, greater_equal };

struct Number {
  Decimal value;
  Compare compare = Compare::equal;
};

enum class DatePart : std::uint8_t { minute, hour, day, week, month, year };

struct Date {
  DatePart part = DatePart::minute;
  Number number;
};
// The part of a text like 2026-11-24T20:15:00Z; nothing where it is no date or does not tell.
std::optional<int> part_of_date(std::string_view text, DatePart part);

struct Null {};  // no value but null, or none at all
struct Presence {
  bool wanted = true;
};  // exists
struct OtherField {  // fieldref
  std::string name;
  Pattern::Plain where = Pattern::Plain::whole;
  bool cased = false;
};

using Matcher = std::variant<Text, Expression, Network, Number, Date, Null, Presence, OtherField>;

// Equal keys mean equal matchers.
std::string key_of(const Matcher& matcher);

// One value of an event: as it came, and folded.
struct Subject {
  std::string_view text;
  std::string_view folded;
};

// Null, Presence and OtherField are about the event, not one value, and never match here.
bool matches(const Matcher& matcher, const Subject& value);
bool matches(const OtherField& other, const Subject& value, const Subject& twin);

}  // namespace mailwarden::detect
