#include "json/jcs.h"

#include <gtest/gtest.h>

namespace mailwarden::json {
namespace {

struct Case {
  const char* name;
  const char* text;
  const char* canonical;
};

// RFC 8785: section 3.2.3 for the order of names (U+1F600 is D83D DE00, before U+FB33), appendix B
// for numbers.
constexpr Case cases[] = {
    {"order_of_names",
     R"({"\u20ac":1,"\r":2,"\ufb33":3,"1":4,"\ud83d\ude00":5,"\u0080":6,"\u00f6":7})",
     "{\"\\r\":2,\"1\":4,\"\xc2\x80\":6,\"\xc3\xb6\":7,\"\xe2\x82\xac\":1,"
     "\"\xf0\x9f\x98\x80\":5,\"\xef\xac\xb3\":3}"},
    {"a_name_that_begins_another", R"({"ab":1,"a":2})", R"({"a":2,"ab":1})"},
    {"large_integers", "[9007199254740993,-9007199254740993,9007199254740992]",
     "[9007199254740992,-9007199254740992,9007199254740992]"},
    {"larger_integers", "[295147905179352830000,1e21]", "[295147905179352830000,1e+21]"},
    {"small_numbers", "[0.000001,1e-7,4.50,2e-3,0.000000000000000000000000001]",
     "[0.000001,1e-7,4.5,0.002,1e-27]"},
    {"texts", R"(["\u000f\nA'B\"\\\/"])", R"(["\u000f\nA'B\"\\/"])"},
    {"nested", R"({"b":[{"d":1,"c":{}}],"a":null})", R"({"a":null,"b":[{"c":{},"d":1}]})"}};

TEST(Jcs, IsWhatEveryImplementationWrites) {
  for (const Case& one : cases) {
    const auto value = parse(one.text);
    ASSERT_TRUE(value) << one.name;
    EXPECT_EQ(to_jcs(*value), one.canonical) << one.name;
  }
}

}  // namespace
}  // namespace mailwarden::json
