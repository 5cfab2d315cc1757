#include "detect/value_memory.h"

#include <string>

#include <gtest/gtest.h>

namespace mailwarden::detect {
namespace {

class ValueMemoryTest : public testing::Test {
 protected:
  static constexpr ValueMemory::Place place{.route = 1, .field = 2};

  const ValueMemory::Value* find(std::string_view text, const ValueMemory::Place& at = place) {
    return memory_.find(memory_.hash(at, text), at, text);
  }
  bool wants(std::string_view text) { return memory_.wants(memory_.hash(place, text), text); }
  ValueMemory::Value& remember(std::string_view text, std::string_view folded = "folded") {
    std::vector<PredicateId> found{3, 1, 3};
    std::vector<RuleNumber> candidates{7, 7, 5};
    return memory_.remember(memory_.hash(place, text), place, text, folded, found, candidates);
  }

  ValueMemory memory_;
};

TEST_F(ValueMemoryTest, WantsWhatComesTheSecondTime) {
  EXPECT_FALSE(wants("a"));
  EXPECT_FALSE(wants("b"));
  EXPECT_TRUE(wants("a"));
  EXPECT_TRUE(wants("b"));
  const std::string large(ValueMemory::value_bytes_max + 1, 'x');
  EXPECT_FALSE(wants(large));
  EXPECT_FALSE(wants(large));
}

TEST_F(ValueMemoryTest, KnowsAValueByItsWholeTextAndItsPlace) {
  std::string text = "C:\\Windows\\System32\\cmd.exe";
  EXPECT_EQ(find(text), nullptr);
  const auto& value = remember(text, "c:\\windows\\system32\\cmd.exe");
  ASSERT_EQ(find(text), &value);
  EXPECT_EQ(find("C:\\Windows\\System32\\cmd.exf"), nullptr);
  EXPECT_EQ(find(text, {.route = 2, .field = 2}), nullptr);
  EXPECT_EQ(find(text, {.route = 1, .field = 3}), nullptr);
  EXPECT_EQ(find(text, {.route = 1, .field = 2, .searched = true}), nullptr);
  text.assign(text.size(), 'x');  // it has a copy of its own
  EXPECT_EQ(value.text, "C:\\Windows\\System32\\cmd.exe");
  EXPECT_EQ(value.folded, "c:\\windows\\system32\\cmd.exe");
}

TEST_F(ValueMemoryTest, ListsNameEachOnceInOrder) {
  const auto& value = remember("a");
  EXPECT_EQ(std::vector(value.found.begin(), value.found.end()), (std::vector<PredicateId>{1, 3}));
  EXPECT_EQ(std::vector(value.candidates.begin(), value.candidates.end()),
            (std::vector<RuleNumber>{5, 7}));
}

// One that hashes alike is another all the same.
TEST_F(ValueMemoryTest, ValuesOfOneHashAreKeptApart) {
  std::vector<PredicateId> none;
  const auto& first = memory_.remember(64, place, "a", "a", none, none);
  const auto& second = memory_.remember(64, place, "b", "b", none, none);
  EXPECT_EQ(memory_.find(64, place, "a"), &first);
  EXPECT_EQ(memory_.find(64, place, "b"), &second);
  EXPECT_EQ(memory_.find(64, place, "c"), nullptr);
}

TEST_F(ValueMemoryTest, AnswersBelongToAPredicateAndAValue) {
  EXPECT_EQ(memory_.answer(1, 1), std::nullopt);
  memory_.keep_answer(1, 1, true);
  memory_.keep_answer(2, 1, false);
  memory_.keep_answer(1, 2, false);
  EXPECT_EQ(memory_.answer(1, 1), true);
  EXPECT_EQ(memory_.answer(2, 1), false);
  EXPECT_EQ(memory_.answer(1, 2), false);
  EXPECT_EQ(memory_.answer(2, 2), std::nullopt);
}

// What was given out stays until the next event begins.
TEST_F(ValueMemoryTest, LetsGoOfEverythingWhenItIsFull) {
  const std::size_t most = ValueMemory::bytes_max / ValueMemory::value_bytes_max + 1;
  for (std::size_t i = 0; i < most; ++i) {
    std::string text = std::to_string(i);
    text.resize(ValueMemory::value_bytes_max, 'x');
    remember(text, text);
  }
  const auto& last = remember("last");
  memory_.keep_answer(1, last.number, true);
  ASSERT_EQ(find("last"), &last);
  EXPECT_EQ(last.text, "last");
  memory_.begin();
  EXPECT_EQ(find("last"), nullptr);
  const auto& next = remember("next");
  for (std::uint32_t number = 0; number <= next.number; ++number) {
    EXPECT_EQ(memory_.answer(1, number), std::nullopt);
  }
  memory_.begin();
  EXPECT_EQ(find("next"), &next);
}

}  // namespace
}  // namespace mailwarden::detect
