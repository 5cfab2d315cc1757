#include "detect/decimal.h"

#include <algorithm>

#include "base/text.h"

namespace mailwarden::detect {
namespace {

constexpr std::string_view digit_characters = "0123456789";

// The digits at the front, which are taken off.
std::string_view take_digits(std::string_view& text) {
  const std::string_view digits =
      text.substr(0, std::min(text.find_first_not_of(digit_characters), text.size()));
  text.remove_prefix(digits.size());
  return digits;
}

}  // namespace

std::optional<Decimal> Decimal::parse(std::string_view text) {
  Decimal number;
  number.negative_ = text.starts_with('-');
  if (number.negative_) text.remove_prefix(1);
  const std::string_view whole = take_digits(text);
  if (whole.empty()) return std::nullopt;
  std::string_view fraction;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    fraction = take_digits(text);
    if (fraction.empty()) return std::nullopt;
  }
  std::int64_t exponent = 0;
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    const bool down = text.starts_with('-');
    if (down || text.starts_with('+')) text.remove_prefix(1);
    std::string_view digits = take_digits(text);
    if (digits.empty()) return std::nullopt;
    digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
    if (digits.size() > exponent_max) return std::nullopt;
    exponent = to_integer(digits).value_or(0) * (down ? -1 : 1);
  }
  if (!text.empty()) return std::nullopt;
  number.digits_ = std::string(whole) + std::string(fraction);
  const std::size_t first = number.digits_.find_first_not_of('0');
  if (first == std::string::npos) return Decimal();
  number.exponent_ =
      exponent + static_cast<std::int64_t>(whole.size()) - static_cast<std::int64_t>(first);
  number.digits_.erase(0, first);
  number.digits_.erase(number.digits_.find_last_not_of('0') + 1);
  return number;
}

std::string Decimal::canonical() const {
  if (digits_.empty()) return "0";
  const std::string sign = negative_ ? "-" : "";
  const auto length = static_cast<std::int64_t>(digits_.size());
  constexpr std::int64_t zeros_max = 20;
  // A whole number as it is usually written.
  if (exponent_ >= length && exponent_ - length <= zeros_max) {
    return sign + digits_ + std::string(static_cast<std::size_t>(exponent_ - length), '0');
  }
  return sign + "0." + digits_ + "e" + std::to_string(exponent_);
}

std::strong_ordering Decimal::operator<=>(const Decimal& other) const {
  auto sign = [](const Decimal& number) {
    return number.digits_.empty() ? 0 : number.negative_ ? -1 : 1;
  };
  if (sign(*this) != sign(other)) return sign(*this) <=> sign(other);
  const auto magnitude = exponent_ != other.exponent_ && !digits_.empty()
                             ? exponent_ <=> other.exponent_
                             : digits_.compare(other.digits_) <=> 0;
  return negative_ ? 0 <=> magnitude : magnitude;
}

bool is_plain_integer(std::string_view text) {
  if (text.empty() || text.size() > 20 || (text.front() == '0' && text.size() > 1)) return false;
  return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace mailwarden::detect
