// Times of the week, as policies write them.
//
// What     A window {days: [mon, tue], from: 22:00, until: 06:00} as spans of the week. Its days
//          are those on which it begins; one whose end is not after its beginning ends on the next
//          day. Without days it is every day, without times the whole day.
// Owns     Nothing.
// Threads  Pure.
// Errors   read_window() leaves them with the reader.
// Limits   None.
#pragma once

#include <vector>

#include "base/timestamp.h"
#include "json/yaml_reader.h"

namespace mailwarden::alert {

// From one minute of the week to another, from Monday 00:00.
struct WeekSpan {
  int begin = 0;
  int end = 0;

  bool operator==(const WeekSpan&) const = default;
};
inline constexpr int week_minutes = 7 * 24 * 60;

// 'days', 'from' and 'until' of a map; whether it has other names is the caller's question.
std::vector<WeekSpan> read_window(yaml::Reader& reader, const yaml::Node& node);
// In order, and what touches or overlaps made one; none where they are the whole week.
std::vector<WeekSpan> joined(std::vector<WeekSpan> spans);
// Of joined spans, none of which is the whole week. `local` is a wall clock's time, as if it were
// UTC.
bool is_within(const std::vector<WeekSpan>& spans, Timestamp local);

}  // namespace mailwarden::alert
