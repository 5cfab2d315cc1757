#include "policy/format.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policy/commented_tokens.h"
#include "policy/policy_json.h"

namespace mailwarden::policy {
namespace {

using testing::HasSubstr;

std::string policies_json(const std::string& text) {
  PolicySet set;
  const auto added = set.add_text(text);
  return added ? json::to_text(to_json(set)) : "refused: " + added.error().what;
}

// What every formatting must keep. Gives the formatted text.
std::string formatted(const std::string& text, const FormatOptions& options = {}) {
  const auto made = format_policies(text, options);
  if (!made) return "refused: " + made.error().what;
  EXPECT_EQ(policies_json(*made), policies_json(text)) << text;
  EXPECT_EQ(format_policies(*made, options), made) << text;
  EXPECT_TRUE(say_the_same(text, *made)) << text;
  return *made;
}

struct FormatCase {
  const char* name;
  std::string text;
  std::string expected;
};

class Format : public testing::TestWithParam<FormatCase> {};

TEST_P(Format, LaysOut) {
  EXPECT_EQ(formatted(GetParam().text), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    Policies, Format,
    testing::Values(
        FormatCase{"Nothing", " \n", ""},
        FormatCase{"AScopeThatFits", "permit(principal,action,resource);",
                   "permit (principal, action, resource);\n"},
        FormatCase{"AScopeThatIsLong",
                   R"(forbid(principal is Mail::User in ?principal, action in [Action::"view",)"
                   R"(Action::"edit",],resource==A::"b//c");)",
                   R"(forbid (
  principal is Mail::User in ?principal,
  action in [Action::"view", Action::"edit"],
  resource == A::"b//c"
);
)"},
        FormatCase{"ALongListOfActions",
                   R"(permit(principal, action in [Action::"view_photo", Action::"list_albums",)"
                   R"(Action::"delete_photo"], resource,);)",
                   R"(permit (
  principal,
  action in [
    Action::"view_photo",
    Action::"list_albums",
    Action::"delete_photo"
  ],
  resource
);
)"},
        FormatCase{"AnnotationsStandOnLines", R"(@id ("a")@b permit(principal,action,resource);)",
                   "@id(\"a\")\n@b\npermit (principal, action, resource);\n"},
        FormatCase{
            "PoliciesStandApart",
            "permit(principal,action,resource);forbid(principal,action,resource);",
            "permit (principal, action, resource);\n\nforbid (principal, action, resource);\n"},
        FormatCase{
            "ConditionsThatFit",
            "permit(principal,action,resource)when{true}unless{ false||!true };",
            "permit (principal, action, resource)\nwhen { true }\nunless { false || !true };\n"},
        FormatCase{"SpacesOfExpressions",
                   R"(permit(principal,action,resource) when{-1>- 2+3*-4&&[ ]==[1,"a",]&&)"
                   R"({ }=={a:1,"b c":A::"x"}};)",
                   R"(permit (principal, action, resource)
when { -1 > -2 + 3 * -4 && [] == [1, "a"] && {} == {a: 1, "b c": A::"x"} };
)"},
        FormatCase{"Words",
                   R"(permit(principal,action,resource) when{principal has a.b||)"
                   R"(principal like"*"||principal is A in B::"c"};)",
                   R"(permit (principal, action, resource)
when { principal has a.b || principal like "*" || principal is A in B::"c" };
)"},
        FormatCase{"ColumnsAreCharacters",
                   "permit(principal,action,resource)when{principal == U::\"" +
                       std::string(30, 'a') + "ééééé" + std::string(17, 'a') + "\"};",
                   "permit (principal, action, resource)\nwhen { principal == U::\"" +
                       std::string(30, 'a') + "ééééé" + std::string(17, 'a') + "\" };\n"},
        FormatCase{"AStringOverLines",
                   "permit(principal,action,resource)when{\"a\n  b\" == \"c\"};",
                   "permit (principal, action, resource)\nwhen { \"a\n  b\" == \"c\" };\n"}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    LongExpressions, Format,
    testing::Values(
        FormatCase{
            "OperatorsEndLines",
            "permit(principal,action,resource)when{principal.department == \"engineering\" && "
            "principal.jobLevel >= 5 || resource.owner == principal || context.emergency == true};",
            R"(permit (principal, action, resource)
when {
  principal.department == "engineering" && principal.jobLevel >= 5 ||
  resource.owner == principal ||
  context.emergency == true
};
)"},
        FormatCase{
            "OperandsStandOff",
            "permit(principal,action,resource)when{principal.department == \"engineering\" && "
            "principal.jobLevel >= 5 && context.aaaaaaaaaaaaaaa || resource.owner == principal};",
            R"(permit (principal, action, resource)
when {
  principal.department == "engineering" &&
    principal.jobLevel >= 5 &&
    context.aaaaaaaaaaaaaaa ||
  resource.owner == principal
};
)"},
        FormatCase{
            "BracketsBreakTheirOwnLines",
            "permit(principal,action,resource)when{!(resource.labels.containsAny([\"secret\", "
            "\"top-secret\", \"restricted\", \"export-controlled\"])) && (principal.aaaaaaaaaaaaa "
            "== {name: \"x\", other: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]})};",
            R"(permit (principal, action, resource)
when {
  !(
    resource.labels.containsAny(
      ["secret", "top-secret", "restricted", "export-controlled"]
    )
  ) &&
  (
    principal.aaaaaaaaaaaaa == {
      name: "x",
      other: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]
    }
  )
};
)"},
        FormatCase{"RelationsAndSums",
                   "permit(principal,action,resource)when{context.aaaaaaaaaaaaaaaaaaaaaa + "
                   "context.bbbbbbbbbbbbbbbbbbb * 3 - 4 > context.ccccccccccccccccccccccccccccc};",
                   R"(permit (principal, action, resource)
when {
  context.aaaaaaaaaaaaaaaaaaaaaa + context.bbbbbbbbbbbbbbbbbbb * 3 - 4 >
    context.ccccccccccccccccccccccccccccc
};
)"},
        FormatCase{
            "Choices",
            "permit(principal,action,resource)when{if principal.aaaaaaaaaaaaaaaaaaaaaaaaaaa then "
            "principal.bbbbbbbbbbbbbbbbbbbbbb else if context.c then true else false};",
            R"(permit (principal, action, resource)
when {
  if principal.aaaaaaaaaaaaaaaaaaaaaaaaaaa
  then principal.bbbbbbbbbbbbbbbbbbbbbb
  else if context.c then true else false
};
)"},
        FormatCase{
            "Calls",
            "permit(principal,action,resource)when{context.time.toDate() < "
            "datetime(\"2025-01-01T00:00:00Z\").offset(duration(\"1d2h3m\")) && resource[\"a "
            "b\"]};",
            R"(permit (principal, action, resource)
when {
  context.time.toDate() <
    datetime("2025-01-01T00:00:00Z").offset(duration("1d2h3m")) &&
  resource["a b"]
};
)"}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Comments, Format,
    testing::Values(
        FormatCase{"Alone", "\n\n// a  \n//b", "// a\n//b\n"},
        FormatCase{"AtTheEnd", "permit(principal,action,resource);\n// a\n\n// b\n\n\n",
                   "permit (principal, action, resource);\n\n// a\n\n// b\n"},
        FormatCase{
            "BeforeWhatFitsOnALine",
            "permit(principal,action,resource)when{true && // a\n// b\nprincipal.a == context.b};",
            R"(permit (principal, action, resource)
when {
  true && // a
  // b
  principal.a == context.b
};
)"},
        FormatCase{
            "BeforePoliciesWithEmptyLines",
            "// file\n\n\n\n// policy\n@id(\"a\")\npermit(principal,action,resource);\n\n\n// "
            "second\n\npermit(principal,action,resource); // tail\n// end\n",
            "// file\n\n// policy\n@id(\"a\")\npermit (principal, action, resource);\n\n"
            "// second\n\npermit (principal, action, resource); // tail\n\n// end\n"},
        FormatCase{"BehindTokensAndOnLines",
                   R"(@id("a") // of the annotation
permit ( // of the bracket
  principal // of the principal
  , // of the comma
  action, resource // of the resource
  // last of the scope
)
// of the condition
when { // body
  true // first
  // second
  && [1, // one
      2, // two
      // rest
     ].contains(1)
  // last of the body
} // behind
;
)",
                   R"(@id("a") // of the annotation
permit ( // of the bracket
  principal, // of the principal
  // of the comma
  action,
  resource // of the resource
  // last of the scope
)
// of the condition
when { // body
  true && // first
  // second
  [
    1, // one
    2 // two
    // rest
  ].contains(1)
  // last of the body
}; // behind
)"},
        FormatCase{"InTheMiddleOfARelation",
                   "permit(principal,action,resource)when{principal.a == // why\n1 &&\n// x\n!// "
                   "y\ntrue};",
                   R"(permit (principal, action, resource)
when {
  principal.a == // why
    1 &&
  // x
  ! // y
  true
};
)"},
        FormatCase{"InEmptyBrackets",
                   "permit(principal,action,resource)when{[// a\n] == [\n// b\n]};",
                   R"(permit (principal, action, resource)
when {
  [ // a
  ] == [
    // b
  ]
};
)"},
        FormatCase{"AreNotInStrings",
                   "permit(principal,action,resource)when{\"// a\" == \"b\"// c\n};",
                   R"(permit (principal, action, resource)
when {
  "// a" == "b" // c
};
)"},
        FormatCase{"OfOtherLineEnds",
                   "// a\r\n\r\n// b\rpermit(principal,action,resource);// c\r\n",
                   "// a\n\n// b\npermit (principal, action, resource); // c\n"}),
    [](const auto& info) { return info.param.name; });

TEST(FormatOptions, SetWidthAndIndent) {
  const std::string text = "permit(principal,action,resource)when{true && context.a};";
  EXPECT_EQ(formatted(text, {.line_width = 20, .indent = 4}),
            "permit (\n    principal,\n    action,\n    resource\n)\nwhen {\n"
            "    true &&\n    context.a\n};\n");
  EXPECT_EQ(formatted(text, {.line_width = 1000}),
            "permit (principal, action, resource)\nwhen { true && context.a };\n");
  // The semicolon belongs to the line.
  EXPECT_THAT(formatted(text, {.line_width = 26}), HasSubstr("{\n  true && context.a\n};"));
  EXPECT_THAT(formatted(text, {.line_width = 27}), HasSubstr("{ true && context.a };"));
}

TEST(FormatErrors, AreTheParsers) {
  const auto refused = format_policies("permit(principal, action);");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::invalid);
  EXPECT_EQ(refused.error().what, "line 1, column 25: ')' where ',' was expected");
  EXPECT_FALSE(format_policies("// too long", {.parse = {.bytes_max = 5}}));
}

