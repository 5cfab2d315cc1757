// What pipelines do to rules, told by the events that the rules then hold for.
#include "detect/pipeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "detect/rule_set.h"
#include "tests/detect/pipeline_texts.h"
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

RuleSet piped(const std::vector<std::string>& texts, const std::string& rules) {
  const Pipelines all = pipelines(texts);
  RuleTexts read = parse_rules(rules, "t.yml");
  all.apply(read);
  return RuleSet::make(std::move(read), {.placeholders = all.placeholders()}).value();
}

struct PipelineCase {
  const char* name;
  std::string transformations;
  std::string detection;
  Event event;
  bool matches;
};

class PipelineRules : public testing::TestWithParam<PipelineCase> {};

TEST_P(PipelineRules, HoldsOrNot) {
  const RuleSet rules =
      piped({"transformations:\n" + GetParam().transformations}, rule_text(GetParam().detection));
  for (const Refusal& one : rules.refused()) ADD_FAILURE() << one.sentence();
  EXPECT_EQ(!rules.match(GetParam().event).empty(), GetParam().matches);
}

std::string name_of(const testing::TestParamInfo<PipelineCase>& info) {
  return info.param.name;
}

const std::string map_to_two = "- {type: field_name_mapping, mapping: {B: [x, y]}}\n";
const std::string map_to_one = "- {type: field_name_mapping, mapping: {B: x}}\n";

