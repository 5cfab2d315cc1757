#include "incident/severity.h"

#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "tests/temporary.h"

namespace mailwarden::incident {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::string small_table = R"(incidents_from: high
facts:
  stolen: {kind: truth, meaning: data was read}
  services: {kind: words, words: [none, degraded, down], meaning: disruption}
  hosts: {kind: count, meaning: hosts reached}
rows:
  - {name: mild, severity: 0, all_of: {stolen: true}}
  - {name: first of two, severity: 2, all_of: {services: degraded, hosts: 3}}
  - {name: second of two, severity: 2, all_of: {hosts: 5}}
  - {name: worst, severity: 3, all_of: {services: down, stolen: true}}
  - {name: middle, severity: 1, all_of: {hosts: 1}}
service_levels:
  - {severity: 3, acknowledge: 15m, contain: 4h, resolve: 3d}
  - {severity: 0, acknowledge: 2d}
)";

SeverityTable small() {
  return SeverityTable::parse(small_table, "s.yaml").value();
}

TEST(SeverityTable, ReadsFactsRowsAndLevel) {
  const SeverityTable table = small();
  EXPECT_EQ(table.incidents_from(), detect::Level::high);
  ASSERT_EQ(table.facts().size(), 3U);
  EXPECT_EQ(table.facts().at("stolen").kind, FactKind::Kind::truth);
  EXPECT_EQ(table.facts().at("stolen").meaning, "data was read");
  EXPECT_EQ(table.facts().at("hosts").kind, FactKind::Kind::count);
  EXPECT_EQ(table.facts().at("services").kind, FactKind::Kind::words);
  EXPECT_THAT(table.facts().at("services").words, ElementsAre("none", "degraded", "down"));
}

TEST(SeverityTable, ReadsServiceLevels) {
  using std::chrono::hours;
  const SeverityTable table = small();
  EXPECT_EQ(table.service_level(Severity::extreme),
            (ServiceLevel{std::chrono::minutes(15), hours(4), hours(72)}));
  EXPECT_EQ(table.service_level(Severity::high), ServiceLevel());
  EXPECT_EQ(table.service_level(Severity::low), ServiceLevel{hours(48)});
}

TEST(SeverityTable, HoldsRowsWorstFirstElseInTheOrderOfTheFile) {
  const SeverityTable table = small();
  std::vector<std::string> names;
  for (const Row& row : table.rows()) names.push_back(row.name);
  EXPECT_THAT(names, ElementsAre("worst", "first of two", "second of two", "middle", "mild"));
}

TEST(SeverityTable, TakesIncidentsFromMediumWhereTheFileIsSilent) {
  const auto table = SeverityTable::parse(
      "facts: {a: {kind: truth}}\nrows: [{name: r, severity: 1, all_of: {a: true}}]\n", "s.yaml");
  ASSERT_TRUE(table) << table.error().what;
  EXPECT_EQ(table->incidents_from(), detect::Level::medium);
}

struct Mistake {
  std::string name;
  std::string yaml;
  std::string place;
  std::string word;
};

class SeverityMistake : public testing::TestWithParam<Mistake> {};

TEST_P(SeverityMistake, IsReportedWithFileAndLine) {
  const auto table = SeverityTable::parse(GetParam().yaml, "sev.yaml");
  ASSERT_FALSE(table);
  EXPECT_EQ(table.error().code, Code::invalid);
  EXPECT_THAT(table.error().what, HasSubstr("sev.yaml, " + GetParam().place));
  EXPECT_THAT(table.error().what, HasSubstr(GetParam().word));
}

const std::string declared =
    "facts:\n  a: {kind: truth}\n  w: {kind: words, words: [x, y]}\n"
    "  n: {kind: count}\nrows:\n";                                // rows begin in line 6
const std::string levels = declared + "  []\nservice_levels:\n";  // levels begin in line 8

