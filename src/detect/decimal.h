// Decimal numbers, exactly.
//
// What     Numbers of rules and events are compared as they are written, so that an identifier of
//          twenty digits equals itself alone. canonical() gives equal numbers the same text.
// Owns     Its digits.
// Threads  Values.
// Errors   None: what reads as no number gives nothing.
// Limits   Exponents of up to exponent_max digits; a number with a larger one reads as none.
// Source   RFC 8259, numbers, with leading zeros allowed; docs/sigma.md, "Texts".
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mailwarden::detect {

class Decimal {
 public:
  static constexpr std::size_t exponent_max = 9;

  static std::optional<Decimal> parse(std::string_view text);

  std::string canonical() const;
  std::strong_ordering operator<=>(const Decimal& other) const;
  bool operator==(const Decimal& other) const = default;

 private:
  // ± 0.DIGITS × 10^exponent, without zeros at either end of the digits; none are zero.
  bool negative_ = false;
  std::int64_t exponent_ = 0;
  std::string digits_;
};

// Whether the text is its own canonical form, as nearly all whole numbers are.
bool is_plain_integer(std::string_view text);

}  // namespace mailwarden::detect
