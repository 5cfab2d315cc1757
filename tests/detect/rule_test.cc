#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "detect/rule_set.h"
#include "tests/temporary.h"

namespace mailwarden::detect {
namespace {

Event event_with(std::vector<std::pair<std::string, std::string>> fields, std::string raw = "") {
  Event made;
  made.id = {1, 2};
  made.time = {1000};
  made.logsource = {.product = "linux", .category = "", .service = "sshd"};
  for (const auto& [name, value] : fields) made.fields.add(name, value);
  made.raw = std::move(raw);
  return made;
}

RuleSet rule_set(const std::string& detection, const std::string& logsource = "product: linux") {
  const std::string text =
      "title: t\nid: r\nlogsource:\n  " + logsource + "\ndetection:\n" + detection;
  RuleSet set = RuleSet::make(parse_rules(text, "t.yml")).value();
  for (const Refusal& one : set.refused()) ADD_FAILURE() << one.sentence() << "\n" << text;
  return set;
}

struct RuleCase {
  const char* name;
  std::string detection;
  Event event;
  bool matches;
};

class RuleSetMatch : public testing::TestWithParam<RuleCase> {};

TEST_P(RuleSetMatch, HoldsOrNot) {
  EXPECT_EQ(!rule_set(GetParam().detection).match(GetParam().event).empty(), GetParam().matches);
}

const Event list_event = event_with({{"a", "one"}, {"a", "two"}, {"b", "three"}});

INSTANTIATE_TEST_SUITE_P(
    Cases, RuleSetMatch,
    testing::Values(
        RuleCase{"MapIsAnd", "  s: {a: x, b: y}\n  condition: s",
                 event_with({{"a", "x"}, {"b", "y"}}), true},
        RuleCase{"MapNeedsAll", "  s: {a: x, b: y}\n  condition: s", event_with({{"a", "x"}}),
                 false},
        RuleCase{"ListOfValuesIsOr", "  s: {a: [x, y]}\n  condition: s", event_with({{"a", "y"}}),
                 true},
        RuleCase{"AllNeedsEach", "  s: {'a|contains|all': [x, y]}\n  condition: s",
                 event_with({{"a", "xay"}}), true},
        RuleCase{"AllIsNotAny", "  s: {'a|contains|all': [x, y]}\n  condition: s",
                 event_with({{"a", "x"}}), false},
        RuleCase{"ListOfMapsIsOr", "  s: [{a: x}, {b: y}]\n  condition: s",
                 event_with({{"b", "y"}}), true},
        RuleCase{"KeywordsSearchTheRawText", "  s: [needle, other]\n  condition: s",
                 event_with({}, "hay NEEDLE hay"), true},
        RuleCase{"KeywordsSearchFields", "  s: [needle]\n  condition: s",
                 event_with({{"a", "a needle b"}}), true},
        RuleCase{"KeywordsAll", "  s: {'|all': [one, two]}\n  condition: s",
                 event_with({}, "two one"), true},
        RuleCase{"KeywordsAllNeedEach", "  s: {'|all': [one, two]}\n  condition: s",
                 event_with({}, "one"), false},
        RuleCase{"NullIsAbsent", "  s: {a: null}\n  condition: s", event_with({{"b", "x"}}), true},
        RuleCase{"NullIsNotEmpty", "  s: {a: null}\n  condition: s", event_with({{"a", ""}}),
                 false},
        RuleCase{"EmptyIsNotAbsent", "  s: {a: ''}\n  condition: s", event_with({}), false},
        RuleCase{"EmptyIsPresent", "  s: {a: ''}\n  condition: s", event_with({{"a", ""}}), true},
        RuleCase{"Exists", "  s: {'a|exists': true}\n  condition: s", event_with({{"a", ""}}),
                 true},
        RuleCase{"ExistsNot", "  s: {'a|exists': false}\n  condition: s", event_with({}), true},
        RuleCase{"NumbersAreNumbers", "  s: {a: 22}\n  condition: s", event_with({{"a", "22.0"}}),
                 true},
        RuleCase{"QuotedNumbersAreTexts", "  s: {a: '22'}\n  condition: s",
                 event_with({{"a", "22.0"}}), false},
        RuleCase{"FieldReference", "  s: {'a|fieldref': b}\n  condition: s",
                 event_with({{"a", "X"}, {"b", "x"}}), true},
        RuleCase{"FieldReferenceDiffers", "  s: {'a|fieldref': b}\n  condition: s",
                 event_with({{"a", "x"}, {"b", "y"}}), false},
        RuleCase{"Network", "  s: {'a|cidr': 192.0.2.0/24}\n  condition: s",
                 event_with({{"a", "192.0.2.9"}}), true},
        RuleCase{"GreaterOrEqual", "  s: {'a|gte': 5}\n  condition: s", event_with({{"a", "5"}}),
                 true},
        RuleCase{"AnyOfAList", "  s: {a: two}\n  condition: s", list_event, true},
        // A prefilter that forgets lists or negations loses these.
        RuleCase{"NotOnAListMeansNone", "  s: {b: three}\n  f: {a: two}\n  condition: s and not f",
                 list_event, false},
        RuleCase{"NotWithAnAbsentField", "  s: {b: three}\n  f: {z: two}\n  condition: s and not f",
                 list_event, true},
        RuleCase{"NegatedAlone", "  f: {a: two}\n  condition: not f", event_with({{"a", "x"}}),
                 true},
        RuleCase{"OrWithNegation", "  s: {a: x}\n  f: {b: y}\n  condition: s or not f",
                 event_with({}), true},
        RuleCase{"CasedNeedle", "  s: {'a|contains|cased': Needle}\n  condition: s",
                 event_with({{"a", "a Needle"}}), true},
        RuleCase{"CasedNeedleInLowerCase", "  s: {'a|contains|cased': Needle}\n  condition: s",
                 event_with({{"a", "a needle"}}), false},
        RuleCase{"AndBindsBeforeOr",
                 "  a: {x: 1}\n  b: {x: 2}\n  c: {x: 3}\n  condition: a or b and c",
                 event_with({{"x", "1"}}), true},
        RuleCase{"NotBindsFirst", "  a: {x: 1}\n  b: {x: 2}\n  condition: not a and not b",
                 event_with({{"x", "3"}}), true},
        RuleCase{"Parentheses",
                 "  a: {x: 1}\n  b: {y: 2}\n  c: {y: 3}\n  condition: a and (b or c)",
                 event_with({{"x", "1"}, {"y", "3"}}), true},
        RuleCase{"OneOf", "  s_a: {x: 1}\n  s_b: {x: 2}\n  condition: 1 of s_*",
                 event_with({{"x", "2"}}), true},
        RuleCase{"AllOf", "  s_a: {x: 1}\n  s_b: {y: 2}\n  condition: all of s_*",
                 event_with({{"x", "1"}}), false},
        RuleCase{"ThemLeavesOutUnderscores", "  a: {x: 1}\n  _b: {x: 2}\n  condition: 1 of them",
                 event_with({{"x", "2"}}), false},
        RuleCase{"ListOfConditionsIsOr", "  a: {x: 1}\n  b: {x: 2}\n  condition: [a, b]",
                 event_with({{"x", "2"}}), true},
        RuleCase{"SpacesInFieldNames", "  s: {Source Name: x}\n  condition: s",
                 event_with({{"SourceName", "x"}}), true}),
    [](const auto& info) { return info.param.name; });

TEST(RuleSetMatch, RoutesByLogsource) {
  const Event sshd = event_with({{"a", "x"}});
  const std::string detection = "  s: {a: x}\n  condition: s";
  EXPECT_FALSE(rule_set(detection, "service: sshd").match(sshd).empty());
  EXPECT_FALSE(rule_set(detection, "{product: linux, service: auth}").match(sshd).empty());
  EXPECT_TRUE(rule_set(detection, "{product: linux, service: auditd}").match(sshd).empty());
  EXPECT_TRUE(rule_set(detection, "{product: windows}").match(sshd).empty());
  EXPECT_TRUE(rule_set(detection, "{product: linux, category: webserver}").match(sshd).empty());
}

TEST(RuleSetMatch, TellsWhyWhoAndWhat) {
  const auto parsed = parse_rules(R"(
title: A refused sign-in
id: 4e5ad0d5-ff2e-4c5f-9c3a-3c1c25a4fd6f
level: high
tags: [attack.t1110]
logsource: {product: linux, service: sshd}
detection:
  selection: {action: login_failed, 'user|startswith': ro}
  filter: {user: nobody}
  condition: selection and not filter
mailwarden:
  entity: src_endpoint.ip
  facts: {account_compromised: true, accounts_affected: 2}
)",
                                  "a.yml");
  Event failed = event_with({{"action", "login_failed"}, {"user", "root"}, {"repeat_count", "3"}});
  failed.ocsf.src_ip = "203.0.113.7";
  const auto found = RuleSet::make(parsed)->match(failed);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].level, Level::high);
  EXPECT_EQ(found[0].entity, (Entity{"address", "203.0.113.7"}));
  EXPECT_EQ(found[0].because, (std::vector<Because>{{"selection", "action", "login_failed"},
                                                    {"selection", "user", "root"}}));
  EXPECT_EQ(found[0].count, 3);
  EXPECT_EQ(found[0].facts.at("accounts_affected"), 2);
  EXPECT_FALSE(found[0].silent);
}

