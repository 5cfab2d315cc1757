#include "json/flatten.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace mailwarden::json {
namespace {

std::vector<std::string> leaves(Flattener& flattener, std::string_view text) {
  std::vector<std::string> found;
  const auto flat = flattener.flatten(text);
  if (!flat) return {"refused: " + flat.error().what};
  for (const Leaf& leaf : *flat) {
    found.push_back(std::string(leaf.path) + "=" + std::string(leaf.text));
  }
  return found;
}

TEST(Flattener, DotsObjectsAndRepeatsLists) {
  Flattener flattener;
  EXPECT_EQ(leaves(flattener, R"({"a":{"b":"x","c":[1,2.5,{"d":true}]},"e":null,"f":[]})"),
            (std::vector<std::string>{"a.b=x", "a.c=1", "a.c=2.5", "a.c.d=true", "e="}));
  EXPECT_EQ(leaves(flattener, R"({"n":-9223372036854775808})"),
            (std::vector<std::string>{"n=-9223372036854775808"}));
}

TEST(Flattener, RefusesWhatIsNotAnObjectOfSaneSize) {
  Flattener flattener({.depth_max = 3, .leaves_max = 2});
  EXPECT_TRUE(leaves(flattener, "{\"a\":").front().starts_with("refused: not valid JSON"));
  EXPECT_EQ(leaves(flattener, "[1]").front(), "refused: valid JSON, but not an object");
  EXPECT_EQ(leaves(flattener, R"({"a":{"b":{"c":{"d":1}}}})").front(),
            "refused: nested deeper than 3 levels");
  EXPECT_EQ(leaves(flattener, R"({"a":[1,2,3]})").front(),
            "refused: more than 2 values in one object");
  EXPECT_TRUE(leaves(flattener, "{\"a\":\"\xFF\"}").front().starts_with("refused: not valid"));
}

TEST(Flattener, ANameThatStandsTwiceIsRefusedOrGivesBoth) {
  Flattener strict;
  EXPECT_EQ(leaves(strict, R"({"a":1,"b":2,"a":3})").front(), "refused: the name 'a' stands twice");
  Flattener lenient({.names_may_repeat = true});
  EXPECT_EQ(leaves(lenient, R"({"a":1,"b":2,"a":3})"),
            (std::vector<std::string>{"a=1", "b=2", "a=3"}));
}

TEST(Flattener, LongNamesInLongListsDoNotGrowWithoutLimit) {
  Flattener flattener({.path_bytes_max = 20});
  EXPECT_EQ(leaves(flattener, R"({"a":{"0123456789":[1,2,3,4,5]}})").size(), 5U);
  EXPECT_EQ(leaves(flattener, R"({"a":[{"0123456789":1},{"0123456789":2}]})").front(),
            "refused: the names are too long");
}

TEST(Flattener, SurvivesTenThousandLevels) {
  Flattener flattener;
  const std::string deep = "{\"a\":" + std::string(10'000, '[') + std::string(10'000, ']') + "}";
  EXPECT_TRUE(leaves(flattener, deep).front().starts_with("refused: "));
  EXPECT_EQ(leaves(flattener, R"({"a":1})").front(), "a=1");
}

}  // namespace
}  // namespace mailwarden::json
