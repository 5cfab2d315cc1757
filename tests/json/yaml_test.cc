#include "json/yaml.h"

#include <gtest/gtest.h>

namespace mailwarden::yaml {
namespace {

TEST(Yaml, KeepsLinesOrderAndQuotes) {
  const auto documents = parse("a: 1\nb:\n  - 'on'\n  - on\n---\nsecond: ~\n");
  ASSERT_TRUE(documents) << documents.error().what;
  ASSERT_EQ(documents->size(), 2U);
  const Node& first = documents->front();
  EXPECT_EQ(first.entries[1].first.scalar, "b");
  const Node& list = *first.find("b");
  EXPECT_EQ(list.items[0].line, 3U);
  EXPECT_TRUE(list.items[0].quoted);
  EXPECT_FALSE(list.items[1].quoted);
  EXPECT_TRUE(documents->back().find("second")->is_null());
  EXPECT_EQ(first.find("c"), nullptr);
}

struct Refused {
  const char* name;
  std::string text;
  std::string what;
};

class YamlRefuses : public testing::TestWithParam<Refused> {};

TEST_P(YamlRefuses, WithLineColumnAndReason) {
  const auto documents =
      parse(GetParam().text, {.bytes_max = 1000, .nodes_max = 20, .depth_max = 5});
  ASSERT_FALSE(documents);
  EXPECT_EQ(documents.error().what, GetParam().what);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, YamlRefuses,
    testing::Values(
        Refused{"DoubledName", "a: 1\na: 2\n", "line 2, column 1: 'a' stands twice in one map"},
        Refused{"Anchor", "a: &x 1\n",
                "line 1, column 4: anchors (&name) are not accepted; write the value out"},
        Refused{"Depth", "[[[[[[1]]]]]]", "line 1, column 6: nested deeper than 5 levels"},
        Refused{"Nodes", "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20]",
                "line 1, column 50: more than 20 values"},
        Refused{"ListAsName", "? [a]\n: 1\n",
                "line 1, column 4: a name must be a word, not a list or map"},
        Refused{"Bytes", std::string(1001, ' '), "YAML text of 1001 bytes; at most 1000 are read"}),
    [](const auto& info) { return info.param.name; });

TEST(Yaml, SyntaxErrorsSayWhere) {
  const auto documents = parse("a: [1, 2\nb: 3\n");
  ASSERT_FALSE(documents);
  EXPECT_TRUE(documents.error().what.starts_with("line 2, column ")) << documents.error().what;
}

TEST(Yaml, TruthIsPlainWordsOnly) {
  const auto node = parse("[true, 'true', false, yes]").value().front();
  EXPECT_TRUE(is_true(node.items[0]));
  EXPECT_FALSE(is_true(node.items[1]));
  EXPECT_TRUE(is_false(node.items[2]));
  EXPECT_FALSE(is_true(node.items[3]));
}

TEST(Yaml, AnEmptyTextHasNoDocument) {
  EXPECT_TRUE(parse("").value().empty());
}

}  // namespace
}  // namespace mailwarden::yaml