INSTANTIATE_TEST_SUITE_P(
    , SeverityMistake,
    testing::Values(
        Mistake{"NotYaml", "facts: {a: [\n", "line 2", ""},
        Mistake{"NotAMap", "- a\n", "line 1", "map"},
        Mistake{"NoRows", "facts: {}\n", "line 1", "rows"},
        Mistake{"RowsNoList", "rows: 5\n", "line 1", "rows"},
        Mistake{"UnknownKey", declared + "  []\nrowz: 1\n", "line 7", "rowz"},
        Mistake{"UnknownLevel", "incidents_from: grave\nrows: []\n", "line 1", "grave"},
        Mistake{"UnknownKind", "facts:\n  a: {kind: colour}\nrows: []\n", "line 2", "kind"},
        Mistake{"OneWord", "facts:\n  a: {kind: words, words: [x]}\nrows: []\n", "line 2", "two"},
        Mistake{"NoName", declared + "  - {severity: 1, all_of: {a: true}}\n", "line 6", "name"},
        Mistake{"NameTwice",
                declared + "  - {name: r, severity: 1, all_of: {a: true}}\n"
                           "  - {name: r, severity: 2, all_of: {n: 2}}\n",
                "line 7", "'r'"},
        Mistake{"NoSeverity", declared + "  - {name: r, all_of: {a: true}}\n", "line 6",
                "severity"},
        Mistake{"SeverityTooHigh", declared + "  - {name: r, severity: 4, all_of: {a: true}}\n",
                "line 6", "severity"},
        Mistake{"SeverityNegative", declared + "  - {name: r, severity: -1, all_of: {a: true}}\n",
                "line 6", "severity"},
        Mistake{"NoCondition", declared + "  - {name: r, severity: 1}\n", "line 6", "all_of"},
        Mistake{"EmptyCondition", declared + "  - {name: r, severity: 1, all_of: {}}\n", "line 6",
                "all_of"},
        Mistake{"UndeclaredFact", declared + "  - {name: r, severity: 1, all_of: {b: true}}\n",
                "line 6", "'b'"},
        Mistake{"FalseTruth", declared + "  - {name: r, severity: 1, all_of: {a: false}}\n",
                "line 6", "'a'"},
        Mistake{"UnknownWord", declared + "  - {name: r, severity: 1, all_of: {w: z}}\n", "line 6",
                "x, y"},
        Mistake{"NegativeCount", declared + "  - {name: r, severity: 1, all_of: {n: -3}}\n",
                "line 6", "count"},
        Mistake{"CountNoNumber", declared + "  - {name: r, severity: 1, all_of: {n: many}}\n",
                "line 6", "count"},
        Mistake{"LevelsNoList", declared + "  []\nservice_levels: {severity: 1}\n", "line 7",
                "list"},
        Mistake{"LevelOfNothing", levels + "  - {acknowledge: 1h}\n", "line 8", "severity"},
        Mistake{"LevelTwice", levels + "  - {severity: 1}\n  - {severity: 1, contain: 1h}\n",
                "line 9", "twice"},
        Mistake{"UnknownPromise", levels + "  - {severity: 1, forget: 1h}\n", "line 8", "forget"},
        Mistake{"NoTime", levels + "  - {severity: 1, contain: soon}\n", "line 8", "soon"},
        Mistake{"NoTimeAtAll", levels + "  - {severity: 1, contain: 0s}\n", "line 8", "leave out"}),
    [](const auto& tested) { return tested.param.name; });

TEST(SeverityTable, ReportsEveryMistakeAtOnce) {
  const auto table = SeverityTable::parse(declared +
                                              "  - {severity: 1, all_of: {a: true}}\n"
                                              "  - {name: q, severity: 9, all_of: {a: true}}\n"
                                              "  - {name: r, severity: 1, all_of: {b: true}}\n",
                                          "sev.yaml");
  ASSERT_FALSE(table);
  const auto lines = split(table.error().what, '\n');
  ASSERT_EQ(lines.size(), 3U) << table.error().what;
  EXPECT_TRUE(lines[0].starts_with("sev.yaml, line 6")) << lines[0];
  EXPECT_TRUE(lines[1].starts_with("sev.yaml, line 7")) << lines[1];
  EXPECT_TRUE(lines[2].starts_with("sev.yaml, line 8")) << lines[2];
}

TEST(SeverityTable, TakesAThousandRowsAndNotOneMore) {
  std::string yaml = "facts: {n: {kind: count}}\nrows:\n";
  for (std::size_t i = 0; i < SeverityTable::rows_max; ++i) {
    yaml += "  - {name: r" + std::to_string(i) + ", severity: 1, all_of: {n: 1}}\n";
  }
  EXPECT_TRUE(SeverityTable::parse(yaml, "s.yaml"));
  yaml += "  - {name: last, severity: 1, all_of: {n: 1}}\n";
  EXPECT_EQ(SeverityTable::parse(yaml, "s.yaml").error().code, Code::invalid);
}

struct Classified {
  std::string name;
  Facts facts;
  Classification expected;
};

class SmallTable : public testing::TestWithParam<Classified> {};

TEST_P(SmallTable, GivesTheWorstRowThatHolds) {
  const Classification found = classify(small(), GetParam().facts);
  EXPECT_EQ(found.severity, GetParam().expected.severity);
  EXPECT_EQ(found.row, GetParam().expected.row);
  EXPECT_EQ(found.because, GetParam().expected.because);
}

