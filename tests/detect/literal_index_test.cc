#include "detect/literal_index.h"

#include <random>
#include <set>

#include <gtest/gtest.h>

namespace mailwarden::detect {
namespace {

using Where = LiteralIndex::Where;

bool stands(Where where, const std::string& text, const std::string& value) {
  switch (where) {
    case Where::whole:
      return value == text;
    case Where::start:
      return value.starts_with(text);
    case Where::end:
      return value.ends_with(text);
    case Where::anywhere:
      return value.find(text) != std::string::npos;
  }
  return false;
}

const TextStatistics statistics;

std::set<std::uint32_t> found_by(const LiteralIndex& index, std::string_view value) {
  std::set<std::uint32_t> found;
  index.probe(value, value, [&](std::uint32_t entry) { found.insert(entry); });
  return found;
}

// Texts of few letters overlap each other in every way: what is found must be what a look at each
// text by itself finds.
TEST(LiteralIndex, FindsWhatEachTextByItselfWouldFind) {
  std::mt19937 random(20261124);
  auto text = [&](std::size_t most) {
    std::string made;
    for (std::size_t i = random() % (most + 1); i > 0; --i) made += "ab\\."[random() % 4];
    return made;
  };
  std::size_t hits = 0;
  for (int round = 0; round < 300; ++round) {
    LiteralIndex index;
    std::set<std::pair<Where, std::string>> added;
    std::vector<std::pair<Where, std::string>> entries;
    for (int i = 0; i < 25; ++i) {
      const auto where = static_cast<Where>(random() % 4);
      const std::string literal = text(14);
      if ((literal.empty() && where != Where::whole) || !added.emplace(where, literal).second) {
        continue;
      }
      index.add(where, literal, static_cast<std::uint32_t>(entries.size()));
      entries.emplace_back(where, literal);
    }
    index.finish(statistics);
    for (int i = 0; i < 40; ++i) {
      const std::string value = text(20);
      std::set<std::uint32_t> expected;
      for (std::uint32_t entry = 0; entry < entries.size(); ++entry) {
        if (stands(entries[entry].first, entries[entry].second, value)) expected.insert(entry);
      }
      ASSERT_EQ(found_by(index, value), expected) << value;
      hits += expected.size();
    }
  }
  EXPECT_GT(hits, 5000U);
}

// A search that takes many bytes at a time may lose a short text at some places alone, so each
// length is tried at each place of a longer value, wherever that stands in memory.
TEST(LiteralIndex, ShortTextsAreFoundAtEveryPlace) {
  LiteralIndex index;
  const std::vector<std::string> texts{"5",       "\\*5", "bc", "c", "b*", std::string("\0", 1),
                                       "\xff\xff"};
  for (std::uint32_t entry = 0; entry < texts.size(); ++entry) {
    index.add(Where::anywhere, texts[entry], entry);
  }
  index.finish(statistics);
  std::string room;
  for (std::size_t size = 1; size <= 150; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      const std::string& text = texts[(size + at) % texts.size()];
      if (at + text.size() > size) continue;
      room.assign(at % 64 + size, 'x');
      room.replace(at % 64 + at, text.size(), text);
      std::set<std::uint32_t> expected;
      for (std::uint32_t entry = 0; entry < texts.size(); ++entry) {
        if (stands(Where::anywhere, texts[entry], text)) expected.insert(entry);
      }
      const std::string_view value = std::string_view(room).substr(at % 64);
      ASSERT_EQ(found_by(index, value), expected) << size << " " << at;
    }
  }
}

TEST(LiteralIndex, NumbersAreFoundHoweverTheyAreWritten) {
  LiteralIndex index;
  index.add_number("22", 7);
  index.add_number("0", 8);
  index.finish(statistics);
  for (const char* text : {"22", "22.0", "022", "2.2e1"}) {
    EXPECT_EQ(found_by(index, text), (std::set<std::uint32_t>{7})) << text;
  }
  EXPECT_EQ(found_by(index, "-0.0"), (std::set<std::uint32_t>{8}));
  for (const char* text : {"", "22 ", "+22", "twenty", "22a"}) {
    EXPECT_TRUE(found_by(index, text).empty()) << text;
  }
}

}  // namespace
}  // namespace mailwarden::detect
