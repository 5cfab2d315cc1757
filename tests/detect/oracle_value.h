// What a value reads as: a number, a date, an address.
//
// What     Each question takes the whole text of a value. Numbers are compared as decimals, digit
//          by digit, so no two that differ are ever the same.
// Owns     Nothing.
// Threads  Pure.
// Errors   A value that reads as nothing of the kind is nothing; a network that is none is an
//          Error{invalid} with a sentence without a place.
// Limits   None.
// Source   docs/sigma.md, Texts and Modifiers; RFC 8259 (numbers); ISO 8601 (weeks); RFC 4291.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace mailwarden::oracle {

// ±0.DIGITS × 10^point; zero has no digits and no sign.
struct Number {
  bool negative = false;
  std::string digits;  // neither begins nor ends with 0
  std::int64_t point = 0;

  bool operator==(const Number&) const = default;
};

std::optional<Number> number_of(std::string_view text);
std::strong_ordering operator<=>(const Number& a, const Number& b);

// `part` is minute, hour, day, week, month or year.
std::optional<Number> part_of_date(std::string_view part, std::string_view text);

struct Network {
  std::vector<unsigned char> address;  // 4 or 16 bytes
  std::size_t bits = 0;                // how many of them count
};

Result<Network> network_of(std::string_view text);
bool stands_in(const Network& network, std::string_view address);

}  // namespace mailwarden::oracle
