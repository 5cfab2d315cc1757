#include "base/timestamp.h"

#include <gtest/gtest.h>

#include "base/clock.h"

namespace mailwarden {
namespace {

struct Case {
  const char* name;
  const char* text;
  const char* utc;  // empty where the text is refused
};

class ParseRfc3339 : public testing::TestWithParam<Case> {};

TEST_P(ParseRfc3339, GivesTheMomentInUtc) {
  const auto parsed = parse_rfc3339(GetParam().text);
  EXPECT_EQ(parsed ? to_rfc3339(*parsed) : "", GetParam().utc);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, ParseRfc3339,
    testing::Values(
        Case{"Plain", "2026-11-24T02:14:43Z", "2026-11-24T02:14:43.000000Z"},
        Case{"East", "2026-01-01T00:30:00.5+02:00", "2025-12-31T22:30:00.500000Z"},
        Case{"West", "2026-01-01T00:30:00-0330", "2026-01-01T04:00:00.000000Z"},
        Case{"Nanoseconds", "2026-01-01 00:00:00.123456789Z", "2026-01-01T00:00:00.123456Z"},
        Case{"LeapDay", "2024-02-29T12:00:00Z", "2024-02-29T12:00:00.000000Z"},
        Case{"LeapSecond", "2016-12-31T23:59:60Z", "2016-12-31T23:59:59.999999Z"},
        Case{"YearZero", "0000-01-01T00:00:00Z", "0000-01-01T00:00:00.000000Z"},
        Case{"Year9999", "9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"},
        Case{"ClampedBelow", "0000-01-01T00:00:00+10:00", "0000-01-01T00:00:00.000000Z"},
        Case{"ClampedAbove", "9999-12-31T23:59:59-10:00", "9999-12-31T23:59:59.999999Z"},
        Case{"NoLeapDay", "2023-02-29T12:00:00Z", ""}, Case{"Month13", "2026-13-01T00:00:00Z", ""},
        Case{"Hour24", "2026-01-01T24:00:00Z", ""}, Case{"NoZone", "2026-01-01T00:00:00", ""},
        Case{"Trailing", "2026-01-01T00:00:00Zx", ""}, Case{"Short", "2026-1-1T00:00:00Z", ""},
        Case{"Empty", "", ""}, Case{"Offset24", "2026-01-01T00:00:00+24:00", ""}),
    [](const auto& info) { return info.param.name; });

TEST(Timestamp, CivilAndBackIsTheSame) {
  for (std::int64_t us = Timestamp::earliest.us; us < Timestamp::latest.us - 7'919'000'000'000'007;
       us += 7'919'000'000'000'007) {
    const auto back = from_civil(to_civil({us}));
    ASSERT_TRUE(back);
    ASSERT_EQ(back->us, us);
  }
}

TEST(Timestamp, TextOrderIsTimeOrder) {
  EXPECT_LT(to_rfc3339({-1}), to_rfc3339({0}));
  EXPECT_LT(to_rfc3339({999'999}), to_rfc3339({1'000'000}));
}

TEST(ParseDuration, KnowsItsUnits) {
  using namespace std::chrono_literals;
  EXPECT_EQ(parse_duration("90s"), Duration(90s));
  EXPECT_EQ(parse_duration("15m"), Duration(15min));
  EXPECT_EQ(parse_duration("12h"), Duration(12h));
  EXPECT_EQ(parse_duration("30d"), Duration(720h));
  EXPECT_EQ(parse_duration("2w"), Duration(336h));
  EXPECT_EQ(parse_duration("1y"), Duration(8760h));
  EXPECT_EQ(parse_duration("250ms"), Duration(250ms));
  EXPECT_EQ(parse_duration("2000000000us"), Duration(2000s));
  for (const char* wrong : {"", "5", "m", "-5m", "5mm", "5 m", "99999999999s", "2000y", "1.5h"}) {
    EXPECT_FALSE(parse_duration(wrong)) << wrong;
  }
}

TEST(ToWords, UsesTheLargestUnitThatFits) {
  using namespace std::chrono_literals;
  EXPECT_EQ(to_words(15min), "15 min");
  EXPECT_EQ(to_words(90s), "90 s");
  EXPECT_EQ(to_words(48h), "2 d");
  EXPECT_EQ(to_words(250ms), "250 ms");
  EXPECT_EQ(to_words(Duration(0)), "0 s");
  EXPECT_EQ(to_words(Duration(7)), "7 µs");
}

TEST(Clock, ManualMovesOnlyWhenTold) {
  ManualClock clock({1000});
  EXPECT_EQ(clock.now().us, 1000);
  clock.advance(Duration(5));
  EXPECT_EQ(clock.now().us, 1005);
  clock.set({1});
  EXPECT_EQ(clock.now().us, 1);
}

TEST(Clock, SystemIsInThisCentury) {
  EXPECT_GT(SystemClock().now(), parse_rfc3339("2026-01-01T00:00:00Z").value());
  EXPECT_LT(SystemClock().now(), parse_rfc3339("2126-01-01T00:00:00Z").value());
}

TEST(Rfc5322, IsTheDateOfMailAndHttp) {
  struct Case {
    const char* rfc3339;
    const char* expected;
  };
  // The first is the example of RFC 5322, A.1.1, in UTC; the others are calendars' answers.
  for (const Case& c : {Case{"1997-11-21T15:55:06Z", "Fri, 21 Nov 1997 15:55:06 +0000"},
                        Case{"1970-01-01T00:00:00Z", "Thu, 01 Jan 1970 00:00:00 +0000"},
                        Case{"1969-12-31T23:59:59Z", "Wed, 31 Dec 1969 23:59:59 +0000"},
                        Case{"2000-02-29T12:00:00Z", "Tue, 29 Feb 2000 12:00:00 +0000"}}) {
    EXPECT_EQ(to_rfc5322(parse_rfc3339(c.rfc3339).value()), c.expected);
  }
}

}  // namespace
}  // namespace mailwarden
