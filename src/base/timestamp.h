// A moment, in microseconds since 1970-01-01T00:00:00Z.
//
// What     Timestamp is the one form of time in the program. Text is RFC 3339 in UTC with six
//          digits of a second, so that text order is time order.
// Owns     Nothing.
// Threads  Values; every function is pure.
// Errors   parse_rfc3339() answers Error{invalid} for what is not a date and time of the calendar.
// Limits   Years 0000 to 9999, as RFC 3339 has them. `Timestamp::earliest` and `latest` bound them.
// Source   RFC 3339 section 5.6.
#pragma once

#include <array>
#include <chrono>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace mailwarden {

using Duration = std::chrono::microseconds;

struct Timestamp {
  std::int64_t us = 0;

  static const Timestamp earliest;  // 0000-01-01T00:00:00Z
  static const Timestamp latest;    // 9999-12-31T23:59:59.999999Z

  auto operator<=>(const Timestamp&) const = default;
  Timestamp operator+(Duration d) const { return {us + d.count()}; }
  Timestamp operator-(Duration d) const { return {us - d.count()}; }
  Duration operator-(Timestamp other) const { return Duration(us - other.us); }
};

inline constexpr Timestamp Timestamp::earliest{-62'167'219'200'000'000};
inline constexpr Timestamp Timestamp::latest{253'402'300'799'999'999};

// "2026-11-24T02:14:43.000000Z". A moment outside the limits is clamped to the nearer one.
std::string to_rfc3339(Timestamp at);
void append_rfc3339(std::string& out, Timestamp at);
std::array<char, 27> rfc3339_text(Timestamp at);

// "Tue, 24 Nov 2026 02:14:43 +0000", as mail and HTTP have it.
std::string to_rfc5322(Timestamp at);

// Any offset and any number of digits of a second (beyond six they are cut); 'T' or a space between
// date and time. A leap second (:60) is the last microsecond of its minute.
Result<Timestamp> parse_rfc3339(std::string_view text);

// The calendar's answer for a civil date and time in UTC; Error{invalid} where it has none.
struct Civil {
  int year = 1970;
  unsigned month = 1;
  unsigned day = 1;
  unsigned hour = 0;
  unsigned minute = 0;
  unsigned second = 0;
  std::int64_t microsecond = 0;
};
Result<Timestamp> from_civil(const Civil& civil);
Civil to_civil(Timestamp at);

// A span such as "7us", "250ms", "90s", "15m", "12h", "30d", "2w", "7y" (a year is 365 days).
Result<Duration> parse_duration(std::string_view text);
// The same, as a person reads it: "15 min", "2 h", "30 d".
std::string to_words(Duration duration);

}  // namespace mailwarden
