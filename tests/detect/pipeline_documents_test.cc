// Pipelines and whole documents: order, filters, correlations, failures and limits.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/sha256.h"
#include "detect/pipeline.h"
#include "detect/rule_set.h"
#include "tests/detect/pipeline_texts.h"
#include "tests/temporary.h"

namespace mailwarden::detect {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

RuleTexts applied(const std::string& transformations, const std::string& rules,
                  const PipelineLimits& limits = {}) {
  RuleTexts texts = parse_rules(rules, "t.yml");
  EXPECT_THAT(texts.refused, IsEmpty());
  pipelines({"transformations:\n" + transformations}, limits).apply(texts);
  return texts;
}

std::string rule(const std::string& id, const std::string& detection,
                 const std::string& logsource = "{product: linux}") {
  return "---\ntitle: t\nid: " + id + "\nlogsource: " + logsource + "\ndetection: " + detection +
         "\n";
}

std::vector<std::string> sentences(const RuleTexts& texts) {
  std::vector<std::string> all;
  for (const Refusal& one : texts.refused) all.push_back(one.sentence());
  return all;
}

std::string field(const Selection& selection, std::size_t alternative = 0, std::size_t item = 0) {
  return selection.alternatives.at(alternative).at(item).field;
}

TEST(PipelineOrder, IsByPriorityThenAsGiven) {
  const std::string suffix = "transformations: [{type: field_name_suffix, suffix: ";
  const Pipelines all =
      pipelines({"priority: 20\n" + suffix + "a}]\n", "name: b\npriority: 10\n" + suffix + "b}]\n",
                 "priority: 20\n" + suffix + "c}]\n", suffix + "d}]\n"});
  RuleTexts texts = parse_rules(rule("r", "{s: {F: v}, condition: s}"), "t.yml");
  all.apply(texts);
  EXPECT_EQ(field(texts.rules[0].selections[0]), "Fdbac");
  ASSERT_THAT(all.pipelines(), SizeIs(4));
  EXPECT_EQ(all.pipelines()[1].name, "b");
  EXPECT_EQ(all.pipelines()[0].name, "p4.yml");
  EXPECT_EQ(all.pipelines()[0].version, crypto::to_hex(crypto::sha256(suffix + "d}]\n")));
}

TEST(PipelineOrder, LaterVarsCount) {
  const Pipelines all =
      pipelines({"priority: 2\nvars: {a: [x, 1], b: y}\n", "vars: {a: [z], c: w}\n"});
  EXPECT_EQ(all.placeholders(), (Placeholders{{"a", {"x", "1"}}, {"b", {"y"}}, {"c", {"w"}}}));
}

TEST(PipelineOrder, StateIsForgottenWithTheRule) {
  const RuleTexts texts = applied(
      "- {type: set_state, key: k, val: 1, rule_conditions: [{type: contains_field, field: F}]}\n"
      "- {type: field_name_suffix, suffix: x, rule_conditions: [{type: processing_state, key: k, "
      "val: 1}]}\n",
      rule("a", "{s: {F: v}, condition: s}") + rule("b", "{s: {G: v}, condition: s}"));
  EXPECT_EQ(field(texts.rules[0].selections[0]), "Fx");
  EXPECT_EQ(field(texts.rules[1].selections[0]), "G");
}

TEST(PipelineOrder, WithoutPipelinesNothingChanges) {
  RuleTexts texts = parse_rules(rule("r", "{s: {F: v}, condition: s}"), "t.yml");
  Pipelines().apply(texts);
  EXPECT_EQ(field(texts.rules[0].selections[0]), "F");
}

const std::string by_product =
    "- {type: field_name_suffix, suffix: w, rule_conditions: [{type: logsource, product: "
    "windows}]}\n"
    "- {type: field_name_suffix, suffix: l, rule_conditions: [{type: logsource, product: linux}]}\n"
    "- {type: change_logsource, product: other, rule_conditions: [{type: logsource, product: "
    "windows}]}\n";

const std::string one_linux_two_windows =
    rule("l1", "{s: {F: v}, condition: s}") +
    rule("w1", "{s: {F: v}, condition: s}", "{product: windows}") +
    rule("w2", "{s: {F: v}, condition: s}", "{product: windows}");

// The filter's field by the rules that it is for.
std::map<std::string, std::string> ways(const RuleTexts& texts) {
  std::map<std::string, std::string> found;
  for (const Filter& filter : texts.filters) {
    std::string rules;
    for (const std::string& one : filter.rules) rules += (rules.empty() ? "" : " ") + one;
    found[rules] = field(filter.selections[0]);
  }
  return found;
}

TEST(PipelineFilters, GoTheWayOfTheirRules) {
  const RuleTexts texts = applied(by_product, one_linux_two_windows +
                                                  "---\ntitle: f\nid: f\nname: g\nfilter: {rules: "
                                                  "[w2, l1, w1], q: {G: v}, condition: q}\n");
  EXPECT_EQ(ways(texts), (std::map<std::string, std::string>{{"l1", "Gl"}, {"w2 w1", "Gw"}}));
  const RuleSet set = RuleSet::make(texts).value();
  EXPECT_THAT(set.refused(), IsEmpty());
  EXPECT_THAT(set.filters(), SizeIs(2));
}

TEST(PipelineFilters, ForAnyRuleGoEachOnesWay) {
  const std::string any = "---\ntitle: f\nid: f\nfilter: {rules: any, q: {G: v}, condition: q}\n";
  const RuleTexts texts = applied(by_product, one_linux_two_windows + any);
  EXPECT_EQ(ways(texts),
            (std::map<std::string, std::string>{{"l1", "Gl"}, {"w1", "Gw"}, {"w2", "Gw"}}));
  EXPECT_THAT(RuleSet::make(texts).value().refused(), IsEmpty());
  const RuleTexts same =
      applied("- {type: field_name_suffix, suffix: x}\n", one_linux_two_windows + any);
  ASSERT_THAT(same.filters, SizeIs(1));
  EXPECT_TRUE(same.filters[0].any_rule);
}

TEST(PipelineFilters, AreHeldAgainstTheLogsourceAsItWas) {
  const RuleTexts texts =
      applied(by_product, rule("w1", "{s: {F: v}, condition: s}", "{product: windows}") +
                              "---\ntitle: f\nid: f\nlogsource: {product: windows}\nfilter: "
                              "{rules: [w1], q: {F: v}, condition: q}\n");
  const RuleSet set = RuleSet::make(texts).value();
  ASSERT_THAT(set.refused(), IsEmpty());
  Event event;
  event.logsource.product = "other";
  event.fields.add("Fw", "v");
  EXPECT_THAT(set.match(event), IsEmpty()) << "the filter holds too";
}

TEST(PipelineFilters, StayForTheRulesThatAreLeft) {
  const RuleTexts texts = applied(
      "- {type: rule_failure, message: no windows, rule_conditions: [{type: logsource, product: "
      "windows}]}\n",
      rule("l1", "{s: {F: v}, condition: s}") +
          rule("w1", "{s: {F: v}, condition: s}", "{product: windows}") +
          "---\ntitle: f\nid: f\nfilter: {rules: [w1, l1], q: {F: v}, condition: q}\n"
          "---\ntitle: f\nid: h\nfilter: {rules: [w1], q: {F: v}, condition: q}\n");
  ASSERT_THAT(texts.filters, SizeIs(1));
  EXPECT_THAT(texts.filters[0].rules, ElementsAre("l1"));
  EXPECT_THAT(sentences(texts),
              ElementsAre("t.yml, line 7: no windows (p1.yml, line 2)",
                          "t.yml, line 16: every rule that the filter is for is refused"));
}

TEST(PipelineFilters, ThatNameNobodyAreLeftToTheLinker) {
  const RuleTexts texts =
      applied(by_product, rule("l1", "{s: {F: v}, condition: s}") +
                              "---\ntitle: f\nid: f\nfilter: {rules: [l1, nobody], q: {F: v}, "
                              "condition: q}\n");
  EXPECT_THAT(RuleSet::make(texts).value().refused(), SizeIs(1));
}

const std::string correlation =
    "---\ntitle: c\nid: c\nmailwarden: {entity: F}\ncorrelation:\n  type: event_count\n"
    "  rules: [w1]\n  group-by: [F, alias]\n  timespan: 5m\n  condition: {gte: 2}\n"
    "  aliases: {alias: {w1: G}}\n";

TEST(PipelineCorrelations, NamesInThemAreFields) {
  const RuleTexts texts = applied(
      by_product, rule("w1", "{s: {F: v}, condition: s}", "{product: windows}") + correlation);
  ASSERT_THAT(texts.correlations, SizeIs(1));
  EXPECT_THAT(texts.correlations[0].group_by, ElementsAre("Fw", "alias"));
  EXPECT_EQ(texts.correlations[0].aliases.at("alias").at("w1"), "Gw");
  EXPECT_EQ(texts.correlations[0].header.entity, "Fw");
}

TEST(PipelineCorrelations, AreToldFromRules) {
  const RuleTexts texts = applied(
      "- {type: field_name_suffix, suffix: c, rule_conditions: [{type: "
      "is_sigma_correlation_rule}]}\n",
      rule("w1", "{s: {F: v}, condition: s}", "{product: windows}") + correlation);
  EXPECT_EQ(field(texts.rules[0].selections[0]), "F");
  EXPECT_THAT(texts.correlations[0].group_by, ElementsAre("Fc", "alias"));
}

TEST(PipelineCorrelations, GroupByOneFieldAlone) {
  const RuleTexts texts = applied(
      "- {type: field_name_mapping, mapping: {F: [a, b]}, "
      "rule_conditions: [{type: is_sigma_correlation_rule}]}\n",
      rule("w1", "{s: {F: v}, condition: s}") + correlation);
  EXPECT_THAT(texts.correlations, IsEmpty());
  EXPECT_THAT(sentences(texts),
              ElementsAre("t.yml, line 7: 'F' is mapped to several fields, and the entity can "
                          "name only one (p1.yml, line 2)"));
}

TEST(PipelineRuleHeader, TheEntityIsAField) {
  RuleTexts texts = applied("- {type: field_name_mapping, mapping: {F: a}}\n",
                            "title: t\nid: r\nmailwarden: {entity: F}\nlogsource: {product: x}\n"
                            "detection: {s: {F: v}, condition: s}\n");
  EXPECT_EQ(texts.rules[0].header.entity, "a");
}

struct Failing {
  const char* name;
  std::string transformations;
  std::string detection;
  std::string sentence;
};

class PipelineFailures : public testing::TestWithParam<Failing> {};

TEST_P(PipelineFailures, RefuseTheRule) {
  const RuleTexts texts =
      applied(GetParam().transformations,
              "title: t\nid: r\nlogsource: {product: linux}\ndetection:\n" + GetParam().detection +
                  rule("other", "{s: {Z: v}, condition: s}"),
              {.alternatives_max = 8, .items_max = 20, .text_bytes_max = 10});
  EXPECT_THAT(sentences(texts), ElementsAre(HasSubstr(GetParam().sentence)));
  EXPECT_THAT(texts.rules, SizeIs(1));
  EXPECT_EQ(texts.refused.at(0).id, "r");
}

const std::string on_a = ", field_name_conditions: [{type: include_fields, fields: [A, B, C, D]}]}";

INSTANTIATE_TEST_SUITE_P(
    Types, PipelineFailures,
    testing::Values(
        Failing{"Rule",
                "- {type: rule_failure, message: none of ours, rule_conditions: [{type: "
                "contains_field, field: A}]}\n",
                "  s: {A: v}\n  condition: s\n", "t.yml, line 1: none of ours (p1.yml, line 2)"},
        Failing{"Item", "\n- {type: detection_item_failure, message: not this" + on_a + "\n",
                "  s:\n    Y: v\n    A: v\n  condition: s\n",
                "t.yml, line 7: not this (p1.yml, line 3)"},
        Failing{"Unmapped",
                "- {type: field_name_mapping, mapping: {Z: z, A: A}}\n"
                "- {type: strict_field_mapping_failure}\n",
                "  s: {A: v}\n  t: {Y: v}\n  condition: s\n",
                "t.yml, line 6: the field 'Y' is mapped by no transformation (p1.yml, line 3)"},
        Failing{"NothingIsLeft", "- {type: drop_detection_item" + on_a + "\n",
                "  s: {A: v}\n  t: [{B: v}, {C: v}]\n  condition: s or not t\n",
                "t.yml, line 1: every item that the condition rests on would be dropped"},
        Failing{"NoNumber", "- {type: convert_type, target_type: num" + on_a + "\n",
                "  s: {A: 5 apples}\n  condition: s\n",
                "t.yml, line 5: '5 apples' cannot become a number"},
        Failing{"NoValues", "- {type: value_placeholders}\n",
                "  s: {'A|expand': '%a%'}\n  condition: s\n",
                "t.yml, line 5: 'vars' have no values for the placeholder '%a%'"},
        Failing{"LongText", "- {type: replace_string, regex: a, replacement: aaaaaa" + on_a + "\n",
                "  s: {A: aa}\n  condition: s\n", "a text of more than 10 bytes comes of it"},
        Failing{"AlternativesOfAMap",
                "- {type: field_name_mapping, mapping: {A: [a, b], B: [a, b], C: [a, b], D: [a, "
                "b]}}\n",
                "  s: {A: v, B: v, C: v, D: v}\n  condition: s\n",
                "t.yml, line 5: more than 8 alternatives would come of one map of a selection"},
        Failing{"AlternativesOfAList",
                "- {type: field_name_mapping, mapping: {A: [a, b, c, d, e]}}\n",
                "  s: [{A: v}, {A: w}]\n  condition: s\n",
                "the selection 's' would have more than 8 alternatives"},
        Failing{"Items", "- {type: field_name_mapping, mapping: {A: [a, b, c, d, e, f, g, h]}}\n",
                "  s: {A: v, E: v, F: v}\n  condition: s\n",
                "the rule would have more than 20 items"}),
    [](const auto& info) { return info.param.name; });

TEST(PipelineLimit, NegationGrowsByItemsAlone) {
  const RuleTexts texts = applied(
      "- {type: field_name_mapping, mapping: {A: [a, b, c], B: [a, b, "
      "c], C: [a, b, c]}}\n",
      rule("r",
           "{s: {'A|neq': v, 'B|neq': v, 'C|neq': v}, "
           "condition: s}"),
      {.alternatives_max = 2});
  ASSERT_THAT(texts.rules, SizeIs(1));
  EXPECT_THAT(texts.rules[0].selections[0].alternatives, SizeIs(1));
  EXPECT_THAT(texts.rules[0].selections[0].alternatives[0], SizeIs(9));
}

TEST(PipelineLimit, WhatIsLargeAlreadyIsNotRefused) {
  const RuleTexts texts = applied("- {type: field_name_mapping, mapping: {A: a}}\n",
                                  rule("r", "{s: [{A: v}, {A: w}, {A: x}], condition: s}"),
                                  {.alternatives_max = 2, .items_max = 2});
  EXPECT_THAT(texts.rules, SizeIs(1));
}

struct Placeholder {
  const char* name;
  std::string transformation;
  std::string item;
  std::string item_then;
};

class PipelinePlaceholders : public testing::TestWithParam<Placeholder> {};

// The item as it would be written.
std::string written(const DetectionItem& item) {
  std::string text = item.field;
  for (const std::string& modifier : item.modifiers) text += "|" + modifier;
  text += ":";
  for (const RuleValue& value : item.values) text += " " + value.text;
  return text;
}

TEST_P(PipelinePlaceholders, AreReplaced) {
  RuleTexts texts = parse_rules(rule("r", "{s: {" + GetParam().item + "}, condition: s}"), "t.yml");
  ASSERT_THAT(texts.rules, SizeIs(1)) << texts.refused[0].sentence();
  pipelines({"vars: {a: [x, 'y*'], p: ['5%'], n: 7}\ntransformations:\n- " +
             GetParam().transformation + "\n"})
      .apply(texts);
  ASSERT_THAT(texts.rules, SizeIs(1)) << texts.refused[0].sentence();
  EXPECT_EQ(written(texts.rules[0].selections[0].alternatives[0][0]), GetParam().item_then);
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, PipelinePlaceholders,
    testing::Values(
        Placeholder{"ByValues", "{type: value_placeholders}", "'A|expand': '%a%z'", "A: xz y*z"},
        Placeholder{"Combinations", "{type: value_placeholders}", "'A|expand': '%a%-%a%'",
                    "A: x-x x-y* y*-x y*-y*"},
        Placeholder{"Numbers", "{type: value_placeholders}", "'A|expand|contains': '%n%'",
                    "A|contains: 7"},
        Placeholder{"Included", "{type: value_placeholders, include: [a]}", "'A|expand': '%a%%n%'",
                    "A|expand: x%n% y*%n%"},
        Placeholder{"Excluded", "{type: wildcard_placeholders, exclude: [n]}",
                    "'A|expand': '%a%%n%'", "A|expand: *%n%"},
        Placeholder{"ByWildcards", "{type: wildcard_placeholders}", "'A|expand': 'z%other%'",
                    "A: z*"},
        Placeholder{"InExpressions", "{type: wildcard_placeholders}", "'A|expand|re': '^%o%$'",
                    "A|re: ^.*$"},
        Placeholder{"HiddenPercent", "{type: value_placeholders}", "'A|expand': '\\%a%n%'",
                    "A: %a7"},
        Placeholder{"PercentOfAValueStays", "{type: value_placeholders, include: [p]}",
                    "'A|expand': '%p%%n%'", "A|expand: 5\\%%n%"},
        Placeholder{"WithoutExpandItIsText", "{type: value_placeholders}", "'A': '%a%'", "A: %a%"}),
    [](const auto& info) { return info.param.name; });

TEST(PipelinePlaceholders, VarsAreValuesWithoutATransformation) {
  const Pipelines all = pipelines({"vars: {a: [x, y]}\n"});
  RuleTexts texts = parse_rules(rule("r", "{s: {'A|expand': '%a%'}, condition: s}"), "t.yml");
  all.apply(texts);
  const RuleSet set = RuleSet::make(texts, {.placeholders = all.placeholders()}).value();
  EXPECT_THAT(set.refused(), IsEmpty());
  Event event;
  event.logsource.product = "linux";
  event.fields.add("A", "y");
  EXPECT_THAT(set.match(event), SizeIs(1));
}

TEST(ShippedPipeline, ReadsProcessesOutOfAuditd) {
  const auto shipped =
      Pipelines::load({source_folder() + "/policies/pipelines/linux_process_creation_auditd.yaml"});
  ASSERT_TRUE(shipped) << shipped.error().what;
  const std::string source = "{product: linux, category: process_creation}";
  RuleTexts texts = parse_rules(
      rule("a", "{s: {'Image|endswith': ['/nc', '/ncat'], User: root}, condition: s}", source) +
          rule("b", "{s: {'Image|endswith': /nc, CommandLine: x}, condition: s}", source) +
          rule("c", "{s: {ParentImage: x}, condition: s}", source) +
          rule("d", "{s: {ParentImage: x}, condition: s}"),
      "t.yml");
  shipped->apply(texts);
  ASSERT_THAT(texts.refused, SizeIs(2));
  EXPECT_THAT(texts.refused[0].sentence(), HasSubstr("line 7: auditd writes Image and Command"));
  EXPECT_THAT(texts.refused[1].sentence(), HasSubstr("'ParentImage' is mapped by no transform"));
  const RuleSet set = RuleSet::make(texts).value();
  EXPECT_THAT(set.rules(), SizeIs(2));
  Event event;
  event.logsource = {.product = "linux", .category = "", .service = "auditd"};
  for (const auto& [name, value] : std::map<std::string, std::string>{
           {"type", "SYSCALL"}, {"exe", "/usr/bin/ncat"}, {"uid", "0"}, {"UID", "root"}}) {
    event.fields.add(name, value);
  }
  ASSERT_THAT(set.match(event), SizeIs(1));
  EXPECT_EQ(set.match(event)[0].rule_id, "a");
}

}  // namespace
}  // namespace mailwarden::detect
