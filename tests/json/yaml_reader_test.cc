// Mistakes are gathered with their places, and reading goes on.
#include "json/yaml_reader.h"

#include <gtest/gtest.h>

namespace mailwarden::yaml {
namespace {

using std::chrono::seconds;

TEST(Reader, GivesWhatIsThereAndTheFallbackWhereItIsNot) {
  Reader reader("f.yaml");
  const auto documents = reader.documents(
      "name: a\nlist: [x, y]\non: true\noff: false\nspan: 5s\nnumber: 7\nmap: {k: v}\n");
  ASSERT_EQ(documents.size(), 1U);
  const Node& map = documents[0];
  EXPECT_EQ(reader.text(map, "name"), "a");
  EXPECT_EQ(reader.text(map, "none", "b"), "b");
  EXPECT_EQ(reader.texts(map, "list"), (std::vector<std::string>{"x", "y"}));
  EXPECT_TRUE(reader.texts_if_any(map, "none").empty());
  EXPECT_TRUE(reader.truth(map, "on", false));
  EXPECT_FALSE(reader.truth(map, "off", true));
  EXPECT_TRUE(reader.truth(map, "none", true));
  EXPECT_EQ(reader.duration(map, "span", seconds(1)), seconds(5));
  EXPECT_EQ(reader.duration(map, "none", seconds(1)), seconds(1));
  EXPECT_EQ(reader.integer(map, "number", 0, 9, 3), 7);
  EXPECT_EQ(reader.integer(map, "none", 0, 9, 3), 3);
  EXPECT_TRUE(reader.is_map(*map.find("map"), "'map'", {"k"}));
  EXPECT_TRUE(reader.mistakes().empty()) << reader.all_mistakes();
}

TEST(Reader, EveryMistakeIsASentenceWithFileAndLine) {
  struct Case {
    const char* name;
    const char* text;
    void (*read)(Reader&, const Node&);
    const char* expected;
  };
  const std::vector<Case> cases{
      {"missing text", "a: 1", [](Reader& r, const Node& n) { r.text(n, "b"); },
       "f.yaml, line 1: 'b' must be a text"},
      {"a list for a text", "x: 1\na: [1]", [](Reader& r, const Node& n) { r.text(n, "a"); },
       "f.yaml, line 2: 'a' must be a text"},
      {"empty text", "a: ''", [](Reader& r, const Node& n) { r.text(n, "a"); },
       "'a' must be a text"},
      {"a text for a list", "a: x", [](Reader& r, const Node& n) { r.texts(n, "a"); },
       "'a' must be a list"},
      {"a map in a list", "a: [{}]", [](Reader& r, const Node& n) { r.texts(n, "a"); },
       "an item of 'a' must be a text"},
      {"truth", "a: maybe", [](Reader& r, const Node& n) { r.truth(n, "a", true); },
       "'a' must be true or false"},
      {"span", "a: soon", [](Reader& r, const Node& n) { r.duration(n, "a", seconds(1)); },
       "'a': "},
      {"no span", "a: 0s", [](Reader& r, const Node& n) { r.duration(n, "a", seconds(1)); },
       "'a': must not be zero"},
      {"number", "a: 10", [](Reader& r, const Node& n) { r.integer(n, "a", 0, 9, 1); },
       "'a' must be a number from 0 to 9"},
      {"unknown name", "a: 1", [](Reader& r, const Node& n) { r.is_map(n, "the file", {"b"}); },
       "'a' is not known in the file"},
      {"no map", "[1]", [](Reader& r, const Node& n) { r.is_map(n, "the file", {}); },
       "the file must be a map"}};
  for (const Case& c : cases) {
    Reader reader("f.yaml");
    const auto documents = reader.documents(c.text);
    ASSERT_EQ(documents.size(), 1U) << c.name;
    c.read(reader, documents[0]);
    EXPECT_NE(reader.all_mistakes().find(c.expected), std::string::npos)
        << c.name << ": " << reader.all_mistakes();
  }
}

TEST(Reader, TextThatIsNoYamlIsAMistakeToo) {
  Reader reader("f.yaml");
  EXPECT_TRUE(reader.documents("a: [").empty());
  EXPECT_EQ(reader.mistakes().size(), 1U);
  EXPECT_TRUE(reader.all_mistakes().starts_with("f.yaml, "));
}

}  // namespace
}  // namespace mailwarden::yaml
