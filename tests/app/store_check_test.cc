#include "app/store_check.h"

#include <condition_variable>

#include <gmock/gmock.h>

#include "tests/app/core_fixture.h"

namespace mailwarden::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class CoreStoreCheckTest : public CoreTest {
 protected:
  CoreStoreCheckTest() : database_(store_.open()), core_(open(*database_)) {
    EXPECT_TRUE(core_->write());
  }

  // Runs to its end and hands over.
  void run(StoreCheck& check, std::size_t places) {
    std::atomic<std::size_t>& ended = ended_;
    check.start();
    while (ended.load() < places) std::this_thread::yield();
    check.stop();
    check.hand_over(*core_, log_);
    ASSERT_TRUE(core_->write());
  }
  // Answers what was found of each place.
  StoreCheck::Check answers(std::map<std::string, Result<db::FileCheck>> by_url) {
    return [by_url, this](const std::string& url, const std::stop_token&) {
      ++ended_;
      return by_url.at(url);
    };
  }
  std::vector<std::string> entries(const std::string& kind) {
    return rows(*database_, "SELECT record FROM ledger_entry WHERE kind = '" + kind + "'");
  }

  static db::FileCheck whole() { return {.way = "integrity_check", .damage = {}}; }
  static db::FileCheck damaged(int findings) {
    db::FileCheck check{.way = "quick_check", .damage = {}};
    for (int i = 0; i < findings; ++i) check.damage.push_back("page " + std::to_string(i));
    return check;
  }

  FreshStore store_;
  std::unique_ptr<db::Database> database_;
  std::unique_ptr<Core> core_;
  Log log_{LogLevel::error};
  std::atomic<std::size_t> ended_ = 0;
};

TEST_F(CoreStoreCheckTest, AWholeStoreIsNothingForTheLedger) {
  const auto before = core_->ledger().size();
  StoreCheck check({{"store", "a"}, {"book of keys", "b"}},
                   answers({{"a", whole()}, {"b", whole()}}));
  EXPECT_EQ(check.is_whole(), std::nullopt) << "nobody knows yet";
  run(check, 2);
  EXPECT_EQ(check.is_whole(), true);
  EXPECT_EQ(check.damage(), "");
  EXPECT_EQ(core_->ledger().size(), before);
}

TEST_F(CoreStoreCheckTest, DamageIsAGapAndAnIncidentOfWhichPeopleAreTold) {
  StoreCheck check({{"store", "a"}, {"book of keys", "b"}},
                   answers({{"a", damaged(7)}, {"b", whole()}}));
  run(check, 2);
  EXPECT_EQ(check.is_whole(), false);
  EXPECT_EQ(check.damage(),
            "the files of the store are damaged: page 0; page 1; page 2; page 3; page 4; and 2 "
            "more");
  EXPECT_THAT(entries("gap"),
              ElementsAre(AllOf(HasSubstr("\"source\":\"store\""),
                                HasSubstr("its files are damaged (quick_check): page 0"))));
  EXPECT_EQ(core_->totals().gaps, 1);
  EXPECT_THAT(entries("detection"),
              ElementsAre(AllOf(HasSubstr("store-damaged"), HasSubstr("page 6"))));
  EXPECT_THAT(rows(*database_, "SELECT severity, entity_kind, entity_name FROM incident"),
              ElementsAre("1|resource|store|"));
  const auto outgoing = core_->take_outgoing();
  ASSERT_EQ(outgoing.size(), 1U);
  EXPECT_THAT(std::get<alert::Alert>(outgoing[0]).subject,
              HasSubstr("The files of the store are damaged"));
}

TEST_F(CoreStoreCheckTest, WhatCouldNotBeCheckedIsNeitherWholeNorDamaged) {
  StoreCheck check({{"store", "a"}, {"book of keys", "b"}},
                   answers({{"a", fail(Code::io, "no way in")}, {"b", whole()}}));
  run(check, 2);
  EXPECT_EQ(check.is_whole(), std::nullopt);
  EXPECT_EQ(check.damage(), "");
  EXPECT_THAT(entries("gap"), IsEmpty());
}

TEST_F(CoreStoreCheckTest, AServerWithoutChecksumsIsNoneThatIsWhole) {
  StoreCheck check({{"store", "a"}},
                   answers({{"a", db::FileCheck{.way = "data_checksums", .is_unguarded = true}}}));
  run(check, 1);
  EXPECT_EQ(check.is_whole(), std::nullopt);
}

// The check ends with the stop or never.
TEST_F(CoreStoreCheckTest, AStopEndsACheckThatIsAtWork) {
  std::atomic<bool> begun = false;
  StoreCheck check({{"store", "a"}, {"book of keys", "b"}},
                   [&](const std::string&, const std::stop_token& stop) -> Result<db::FileCheck> {
                     EXPECT_FALSE(begun.exchange(true)) << "the next one is begun no more";
                     std::mutex mutex;
                     std::condition_variable_any stopped;
                     std::unique_lock lock(mutex);
                     stopped.wait(lock, stop, [] { return false; });
                     return fail(Code::unavailable, "the check was stopped");
                   });
  check.start();
  while (!begun.load()) std::this_thread::yield();
  check.stop();
  check.hand_over(*core_, log_);
  EXPECT_EQ(check.damage(), "");
  EXPECT_EQ(check.is_whole(), std::nullopt);
}

}  // namespace
}  // namespace mailwarden::app
