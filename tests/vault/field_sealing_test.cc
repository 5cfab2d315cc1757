#include "vault/field_sealing.h"

#include <gmock/gmock.h>

#include "base/text.h"
#include "tests/vault/book.h"

namespace mailwarden::vault {
namespace {

using testing::HasSubstr;

constexpr db::FieldPlace place{.table = "note", .column = "body", .row = "17"};

// A record that names so many.
std::string record(int subjects) {
  std::string text = R"({"raw":"to=)";
  for (int i = 0; i < subjects; ++i) text += "<" + user(i) + "> ";
  return text + R"(","n":1})";
}

std::vector<std::string> pieces(std::string_view sealed) {
  std::vector<std::string> all;
  for (const std::string_view piece : split(sealed.substr(9), '.')) all.emplace_back(piece);
  return all;
}

std::string whole(const std::vector<std::string>& pieces) {
  std::string text = "sealed:1:";
  for (const std::string& piece : pieces) text += (text.size() > 9 ? "." : "") + piece;
  return text;
}

class FieldSealingTest : public BookTest {};

TEST_F(FieldSealingTest, OpensWhatItSealed) {
  const auto vault = open();
  FieldSealing sealing(*vault);
  for (const auto& [subjects, expected] :
       {std::pair{0, 1U}, {1, 1U}, {16, 1U}, {17, 2U}, {200, 13U}}) {
    const std::string value = record(subjects);
    const std::string sealed = sealing.seal(place, value).value();
    EXPECT_TRUE(db::is_sealed(sealed));
    EXPECT_EQ(sealed.find("user"), std::string::npos);
    EXPECT_EQ(pieces(sealed).size(), expected) << subjects;
    EXPECT_EQ(sealing.open(place, sealed), value);
  }
  for (const std::string& value : {std::string(), std::string("\0\xff", 2)}) {
    EXPECT_EQ(sealing.open(place, sealing.seal(place, value).value()), value);
  }
}

TEST_F(FieldSealingTest, APieceThatIsSwappedDroppedOrMixedIsRefused) {
  const auto vault = open();
  FieldSealing sealing(*vault);
  const auto of = [&](std::string_view row) {
    return pieces(sealing.seal({"note", "body", row}, record(40)).value());
  };
  const auto mine = of("17");
  const auto other = of("18");
  ASSERT_EQ(mine.size(), 3U);
  EXPECT_EQ(sealing.open(place, whole(mine)), record(40));
  using Pieces = std::vector<std::string>;
  for (const Pieces& spoilt :
       {Pieces{mine[1], mine[0], mine[2]}, Pieces{mine[0], mine[1]}, Pieces{mine[1], mine[2]},
        Pieces{mine[0]}, Pieces{mine[0], mine[1], mine[2], mine[2]},
        Pieces{mine[0], mine[1], mine[1]}, Pieces{mine[0], other[1], mine[2]}, other}) {
    const auto opened = sealing.open(place, whole(spoilt));
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Code::corrupt) << opened.error().what;
  }
}

TEST_F(FieldSealingTest, WhatIsNoSealedTextIsCorrupt) {
  const auto vault = open();
  FieldSealing sealing(*vault);
  const std::string good = sealing.seal(place, "v").value();
  for (const std::string& spoilt :
       {std::string(), std::string("sealed:"), std::string("sealed:1:"), std::string("sealed:1:.."),
        std::string("sealed:1:AA=="), "sealed:2:" + good.substr(9), good + ".", good + "=",
        good.substr(0, good.size() - 4), "x" + good, good + "." + good.substr(9)}) {
    const auto opened = sealing.open(place, spoilt);
    ASSERT_FALSE(opened) << spoilt;
    EXPECT_EQ(opened.error().code, Code::corrupt) << spoilt;
    EXPECT_THAT(opened.error().what, HasSubstr("note.body of row '17"));
  }
}

