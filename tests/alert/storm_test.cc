// How many notices pass, and what is told of the others.
#include "alert/storm.h"

#include <gtest/gtest.h>

namespace mailwarden::alert {
namespace {

using std::chrono::seconds;

constexpr Timestamp storm_start{1'800'000'000'000'000};
constexpr StormLimit limit{.notices = 3, .per = seconds(60)};

Alert alert_of(std::int64_t incident, const std::string& receiver = "pager") {
  return {.key = "k",
          .receiver = receiver,
          .incident = incident,
          .time = storm_start,
          .subject = "about " + std::to_string(incident),
          .event = {},
          .route = "r"};
}

TEST(StormBook, WhatIsMoreIsCountedAndToldAtTheEnd) {
  StormBook book;
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(book.holds_back(alert_of(1), 0, limit, storm_start));
  for (std::int64_t i = 0; i < 1'204; ++i) {
    const Timestamp at = storm_start + seconds(i / 100);
    EXPECT_TRUE(book.holds_back(alert_of(i % 40 + 1), i == 700 ? 2 : 1, limit, at));
  }
  EXPECT_FALSE(book.holds_back(alert_of(1, "mail"), 0, limit, storm_start)) << "another receiver";
  EXPECT_TRUE(book.tick("o", storm_start + seconds(59)).empty());
  const auto told = book.tick("o", storm_start + seconds(60));
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].subject,
            "1204 more notices in 1 min: 40 incidents, the gravest about 21; the first about 1; "
            "the last about 4");
  EXPECT_EQ(told[0].receiver, "pager");
  const json::Value data = told[0].event.find("data")->second;
  EXPECT_EQ(data.integer("notices"), 1'204);
  EXPECT_EQ(data["incidents"].as_array()->size(), 40U);
  EXPECT_TRUE(book.tick("o", storm_start + seconds(61)).empty());
}

TEST(StormBook, OneThatGoesOnIsTheNextSummaryAndOneThatDoesNotIsOver) {
  StormBook book;
  std::set<std::string> keys;
  int passed = 0;
  for (int second = 0; second < 180; ++second) {
    for (int i = 0; i < 10; ++i) {
      if (!book.holds_back(alert_of(1), 0, limit, storm_start + seconds(second))) ++passed;
    }
    for (const Alert& alert : book.tick("o", storm_start + seconds(second))) keys.insert(alert.key);
  }
  EXPECT_EQ(passed, 3);
  EXPECT_EQ(keys.size(), 2U);
  EXPECT_EQ(book.tick("o", storm_start + seconds(182)).size(), 1U);
  EXPECT_FALSE(book.holds_back(alert_of(1), 0, limit, storm_start + seconds(300)));
}

TEST(StormBook, WithoutALimitAllPass) {
  StormBook book;
  for (int i = 0; i < 1'000; ++i) EXPECT_FALSE(book.holds_back(alert_of(1), 0, {}, storm_start));
}

TEST(StormBook, ARestartGoesOnCounting) {
  StormBook book;
  for (int i = 0; i < 5; ++i)
    static_cast<void>(book.holds_back(alert_of(i), 1, limit, storm_start));
  const auto touched = book.take_touched();
  ASSERT_EQ(touched.storms.size(), 1U);
  const auto stored = storm_from_json(to_json(*book.find(*touched.storms.begin())));
  ASSERT_TRUE(stored);
  EXPECT_EQ(*stored, *book.find(*touched.storms.begin()));
  StormBook again({*stored});
  EXPECT_TRUE(again.holds_back(alert_of(9), 1, limit, storm_start + seconds(1)));
  const auto told = again.tick("o", storm_start + seconds(60));
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].event.find("data")->second.integer("notices"), 3);
  EXPECT_EQ(again.take_touched().gone.size(), 1U);
}

TEST(StormBook, MemoryIsBoundedByCounting) {
  StormBook book;
  const auto most = static_cast<std::int64_t>(Storm::incidents_max);
  for (std::int64_t i = 1; i <= most + 103; ++i) {
    static_cast<void>(book.holds_back(alert_of(i), 0, limit, storm_start));
  }
  const auto told = book.tick("o", storm_start + seconds(60));
  ASSERT_EQ(told.size(), 1U);
  EXPECT_TRUE(told[0].subject.starts_with("10100 more notices in 1 min: at least 10000 incidents"))
      << told[0].subject;
}

TEST(StormBook, AClockThatWasSetBackKeepsNothing) {
  StormBook book;
  for (int i = 0; i < 5; ++i)
    static_cast<void>(book.holds_back(alert_of(1), 0, limit, storm_start));
  EXPECT_EQ(book.tick("o", storm_start - std::chrono::hours(1)).size(), 1U);
}

}  // namespace
}  // namespace mailwarden::alert
