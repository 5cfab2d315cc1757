// A wall clock that never goes back, and when it first shows a time.
#include "ingest/decode/zone.h"

#include <gtest/gtest.h>

#include "tests/ingest_decode/decode_fixture.h"

namespace mailwarden::ingest {
namespace {

struct Case {
  const char* name;
  const char* zone;
  const char* moment;
  const char* steady;
};

// Berlin set its clocks forward at 01:00Z on 29 March 2026, and back at 01:00Z on 25 October; Lord
// Howe forward by half an hour at 15:30Z on 3 October, and back at 15:00Z on 4 April; Apia left out
// 30 December 2011 at 10:00Z.
TEST(ZoneTest, TheSteadyClockStandsWhereTheWallClockGoesBack) {
  const std::vector<Case> cases{
      {"winter", "Europe/Berlin", "2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z"},
      {"before forward", "Europe/Berlin", "2026-03-29T00:59:59Z", "2026-03-29T01:59:59Z"},
      {"forward", "Europe/Berlin", "2026-03-29T01:00:00Z", "2026-03-29T03:00:00Z"},
      {"before back", "Europe/Berlin", "2026-10-25T00:59:59Z", "2026-10-25T02:59:59Z"},
      {"back", "Europe/Berlin", "2026-10-25T01:00:00Z", "2026-10-25T02:59:59.999999Z"},
      {"end of the hour", "Europe/Berlin", "2026-10-25T01:59:59Z", "2026-10-25T02:59:59.999999Z"},
      {"going on", "Europe/Berlin", "2026-10-25T02:00:00Z", "2026-10-25T03:00:00Z"},
      {"half an hour back", "Australia/Lord_Howe", "2026-04-04T15:29:00Z",
       "2026-04-05T01:59:59.999999Z"},
      {"half an hour later", "Australia/Lord_Howe", "2026-04-04T15:30:00Z", "2026-04-05T02:00:00Z"},
      {"no change", "Asia/Tokyo", "2026-04-04T15:30:00Z", "2026-04-05T00:30:00Z"},
      {"a day left out", "Pacific/Apia", "2011-12-30T10:00:00Z", "2011-12-31T00:00:00Z"}};
  for (const Case& c : cases) {
    const Zone zone = Zone::make(c.zone).value();
    EXPECT_EQ(to_rfc3339(zone.to_steady(at(c.moment))), to_rfc3339(at(c.steady))) << c.name;
  }
}

TEST(ZoneTest, ATimeIsFirstShownOnceAndInOrder) {
  struct Shown {
    const char* name;
    const char* zone;
    const char* local;
    const char* moment;
  };
  const std::vector<Shown> cases{
      {"plain", "Europe/Berlin", "2026-07-01T09:00:00Z", "2026-07-01T07:00:00Z"},
      {"left out", "Europe/Berlin", "2026-03-29T02:30:00Z", "2026-03-29T01:00:00Z"},
      {"behind the gap", "Europe/Berlin", "2026-03-29T03:00:00Z", "2026-03-29T01:00:00Z"},
      {"shown twice", "Europe/Berlin", "2026-10-25T02:30:00Z", "2026-10-25T00:30:00Z"},
      {"behind both", "Europe/Berlin", "2026-10-25T03:00:00Z", "2026-10-25T02:00:00Z"},
      {"half an hour", "Australia/Lord_Howe", "2026-10-04T02:15:00Z", "2026-10-03T15:30:00Z"},
      {"a day left out", "Pacific/Apia", "2011-12-30T12:00:00Z", "2011-12-30T10:00:00Z"}};
  for (const Shown& c : cases) {
    const Zone zone = Zone::make(c.zone).value();
    EXPECT_EQ(to_rfc3339(zone.first_at(at(c.local))), to_rfc3339(at(c.moment))) << c.name;
  }
}

// What both promise of each other, over every change of some years.
TEST(ZoneTest, BothClocksSayTheSame) {
  for (const char* name : {"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"}) {
    const Zone zone = Zone::make(name).value();
    const Timestamp end = at("2028-01-01T00:00:00Z");
    Timestamp before = Timestamp::earliest;
    for (Timestamp t = at("2026-01-01T00:07:00Z"); t < end; t = t + std::chrono::minutes(23)) {
      const Timestamp steady = zone.to_steady(t);
      ASSERT_LE(before, steady) << name << " " << to_rfc3339(t);
      ASSERT_LE(zone.first_at(steady), t) << name << " " << to_rfc3339(t);
      ASSERT_GT(zone.first_at(steady + Duration(1)), t) << name << " " << to_rfc3339(t);
      before = steady;
    }
  }
}

}  // namespace
}  // namespace mailwarden::ingest
