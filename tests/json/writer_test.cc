#include "json/writer.h"

#include <random>

#include <gtest/gtest.h>

#include "json/value.h"

namespace mailwarden::json {
namespace {

std::string written(std::string_view text) {
  std::string out;
  Writer(out).string(text);
  return out;
}

std::string expected(std::string_view text) {
  std::string out;
  append_string(out, text);
  return out;
}

TEST(Writer, WritesPiecesInTheirOrder) {
  std::string out = "before ";
  {
    Writer writer(out);
    writer.raw('{');
    writer.raw("\"n\":");
    writer.integer(INT64_MIN);
    writer.raw(',');
    writer.string("a");
    writer.raw('}');
  }
  EXPECT_EQ(out, "before {\"n\":-9223372036854775808,\"a\"}");
}

// Every byte, at every place within eight bytes and behind them.
TEST(Writer, EveryByteIsEscapedAsInATreeOfValues) {
  for (int byte = 0; byte < 256; ++byte) {
    for (std::size_t place = 0; place < 19; ++place) {
      std::string text(19, 'a');
      text[place] = static_cast<char>(byte);
      ASSERT_EQ(written(text), expected(text)) << byte << " at " << place;
    }
  }
}

TEST(Writer, TextsOfAnyLengthAndContentComeOutTheSame) {
  std::mt19937 random(20261124);
  for (int round = 0; round < 3000; ++round) {
    std::string text(random() % (round % 50 == 0 ? 10'000 : 60), '\0');
    for (char& c : text) c = static_cast<char>(random() % (round % 3 == 0 ? 256 : 96) + 32);
    ASSERT_EQ(written(text), expected(text));
  }
}

TEST(Writer, WhatIsLongerThanItsBufferPassesWhole) {
  std::string out;
  const std::string text(100'000, 'x');
  {
    Writer writer(out);
    writer.raw("begin ");
    writer.raw(text);
    for (int i = 0; i < 5000; ++i) writer.raw('y');
  }
  EXPECT_EQ(out, "begin " + text + std::string(5000, 'y'));
}

}  // namespace
}  // namespace mailwarden::json
