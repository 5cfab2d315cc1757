// Who is on call: hand-overs, clocks that are set, layers, windows, overrides, holidays.
#include "alert/on_call.h"

#include <gtest/gtest.h>

namespace mailwarden::alert {
namespace {

Timestamp at(const std::string& text) {
  return parse_rfc3339(text).value();
}

constexpr const char* people_yaml = R"(people:
  - {name: ada, receivers: [mail-ada]}
  - {name: ben, receivers: [mail-ben]}
  - {name: cleo, receivers: [mail-cleo]}
  - {name: dora, receivers: [mail-dora]}
)";

// A schedule of that zone with what is given.
Schedule schedule(const std::string& zone, const std::string& rest) {
  const auto parsed = OnCallSchedules::parse(
      std::string(people_yaml) + "schedules:\n- name: primary\n  zone: " + zone + "\n" + rest,
      "f.yaml", at("2026-01-01T00:00:00Z"));
  EXPECT_TRUE(parsed) << parsed.error().what;
  return parsed ? parsed->schedules().front() : Schedule();
}

// One layer without windows.
Schedule rotation(const std::string& zone, const std::string& people_of_it,
                  const std::string& start, const std::string& shift) {
  return schedule(zone, "  layers:\n  - {name: l, people: [" + people_of_it + "], start: " + start +
                            ", shift: " + shift + "}\n  fallback: dora\n");
}

// "2026-03-28T08:00Z ben"
std::vector<std::string> told(const Schedule& of, const std::string& from,
                              const std::string& until) {
  std::vector<std::string> lines;
  for (const Shift& shift : shifts(of, at(from), at(until), 1000)) {
    lines.push_back(to_rfc3339(shift.from).substr(0, 16) + "Z " + shift.person);
  }
  return lines;
}
using Lines = std::vector<std::string>;

struct HandOver {
  const char* name;
  const char* zone;
  const char* people;
  const char* start;
  const char* shift;
  const char* from;
  const char* until;
  Lines expected;
};

class HandOvers : public testing::TestWithParam<HandOver> {};

TEST_P(HandOvers, StandStillOnTheLocalClock) {
  const HandOver& c = GetParam();
  EXPECT_EQ(told(rotation(c.zone, c.people, c.start, c.shift), c.from, c.until), c.expected);
}

INSTANTIATE_TEST_SUITE_P(
    OnCall, HandOvers,
    testing::Values(
        HandOver{"BerlinForward", "Europe/Berlin", "ada, ben", "2026-03-27 09:00", "daily",
                 "2026-03-27T08:00:00Z", "2026-03-30T07:00:00Z",
                 Lines{"2026-03-27T08:00Z ada", "2026-03-28T08:00Z ben", "2026-03-29T07:00Z ada"}},
        HandOver{"BerlinBack", "Europe/Berlin", "ada, ben", "2026-10-23 09:00", "daily",
                 "2026-10-23T07:00:00Z", "2026-10-26T08:00:00Z",
                 Lines{"2026-10-23T07:00Z ada", "2026-10-24T07:00Z ben", "2026-10-25T08:00Z ada"}},
        HandOver{"NewYorkForward", "America/New_York", "ada, ben", "2026-03-07 09:00", "daily",
                 "2026-03-07T14:00:00Z", "2026-03-09T13:00:00Z",
                 Lines{"2026-03-07T14:00Z ada", "2026-03-08T13:00Z ben"}},
        HandOver{"NewYorkBack", "America/New_York", "ada, ben", "2026-10-31 09:00", "daily",
                 "2026-10-31T13:00:00Z", "2026-11-02T14:00:00Z",
                 Lines{"2026-10-31T13:00Z ada", "2026-11-01T14:00Z ben"}},
        HandOver{"LordHoweBack", "Australia/Lord_Howe", "ada, ben", "2026-04-04 09:00", "daily",
                 "2026-04-03T22:00:00Z", "2026-04-05T22:30:00Z",
                 Lines{"2026-04-03T22:00Z ada", "2026-04-04T22:30Z ben"}},
        HandOver{"LordHoweForward", "Australia/Lord_Howe", "ada, ben", "2026-10-03 09:00", "daily",
                 "2026-10-02T22:30:00Z", "2026-10-04T22:00:00Z",
                 Lines{"2026-10-02T22:30Z ada", "2026-10-03T22:00Z ben"}},
        HandOver{"TokyoNever", "Asia/Tokyo", "ada, ben", "2026-03-28 09:00", "daily",
                 "2026-03-28T00:00:00Z", "2026-03-30T00:00:00Z",
                 Lines{"2026-03-28T00:00Z ada", "2026-03-29T00:00Z ben"}},
        HandOver{"ATimeThatIsLeftOut", "Europe/Berlin", "ada, ben", "2026-03-28 02:30", "daily",
                 "2026-03-28T01:30:00Z", "2026-03-31T00:30:00Z",
                 Lines{"2026-03-28T01:30Z ada", "2026-03-29T01:00Z ben", "2026-03-30T00:30Z ada"}},
        HandOver{"ATimeThatComesTwice", "Europe/Berlin", "ada, ben", "2026-10-24 02:30", "daily",
                 "2026-10-24T00:30:00Z", "2026-10-27T01:30:00Z",
                 Lines{"2026-10-24T00:30Z ada", "2026-10-25T00:30Z ben", "2026-10-26T01:30Z ada"}},
        HandOver{"HalfAnHourLeftOut", "Australia/Lord_Howe", "ada, ben", "2026-10-03 02:15",
                 "daily", "2026-10-02T15:45:00Z", "2026-10-04T15:15:00Z",
                 Lines{"2026-10-02T15:45Z ada", "2026-10-03T15:30Z ben"}},
        HandOver{"HalfAnHourTwice", "Australia/Lord_Howe", "ada, ben", "2026-04-04 01:45", "daily",
                 "2026-04-03T14:45:00Z", "2026-04-05T15:15:00Z",
                 Lines{"2026-04-03T14:45Z ada", "2026-04-04T14:45Z ben"}},
        HandOver{"ANightOfThirteenHours", "Europe/Berlin", "ada, ben", "2026-10-24 08:00", "12h",
                 "2026-10-24T06:00:00Z", "2026-10-25T19:00:00Z",
                 Lines{"2026-10-24T06:00Z ada", "2026-10-24T18:00Z ben", "2026-10-25T07:00Z ada"}},
        HandOver{"AnHourThatIsLeftOutIsNobodys", "Europe/Berlin", "ada, ben, cleo",
                 "2026-03-29 00:00", "1h", "2026-03-28T23:00:00Z", "2026-03-29T02:00:00Z",
                 Lines{"2026-03-28T23:00Z ada", "2026-03-29T00:00Z ben", "2026-03-29T01:00Z ada"}},
        HandOver{"AnHourThatComesTwiceIsOnes", "Europe/Berlin", "ada, ben, cleo",
                 "2026-10-25 00:00", "1h", "2026-10-24T22:00:00Z", "2026-10-25T03:00:00Z",
                 Lines{"2026-10-24T22:00Z ada", "2026-10-24T23:00Z ben", "2026-10-25T00:00Z cleo",
                       "2026-10-25T02:00Z ada"}},
        HandOver{"LeapDay", "UTC", "ada, ben, cleo", "2028-02-28 00:00", "daily",
                 "2028-02-28T00:00:00Z", "2028-03-02T00:00:00Z",
                 Lines{"2028-02-28T00:00Z ada", "2028-02-29T00:00Z ben", "2028-03-01T00:00Z cleo"}},
        HandOver{"NoLeapDayIn2100", "UTC", "ada, ben, cleo", "2100-02-28 00:00", "daily",
                 "2100-02-28T00:00:00Z", "2100-03-02T00:00:00Z",
                 Lines{"2100-02-28T00:00Z ada", "2100-03-01T00:00Z ben"}},
        HandOver{"YearEnd", "America/New_York", "ada, ben", "2026-12-28 09:00", "weekly",
                 "2026-12-28T14:00:00Z", "2027-01-11T14:00:00Z",
                 Lines{"2026-12-28T14:00Z ada", "2027-01-04T14:00Z ben"}},
        HandOver{"ThreeDays", "UTC", "ada, ben", "2026-12-30 00:00", "3d", "2026-12-30T00:00:00Z",
                 "2027-01-05T00:00:00Z", Lines{"2026-12-30T00:00Z ada", "2027-01-02T00:00Z ben"}},
        HandOver{"TwoWeeks", "Europe/Berlin", "ada, ben", "2026-03-16 09:00", "2w",
                 "2026-03-16T08:00:00Z", "2026-04-13T07:00:00Z",
                 Lines{"2026-03-16T08:00Z ada", "2026-03-30T07:00Z ben"}},
        HandOver{"BeforeTheStart", "UTC", "ada, ben", "2026-06-01 09:00", "daily",
                 "2026-05-31T00:00:00Z", "2026-06-02T00:00:00Z",
                 Lines{"2026-05-31T00:00Z dora", "2026-06-01T09:00Z ada"}},
        HandOver{"TwoTurnsOfOneAreOneShift", "UTC", "ada, ada, ben", "2026-06-01 00:00", "daily",
                 "2026-06-01T00:00:00Z", "2026-06-06T00:00:00Z",
                 Lines{"2026-06-01T00:00Z ada", "2026-06-03T00:00Z ben", "2026-06-04T00:00Z ada"}}),
    [](const auto& info) { return info.param.name; });

TEST(OnCall, WhoIsAloneIsOnCallForGood) {
  const Shift shift = on_call(rotation("Europe/Berlin", "ada", "2026-01-01 09:00", "weekly"),
                              at("2026-03-29T01:00:00Z"));
  EXPECT_EQ(shift.person, "ada");
  EXPECT_EQ(shift.until, std::nullopt);
}

// 2026-06-01 was a Monday; Berlin is two hours ahead of UTC then.
TEST(OnCall, TheLaterLayerWinsAndLeavesItsGapsToTheEarlier) {
  const Schedule of = schedule("Europe/Berlin", R"(  layers:
  - {name: base, people: [ada, ben], start: 2026-06-01 09:00, shift: daily}
  - {name: day, people: [cleo], start: 2026-06-01 00:00, shift: daily,
     restrict: [{days: [tue, wed], from: 10:00, until: 16:00}]}
  fallback: dora
)");
  EXPECT_EQ(told(of, "2026-06-01T07:00:00Z", "2026-06-03T20:00:00Z"),
            (Lines{"2026-06-01T07:00Z ada", "2026-06-02T07:00Z ben", "2026-06-02T08:00Z cleo",
                   "2026-06-02T14:00Z ben", "2026-06-03T07:00Z ada", "2026-06-03T08:00Z cleo",
                   "2026-06-03T14:00Z ada"}));
  const Shift shift = on_call(of, at("2026-06-02T08:00:00Z"));
  EXPECT_EQ(describe(shift), "layer 'day'");
  EXPECT_EQ(shift.until, at("2026-06-02T14:00:00Z"));
}

TEST(OnCall, ARotationTurnsAlsoWhereAWindowHidesIt) {
  const Schedule of = schedule("UTC", R"(  layers:
  - {name: work, people: [ada, ben, cleo], start: 2026-06-05 00:00, shift: daily,
     restrict: [{days: [mon, tue, wed, thu, fri]}]}
  fallback: dora
)");
  // Friday is Ada's; Ben and Cleo would have the weekend.
  EXPECT_EQ(told(of, "2026-06-05T00:00:00Z", "2026-06-10T00:00:00Z"),
            (Lines{"2026-06-05T00:00Z ada", "2026-06-06T00:00Z dora", "2026-06-08T00:00Z ada",
                   "2026-06-09T00:00Z ben"}));
}

TEST(OnCall, WindowsOverMidnightAndTheEndOfTheWeek) {
  const Schedule of = schedule("UTC", R"(  layers:
  - name: nights
    people: [ada]
    start: 2026-06-01 00:00
    shift: daily
    restrict:
    - {days: [sun, mon], from: 22:00, until: 06:00}
    - {days: [mon], from: 06:00, until: 07:00}
  fallback: dora
)");
  // Sunday is 7 June. Its window and Monday's hour touch, and are one.
  EXPECT_EQ(told(of, "2026-06-07T00:00:00Z", "2026-06-10T00:00:00Z"),
            (Lines{"2026-06-07T00:00Z dora", "2026-06-07T22:00Z ada", "2026-06-08T07:00Z dora",
                   "2026-06-08T22:00Z ada", "2026-06-09T06:00Z dora"}));
}

TEST(OnCall, WindowsOfTheWholeWeekAreNone) {
  const Schedule of = schedule("Europe/Berlin", R"(  layers:
  - {name: l, people: [ada], start: 2025-06-01 00:00, shift: daily, restrict: [{days: [mon, tue]},
     {days: [wed, thu, fri, sat, sun], from: 00:00, until: 00:00}]}
)");
  EXPECT_TRUE(of.layers[0].open.empty());
  EXPECT_EQ(on_call(of, at("2026-10-25T01:00:00Z")).until, std::nullopt);
}

// On 29 March 2026 the window from 02:15 to 02:45 is no time at all in Berlin, and on 25 October it
// is over when the clock shows 02:15 again.
TEST(OnCall, AWindowThatTheClockLeavesOutOrRepeats) {
  const Schedule of = schedule("Europe/Berlin", R"(  layers:
  - {name: l, people: [ada], start: 2026-01-01 00:00, shift: daily,
     restrict: [{from: 02:15, until: 02:45}]}
  fallback: dora
)");
  EXPECT_EQ(told(of, "2026-03-28T00:00:00Z", "2026-03-30T12:00:00Z"),
            (Lines{"2026-03-28T00:00Z dora", "2026-03-28T01:15Z ada", "2026-03-28T01:45Z dora",
                   "2026-03-30T00:15Z ada", "2026-03-30T00:45Z dora"}));
  EXPECT_EQ(told(of, "2026-10-25T00:00:00Z", "2026-10-25T12:00:00Z"),
            (Lines{"2026-10-25T00:00Z dora", "2026-10-25T00:15Z ada", "2026-10-25T00:45Z dora"}));
}

TEST(OnCall, OverridesComeBeforeHolidaysAndTheseBeforeLayers) {
  const Schedule of = schedule("America/New_York", R"(  layers:
  - {name: weekly, people: [ada], start: 2026-01-05 09:00, shift: weekly}
  - {name: feasts, people: [ben, cleo], start: 2026-12-24 12:00, shift: daily, holidays_only: true}
  overrides:
  - {person: dora, from: 2026-12-25 18:00, until: 2026-12-26 06:00, reason: swap}
  - {person: cleo, from: 2026-12-25 20:00, until: 2026-12-25 21:00, reason: dinner}
  holidays:
  - {name: Christmas, from: 2026-12-24, until: 2026-12-25, layer: feasts}
  - {name: New Year, on: 2027-01-01, person: cleo}
  fallback: dora
)");
  // Until noon of the 24th nobody has a shift of the layer of feasts, so what else holds does.
  EXPECT_EQ(told(of, "2026-12-24T05:00:00Z", "2027-01-03T00:00:00Z"),
            (Lines{"2026-12-24T05:00Z ada", "2026-12-24T17:00Z ben", "2026-12-25T17:00Z cleo",
                   "2026-12-25T23:00Z dora", "2026-12-26T01:00Z cleo", "2026-12-26T02:00Z dora",
                   "2026-12-26T11:00Z ada", "2027-01-01T05:00Z cleo", "2027-01-02T05:00Z ada"}));
  const auto why = [&](const char* moment) { return describe(on_call(of, at(moment))); };
  EXPECT_EQ(why("2026-12-24T05:00:00Z"), "layer 'weekly'");
  EXPECT_EQ(why("2026-12-24T17:00:00Z"), "holiday 'Christmas', layer 'feasts'");
  EXPECT_EQ(why("2026-12-25T23:30:00Z"), "override: swap");
  EXPECT_EQ(why("2026-12-26T01:00:00Z"), "override: dinner");
  EXPECT_EQ(why("2027-01-01T05:00:00Z"), "holiday 'New Year'");
  EXPECT_EQ(why("2026-01-01T00:00:00Z"), "fallback");
}

TEST(OnCall, AHolidayIsWholeLocalDaysWhateverTheirLength) {
  const Schedule of = schedule("Europe/Berlin", R"(  layers:
  - {name: l, people: [ada], start: 2025-01-01 00:00, shift: daily}
  holidays:
  - {name: long, on: 2026-10-25, person: ben}
  - {name: short, on: 2027-03-28, person: cleo}
)");
  EXPECT_EQ(told(of, "2026-10-24T00:00:00Z", "2026-10-27T00:00:00Z"),
            (Lines{"2026-10-24T00:00Z ada", "2026-10-24T22:00Z ben", "2026-10-25T23:00Z ada"}));
  EXPECT_EQ(told(of, "2027-03-27T00:00:00Z", "2027-03-30T00:00:00Z"),
            (Lines{"2027-03-27T00:00Z ada", "2027-03-27T23:00Z cleo", "2027-03-28T22:00Z ada"}));
}

TEST(OnCall, WithoutFallbackTheFirstOfTheFirstLayerHasWhatWasBeforeAll) {
  const Schedule of = schedule("UTC", R"(  layers:
  - {name: l, people: [ben, ada], start: 2025-06-01 00:00, shift: daily}
)");
  const Shift shift = on_call(of, at("2025-01-01T00:00:00Z"));
  EXPECT_EQ(shift.person, "ben");
  EXPECT_EQ(shift.cause, Cause::fallback);
  EXPECT_EQ(shift.until, at("2025-06-01T00:00:00Z"));
}

TEST(OnCall, TheEndsOfTimeHaveSomebody) {
  const Schedule of = rotation("Europe/Berlin", "ada, ben", "2026-01-01 09:00", "weekly");
  EXPECT_EQ(on_call(of, Timestamp::earliest).person, "dora");
  EXPECT_NE(on_call(of, Timestamp::latest).person, "");
  EXPECT_EQ(on_call(of, Timestamp::latest).until, std::nullopt);
  // Where the local clock is behind, its last hours come after the end.
  const Schedule west = rotation("America/New_York", "ada, ben", "2026-01-01 09:00", "1h");
  EXPECT_EQ(on_call(west, Timestamp::latest).until, std::nullopt);
}

TEST(OnCall, AsJson) {
  const Schedule of = rotation("UTC", "ada, ben", "2026-06-01 00:00", "daily");
  EXPECT_EQ(json::to_text(to_json(on_call(of, at("2026-06-01T10:00:00Z")))),
            R"({"cause":"layer","layer":"l","person":"ada","schedule":"primary",)"
            R"("until":"2026-06-02T00:00:00.000000Z"})");
}

}  // namespace
}  // namespace mailwarden::alert
