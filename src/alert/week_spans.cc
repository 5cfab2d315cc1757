#include "alert/week_spans.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/text.h"

namespace mailwarden::alert {
namespace {

using yaml::Node;

constexpr std::array days{"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
constexpr int day_minutes = 24 * 60;

// "22:30" as minutes.
std::optional<int> parse_minute(std::string_view text) {
  if (text.size() != 5) return std::nullopt;
  const auto midnight = parse_rfc3339("2000-01-01T00:00:00Z");
  const auto at = parse_rfc3339("2000-01-01T" + std::string(text) + ":00Z");
  if (!midnight || !at) return std::nullopt;
  return static_cast<int>(std::chrono::floor<std::chrono::minutes>(*at - *midnight).count());
}

}  // namespace

std::vector<WeekSpan> read_window(yaml::Reader& reader, const Node& node) {
  const auto minute = [&](std::string_view name) {
    const std::string text = reader.text(node, name, "00:00");
    const auto parsed = parse_minute(text);
    if (!parsed && !text.empty()) {
      reader.mistake(*node.find(name),
                     in_quotes(name) + " must be a time like 09:00, not " + in_quotes(text));
    }
    return parsed.value_or(0);
  };
  if ((node.find("from") == nullptr) != (node.find("until") == nullptr)) {
    reader.mistake(node, "'from' and 'until' go together");
  }
  const int from = minute("from");
  const int until = minute("until");
  std::vector<std::string> wanted(days.begin(), days.end());
  if (node.find("days") != nullptr) wanted = reader.texts(node, "days");
  std::vector<WeekSpan> spans;
  for (const std::string& day : wanted) {
    const auto* const found = std::ranges::find(days, day);
    if (found == days.end()) {
      reader.mistake(*node.find("days"), in_quotes(day) +
                                             " is no day of the week; there are mon, tue, wed, "
                                             "thu, fri, sat, sun");
      continue;
    }
    const int midnight = static_cast<int>(found - days.begin()) * day_minutes;
    spans.push_back({midnight + from, midnight + until + (until > from ? 0 : day_minutes)});
  }
  return spans;
}

std::vector<WeekSpan> joined(std::vector<WeekSpan> spans) {
  std::vector<WeekSpan> cut;
  for (const WeekSpan& span : spans) {
    cut.push_back({span.begin, std::min(span.end, week_minutes)});
    if (span.end > week_minutes) cut.push_back({0, span.end - week_minutes});
  }
  std::ranges::sort(cut, {}, &WeekSpan::begin);
  std::vector<WeekSpan> apart;
  for (const WeekSpan& span : cut) {
    if (!apart.empty() && span.begin <= apart.back().end) {
      apart.back().end = std::max(apart.back().end, span.end);
    } else {
      apart.push_back(span);
    }
  }
  if (apart == std::vector<WeekSpan>{{0, week_minutes}}) apart.clear();
  return apart;
}

bool is_within(const std::vector<WeekSpan>& spans, Timestamp local) {
  if (spans.empty()) return true;
  constexpr std::int64_t week = Duration(std::chrono::days(7)).count();
  // 1970-01-05 was a Monday.
  const std::int64_t since = local.us - Duration(std::chrono::days(4)).count();
  const Duration in_week{((since % week) + week) % week};
  const int minute = static_cast<int>(std::chrono::floor<std::chrono::minutes>(in_week).count());
  return std::ranges::any_of(
      spans, [&](const WeekSpan& span) { return minute >= span.begin && minute < span.end; });
}

}  // namespace mailwarden::alert