struct RuleRefusal {
  const char* name;
  std::string text;
  std::string what;
};

class ParseRules : public testing::TestWithParam<RuleRefusal> {};

TEST_P(ParseRules, RefusesWithFileLineAndReason) {
  const RuleSet made = RuleSet::make(parse_rules(GetParam().text, "r.yml")).value();
  ASSERT_EQ(made.refused().size(), 1U);
  EXPECT_EQ(made.refused().front().sentence(), GetParam().what);
}

std::string rule(const std::string& detection) {
  return "title: t\nlogsource: {product: linux}\ndetection:\n" + detection;
}

INSTANTIATE_TEST_SUITE_P(
    Cases, ParseRules,
    testing::Values(
        RuleRefusal{
            "UnknownSelection", rule("  s: {a: x}\n  condition: s and foo"),
            "r.yml, line 5: the condition names the selection 'foo', which the rule does not "
            "have"},
        RuleRefusal{"UnknownModifier", rule("  s: {'a|contians': x}\n  condition: s"),
                    "r.yml, line 4: 'contians' is not a modifier of Sigma"},
        RuleRefusal{"ContradictingModifiers", rule("  s: {'a|cidr|contains': x}\n  condition: s"),
                    "r.yml, line 4: the modifier 'contains' contradicts one before it"},
        RuleRefusal{"WrongNetwork", rule("  s: {'a|cidr': 300.0.0.0/8}\n  condition: s"),
                    "r.yml, line 4: '300.0.0.0/8' is not a network like 192.0.2.0/24"},
        RuleRefusal{"WrongExpression", rule("  s: {'a|re': '('}\n  condition: s"),
                    "r.yml, line 4: the expression is wrong: missing ): ("},
        RuleRefusal{"WrongNumber", rule("  s: {'a|gt': many}\n  condition: s"),
                    "r.yml, line 4: 'many' is not a number"},
        RuleRefusal{"EmptyList", rule("  s: {a: []}\n  condition: s"),
                    "r.yml, line 4: the list of values is empty"},
        RuleRefusal{"Unfinished", rule("  s: {a: x}\n  condition: s and"),
                    "r.yml, line 5: the condition has nothing more where a selection was expected"},
        RuleRefusal{"Parenthesis", rule("  s: {a: x}\n  condition: (s"),
                    "r.yml, line 5: the condition has nothing more where ')' was expected"},
        RuleRefusal{"NothingMeant", rule("  s: {a: x}\n  condition: 1 of x*"),
                    "r.yml, line 5: no selection of the rule is meant by 'x*'"},
        RuleRefusal{
            "OldAggregation", rule("  s: {a: x}\n  condition: s | count() > 5"),
            "r.yml, line 5: the condition has '|' where the end or 'and' or 'or' was expected"},
        RuleRefusal{"EverythingAtOnce", "title: ''\nlevel: dire\nlogsource: {}\n",
                    "r.yml, line 1: a rule must have a 'title'; "
                    "line 2: the level 'dire' is none of informational, low, medium, high, "
                    "critical; "
                    "line 3: 'logsource' names neither product, category nor service; "
                    "line 1: a rule must have a 'detection', which is a map"},
        RuleRefusal{"FilterOfNoRule", "title: f\nfilter: {rules: [a], s: {a: x}, condition: s}\n",
                    "r.yml, line 1: there is no rule 'a' for the filter"},
        RuleRefusal{"FilterWithoutRules", "title: f\nfilter: {s: {a: x}, condition: s}\n",
                    "r.yml, line 2: a filter must name its 'rules'"},
        RuleRefusal{"ExpressionTooLarge",
                    rule("  s: {'a|re': '((a{1000}){1000}){1000}'}\n  condition: s"),
                    "r.yml, line 4: the expression is wrong: invalid repetition size: {1000}"},
        RuleRefusal{"ExpressionOfTooMuchMemory",
                    rule("  s: {'a|re': '\\pL{900}\\pL{900}\\pL{900}\\pL{900}'}\n  condition: s"),
                    "r.yml, line 4: the expression is too large: it needs more than 8 MiB"},
        RuleRefusal{"WrongYaml", "a: [\n",
                    "r.yml, line 2: column 1: end of sequence flow not found"},
        RuleRefusal{"DoubledId",
                    "id: a\n" + rule("  s: {a: x}\n  condition: s") + "\n---\nid: a\n" +
                        rule("  s: {a: x}\n  condition: s"),
                    "r.yml, line 8: the id 'a' is taken by r.yml, line 1"},
        RuleRefusal{"Facts",
                    rule("  s: {a: x}\n  condition: s\nmailwarden: {facts: {malware: false}}"),
                    "r.yml, line 6: a fact is true or a number that is not negative"}),
    [](const auto& info) { return info.param.name; });

