#include "base/timestamp.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace mailwarden {
namespace {

using std::chrono::days;
using std::chrono::sys_days;
using std::chrono::year_month_day;

constexpr std::int64_t us_per_second = 1'000'000;
constexpr std::int64_t us_per_day = 86'400 * us_per_second;

constexpr std::array duration_units{
    std::pair{std::string_view("us"), Duration(1)},
    std::pair{std::string_view("ms"), Duration(std::chrono::milliseconds(1))},
    std::pair{std::string_view("s"), Duration(std::chrono::seconds(1))},
    std::pair{std::string_view("m"), Duration(std::chrono::minutes(1))},
    std::pair{std::string_view("h"), Duration(std::chrono::hours(1))},
    std::pair{std::string_view("d"), Duration(days(1))},
    std::pair{std::string_view("w"), Duration(days(7))},
    std::pair{std::string_view("y"), Duration(days(365))}};

// Takes exactly `width` digits from the front of `text`.
std::optional<unsigned> take_digits(std::string_view& text, std::size_t width) {
  if (text.size() < width) return std::nullopt;
  unsigned value = 0;
  for (const char c : text.substr(0, width)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  text.remove_prefix(width);
  return value;
}

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || !any_of.contains(text.front())) return false;
  text.remove_prefix(1);
  return true;
}

std::int64_t take_fraction(std::string_view& text) {
  std::int64_t microsecond = 0;
  std::int64_t scale = us_per_second;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    scale /= 10;
    microsecond += (text.front() - '0') * scale;
    text.remove_prefix(1);
  }
  return microsecond;
}

// The offset from UTC at the end of `text`, which it must use up.
std::optional<Duration> take_offset(std::string_view& text) {
  if (text == "Z" || text == "z") return Duration(0);
  const bool west = text.starts_with('-');
  if (!take(text, "+-")) return std::nullopt;
  const auto hour = take_digits(text, 2);
  take(text, ":");
  const auto minute = take_digits(text, 2);
  if (!hour || !minute || *hour > 23 || *minute > 59 || !text.empty()) return std::nullopt;
  const Duration offset = std::chrono::hours(*hour) + std::chrono::minutes(*minute);
  return west ? -offset : offset;
}

std::optional<Civil> take_civil(std::string_view& text) {
  Civil civil;
  const auto year = take_digits(text, 4);
  if (!year || !take(text, "-")) return std::nullopt;
  const auto month = take_digits(text, 2);
  if (!month || !take(text, "-")) return std::nullopt;
  const auto day = take_digits(text, 2);
  if (!day || !take(text, "Tt ")) return std::nullopt;
  const auto hour = take_digits(text, 2);
  if (!hour || !take(text, ":")) return std::nullopt;
  const auto minute = take_digits(text, 2);
  if (!minute || !take(text, ":")) return std::nullopt;
  const auto second = take_digits(text, 2);
  if (!second) return std::nullopt;
  if (take(text, ".,")) civil.microsecond = take_fraction(text);
  civil.year = static_cast<int>(*year);
  civil.month = *month;
  civil.day = *day;
  civil.hour = *hour;
  civil.minute = *minute;
  civil.second = *second;
  return civil;
}

}  // namespace

Result<Timestamp> from_civil(const Civil& civil) {
  const year_month_day date{std::chrono::year(civil.year), std::chrono::month(civil.month),
                            std::chrono::day(civil.day)};
  const bool leap_second = civil.second == 60;
  if (!date.ok() || civil.year < 0 || civil.year > 9999 || civil.hour > 23 || civil.minute > 59 ||
      civil.second > 60 || civil.microsecond < 0 || civil.microsecond >= us_per_second) {
    return fail(Code::invalid, "no such date and time in the calendar");
  }
  const std::int64_t day = sys_days(date).time_since_epoch().count();
  const std::int64_t second =
      civil.hour * 3600 + civil.minute * 60 + (leap_second ? 59 : civil.second);
  const std::int64_t micro = leap_second ? us_per_second - 1 : civil.microsecond;
  return Timestamp{day * us_per_day + second * us_per_second + micro};
}

