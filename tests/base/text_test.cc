#include "base/text.h"

#include <gtest/gtest.h>

namespace mailwarden {
namespace {

struct Utf8Case {
  const char* name;
  std::string bytes;
  bool valid;
  std::string repaired;
};

class Utf8 : public testing::TestWithParam<Utf8Case> {};

TEST_P(Utf8, IsJudgedAndRepaired) {
  EXPECT_EQ(is_utf8(GetParam().bytes), GetParam().valid);
  EXPECT_EQ(to_utf8(GetParam().bytes), GetParam().repaired);
  EXPECT_TRUE(is_utf8(to_utf8(GetParam().bytes)));
}

INSTANTIATE_TEST_SUITE_P(
    Cases, Utf8,
    testing::Values(Utf8Case{"Empty", "", true, ""},
                    Utf8Case{"LongAscii", "the quick brown fox jumps", true,
                             "the quick brown fox jumps"},
                    Utf8Case{"TwoThreeFourBytes", "é€😀", true, "é€😀"},
                    Utf8Case{"LastCodePoint", "\xF4\x8F\xBF\xBF", true, "\xF4\x8F\xBF\xBF"},
                    Utf8Case{"BeyondLastCodePoint", "\xF4\x90\x80\x80", false, "����"},
                    Utf8Case{"Overlong", "\xC0\xAF", false, "��"},
                    Utf8Case{"OverlongThree", "\xE0\x80\xAF", false, "���"},
                    Utf8Case{"Surrogate", "\xED\xA0\x80", false, "���"},
                    Utf8Case{"CutShort", "abcdefgh\xE2\x82", false, "abcdefgh��"},
                    Utf8Case{"LoneContinuation", "a\x80z", false, "a�z"}),
    [](const auto& info) { return info.param.name; });

TEST(Printable, ShowsWhatATerminalWouldObey) {
  EXPECT_EQ(printable("a\nb"), "a\\x0ab");
  EXPECT_EQ(printable("\x1B[31m"), "\\x1b[31m");
  EXPECT_EQ(printable("\xC2\x9B"), "\\xc2\\x9b");
  EXPECT_EQ(printable("\xFF"), "\\xff");
  EXPECT_EQ(printable("back\\slash é"), "back\\\\slash é");
}

TEST(Split, KeepsEmptyParts) {
  EXPECT_EQ(split("a,,b,", ','), (std::vector<std::string_view>{"a", "", "b", ""}));
  EXPECT_EQ(split("", ','), (std::vector<std::string_view>{""}));
}

TEST(Trim, TakesWhiteSpaceOffBothEnds) {
  EXPECT_EQ(trim(" \t a b \r\n"), "a b");
  EXPECT_EQ(trim(" \n"), "");
}

TEST(Case, IsAsciiOnly) {
  EXPECT_EQ(to_lower("ABC-Éz"), "abc-Éz");
  EXPECT_TRUE(equal_ignoring_case("Root", "rOOT"));
  EXPECT_FALSE(equal_ignoring_case("root", "roots"));
}

TEST(Numbers, TakeTheWholeTextOrNothing) {
  EXPECT_EQ(to_integer("-42"), -42);
  EXPECT_EQ(to_integer("42x"), std::nullopt);
  EXPECT_EQ(to_integer(""), std::nullopt);
  EXPECT_EQ(to_integer("9223372036854775808"), std::nullopt);
  EXPECT_EQ(to_number("1.5e3"), 1500.0);
  EXPECT_EQ(to_number("1.5 "), std::nullopt);
}

}  // namespace
}  // namespace mailwarden