INSTANTIATE_TEST_SUITE_P(
    , SmallTable,
    testing::Values(
        Classified{"NothingKnown", {}, {Severity::low, "", {}}},
        Classified{"OneTruth", {{"stolen", 1}}, {Severity::low, "mild", {"stolen"}}},
        Classified{"ATruthDenied", {{"stolen", 0}}, {Severity::low, "", {}}},
        Classified{"ACount", {{"hosts", 2}}, {Severity::medium, "middle", {"hosts=2"}}},
        Classified{"OneBelowTheCount",
                   {{"hosts", 2}, {"services", 1}},
                   {Severity::medium, "middle", {"hosts=2"}}},
        Classified{"AtTheCount",
                   {{"hosts", 3}, {"services", 1}},
                   {Severity::high, "first of two", {"services=degraded", "hosts=3"}}},
        Classified{"AWorseWordHoldsToo",
                   {{"hosts", 3}, {"services", 2}},
                   {Severity::high, "first of two", {"services=down", "hosts=3"}}},
        Classified{"TheFirstOfEquallyBadRows",
                   {{"hosts", 5}, {"services", 1}},
                   {Severity::high, "first of two", {"services=degraded", "hosts=5"}}},
        Classified{"OnlyTheSecond", {{"hosts", 5}}, {Severity::high, "second of two", {"hosts=5"}}},
        Classified{"TheWorst",
                   {{"hosts", 9}, {"services", 2}, {"stolen", 1}},
                   {Severity::extreme, "worst", {"services=down", "stolen"}}}),
    [](const auto& tested) { return tested.param.name; });

// Every pair of neighbours in the lattice of the small table's facts, absent facts included.
TEST(SeverityTable, AGrowingFactNeverLowersASeverity) {
  const SeverityTable table = small();
  const std::array<std::int64_t, 3> ends{1, 2, 6};
  const std::array<std::string, 3> names{"stolen", "services", "hosts"};
  const auto facts_of = [&](const std::array<std::int64_t, 3>& worths) {
    Facts facts;
    for (std::size_t i = 0; i < 3; ++i) {
      if (worths[i] >= 0) facts[names[i]] = worths[i];
    }
    return facts;
  };
  int steps = 0;
  std::array<std::int64_t, 3> worths{};
  for (worths[0] = -1; worths[0] <= ends[0]; ++worths[0]) {
    for (worths[1] = -1; worths[1] <= ends[1]; ++worths[1]) {
      for (worths[2] = -1; worths[2] <= ends[2]; ++worths[2]) {
        const Severity before = classify(table, facts_of(worths)).severity;
        for (std::size_t i = 0; i < 3; ++i) {
          auto grown = worths;
          if (++grown[i] > ends[i]) continue;
          EXPECT_GE(classify(table, facts_of(grown)).severity, before);
          ++steps;
        }
      }
    }
  }
  EXPECT_EQ(steps, 2 * 4 * 8 + 3 * 3 * 8 + 3 * 4 * 7);
}

TEST(SeverityTable, TurnsWorthsIntoWordsAndBack) {
  const SeverityTable table = small();
  EXPECT_EQ(table.to_words("stolen", 1), "stolen");
  EXPECT_EQ(table.to_words("services", 2), "services=down");
  EXPECT_EQ(table.to_words("hosts", 3), "hosts=3");
  EXPECT_EQ(table.read_worth("stolen", "true").value(), 1);
  EXPECT_EQ(table.read_worth("services", "none").value(), 0);
  EXPECT_EQ(table.read_worth("services", "down").value(), 2);
  EXPECT_EQ(table.read_worth("hosts", "0").value(), 0);
  EXPECT_EQ(table.read_worth("hosts", "12").value(), 12);
}

TEST(SeverityTable, RefusesFactsAndWorthsItDoesNotKnow) {
  const SeverityTable table = small();
  const std::vector<std::pair<std::string, std::string>> wrong{
      {"none_such", "true"}, {"stolen", "yes"}, {"stolen", ""},     {"services", "2"},
      {"services", "Down"},  {"hosts", "-1"},   {"hosts", "three"}, {"hosts", "3 "}};
  for (const auto& [fact, text] : wrong) {
    const auto worth = table.read_worth(fact, text);
    ASSERT_FALSE(worth) << fact << "=" << text;
    EXPECT_EQ(worth.error().code, Code::invalid) << fact << "=" << text;
  }
}

TEST(Severity, HasTheWordsOfThePolicy) {
  EXPECT_EQ(to_string(Severity::low), "Low");
  EXPECT_EQ(to_string(Severity::medium), "Medium");
  EXPECT_EQ(to_string(Severity::high), "High");
  EXPECT_EQ(to_string(Severity::extreme), "Extreme");
}

}  // namespace
}  // namespace mailwarden::incident
