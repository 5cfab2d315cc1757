// Every mistake of a pipeline, with its sentence.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "detect/pipeline.h"
#include "tests/temporary.h"

namespace mailwarden::detect {
namespace {

using testing::HasSubstr;

struct Wrong {
  const char* name;
  std::string text;
  std::string sentence;
};

class PipelineMistakes : public testing::TestWithParam<Wrong> {};

TEST_P(PipelineMistakes, AreToldWithFileAndLine) {
  const auto read = Pipelines::parse({{"p.yml", GetParam().text}});
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Code::invalid);
  EXPECT_EQ(read.error().what, GetParam().sentence);
}

std::string one(const std::string& transformation) {
  return "transformations:\n- {" + transformation + "}\n";
}
std::string with(const std::string& conditions) {
  return one("type: field_name_prefix, prefix: p, " + conditions);
}

const std::string at = "p.yml, line 2: ";

INSTANTIATE_TEST_SUITE_P(
    Documents, PipelineMistakes,
    testing::Values(
        Wrong{"NoYaml", "a: [", "p.yml, line 1, column 1: end of sequence flow not found"},
        Wrong{"Nothing", "",
              "p.yml, line 0: a pipeline is one document, a map with 'transformations' or 'vars'"},
        Wrong{"AList", "- a\n",
              "p.yml, line 1: a pipeline is one document, a map with 'transformations' or 'vars'"},
        Wrong{"Two", "vars: {a: b}\n---\nvars: {a: b}\n",
              "p.yml, line 1: a pipeline is one document, a map with 'transformations' or 'vars'"},
        Wrong{"Key", "tea: 1\n", "p.yml, line 1: 'tea' is not known in a pipeline"},
        Wrong{"Postprocessing", "postprocessing: []\n",
              "p.yml, line 1: 'postprocessing' is about queries in other languages, which "
              "Mailwarden does not write"},
        Wrong{"Finalizers", "finalizers: []\n",
              "p.yml, line 1: 'finalizers' is about queries in other languages, which Mailwarden "
              "does not write"},
        Wrong{"Backends", "allowed_backends: [x]\n",
              "p.yml, line 1: 'allowed_backends' is about queries in other languages, which "
              "Mailwarden does not write"},
        Wrong{"Priority", "priority: high\n",
              "p.yml, line 1: 'priority' must be a number from -1000000 to 1000000"},
        Wrong{"Vars", "vars: [a]\n", "p.yml, line 1: 'vars' must be a map of names and values"},
        Wrong{"VarsOfMaps", "vars: {a: {b: c}}\n",
              "p.yml, line 1: the values of 'a' are a text or a list"},
        Wrong{"Transformations", "transformations: {a: b}\n",
              "p.yml, line 1: transformations must be a list"},
        Wrong{"AText", "transformations: [a]\n",
              "p.yml, line 1: a transformation is a map with a 'type'"},
        Wrong{"NoType", one("id: a"), at + "'type' must be a text"},
        Wrong{"UnknownType", one("type: tea"), at + "there is no transformation 'tea'"},
        Wrong{"UnknownKey", one("type: field_name_prefix, prefix: p, colour: red"),
              at + "'colour' is not known for the type 'field_name_prefix', which takes: prefix"}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Refused, PipelineMistakes,
    testing::Values(
        Wrong{"Query", one("type: query_expression_placeholders"),
              at + "the transformation 'query_expression_placeholders' is not supported: it "
                   "changes what a query language is given"},
        Wrong{"Attribute", one("type: set_custom_attribute"),
              at + "the transformation 'set_custom_attribute' is not supported: it sets what the "
                   "back end of a query language reads"},
        Wrong{"Regex", one("type: regex"),
              at + "the transformation 'regex' is not supported: it is for languages that cannot "
                   "match without regard to case"},
        Wrong{"AddField", one("type: add_field"),
              at + "the transformation 'add_field' is not supported: it changes a list of fields "
                   "for people, which is not kept"},
        Wrong{"File", one("type: file_placeholders"),
              at + "the transformation 'file_placeholders' is not supported: a pipeline reads "
                   "nothing from outside; use 'vars'"},
        Wrong{"Hashes", one("type: hashes_fields"),
              at + "the transformation 'hashes_fields' is not supported: write the hashes' fields "
                   "in the rule"}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Transformations, PipelineMistakes,
    testing::Values(
        Wrong{"NoMapping", one("type: field_name_mapping"), at + "'mapping' must be a map"},
        Wrong{"MappedToNothing", one("type: field_name_mapping, mapping: {a: []}"),
              at + "the list is empty"},
        Wrong{"MappedToAMap", one("type: field_name_mapping, mapping: {a: {b: c}}"),
              at + "a field is mapped to a name or a list of names"},
        Wrong{"MappedKeywords", one("type: field_name_mapping, mapping: {null: a}"),
              at + "keywords have no field; a mapping of them is not supported"},
        Wrong{"NoPrefix", one("type: field_name_prefix"), at + "'prefix' must be a text"},
        Wrong{"NoConditions", one("type: add_condition"),
              at + "'conditions' must be a map of fields and values"},
        Wrong{"WrongItem", one("type: add_condition, conditions: {'a|tea': b}"),
              at + "'tea' is not a modifier of Sigma"},
        Wrong{"EmptyItem", one("type: add_condition, conditions: {a: []}"),
              at + "the list of values is empty"},
        Wrong{"Template", one("type: add_condition, template: true, conditions: {a: $product}"),
              at + "variables in conditions are not supported"},
        Wrong{"NoLogsource", one("type: change_logsource"),
              at + "a log source names a product, a category or a service"},
        Wrong{"NoExpression", one("type: replace_string, regex: '(', replacement: a"),
              at + "'regex' is no expression of RE2: missing ): ("},
        Wrong{"NoGroup", one("type: replace_string, regex: 'a', replacement: '\\1'"),
              at + "'replacement' is none of RE2: Rewrite schema requests 1 matches, but the "
                   "regexp only has 0 parenthesized subexpressions."},
        Wrong{"Interpret",
              one("type: replace_string, regex: a, replacement: b, interpret_special: true"),
              at + "'interpret_special' has a meaning only with 'skip_special'"},
        Wrong{"ForcedType", one("type: set_value, value: a, force_type: num"),
              at + "'a' is not a number"},
        Wrong{"ForcedNull", one("type: set_value, value: null, force_type: str"),
              at + "'force_type' is for texts and numbers"},
        Wrong{"TargetType", one("type: convert_type, target_type: date"),
              at + "'target_type' must be str or num"},
        Wrong{"Method", one("type: case, method: snake_case"),
              at + "'method' must be lower or upper"},
        Wrong{"IncludeAndExclude", one("type: value_placeholders, include: [a], exclude: [b]"),
              at + "'include' and 'exclude' exclude each other"},
        Wrong{"NoMessage", one("type: rule_failure"), at + "'message' must be a text"},
        Wrong{"NoItems", one("type: nest"), at + "'items' must be a list"},
        Wrong{"WrongNestedItem", one("type: nest, items: [{type: tea}]"),
              at + "there is no transformation 'tea'"},
        Wrong{"ItemsOfARule",
              one("type: rule_failure, message: m, field_name_conditions: [{type: include_fields, "
                  "fields: [a]}]"),
              at + "'rule_failure' is about whole rules; conditions on items or names of fields "
                   "have no meaning there"}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Conditions, PipelineMistakes,
    testing::Values(
        Wrong{"NoList", with("rule_conditions: a"),
              at + "'rule_conditions' must be a list or a map of conditions"},
        Wrong{"NoMap", with("rule_conditions: [a]"), at + "a condition is a map with a 'type'"},
        Wrong{"Unknown", with("rule_conditions: [{type: match_string}]"),
              at + "the condition 'match_string' is none of logsource, contains_detection_item, "
                   "contains_field, processing_item_applied, processing_state, is_sigma_rule, "
                   "is_sigma_correlation_rule, rule_attribute, tag"},
        Wrong{"UnknownOfItems", with("detection_item_conditions: [{type: tag}]"),
              at + "the condition 'tag' is none of match_string, match_value, contains_wildcard, "
                   "is_null, processing_item_applied, processing_state"},
        Wrong{"UnknownOfNames", with("field_name_conditions: [{type: tag}]"),
              at + "the condition 'tag' is none of include_fields, exclude_fields, "
                   "processing_item_applied, processing_state"},
        Wrong{"Operator", with("rule_conditions: [{type: is_sigma_rule}], rule_cond_op: xor"),
              at + "'xor' is neither and nor or"},
        Wrong{"NotOfNothing", with("rule_cond_not: true"),
              at + "there are no 'rule_conditions' that this could be about"},
        Wrong{"ExpressionOfAList",
              with("rule_conditions: [{type: is_sigma_rule}], rule_cond_expr: a"),
              at + "an expression needs conditions in a map, by names"},
        Wrong{"ExpressionWithoutOne",
              with("rule_cond_expr: a, rule_conditions: {a: {type: is_sigma_rule}, b: {type: "
                   "is_sigma_rule}}"),
              at + "the expression does not name the condition 'b'"},
        Wrong{"NoLogsourcePart", with("rule_conditions: [{type: logsource}]"),
              at + "a log source names a product, a category or a service"},
        Wrong{"ConditionKey", with("rule_conditions: [{type: tag, tag: a, colour: b}]"),
              at + "'colour' is not known for the type 'tag', which takes: tag"},
        Wrong{"AttributeNotKept",
              with("rule_conditions: [{type: rule_attribute, attribute: author, value: a}]"),
              at + "the attribute 'author' of a rule is not kept; id, name, title, level and tags "
                   "are"},
        Wrong{"AttributeRelation",
              with("rule_conditions: [{type: rule_attribute, attribute: title, value: a, op: gt}]"),
              at + "'title' is compared by eq and ne"},
        Wrong{"AttributeLevel",
              with("rule_conditions: [{type: rule_attribute, attribute: level, value: huge}]"),
              at + "the level 'huge' is none of informational, low, medium, high, critical"},
        Wrong{"StateOrder",
              with("rule_conditions: [{type: processing_state, key: k, val: a, op: gt}]"),
              at + "'a' is not a number; eq and ne compare texts"},
        Wrong{"Cond", with("detection_item_conditions: [{type: is_null, cond: some}]"),
              at + "'cond' must be any or all"},
        Wrong{"NoCond", with("detection_item_conditions: [{type: is_null}]"),
              at + "'cond' must be a text"},
        Wrong{"Mode", with("field_name_conditions: [{type: include_fields, fields: [a], mode: x}]"),
              at + "the mode 'x' is neither plain nor re"},
        Wrong{"FieldExpression",
              with("field_name_conditions: [{type: include_fields, fields: ['('], mode: re}]"),
              at + "'(' is no expression of RE2: missing ): ("},
        Wrong{"UnknownId",
              with("rule_conditions: [{type: processing_item_applied, processing_item_id: z}]"),
              at + "no transformation has the id 'z'"}),
    [](const auto& info) { return info.param.name; });

TEST(PipelineMistakes, AreToldOfAllFilesTogether) {
  const auto read = Pipelines::parse({{"a.yml", "tea: 1\ncoffee: 2\n"},
                                      {"b.yml", "vars: {a: b}\n"},
                                      {"c.yml", "transformations:\n- {type: tea}\n"}});
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().what,
            "a.yml, line 1: 'tea' is not known in a pipeline\n"
            "a.yml, line 2: 'coffee' is not known in a pipeline\n"
            "c.yml, line 2: there is no transformation 'tea'");
}

TEST(PipelineMistakes, AnIdMayStandInAnotherFile) {
  const std::string asks =
      with("rule_conditions: [{type: processing_item_applied, processing_item_id: z}]");
  EXPECT_TRUE(Pipelines::parse({{"a.yml", asks}, {"b.yml", one("type: case, id: z")}}));
}

TEST(PipelineMistakes, LimitsAreKept) {
  const PipelineLimits limits{.transformations_max = 2, .nesting_max = 1};
  const std::string nested = "{type: nest, items: [{type: nest, items: [{type: case}]}]}";
  const auto deep = Pipelines::parse({{"a.yml", "transformations: [" + nested + "]\n"}}, limits);
  ASSERT_FALSE(deep);
  EXPECT_THAT(deep.error().what, HasSubstr("nested deeper than 1 levels"));
  const auto many = Pipelines::parse(
      {{"a.yml", "transformations: [{type: case}, {type: case}, {type: case}]\n"}}, limits);
  ASSERT_FALSE(many);
  EXPECT_EQ(many.error().what, "there are more than 2 transformations");
}

TEST(PipelineFiles, AreReadInOrder) {
  const TemporaryFolder folder;
  write_file(folder.path("a.yml"), "name: a\nvars: {a: b}\n");
  write_file(folder.path("b.yml"), "name: b\npriority: -1\nvars: {a: b}\n");
  const auto read = Pipelines::load({folder.path("a.yml"), folder.path("b.yml")});
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(read->pipelines()[0].name, "b");
  EXPECT_FALSE(Pipelines::load({folder.path("none.yml")}));
}

}  // namespace
}  // namespace mailwarden::detect
