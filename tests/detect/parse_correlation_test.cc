#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "detect/rule_set.h"

namespace mailwarden::detect {
namespace {

using Type = Correlation::Type;

// Two rules before it, in lines 1 to 9.
constexpr std::string_view base_rules = R"(title: a
id: id-a
name: a
logsource: {product: linux}
detection: {s: {x: a}, condition: s}
---
{title: b, id: id-b, name: b, logsource: {product: linux}, detection: {s: {x: b}, condition: s}}
---
{title: d, id: d, logsource: {product: linux}, detection: {s: {x: d}, condition: s}}
---
)";

// The members of `correlation` stand from line 14 on.
std::string document(const std::string& own) {
  return std::string(base_rules) + "title: c\nid: c\ncorrelation:\n" + own;
}

std::string of_type(const std::string& type, const std::string& rest) {
  return document("  type: " + type + "\n  rules: [a, b]\n  timespan: 5m\n" + rest);
}

RuleSet rules_of(const std::string& text) {
  return RuleSet::make(parse_rules(text, "r.yml")).value();
}

struct RefusalCase {
  const char* name;
  std::string text;
  std::string what;  // behind "r.yml, line "
};

class ParseRulesRefusedCorrelation : public testing::TestWithParam<RefusalCase> {};

TEST_P(ParseRulesRefusedCorrelation, InOneSentenceWithItsLine) {
  const RuleSet made = rules_of(GetParam().text);
  ASSERT_EQ(made.refused().size(), 1U);
  EXPECT_EQ(made.refused().front().sentence(), "r.yml, line " + GetParam().what);
  EXPECT_TRUE(made.correlations().empty());
  EXPECT_EQ(made.rules().size(), 3U);
}

const std::string count_5 = "  condition: {gte: 5}\n";

INSTANTIATE_TEST_SUITE_P(
    Cases, ParseRulesRefusedCorrelation,
    testing::Values(
        RefusalCase{"NoMap", std::string(base_rules) + "title: c\ncorrelation: [a]\n",
                    "12: 'correlation' is a map"},
        RefusalCase{"NoType", document("  rules: [a]\n  timespan: 5m\n"),
                    "14: the correlation type '' is none of event_count, value_count, temporal, "
                    "temporal_ordered, value_sum, value_avg, value_percentile"},
        RefusalCase{"UnknownType", of_type("value_median", count_5),
                    "14: the correlation type 'value_median' is none of event_count, value_count, "
                    "temporal, temporal_ordered, value_sum, value_avg, value_percentile"},
        RefusalCase{"UnknownMember", of_type("event_count", count_5 + "  groupby: [x]\n"),
                    "18: 'groupby' is not a part of a correlation"},
        RefusalCase{"NoRules", document("  type: event_count\n  timespan: 5m\n" + count_5),
                    "14: a correlation must name its 'rules'"},
        RefusalCase{"RuleTwice",
                    document("  type: event_count\n  rules: [a, a]\n  timespan: 5m\n" + count_5),
                    "15: 'rules' names 'a' twice"},
        RefusalCase{"RuleByNameAndId",
                    document("  type: event_count\n  rules: [a, id-a]\n  timespan: 5m\n" + count_5),
                    "11: 'rules' names 'id-a' twice"},
        RefusalCase{"NoSuchRule",
                    document("  type: event_count\n  rules: [z]\n  timespan: 5m\n" + count_5),
                    "11: there is no rule 'z'"},
        RefusalCase{"OnItself",
                    document("  type: event_count\n  rules: [c]\n  timespan: 5m\n" + count_5),
                    "11: the correlation 'c' rests on itself"},
        RefusalCase{"GroupTwice", of_type("event_count", count_5 + "  group-by: [x, x]\n"),
                    "18: 'group-by' names 'x' twice"},
        RefusalCase{"GroupWithoutName", of_type("event_count", count_5 + "  group-by: ['']\n"),
                    "18: 'group-by' has a field without a name"},
        RefusalCase{"NoTimespan", document("  type: event_count\n  rules: [a]\n" + count_5),
                    "14: a correlation must have a 'timespan' like 90s, 5m, 1h or 7d"},
        RefusalCase{"TimespanOfWeeks",
                    document("  type: event_count\n  rules: [a]\n  timespan: 2w\n" + count_5),
                    "16: a correlation must have a 'timespan' like 90s, 5m, 1h or 7d"},
        RefusalCase{"TimespanZero",
                    document("  type: event_count\n  rules: [a]\n  timespan: 0s\n" + count_5),
                    "16: a correlation must have a 'timespan' like 90s, 5m, 1h or 7d"},
        RefusalCase{"Generate", of_type("event_count", count_5 + "  generate: maybe\n"),
                    "18: 'generate' is true or false"},
        RefusalCase{"NoCondition", of_type("event_count", ""),
                    "14: 'event_count' needs a condition like {gte: 5}"},
        RefusalCase{"NoConditionOfValues", of_type("value_sum", ""),
                    "14: 'value_sum' needs a condition like {field: NAME, gte: 5}"},
        RefusalCase{"EmptyCondition", of_type("event_count", "  condition: {}\n"),
                    "17: 'event_count' needs a condition like {gte: 5}"},
        RefusalCase{"ConditionOfNames", of_type("temporal", "  condition: a and not b\n"),
                    "17: a condition over names of rules is no part of Sigma 2.1.0"},
        RefusalCase{"NothingCompared", of_type("value_sum", "  condition: {field: x}\n"),
                    "17: the condition compares with nothing"},
        RefusalCase{"UnknownComparison", of_type("event_count", "  condition: {over: 5}\n"),
                    "17: 'over' is none of gt, gte, lt, lte, eq, neq"},
        RefusalCase{"NoCount", of_type("event_count", "  condition: {gte: many}\n"),
                    "17: 'many' is not a count"},
        RefusalCase{"HalfACount", of_type("event_count", "  condition: {gte: 2.5}\n"),
                    "17: '2.5' is not a count"},
        RefusalCase{"NegativeCount", of_type("value_count", "  condition: {field: x, gt: -1}\n"),
                    "17: '-1' is not a count"},
        RefusalCase{"QuotedCount", of_type("event_count", "  condition: {gte: '5'}\n"),
                    "17: '5' is not a count"},
        RefusalCase{"TooManyDecimals",
                    of_type("value_avg", "  condition: {field: x, gte: 0.1234567}\n"),
                    "17: '0.1234567' is not a number of at most six decimals"},
        RefusalCase{"TwoLowerBounds", of_type("event_count", "  condition: {gt: 5, gte: 7}\n"),
                    "17: 'gte' and what stands before it make no range"},
        RefusalCase{"EqualAndMore", of_type("event_count", "  condition: {eq: 5, lte: 7}\n"),
                    "17: 'lte' and what stands before it make no range"},
        RefusalCase{"EmptyRange", of_type("event_count", "  condition: {gt: 5, lt: 6}\n"),
                    "17: nothing is in this range"},
        RefusalCase{"EmptyRangeOfSums",
                    of_type("value_sum", "  condition: {field: x, gte: 2, lte: 1.5}\n"),
                    "17: nothing is in this range"},
        RefusalCase{"EmptyRangeOfAverages",
                    of_type("value_avg", "  condition: {field: x, gt: 2, lte: 2}\n"),
                    "17: nothing is in this range"},
        RefusalCase{"TooFewEvents", of_type("event_count", "  condition: {lt: 2}\n"),
                    "17: too little cannot be told before the time is over; 'event_count' takes "
                    "gt, gte, eq or a range"},
        RefusalCase{"TooFewValues", of_type("value_count", "  condition: {field: x, lte: 2}\n"),
                    "17: too little cannot be told before the time is over; 'value_count' takes "
                    "gt, gte, eq or a range"},
        RefusalCase{"TooLittle", of_type("value_sum", "  condition: {field: x, lt: 2}\n"),
                    "17: too little cannot be told before the time is over; 'value_sum' takes gt, "
                    "gte, eq or a range"},
        RefusalCase{"AnotherCount", of_type("event_count", "  condition: {neq: 2}\n"),
                    "17: too little cannot be told before the time is over; 'event_count' takes "
                    "gt, gte, eq or a range"},
        RefusalCase{"CountOfNone", of_type("event_count", "  condition: {eq: 0}\n"),
                    "17: the condition holds before anything has happened"},
        RefusalCase{"MoreRulesThanThereAre", of_type("temporal", "  condition: {gt: 2}\n"),
                    "17: 'temporal' counts the rules that occur, and there are only 2"},
        RefusalCase{"OneRuleTogether", document("  type: temporal\n  rules: [a]\n  timespan: 5m\n"),
                    "14: 'temporal' needs at least two rules"},
        RefusalCase{"OneRuleInOrder",
                    document("  type: temporal_ordered\n  rules: [a]\n  timespan: 5m\n"),
                    "14: 'temporal_ordered' needs at least two rules"},
        RefusalCase{"ConditionOfOrder", of_type("temporal_ordered", count_5),
                    "17: 'temporal_ordered' needs all its rules in their order and takes no "
                    "condition"},
        RefusalCase{"FieldOfEvents", of_type("event_count", "  condition: {field: x, gte: 5}\n"),
                    "17: 'event_count' takes no 'field'"},
        RefusalCase{"NoField", of_type("value_count", count_5),
                    "17: the condition of 'value_count' must name its 'field'"},
        RefusalCase{"FieldWithoutName", of_type("value_avg", "  condition: {field: '', gte: 5}\n"),
                    "17: the condition of 'value_avg' must name its 'field'"},
        RefusalCase{"TwoFieldsToAdd",
                    of_type("value_sum", "  condition: {field: [x, y], gte: 5}\n"),
                    "17: 'value_sum' takes one 'field'"},
        RefusalCase{"FieldTwice", of_type("value_count", "  condition: {field: [x, x], gte: 5}\n"),
                    "17: 'field' names 'x' twice"},
        RefusalCase{"PercentileOfSums",
                    of_type("value_sum", "  condition: {field: x, gte: 5, percentile: 9}\n"),
                    "17: 'value_sum' takes no 'percentile'"},
        RefusalCase{"PercentileZero",
                    of_type("value_percentile", "  condition: {field: x, gte: 5, percentile: 0}\n"),
                    "17: '0' is not a percentile over 0 and up to 100"},
        RefusalCase{
            "PercentileOver",
            of_type("value_percentile", "  condition: {field: x, gte: 5, percentile: 101}\n"),
            "17: '101' is not a percentile over 0 and up to 100"},
        RefusalCase{"AliasesNoMap", of_type("event_count", count_5 + "  aliases: [x]\n"),
                    "18: 'aliases' is a map of maps"},
        RefusalCase{"AliasNoMap", of_type("event_count", count_5 + "  aliases: {w: x}\n"),
                    "18: the alias 'w' is a map of rules to their fields"},
        RefusalCase{"AliasWithoutField",
                    of_type("event_count", count_5 + "  aliases: {w: {a: ''}}\n"),
                    "18: the alias 'w' names no field for 'a'"},
        RefusalCase{"AliasOfAnotherRule",
                    of_type("event_count", count_5 + "  aliases: {w: {d: x}}\n"),
                    "11: the alias 'w' names 'd', which 'rules' does not have"},
        RefusalCase{"AliasOfNoRule", of_type("event_count", count_5 + "  aliases: {w: {zz: x}}\n"),
                    "11: the alias 'w' names 'zz', which 'rules' does not have"},
        RefusalCase{"AliasOfARuleTwice",
                    of_type("event_count", count_5 + "  aliases: {w: {a: x, id-a: y}}\n"),
                    "11: the alias 'w' names the rule 'id-a' twice"},
        RefusalCase{"AliasLeavesARuleOut",
                    of_type("event_count", count_5 + "  group-by: [w]\n  aliases: {w: {a: x}}\n"),
                    "11: the alias 'w' says no field for the rule 'id-b'"},
        RefusalCase{"EverythingAtOnce",
                    document("  type: event_count\n  timespan: soon\n  condition: {gte: -1}\n"),
                    "14: a correlation must name its 'rules'; line 15: a correlation must have a "
                    "'timespan' like 90s, 5m, 1h or 7d; line 16: '-1' is not a count"}),
    [](const auto& info) { return info.param.name; });

struct AcceptedCase {
  const char* name;
  std::string type;
  std::string rest;
  std::optional<Correlation::Bound> at_least;
  std::optional<Correlation::Bound> at_most;
};

class ParseRulesCorrelation : public testing::TestWithParam<AcceptedCase> {};

std::string bound_text(const std::optional<Correlation::Bound>& bound) {
  return bound ? std::to_string(bound->millionths) + (bound->open ? " open" : "") : "none";
}

TEST_P(ParseRulesCorrelation, IsReadAsWritten) {
  const RuleSet made = rules_of(of_type(GetParam().type, GetParam().rest));
  for (const Refusal& one : made.refused()) ADD_FAILURE() << one.sentence();
  ASSERT_EQ(made.correlations().size(), 1U);
  const Correlation& read = made.correlations().front();
  EXPECT_EQ(to_string(read.type), GetParam().type);
  EXPECT_EQ(read.rules, (std::vector<std::string>{"id-a", "id-b"}));
  EXPECT_EQ(read.timespan, std::chrono::minutes(5));
  EXPECT_EQ(bound_text(read.at_least), bound_text(GetParam().at_least));
  EXPECT_EQ(bound_text(read.at_most), bound_text(GetParam().at_most));
}

using Bound = Correlation::Bound;

INSTANTIATE_TEST_SUITE_P(
    Cases, ParseRulesCorrelation,
    testing::Values(
        AcceptedCase{"Gte", "event_count", "  condition: {gte: 5}", Bound{5'000'000}, {}},
        AcceptedCase{"Gt", "event_count", "  condition: {gt: 5}", Bound{5'000'000, true}, {}},
        AcceptedCase{"Eq", "event_count", "  condition: {eq: 5}", Bound{5'000'000},
                     Bound{5'000'000}},
        AcceptedCase{"Range", "event_count", "  condition: {gt: 100, lte: 200}",
                     Bound{100'000'000, true}, Bound{200'000'000}},
        AcceptedCase{"RangeBackwards", "event_count", "  condition: {lt: 7, gte: 6}",
                     Bound{6'000'000}, Bound{7'000'000, true}},
        AcceptedCase{
            "Values", "value_count", "  condition: {field: [x, y], gte: 2}", Bound{2'000'000}, {}},
        AcceptedCase{"DecimalSum",
                     "value_sum",
                     "  condition: {field: x, gt: -0.25}",
                     Bound{-250'000, true},
                     {}},
        AcceptedCase{"ExponentSum",
                     "value_sum",
                     "  condition: {field: x, gt: 1e3}",
                     Bound{1'000'000'000, true},
                     {}},
        AcceptedCase{"AverageBelow",
                     "value_avg",
                     "  condition: {field: x, lt: 0.5}",
                     {},
                     Bound{500'000, true}},
        AcceptedCase{"AverageDiffers", "value_avg", "  condition: {field: x, neq: 2}",
                     Bound{2'000'000, true}, Bound{2'000'000, true}},
        AcceptedCase{"Percentile",
                     "value_percentile",
                     "  condition: {field: x, lte: 1, percentile: 99.9}",
                     {},
                     Bound{1'000'000}},
        AcceptedCase{"TemporalNeedsAll", "temporal", "", Bound{2'000'000}, {}},
        AcceptedCase{"TemporalOfSome", "temporal", "  condition: {gte: 1}", Bound{1'000'000}, {}},
        AcceptedCase{"Order", "temporal_ordered", "", {}, {}}),
    [](const auto& info) { return info.param.name; });

TEST(ParseRulesCorrelationParts, TimespansGroupsAliasesAndGenerate) {
  const std::vector<std::pair<std::string, Duration>> spans{{"90s", std::chrono::seconds(90)},
                                                            {"15m", std::chrono::minutes(15)},
                                                            {"12h", std::chrono::hours(12)},
                                                            {"7d", std::chrono::days(7)}};
  for (const auto& [text, span] : spans) {
    const RuleSet made = rules_of(document(
        "  type: event_count\n  rules: a\n  group-by: w\n  timespan: " + text +
        "\n  generate: true\n  condition: {gte: 1}\n  aliases: {w: {a: x}, unused: {a: y}}\n"));
    ASSERT_EQ(made.correlations().size(), 1U) << text;
    const Correlation& read = made.correlations().front();
    EXPECT_EQ(read.timespan, span);
    EXPECT_EQ(read.group_by, (std::vector<std::string>{"w"}));
    EXPECT_EQ(read.aliases.at("w").at("id-a"), "x");
    EXPECT_TRUE(read.generate);
  }
}

TEST(ParseRulesCorrelationParts, GenerateMayStandBesideTheCorrelation) {
  EXPECT_TRUE(
      rules_of(of_type("event_count", count_5 + "generate: true\n")).correlations().at(0).generate);
  EXPECT_FALSE(rules_of(of_type("event_count", count_5 + "generate: false\n"))
                   .correlations()
                   .at(0)
                   .generate);
}

TEST(ParseRulesCorrelationParts, ThePercentileIsTheMedianUnlessStated) {
  const std::string condition = "  condition: {field: x, lte: 1";
  EXPECT_EQ(rules_of(of_type("value_percentile", condition + "}")).correlations().at(0).percentile,
            50'000'000);
  EXPECT_EQ(rules_of(of_type("value_percentile", condition + ", percentile: 99.5}"))
                .correlations()
                .at(0)
                .percentile,
            99'500'000);
}

}  // namespace
}  // namespace mailwarden::detect
