// What on_call.yaml may say, and what is refused, with its line.
#include <gtest/gtest.h>

#include "alert/on_call.h"
#include "tests/temporary.h"

namespace mailwarden::alert {
namespace {

const Timestamp monday = parse_rfc3339("2026-06-01T00:00:00Z").value();

Result<OnCallSchedules> parse(const std::string& text, Timestamp now = monday) {
  return OnCallSchedules::parse(text, "f.yaml", now);
}

// With a schedule whose lines, from line 6, are given.
std::string with(const std::string& lines) {
  return "people:\n- {name: ada, receivers: [spool]}\n- {name: ben, receivers: [spool]}\n"
         "schedules:\n- name: s\n" +
         lines;
}
// The same with a layer for always at line 7, and further lines from line 8.
std::string with_layer(const std::string& lines) {
  return with(
      "  zone: UTC\n"
      "  layers: [{name: l, people: [ada], start: 2026-01-01 09:00, shift: daily}]\n" +
      lines);
}
// A schedule with that one layer.
std::string with_one(const std::string& layer) {
  return with("  zone: UTC\n  fallback: ada\n  layers:\n  - {" + layer + "}\n");
}

TEST(OnCallFile, IsReadAsItStands) {
  const auto read = parse(with_layer(
      "  overrides: [{person: ben, from: 2026-12-24T18:00, until: 2026-12-25 09:00, reason: r}]\n"
      "  holidays: [{name: h, from: 2026-12-25, until: 2026-12-26, person: ben}]\n"));
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(read->find("nobody"), nullptr);
  const Schedule& schedule = *read->find("s");
  EXPECT_EQ(to_rfc3339(schedule.layers[0].start), "2026-01-01T09:00:00.000000Z");
  EXPECT_EQ(to_rfc3339(schedule.overrides[0].from), "2026-12-24T18:00:00.000000Z");
  EXPECT_EQ(to_rfc3339(schedule.holidays[0].until), "2026-12-27T00:00:00.000000Z");
  EXPECT_EQ(read->find_person("ben")->where, "f.yaml, line 3");
}

TEST(OnCallFile, WindowsAreJoinedOverTheWeek) {
  const auto read = parse(with_one(
      "name: l, people: [ada], start: 2026-01-01 09:00, shift: daily, restrict: ["
      "{days: [sun], from: 22:00, until: 06:00}, {days: [tue], from: 09:00, until: 12:00}, "
      "{days: [tue], from: 11:00, until: 17:30}]"));
  ASSERT_TRUE(read) << read.error().what;
  // Monday 00:00 to 06:00; Tuesday 09:00 to 17:30; Sunday 22:00 to 24:00.
  EXPECT_EQ(read->schedules()[0].layers[0].open,
            (std::vector<WeekSpan>{{0, 360}, {1980, 2490}, {9960, 10080}}));
}

struct Mistake {
  const char* name;
  std::string text;
  const char* expected;
};

TEST(OnCallFile, EveryMistakeIsToldWithItsLine) {
  const std::string plain = "name: l, people: [ada], ";
  const std::string daily = plain + "start: 2026-01-01 09:00, shift: daily";
  const std::vector<Mistake> cases{
      {"two documents", "people: []\n---\nschedules: []\n",
       "f.yaml: must hold one document with 'people' and 'schedules'"},
      {"no map", "- people", "f.yaml, line 1: the file must be a map"},
      {"not YAML", "people: [", "f.yaml, line 1"},
      {"unknown entry", with_layer("  colour: red\n"), "f.yaml, line 8: 'colour' is not known in"},
      {"no people", "schedules:\n- {name: s}\n", "f.yaml, line 1: 'people' must be a list"},
      {"person twice",
       "people:\n- {name: ada, receivers: [a]}\n- {name: ada, receivers: [b]}\nschedules: [{}]\n",
       "f.yaml, line 3: a person 'ada' stands here already"},
      {"person without receivers", "people:\n- {name: ada}\nschedules: [{}]\n",
       "f.yaml, line 2: 'receivers' must be a list"},
      {"receiver twice", "people:\n- {name: ada, receivers: [a, b, a]}\nschedules: [{}]\n",
       "f.yaml, line 2: a receiver 'a' stands here already"},
      {"schedule twice",
       with_layer("- {name: s, zone: UTC, fallback: ada, layers: [{" + daily + "}]}\n"),
       "f.yaml, line 8: a schedule 's' stands here already"},
      {"zone", with("  zone: Mars/Olympus\n  layers: [{" + daily + "}]\n"),
       "f.yaml, line 6: the time zone database has no zone 'Mars/Olympus'"},
      {"no layers", with("  zone: UTC\n  layers: []\n"), "f.yaml, line 7: 'layers' must be a list"},
      {"layer twice", with("  zone: UTC\n  layers:\n  - {" + daily + "}\n  - {" + daily + "}\n"),
       "f.yaml, line 9: a layer 'l' stands here already"},
      {"unknown person", with_one("name: l, people: [eve], start: 2026-01-01 09:00, shift: daily"),
       "f.yaml, line 9: there is no person 'eve' among 'people'"},
      {"unknown fallback", with_layer("  fallback: eve\n"),
       "f.yaml, line 8: there is no person 'eve'"},
      {"no such day", with_one(plain + "start: 2026-02-29 09:00, shift: daily"),
       "f.yaml, line 9: 'start' must be a local time like 2026-01-31 09:00, not '2026-02-29 "
       "09:00'"},
      {"start with offset", with_one(plain + "start: 2026-01-01 09:00Z, shift: daily"),
       "f.yaml, line 9: 'start' must be a local time"},
      {"shift", with_one(plain + "start: 2026-01-01 09:00, shift: 90m"),
       "f.yaml, line 9: 'shift' must be daily, weekly or up to 366 days"},
      {"shift of nothing", with_one(plain + "start: 2026-01-01 09:00, shift: 0h"), "'shift' must"},
      {"long shift", with_one(plain + "start: 2026-01-01 09:00, shift: 367d"), "'shift' must"},
      {"day", with_one(daily + ", restrict: [{days: [monday]}]"),
       "f.yaml, line 9: 'monday' is no day of the week"},
      {"hour", with_one(daily + ", restrict: [{from: 09:00, until: 24:00}]"),
       "f.yaml, line 9: 'until' must be a time like 09:00, not '24:00'"},
      {"half a window", with_one(daily + ", restrict: [{from: 09:00}]"),
       "f.yaml, line 9: 'from' and 'until' go together"},
      {"override without reason",
       with_layer(
           "  overrides:\n  - {person: ben, from: 2026-01-01 09:00, until: 2026-01-02 09:00}\n"),
       "f.yaml, line 9: 'reason' must be a text"},
      {"override backwards",
       with_layer("  overrides:\n  - {person: ben, from: 2026-01-02 09:00, until: 2026-01-02 09:00,"
                  " reason: r}\n"),
       "f.yaml, line 9: 'until' must be later than 'from'"},
      {"override by whom",
       with_layer("  overrides:\n  - {person: eve, from: 2026-01-01 09:00, until: 2026-01-02 09:00,"
                  " reason: r}\n"),
       "f.yaml, line 9: there is no person 'eve'"},
      {"holiday backwards",
       with_layer("  holidays:\n  - {name: h, from: 2026-01-02, until: 2026-01-01, person: ben}\n"),
       "f.yaml, line 9: 'until' must not be before 'from'"},
      {"holiday of two kinds",
       with_layer("  holidays:\n  - {name: h, on: 2026-01-02, until: 2026-01-03, person: ben}\n"),
       "f.yaml, line 9: a holiday is 'on' one day, or 'from' one 'until' another"},
      {"holiday with a time",
       with_layer("  holidays:\n  - {name: h, on: 2026-01-02 09:00, person: ben}\n"),
       "f.yaml, line 9: 'on' must be a local date like 2026-01-31"},
      {"holiday for nobody", with_layer("  holidays:\n  - {name: h, on: 2026-01-02}\n"),
       "f.yaml, line 9: a holiday needs a 'person' or a 'layer'"},
      {"holiday for both",
       with_layer("  holidays:\n  - {name: h, on: 2026-01-02, person: ada, layer: l}\n"),
       "f.yaml, line 9: a holiday needs a 'person' or a 'layer'"},
      {"holiday by which layer",
       with_layer("  holidays:\n  - {name: h, on: 2026-01-02, layer: x}\n"),
       "f.yaml, line 9: there is no layer 'x' in the schedule"},
      {"a layer for holidays that nobody names", with_one(daily + ", holidays_only: true"),
       "f.yaml, line 5: the layer 'l' is for holidays only"},
  };
  for (const Mistake& c : cases) {
    const auto parsed = parse(c.text);
    ASSERT_FALSE(parsed) << c.name;
    EXPECT_EQ(parsed.error().code, Code::invalid) << c.name;
    EXPECT_NE(parsed.error().what.find(c.expected), std::string::npos)
        << c.name << ": " << parsed.error().what;
  }
}

TEST(OnCallFile, AllMistakesAreToldAtOnce) {
  const auto parsed =
      parse(with("  zone: Mars/Olympus\n  layers: [{name: l, people: [eve], start: "
                 "now, shift: never}]\n  fallback: mallory\n"));
  ASSERT_FALSE(parsed);
  for (const char* part : {"Mars", "'eve'", "'now'", "'never'", "'mallory'"}) {
    EXPECT_NE(parsed.error().what.find(part), std::string::npos) << parsed.error().what;
  }
}

// `now` is a Monday at midnight in UTC, and 02:00 of it in Berlin.
TEST(OnCallFile, WithoutFallbackTheFirstSpanWithoutAnybodyIsTold) {
  const auto berlin = [](const std::string& layers) {
    return with("  zone: Europe/Berlin\n  layers:\n" + layers);
  };
  const std::vector<Mistake> cases{
      {"a start to come",
       berlin("  - {name: l, people: [ada], start: 2026-06-08 09:00, shift: weekly}\n"),
       "f.yaml, line 5: schedule 's': no layer has anybody from 2026-06-01 02:00 until "
       "2026-06-08 09:00 (Europe/Berlin), and there is no 'fallback'"},
      {"a weekend",
       berlin("  - {name: l, people: [ada], start: 2026-01-01 09:00, shift: weekly,\n"
              "     restrict: [{days: [mon, tue, wed, thu, fri]}]}\n"),
       "from 2026-06-06 00:00 until 2026-06-08 00:00"},
      {"an hour between two layers",
       berlin("  - {name: a, people: [ada], start: 2026-01-01 09:00, shift: daily,\n"
              "     restrict: [{from: 08:00, until: 20:00}]}\n"
              "  - {name: b, people: [ben], start: 2026-01-01 09:00, shift: daily,\n"
              "     restrict: [{from: 21:00, until: 08:00}]}\n"),
       "from 2026-06-01 20:00 until 2026-06-01 21:00"},
      {"a layer for holidays covers none",
       berlin("  - {name: a, people: [ada], start: 2026-01-01 09:00, shift: daily,\n"
              "     holidays_only: true}\n"
              "  holidays: [{name: h, from: 2026-01-01, until: 2028-01-01, layer: a}]\n"),
       "from 2026-06-01 02:00 until 2027-06-01 02:00"}};
  for (const Mistake& c : cases) {
    const auto parsed = parse(c.text);
    ASSERT_FALSE(parsed) << c.name;
    EXPECT_NE(parsed.error().what.find(c.expected), std::string::npos)
        << c.name << ": " << parsed.error().what;
    EXPECT_TRUE(parse(c.text + "  fallback: ben\n")) << c.name;
  }
}

TEST(OnCallFile, TwoLayersThatTouchNeedNoFallback) {
  const auto parsed =
      parse(with("  zone: Australia/Lord_Howe\n  layers:\n"
                 "  - {name: a, people: [ada], start: 2026-01-01 09:00, shift: daily,\n"
                 "     restrict: [{from: 01:45, until: 14:00}]}\n"
                 "  - {name: b, people: [ben], start: 2026-01-01 09:00, shift: daily,\n"
                 "     restrict: [{from: 14:00, until: 01:45}]}\n"));
  EXPECT_TRUE(parsed) << parsed.error().what;
}

// 02:10 to 02:20 of every Sunday belongs to nobody. On 4 October 2026 the clock leaves it out.
TEST(OnCallFile, WhatTheClockLeavesOutNeedsNobody) {
  const std::string text = with(
      "  zone: Australia/Lord_Howe\n  layers:\n"
      "  - {name: a, people: [ada], start: 2026-01-01 09:00, shift: daily,\n"
      "     restrict: [{days: [mon, tue, wed, thu, fri, sat]},\n"
      "     {days: [sun], from: 00:00, until: 02:10}, {days: [sun], from: 02:20, until: "
      "00:00}]}\n");
  const auto parsed = parse(text, parse_rfc3339("2026-10-03T00:00:00Z").value());
  ASSERT_FALSE(parsed);
  EXPECT_NE(parsed.error().what.find("from 2026-10-11 02:10 until 2026-10-11 02:20"),
            std::string::npos)
      << parsed.error().what;
}

TEST(OnCallFile, ShippedIsAnExampleInComments) {
  const std::string text = read_file(source_folder() + "/policies/on_call.yaml");
  const auto none = parse(text);
  ASSERT_TRUE(none) << none.error().what;
  EXPECT_TRUE(none->schedules().empty());
  EXPECT_TRUE(parse(""));

  // What stands in them holds as soon as they are taken away.
  std::string example;
  std::istringstream lines(text.substr(text.find("# people:")));
  for (std::string line; std::getline(lines, line);) {
    ASSERT_TRUE(line.starts_with("# ")) << line;
    example += line.substr(2) + "\n";
  }
  const auto parsed = parse(example);
  ASSERT_TRUE(parsed) << parsed.error().what;
  const Schedule* const primary = parsed->find("primary");
  ASSERT_NE(primary, nullptr);
  const auto who = [&](const char* moment) {
    const Shift shift = on_call(*primary, parse_rfc3339(moment).value());
    return shift.person + ", " + describe(shift);
  };
  // Ann's first week begins on Monday, 5 January 2026, at 09:00 in Berlin.
  EXPECT_EQ(who("2026-01-05T08:00:00Z"), "ann, layer 'weekly'");
  EXPECT_EQ(who("2026-01-12T08:00:00Z"), "ben, layer 'weekly'");
  EXPECT_EQ(who("2026-01-07T22:00:00Z"), "cleo, layer 'nights'");  // 23:00 of a Wednesday
  EXPECT_EQ(who("2026-08-12T12:00:00Z"), "ben, override: Ann is on holiday");
  EXPECT_EQ(who("2026-12-25T12:00:00Z"), "cleo, holiday 'Christmas', layer 'feasts'");
}

TEST(OnCallFile, HasLimits) {
  std::string people = "people:\n";
  for (std::size_t i = 0; i <= OnCallLimits::people_max; ++i) {
    people += "- {name: p" + std::to_string(i) + ", receivers: [spool]}\n";
  }
  const auto many = parse(people + "schedules: [{}]\n");
  ASSERT_FALSE(many);
  EXPECT_NE(many.error().what.find("f.yaml, line 2: more than 1000 people"), std::string::npos);

  std::string rotation;
  for (std::size_t i = 0; i <= OnCallLimits::rotation_max; ++i) rotation += "ada, ";
  const auto wide =
      parse(with_one("name: l, people: [" + rotation + "], start: 2026-01-01 09:00, shift: daily"));
  ASSERT_FALSE(wide);
  EXPECT_NE(wide.error().what.find("line 9: more than 100 people in a layer"), std::string::npos)
      << wide.error().what;
}

}  // namespace
}  // namespace mailwarden::alert
