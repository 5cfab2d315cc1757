#include "json/value.h"

#include <gtest/gtest.h>

#include "json/base64.h"

namespace mailwarden::json {
namespace {

struct ReadCase {
  const char* name;
  std::string text;
  std::string canonical;  // empty where the text is refused
};

class Parse : public testing::TestWithParam<ReadCase> {};

TEST_P(Parse, GivesTheCanonicalForm) {
  const auto value = parse(GetParam().text);
  EXPECT_EQ(value ? to_text(*value) : "", GetParam().canonical);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, Parse,
    testing::Values(
        ReadCase{"MembersAreSorted", R"({"b":1,"a":2,"":3})", R"({"":3,"a":2,"b":1})"},
        ReadCase{"WhiteSpaceGoes", " [ 1 , 2 ]\n", "[1,2]"},
        ReadCase{"ShortestEscapes", R"("\u0041\/\u00e9\n\u0007\"")", "\"A/é\\n\\u0007\\\"\""},
        ReadCase{"Integers64", "[9223372036854775807,-9223372036854775808]",
                 "[9223372036854775807,-9223372036854775808]"},
        ReadCase{"BeyondIntegers", "18446744073709551615", "18446744073709552000"},
        ReadCase{"Numbers", "[1.5,0.1,1e3]", "[1.5,0.1,1000]"},
        // The pairs of RFC 8785, appendix B.
        ReadCase{"JcsNumbers",
                 "[-0.0,4.9e-324,1.7976931348623157e308,9007199254740992.0,295147905179352830000.0,"
                 "9.999999999999997e22,1e23,1e21,0.000001,1e-7,333333333.3333333]",
                 "[0,5e-324,1.7976931348623157e+308,9007199254740992,295147905179352830000,"
                 "9.999999999999997e+22,1e+23,1e+21,0.000001,1e-7,333333333.3333333]"},
        ReadCase{"Words", "[null,true,false]", "[null,true,false]"},
        ReadCase{"DoubledName", R"({"a":1,"a":2})", ""}, ReadCase{"TwoValues", "1 2", ""},
        ReadCase{"Truncated", R"({"a":[1,2)", ""}, ReadCase{"NotUtf8", "\"\xFF\"", ""},
        ReadCase{"LoneSurrogate", R"("\ud800")", ""}, ReadCase{"Comment", "/* no */ 1", ""},
        ReadCase{"Empty", "", ""}, ReadCase{"Infinity", "1e999", ""}, ReadCase{"NaN", "NaN", ""},
        ReadCase{"NulByte", std::string("\"a\0b\"", 5), ""}),
    [](const auto& info) { return info.param.name; });

TEST(Parse, TenThousandLevelsAreRefusedWithoutRecursing) {
  const std::string deep = std::string(10'000, '[') + std::string(10'000, ']');
  const auto value = parse(deep);
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().what, "nested deeper than 64 levels");
}

TEST(Parse, SaysWhereItStopped) {
  EXPECT_EQ(parse("{\"a\":x}").error().what, "not valid JSON at byte 6");
  EXPECT_EQ(parse("{\"a\":1,\"a\":1}").error().what, "the member 'a' stands twice");
  EXPECT_EQ(parse("12345", {.bytes_max = 4}).error().code, Code::full);
}

TEST(Value, AbsenceIsQuiet) {
  const Value value = parse(R"({"a":{"b":"text","n":5}})").value();
  EXPECT_EQ(value["a"].text("b"), "text");
  EXPECT_EQ(value["a"].integer("n"), 5);
  EXPECT_EQ(value["x"]["y"].text("z", "otherwise"), "otherwise");
  EXPECT_TRUE(value["a"]["b"]["c"].is_null());
}

TEST(AppendString, RepairsWhatIsNotUtf8) {
  std::string out;
  append_string(out, std::string("a\0\xFF", 3));
  EXPECT_EQ(out, "\"a\\u0000\xEF\xBF\xBD\"");
}

TEST(PrettyText, ReadsBackTheSame) {
  const Value value = parse(R"({"a":[1,{"b":[]}],"c":{}})").value();
  EXPECT_EQ(parse(to_pretty_text(value)).value(), value);
  EXPECT_EQ(to_pretty_text(parse(R"({"a":[1]})").value()), "{\n  \"a\": [\n    1\n  ]\n}");
}

TEST(Base64, KnowsTheVectorsOfRfc4648) {
  const std::vector<std::pair<std::string, std::string>> vectors{{"", ""},
                                                                 {"f", "Zg=="},
                                                                 {"fo", "Zm8="},
                                                                 {"foo", "Zm9v"},
                                                                 {"foob", "Zm9vYg=="},
                                                                 {"fooba", "Zm9vYmE="},
                                                                 {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : vectors) {
    EXPECT_EQ(to_base64(bytes), text);
    EXPECT_EQ(from_base64(text).value(), bytes);
  }
  for (const char* wrong : {"Zg=", "Zg", "Zh==", "Z===", "Zm9v\n", "Zm-v", "=m9v", "Zg==Zg=="}) {
    EXPECT_FALSE(from_base64(wrong)) << wrong;
  }
}

TEST(Base64Url, HasOneTextForOneRunOfBytes) {
  const std::vector<std::pair<std::string, std::string>> vectors{
      {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},          {"foo", "Zm9v"},
      {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xFB\xEF\xFF", "--__"}};
  for (const auto& [bytes, text] : vectors) {
    EXPECT_EQ(to_base64url(bytes), text);
    EXPECT_EQ(from_base64url(text).value(), bytes);
  }
  for (const std::string wrong :
       {"Zg==", "Zg=", "Z", "A", "Zm9vZ", "Zm9vA", "Zh", "Zm9", "Zm9vYmF", "Zm9v\n", " Zm9v",
        "Zm 9v", "Zm+v", "Zm/v", "=", "Zm9v=", "Zm\xC3\xA9"}) {
    EXPECT_FALSE(from_base64url(wrong)) << wrong;
  }
  EXPECT_FALSE(from_base64url(std::string("Zm9v\0", 5)));
}

// Every byte in every place, and every last digit but those whose low bits are zero.
TEST(Base64Url, IsReadBackWhateverTheBytes) {
  for (std::size_t size = 0; size < 8; ++size) {
    for (int byte = 0; byte < 256; ++byte) {
      const std::string bytes(size, static_cast<char>(byte));
      const std::string text = to_base64url(bytes);
      EXPECT_EQ(from_base64url(text).value(), bytes);
      if (size % 3 == 0) continue;
      std::string stray = text;
      stray.back() = static_cast<char>(stray.back() + 1);
      EXPECT_FALSE(from_base64url(stray)) << stray;
    }
  }
}

}  // namespace
}  // namespace mailwarden::json
