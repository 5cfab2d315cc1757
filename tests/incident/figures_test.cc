#include "incident/figures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mailwarden::incident {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::ElementsAre;
using testing::IsEmpty;

Timestamp at(std::string_view text) {
  return parse_rfc3339(text).value();
}

Incident opened(std::string_view when, Severity severity, Duration detected,
                Duration acknowledged) {
  const Timestamp time = at(when);
  return {.state = State::analysing,
          .severity = severity,
          .opened = time,
          .first_event = time - detected,
          .graded = time,
          .acknowledged = acknowledged == Duration{} ? Timestamp() : time + acknowledged};
}

TEST(FiguresTest, AreByMonthAndSeverityTheNewestAndGravestFirst) {
  const std::vector<Incident> incidents{
      opened("2026-10-31T23:59:59Z", Severity::low, minutes(1), {}),
      opened("2026-11-01T00:00:00Z", Severity::low, minutes(1), {}),
      opened("2026-11-02T00:00:00Z", Severity::high, minutes(1), {})};
  std::vector<std::pair<std::string, Severity>> order;
  for (const FigureRow& row : figures_of(incidents)) order.emplace_back(row.month, row.severity);
  EXPECT_THAT(order,
              ElementsAre(std::pair("2026-11", Severity::high), std::pair("2026-11", Severity::low),
                          std::pair("2026-10", Severity::low)));
}

TEST(FiguresTest, TimesAreRanksOfWhatCameToPass) {
  std::vector<Incident> incidents;
  for (int i = 1; i <= 10; ++i) {
    incidents.push_back(
        opened("2026-11-02T00:00:00Z", Severity::low, minutes(i), i <= 3 ? hours(i) : hours(0)));
  }
  incidents[0].contained = incidents[0].opened + hours(7);
  const auto rows = figures_of(incidents);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].incidents, 10);
  EXPECT_EQ(
      rows[0].detect,
      (Times{
          .count = 10, .median = minutes(5), .percentile_90 = minutes(9), .longest = minutes(10)}));
  EXPECT_EQ(
      rows[0].acknowledge,
      (Times{.count = 3, .median = hours(2), .percentile_90 = hours(3), .longest = hours(3)}));
  EXPECT_EQ(rows[0].contain.longest, hours(7));
  EXPECT_EQ(rows[0].resolve, Times());
}

TEST(FiguresTest, WhatMissedAnythingIsCountedOnce) {
  Incident late = opened("2026-11-02T00:00:00Z", Severity::low, minutes(1), {});
  late.deadlines["contain"].missed = true;
  late.duties["authority"].missed = true;
  Incident duty = opened("2026-11-02T00:00:00Z", Severity::low, minutes(1), {});
  duty.duties["authority"].missed = true;
  const Incident good = opened("2026-11-02T00:00:00Z", Severity::low, minutes(1), {});
  EXPECT_EQ(figures_of(std::vector{late, duty, good})[0].missed, 2);
}

TEST(FiguresTest, WhatWasNoneAndWhatIsPartOfAnotherIsLeftOut) {
  Incident dismissed = opened("2026-11-02T00:00:00Z", Severity::low, minutes(1), {});
  dismissed.state = State::dismissed;
  Incident merged = dismissed;
  merged.state = State::merged;
  EXPECT_THAT(figures_of(std::vector{dismissed, merged}), IsEmpty());
}

TEST(FiguresTest, AClockThatWasSetBackTakesNoTime) {
  EXPECT_EQ(
      figures_of(std::vector{opened("2026-11-02T00:00:00Z", Severity::low, minutes(-5), {})})[0]
          .detect.longest,
      Duration{});
}

}  // namespace
}  // namespace mailwarden::incident
