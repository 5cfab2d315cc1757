#include "policy/extension.h"

#include <algorithm>
#include <charconv>
#include <chrono>

#include "base/check.h"
#include "base/text.h"

namespace mailwarden::policy {
namespace {

constexpr Kind none = Kind::boolean;
constexpr std::array<FunctionInfo, 22> functions = {{
    {"decimal", Function::decimal, true, 1, {Kind::string, none}, Kind::decimal},
    {"lessThan", Function::less_than, false, 2, {Kind::decimal, Kind::decimal}, Kind::boolean},
    {"lessThanOrEqual",
     Function::less_than_or_equal,
     false,
     2,
     {Kind::decimal, Kind::decimal},
     Kind::boolean},
    {"greaterThan",
     Function::greater_than,
     false,
     2,
     {Kind::decimal, Kind::decimal},
     Kind::boolean},
    {"greaterThanOrEqual",
     Function::greater_than_or_equal,
     false,
     2,
     {Kind::decimal, Kind::decimal},
     Kind::boolean},
    {"ip", Function::ip, true, 1, {Kind::string, none}, Kind::ip},
    {"isIpv4", Function::is_ipv4, false, 1, {Kind::ip, none}, Kind::boolean},
    {"isIpv6", Function::is_ipv6, false, 1, {Kind::ip, none}, Kind::boolean},
    {"isLoopback", Function::is_loopback, false, 1, {Kind::ip, none}, Kind::boolean},
    {"isMulticast", Function::is_multicast, false, 1, {Kind::ip, none}, Kind::boolean},
    {"isInRange", Function::is_in_range, false, 2, {Kind::ip, Kind::ip}, Kind::boolean},
    {"datetime", Function::datetime, true, 1, {Kind::string, none}, Kind::datetime},
    {"duration", Function::duration, true, 1, {Kind::string, none}, Kind::duration},
    {"offset", Function::offset, false, 2, {Kind::datetime, Kind::duration}, Kind::datetime},
    {"durationSince",
     Function::duration_since,
     false,
     2,
     {Kind::datetime, Kind::datetime},
     Kind::duration},
    {"toDate", Function::to_date, false, 1, {Kind::datetime, none}, Kind::datetime},
    {"toTime", Function::to_time, false, 1, {Kind::datetime, none}, Kind::duration},
    {"toMilliseconds", Function::to_milliseconds, false, 1, {Kind::duration, none}, Kind::integer},
    {"toSeconds", Function::to_seconds, false, 1, {Kind::duration, none}, Kind::integer},
    {"toMinutes", Function::to_minutes, false, 1, {Kind::duration, none}, Kind::integer},
    {"toHours", Function::to_hours, false, 1, {Kind::duration, none}, Kind::integer},
    {"toDays", Function::to_days, false, 1, {Kind::duration, none}, Kind::integer},
}};

// Digits alone, however many, that fit into 64 bits.
std::optional<std::int64_t> read_digits(std::string_view text) {
  if (text.empty() || !std::ranges::all_of(text, is_digit)) return std::nullopt;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  return number;
}

std::optional<std::int64_t> times_plus(std::int64_t number, std::int64_t times, std::int64_t plus) {
  std::int64_t product = 0;
  std::int64_t sum = 0;
  if (__builtin_mul_overflow(number, times, &product) ||
      __builtin_add_overflow(product, plus, &sum)) {
    return std::nullopt;
  }
  return sum;
}

}  // namespace

const FunctionInfo& info_of(Function function) {
  const FunctionInfo& info = functions[static_cast<std::size_t>(function)];
  CHECK(info.function == function);
  return info;
}

const FunctionInfo* find_function(std::string_view name) {
  const auto at = std::ranges::find(functions, name, &FunctionInfo::name);
  return at == functions.end() ? nullptr : &*at;
}

std::optional<std::int64_t> read_decimal(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const auto point = text.find('.');
  if (point == std::string_view::npos) return std::nullopt;
  const std::string_view fraction = text.substr(point + 1);
  if (fraction.size() > 4) return std::nullopt;
  const auto whole = read_digits(text.substr(0, point));
  auto parts = read_digits(fraction);
  if (!whole || !parts) return std::nullopt;
  for (std::size_t digits = fraction.size(); digits < 4; ++digits) *parts *= 10;
  const std::int64_t sign = negative ? -1 : 1;
  return times_plus(*whole, sign * 10'000, sign * *parts);
}

std::string decimal_text(std::int64_t ten_thousandths) {
  const bool negative = ten_thousandths < 0;
  const std::uint64_t size = negative ? 0 - static_cast<std::uint64_t>(ten_thousandths)
                                      : static_cast<std::uint64_t>(ten_thousandths);
  std::string fraction = std::to_string(size % 10'000);
  fraction.insert(0, 4 - fraction.size(), '0');
  while (fraction.size() > 1 && fraction.back() == '0') fraction.pop_back();
  return (negative ? "-" : "") + std::to_string(size / 10'000) + "." + fraction;
}

std::int64_t time_of_day(std::int64_t datetime) {
  constexpr std::int64_t day = 86'400'000;
  const std::int64_t rest = datetime % day;
  return rest < 0 ? rest + day : rest;
}

std::optional<std::int64_t> date_of(std::int64_t datetime) {
  std::int64_t date = 0;
  if (__builtin_sub_overflow(datetime, time_of_day(datetime), &date)) return std::nullopt;
  return date;
}

namespace {

struct Unit {
  std::string_view name;
  std::int64_t milliseconds;
};
constexpr std::array<Unit, 5> units = {
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1}}};

// Takes exactly `digits` digits.
std::optional<int> take_number(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return std::nullopt;
  const auto number = read_digits(text.substr(0, digits));
  if (!number) return std::nullopt;
  text.remove_prefix(digits);
  return static_cast<int>(*number);
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

// "Z" or "+hhmm", in minutes.
std::optional<int> read_zone(std::string_view text) {
  if (text == "Z") return 0;
  const int sign = text.starts_with('-') ? -1 : 1;
  if (!take(text, '+') && !take(text, '-')) return std::nullopt;
  const auto hours = take_number(text, 2);
  const auto minutes = take_number(text, 2);
  if (!hours || !minutes || !text.empty() || *hours > 23 || *minutes > 59) return std::nullopt;
  return sign * (*hours * 60 + *minutes);
}

// "Thh:mm:ss", perhaps ".SSS", and a zone; milliseconds into the day in UTC.
std::optional<std::int64_t> read_time(std::string_view text) {
  if (!take(text, 'T')) return std::nullopt;
  const auto hour = take_number(text, 2);
  if (!hour || !take(text, ':')) return std::nullopt;
  const auto minute = take_number(text, 2);
  if (!minute || !take(text, ':')) return std::nullopt;
  const auto second = take_number(text, 2);
  if (!second || *hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  std::int64_t milliseconds = 0;
  if (take(text, '.')) {
    const auto parts = take_number(text, 3);
    if (!parts) return std::nullopt;
    milliseconds = *parts;
  }
  const auto zone = read_zone(text);
  if (!zone) return std::nullopt;
  const std::int64_t minutes = *hour * 60 + *minute - *zone;
  return minutes * 60'000 + *second * 1000 + milliseconds;
}

}  // namespace

std::optional<std::int64_t> read_datetime(std::string_view text) {
  const auto year = take_number(text, 4);
  if (!year || !take(text, '-')) return std::nullopt;
  const auto month = take_number(text, 2);
  if (!month || !take(text, '-')) return std::nullopt;
  const auto day = take_number(text, 2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date(std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day)));
  if (!date.ok()) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  if (text.empty()) return days * 86'400'000;
  const auto time = read_time(text);
  if (!time) return std::nullopt;
  return days * 86'400'000 + *time;
}

std::string datetime_source(std::int64_t milliseconds) {
  const std::int64_t rest = time_of_day(milliseconds);
  const std::int64_t days = (milliseconds / 86'400'000) - (milliseconds % 86'400'000 < 0 ? 1 : 0);
  constexpr std::int64_t first = -719'528;  // 0000-01-01
  constexpr std::int64_t last = 2'932'896;  // 9999-12-31
  if (days < first || days > last) {
    return "datetime(\"1970-01-01\").offset(duration(" +
           policy::quoted(duration_text(milliseconds)) + "))";
  }
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(days))};
  std::array<char, 40> text;
  const int size =
      std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ",
                    static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                    static_cast<unsigned>(date.day()), static_cast<int>(rest / 3'600'000),
                    static_cast<int>(rest / 60'000 % 60), static_cast<int>(rest / 1000 % 60),
                    static_cast<int>(rest % 1000));
  return "datetime(\"" + std::string(text.data(), static_cast<std::size_t>(size)) + "\")";
}

std::optional<std::int64_t> read_duration(std::string_view text) {
  const bool negative = take(text, '-');
  if (text.empty()) return std::nullopt;
  std::int64_t sum = 0;
  std::size_t unit = 0;
  while (!text.empty()) {
    const auto end = std::ranges::find_if_not(text, is_digit) - text.begin();
    const auto digits = text.substr(0, static_cast<std::size_t>(end));
    text.remove_prefix(digits.size());
    const auto letters = text.substr(
        0, static_cast<std::size_t>(std::ranges::find_if(text, is_digit) - text.begin()));
    while (unit < units.size() && units[unit].name != letters) ++unit;
    if (digits.empty() || unit == units.size()) return std::nullopt;
    // A sign at each step, so that the smallest number can be said.
    std::int64_t count = 0;
    const std::string signed_digits = (negative ? "-" : "") + std::string(digits);
    const char* const last = signed_digits.data() + signed_digits.size();
    if (std::from_chars(signed_digits.data(), last, count).ec != std::errc()) return std::nullopt;
    const auto next = times_plus(count, units[unit].milliseconds, sum);
    if (!next) return std::nullopt;
    sum = *next;
    text.remove_prefix(letters.size());
    ++unit;
  }
  return sum;
}

std::string duration_text(std::int64_t milliseconds) {
  return std::to_string(milliseconds) + "ms";
}

}  // namespace mailwarden::policy
