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

std::set<std::uint32_t> found_by(const LiteralIndex& index, const std::string& value,
                                 ScanMemory& memory) {
  std::set<std::uint32_t> found;
  index.probe(value, value, memory, [&](std::uint32_t entry) { found.insert(entry); });
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
    ScanMemory memory;
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
    ASSERT_TRUE(index.finish(statistics, memory));
    for (int i = 0; i < 40; ++i) {
      const std::string value = text(20);
      std::set<std::uint32_t> expected;
      for (std::uint32_t entry = 0; entry < entries.size(); ++entry) {
        if (stands(entries[entry].first, entries[entry].second, value)) expected.insert(entry);
      }
      ASSERT_EQ(found_by(index, value, memory), expected) << value;
      hits += expected.size();
    }
  }
  EXPECT_GT(hits, 5000U);
}

TEST(LiteralIndex, NumbersAreFoundHoweverTheyAreWritten) {
  LiteralIndex index;
  ScanMemory memory;
  index.add_number("22", 7);
  index.add_number("0", 8);
  ASSERT_TRUE(index.finish(statistics, memory));
  for (const char* text : {"22", "22.0", "022", "2.2e1"}) {
    EXPECT_EQ(found_by(index, text, memory), (std::set<std::uint32_t>{7})) << text;
  }
  EXPECT_EQ(found_by(index, "-0.0", memory), (std::set<std::uint32_t>{8}));
  for (const char* text : {"", "22 ", "+22", "twenty", "22a"}) {
    EXPECT_TRUE(found_by(index, text, memory).empty()) << text;
  }
}

TEST(ScanMemory, ACopyServesBesideItsOriginal) {
  LiteralIndex index;
  ScanMemory memory;
  index.add(Where::anywhere, "needle", 1);
  ASSERT_TRUE(index.finish(statistics, memory));
  ScanMemory copy = memory;
  memory = ScanMemory();
  EXPECT_EQ(found_by(index, "a needle", copy), (std::set<std::uint32_t>{1}));
}

}  // namespace
}  // namespace mailwarden::detect
