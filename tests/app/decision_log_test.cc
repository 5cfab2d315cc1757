#include "app/decision_log.h"

#include <algorithm>
#include <future>

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
    for (const auto& one : log_.take()) taken_.push_back(one->record.id);
    log_.settle(stores_);
  }

  bool stores_;
  std::vector<std::string> taken_;
  DecisionLog log_{[this] { keep_what_is_ready(); }};
};

std::unique_ptr<access::Undertaken> undertaken(const std::string& id) {
  auto made = std::make_unique<access::Undertaken>();
  made->record.id = id;
  made->record.decision.is_allowed = true;
  made->in_force = std::make_shared<const access::InForce>();
  return made;
}

std::shared_ptr<const policy::DecisionPoint> point_of(std::string_view policies) {
  auto set = std::make_shared<policy::PolicySet>();
  EXPECT_TRUE(set->add_text(policies));
  return std::make_shared<policy::DecisionPoint>(
      policy::Loaded{.policies = std::move(set), .schema = nullptr, .hash = "", .warnings = {}},
      std::make_shared<const policy::Entities>());
}

std::unique_ptr<access::Undertaken> denial(
    const std::shared_ptr<const policy::DecisionPoint>& point) {
  policy::Request request;
  request.principal = {"User", "ada"};
  request.action = {"Action", "read"};
  request.resource = {"System", "wiki"};
  policy::Authorizer::Scratch scratch;
  auto made = std::make_unique<access::Undertaken>();
  made->record.principal = request.principal;
  made->record.action = request.action;
  made->record.resource = request.resource;
  made->record.decision = point->decide(request, scratch);
  EXPECT_FALSE(made->record.decision.is_allowed);
  made->in_force = std::make_shared<const access::InForce>(access::InForce{.point = point});
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

TEST(DecisionLog, LetsInAtOnceWhileDenialsWaitToBeExplained) {
  DecisionLog log([] {});
  const auto point = point_of("permit (principal, action, resource) when { context.ok };");
  constexpr std::size_t denials = 3 * DecisionLog::explained_max;
  for (std::size_t i = 0; i < denials; ++i) EXPECT_TRUE(log.keep(denial(point), false));
  EXPECT_TRUE(log.keep(undertaken("allowed"), false));
  auto taken = log.take();
  const auto is_allowed = [](const auto& one) { return one->record.id == "allowed"; };
  EXPECT_TRUE(std::ranges::any_of(taken, is_allowed));
  log.stop();
  std::ranges::move(log.take(), std::back_inserter(taken));
  EXPECT_EQ(taken.size(), denials + 1);
  for (const auto& one : taken) EXPECT_EQ(one->record.explanation.is_null(), is_allowed(one));
}

TEST(DecisionLog, AFloodOfDenialsIsKeptWithoutExplanations) {
  std::promise<void> begun;
  std::promise<void> released;
  const auto release = released.get_future().share();
  std::size_t explained = 0;
  DecisionLog log([] {},
                  [&](const policy::DecisionPoint&, const access::DecisionRecord&) {
                    if (explained++ == 0) begun.set_value();
                    release.wait();
                    return json::Value("explained");
                  });
  const auto point = point_of("");
  EXPECT_TRUE(log.keep(denial(point), false));
  begun.get_future().wait();
  // One is being explained; so many may wait behind it.
  for (std::size_t i = 0; i < DecisionLog::explained_max; ++i) {
    EXPECT_TRUE(log.keep(denial(point), false));
  }
  EXPECT_EQ(log.take().size(), 0U);
  EXPECT_TRUE(log.keep(denial(point), false));
  const auto left_out = log.take();
  EXPECT_EQ(left_out.size(), 1U);
  for (const auto& one : left_out) {
    EXPECT_EQ(one->record.explanation,
              json::Value("left out, since many denials waited to be explained"));
  }
  released.set_value();
  log.stop();
  const auto rest = log.take();
  EXPECT_EQ(rest.size(), DecisionLog::explained_max + 1);
  for (const auto& one : rest) {
    EXPECT_EQ(one->record.explanation, json::Value("explained"));
  }
}

TEST(DecisionLog, CountsWhatItCannotTake) {
  DecisionLog log([] {});
  for (std::size_t i = 0; i < DecisionLog::waiting_max; ++i) {
    ASSERT_TRUE(log.keep(undertaken(""), false));
  }
  EXPECT_FALSE(log.keep(undertaken("one too many"), true));
  EXPECT_EQ(log.missed(), 1);
  EXPECT_EQ(log.take().size(), DecisionLog::waiting_max);
  EXPECT_TRUE(log.keep(undertaken("again"), false));
}

}  // namespace
}  // namespace mailwarden::app
