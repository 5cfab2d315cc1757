// The same answer as parsing, writing and comparing, for whatever text.
#include "json/canonical.h"

#include <random>

#include <gtest/gtest.h>

namespace mailwarden::json {
namespace {

Result<Value> slowly(const std::string& text) {
  auto value = parse(text);
  if (value && to_text(*value) != text) return fail(Code::invalid, "not canonical JSON");
  return value;
}

void expect_same(const std::string& text) {
  const auto expected = slowly(text);
  const auto found = parse_canonical(text);
  ASSERT_EQ(found.has_value(), expected.has_value()) << text;
  if (found) {
    ASSERT_EQ(*found, *expected) << text;
  }
}

const std::vector<std::string> seeds{
    R"({"a":[1,-2,0,9223372036854775807,-9223372036854775808],"b":{"c":null},"d":[true,false]})",
    R"({"kind":"gap","time":"2026-11-24T02:14:43Z","what":"a \"text\" \\ \b\f\n\r\t\u0000\u001f"})",
    R"({"é":"ü€","漢":"😀"})",
    R"([1.5,1e+21,0.000001,123456789012345680000])",
    R"("")",
    R"([])",
    R"({})"};

TEST(Canonical, TakesWhatIsWrittenAndTellsTheRestApart) {
  for (const std::string& seed : seeds) {
    EXPECT_TRUE(parse_canonical(seed)) << seed;
    expect_same(seed);
  }
  for (const char* other : {"",
                            " 1",
                            "1 ",
                            "01",
                            "-0",
                            "+1",
                            "-",
                            "1.0",
                            "1.50",
                            "1e5",
                            "9223372036854775808",
                            "-9223372036854775809",
                            R"({"b":1,"a":2})",
                            R"({"a":1,"a":2})",
                            R"({"a":1,})",
                            "[1,]",
                            "[1 ,2]",
                            R"({"a" :1})",
                            R"("\/")",
                            R"("\u0041")",
                            R"("\u000A")",
                            R"("\u001F")",
                            R"("\u000a")",
                            R"("\u00e9")",
                            R"("\x")",
                            R"("\u00)",
                            "\"\x01\"",
                            "\"\xff\"",
                            "\"\xc3\"",
                            "tru",
                            "nul",
                            "truex",
                            "nan",
                            R"("a)",
                            "{",
                            "[",
                            R"({"a")",
                            R"({"a":)",
                            R"({1:2})"}) {
    EXPECT_FALSE(parse_canonical(other)) << other;
    expect_same(other);
  }
}

TEST(Canonical, DepthAndSizeHaveTheLimitsOfParsing) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_TRUE(parse_canonical(nested(64)));
  EXPECT_FALSE(parse_canonical(nested(65)));
  EXPECT_FALSE(parse_canonical(R"({"a":"bcdef"})", {.bytes_max = 10}));
}

// One, two or three bytes of a text are another, missing or more.
TEST(Canonical, SpoiltTextsAreJudgedTheSame) {
  std::mt19937 random(20261129);
  const std::string bytes = "\"\\{}[],:0123456789.-+eEubfnrt aAzZ\x01\x1f\x7f\x80\xc3\xa9\xff";
  for (int round = 0; round < 40'000; ++round) {
    std::string text = seeds[random() % seeds.size()];
    for (std::size_t change = random() % 3 + 1; change > 0; --change) {
      const std::size_t at = random() % (text.size() + 1);
      const char byte = bytes[random() % bytes.size()];
      if (random() % 3 == 0 || at == text.size()) {
        text.insert(at, 1, byte);
      } else if (random() % 2 == 0) {
        text[at] = byte;
      } else {
        text.erase(at, 1);
      }
    }
    expect_same(text);
  }
}

}  // namespace
}  // namespace mailwarden::json