TEST_F(FieldSealingTest, WithoutAnyOneOfItsSubjectsAValueIsLost) {
  const auto vault = open();
  FieldSealing sealing(*vault);
  const std::string one = sealing.seal(place, record(1)).value();
  const std::string none = sealing.seal(place, record(0)).value();
  const auto others = [](int i) { return "<" + user(i) + "> but not the others"; };
  for (const int i : {1, 16, 17, 39}) {
    const std::string all = sealing.seal(place, record(40)).value();
    const std::string next = sealing.seal(place, others(i + 1)).value();
    ASSERT_EQ(sealing.open(place, all), record(40));
    ASSERT_EQ(vault->shred(user(i)), true);
    const auto opened = sealing.open(place, all);
    ASSERT_FALSE(opened) << i;
    EXPECT_EQ(opened.error().code, Code::not_found) << opened.error().what;
    EXPECT_EQ(sealing.open(place, next), others(i + 1));
    EXPECT_EQ(sealing.open(place, one), record(1));
    EXPECT_EQ(sealing.open(place, none), record(0));
  }
}

TEST_F(FieldSealingTest, EveryWayOfWritingAnAddressReachesIt) {
  const auto vault = open();
  FieldSealing sealing(*vault);
  for (const std::string value :
       {"user=erin@example.com,", "erin%40example.com", R"({"user":"Erin\u0040Example.com"})",
        R"({"to":"\u003cerin@example.com\u003e"})", "o'brien, 'erin@example.com'"}) {
    const std::string sealed = sealing.seal(place, value).value();
    ASSERT_EQ(sealing.open(place, sealed), value);
    ASSERT_EQ(vault->shred("erin@example.com"), true) << value;
    EXPECT_EQ(sealing.open(place, sealed).error().code, Code::not_found) << value;
  }
}

TEST_F(FieldSealingTest, ThatItIsLostSaysMoreThanThatTheKekIsAway) {
  const auto vault = open();
  FieldSealing sealing(*vault);
  const std::string sealed = sealing.seal(place, record(40)).value();
  ASSERT_EQ(vault->shred(user(39)), true);
  vault->forget();
  provider->cut = true;
  EXPECT_EQ(sealing.open(place, sealed).error().code, Code::not_found);
  provider->cut = false;
  ASSERT_TRUE(vault->unlock());
  const std::string left = sealing.seal(place, record(38)).value();
  vault->forget();
  provider->cut = true;
  EXPECT_EQ(sealing.open(place, left).error().code, Code::unavailable);
}

TEST_F(FieldSealingTest, ABatchThatIsExpectedCostsNoKeyForEachValue) {
  const auto vault = open();
  FieldSealing sealing(*vault);
  const std::string first = record(100);
  const std::array<std::string_view, 3> values{first, "<user7@example.com>", "nobody"};
  ASSERT_TRUE(sealing.expect(values));
  EXPECT_EQ(vault->counts().value().front().keys, 103);
  const int asked = provider->asked;
  ASSERT_TRUE(sealing.expect(values));
  for (const std::string_view value : values) ASSERT_TRUE(sealing.seal(place, value));
  EXPECT_EQ(provider->asked, asked);
}

// One more than any book's cache takes at once.
TEST_F(FieldSealingTest, ABatchMayNameMoreThanThereIsRoomFor) {
  const auto vault = open();
  FieldSealing sealing(*vault);
  const std::string value = record(5000);
  const std::string_view view = value;
  ASSERT_TRUE(sealing.expect({&view, 1}));
  EXPECT_EQ(vault->counts().value().front().keys, 5003);
}

TEST_F(FieldSealingTest, WhatIsExpectedWithoutTheKekIsSealedForLater) {
  const auto vault = open();
  FieldSealing sealing(*vault);
  vault->forget();
  provider->cut = true;
  const std::string value = record(20);
  const std::string_view view = value;
  ASSERT_TRUE(sealing.expect({&view, 1}));
  const std::string sealed = sealing.seal(place, value).value();
  EXPECT_EQ(sealing.open(place, sealed), value) << "the book's private share is in memory";
}

TEST_F(FieldSealingTest, AnIndexIsOfEveryByte) {
  const auto vault = open();
  FieldSealing sealing(*vault);
  const std::string ada = sealing.index("note", "who", "ada").value();
  EXPECT_EQ(ada.size(), 64U);
  EXPECT_EQ(ada.find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_EQ(sealing.index("note", "who", "ada"), ada);
  for (const auto& [table, column, value] : {std::tuple{"note", "who", "Ada"},
                                             {"note", "who", "ada "},
                                             {"note", "what", "ada"},
                                             {"other", "who", "ada"}}) {
    EXPECT_NE(sealing.index(table, column, value), ada) << table << column << value;
  }
}

}  // namespace
}  // namespace mailwarden::vault