INSTANTIATE_TEST_SUITE_P(
    Fields, PipelineRules,
    testing::Values(
        PipelineCase{"MapsAName", map_to_one, "{s: {B: v}, condition: s}", event({{"x", "v"}}),
                     true},
        PipelineCase{"TheOldNameIsGone", map_to_one, "{s: {B: v}, condition: s}",
                     event({{"B", "v"}}), false},
        PipelineCase{"LeavesOthers", map_to_one, "{s: {A: v}, condition: s}", event({{"A", "v"}}),
                     true},
        PipelineCase{"SpacesDoNotCount", "- {type: field_name_mapping, mapping: {'B b': 'x y'}}\n",
                     "{s: {'Bb': v}, condition: s}", event({{"xy", "v"}}), true},
        PipelineCase{"AnyOfTheTargets", map_to_two, "{s: {A: a, B: v}, condition: s}",
                     event({{"A", "a"}, {"y", "v"}}), true},
        PipelineCase{"NoneOfTheTargets", map_to_two, "{s: {A: a, B: v}, condition: s}",
                     event({{"A", "a"}}), false},
        PipelineCase{"OthersStillCount", map_to_two, "{s: {A: a, B: v}, condition: s}",
                     event({{"x", "v"}}), false},
        PipelineCase{"NegationIsOfEach", map_to_two, "{s: {'B|neq': v}, condition: s}",
                     event({{"x", "v"}, {"y", "w"}}), false},
        PipelineCase{"NegationHoldsWhereNoneIs", map_to_two, "{s: {'B|neq': v}, condition: s}",
                     event({{"x", "u"}}), true},
        PipelineCase{"NotOfTheSelection", map_to_two, "{s: {B: v}, condition: not s}",
                     event({{"y", "v"}}), false},
        PipelineCase{"AllInOneField", map_to_two, "{s: {'B|contains|all': [p, q]}, condition: s}",
                     event({{"y", "p q"}}), true},
        PipelineCase{"AllIsNotOverTwoFields", map_to_two,
                     "{s: {'B|contains|all': [p, q]}, condition: s}",
                     event({{"x", "p"}, {"y", "q"}}), false},
        PipelineCase{"NullIsNullInEach", map_to_two, "{s: {B: null}, condition: s}",
                     event({{"y", "v"}}), false},
        PipelineCase{"NullWhereNoneIs", map_to_two, "{s: {B: null}, condition: s}",
                     event({{"z", "v"}}), true},
        PipelineCase{"NotNullWhereOneIs", map_to_two, "{s: {'B|neq': null}, condition: s}",
                     event({{"y", "v"}}), true},
        PipelineCase{"ExistsInAny", map_to_two, "{s: {'B|exists': true}, condition: s}",
                     event({{"y", "v"}}), true},
        PipelineCase{"AbsentInEach", map_to_two, "{s: {'B|exists': false}, condition: s}",
                     event({{"y", "v"}}), false},
        PipelineCase{"TwoMapsOfAList", map_to_two, "{s: [{B: v}, {C: w}], condition: s}",
                     event({{"C", "w"}}), true},
        PipelineCase{"ReferencesAreNames", map_to_one, "{s: {'A|fieldref': B}, condition: s}",
                     event({{"A", "v"}, {"x", "v"}}), true},
        PipelineCase{"ReferencesToTwo", map_to_two, "{s: {'A|fieldref': B}, condition: s}",
                     event({{"A", "v"}, {"y", "v"}}), true},
        PipelineCase{"ReferencesToTwoNegated", map_to_two,
                     "{s: {'A|fieldref|neq': B}, condition: s}",
                     event({{"A", "v"}, {"x", "w"}, {"y", "v"}}), false},
        PipelineCase{"AllReferencesNeedOneOfTheTwo", map_to_two,
                     "{s: {'A|fieldref|all': [B, C]}, condition: s}",
                     event({{"A", "v"}, {"y", "v"}, {"C", "v"}}), true},
        PipelineCase{"AllReferencesNeedEach", map_to_two,
                     "{s: {'A|fieldref|all': [B, C]}, condition: s}",
                     event({{"A", "v"}, {"x", "v"}, {"y", "v"}}), false},
        PipelineCase{"NotAllReferences", map_to_two,
                     "{s: {'A|fieldref|all|neq': [B, C]}, condition: s}",
                     event({{"A", "v"}, {"x", "v"}, {"y", "v"}}), true},
        PipelineCase{"KeywordsStay", map_to_two, "{s: [B], condition: s}", event({}, "a B b"),
                     true},
        PipelineCase{"KeywordsStayBehindAPrefix", "- {type: field_name_prefix, prefix: p.}\n",
                     "{s: [B], condition: s}", event({}, "a B b"), true},
        PipelineCase{"APrefix", "- {type: field_name_prefix, prefix: p.}\n",
                     "{s: {B: v}, condition: s}", event({{"p.B", "v"}}), true},
        PipelineCase{"ASuffix", "- {type: field_name_suffix, suffix: .s}\n",
                     "{s: {B: v}, condition: s}", event({{"B.s", "v"}}), true},
        PipelineCase{"APrefixMapped",
                     "- {type: field_name_prefix_mapping, mapping: {win.: [w., v.], w: nobody}}\n",
                     "{s: {win.B: v}, condition: s}", event({{"v.B", "v"}}), true},
        PipelineCase{"IncludedFields",
                     "- {type: field_name_prefix, prefix: p., field_name_conditions: [{type: "
                     "include_fields, fields: [A]}]}\n",
                     "{s: {A: v, B: v}, condition: s}", event({{"p.A", "v"}, {"B", "v"}}), true},
        PipelineCase{"ExcludedFields",
                     "- {type: field_name_prefix, prefix: p., field_name_conditions: [{type: "
                     "exclude_fields, fields: ['[AC]'], mode: re}]}\n",
                     "{s: {A: v, B: v}, condition: s}", event({{"A", "v"}, {"p.B", "v"}}), true},
        PipelineCase{"FieldConditionsNegated",
                     "- {type: field_name_prefix, prefix: p., field_name_cond_not: true, "
                     "field_name_conditions: [{type: include_fields, fields: [A]}]}\n",
                     "{s: {A: v, B: v}, condition: s}", event({{"A", "v"}, {"p.B", "v"}}), true},
        PipelineCase{
            "WhatWasMappedGetsNoPrefix",
            "- {type: field_name_mapping, id: m, mapping: {A: a}}\n"
            "- {type: field_name_prefix, prefix: p., field_name_cond_not: true, "
            "field_name_conditions: [{type: processing_item_applied, processing_item_id: m}]}\n",
            "{s: {A: v, B: v}, condition: s}", event({{"a", "v"}, {"p.B", "v"}}), true},
        PipelineCase{
            "AReferenceThatWasMappedGetsNoPrefix",
            "- {type: field_name_mapping, id: m, mapping: {A: a}}\n"
            "- {type: field_name_prefix, prefix: p., field_name_cond_not: true, "
            "field_name_conditions: [{type: processing_item_applied, processing_item_id: m}]}\n",
            "{s: {'B|fieldref': A}, condition: s}", event({{"a", "v"}, {"p.B", "v"}}), true},
        PipelineCase{"OneBehindTheOther",
                     map_to_one + "- {type: field_name_mapping, mapping: {x: z}}\n",
                     "{s: {B: v}, condition: s}", event({{"z", "v"}}), true}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    Values, PipelineRules,
    testing::Values(
        PipelineCase{"ReplacesText",
                     "- {type: replace_string, regex: \"/\", replacement: '\\\\'}\n",
                     "{s: {B|contains: 'a/b'}, condition: s}", event({{"B", "xa\\bx"}}), true},
        PipelineCase{"ReplacesWithGroups",
                     "- {type: replace_string, regex: '(.)-(.)', replacement: '\\2-\\1'}\n",
                     "{s: {B: 'a-b'}, condition: s}", event({{"B", "b-a"}}), true},
        PipelineCase{"SeesOpenEndsAsWildcards",
                     "- {type: replace_string, regex: '^\\*(.*)\\*$', replacement: '\\1'}\n",
                     "{s: {'B|contains': 'a'}, condition: s}", event({{"B", "xax"}}), false},
        PipelineCase{"OthersKeepTheirEnds", "- {type: replace_string, regex: a, replacement: b}\n",
                     "{s: {'B|startswith': [a, c]}, condition: s}", event({{"B", "cx"}}), true},
        PipelineCase{"KeepsABackslashBeforeAnEnd",
                     "- {type: replace_string, regex: a, replacement: b}\n",
                     "{s: {'B|startswith': 'a\\'}, condition: s}", event({{"B", "b\\x"}}), true},
        PipelineCase{"KeepsAStarOfTheTextItself",
                     "- {type: replace_string, regex: a, replacement: b}\n",
                     "{s: {B: 'a\\*'}, condition: s}", event({{"B", "bx"}}), false},
        PipelineCase{"ReplacesInNumbers",
                     "- {type: replace_string, regex: '^2', replacement: '3'}\n",
                     "{s: {B: 22}, condition: s}", event({{"B", "32"}}), true},
        PipelineCase{"LeavesExpressions", "- {type: replace_string, regex: a, replacement: b}\n",
                     "{s: {'B|re': a}, condition: s}", event({{"B", "a"}}), true},
        PipelineCase{"LeavesComparisons",
                     "- {type: replace_string, regex: '5', replacement: '9'}\n",
                     "{s: {'B|gte': 5}, condition: s}", event({{"B", "6"}}), true},
        PipelineCase{"ReplacesKeywords", "- {type: replace_string, regex: a, replacement: b}\n",
                     "{s: [a], condition: s}", event({}, "xbx"), true},
        PipelineCase{"EncodesWhatWasReplaced",
                     "- {type: replace_string, regex: a, replacement: b}\n",
                     "{s: {'B|base64': a}, condition: s}", event({{"B", "Yg=="}}), true},
        PipelineCase{
            "SkipsWildcards",
            "- {type: replace_string, regex: '.', replacement: 'x*', skip_special: true}\n",
            "{s: {B: 'a*'}, condition: s}", event({{"B", "x*b"}}), true},
        PipelineCase{
            "ItsStarsAreStars",
            "- {type: replace_string, regex: '.', replacement: 'x*', skip_special: true}\n",
            "{s: {B: 'a'}, condition: s}", event({{"B", "xy"}}), false},
        PipelineCase{"InterpretsItsStars",
                     "- {type: replace_string, regex: '.', replacement: 'x*', skip_special: true, "
                     "interpret_special: true}\n",
                     "{s: {B: 'a'}, condition: s}", event({{"B", "xy"}}), true},
        PipelineCase{"MapsTexts", "- {type: map_string, mapping: {a: [b, c]}}\n",
                     "{s: {B: a}, condition: s}", event({{"B", "c"}}), true},
        PipelineCase{"MapsWholeTextsAlone", "- {type: map_string, mapping: {a: b}}\n",
                     "{s: {'B|contains': a}, condition: s}", event({{"B", "a"}}), true},
        PipelineCase{"MapsTextsAsTheyAreSeen", "- {type: map_string, mapping: {'*a*': b}}\n",
                     "{s: {'B|contains': a}, condition: s}", event({{"B", "b"}}), true},
        PipelineCase{"AllNeedsOneOfThoseMapped",
                     "- {type: map_string, mapping: {'*a*': ['*b*', '*c*']}}\n",
                     "{s: {'B|contains|all': [a, d]}, condition: s}", event({{"B", "cd"}}), true},
        PipelineCase{"AllNeedsTheOtherToo",
                     "- {type: map_string, mapping: {'*a*': ['*b*', '*c*']}}\n",
                     "{s: {'B|contains|all': [a, d]}, condition: s}", event({{"B", "bc"}}), false},
        PipelineCase{
            "NotAllOfThoseMapped", "- {type: map_string, mapping: {'*a*': ['*b*', '*c*']}}\n",
            "{s: {'B|contains|all|neq': [a, d]}, condition: s}", event({{"B", "bc"}}), true},
        PipelineCase{"SetsValues", "- {type: set_value, value: 5}\n",
                     "{s: {'B|contains|all': [a, b]}, condition: s}", event({{"B", "5.0"}}), true},
        PipelineCase{"SetsTexts", "- {type: set_value, value: 5, force_type: str}\n",
                     "{s: {B: a}, condition: s}", event({{"B", "5.0"}}), false},
        PipelineCase{"SetsNull", "- {type: set_value, value: null}\n", "{s: {B: a}, condition: s}",
                     event({{"A", "v"}}), true},
        PipelineCase{"SetsUnderNegation", "- {type: set_value, value: 5}\n",
                     "{s: {'B|neq': a}, condition: s}", event({{"B", "5"}}), false},
        PipelineCase{"NumbersBecomeTexts", "- {type: convert_type, target_type: str}\n",
                     "{s: {B: 22}, condition: s}", event({{"B", "22.0"}}), false},
        PipelineCase{"TextsBecomeNumbers", "- {type: convert_type, target_type: num}\n",
                     "{s: {B: '22'}, condition: s}", event({{"B", "22.0"}}), true},
        PipelineCase{"LowerCase", "- {type: case}\n", "{s: {'B|cased': 'ÄB*'}, condition: s}",
                     event({{"B", "äbX"}}), true},
        PipelineCase{"UpperCase", "- {type: case, method: upper}\n",
                     "{s: {'B|cased|contains': 'äb'}, condition: s}", event({{"B", "xÄBx"}}), true},
        PipelineCase{
            "OnlyWhatMatches",
            "- {type: set_value, value: z, detection_item_conditions: [{type: match_string, "
            "pattern: 'a.*', cond: any}]}\n",
            "{s: {A: [ab, c], B: [ba]}, condition: s}", event({{"A", "z"}, {"B", "ba"}}), true},
        PipelineCase{
            "EachMustMatch",
            "- {type: set_value, value: z, detection_item_conditions: [{type: match_string, "
            "pattern: 'a', cond: all}]}\n",
            "{s: {A: [ab, c]}, condition: s}", event({{"A", "c"}}), true},
        PipelineCase{
            "NegatedMatch",
            "- {type: set_value, value: z, detection_item_conditions: [{type: match_string, "
            "pattern: 'a', cond: all, negate: true}]}\n",
            "{s: {A: [b, c]}, condition: s}", event({{"A", "z"}}), true},
        PipelineCase{
            "MatchedByValue",
            "- {type: set_value, value: z, detection_item_conditions: [{type: match_value, "
            "value: 22, cond: any}]}\n",
            "{s: {A: 22.0, B: '22'}, condition: s}", event({{"A", "z"}, {"B", "22"}}), true},
        PipelineCase{"MatchedByWildcard",
                     "- {type: set_value, value: z, detection_item_conditions: [{type: "
                     "contains_wildcard, cond: any}]}\n",
                     "{s: {'A|contains': a, B: a}, condition: s}", event({{"A", "z"}, {"B", "a"}}),
                     true},
        PipelineCase{
            "MatchedByNull",
            "- {type: set_value, value: z, detection_item_conditions: [{type: is_null, cond: "
            "any}]}\n",
            "{s: {A: null, B: a}, condition: s}", event({{"A", "z"}, {"B", "a"}}), true},
        PipelineCase{"MatchedByWhatWasApplied",
                     "- {type: field_name_mapping, id: m, mapping: {A: a}}\n"
                     "- {type: set_value, value: z, detection_item_conditions: [{type: "
                     "processing_item_applied, processing_item_id: m}]}\n",
                     "{s: {A: v, B: v}, condition: s}", event({{"a", "z"}, {"B", "v"}}), true},
        PipelineCase{
            "MatchedByState",
            "- {type: set_state, key: k, val: 3}\n"
            "- {type: set_value, value: z, detection_item_conditions: [{type: processing_state, "
            "key: k, val: 2, op: gt}]}\n",
            "{s: {A: v}, condition: s}", event({{"A", "z"}}), true},
        PipelineCase{"ConditionsByOr",
                     "- {type: set_value, value: z, detection_item_cond_op: or, "
                     "detection_item_conditions: [{type: is_null, cond: any}, {type: match_string, "
                     "pattern: v, cond: any}]}\n",
                     "{s: {A: v}, condition: s}", event({{"A", "z"}}), true},
        PipelineCase{
            "ConditionsByExpression",
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
        PipelineCase{"DropsAnItem", drop_a, "{s: {A: v, B: w}, condition: s}", event({{"B", "w"}}),
                     true},
        PipelineCase{"DropsAMapOfAList", drop_a, "{s: [{A: v}, {B: w}], condition: s}",
                     event({{"C", "w"}}), false},
        PipelineCase{"DropsASelection", drop_a, "{s: {A: v}, t: {B: w}, condition: s and t}",
                     event({{"B", "w"}}), true},
        PipelineCase{"DropsANegatedSelection", drop_a,
                     "{s: {A: v}, t: {B: w}, condition: t and not s}", event({{"B", "w"}}), true},
        PipelineCase{"DropsWithinOr", drop_a, "{s: {A: v}, t: {B: w}, condition: t or s}",
                     event({{"C", "w"}}), false},
        PipelineCase{"AddsACondition",
                     "- {type: add_condition, conditions: {'C|contains': [c, d]}}\n",
                     "{s: {A: v}, condition: s}", event({{"A", "v"}, {"C", "xd"}}), true},
        PipelineCase{"TheConditionMustHold", "- {type: add_condition, conditions: {C: c}}\n",
                     "{s: {A: v}, t: {B: w}, condition: s or t}", event({{"A", "v"}}), false},
        PipelineCase{"AddsANegation",
                     "- {type: add_condition, negated: true, conditions: {C: c}}\n",
                     "{s: {A: v}, condition: s}", event({{"A", "v"}, {"C", "c"}}), false},
        PipelineCase{
            "WhatIsAddedIsChangedLater",
            "- {type: add_condition, conditions: {C: c}}\n- {type: field_name_suffix, suffix: x}\n",
            "{s: {A: v}, condition: s}", event({{"Ax", "v"}, {"Cx", "c"}}), true},
        PipelineCase{"ChangesTheLogsource", "- {type: change_logsource, service: SSHD}\n",
                     "{s: {A: v}, condition: s}", event({{"A", "v"}}), true},
        PipelineCase{"TheLogsourceIsAnother", "- {type: change_logsource, product: windows}\n",
                     "{s: {A: v}, condition: s}", event({{"A", "v"}}), false},
        PipelineCase{
            "Nests",
            "- {type: nest, rule_conditions: [{type: logsource, product: linux}], items: [{type: "
            "field_name_suffix, suffix: x}, {type: field_name_suffix, suffix: y}]}\n",
            "{s: {A: v}, condition: s}", event({{"Axy", "v"}}), true},
        PipelineCase{
            "NestsUnderTheCondition",
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
