// Small questions about text.
//
// What     UTF-8 validity, trimming, splitting, case without regard to the locale, numbers.
// Owns     Nothing; views point into their argument.
// Threads  Pure.
// Errors   None.
// Limits   None.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailwarden {

// Well-formed as in Unicode 15, table 3-7: no overlong form, no surrogate, nothing over U+10FFFF.
bool is_utf8(std::string_view bytes);
// Each byte that is not part of well-formed UTF-8 becomes U+FFFD.
std::string to_utf8(std::string_view bytes);
// Control characters and ill-formed bytes as \xNN, a backslash doubled: safe on a terminal and in a
// log.
std::string printable(std::string_view bytes);
// The same between single quotes, as sentences name what they are about.
std::string in_quotes(std::string_view bytes);

std::string_view trim(std::string_view text);
std::vector<std::string_view> split(std::string_view text, char separator);
constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr char to_lower(char ascii) {
  return ascii >= 'A' && ascii <= 'Z' ? static_cast<char>(ascii + ('a' - 'A')) : ascii;
}
std::string to_lower(std::string_view ascii);
bool equal_ignoring_case(std::string_view ascii_a, std::string_view ascii_b);

// The whole text as a decimal number.
std::optional<std::int64_t> to_integer(std::string_view text);
std::optional<double> to_number(std::string_view text);

}  // namespace mailwarden
