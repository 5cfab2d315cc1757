// What Cedar's grammar refuses, and where the sentence says that it stands.
#include <gtest/gtest.h>

#include "policy/parse_policy.h"
#include "tests/policy/given.h"

namespace mailwarden::policy {
namespace {

struct Refused {
  const char* name;
  std::string text;
  std::string where;  // "line 1, column 3"; "" where the text as a whole is meant
  std::string says;   // part of the sentence
};

void expect_refused(const Refused& one, const Result<void>& result) {
  ASSERT_FALSE(result) << one.name;
  EXPECT_EQ(result.error().code, Code::invalid) << one.name;
  const std::string& what = result.error().what;
  const std::string start = one.where.empty() ? "" : one.where + ": ";
  EXPECT_TRUE(what.starts_with(start)) << one.name << ": " << what;
  EXPECT_NE(what.find(one.says), std::string::npos) << one.name << ": " << what;
}

void expect_refused(const std::vector<Refused>& cases, const ParseOptions& options = {}) {
  for (const Refused& one : cases) {
    Expressions expressions;
    const auto result = parse_expression(one.text, expressions, options);
    expect_refused(one, result ? Result<void>() : std::unexpected(result.error()));
  }
}

void expect_policy_refused(const std::vector<Refused>& cases) {
  for (const Refused& one : cases) {
    Expressions expressions;
    const auto result = parse_policies(one.text, expressions);
    expect_refused(one, result ? Result<void>() : std::unexpected(result.error()));
  }
}

TEST(RefusePolicy, Operators) {
  expect_refused({
      {"nothing", "", "line 1, column 1", "an expression"},
      {"a single equals sign", "1 = 2", "line 1, column 3", "'=='"},
      {"division", "4 / 2", "line 1, column 3", "no operator '/'"},
      {"remainder", "4 % 2", "line 1, column 3", "no operator '%'"},
      {"five times not", "!!!!!true", "line 1, column 1", "more than four '!'"},
      {"five times minus", "-----1", "line 1, column 1", "more than four '-'"},
      {"not and minus mixed", "!-1", "line 1, column 2", "an expression"},
      {"minus and not mixed", "-!true", "line 1, column 2", "an expression"},
      {"one ampersand", "true & true", "line 1, column 6", "the end"},
      {"one bar", "true | true", "line 1, column 6", "the end"},
      {"operators without a right side", "1 +", "line 1, column 4", "an expression"},
      {"two values in a row", "1 2", "line 1, column 3", "the end"},
      {"comparisons in a row", "1 < 2 < 3", "line 1, column 7", "parentheses"},
      {"equalities in a row", "1 == 2 == 3", "line 1, column 8", "parentheses"},
      {"has behind a comparison", "1 == 2 has a", "line 1, column 8", "parentheses"},
      {"like behind a comparison", "1 == 2 like \"a\"", "line 1, column 8", "parentheses"},
      {"is behind a comparison", "1 == 2 is A", "line 1, column 8", "parentheses"},
      {"in behind has", "context has a in A::\"x\"", "line 1, column 15", "the end"},
      {"if as an operand", "1 + if true then 1 else 2", "line 1, column 5", "an expression"},
      {"if without then", "if true 1 else 2", "line 1, column 9", "'then'"},
      {"if without else", "if true then 1", "line 1, column 15", "'else'"},
      {"a character of no meaning", "1 # 2", "line 1, column 3", "'#'"},
  });
}

TEST(RefusePolicy, NamesAndMembers) {
  expect_refused({
      {"a reserved word as a value", "then", "line 1, column 1", "an expression"},
      {"a reserved word as an attribute", "context.if", "line 1, column 9", "attribute"},
      {"a reserved word behind has", "context has like", "line 1, column 13", "attribute"},
      {"a reserved word in a path behind has", "context has a.is", "line 1, column 15",
       "attribute"},
      {"a reserved word in a record", "{in: 1}", "line 1, column 2", "attribute"},
      {"a reserved word as a type", "principal is has", "line 1, column 14", "an entity type"},
      {"__cedar in an entity", "__cedar::A::\"x\"", "line 1, column 1", "an expression"},
      {"__cedar within an entity", "A::__cedar::\"x\"", "line 1, column 4", "type"},
      {"a variable that is none", "user", "line 1, column 1", "no variable"},
      {"a type without an id", "A::B", "line 1, column 5", "'::' or '('"},
      {"a number as an attribute", "context.1", "line 1, column 9", "attribute"},
      {"a string behind a path of has", "context has a.\"b\"", "line 1, column 15", "attribute"},
      {"an expression as an index", "context[1]", "line 1, column 9", "in quotes"},
      {"an index without an end", "context[\"a\"", "line 1, column 12", "']'"},
      {"a record's member twice", "{a: 1, \"a\": 2}", "line 1, column 8", "'a' twice"},
      {"a record without a colon", "{a 1}", "line 1, column 4", "':'"},
      {"a record without a comma", "{a: 1 b: 2}", "line 1, column 7", "',' or '}'"},
      {"a record with a comma alone", "{,}", "line 1, column 2", "attribute"},
      {"a set without a comma", "[1 2]", "line 1, column 4", "',' or ']'"},
      {"a set with a comma alone", "[,]", "line 1, column 2", "an expression"},
      {"a set with two commas", "[1,,]", "line 1, column 4", "an expression"},
      {"a set without an end", "[1", "line 1, column 3", "the end"},
      {"parentheses without an end", "(1", "line 1, column 3", "')'"},
      {"parentheses around nothing", "()", "line 1, column 2", "an expression"},
      {"is without a type", "principal is \"A\"", "line 1, column 14", "an entity type"},
      {"is with an entity", "principal is A::\"x\"", "line 1, column 17", "an entity type"},
      {"like without a string", "context.a like 1", "line 1, column 16", "a pattern in quotes"},
  });
}

TEST(RefusePolicy, Calls) {
  expect_refused({
      {"an unknown function", "foo(1)", "line 1, column 1", "no function 'foo'"},
      {"a function in a namespace", "A::ip(\"::1\")", "line 1, column 1", "no function 'A::ip'"},
      {"an unknown method", "context.foo(1)", "line 1, column 9", "no method 'foo'"},
      {"a method as a function", "contains([1], 1)", "line 1, column 1", "no function 'contains'"},
      {"an extension's method as a function", "isIpv4(ip(\"::1\"))", "line 1, column 1",
       "'isIpv4' is a method"},
      {"a function as a method", "\"::1\".ip()", "line 1, column 7", "a function, not a method"},
      {"contains of two", "[1].contains(1, 2)", "line 1, column 5", "one argument"},
      {"contains of none", "[1].containsAll()", "line 1, column 5", "one argument"},
      {"isEmpty of one", "[1].isEmpty(1)", "line 1, column 5", "no argument"},
      {"hasTag of two", "principal.hasTag(\"a\", \"b\")", "line 1, column 11", "one argument"},
      {"a number called", "1(2)", "line 1, column 2", "an operator"},
      {"an attribute called twice", "context.contains(1)(2)", "line 1, column 20", "an operator"},
      {"arguments without an end", "ip(\"::1\"", "line 1, column 9", "',' or ')'"},
  });
}

TEST(RefusePolicy, Literals) {
  expect_refused({
      {"a number beyond 64 bits", "9223372036854775808", "line 1, column 1", "64 bits"},
      {"a number below 64 bits", "-9223372036854775809", "line 1, column 2", "64 bits"},
      {"the smallest number's digits behind two signs in parentheses", "-(9223372036854775808)",
       "line 1, column 3", "64 bits"},
      {"a number that runs into a name", "1a", "line 1, column 2", "the end"},
      {"a fraction", "1.5", "line 1, column 3", "attribute"},
      {"a string without an end", "1 + \"abc", "line 1, column 5", "a string without an end"},
      {"a string that ends in a backslash", "\"abc\\", "line 1, column 1",
       "a string without an end"},
      {"a string in single quotes", "'a'", "line 1, column 1", "'''"},
      {"an unknown escape", R"("\q")", "line 1, column 1", "no escape"},
      {"an escaped star outside of a pattern", R"("\*")", "line 1, column 1", "no escape"},
      {"a line that goes on in a pattern", "context.a like \"a\\\nb\"", "line 1, column 16",
       "pattern"},
      {"an unknown escape in a pattern", R"(context.a like "\q")", "line 1, column 16", "pattern"},
      {"hexadecimal beyond ASCII", R"("\x80")", "line 1, column 1", "no escape"},
      {"hexadecimal of one digit", R"("\x4")", "line 1, column 1", "no escape"},
      {"hexadecimal that is none", R"("\x4g")", "line 1, column 1", "no escape"},
      {"a code point without braces", R"("\u0041")", "line 1, column 1", "no escape"},
      {"a code point without digits", R"("\u{}")", "line 1, column 1", "no escape"},
      {"a code point of seven digits", R"("\u{0000041}")", "line 1, column 1", "no escape"},
      {"a code point that begins with a low line", R"("\u{_41}")", "line 1, column 1", "no escape"},
      {"half of a surrogate pair", R"("\u{d800}")", "line 1, column 1", "no escape"},
      {"beyond the last code point", R"("\u{110000}")", "line 1, column 1", "no escape"},
      {"a code point without an end", R"("\u{41")", "line 1, column 1", "no escape"},
      {"a bare carriage return in a string", "\"a\rb\"", "line 1, column 1", "\\r"},
      {"bytes that are no UTF-8", "\"\xff\"", "", "not UTF-8"},
      {"an overlong form", "\"\xc0\xaf\"", "", "not UTF-8"},
  });
}

TEST(RefusePolicy, Slots) {
  expect_refused({{"in a condition", "principal == ?principal", "line 1, column 14", "scope"},
                  {"of a name that is none", "?foo", "line 1, column 1", "scope"},
                  {"a question mark alone", "? ", "line 1, column 1", "an expression"}});
  expect_policy_refused({
      {"the wrong slot", "permit(principal == ?resource, action, resource);", "line 1, column 21",
       "?principal"},
      {"the other wrong slot", "permit(principal, action, resource in ?principal);",
       "line 1, column 39", "?resource"},
      {"a slot of the action", "permit(principal, action == ?action, resource);",
       "line 1, column 29", "an entity"},
      {"a slot as a type", "permit(principal is ?principal, action, resource);",
       "line 1, column 21", "an entity type"},
  });
}

TEST(RefusePolicy, Policies) {
  expect_policy_refused({
      {"another effect", "allow(principal, action, resource);", "line 1, column 1", "'permit'"},
      {"no scope", "permit;", "line 1, column 7", "'('"},
      {"an empty scope", "permit();", "line 1, column 8", "'principal'"},
      {"another order", "permit(action, principal, resource);", "line 1, column 8", "'principal'"},
      {"no resource", "permit(principal, action);", "line 1, column 25", "','"},
      {"two commas at the end", "permit(principal, action, resource,,);", "line 1, column 36",
       "')'"},
      {"more than a scope has", "permit(principal, action, resource, context);",
       "line 1, column 37", "')'"},
      {"a comparison that scopes lack", "permit(principal != A::\"x\", action, resource);",
       "line 1, column 18", "','"},
      {"a set of principals", "permit(principal in [A::\"x\"], action, resource);",
       "line 1, column 21", "an entity"},
      {"is with equals", "permit(principal is A == A::\"x\", action, resource);",
       "line 1, column 23", "','"},
      {"is with in before it", "permit(principal in A::\"x\" is A, action, resource);",
       "line 1, column 28", "','"},
      {"is of the action", "permit(principal, action is Action, resource);", "line 1, column 26",
       "','"},
      {"an action of another type", "permit(principal, action == A::\"x\", resource);",
       "line 1, column 29", "no action"},
      {"an action of another type in a list",
       "permit(principal, action in [Action::\"x\", A::\"x\"], resource);", "line 1, column 43",
       "no action"},
      {"an id of no type", "permit(principal == \"x\", action, resource);", "line 1, column 21",
       "an entity"},
      {"no semicolon", "permit(principal, action, resource)", "line 1, column 36", "';'"},
      {"a condition without a word", "permit(principal, action, resource) { true };",
       "line 1, column 37", "'when'"},
      {"a condition without braces", "permit(principal, action, resource) when true;",
       "line 1, column 42", "'{'"},
      {"a condition without an end", "permit(principal, action, resource) when { true",
       "line 1, column 48", "'}'"},
      {"an empty condition", "permit(principal, action, resource) when {};", "line 1, column 43",
       "an expression"},
      {"an annotation twice", "@a(\"1\")\n@a\npermit(principal, action, resource);",
       "line 2, column 2", "'a' twice"},
      {"an annotation without a name", "@\"a\" permit(principal, action, resource);",
       "line 1, column 2", "name"},
      {"an annotation's value that is no string", "@a(1) permit(principal, action, resource);",
       "line 1, column 4", "a string"},
      {"an annotation's value without an end", "@a(\"1\" permit(principal, action, resource);",
       "line 1, column 8", "')'"},
      {"an annotation of no policy", "@a", "line 1, column 3", "'permit'"},
      {"the second policy's third line",
       "permit(principal, action, resource);\nforbid(principal, action, resource)\nwhen\n { 1 / 2 "
       "};",
       "line 4, column 6", "'/'"},
      {"a comment as C has it", "/* x */ permit(principal, action, resource);", "line 1, column 1",
       "'/'"},
  });
}

std::string repeated(std::string_view text, std::size_t count) {
  std::string all;
  for (; count > 0; --count) all += text;
  return all;
}

TEST(RefusePolicy, WhatIsTooDeepHoweverItIsWritten) {
  const ParseOptions options;
  const std::size_t nest = options.nesting_max;
  const std::size_t deep = 100'000;
  const std::string levels = "deeper in one another than 200 levels";
  const std::string operators = "deeper than 1000 operators";
  expect_refused({
      {"parentheses", repeated("(", deep) + "1" + repeated(")", deep), "line 1, column 201",
       levels},
      {"brackets", repeated("[", deep), "line 1, column 201", levels},
      {"braces", repeated("{a:", deep), "line 1, column 601", levels},
      {"calls", repeated("ip(", deep), "line 1, column 601", levels},
      {"if", repeated("if ", deep), "line 1, column 601", levels},
      {"else", repeated("if true then 1 else ", deep), "", levels},
      {"a chain of &&", "context.a" + repeated(" && context.a", deep), "", operators},
      {"a chain of ||", "context.a" + repeated(" || context.a", deep), "", operators},
      {"a chain of +", "1" + repeated(" + 1", deep), "", operators},
      {"a chain of *", "1" + repeated(" * 1", deep), "", operators},
      {"a path", "context" + repeated(".a", deep), "", operators},
      {"a path behind has", "context has a" + repeated(".a", deep), "", operators},
      {"indices", "context" + repeated("[\"a\"]", deep), "", operators},
      {"methods", "context.a" + repeated(".contains(1)", deep), "", operators},
      {"signs within parentheses", repeated("!!!!(", deep), "", levels},
  });
  Expressions expressions;
  EXPECT_TRUE(
      parse_expression(repeated("(", nest - 1) + "1" + repeated(")", nest - 1), expressions));
  EXPECT_TRUE(parse_expression("1" + repeated(" + 1", options.depth_max - 1), expressions));
  EXPECT_FALSE(parse_expression("1" + repeated(" + 1", options.depth_max), expressions));
}

TEST(RefusePolicy, WhatIsLongerThanTheLimit) {
  Expressions expressions;
  EXPECT_TRUE(parse_expression("12345", expressions, {.bytes_max = 5}));
  EXPECT_NE(refusal(parse_expression("123456", expressions, {.bytes_max = 5})).find("5 bytes"),
            std::string::npos);
  EXPECT_FALSE(parse_policies("      ", expressions, {.bytes_max = 5}));
}

}  // namespace
}  // namespace mailwarden::policy
