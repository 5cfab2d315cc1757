// Differences between objects: kept, put back, and given up where something else has changed.
#include "respond/cacao_kept.h"

#include <gtest/gtest.h>

namespace mailwarden::respond::cacao {
namespace {

using json::Object;

Object parsed(const char* text) {
  return *json::parse(text)->as_object();
}

struct KeptCase {
  const char* name;
  const char* usual;
  const char* real;
};

constexpr KeptCase cases[] = {
    {"equal", R"({"a": 1})", R"({"a": 1})"},
    {"more", R"({"a": 1})", R"({"a": 1, "b": {"c": []}})"},
    {"less", R"({"a": 1, "b": 2})", R"({"a": 1})"},
    {"another", R"({"a": 1})", R"({"a": "x"})"},
    {"within", R"({"a": {"b": 1, "c": 2}})", R"({"a": {"b": 1, "d": 3}})"},
    {"emptied", R"({"a": {"b": 1}})", R"({"a": {}})"},
    {"an_object_for_a_text", R"({"a": "x"})", R"({"a": {"b": 1}})"},
    {"a_text_for_an_object", R"({"a": {"b": 1}})", R"({"a": "x"})"},
    {"odd_names", R"({"a/b": {"~c": 1}})", R"({"a/b": {"~c": 2, "": 3}})"},
    {"null_is_something", R"({"a": 1})", R"({"a": null, "b": null})"}};

TEST(Kept, GivesBackWhatWasKept) {
  for (const KeptCase& one : cases) {
    const Object differences = keep(parsed(one.usual), parsed(one.real));
    EXPECT_EQ(kept(parsed(one.usual), differences), parsed(one.real)) << one.name;
  }
  EXPECT_TRUE(keep(parsed(R"({"a": 1})"), parsed(R"({"a": 1})")).empty());
}

TEST(Kept, LapsesWhereWhatItReplacedHasChanged) {
  const Object differences = keep(parsed(R"({"same": 1, "changed": 1, "gone": 1, "left": 1})"),
                                  parsed(R"({"same": 2, "changed": 2, "gone": 2, "new": 2})"));
  EXPECT_EQ(kept(parsed(R"({"same": 1, "changed": 5, "left": 5})"), differences),
            parsed(R"({"same": 2, "changed": 5, "left": 5, "new": 2})"));
  EXPECT_EQ(kept(parsed(R"({"new": 5})"), differences), parsed(R"({"new": 5})"));
}

TEST(Kept, PassesOverWhatIsNoDifference) {
  for (const char* odd : {R"({"members": 1, "without": 2, "was": 3})", R"({"without": [1, "/a"]})",
                          R"({"was": {"/a": 1}, "members": {"a": 2}})"}) {
    EXPECT_EQ(kept(parsed(R"({"a": 1})"), parsed(odd)), parsed(R"({"a": 1})")) << odd;
  }
}

TEST(Below, EscapesAsPointersDo) {
  EXPECT_EQ(below("", "a"), "/a");
  EXPECT_EQ(below("/a", "b/c~d"), "/a/b~1c~0d");
}

}  // namespace
}  // namespace mailwarden::respond::cacao