Civil to_civil(Timestamp at) {
  const std::int64_t us =
      std::clamp(at.us, Timestamp::earliest.us, Timestamp::latest.us) - Timestamp::earliest.us;
  const auto first = sys_days(std::chrono::year(0) / 1 / 1);
  const year_month_day date(first + days(us / us_per_day));
  const std::int64_t in_day = us % us_per_day;
  const auto second = static_cast<unsigned>(in_day / us_per_second);
  return {.year = static_cast<int>(date.year()),
          .month = static_cast<unsigned>(date.month()),
          .day = static_cast<unsigned>(date.day()),
          .hour = second / 3600,
          .minute = second / 60 % 60,
          .second = second % 60,
          .microsecond = in_day % us_per_second};
}

std::array<char, 27> rfc3339_text(Timestamp at) {
  const Civil civil = to_civil(at);
  std::array<char, 27> text{};
  auto put = [&text](std::size_t where, std::size_t width, std::uint64_t value) {
    for (std::size_t i = width; i-- > 0; value /= 10) {
      text[where + i] = static_cast<char>('0' + value % 10);
    }
  };
  put(0, 4, static_cast<std::uint64_t>(civil.year));
  put(5, 2, civil.month);
  put(8, 2, civil.day);
  put(11, 2, civil.hour);
  put(14, 2, civil.minute);
  put(17, 2, civil.second);
  put(20, 6, static_cast<std::uint64_t>(civil.microsecond));
  text[4] = text[7] = '-';
  text[10] = 'T';
  text[13] = text[16] = ':';
  text[19] = '.';
  text[26] = 'Z';
  return text;
}

void append_rfc3339(std::string& out, Timestamp at) {
  const auto text = rfc3339_text(at);
  out.append(text.data(), text.size());
}

std::string to_rfc3339(Timestamp at) {
  const auto text = rfc3339_text(at);
  return {text.data(), text.size()};
}

std::string to_rfc5322(Timestamp at) {
  constexpr std::array days{"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
  constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  constexpr std::int64_t us_per_day = 86'400 * us_per_second;
  const Civil civil = to_civil(at);
  std::int64_t day = at.us / us_per_day - (at.us % us_per_day < 0 ? 1 : 0);
  day = ((day % 7) + 7) % 7;  // 1970-01-01 was a Thursday
  char text[64];
  std::snprintf(text, sizeof text, "%s, %02u %s %04d %02u:%02u:%02u +0000",
                days[static_cast<std::size_t>(day)], civil.day, months[civil.month - 1], civil.year,
                civil.hour, civil.minute, civil.second);
  return text;
}

Result<Timestamp> parse_rfc3339(std::string_view text) {
  std::string_view rest = text;
  const auto civil = take_civil(rest);
  const auto offset = civil ? take_offset(rest) : std::nullopt;
  if (!offset) {
    return fail(Code::invalid, "'" + std::string(text.substr(0, 40)) +
                                   "' is not a date and time like 2026-01-31T23:59:59Z");
  }
  const auto local = from_civil(*civil);
  if (!local) return fail(std::string(text.substr(0, 40)), local.error());
  return std::clamp(*local - *offset, Timestamp::earliest, Timestamp::latest);
}

Result<Duration> parse_duration(std::string_view text) {
  using namespace std::chrono;
  const auto wrong = [text] {
    return fail(Code::invalid, "'" + std::string(text) +
                                   "' is not a span of time like 90s, 15m, 12h, 30d, 2w or 7y");
  };
  std::int64_t count = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), count);
  const std::string_view name(end, text.data() + text.size());
  const auto* const unit =
      std::ranges::find(duration_units, name, [](const auto& known) { return known.first; });
  if (failed != std::errc() || unit == duration_units.end() || count < 0) return wrong();
  // A thousand years are longer than any policy and far from overflowing microseconds.
  constexpr Duration longest = hours(std::int64_t{24} * 365 * 1000);
  if (count > longest / unit->second) return wrong();
  return unit->second * count;
}

std::string to_words(Duration duration) {
  using namespace std::chrono;
  struct Unit {
    Duration size;
    const char* name;
  };
  constexpr std::array units{Unit{days(1), " d"}, Unit{hours(1), " h"}, Unit{minutes(1), " min"},
                             Unit{seconds(1), " s"}, Unit{milliseconds(1), " ms"}};
  for (const Unit& unit : units) {
    if (duration >= unit.size && duration % unit.size == Duration(0)) {
      return std::to_string(duration / unit.size) + unit.name;
    }
  }
  if (duration == Duration(0)) return "0 s";
  return std::to_string(duration.count()) + " µs";
}

}  // namespace mailwarden
