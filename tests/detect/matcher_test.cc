#include "detect/matcher.h"

#include <gtest/gtest.h>

#include "detect/fold.h"

namespace mailwarden::detect {
namespace {

struct PatternCase {
  const char* name;
  std::string pattern;
  Pattern::Plain anchor;
  std::string value;
  bool matches;
};

Pattern pattern_of(std::string_view text, Pattern::Plain anchor) {
  Pattern pattern = Pattern::parse(text);
  const bool anywhere = anchor == Pattern::Plain::anywhere;
  if (anywhere || anchor == Pattern::Plain::end) pattern.open_start();
  if (anywhere || anchor == Pattern::Plain::start) pattern.open_end();
  return pattern;
}

class PatternTest : public testing::TestWithParam<PatternCase> {};

TEST_P(PatternTest, MatchesAsWritten) {
  const auto& c = GetParam();
  Pattern pattern = pattern_of(c.pattern, c.anchor);
  pattern.fold_case();
  EXPECT_EQ(pattern.matches(fold(c.value)), c.matches);
}

constexpr auto whole = Pattern::Plain::whole;
constexpr auto start = Pattern::Plain::start;
constexpr auto end = Pattern::Plain::end;
constexpr auto anywhere = Pattern::Plain::anywhere;

INSTANTIATE_TEST_SUITE_P(
    Cases, PatternTest,
    testing::Values(PatternCase{"Whole", "abc", whole, "ABC", true},
                    PatternCase{"WholeIsNotAPart", "abc", whole, "abcd", false},
                    PatternCase{"EmptyIsEmpty", "", whole, "", true},
                    PatternCase{"EmptyIsNotSomething", "", whole, "a", false},
                    PatternCase{"StarIsAnything", "*", whole, "", true},
                    PatternCase{"StarAtEnd", "ab*", whole, "abc", true},
                    PatternCase{"StarAtStart", "*bc", whole, "abc", true},
                    PatternCase{"StarInside", "a*c*e", whole, "abcde", true},
                    PatternCase{"StarInsideNeedsOrder", "a*e*c", whole, "abcde", false},
                    PatternCase{"PartsDoNotOverlap", "ab*ba", whole, "aba", false},
                    PatternCase{"EndIsHeldAgainstTheEnd", "a*b", whole, "abab", true},
                    PatternCase{"EndIsNotTheFirstThatFits", "*ab", whole, "abxab", true},
                    PatternCase{"QuestionIsOne", "a?c", whole, "abc", true},
                    PatternCase{"QuestionIsNotNone", "a?c", whole, "ac", false},
                    PatternCase{"QuestionIsOneCharacterOfUtf8", "a?c", whole, "aéc", true},
                    PatternCase{"QuestionsAndStar", "??*x", whole, "abcx", true},
                    PatternCase{"StarQuestionAtTheEnd", "a*?", whole, "ab", true},
                    PatternCase{"EscapedStar", R"(a\*b)", whole, "a*b", true},
                    PatternCase{"EscapedStarIsNoWildcard", R"(a\*b)", whole, "axb", false},
                    PatternCase{"EscapedQuestion", R"(a\?b)", whole, "a?b", true},
                    PatternCase{"LoneBackslash", R"(C:\Windows)", whole, R"(c:\windows)", true},
                    PatternCase{"TwoBackslashesAreOne", R"(a\\b)", whole, R"(a\b)", true},
                    PatternCase{"EscapedBackslashThenStar", R"(a\\*)", whole, R"(a\bc)", true},
                    PatternCase{"EscapedBackslashAndStar", R"(a\\\*)", whole, R"(a\*)", true},
                    PatternCase{"ThreeBackslashesAreTwo", R"(a\\\b)", whole, R"(a\\b)", true},
                    PatternCase{"FourBackslashesAreTwo", R"(a\\\\b)", whole, R"(a\\b)", true},
                    PatternCase{"BackslashAtTheEnd", R"(a\)", whole, R"(a\)", true},
                    PatternCase{"StartsWith", "ab", start, "abc", true},
                    PatternCase{"StartsWithNotInside", "bc", start, "abc", false},
                    PatternCase{"EndsWith", "bc", end, "abc", true},
                    PatternCase{"EndsWithNotInside", "ab", end, "abc", false},
                    PatternCase{"Contains", "b", anywhere, "abc", true},
                    PatternCase{"ContainsWithStar", "a*d", anywhere, "xxabcdxx", true},
                    PatternCase{"EndsWithQuestion", "b?", end, "abc", true},
                    PatternCase{"LettersBeyondAscii", "É", whole, "é", true},
                    PatternCase{"LongS", "s", whole, "ſ", true},
                    PatternCase{"Kelvin", "\u212A", whole, "k", true},
                    PatternCase{"QuestionIsNotAPartOfACharacter", "??b", end, "\u2026b", false},
                    PatternCase{"QuestionIsAnIllFormedByte", "a?b", whole,
                                "a\xFF"
                                "b",
                                true},
                    PatternCase{"IllFormedBytesAreOneEach", "a?b", whole,
                                "a\x80\x80"
                                "b",
                                false}),
    [](const auto& info) { return info.param.name; });

TEST(PatternTest, CasedKeepsCaseApart) {
  EXPECT_TRUE(Pattern::parse("aBc*").matches("aBcd"));
  EXPECT_FALSE(Pattern::parse("aBc*").matches("abcd"));
}

Subject text(std::string_view value) {
  return {.text = value, .folded = value};
}

TEST(Network, HoldsAddressesOfItsOwnFamily) {
  const Matcher v4 = make_network("192.0.2.128/25").value();
  EXPECT_TRUE(matches(v4, text("192.0.2.129")));
  EXPECT_FALSE(matches(v4, text("192.0.2.127")));
  EXPECT_FALSE(matches(v4, text("not an address")));
  EXPECT_TRUE(matches(v4, text("::ffff:192.0.2.129")));
  const Matcher v6 = make_network("2001:db8::/33").value();
  EXPECT_TRUE(matches(v6, text("2001:db8:7fff::1")));
  EXPECT_FALSE(matches(v6, text("2001:db8:8000::1")));
  EXPECT_TRUE(matches(Matcher(make_network("0.0.0.0/0").value()), text("203.0.113.7")));
  for (const char* wrong : {"192.0.2.0", "192.0.2.0/33", "192.0.2/24", "::/129", "", "/8"}) {
    EXPECT_FALSE(make_network(wrong)) << wrong;
  }
}

TEST(Expression, SearchesAndTakesFlags) {
  EXPECT_TRUE(matches(Matcher(make_expression("b+c", "").value()), text("abbcd")));
  EXPECT_FALSE(matches(Matcher(make_expression("B+C", "").value()), text("abbcd")));
  EXPECT_TRUE(matches(Matcher(make_expression("B+C", "i").value()), text("abbcd")));
  EXPECT_TRUE(matches(Matcher(make_expression("^b", "m").value()), text("a\nb")));
  EXPECT_FALSE(matches(Matcher(make_expression("^b", "").value()), text("a\nb")));
  EXPECT_TRUE(matches(Matcher(make_expression("a.b", "s").value()), text("a\nb")));
  EXPECT_FALSE(make_expression("(", ""));
}

TEST(Number, ComparesWhatIsANumber) {
  using enum Compare;
  const Decimal five = Decimal::parse("5").value();
  EXPECT_TRUE(matches(Matcher(Number{five, equal}), text("5.0")));
  EXPECT_TRUE(matches(Matcher(Number{five, greater_equal}), text("5")));
  EXPECT_FALSE(matches(Matcher(Number{five, greater}), text("5")));
  EXPECT_TRUE(matches(Matcher(Number{five, less}), text("-7")));
  EXPECT_TRUE(matches(Matcher(Number{five, less_equal}), text("5")));
  EXPECT_FALSE(matches(Matcher(Number{five, less}), text("four")));
}

}  // namespace
}  // namespace mailwarden::detect
