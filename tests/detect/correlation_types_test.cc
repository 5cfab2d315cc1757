#include <gtest/gtest.h>

#include "detect/correlator.h"

namespace mailwarden::detect {
namespace {

using namespace std::chrono_literals;

RuleSet rules_with(const std::string& own) {
  std::string text;
  for (const char* name : {"a", "b", "d"}) {
    text += "{title: " + std::string(name) + ", id: " + name +
            ", logsource: {product: x}, detection: {s: {k: v}, condition: s}}\n---\n";
  }
  RuleSet rules = RuleSet::make(parse_rules(text + own, "r.yml")).value();
  for (const Refusal& one : rules.refused()) ADD_FAILURE() << one.sentence();
  return rules;
}

std::string one(const std::string& type, const std::string& condition,
                const std::string& rest = "") {
  return "title: c\nid: c\ncorrelation:\n  type: " + type + "\n  rules: [a, b]\n  timespan: 1m\n" +
         (condition.empty() ? "" : "  condition: {") + condition +
         (condition.empty() ? "" : "}\n") + rest;
}

struct Step {
  int second = 0;
  std::string rule;
  std::vector<std::pair<std::string, std::string>> values;
  std::int64_t count = 1;
};

Detection detection_of(const Step& step, std::int64_t position) {
  return {.rule_id = step.rule,
          .event = {1, position},
          .time = Timestamp{} + std::chrono::seconds(step.second),
          .count = step.count,
          .values = step.values};
}

struct Case {
  const char* name;
  std::string rule;
  std::vector<Step> steps;
  std::vector<int> fires;  // the steps, from 0, that complete it
};

std::vector<int> fires_of(const RuleSet& rules, const std::vector<Step>& steps, bool restarts) {
  Correlator correlator(rules);
  std::vector<int> fires;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (!correlator.advance(detection_of(steps[i], static_cast<std::int64_t>(i))).empty()) {
      fires.push_back(static_cast<int>(i));
    }
    if (!restarts) continue;
    const std::string snapshot = correlator.snapshot();
    correlator = Correlator(rules);
    EXPECT_TRUE(correlator.restore(snapshot));
    EXPECT_EQ(correlator.snapshot(), snapshot);
  }
  return fires;
}

class CorrelationTypes : public testing::TestWithParam<Case> {};

TEST_P(CorrelationTypes, FireWhereTheyShould) {
  EXPECT_EQ(fires_of(rules_with(GetParam().rule), GetParam().steps, false), GetParam().fires);
}

TEST_P(CorrelationTypes, FireTheSameAcrossARestartAfterEachStep) {
  EXPECT_EQ(fires_of(rules_with(GetParam().rule), GetParam().steps, true), GetParam().fires);
}

// A step of rule a with a value for v.
Step with(int second, const std::string& value, const std::string& rule = "a") {
  return {second, rule, {{"v", value}}};
}

const std::string by_v = "  group-by: [v]\n";

INSTANTIATE_TEST_SUITE_P(
    Cases, CorrelationTypes,
    testing::Values(
        Case{"CountClosedAtBothEnds", one("event_count", "gte: 2"), {{0, "a"}, {60, "b"}}, {1}},
        Case{"CountJustTooLate", one("event_count", "gte: 2"), {{0, "a"}, {61, "b"}}, {}},
        Case{"CountStartsEmptyAfterFiring",
             one("event_count", "gte: 2"),
             {{0, "a"}, {1, "a"}, {2, "a"}, {3, "a"}},
             {1, 3}},
        Case{"CountOverARange",
             one("event_count", "gt: 2, lt: 5"),
             {{0, "a"}, {1, "a"}, {2, "a", {}, 3}, {3, "a"}, {62, "a"}, {63, "a"}},
             {5}},
        Case{"CountExactlyNotByALeap",
             one("event_count", "eq: 3"),
             {{0, "a"}, {1, "a"}, {2, "a", {}, 2}},
             {}},
        Case{"GroupsApart",
             one("event_count", "gte: 2", by_v),
             {with(0, "x"), with(1, "y"), with(2, "x")},
             {2}},
        Case{"AbsentGroupCountsForNone",
             one("event_count", "gte: 2", by_v),
             {{0, "a"}, {1, "a"}, with(2, ""), with(3, "")},
             {}},
        Case{"GroupsOfTwoFieldsDoNotRunTogether",
             one("event_count", "gte: 2", "  group-by: [v, w]\n"),
             {{0, "a", {{"v", "xy"}, {"w", "z"}}},
              {1, "a", {{"v", "x"}, {"w", "yz"}}},
              {2, "a", {{"w", "z"}, {"v", "xy"}}}},
             {2}},
        Case{"LongGroupsAreToldApart",
             one("event_count", "gte: 2", by_v),
             {with(0, std::string(5000, 'x') + "1"), with(1, std::string(5000, 'x') + "2"),
              with(2, std::string(5000, 'x') + "1")},
             {2}},
        Case{"BytesThatAreNoText",
             one("event_count", "gte: 2", by_v),
             {with(0, "\xff\x80"), with(1, "\xff\x81"), with(2, std::string("\xff\x80"))},
             {2}},
        Case{"LateFillsItsWindow",
             one("event_count", "gte: 3"),
             {{0, "a"}, {60, "a"}, {30, "a"}},
             {2}},
        Case{"LateOnlyWhatLiesTogether",
             one("event_count", "gte: 3"),
             {{0, "a"}, {61, "a"}, {30, "a"}, {59, "a"}},
             {3}},
        Case{"ValuesOnce",
             one("value_count", "field: v, gte: 2"),
             {with(0, "x"), with(1, "x"), with(2, "y")},
             {2}},
        Case{"ValuesClosedAtBothEnds",
             one("value_count", "field: v, gte: 2"),
             {with(0, "x"), with(60, "y")},
             {1}},
        Case{"ValuesTooFarApart",
             one("value_count", "field: v, gte: 2"),
             {with(0, "x"), with(61, "y"), with(130, "x")},
             {}},
        Case{"AValueSeenAgainStays",
             one("value_count", "field: v, gte: 2"),
             {with(0, "x"), with(50, "x"), with(100, "y")},
             {2}},
        Case{"AbsentValuesDoNotCount",
             one("value_count", "field: v, gte: 2"),
             {with(0, "x"), with(1, ""), {2, "a"}},
             {}},
        Case{"ValuesDoNotFoldLines",
             one("value_count", "field: v, gte: 2"),
             {{0, "a", {{"v", "x"}}, 9}},
             {}},
        Case{"Tuples",
             one("value_count", "field: [v, w], gte: 3"),
             {{0, "a", {{"v", "x"}, {"w", "y"}}},
              {1, "a", {{"v", "x"}, {"w", "z"}}},
              {2, "a", {{"v", "x"}, {"w", "y"}}},
              {3, "a", {{"v", "x"}}},
              {4, "a", {{"v", "y"}, {"w", "y"}}}},
             {4}},
        Case{"LongValuesAreToldApart",
             one("value_count", "field: v, gte: 3"),
             {with(0, std::string(5000, 'x') + "1"), with(1, std::string(5000, 'x') + "2"),
              with(2, std::string(5000, 'x') + "1"), with(3, "z")},
             {3}},
        Case{"SumOver",
             one("value_sum", "field: v, gt: 10"),
             {with(0, "4.5"), with(1, "5.5"), with(2, "0.000001")},
             {2}},
        Case{"SumForgets",
             one("value_sum", "field: v, gte: 10"),
             {with(0, "9"), with(61, "9"), with(62, "1")},
             {2}},
        Case{"SumOfWhatIsNoNumber",
             one("value_sum", "field: v, gte: 1"),
             {with(0, "many"), with(1, "0x10"), with(2, ""), with(3, "1e0")},
             {3}},
        Case{"SumOfFoldedLines",
             one("value_sum", "field: v, gte: 10"),
             {{0, "a", {{"v", "2"}}, 5}},
             {0}},
        Case{"SumOfTheHugeDoesNotTurnOver",
             one("value_sum", "field: v, gte: 1"),
             {with(0, "99999999999999999999999999"), with(1, "1")},
             {0, 1}},
        Case{"AverageAtLeast",
             one("value_avg", "field: v, gte: 2"),
             {with(0, "1"), with(1, "2.9"), with(2, "2.1")},
             {2}},
        Case{"AverageBelow",
             one("value_avg", "field: v, lt: 2"),
             {with(0, "3"), with(1, "1"), with(2, "1.9")},
             {2}},
        Case{"AverageOpenAtItsBound",
             one("value_avg", "field: v, gt: 2"),
             {with(0, "1"), with(1, "3"), with(2, "2")},
             {}},
        Case{"AverageForgets",
             one("value_avg", "field: v, gte: 2"),
             {with(0, "-100"), with(60, "3"), with(61, "1")},
             {2}},
        Case{"Median",
             one("value_percentile", "field: v, gte: 5"),
             {with(0, "1"), with(1, "9"), with(2, "5")},
             {2}},
        Case{"MedianAtMost",
             one("value_percentile", "field: v, lte: 1"),
             {with(0, "2"), with(1, "2"), with(2, "1"), with(3, "0")},
             {3}},
        Case{"Percentile75",
             one("value_percentile", "field: v, gt: 5, percentile: 75"),
             {with(0, "1"), with(1, "2"), with(2, "3"), with(3, "6"), with(4, "7")},
             {4}},
        Case{"TemporalInAnyOrder", one("temporal", ""), {{0, "b"}, {60, "a"}}, {1}},
        Case{"TemporalTooFarApart", one("temporal", ""), {{0, "b"}, {61, "a"}}, {}},
        Case{"TemporalNeedsEach", one("temporal", ""), {{0, "b"}, {1, "b"}, {2, "b"}}, {}},
        Case{"TemporalOfSome", one("temporal", "gte: 1"), {{0, "b"}, {1, "a"}}, {0, 1}},
        Case{"OrderHolds", one("temporal_ordered", ""), {{0, "a"}, {60, "b"}}, {1}},
        Case{"OrderReversed", one("temporal_ordered", ""), {{0, "b"}, {1, "a"}}, {}},
        Case{"OrderTooFarApart", one("temporal_ordered", ""), {{0, "a"}, {61, "b"}}, {}},
        Case{"OrderMadeByALateOne", one("temporal_ordered", ""), {{10, "b"}, {5, "a"}}, {1}},
        Case{"OrderOfTheSameMomentIsThatOfArrival",
             one("temporal_ordered", ""),
             {{10, "b"}, {10, "a"}, {10, "b"}},
             {2}},
        Case{"Aliases",
             one("temporal", "", "  group-by: [w]\n  aliases: {w: {a: v, b: u}}\n"),
             {with(0, "x"), {1, "b", {{"v", "x"}, {"u", "y"}}}, {2, "b", {{"u", "x"}}}},
             {2}}),
    [](const auto& info) { return info.param.name; });

TEST(CorrelationChain, ThreeDeepAndEachBringsItsValues) {
  const RuleSet rules = rules_with(R"(title: top
id: top
correlation: {type: value_count, rules: [middle], timespan: 1h, group-by: [host],
              condition: {field: user, gte: 2}}
---
title: middle
id: middle
correlation: {type: temporal_ordered, rules: [low, b], timespan: 10m, group-by: [user],
              generate: true}
---
title: low
id: low
correlation: {type: event_count, rules: [a], timespan: 1m, group-by: [user],
              condition: {gte: 2}}
)");
  Event event;
  event.logsource.product = "x";
  for (const char* name : {"user", "host", "k"}) event.fields.add(name, "v");
  std::vector<std::string> brought;
  const auto found = rules.match(event);
  for (const auto& [name, value] : found.at(0).values) brought.push_back(name);
  EXPECT_EQ(found.at(0).rule_id, "a");
  EXPECT_EQ(brought, (std::vector<std::string>{"user", "host"}));
  EXPECT_TRUE(found.at(0).silent);
  Correlator correlator(rules);
  std::vector<std::string> fired;
  std::vector<bool> silent;
  std::int64_t position = 0;
  const auto happens = [&](int second, const std::string& rule, const std::string& user) {
    const Step step{second, rule, {{"user", user}, {"host", "mx"}}};
    for (const Detection& one : correlator.advance(detection_of(step, ++position))) {
      fired.push_back(one.rule_id);
      silent.push_back(one.silent);
    }
  };
  for (const char* user : {"ann", "bob"}) {
    happens(0, "a", user);
    happens(1, "a", user);
    happens(2, "b", user);
  }
  EXPECT_EQ(fired, (std::vector<std::string>{"low", "middle", "low", "middle", "top"}));
  // `low` serves `middle`; `middle` is reported because `middle` generates only what it names.
  EXPECT_EQ(silent, (std::vector<bool>{false, true, false, true, false}));
}

TEST(CorrelationGenerate, ReportsWhatItNames) {
  Event event;
  event.logsource.product = "x";
  event.fields.add("k", "v");
  for (const bool generate : {false, true}) {
    const RuleSet rules =
        rules_with(one("event_count", "gte: 2", generate ? "  generate: true\n" : ""));
    EXPECT_EQ(rules.match(event).at(0).silent, !generate);
    EXPECT_FALSE(rules.match(event).at(2).silent);
  }
}

TEST(CorrelationValues, TellWhatWasMeasured) {
  const std::vector<std::pair<std::string, Because>> cases{
      {one("value_count", "field: v, gte: 2"), {"correlation", "v", "2 values"}},
      {one("value_sum", "field: v, gte: 3"), {"correlation", "v", "sum 4"}},
      {one("value_avg", "field: v, lte: 2, gt: 1"), {"correlation", "v", "average 2"}},
      {one("value_percentile", "field: v, gte: 2.5, percentile: 99"),
       {"correlation", "v", "percentile 99 is 3.5"}}};
  for (const auto& [rule, because] : cases) {
    const RuleSet rules = rules_with(rule);
    Correlator correlator(rules);
    EXPECT_TRUE(correlator.advance(detection_of(with(0, "0.5"), 1)).empty()) << rule;
    const auto fired = correlator.advance(detection_of(with(1, "3.5"), 2));
    ASSERT_EQ(fired.size(), 1U) << rule;
    EXPECT_EQ(fired[0].because.back(), because);
    EXPECT_EQ(fired[0].events, (std::vector<EventId>{{1, 1}, {1, 2}}));
  }
}

class CorrelationReload : public testing::TestWithParam<std::pair<std::string, std::string>> {};

TEST_P(CorrelationReload, KeepsTheSameAndDropsTheChanged) {
  const auto& [text, changed_text] = GetParam();
  const RuleSet rules = rules_with(text);
  const RuleSet changed = rules_with(changed_text);
  Correlator correlator(rules);
  const auto first = [&] { correlator.advance(detection_of(with(0, "6", "a"), 1)); };
  const auto fires = [&] {
    return !correlator.advance(detection_of(with(1, "7", "b"), 2)).empty();
  };
  first();
  EXPECT_TRUE(fires());
  first();
  correlator.rebind(rules_with(text));
  EXPECT_TRUE(fires());
  first();
  const std::string snapshot = correlator.snapshot();
  correlator.rebind(changed);
  EXPECT_EQ(correlator.groups(), 0U);
  EXPECT_EQ(correlator.bytes(), 0U);
  ASSERT_TRUE(correlator.restore(snapshot));
  EXPECT_EQ(correlator.groups(), 0U);
  correlator.rebind(rules);
  ASSERT_TRUE(correlator.restore(snapshot));
  EXPECT_TRUE(fires());
}

INSTANTIATE_TEST_SUITE_P(
    Types, CorrelationReload,
    testing::Values(
        std::pair{one("event_count", "gte: 2"), one("event_count", "gt: 2")},
        std::pair{one("value_count", "field: v, gte: 2"), one("value_count", "field: w, gte: 2")},
        std::pair{one("value_sum", "field: v, gte: 13"), one("value_sum", "field: v, gte: 12")},
        std::pair{one("value_avg", "field: v, gt: 6"), one("value_avg", "field: v, gte: 6.1")},
        std::pair{one("value_percentile", "field: v, gte: 7, percentile: 90"),
                  one("value_percentile", "field: v, gte: 7, percentile: 80")},
        std::pair{one("temporal", ""), one("temporal", "", by_v)},
        std::pair{one("temporal_ordered", ""), one("temporal", "")}));

TEST(CorrelationLimits, EntriesOfAGroupAreGivenUpAndCounted) {
  const std::vector<std::string> rules_texts{
      one("event_count", "gte: 12"), one("value_count", "field: v, gte: 12"),
      one("value_sum", "field: v, gte: 100000"), one("temporal", "", "  aliases: {}\n")};
  for (const std::string& text : rules_texts) {
    const RuleSet rules = rules_with(text);
    Correlator correlator(rules, {.entries_max = 10});
    for (int i = 0; i < 50; ++i) {
      const Step step = with(i / 10, std::to_string(i % 25));
      EXPECT_TRUE(correlator.advance(detection_of(step, i)).empty()) << text;
    }
    EXPECT_EQ(correlator.dropped(), 40) << text;
  }
  const RuleSet rules = rules_with(one("temporal_ordered", ""));
  Correlator ordered(rules, {.entries_max = 10});
  for (int i = 0; i < 50; ++i) ordered.advance(detection_of({i / 10, "a"}, i));
  EXPECT_EQ(ordered.dropped(), 40);
  EXPECT_FALSE(ordered.advance(detection_of({6, "b"}, 50)).empty());
}

// What was given up no longer weighs: the ten that are left and the new one make a hundred.
TEST(CorrelationLimits, SumsGoOnWithoutWhatWasGivenUp) {
  const RuleSet rules = rules_with(one("value_sum", "field: v, gte: 100, lte: 100"));
  Correlator correlator(rules, {.entries_max = 10});
  int fired = 0;
  for (int i = 0; i < 10; ++i) correlator.advance(detection_of(with(i, "7"), i));
  for (int i = 10; i < 20; ++i) {
    fired += correlator.advance(detection_of(with(i, i == 19 ? "12" : "9"), i)).empty() ? 0 : 1;
  }
  EXPECT_EQ(fired, 1);
  EXPECT_EQ(correlator.dropped(), 9);
}

TEST(CorrelationLimits, BytesOfAllWindows) {
  const RuleSet rules =
      rules_with(one("value_count", "field: v, gte: 1000000", "  group-by: [g]\n"));
  Correlator correlator(rules, {.bytes_max = 1'000'000});
  for (int i = 0; i < 5000; ++i) {
    Step step = with(i / 100, std::string(200, 'x') + std::to_string(i));
    step.values.emplace_back("g", std::to_string(i % 100));
    correlator.advance(detection_of(step, i));
    ASSERT_LE(correlator.bytes(), 1'000'000U);
  }
  EXPECT_GT(correlator.bytes(), 500'000U);
  EXPECT_GT(correlator.dropped(), 1000);
}

TEST(CorrelationLimits, ALateSearchIsBrokenOffAndCounted) {
  const RuleSet rules = rules_with(one("value_sum", "field: v, gt: 0, lt: 1"));
  Correlator correlator(rules, {.late_windows_max = 20});
  // Sums over and under the range in turn, none within.
  for (int i = 0; i < 100; ++i) {
    correlator.advance(detection_of(with(10 + i / 10, i % 2 == 0 ? "5" : "-5"), i));
  }
  EXPECT_EQ(correlator.dropped(), 0);
  EXPECT_TRUE(correlator.advance(detection_of(with(10, "0"), 100)).empty());
  EXPECT_EQ(correlator.dropped(), 1);
}

TEST(CorrelationLimits, GroupsWhoseTimeIsOverAreForgottenWithoutBeingCounted) {
  const RuleSet rules = rules_with(one("event_count", "gte: 1000", by_v));
  Correlator correlator(rules);
  for (int i = 0; i < 20'000; ++i) correlator.advance(detection_of(with(i, std::to_string(i)), i));
  EXPECT_LT(correlator.groups(), 9000U);
  EXPECT_EQ(correlator.dropped(), 0);
}

TEST(CorrelationLimits, AStreamThatEndedKeepsNoGroups) {
  const RuleSet rules = rules_with(one("event_count", "gte: 1000000", by_v));
  Correlator correlator(rules, {.stream_idle_max = 1000});
  Detection ended = detection_of(with(0, "x"), 0);
  ended.event.stream = 2;
  correlator.advance(ended);
  for (int i = 1; i < 20'000; ++i) correlator.advance(detection_of(with(i, "y"), i));
  EXPECT_EQ(correlator.groups(), 1U);
}

}  // namespace
}  // namespace mailwarden::detect
