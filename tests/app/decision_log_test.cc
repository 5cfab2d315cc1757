#include "app/decision_log.h"

#include <gtest/gtest.h>

namespace mailwarden::app {
namespace {

// A core that does nothing until it is woken, and then keeps what is ready.
class SleepingCore {
 public:
  explicit SleepingCore(bool stores) : stores_(stores) {}

  DecisionLog& log() { return log_; }
  std::vector<std::string> taken() {
    log_.stop();
    keep_what_is_ready();
    return taken_;
  }

 private:
  void keep_what_is_ready() {
    for (const access::DecisionRecord& record : log_.take()) taken_.push_back(record.id);
    log_.settle(stores_);
  }

  bool stores_;
  std::vector<std::string> taken_;
  DecisionLog log_{[this] { keep_what_is_ready(); }};
};

access::Undertaken undertaken(const std::string& id) {
  access::Undertaken made;
  made.record.id = id;
  return made;
}

TEST(DecisionLog, WakesTheCoreForADecisionThatSomebodyWaitsFor) {
  SleepingCore core(true);
  EXPECT_TRUE(core.log().keep(undertaken("a"), false));
  EXPECT_TRUE(core.log().keep(undertaken("b"), true));
  EXPECT_EQ(core.taken(), (std::vector<std::string>{"a", "b"}));
}

TEST(DecisionLog, SaysNoWhereTheDecisionIsNotStored) {
  SleepingCore core(false);
  EXPECT_FALSE(core.log().keep(undertaken("a"), true));
}

TEST(DecisionLog, WhileTheStoreRefusesTheAnswerIsNoAtOnce) {
  SleepingCore core(true);
  core.log().refuse(true);
  EXPECT_FALSE(core.log().keep(undertaken("a"), true));
  EXPECT_TRUE(core.log().keep(undertaken("b"), false)) << "which is stored later";
  core.log().refuse(false);
  EXPECT_TRUE(core.log().keep(undertaken("c"), true));
  EXPECT_EQ(core.taken(), (std::vector<std::string>{"b", "c"}));
}

TEST(DecisionLog, LetsTheCoreSleepWhereNobodyWaits) {
  DecisionLog log([] { ADD_FAILURE() << "woken"; });
  EXPECT_TRUE(log.keep(undertaken("a"), false));
  log.stop();
  EXPECT_EQ(log.take().size(), 1U);
  EXPECT_FALSE(log.keep(undertaken("b"), true));
}

}  // namespace
}  // namespace mailwarden::app