TEST(SayTheSame, TellsTokensAndComments) {
  EXPECT_TRUE(say_the_same("a [b, c,] // x\n", "a[b,c]\n\n// x"));
  EXPECT_FALSE(say_the_same("a b", "ab"));
  EXPECT_FALSE(say_the_same("a // x", "a // y"));
  EXPECT_FALSE(say_the_same("a // x", "a"));
  EXPECT_FALSE(say_the_same("// x\n// y\na", "// y\n// x\na"));
  EXPECT_FALSE(say_the_same("\"a\"", "a"));
}

// The text with comments and line ends between tokens, wherever chance has it.
std::string spoiled(const std::string& text, std::mt19937& random) {
  const auto one_of = [&](std::initializer_list<std::string_view> all) {
    return std::string(all.begin()[random() % all.size()]);
  };
  std::string made;
  Lexer lexer(text);
  std::size_t behind = 0;
  int number = 0;
  for (Token token = lexer.take(); token.kind != Token::Kind::end; token = lexer.take()) {
    const std::size_t end =
        token.at + token.text.size() + (token.kind == Token::Kind::string ? 2 : 0);
    made += text.substr(behind, end - behind);
    behind = end;
    while (random() % 6 == 0) {
      made += one_of({"", " ", "\n", "\n\n \n"}) + "//" + one_of({"", " ", "\"", "// "}) +
              std::to_string(number++) + one_of({"", " ", "\t "}) + one_of({"\n", "\r\n", "\n\n"});
    }
    if (random() % 8 == 0) made += one_of({"\n", " ", "\n\n"});
  }
  return made;
}

