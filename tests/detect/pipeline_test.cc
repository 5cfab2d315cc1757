// What pipelines do to rules, told by the events that the rules then hold for.
#include "detect/pipeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "detect/rule_set.h"
#include "tests/temporary.h"

namespace mailwarden::detect {
namespace {

using testing::HasSubstr;

using Pairs = std::vector<std::pair<std::string, std::string>>;

Event event(const Pairs& fields, std::string raw = "") {
  Event made;
  made.id = {1, 2};
  made.time = {1000};
  made.logsource = {.product = "linux", .category = "", .service = "sshd"};
  for (const auto& [name, value] : fields) {
    const bool null = value == "null";
    made.fields.add(name, null ? "" : value, null ? FieldKind::null : FieldKind::string);
  }
  made.raw = std::move(raw);
  return made;
}

std::string rule_text(const std::string& detection, const std::string& more = "id: r") {
  return "title: t\n" + more + "\nlogsource: {product: linux}\ndetection:\n  " + detection + "\n";
}

Pipelines pipelines(const std::vector<std::string>& texts) {
  std::vector<PipelineText> files;
  for (const std::string& text : texts) {
    files.push_back({"p" + std::to_string(files.size() + 1) + ".yml", text});
  }
  auto read = Pipelines::parse(files);
  EXPECT_TRUE(read) << read.error().what;
  return read ? *std::move(read) : Pipelines();
}

RuleSet piped(const std::vector<std::string>& texts, const std::string& rules) {
  const Pipelines all = pipelines(texts);
  RuleTexts read = parse_rules(rules, "t.yml");
  all.apply(read);
  return RuleSet::make(std::move(read), {.placeholders = all.placeholders()}).value();
}

struct Case {
  const char* name;
  std::string transformations;
  std::string detection;
  Event event;
  bool matches;
};

class PipelineRules : public testing::TestWithParam<Case> {};

TEST_P(PipelineRules, HoldsOrNot) {
  const RuleSet rules =
      piped({"transformations:\n" + GetParam().transformations}, rule_text(GetParam().detection));
  for (const Refusal& one : rules.refused()) ADD_FAILURE() << one.sentence();
  EXPECT_EQ(!rules.match(GetParam().event).empty(), GetParam().matches);
}

std::string name_of(const testing::TestParamInfo<Case>& info) {
  return info.param.name;
}

const std::string map_to_two = "- {type: field_name_mapping, mapping: {B: [x, y]}}\n";
const std::string map_to_one = "- {type: field_name_mapping, mapping: {B: x}}\n";

INSTANTIATE_TEST_SUITE_P(
    Fields, PipelineRules,
    testing::Values(
        Case{"MapsAName", map_to_one, "{s: {B: v}, condition: s}", event({{"x", "v"}}), true},
        Case{"TheOldNameIsGone", map_to_one, "{s: {B: v}, condition: s}", event({{"B", "v"}}),
             false},
        Case{"LeavesOthers", map_to_one, "{s: {A: v}, condition: s}", event({{"A", "v"}}), true},
        Case{"SpacesDoNotCount", "- {type: field_name_mapping, mapping: {'B b': 'x y'}}\n",
             "{s: {'Bb': v}, condition: s}", event({{"xy", "v"}}), true},
        Case{"AnyOfTheTargets", map_to_two, "{s: {A: a, B: v}, condition: s}",
             event({{"A", "a"}, {"y", "v"}}), true},
        Case{"NoneOfTheTargets", map_to_two, "{s: {A: a, B: v}, condition: s}", event({{"A", "a"}}),
             false},
        Case{"OthersStillCount", map_to_two, "{s: {A: a, B: v}, condition: s}", event({{"x", "v"}}),
             false},
        Case{"NegationIsOfEach", map_to_two, "{s: {'B|neq': v}, condition: s}",
             event({{"x", "v"}, {"y", "w"}}), false},
        Case{"NegationHoldsWhereNoneIs", map_to_two, "{s: {'B|neq': v}, condition: s}",
             event({{"x", "u"}}), true},
        Case{"NotOfTheSelection", map_to_two, "{s: {B: v}, condition: not s}", event({{"y", "v"}}),
             false},
        Case{"AllInOneField", map_to_two, "{s: {'B|contains|all': [p, q]}, condition: s}",
             event({{"y", "p q"}}), true},
        Case{"AllIsNotOverTwoFields", map_to_two, "{s: {'B|contains|all': [p, q]}, condition: s}",
             event({{"x", "p"}, {"y", "q"}}), false},
        Case{"NullIsNullInEach", map_to_two, "{s: {B: null}, condition: s}", event({{"y", "v"}}),
             false},
        Case{"NullWhereNoneIs", map_to_two, "{s: {B: null}, condition: s}", event({{"z", "v"}}),
             true},
        Case{"NotNullWhereOneIs", map_to_two, "{s: {'B|neq': null}, condition: s}",
             event({{"y", "v"}}), true},
        Case{"ExistsInAny", map_to_two, "{s: {'B|exists': true}, condition: s}",
             event({{"y", "v"}}), true},
        Case{"AbsentInEach", map_to_two, "{s: {'B|exists': false}, condition: s}",
             event({{"y", "v"}}), false},
        Case{"TwoMapsOfAList", map_to_two, "{s: [{B: v}, {C: w}], condition: s}",
             event({{"C", "w"}}), true},
        Case{"ReferencesAreNames", map_to_one, "{s: {'A|fieldref': B}, condition: s}",
             event({{"A", "v"}, {"x", "v"}}), true},
        Case{"ReferencesToTwo", map_to_two, "{s: {'A|fieldref': B}, condition: s}",
             event({{"A", "v"}, {"y", "v"}}), true},
        Case{"ReferencesToTwoNegated", map_to_two, "{s: {'A|fieldref|neq': B}, condition: s}",
             event({{"A", "v"}, {"x", "w"}, {"y", "v"}}), false},
        Case{"AllReferencesNeedOneOfTheTwo", map_to_two,
             "{s: {'A|fieldref|all': [B, C]}, condition: s}",
             event({{"A", "v"}, {"y", "v"}, {"C", "v"}}), true},
        Case{"AllReferencesNeedEach", map_to_two, "{s: {'A|fieldref|all': [B, C]}, condition: s}",
             event({{"A", "v"}, {"x", "v"}, {"y", "v"}}), false},
        Case{"NotAllReferences", map_to_two, "{s: {'A|fieldref|all|neq': [B, C]}, condition: s}",
             event({{"A", "v"}, {"x", "v"}, {"y", "v"}}), true},
        Case{"KeywordsStay", map_to_two, "{s: [B], condition: s}", event({}, "a B b"), true},
        Case{"KeywordsStayBehindAPrefix", "- {type: field_name_prefix, prefix: p.}\n",
             "{s: [B], condition: s}", event({}, "a B b"), true},
        Case{"APrefix", "- {type: field_name_prefix, prefix: p.}\n", "{s: {B: v}, condition: s}",
             event({{"p.B", "v"}}), true},
        Case{"ASuffix", "- {type: field_name_suffix, suffix: .s}\n", "{s: {B: v}, condition: s}",
             event({{"B.s", "v"}}), true},
        Case{"APrefixMapped",
             "- {type: field_name_prefix_mapping, mapping: {win.: [w., v.], w: nobody}}\n",
             "{s: {win.B: v}, condition: s}", event({{"v.B", "v"}}), true},
        Case{"IncludedFields",
             "- {type: field_name_prefix, prefix: p., field_name_conditions: [{type: "
             "include_fields, fields: [A]}]}\n",
             "{s: {A: v, B: v}, condition: s}", event({{"p.A", "v"}, {"B", "v"}}), true},
        Case{"ExcludedFields",
             "- {type: field_name_prefix, prefix: p., field_name_conditions: [{type: "
             "exclude_fields, fields: ['[AC]'], mode: re}]}\n",
             "{s: {A: v, B: v}, condition: s}", event({{"A", "v"}, {"p.B", "v"}}), true},
        Case{"FieldConditionsNegated",
             "- {type: field_name_prefix, prefix: p., field_name_cond_not: true, "
             "field_name_conditions: [{type: include_fields, fields: [A]}]}\n",
             "{s: {A: v, B: v}, condition: s}", event({{"A", "v"}, {"p.B", "v"}}), true},
        Case{"WhatWasMappedGetsNoPrefix",
             "- {type: field_name_mapping, id: m, mapping: {A: a}}\n"
             "- {type: field_name_prefix, prefix: p., field_name_cond_not: true, "
             "field_name_conditions: [{type: processing_item_applied, processing_item_id: m}]}\n",
             "{s: {A: v, B: v}, condition: s}", event({{"a", "v"}, {"p.B", "v"}}), true},
        Case{"AReferenceThatWasMappedGetsNoPrefix",
             "- {type: field_name_mapping, id: m, mapping: {A: a}}\n"
             "- {type: field_name_prefix, prefix: p., field_name_cond_not: true, "
             "field_name_conditions: [{type: processing_item_applied, processing_item_id: m}]}\n",
             "{s: {'B|fieldref': A}, condition: s}", event({{"a", "v"}, {"p.B", "v"}}), true},
        Case{"OneBehindTheOther", map_to_one + "- {type: field_name_mapping, mapping: {x: z}}\n",
             "{s: {B: v}, condition: s}", event({{"z", "v"}}), true}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    Values, PipelineRules,
    testing::Values(
        Case{"ReplacesText", "- {type: replace_string, regex: \"/\", replacement: '\\\\'}\n",
             "{s: {B|contains: 'a/b'}, condition: s}", event({{"B", "xa\\bx"}}), true},
        Case{"ReplacesWithGroups",
             "- {type: replace_string, regex: '(.)-(.)', replacement: '\\2-\\1'}\n",
             "{s: {B: 'a-b'}, condition: s}", event({{"B", "b-a"}}), true},
        Case{"SeesOpenEndsAsWildcards",
             "- {type: replace_string, regex: '^\\*(.*)\\*$', replacement: '\\1'}\n",
             "{s: {'B|contains': 'a'}, condition: s}", event({{"B", "xax"}}), false},
        Case{"OthersKeepTheirEnds", "- {type: replace_string, regex: a, replacement: b}\n",
             "{s: {'B|startswith': [a, c]}, condition: s}", event({{"B", "cx"}}), true},
        Case{"KeepsABackslashBeforeAnEnd", "- {type: replace_string, regex: a, replacement: b}\n",
             "{s: {'B|startswith': 'a\\'}, condition: s}", event({{"B", "b\\x"}}), true},
        Case{"KeepsAStarOfTheTextItself", "- {type: replace_string, regex: a, replacement: b}\n",
             "{s: {B: 'a\\*'}, condition: s}", event({{"B", "bx"}}), false},
        Case{"ReplacesInNumbers", "- {type: replace_string, regex: '^2', replacement: '3'}\n",
             "{s: {B: 22}, condition: s}", event({{"B", "32"}}), true},
        Case{"LeavesExpressions", "- {type: replace_string, regex: a, replacement: b}\n",
             "{s: {'B|re': a}, condition: s}", event({{"B", "a"}}), true},
        Case{"LeavesComparisons", "- {type: replace_string, regex: '5', replacement: '9'}\n",
             "{s: {'B|gte': 5}, condition: s}", event({{"B", "6"}}), true},
        Case{"ReplacesKeywords", "- {type: replace_string, regex: a, replacement: b}\n",
             "{s: [a], condition: s}", event({}, "xbx"), true},
        Case{"EncodesWhatWasReplaced", "- {type: replace_string, regex: a, replacement: b}\n",
             "{s: {'B|base64': a}, condition: s}", event({{"B", "Yg=="}}), true},
        Case{"SkipsWildcards",
             "- {type: replace_string, regex: '.', replacement: 'x*', skip_special: true}\n",
             "{s: {B: 'a*'}, condition: s}", event({{"B", "x*b"}}), true},
        Case{"ItsStarsAreStars",
             "- {type: replace_string, regex: '.', replacement: 'x*', skip_special: true}\n",
             "{s: {B: 'a'}, condition: s}", event({{"B", "xy"}}), false},
        Case{"InterpretsItsStars",
             "- {type: replace_string, regex: '.', replacement: 'x*', skip_special: true, "
             "interpret_special: true}\n",
             "{s: {B: 'a'}, condition: s}", event({{"B", "xy"}}), true},
        Case{"MapsTexts", "- {type: map_string, mapping: {a: [b, c]}}\n",
             "{s: {B: a}, condition: s}", event({{"B", "c"}}), true},
        Case{"MapsWholeTextsAlone", "- {type: map_string, mapping: {a: b}}\n",
             "{s: {'B|contains': a}, condition: s}", event({{"B", "a"}}), true},
        Case{"MapsTextsAsTheyAreSeen", "- {type: map_string, mapping: {'*a*': b}}\n",
             "{s: {'B|contains': a}, condition: s}", event({{"B", "b"}}), true},
        Case{"AllNeedsOneOfThoseMapped", "- {type: map_string, mapping: {'*a*': ['*b*', '*c*']}}\n",
             "{s: {'B|contains|all': [a, d]}, condition: s}", event({{"B", "cd"}}), true},
        Case{"AllNeedsTheOtherToo", "- {type: map_string, mapping: {'*a*': ['*b*', '*c*']}}\n",
             "{s: {'B|contains|all': [a, d]}, condition: s}", event({{"B", "bc"}}), false},
        Case{"NotAllOfThoseMapped", "- {type: map_string, mapping: {'*a*': ['*b*', '*c*']}}\n",
             "{s: {'B|contains|all|neq': [a, d]}, condition: s}", event({{"B", "bc"}}), true},
        Case{"SetsValues", "- {type: set_value, value: 5}\n",
             "{s: {'B|contains|all': [a, b]}, condition: s}", event({{"B", "5.0"}}), true},
        Case{"SetsTexts", "- {type: set_value, value: 5, force_type: str}\n",
             "{s: {B: a}, condition: s}", event({{"B", "5.0"}}), false},
        Case{"SetsNull", "- {type: set_value, value: null}\n", "{s: {B: a}, condition: s}",
             event({{"A", "v"}}), true},
        Case{"SetsUnderNegation", "- {type: set_value, value: 5}\n",
             "{s: {'B|neq': a}, condition: s}", event({{"B", "5"}}), false},
        Case{"NumbersBecomeTexts", "- {type: convert_type, target_type: str}\n",
             "{s: {B: 22}, condition: s}", event({{"B", "22.0"}}), false},
        Case{"TextsBecomeNumbers", "- {type: convert_type, target_type: num}\n",
             "{s: {B: '22'}, condition: s}", event({{"B", "22.0"}}), true},
        Case{"LowerCase", "- {type: case}\n", "{s: {'B|cased': 'ÄB*'}, condition: s}",
             event({{"B", "äbX"}}), true},
        Case{"UpperCase", "- {type: case, method: upper}\n",
             "{s: {'B|cased|contains': 'äb'}, condition: s}", event({{"B", "xÄBx"}}), true},
        Case{"OnlyWhatMatches",
             "- {type: set_value, value: z, detection_item_conditions: [{type: match_string, "
             "pattern: 'a.*', cond: any}]}\n",
             "{s: {A: [ab, c], B: [ba]}, condition: s}", event({{"A", "z"}, {"B", "ba"}}), true},
        Case{"EachMustMatch",
             "- {type: set_value, value: z, detection_item_conditions: [{type: match_string, "
             "pattern: 'a', cond: all}]}\n",
             "{s: {A: [ab, c]}, condition: s}", event({{"A", "c"}}), true},
        Case{"NegatedMatch",
             "- {type: set_value, value: z, detection_item_conditions: [{type: match_string, "
             "pattern: 'a', cond: all, negate: true}]}\n",
             "{s: {A: [b, c]}, condition: s}", event({{"A", "z"}}), true},
        Case{"MatchedByValue",
             "- {type: set_value, value: z, detection_item_conditions: [{type: match_value, "
             "value: 22, cond: any}]}\n",
             "{s: {A: 22.0, B: '22'}, condition: s}", event({{"A", "z"}, {"B", "22"}}), true},
        Case{"MatchedByWildcard",
             "- {type: set_value, value: z, detection_item_conditions: [{type: "
             "contains_wildcard, cond: any}]}\n",
             "{s: {'A|contains': a, B: a}, condition: s}", event({{"A", "z"}, {"B", "a"}}), true},
        Case{"MatchedByNull",
             "- {type: set_value, value: z, detection_item_conditions: [{type: is_null, cond: "
             "any}]}\n",
             "{s: {A: null, B: a}, condition: s}", event({{"A", "z"}, {"B", "a"}}), true},
        Case{"MatchedByWhatWasApplied",
             "- {type: field_name_mapping, id: m, mapping: {A: a}}\n"
             "- {type: set_value, value: z, detection_item_conditions: [{type: "
             "processing_item_applied, processing_item_id: m}]}\n",
             "{s: {A: v, B: v}, condition: s}", event({{"a", "z"}, {"B", "v"}}), true},
        Case{"MatchedByState",
             "- {type: set_state, key: k, val: 3}\n"
             "- {type: set_value, value: z, detection_item_conditions: [{type: processing_state, "
             "key: k, val: 2, op: gt}]}\n",
             "{s: {A: v}, condition: s}", event({{"A", "z"}}), true},
        Case{"ConditionsByOr",
             "- {type: set_value, value: z, detection_item_cond_op: or, "
             "detection_item_conditions: [{type: is_null, cond: any}, {type: match_string, "
             "pattern: v, cond: any}]}\n",
             "{s: {A: v}, condition: s}", event({{"A", "z"}}), true},
        Case{"ConditionsByExpression",
             "- {type: set_value, value: z, detection_item_cond_expr: 'v and not n', "
             "detection_item_conditions: {n: {type: is_null, cond: any}, v: {type: match_string, "
             "pattern: v, cond: any}}}\n",
             "{s: {A: v}, condition: s}", event({{"A", "z"}}), true}),
    name_of);

const std::string drop_a =
    "- {type: drop_detection_item, field_name_conditions: [{type: include_fields, fields: [A]}]}\n";

INSTANTIATE_TEST_SUITE_P(
    Rules, PipelineRules,
    testing::Values(
        Case{"DropsAnItem", drop_a, "{s: {A: v, B: w}, condition: s}", event({{"B", "w"}}), true},
        Case{"DropsAMapOfAList", drop_a, "{s: [{A: v}, {B: w}], condition: s}", event({{"C", "w"}}),
             false},
        Case{"DropsASelection", drop_a, "{s: {A: v}, t: {B: w}, condition: s and t}",
             event({{"B", "w"}}), true},
        Case{"DropsANegatedSelection", drop_a, "{s: {A: v}, t: {B: w}, condition: t and not s}",
             event({{"B", "w"}}), true},
        Case{"DropsWithinOr", drop_a, "{s: {A: v}, t: {B: w}, condition: t or s}",
             event({{"C", "w"}}), false},
        Case{"AddsACondition", "- {type: add_condition, conditions: {'C|contains': [c, d]}}\n",
             "{s: {A: v}, condition: s}", event({{"A", "v"}, {"C", "xd"}}), true},
        Case{"TheConditionMustHold", "- {type: add_condition, conditions: {C: c}}\n",
             "{s: {A: v}, t: {B: w}, condition: s or t}", event({{"A", "v"}}), false},
        Case{"AddsANegation", "- {type: add_condition, negated: true, conditions: {C: c}}\n",
             "{s: {A: v}, condition: s}", event({{"A", "v"}, {"C", "c"}}), false},
        Case{
            "WhatIsAddedIsChangedLater",
            "- {type: add_condition, conditions: {C: c}}\n- {type: field_name_suffix, suffix: x}\n",
            "{s: {A: v}, condition: s}", event({{"Ax", "v"}, {"Cx", "c"}}), true},
        Case{"ChangesTheLogsource", "- {type: change_logsource, service: SSHD}\n",
             "{s: {A: v}, condition: s}", event({{"A", "v"}}), true},
        Case{"TheLogsourceIsAnother", "- {type: change_logsource, product: windows}\n",
             "{s: {A: v}, condition: s}", event({{"A", "v"}}), false},
        Case{"Nests",
             "- {type: nest, rule_conditions: [{type: logsource, product: linux}], items: [{type: "
             "field_name_suffix, suffix: x}, {type: field_name_suffix, suffix: y}]}\n",
             "{s: {A: v}, condition: s}", event({{"Axy", "v"}}), true},
        Case{"NestsUnderTheCondition",
             "- {type: nest, rule_conditions: [{type: logsource, product: windows}], items: "
             "[{type: field_name_suffix, suffix: x}]}\n",
             "{s: {A: v}, condition: s}", event({{"A", "v"}}), true}),
    name_of);

// Each condition stands before a transformation that is seen to have been done or not.
struct Asked {
  const char* name;
  std::string conditions;
  bool holds;
};

class PipelineConditions : public testing::TestWithParam<Asked> {};

TEST_P(PipelineConditions, DecideOnATransformation) {
  const RuleSet rules =
      piped({"transformations:\n"
             "- {type: set_state, key: k, val: word}\n"
             "- {type: field_name_mapping, id: m, mapping: {N: n}}\n"
             "- {type: field_name_mapping, id: not_done, mapping: {N: n}, rule_conditions: "
             "[{type: tag, tag: none.such}]}\n"
             "- {type: set_value, value: z, " +
             GetParam().conditions + "}\n"},
            rule_text("{s: {A: v, B|contains: w}, condition: s}",
                      "id: r\nname: n\nlevel: high\ntags: [attack.T1059, a.b]"));
  ASSERT_TRUE(rules.refused().empty()) << rules.refused()[0].sentence();
  EXPECT_EQ(!rules.match(event({{"A", "z"}, {"B", "z"}})).empty(), GetParam().holds);
}

INSTANTIATE_TEST_SUITE_P(
    Types, PipelineConditions,
    testing::Values(
        Asked{"Logsource", "rule_conditions: [{type: logsource, product: Linux}]", true},
        Asked{"LogsourceOther", "rule_conditions: [{type: logsource, category: x}]", false},
        Asked{"Field", "rule_conditions: [{type: contains_field, field: A}]", true},
        Asked{"FieldOther", "rule_conditions: [{type: contains_field, field: C}]", false},
        Asked{"Item", "rule_conditions: [{type: contains_detection_item, field: A, value: v}]",
              true},
        Asked{"ItemAsSeen",
              "rule_conditions: [{type: contains_detection_item, field: B, value: '*w*'}]", true},
        Asked{"ItemOther", "rule_conditions: [{type: contains_detection_item, field: A, value: w}]",
              false},
        Asked{"Applied",
              "rule_conditions: [{type: processing_item_applied, processing_item_id: m}]", true},
        Asked{"NotApplied",
              "rule_conditions: [{type: processing_item_applied, processing_item_id: not_done}]",
              false},
        Asked{"State", "rule_conditions: [{type: processing_state, key: k, val: word}]", true},
        Asked{"StateDiffers",
              "rule_conditions: [{type: processing_state, key: k, val: word, op: ne}]", false},
        Asked{"StateUnset", "rule_conditions: [{type: processing_state, key: j, val: word}]",
              false},
        Asked{"IsRule", "rule_conditions: [{type: is_sigma_rule}]", true},
        Asked{"IsCorrelation", "rule_conditions: [{type: is_sigma_correlation_rule}]", false},
        Asked{"Tag", "rule_conditions: [{type: tag, tag: attack.t1059}]", true},
        Asked{"TagOther", "rule_conditions: [{type: tag, tag: attack.t1060}]", false},
        Asked{"Level",
              "rule_conditions: [{type: rule_attribute, attribute: level, value: medium, "
              "op: gte}]",
              true},
        Asked{"LevelBelow",
              "rule_conditions: [{type: rule_attribute, attribute: level, value: "
              "high, op: lt}]",
              false},
        Asked{"Title", "rule_conditions: [{type: rule_attribute, attribute: title, value: t}]",
              true},
        Asked{"NameDiffers",
              "rule_conditions: [{type: rule_attribute, attribute: name, value: t, op: ne}]", true},
        Asked{"TagsIn",
              "rule_conditions: [{type: rule_attribute, attribute: tags, value: a.b, op: in}]",
              true},
        Asked{"And", "rule_conditions: [{type: is_sigma_rule}, {type: contains_field, field: C}]",
              false},
        Asked{"Or",
              "rule_cond_op: or, rule_conditions: [{type: is_sigma_rule}, {type: "
              "contains_field, field: C}]",
              true},
        Asked{"Not", "rule_cond_not: true, rule_conditions: [{type: contains_field, field: C}]",
              true},
        Asked{"Expression",
              "rule_cond_expr: 'a and not (b or c)', rule_conditions: {a: {type: is_sigma_rule}, "
              "b: {type: contains_field, field: C}, c: {type: contains_field, field: D}}",
              true}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace mailwarden::detect
