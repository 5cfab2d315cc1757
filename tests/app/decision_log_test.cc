#include "app/decision_log.h"

#include <future>

#include <gtest/gtest.h>

namespace mailwarden::app {
namespace {

access::Undertaken undertaken(const std::string& id) {
  access::Undertaken made;
  made.record.id = id;
  return made;
}

// What the core finds, however long the log's own thread takes to bring it.
std::vector<access::DecisionRecord> take_one(DecisionLog& log) {
  while (true) {
    auto taken = log.take();
    if (!taken.empty()) return taken;
    std::this_thread::yield();
  }
}

TEST(DecisionLog, WhoMustKnowThatItIsKeptWaitsForTheStore) {
  for (const bool stored : {true, false}) {
    DecisionLog log;
    auto kept = std::async(std::launch::async, [&] { return log.keep(undertaken("a"), true); });
    const auto taken = take_one(log);
    ASSERT_EQ(taken.size(), 1U);
    EXPECT_EQ(taken[0].id, "a");
    log.settle(stored);
    EXPECT_EQ(kept.get(), stored);
  }
}

TEST(DecisionLog, NobodyElseWaits) {
  DecisionLog log;
  EXPECT_TRUE(log.keep(undertaken("a"), false));
  EXPECT_EQ(take_one(log)[0].id, "a");
}

TEST(DecisionLog, WhileTheStoreRefusesTheAnswerIsNoAtOnce) {
  DecisionLog log;
  log.refuse(true);
  EXPECT_FALSE(log.keep(undertaken("a"), true));
  EXPECT_TRUE(log.keep(undertaken("b"), false)) << "which is stored later";
  EXPECT_EQ(take_one(log)[0].id, "b");
  log.refuse(false);
  auto kept = std::async(std::launch::async, [&] { return log.keep(undertaken("c"), true); });
  EXPECT_EQ(take_one(log)[0].id, "c");
  log.settle(true);
  EXPECT_TRUE(kept.get());
}

TEST(DecisionLog, AfterTheEndNothingIsTaken) {
  DecisionLog log;
  log.stop();
  EXPECT_FALSE(log.keep(undertaken("a"), false));
  EXPECT_FALSE(log.keep(undertaken("a"), true));
}

}  // namespace
}  // namespace mailwarden::app
