// What Cedar's grammar takes and what each construct means (Cedar 4.5, "Grammar for Cedar syntax";
// RFC 62, RFC 71).
#include "policy/parse_policy.h"

#include <gtest/gtest.h>

#include "tests/policy/given.h"

namespace mailwarden::policy {
namespace {

// Equal expressions are one node, so two texts mean the same if they have the same number.
struct Same {
  const char* name;
  const char* text;
  const char* same_as;
};

TEST(ParsePolicy, PrecedenceAndShorthandsMeanWhatTheGrammarSays) {
  const std::vector<Same> cases{
      {"times binds more than plus", "1 + 2 * 3", "1 + (2 * 3)"},
      {"plus and minus lean to the left", "1 - 2 + 3", "(1 - 2) + 3"},
      {"times leans to the left", "1 * 2 * 3", "(1 * 2) * 3"},
      {"a comparison binds less than a sum", "1 + 2 < 3 - 4", "(1 + 2) < (3 - 4)"},
      {"and binds more than or", "true || false && true", "true || (false && true)"},
      {"and leans to the left", "true && false && true", "(true && false) && true"},
      {"or leans to the left", "true || false || true", "(true || false) || true"},
      {"a comparison binds more than and", "1 == 2 && 3 == 4", "(1 == 2) && (3 == 4)"},
      {"not binds more than times", "!context.a == true", "(!(context.a)) == true"},
      {"minus is of the member", "-context.a.b", "-((context.a).b)"},
      {"four times not", "!!!!true", "!(!(!(!true)))"},
      {"minus before a number is the number", "-5", "- 5"},
      {"two of them are a negation of it", "--5", "-(-5)"},
      {"minus before an attribute of a number", "-5.a", "-(5.a)"},
      {"the branches of if take all behind them", "if true then 1 else 2 + 3",
       "if true then 1 else (2 + 3)"},
      {"if within if", "if true then if false then 1 else 2 else 3",
       "if true then (if false then 1 else 2) else 3"},
      {"brackets and dot are the same", "context[\"a\"][\"b\"]", "context.a.b"},
      {"has takes a name or a string", "context has a", "context has \"a\""},
      {"has with a path asks each step", "context has a.b.c",
       "context has a && context.a has b && context.a.b has c"},
      {"has binds like a comparison", "context.a has b && true", "((context.a) has b) && true"},
      {"is with in", "principal is A::B in A::C::\"x\"",
       "principal is A::B && principal in A::C::\"x\""},
      {"is with in of a sum", "principal is U in context.a",
       "principal is U && (principal in (context.a))"},
      {"white space within an entity's name", "A :: B :: \"x\"", "A::B::\"x\""},
      {"a comma behind the last item of a set", "[1, 2,]", "[1, 2]"},
      {"a comma behind the last member of a record", "{a: 1, \"b\": 2,}", "{\"a\": 1, b: 2}"},
      {"the order of members does not matter", "{b: 2, a: 1}", "{a: 1, b: 2}"},
      {"a comma behind the last argument of a function", "ip(\"::1\",)", "ip(\"::1\")"},
      {"a comma behind the last argument of a method", "[1].contains(1,)", "[1].contains(1)"},
      {"a comment up to the end of the line", "1 // + 2\n + 3", "1 + 3"},
      {"a comment that a carriage return ends", "1 // + 2\r+ 3", "1 + 3"},
      {"a comment up to the end", "1 // 2", "1"},
      {"no comment within a string", "\"a//b\"", "\"a/\\u{2f}b\""},
      {"white space of Unicode",
       "1\xc2\xa0+\xe3\x80\x80"
       "2\xe2\x80\x83",
       "1 + 2"},
      {"tabs, form feeds and vertical tabs", "1\t+\f2\v+\r\n3", "1 + 2 + 3"}};
  for (const Same& one : cases) {
    Expressions expressions;
    const auto text = parse_expression(one.text, expressions);
    const auto same = parse_expression(one.same_as, expressions);
    ASSERT_TRUE(text) << one.name << ": " << text.error().what;
    ASSERT_TRUE(same) << one.name << ": " << same.error().what;
    EXPECT_EQ(*text, *same) << one.name;
  }
}

TEST(ParsePolicy, OrderAndParenthesesThatMatterAreKept) {
  const std::vector<Same> cases{{"subtraction", "1 - 2 - 3", "1 - (2 - 3)"},
                                {"and", "true && (false && true)", "true && false && true"},
                                {"not", "!(1 == 2)", "(!1) == 2"},
                                {"sets", "[1, 2]", "[2, 1]"},
                                {"is", "principal is A", "principal is A::A"},
                                {"strings and entities", "A::\"x\"", "\"x\""},
                                {"numbers and truths", "1 == 1", "true"},
                                {"minus", "-(5)", "-5"}};
  for (const Same& one : cases) {
    Expressions expressions;
    EXPECT_NE(must(parse_expression(one.text, expressions)),
              must(parse_expression(one.same_as, expressions)))
        << one.name;
  }
}

struct Literal {
  const char* name;
  std::string text;
  std::string bytes;
};

TEST(ParsePolicy, EscapesOfStrings) {
  const std::vector<Literal> cases{
      {"none", R"("plain")", "plain"},
      {"nothing", R"("")", ""},
      {"newline", R"("\n")", "\n"},
      {"return", R"("\r")", "\r"},
      {"tab", R"("\t")", "\t"},
      {"backslash", R"("\\")", "\\"},
      {"nul", R"("\0")", std::string(1, '\0')},
      {"quote", R"("\"")", "\""},
      {"single quote", R"("\'")", "'"},
      {"ASCII in hexadecimal", R"("\x41\x7f")", "A\x7f"},
      {"one digit", R"("\u{a}")", "\n"},
      {"two bytes of UTF-8", R"("\u{e9}")", "\xc3\xa9"},
      {"three bytes of UTF-8", R"("\u{20AC}")", "\xe2\x82\xac"},
      {"four bytes of UTF-8", R"("\u{1F600}")", "\xf0\x9f\x98\x80"},
      {"the last code point", R"("\u{10FFFF}")", "\xf4\x8f\xbf\xbf"},
      {"digits parted as Rust has it", R"("\u{1_F600}")", "\xf0\x9f\x98\x80"},
      {"the end of a line goes on", "\"a\\\n   b\"", "ab"},
      {"a line end stands for itself", "\"a\nb\"", "a\nb"},
      {"a star is no escape's matter", R"("*")", "*"}};
  for (const Literal& one : cases) {
    Expressions expressions;
    const auto id = parse_expression(one.text, expressions);
    ASSERT_TRUE(id) << one.name << ": " << id.error().what;
    const Node& node = expressions[*id];
    ASSERT_EQ(node.op, Op::literal) << one.name;
    EXPECT_EQ(expressions.literal_of(node).as_text(), one.bytes) << one.name;
  }
}

TEST(ParsePolicy, StarsOfPatterns) {
  struct Case {
    std::string text;
    Pattern pattern;
  };
  const std::vector<Case> cases{{R"("")", {""}},
                                {R"("*")", {"", ""}},
                                {R"("**")", {"", "", ""}},
                                {R"("a*b")", {"a", "b"}},
                                {R"("a\*b*")", {"a*b", ""}},
                                {R"("\\*")", {"\\", ""}},
                                {R"("\u{2a}*")", {"", "", ""}},
                                {R"("\x2a")", {"", ""}}};
  for (const Case& one : cases) {
    Expressions expressions;
    const ExprId id = must(parse_expression("context.a like " + one.text, expressions));
    ASSERT_EQ(expressions[id].op, Op::like) << one.text;
    EXPECT_EQ(expressions.pattern(expressions[id].b), one.pattern) << one.text;
  }
}

TEST(ParsePolicy, NumbersOf64Bits) {
  const std::vector<std::pair<std::string, std::int64_t>> cases{
      {"0", 0},
      {"007", 7},
      {"9223372036854775807", INT64_MAX},
      {"-9223372036854775808", INT64_MIN},
      {"- 9223372036854775808", INT64_MIN}};
  for (const auto& [text, number] : cases) {
    Expressions expressions;
    const ExprId id = must(parse_expression(text, expressions));
    ASSERT_EQ(expressions[id].op, Op::literal) << text;
    EXPECT_EQ(expressions.literal_of(expressions[id]).number, number) << text;
  }
}

TEST(ParsePolicy, ScopesOfEveryForm) {
  using Kind = Scope::Kind;
  struct Case {
    std::string text;
    Kind kind;
    bool is_slot;
    std::string type;
    std::string entity;
  };
  const std::vector<Case> cases{{"", Kind::any, false, "", ""},
                                {" == A::B::\"x\"", Kind::equal, false, "", "A::B::\"x\""},
                                {" in A::\"x\"", Kind::in, false, "", "A::\"x\""},
                                {" is A::B", Kind::is, false, "A::B", ""},
                                {" is A in B::\"x\"", Kind::is_in, false, "A", "B::\"x\""},
                                {" == ?WHO", Kind::equal, true, "", ""},
                                {" in ?WHO", Kind::in, true, "", ""},
                                {" is A in ?WHO", Kind::is_in, true, "A", ""}};
  for (const std::string who : {"principal", "resource"}) {
    for (const Case& one : cases) {
      std::string written = who + one.text;
      if (const auto at = written.find("WHO"); at != std::string::npos) written.replace(at, 3, who);
      const bool is_principal = who == "principal";
      const std::string text = "permit(" + (is_principal ? written : "principal") + ", action, " +
                               (is_principal ? "resource" : written) + ");";
      Expressions expressions;
      const auto read = must(parse_policies(text, expressions));
      ASSERT_EQ(read.size(), 1U) << text;
      const Scope& scope = is_principal ? read[0].principal : read[0].resource;
      const Scope& other = is_principal ? read[0].resource : read[0].principal;
      EXPECT_EQ(scope.kind, one.kind) << text;
      EXPECT_EQ(scope.is_slot, one.is_slot) << text;
      EXPECT_EQ(scope.type, one.type) << text;
      EXPECT_EQ(scope.entity == nullptr ? "" : to_text(*scope.entity), one.entity) << text;
      EXPECT_EQ(other.kind, Kind::any) << text;
      EXPECT_EQ(read[0].is_template(), one.is_slot) << text;
    }
  }
}

TEST(ParsePolicy, ActionsOfEveryForm) {
  using Kind = ActionScope::Kind;
  const std::vector<std::tuple<std::string, Kind, std::vector<std::string>>> cases{
      {"action", Kind::any, {}},
      {"action == Action::\"a\"", Kind::equal, {"Action::\"a\""}},
      {"action == A::Action::\"a\"", Kind::equal, {"A::Action::\"a\""}},
      {"action in Action::\"a\"", Kind::in, {"Action::\"a\""}},
      {"action in []", Kind::in_list, {}},
      {"action in [Action::\"a\"]", Kind::in_list, {"Action::\"a\""}},
      {"action in [Action::\"a\", Action::\"b\",]",
       Kind::in_list,
       {"Action::\"a\"", "Action::\"b\""}}};
  for (const auto& [text, kind, names] : cases) {
    Expressions expressions;
    const auto read =
        must(parse_policies("permit(principal, " + text + ", resource);", expressions));
    EXPECT_EQ(read[0].action.kind, kind) << text;
    std::vector<std::string> found;
    for (const EntityName* one : read[0].action.entities) found.push_back(to_text(*one));
    EXPECT_EQ(found, names) << text;
  }
}

TEST(ParsePolicy, APolicyWithAllThatItMayHave) {
  Expressions expressions;
  const auto read = must(parse_policies(
      "// first\n\n@id(\"a\\nb\")\n@bare @if(\"reserved\")\nforbid(principal, action, resource,)\n"
      "when { true } unless { context.a } when { 1 == 2 };\n"
      "permit(principal, action, resource);",
      expressions, {.id_prefix = "p"}));
  ASSERT_EQ(read.size(), 2U);
  EXPECT_EQ(read[0].id, "p0");
  EXPECT_EQ(read[1].id, "p1");
  EXPECT_EQ(read[0].effect, Effect::forbid);
  EXPECT_EQ(read[1].effect, Effect::permit);
  EXPECT_EQ(read[0].line, 3U);
  EXPECT_EQ(read[1].line, 7U);
  ASSERT_EQ(read[0].conditions.size(), 3U);
  EXPECT_TRUE(read[0].conditions[0].is_when);
  EXPECT_FALSE(read[0].conditions[1].is_when);
  EXPECT_EQ(read[0].conditions[1].body, must(parse_expression("context.a", expressions)));
  EXPECT_EQ(read[0].annotation("id"), "a\nb");
  EXPECT_EQ(read[0].annotation("bare"), "");
  EXPECT_EQ(read[0].annotation("if"), "reserved");
  EXPECT_EQ(read[0].annotation("gone"), std::nullopt);
  EXPECT_TRUE(read[1].conditions.empty());
  EXPECT_TRUE(must(parse_policies(" // nothing\n", expressions)).empty());
}

TEST(ParsePolicy, WordsOfCedarAreNoReservedWords) {
  Expressions expressions;
  EXPECT_TRUE(parse_expression("context.permit.when.principal", expressions));
  EXPECT_TRUE(parse_expression("{permit: 1, action: 2, contains: 3}", expressions));
  EXPECT_TRUE(parse_expression("principal::\"x\" == context::action::\"y\"", expressions));
  EXPECT_TRUE(parse_policies("permit(principal is ip, action, resource);", expressions));
}

TEST(ParsePolicy, EntityNames) {
  EXPECT_EQ(must(parse_entity_uid(" A::B::\"\\u{e9}\" ")), (EntityUid{"A::B", "\xc3\xa9"}));
  for (const char* text : {"", "A", "A::", "\"x\"", "A::\"x\" B", "A::if::\"x\"", "?principal"}) {
    EXPECT_FALSE(parse_entity_uid(text)) << text;
  }
}

}  // namespace
}  // namespace mailwarden::policy