TEST(FormatProperty, KeepsMeaningAndCommentsWhereverTheyStand) {
  const std::string text = R"(
@id("a") @b permit(principal == ?principal, action in [Action::"v", A::Action::"w",], resource
  is A::B in C::"d") when { principal.a["b c"].contains(1) == -3 + 4 * 5 - [1, {a: 2, "b": []}] ||
  !! (true && false) ||
  (if ip("x").isIpv4() then principal has a.b.c else context like "*\*") } unless
  { principal is A && principal in [B::"c"] }; forbid(principal, action == Action::"x", resource);
permit(principal in A::"b", action, resource == ?resource) when { datetime("x").offset(1) <= 2 };)";
  ASSERT_EQ(policies_json(text).substr(0, 7), R"({"stati)") << policies_json(text);
  std::mt19937 random(20260101);
  for (int round = 0; round < 400; ++round) {
    const std::string one = spoiled(text, random);
    const FormatOptions options{.line_width = 10 + random() % 100, .indent = random() % 5};
    const std::string made = formatted(one, options);
    ASSERT_FALSE(made.starts_with("refused")) << made << one;
    ASSERT_THAT(made, testing::Not(testing::AnyOf(HasSubstr(" \n"), HasSubstr("\n\n\n"))));
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace mailwarden::policy
