// Policies as JSON (Cedar 4.5, "JSON policy format"): every form both ways, and what is refused.
#include "policy/policy_json.h"

#include <gtest/gtest.h>

#include "policy/print.h"
#include "tests/conformance/cedar_worlds.h"
#include "tests/policy/given.h"

namespace mailwarden::policy {
namespace {

// A policy whose one condition is this.
std::string policy_of(const std::string& body) {
  return R"({"effect":"permit","principal":{"op":"All"},"action":{"op":"All"},)"
         R"("resource":{"op":"All"},"conditions":[{"kind":"when","body":)" +
         body + "}]}";
}

struct Form {
  const char* name;
  const char* text;
  const char* json;
};

const std::vector<Form> forms{
    {"truth", "true", R"({"Value":true})"},
    {"number", "-9223372036854775808", R"({"Value":-9223372036854775808})"},
    {"string", R"("a\n")", R"({"Value":"a\n"})"},
    {"entity", R"(A::B::"x")", R"({"Value":{"__entity":{"id":"x","type":"A::B"}}})"},
    {"principal", "principal", R"({"Var":"principal"})"},
    {"action", "action", R"({"Var":"action"})"},
    {"resource", "resource", R"({"Var":"resource"})"},
    {"context", "context", R"({"Var":"context"})"},
    {"not", "!true", R"({"!":{"arg":{"Value":true}}})"},
    {"minus", "-context", R"({"neg":{"arg":{"Var":"context"}}})"},
    {"isEmpty", "context.isEmpty()", R"({"isEmpty":{"arg":{"Var":"context"}}})"},
    {"==", "1 == 2", R"({"==":{"left":{"Value":1},"right":{"Value":2}}})"},
    {"!=", "1 != 2", R"({"!=":{"left":{"Value":1},"right":{"Value":2}}})"},
    {"in", "1 in 2", R"({"in":{"left":{"Value":1},"right":{"Value":2}}})"},
    {"<", "1 < 2", R"({"<":{"left":{"Value":1},"right":{"Value":2}}})"},
    {"<=", "1 <= 2", R"({"<=":{"left":{"Value":1},"right":{"Value":2}}})"},
    {">", "1 > 2", R"({">":{"left":{"Value":1},"right":{"Value":2}}})"},
    {">=", "1 >= 2", R"({">=":{"left":{"Value":1},"right":{"Value":2}}})"},
    {"&&", "1 && 2", R"({"&&":{"left":{"Value":1},"right":{"Value":2}}})"},
    {"||", "1 || 2", R"({"||":{"left":{"Value":1},"right":{"Value":2}}})"},
    {"+", "1 + 2", R"({"+":{"left":{"Value":1},"right":{"Value":2}}})"},
    {"-", "1 - 2", R"({"-":{"left":{"Value":1},"right":{"Value":2}}})"},
    {"*", "1 * 2", R"({"*":{"left":{"Value":1},"right":{"Value":2}}})"},
    {"contains", "context.contains(2)",
     R"({"contains":{"left":{"Var":"context"},"right":{"Value":2}}})"},
    {"containsAll", "context.containsAll(2)",
     R"({"containsAll":{"left":{"Var":"context"},"right":{"Value":2}}})"},
    {"containsAny", "context.containsAny(2)",
     R"({"containsAny":{"left":{"Var":"context"},"right":{"Value":2}}})"},
    {"hasTag", "context.hasTag(2)", R"({"hasTag":{"left":{"Var":"context"},"right":{"Value":2}}})"},
    {"getTag", "context.getTag(2)", R"({"getTag":{"left":{"Var":"context"},"right":{"Value":2}}})"},
    {".", R"(context["a b"])", R"({".":{"attr":"a b","left":{"Var":"context"}}})"},
    {"has", "context has a", R"({"has":{"attr":"a","left":{"Var":"context"}}})"},
    {"is", "principal is A::B", R"({"is":{"entity_type":"A::B","left":{"Var":"principal"}}})"},
    {"like", R"(context like "*a\*b**")",
     R"({"like":{"left":{"Var":"context"},"pattern":["Wildcard",{"Literal":"a*b"},)"
     R"("Wildcard","Wildcard"]}})"},
    {"like nothing", R"(context like "")", R"({"like":{"left":{"Var":"context"},"pattern":[]}})"},
    {"if", "if 1 then 2 else 3",
     R"({"if-then-else":{"else":{"Value":3},"if":{"Value":1},"then":{"Value":2}}})"},
    {"Set", "[1, context, 1]", R"({"Set":[{"Value":1},{"Var":"context"},{"Value":1}]})"},
    {"an empty Set", "[]", R"({"Set":[]})"},
    {"Record", R"({"a b": 1, "c": {}})", R"({"Record":{"a b":{"Value":1},"c":{"Record":{}}}})"},
    {"a function", R"(decimal("1.0"))", R"({"decimal":[{"Value":"1.0"}]})"},
    {"a method", R"(ip("::1").isInRange(context))",
     R"({"isInRange":[{"ip":[{"Value":"::1"}]},{"Var":"context"}]})"}};

TEST(PolicyJson, EveryExpressionIsWrittenAsTheFormatHasIt) {
  for (const Form& one : forms) {
    Expressions expressions;
    const ExprId id = must(parse_expression(one.text, expressions));
    EXPECT_EQ(json::to_text(to_json(id, expressions)), one.json) << one.name;
  }
}

ExprId body_of(const std::string& body, Expressions& expressions) {
  return must(read_policy(must(json::parse(policy_of(body))), expressions)).conditions[0].body;
}

TEST(PolicyJson, EveryExpressionIsReadAsItsText) {
  for (const Form& one : forms) {
    Expressions expressions;
    EXPECT_EQ(body_of(one.json, expressions), must(parse_expression(one.text, expressions)))
        << one.name;
  }
}

TEST(PolicyJson, APolicyIsWrittenAsTheFormatHasIt) {
  const std::vector<Form> policies{
      {"all that it may have",
       "@id(\"x\") @bare forbid(principal is A in B::\"b\", action in [Action::\"r\"], "
       "resource == C::\"c\") when { true } unless { false };",
       R"({"action":{"entities":[{"id":"r","type":"Action"}],"op":"in"},)"
       R"("annotations":{"bare":null,"id":"x"},)"
       R"("conditions":[{"body":{"Value":true},"kind":"when"},)"
       R"({"body":{"Value":false},"kind":"unless"}],"effect":"forbid",)"
       R"("principal":{"entity_type":"A","in":{"entity":{"id":"b","type":"B"}},"op":"is"},)"
       R"("resource":{"entity":{"id":"c","type":"C"},"op":"=="}})"},
      {"slots", "permit(principal == ?principal, action == Action::\"r\", resource in ?resource);",
       R"({"action":{"entity":{"id":"r","type":"Action"},"op":"=="},"conditions":[],)"
       R"("effect":"permit","principal":{"op":"==","slot":"?principal"},)"
       R"("resource":{"op":"in","slot":"?resource"}})"},
      {"a type with a slot, and a group of actions",
       "permit(principal is A in ?principal, action in Action::\"g\", resource is C);",
       R"({"action":{"entity":{"id":"g","type":"Action"},"op":"in"},"conditions":[],)"
       R"("effect":"permit","principal":{"entity_type":"A","in":{"slot":"?principal"},"op":"is"},)"
       R"("resource":{"entity_type":"C","op":"is"}})"},
      {"anything", "permit(principal, action, resource);",
       R"({"action":{"op":"All"},"conditions":[],"effect":"permit","principal":{"op":"All"},)"
       R"("resource":{"op":"All"}})"}};
  for (const Form& one : policies) {
    Expressions expressions;
    const auto read = must(parse_policies(one.text, expressions));
    ASSERT_EQ(read.size(), 1U) << one.name;
    EXPECT_EQ(json::to_text(to_json(read[0], expressions)), one.json) << one.name;
    const Policy back = must(read_policy(must(json::parse(one.json)), expressions));
    EXPECT_EQ(json::to_text(to_json(back, expressions)), one.json) << one.name;
  }
}

TEST(PolicyJson, FormsThatAreReadAndNotWritten) {
  const std::vector<Form> more{
      {"a set as a value", "[1, [2]]", R"({"Value":[1,[2]]})"},
      {"a record as a value", "{a: 1, b: {c: \"x\"}}", R"({"Value":{"a":1,"b":{"c":"x"}}})"},
      {"an entity in a set", R"([A::"x"])", R"({"Value":[{"__entity":{"type":"A","id":"x"}}]})"},
      {"an extension value", R"(ip("::1"))", R"({"Value":{"__extn":{"fn":"ip","arg":"::1"}}})"},
      {"an extension value of two", R"(datetime("1970-01-01").offset(duration("1ms")))",
       R"({"Value":{"__extn":{"fn":"offset","args":[)"
       R"({"__extn":{"fn":"datetime","arg":"1970-01-01"}},)"
       R"({"__extn":{"fn":"duration","arg":"1ms"}}]}}})"},
      {"is with in", R"(principal is A in B::"x")",
       R"({"is":{"left":{"Var":"principal"},"entity_type":"A",)"
       R"("in":{"Value":{"__entity":{"type":"B","id":"x"}}}}})"},
      {"has with a path", "context has a.b",
       R"({"has":{"left":{"Var":"context"},"attr":["a","b"]}})"},
      {"parts of a pattern that belong together", R"(context like "ab*")",
       R"({"like":{"left":{"Var":"context"},"pattern":[{"Literal":"a"},{"Literal":"b"},)"
       R"("Wildcard"]}})"}};
  for (const Form& one : more) {
    Expressions expressions;
    EXPECT_EQ(body_of(one.json, expressions), must(parse_expression(one.text, expressions)))
        << one.name;
  }
}

struct Wrong {
  const char* name;
  std::string json;
  const char* says;
};

void expect_wrong(const std::vector<Wrong>& cases) {
  for (const Wrong& one : cases) {
    Expressions expressions;
    const auto read = read_policy(must(json::parse(one.json)), expressions);
    ASSERT_FALSE(read) << one.name;
    EXPECT_EQ(read.error().code, Code::invalid) << one.name;
    EXPECT_NE(read.error().what.find(one.says), std::string::npos)
        << one.name << ": " << read.error().what;
  }
}

TEST(PolicyJson, ExpressionsThatAreNone) {
  const std::vector<std::pair<const char*, const char*>> bodies{
      {"1", "one member"},
      {"{}", "one member"},
      {R"({"Value":1,"Var":"context"})", "one member"},
      {R"({"Value":null})", "no null"},
      {R"({"Value":1.5})", "whole ones"},
      {R"({"Value":9223372036854775808})", "64 bits"},
      {R"({"Value":{"__expr":"1"}})", "__expr"},
      {R"({"Value":{"__entity":{"type":"A"}}})", "'type' and an 'id'"},
      {R"({"Value":{"__entity":{"type":"if","id":""}}})", "no entity type"},
      {R"({"Value":{"__extn":{"fn":"foo","arg":"x"}}})", "__extn"},
      {R"({"Value":{"__extn":{"fn":"ip"}}})", "__extn"},
      {R"({"Var":"user"})", "'Var'"},
      {R"({"Slot":"?principal"})", "slot"},
      {R"({"Unknown":{"name":"x"}})", "Unknown"},
      {R"({"==":{"left":{"Value":1}}})", "'left' and 'right'"},
      {R"({"==":{"left":{"Value":1},"right":{"Value":1},"more":1}})", "'left' and 'right'"},
      {R"({"!":{"Value":true}})", "'arg'"},
      {R"({"!":{"arg":{"Value":true},"more":1}})", "'arg'"},
      {R"({".":{"left":{"Var":"context"},"attr":1}})", "'attr'"},
      {R"({".":{"attr":"a"}})", "'left'"},
      {R"({"has":{"left":{"Var":"context"},"attr":[]}})", "a list of names"},
      {R"({"has":{"left":{"Var":"context"},"attr":["a",1]}})", "a list of names"},
      {R"({"is":{"left":{"Var":"principal"},"entity_type":"A::"}})", "no entity type"},
      {R"({"is":{"left":{"Var":"principal"}}})", "'entity_type'"},
      {R"({"like":{"left":{"Var":"context"},"pattern":"a*"}})", "a list"},
      {R"({"like":{"left":{"Var":"context"},"pattern":["a"]}})", "Wildcard"},
      {R"({"if-then-else":{"if":{"Value":true},"then":{"Value":1}}})", "'else'"},
      {R"({"Set":{}})", "a list"},
      {R"({"Record":[]})", "an object"},
      {R"({"foo":[]})", "'foo'"},
      {R"({"lessThan":[]})", "a method"},
      {R"({"ip":{"arg":1}})", "a list"}};
  for (const auto& [body, says] : bodies) expect_wrong({{body, policy_of(body), says}});
}

std::string scoped(const std::string& principal, const std::string& action = R"({"op":"All"})") {
  return R"({"effect":"forbid","principal":)" + principal + R"(,"action":)" + action +
         R"(,"resource":{"op":"All"},"conditions":[]})";
}

TEST(PolicyJson, PoliciesThatAreNone) {
  expect_wrong({
      {"no object", "[]", "an object"},
      {"no effect", R"({"principal":{"op":"All"}})", "'effect'"},
      {"another effect", R"({"effect":"allow"})", "'effect'"},
      {"a member that is not known", R"({"effect":"permit","id":"x"})", "a policy has"},
      {"no principal", R"({"effect":"permit"})", "'principal'"},
      {"another operator", scoped(R"({"op":"!="})"), "'op'"},
      {"All with more", scoped(R"({"op":"All","entity":{"type":"A","id":"x"}})"), "'op' alone"},
      {"equals without an entity", scoped(R"({"op":"=="})"), "'entity' or 'slot'"},
      {"equals with both",
       scoped(R"({"op":"==","slot":"?principal","entity":{"type":"A","id":"x"}})"),
       "'entity' or 'slot'"},
      {"the wrong slot", scoped(R"({"op":"==","slot":"?resource"})"), "?principal"},
      {"is without a type", scoped(R"({"op":"is"})"), "'entity_type'"},
      {"is of a type that is none", scoped(R"({"op":"is","entity_type":"a b"})"), "'entity_type'"},
      {"is with in that is none", scoped(R"({"op":"is","entity_type":"A","in":1})"), "'in'"},
      {"an action with a slot", scoped(R"({"op":"All"})", R"({"op":"==","slot":"?action"})"),
       "'action'"},
      {"an action of another type",
       scoped(R"({"op":"All"})", R"({"op":"==","entity":{"type":"A","id":"x"}})"), "no action"},
      {"equals a list of actions",
       scoped(R"({"op":"All"})", R"({"op":"==","entities":[{"type":"Action","id":"x"}]})"),
       "'action'"},
      {"no conditions",
       R"({"effect":"permit","principal":{"op":"All"},"action":{"op":"All"},)"
       R"("resource":{"op":"All"}})",
       "'conditions'"},
      {"an annotation that is a number",
       R"({"effect":"permit","principal":{"op":"All"},"action":{"op":"All"},)"
       R"("resource":{"op":"All"},"conditions":[],"annotations":{"a":1}})",
       "string or null"},
      {"an annotation's name that is none",
       R"({"effect":"permit","principal":{"op":"All"},"action":{"op":"All"},)"
       R"("resource":{"op":"All"},"conditions":[],"annotations":{"a b":"1"}})",
       "names no annotation"},
  });
  for (const char* condition :
       {R"({"kind":"if","body":{"Value":true}})", R"({"kind":"when"})",
        R"({"body":{"Value":true}})", R"({"kind":"when","body":{"Value":true},"more":1})"}) {
    expect_wrong({{condition,
                   R"({"effect":"permit","principal":{"op":"All"},"action":{"op":"All"},)"
                   R"("resource":{"op":"All"},"conditions":[)" +
                       std::string(condition) + "]}",
                   "a condition has"}});
  }
}

TEST(PolicyJson, SetsWithTemplatesAndLinks) {
  const std::string text =
      R"({"staticPolicies":{"s":)" + policy_of(R"({"Value":true})") + R"(},"templates":{"t":)" +
      scoped(R"({"op":"in","slot":"?principal"})") +
      R"(},"templateLinks":[{"newId":"l","templateId":"t","values":{"?principal":)"
      R"({"id":"x","type":"A"}}}]})";
  const PolicySet set = must(read_policy_set(text));
  ASSERT_NE(set.find("s"), nullptr);
  ASSERT_NE(set.find("l"), nullptr);
  ASSERT_NE(set.find_template("t"), nullptr);
  EXPECT_EQ(print_scope("principal", set.find("l")->principal), "principal in A::\"x\"");
  EXPECT_EQ(set.find("l")->effect, Effect::forbid);
  EXPECT_EQ(set.find("l")->made_from, "t");
  EXPECT_EQ(must(json::parse(json::to_text(to_json(set)))), must(json::parse(text)));
}

TEST(PolicyJson, SetsThatAreNone) {
  const std::string fixed = policy_of(R"({"Value":true})");
  const std::string open = scoped(R"({"op":"==","slot":"?principal"})");
  const auto links = [&](const std::string& link) {
    return R"({"templates":{"t":)" + open + R"(},"templateLinks":[)" + link + "]}";
  };
  const std::vector<Wrong> cases{
      {"no JSON", "{", ""},
      {"a list", "[]", "a policy set has"},
      {"a member that is not known", R"({"policies":{}})", "a policy set has"},
      {"a template among the static ones", R"({"staticPolicies":{"a":)" + open + "}}",
       "is a template"},
      {"a static one among the templates", R"({"templates":{"a":)" + fixed + "}}",
       "is no template"},
      {"one id for both",
       R"({"staticPolicies":{"a":)" + fixed + R"(},"templates":{"a":)" + open + "}}", "'a'"},
      {"a link of no template", links(R"({"templateId":"x","newId":"l","values":{}})"), "'x'"},
      {"a link without its slot", links(R"({"templateId":"t","newId":"l","values":{}})"),
       "needs ?principal"},
      {"a link with a slot too many",
       links(R"({"templateId":"t","newId":"l","values":{"?principal":{"type":"A","id":"x"},)"
             R"("?resource":{"type":"A","id":"x"}}})"),
       "has no ?resource"},
      {"a link with another slot",
       links(R"({"templateId":"t","newId":"l","values":{"?action":{"type":"A","id":"x"}}})"),
       "'values'"},
      {"a link with its template's id",
       links(R"({"templateId":"t","newId":"t","values":{"?principal":{"type":"A","id":"x"}}})"),
       "'t'"},
      {"a link without an id", links(R"({"templateId":"t","values":{}})"), "'newId'"}};
  for (const Wrong& one : cases) {
    const auto read = read_policy_set(one.json);
    ASSERT_FALSE(read) << one.name;
    EXPECT_NE(read.error().what.find(one.says), std::string::npos)
        << one.name << ": " << read.error().what;
  }
}

TEST(PolicyJson, OnePolicyOrASet) {
  const PolicySet one = must(read_policies_json(policy_of(R"({"Value":true})")));
  EXPECT_NE(one.find("policy0"), nullptr);
  const PolicySet set = must(
      read_policies_json(R"({"staticPolicies":{"a":)" + policy_of(R"({"Value":true})") + "}}"));
  EXPECT_NE(set.find("a"), nullptr);
}

TEST(PolicyJson, WhatIsTooDeepIsRefused) {
  const ParseOptions options;
  std::string deep = R"({"Value":true})";
  for (std::size_t at = 1; at < options.nesting_max; ++at) deep = R"({"!":{"arg":)" + deep + "}}";
  EXPECT_TRUE(read_policies_json(policy_of(deep)));
  deep = R"({"!":{"arg":)" + deep + "}}";
  EXPECT_FALSE(read_policies_json(policy_of(deep)));
  std::string names = "\"a\"";
  for (std::size_t at = 0; at < options.depth_max; ++at) names += ",\"a\"";
  EXPECT_FALSE(read_policies_json(
      policy_of(R"({"has":{"left":{"Var":"context"},"attr":[)" + names + "]}}")));
  EXPECT_FALSE(read_policies_json(std::string(1000, ' '), {.bytes_max = 999}));
}

TEST(PolicyJson, TextBecomesJsonAndTheSameText) {
  std::size_t policies = 0;
  for (std::uint64_t seed = 0; seed < 1500; ++seed) {
    const cedar_suite::World world = cedar_suite::make_world(seed, 1);
    PolicySet set;
    if (!set.add_text(world.policies)) continue;
    const std::string json = json::to_text(to_json(set));
    const auto again = read_policy_set(json);
    ASSERT_TRUE(again) << "seed " << seed << ": " << again.error().what;
    for (const auto& [mine, theirs] : {std::pair(&set.policies(), &again->policies()),
                                       std::pair(&set.templates(), &again->templates())}) {
      ASSERT_EQ(mine->size(), theirs->size()) << "seed " << seed;
      for (const Policy& one : *mine) {
        const Policy* const other =
            one.is_template() ? again->find_template(one.id) : again->find(one.id);
        ASSERT_NE(other, nullptr) << "seed " << seed;
        // Annotations come back in the order of their names.
        Policy bare = one;
        Policy other_bare = *other;
        bare.annotations.clear();
        other_bare.annotations.clear();
        EXPECT_EQ(print_policy(bare, set.expressions()),
                  print_policy(other_bare, again->expressions()))
            << "seed " << seed;
        for (const Annotation& note : one.annotations) {
          EXPECT_EQ(other->annotation(note.name), note.value.value_or("")) << "seed " << seed;
        }
        ++policies;
      }
    }
  }
  std::printf("%zu policies written as JSON and read again\n", policies);
  EXPECT_GT(policies, 3000U);
}

}  // namespace
}  // namespace mailwarden::policy