TEST(ParseRules, ADeeplyNestedConditionIsRefusedWithoutRecursing) {
  const std::string text =
      rule("  s: {a: x}\n  condition: " + std::string(5000, '(') + "s" + std::string(5000, ')'));
  EXPECT_EQ(parse_rules(text, "r.yml").refused.at(0).sentence(),
            "r.yml, line 5: the condition is nested deeper than 32 levels");
}

TEST(LoadRules, TellsTheMistakesOfAllFiles) {
  TemporaryFolder folder;
  write_file(folder.path("a.yml"), rule("  s: {'a|x': y}\n  condition: s"));
  write_file(folder.path("b.yaml"), "title: b\n");
  write_file(folder.path("b.test.yml"), "not a rule\n");
  write_file(folder.path("c.yml"), rule("  s: {a: y}\n  condition: s") + "\n---\n: [\n");
  const RuleTexts loaded = load_rules({folder.path()}).value();
  std::vector<std::string> told;
  const RuleSet rules = RuleSet::make(loaded).value();
  for (const Refusal& one : rules.refused()) told.push_back(one.sentence());
  EXPECT_THAT(
      told, testing::UnorderedElementsAre(
                folder.path("a.yml") + ", line 4: 'x' is not a modifier of Sigma",
                folder.path("b.yaml") + ", line 1: a rule must have a 'logsource', which is a map" +
                    "; line 1: a rule must have a 'detection', which is a map",
                testing::StartsWith(folder.path("c.yml") + ", line 8: ")));
}

