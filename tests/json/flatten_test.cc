#include "json/flatten.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace mailwarden::json {
namespace {

std::vector<std::string> leaves(Flattener& flattener, std::string_view text) {
  std::vector<std::string> found;
  const auto done = flattener.flatten(text, [&](const Leaf& leaf) {
    found.push_back(std::string(leaf.path) + "=" + std::string(leaf.text));
  });
  if (!done) found = {"refused: " + done.error().what};
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

TEST(Flattener, SurvivesTenThousandLevels) {
  Flattener flattener;
  const std::string deep = "{\"a\":" + std::string(10'000, '[') + std::string(10'000, ']') + "}";
  EXPECT_TRUE(leaves(flattener, deep).front().starts_with("refused: "));
  EXPECT_EQ(leaves(flattener, R"({"a":1})").front(), "a=1");
}

}  // namespace
}  // namespace mailwarden::json
