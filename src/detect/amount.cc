#include "detect/amount.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "detect/decimal.h"

namespace mailwarden::detect {
namespace {

constexpr std::size_t decimals = 6;

bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

std::int64_t add_digits(std::int64_t amount, std::string_view digits) {
  for (const char digit : digits) {
    amount = std::min(amount * 10 + (digit - '0'), amount_max / 10);
  }
  return amount;
}

// Digits and a point, without an exponent.
std::int64_t plain_amount(std::string_view whole, std::string_view fraction) {
  const std::int64_t units = add_digits(0, whole);
  if (units >= amount_max / amount_unit) return amount_max;
  std::int64_t rest = add_digits(0, fraction.substr(0, decimals));
  for (std::size_t i = fraction.size(); i < decimals; ++i) rest *= 10;
  return units * amount_unit + rest;
}

}  // namespace

std::optional<std::int64_t> amount_of(std::string_view text) {
  std::string_view number = text;
  const bool negative = number.starts_with('-');
  if (negative) number.remove_prefix(1);
  const std::size_t point = std::min(number.find('.'), number.size());
  const std::string_view whole = number.substr(0, point);
  const std::string_view fraction = number.substr(std::min(point + 1, number.size()));
  const bool plain = all_digits(whole) && (point == number.size() || all_digits(fraction));
  if (plain) {
    const std::int64_t amount = plain_amount(whole, fraction);
    return negative ? -amount : amount;
  }
  if (!Decimal::parse(text)) return std::nullopt;
  // from_chars reads no more than a double holds; what is out of its range is near zero or huge.
  const auto value = to_number(text);
  if (!value)
    return text.contains("e-") || text.contains("E-") ? 0 : negative ? -amount_max : amount_max;
  const double millionths = std::trunc(*value * static_cast<double>(amount_unit));
  if (std::abs(millionths) >= static_cast<double>(amount_max)) {
    return negative ? -amount_max : amount_max;
  }
  return static_cast<std::int64_t>(millionths);
}

std::optional<std::int64_t> exact_amount_of(std::string_view text) {
  const auto amount = amount_of(text);
  if (!amount || *amount >= amount_max || *amount <= -amount_max) return std::nullopt;
  const auto exact = Decimal::parse(text);
  const auto kept = Decimal::parse(std::to_string(*amount) + "e-6");
  if (!exact || !kept || *exact != *kept) return std::nullopt;
  return amount;
}

}  // namespace mailwarden::detect