TEST(LoadRules, OneThatIsWrongDoesNotStopTheOthersOfItsFile) {
  const RuleTexts texts = parse_rules(
      "title: a\nid: a\nlogsource: {product: x}\ndetection: {s: {a: b}, condition: s}\n"
      "---\ntitle: [\n---\n"
      "title: c\nid: c\nlogsource: {product: x}\ndetection: {s: {a: b}, condition: t}\n"
      "---\ntitle: d\nid: d\nlogsource: {product: x}\ndetection: {s: {a: b}, condition: s}\n",
      "r.yml");
  ASSERT_EQ(texts.rules.size(), 2U);
  EXPECT_EQ(texts.rules[0].header.id, "a");
  EXPECT_EQ(texts.rules[1].header.id, "d");
  EXPECT_EQ(texts.rules[1].header.line, 13U);
  ASSERT_EQ(texts.refused.size(), 2U);
  EXPECT_EQ(texts.refused[1].sentence(),
            "r.yml, line 11: the condition names the selection 't', which the rule does not have");
}

TEST(LoadRules, APathThatIsNotThereIsAnError) {
  TemporaryFolder folder;
  EXPECT_EQ(load_rules({folder.path("none")}).error().what,
            folder.path("none") + ": No such file or directory");
}

}  // namespace
}  // namespace mailwarden::detect
