#include "detect/encoding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "detect/fold.h"
#include "json/base64.h"

namespace mailwarden::detect {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

// RFC 4648, section 10.
TEST(Base64, TestVectors) {
  EXPECT_EQ(json::to_base64(""), "");
  EXPECT_EQ(json::to_base64("f"), "Zg==");
  EXPECT_EQ(json::to_base64("foobar"), "Zm9vYmFy");
}

TEST(Base64Offsets, StandInTheEncodingOfWhateverHoldsTheText) {
  for (const std::string text : {"IEX", "/bin/bash", "http://", "New-Object "}) {
    const auto forms = base64_offsets(text);
    ASSERT_EQ(forms.size(), 3U);
    for (std::size_t before = 0; before < 9; ++before) {
      for (std::size_t behind = 0; behind < 3; ++behind) {
        const std::string whole =
            json::to_base64(std::string(before, 'x') + text + std::string(behind, 'y'));
        EXPECT_THAT(whole, HasSubstr(forms[before % 3])) << text << " at " << before;
      }
    }
  }
}

TEST(Utf16, EncodesEveryPlane) {
  EXPECT_EQ(*utf16("cmd", Utf16::little), std::string("c\0m\0d\0", 6));
  EXPECT_EQ(*utf16("cmd", Utf16::big), std::string("\0c\0m\0d", 6));
  EXPECT_EQ(*utf16("cmd", Utf16::marked), std::string("\xFF\xFE"
                                                      "c\0m\0d\0",
                                                      8));
  EXPECT_EQ(*utf16("\u00e9\u20ac", Utf16::big), std::string("\x00\xE9\x20\xAC", 4));
  EXPECT_EQ(*utf16("\U00010437", Utf16::big), std::string("\xD8\x01\xDC\x37", 4));
  EXPECT_FALSE(utf16("\xFF", Utf16::little));
}

TEST(Dashes, OnlyThoseThatBeginAWordChange) {
  EXPECT_THAT(*dashes("-x"), ElementsAre("-x", "/x", "\u2013x", "\u2014x", "\u2015x"));
  EXPECT_THAT(*dashes(" /s a-b - c"), SizeIs(5));
  EXPECT_THAT(*dashes("a-b --"), ElementsAre("a-b --"));
  EXPECT_THAT(*dashes("-a -b"), SizeIs(25));
  EXPECT_THAT(*dashes("-a -b -c -d -e"), SizeIs(3125));
  EXPECT_FALSE(dashes("-a -b -c -d -e -f"));
}

TEST(Fold, MapsCodePointsAndLeavesBytesThatAreNone) {
  EXPECT_EQ(fold("ABCxyz[@`{0189 \\"), "abcxyz[@`{0189 \\");
  EXPECT_EQ(fold("\u00c4\u0416\u03a3\u03c2"), "\u00e4\u0436\u03c3\u03c3");
  EXPECT_EQ(fold("\u017f\u212a"), "sk");
  EXPECT_EQ(fold("A\xFF"
                 "B\xC3"),
            "a\xFF"
            "b\xC3");
  EXPECT_EQ(fold("\u023a"), "\u2c65") << "two bytes become three";
  for (std::size_t length = 0; length < 40; ++length) {
    EXPECT_EQ(fold(std::string(length, 'Q')), std::string(length, 'q'));
    EXPECT_EQ(fold(std::string(length, 'Q') + "\u00c9" + std::string(length, 'Q')),
              std::string(length, 'q') + "\u00e9" + std::string(length, 'q'));
  }
}

}  // namespace
}  // namespace mailwarden::detect
