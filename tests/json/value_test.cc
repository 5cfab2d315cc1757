#include "json/value.h"

#include <random>

#include <gtest/gtest.h>

#include "json/base64.h"
#include "json/document.h"
#include "tests/rounds.h"

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

// White space makes a text too long for the fast reader. Both are to say the same of whatever
// becomes of these texts when bytes of them are lost, doubled or others.
TEST(Parse, TheFastReaderAndTheOtherSayTheSame) {
  using namespace std::string_view_literals;
  const std::string space(70'000, ' ');
  const std::vector<std::string> seeds{
      R"({"subject":{"type":"User","id":"a@example.com"},"list":[1,-2,3.5,1e9,true,false,null]})",
      R"([{"a":{"b":[[],{},""]}},"\u00e9\ud83d\ude00\n","é€😀",9223372036854775808,-0])",
      R"({"context":{"mfa":true,"age":-0.5,"":{}},"resource":{"id":"billing-db"}})",
      R"([1.7976931348623157e308,0.1e-400,18446744073709551615,-9223372036854775808])",
      R"({"a":1,"b":{"c":2,"d":"c"}})",
      R"(["\ud800",1e400,"\udc00"])"};
  std::mt19937_64 random(20261130);
  std::size_t read = 0;
  std::size_t refused = 0;
  for (std::uint64_t round = 0; round < rounds(4000); ++round) {
    std::string text = seeds[round % seeds.size()];
    for (std::uint64_t edits = random() % 4; edits > 0 && !text.empty(); --edits) {
      const std::size_t at = random() % text.size();
      constexpr std::string_view bytes = "{}[],:\"\\u0dDeE+-.1 \t\x01\x80\0"sv;
      if (random() % 3 == 0) {
        text.erase(at, 1 + random() % 3);
      } else if (random() % 2 == 0) {
        text.insert(at, text.substr(random() % text.size(), random() % 12));
      } else {
        text[at] = bytes[random() % bytes.size()];
      }
    }
    const ParseOptions options{.depth_max = 1 + random() % 5};
    const auto fast = parse(text, options);
    const auto other = parse(text + space, options);
    ASSERT_EQ(fast.has_value(), other.has_value()) << text;
    Document document;
    Value whole;
    const auto view = document.read(text, whole, options);
    ASSERT_EQ(view.has_value(), fast.has_value()) << text;
    fast ? ++read : ++refused;
    if (!fast) {
      EXPECT_EQ(view.error().what, fast.error().what);
      continue;
    }
    ASSERT_EQ(to_text(*fast), to_text(*other)) << text;
    EXPECT_EQ(*fast, *other) << text;
    EXPECT_EQ(view->to_value(), *fast) << text;
  }
  EXPECT_GT(read, rounds(4000) / 8);
  EXPECT_GT(refused, rounds(4000) / 8);
}

TEST(Parse, NothingBehindAByteOfZeroIsLookedAwayFrom) {
  const std::string text("{\"a\":1}\0{\"b\":2}", 15);
  EXPECT_EQ(parse(text).error().what, "not valid JSON at byte 8");
}

// Short and long, and with what the fast reader leaves to the other.
TEST(Document, IsReadWhereItStands) {
  Document document;
  Value whole;
  for (const std::string& behind : {std::string(), std::string(70'000, ' ')}) {
    for (const std::string text : {"caf\xC3\xA9", "caf\\u00e9"}) {
      const std::string json = R"({"a":{"b":")" + text + R"(","n":5,"z":null},"list":[]})" + behind;
      const auto view = document.read(json, whole);
      ASSERT_TRUE(view) << view.error().what;
      EXPECT_TRUE(view->is_object());
      EXPECT_EQ((*view)["a"]["b"].text(), "caf\xC3\xA9");
      EXPECT_EQ((*view)["a"].to_value(), (*parse(json))["a"]);
      EXPECT_EQ((*view)["a"]["n"].text(), std::nullopt);
      EXPECT_TRUE((*view)["a"]["z"].is_null());
      EXPECT_TRUE((*view)["x"]["y"].is_null());
      EXPECT_TRUE((*view)["list"]["y"].is_null());
      EXPECT_FALSE((*view)["list"].is_object());
      EXPECT_FALSE((*view)["list"].is_null());
    }
  }
  EXPECT_EQ(document.read("[", whole).error().what, "not valid JSON at byte 2");
  EXPECT_EQ(document.read("[1]", whole, {.bytes_max = 2}).error().code, Code::full);
  EXPECT_EQ(document.read("7", whole)->to_value(), Value(7));
}

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
