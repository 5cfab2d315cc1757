#include "tests/detect/oracle_value.h"

#include <algorithm>
#include <array>
#include <chrono>

#include <arpa/inet.h>

namespace mailwarden::oracle {
namespace {

// Far above any exponent that could matter, far below any that could overflow.
constexpr std::int64_t exponent_max = 1'000'000'000'000;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::string take_digits(std::string_view& text) {
  std::string digits;
  while (!text.empty() && is_digit(text.front())) {
    digits += text.front();
    text.remove_prefix(1);
  }
  return digits;
}

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || !any_of.contains(text.front())) return false;
  text.remove_prefix(1);
  return true;
}

// Exactly that many digits, between `least` and `most`.
std::optional<int> take_number(std::string_view& text, std::size_t digits, int least, int most) {
  if (text.size() < digits || !std::ranges::all_of(text.substr(0, digits), is_digit)) return {};
  int number = 0;
  for (const char c : text.substr(0, digits)) number = number * 10 + (c - '0');
  if (number < least || number > most) return {};
  text.remove_prefix(digits);
  return number;
}

struct Date {
  std::chrono::year_month_day day;
  std::optional<int> hour;
  std::optional<int> minute;
};

bool take_zone(std::string_view& text) {
  if (text.empty() || take(text, "Z")) return true;
  return take(text, "+-") && take_number(text, 2, 0, 23) && take(text, ":") &&
         take_number(text, 2, 0, 59);
}

bool take_seconds(std::string_view& text) {
  if (!take(text, ":")) return true;
  if (!take_number(text, 2, 0, 60)) return false;
  return !take(text, ".") || !take_digits(text).empty();
}

std::optional<Date> date_of(std::string_view text) {
  const auto year = take_number(text, 4, 0, 9999);
  if (!year || !take(text, "-")) return {};
  const auto month = take_number(text, 2, 1, 12);
  if (!month || !take(text, "-")) return {};
  const auto day = take_number(text, 2, 1, 31);
  if (!day) return {};
  Date date{.day = {std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                    std::chrono::day(static_cast<unsigned>(*day))},
            .hour = {},
            .minute = {}};
  if (!date.day.ok()) return {};
  if (text.empty()) return date;
  if (!take(text, "T ")) return {};
  date.hour = take_number(text, 2, 0, 23);
  if (!date.hour || !take(text, ":")) return {};
  date.minute = take_number(text, 2, 0, 59);
  if (!date.minute || !take_seconds(text) || !take_zone(text) || !text.empty()) return {};
  return date;
}

// A week belongs to the year, and counts from the year's first, in which its Thursday lies.
int iso_week(std::chrono::year_month_day date) {
  const std::chrono::sys_days day = date;
  const std::chrono::weekday weekday{day};
  const auto thursday = day + std::chrono::days(4 - static_cast<int>(weekday.iso_encoding()));
  const auto year = std::chrono::year_month_day(thursday).year();
  const std::chrono::sys_days new_year = year / 1 / 1;
  return static_cast<int>((thursday - new_year).count() / 7) + 1;
}

std::optional<std::vector<unsigned char>> address_of(std::string_view text) {
  const std::string written(text);
  if (written.contains('\0')) return {};
  std::array<unsigned char, 16> bytes{};
  if (inet_pton(AF_INET, written.c_str(), bytes.data()) == 1) {
    return std::vector<unsigned char>(bytes.begin(), bytes.begin() + 4);
  }
  if (inet_pton(AF_INET6, written.c_str(), bytes.data()) == 1) {
    return std::vector<unsigned char>(bytes.begin(), bytes.end());
  }
  return {};
}

bool is_mapped(const std::vector<unsigned char>& address) {
  return address.size() == 16 &&
         std::all_of(address.begin(), address.begin() + 10,
                     [](unsigned char byte) { return byte == 0; }) &&
         address[10] == 0xFF && address[11] == 0xFF;
}

bool bit(const std::vector<unsigned char>& address, std::size_t index) {
  return ((address[index / 8] >> (7 - index % 8)) & 1) != 0;
}

}  // namespace

std::optional<Number> number_of(std::string_view text) {
  Number number;
  number.negative = take(text, "-");
  const std::string whole = take_digits(text);
  std::string fraction;
  if (whole.empty()) return {};
  if (take(text, ".")) {
    fraction = take_digits(text);
    if (fraction.empty()) return {};
  }
  std::int64_t exponent = 0;
  if (take(text, "eE")) {
    const bool negative = !take(text, "+") && take(text, "-");
    const std::string digits = take_digits(text);
    if (digits.empty()) return {};
    for (const char c : digits) exponent = std::min(exponent * 10 + (c - '0'), exponent_max);
    if (negative) exponent = -exponent;
  }
  if (!text.empty()) return {};
  number.digits = whole + fraction;
  number.point = static_cast<std::int64_t>(whole.size()) + exponent;
  while (number.digits.starts_with('0')) {
    number.digits.erase(0, 1);
    --number.point;
  }
  while (number.digits.ends_with('0')) number.digits.pop_back();
  return number.digits.empty() ? Number() : number;
}

std::strong_ordering operator<=>(const Number& a, const Number& b) {
  const auto sign = [](const Number& n) { return n.digits.empty() ? 0 : n.negative ? -1 : 1; };
  if (sign(a) != sign(b)) return sign(a) <=> sign(b);
  const auto size = a.point != b.point ? a.point <=> b.point : a.digits.compare(b.digits) <=> 0;
  return a.negative ? 0 <=> size : size;
}

std::optional<Number> part_of_date(std::string_view part, std::string_view text) {
  const auto date = date_of(text);
  if (!date) return {};
  std::optional<int> value;
  if (part == "minute") value = date->minute;
  if (part == "hour") value = date->hour;
  if (part == "day") value = static_cast<int>(static_cast<unsigned>(date->day.day()));
  if (part == "week") value = iso_week(date->day);
  if (part == "month") value = static_cast<int>(static_cast<unsigned>(date->day.month()));
  if (part == "year") value = static_cast<int>(date->day.year());
  if (!value) return {};
  return number_of(std::to_string(*value));
}

Result<Network> network_of(std::string_view text) {
  const auto refused =
      fail(Code::invalid, "'" + std::string(text) + "' is no network; expected address/length");
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return refused;
  const auto address = address_of(text.substr(0, slash));
  std::string_view length = text.substr(slash + 1);
  const std::string digits = take_digits(length);
  if (!address || digits.empty() || digits.size() > 3 || !length.empty()) return refused;
  Network network{.address = *address, .bits = std::stoul(digits)};
  if (network.bits > network.address.size() * 8) return refused;
  if (network.bits >= 96 && is_mapped(network.address)) {
    network.address.erase(network.address.begin(), network.address.begin() + 12);
    network.bits -= 96;
  }
  return network;
}

bool stands_in(const Network& network, std::string_view address) {
  auto bytes = address_of(address);
  if (!bytes) return false;
  if (is_mapped(*bytes)) bytes->erase(bytes->begin(), bytes->begin() + 12);
  if (bytes->size() != network.address.size()) return false;
  for (std::size_t i = 0; i < network.bits; ++i) {
    if (bit(*bytes, i) != bit(network.address, i)) return false;
  }
  return true;
}

}  // namespace mailwarden::oracle
