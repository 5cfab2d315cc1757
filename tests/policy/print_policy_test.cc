// Printed policies have the least parentheses that the grammar needs, and are the same when they
// are read again.
#include <gtest/gtest.h>

#include "policy/print.h"
#include "tests/conformance/cedar_worlds.h"
#include "tests/policy/given.h"

namespace mailwarden::policy {
namespace {

struct Printed {
  const char* name;
  const char* text;
  const char* printed;  // "" where it is the text itself
};

TEST(PrintPolicy, ParenthesesStandWhereThePrecedenceNeedsThem) {
  const std::vector<Printed> cases{
      {"parentheses that say nothing", "((1)) + (2 * (3))", "1 + 2 * 3"},
      {"a sum in a product", "(1 + 2) * 3", ""},
      {"a product in a product to the right", "1 * (2 * 3)", ""},
      {"a sum to the right", "1 - (2 - 3)", ""},
      {"a sum to the left", "(1 - 2) - 3", "1 - 2 - 3"},
      {"or in and", "(true || false) && true", ""},
      {"and in or", "(true && false) || true", "true && false || true"},
      {"and to the right", "true && (false && true)", ""},
      {"a comparison in a comparison", "(1 < 2) == (3 < 4)", ""},
      {"a comparison in a sum", "(1 < 2) + 3", ""},
      {"a sum in a comparison", "(1 + 2) < (3 * 4)", "1 + 2 < 3 * 4"},
      {"has in has", "(context has a) has b", ""},
      {"is in not", "!(principal is User)", ""},
      {"not in a comparison", "(!true) == false", "!true == false"},
      {"an attribute of a sum", "(1 + 2).a", ""},
      {"an attribute of a negation", "(!context).a", ""},
      {"a method of if", "(if true then [1] else [2]).isEmpty()", ""},
      {"if as an operand", "1 + (if true then 1 else 2)", ""},
      {"if as an argument", "[1].contains((if true then 1 else 2))",
       "[1].contains(if true then 1 else 2)"},
      {"if within if", "if (if true then true else false) then 1 else (if true then 1 else 2)",
       "if if true then true else false then 1 else if true then 1 else 2"},
      {"minus of a number", "-(5)", ""},
      {"minus of a negative number", "--5", "-(-5)"},
      {"an attribute of a negative number", "(-5).a", ""},
      {"minus of an attribute of a number", "-5.a", ""},
      {"the smallest number", "-9223372036854775808", ""},
      {"a negative number in a difference", "1 - -2", ""},
      {"a name that is reserved", "context[\"if\"]", ""},
      {"a name that is none", "context[\"a b\"]", ""},
      {"has of a name that is none", "context has \"\"", ""},
      {"a record", "{\"a b\": 1, \"c\": {}}", "{\"a b\": 1, c: {}}"},
      {"a set in a set", "[[], [1, 1]]", ""},
      {"an entity's escapes", R"(A::B::"\"\\\n\0\u{7f}")", ""},
      {"a pattern's escapes", R"(context.a like "\*\\*\n")", ""},
      {"a function and its method", R"(ip("::1").isInRange(ip("::/0")))", ""},
      {"a function of two", R"(ip("a", "b"))", ""},
      {"has with a path", "context has a.b", "context has a && context.a has b"},
      {"is with in", "principal is A in B::\"x\"", "principal is A && principal in B::\"x\""}};
  for (const Printed& one : cases) {
    Expressions expressions;
    const ExprId id = must(parse_expression(one.text, expressions));
    const std::string printed = print_expression(id, expressions);
    EXPECT_EQ(printed, *one.printed == '\0' ? one.text : one.printed) << one.name;
    EXPECT_EQ(must(parse_expression(printed, expressions)), id) << one.name;
  }
}

TEST(PrintPolicy, APolicyWithAllThatItMayHave) {
  const std::string text =
      "@id(\"a \\\"quote\\\"\")\n@bare\nforbid (\n  principal is A::B in A::\"x\",\n"
      "  action in [Action::\"r\", Action::\"w\"],\n  resource == R::\"\\n\"\n)\n"
      "when { 1 < 2 }\nunless { context.a };\n";
  Expressions expressions;
  const auto read = must(parse_policies(text, expressions));
  ASSERT_EQ(read.size(), 1U);
  EXPECT_EQ(print_policy(read[0], expressions), text);
}

TEST(PrintPolicy, ScopesAreAsTheyWereWritten) {
  for (const char* text :
       {"principal", "principal == A::\"x\"", "principal in A::\"x\"", "principal is A",
        "principal is A in B::\"x\"", "principal == ?principal", "principal in ?principal",
        "principal is A in ?principal"}) {
    Expressions expressions;
    const auto read =
        must(parse_policies("permit(" + std::string(text) + ", action, resource);", expressions));
    EXPECT_EQ(print_scope("principal", read[0].principal), text);
  }
  for (const char* text : {"action", "action == Action::\"x\"", "action in Action::\"x\"",
                           "action in []", "action in [Action::\"x\"]"}) {
    Expressions expressions;
    const auto read = must(
        parse_policies("permit(principal, " + std::string(text) + ", resource);", expressions));
    EXPECT_EQ(print_scope(read[0].action), text);
  }
}

bool same(const Scope& a, const Scope& b) {
  return a.kind == b.kind && a.is_slot == b.is_slot && a.type == b.type && a.entity == b.entity;
}

bool same(const Policy& a, const Policy& b) {
  const auto equal_conditions = [](const Condition& one, const Condition& other) {
    return one.is_when == other.is_when && one.body == other.body;
  };
  const auto equal_annotations = [](const Annotation& one, const Annotation& other) {
    return one.name == other.name && one.value == other.value;
  };
  return a.effect == b.effect && same(a.principal, b.principal) && same(a.resource, b.resource) &&
         a.action.kind == b.action.kind && a.action.entities == b.action.entities &&
         std::ranges::equal(a.conditions, b.conditions, equal_conditions) &&
         std::ranges::equal(a.annotations, b.annotations, equal_annotations);
}

TEST(PrintPolicy, WhatIsReadAgainIsTheSame) {
  std::size_t policies = 0;
  std::size_t refused = 0;
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    const cedar_suite::World world = cedar_suite::make_world(seed, 1);
    Expressions expressions;
    const auto read = parse_policies(world.policies, expressions);
    if (!read) {
      ++refused;
      continue;
    }
    std::string text;
    for (const Policy& one : *read) text += print_policy(one, expressions);
    const auto again = parse_policies(text, expressions);
    ASSERT_TRUE(again) << "seed " << seed << ": " << again.error().what << "\n" << text;
    ASSERT_EQ(again->size(), read->size()) << "seed " << seed;
    for (std::size_t at = 0; at < read->size(); ++at) {
      EXPECT_TRUE(same((*read)[at], (*again)[at])) << "seed " << seed << "\n" << text;
      ++policies;
    }
  }
  std::printf("%zu policies printed and read again, %zu damaged texts\n", policies, refused);
  EXPECT_GT(policies, 5000U);
  EXPECT_GT(refused, 50U);
}

}  // namespace
}  // namespace mailwarden::policy
