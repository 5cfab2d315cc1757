// Clocks that jump.
#include <random>

#include "tests/access/grants.h"
#include "tests/db/store.h"

namespace mailwarden::access {
namespace {

TEST_F(GrantsTest, AGrantEndsAtItsTimeWithoutASweep) {
  approved();
  clock_.advance(4 * hour - Duration(1));
  EXPECT_NE(live(ada), nullptr);
  clock_.advance(Duration(1));
  EXPECT_EQ(live(ada), nullptr);
}

TEST_F(GrantsTest, UntilIsCutToTheMillisecondThatPoliciesSee) {
  clock_.set(start + Duration(1'999));
  const Grant grant = approved();
  EXPECT_EQ(grant.until, start + 4 * hour + Duration(1'000));
  EXPECT_EQ(datetime_text(grant.until), to_rfc3339(grant.until).substr(0, 23) + "Z");
}

TEST_F(GrantsTest, AClockThatIsSetBackDoesNotProlong) {
  approved();
  const Timestamp granted = now();
  clock_.advance(3 * hour);
  book_->see(now());
  clock_.set(granted + 5 * minute);
  EXPECT_NE(live(ada), nullptr) << "an hour is left";
  book_->see(now());
  clock_.advance(hour - second);
  EXPECT_NE(live(ada), nullptr);
  clock_.advance(second);
  EXPECT_EQ(live(ada), nullptr) << "by the clock it would have three hours more";
  EXPECT_EQ(book_->expire(now()).size(), 1U);
}

TEST_F(GrantsTest, AThreadThatDecidesSeesAStepBackBeforeTheBookDoes) {
  approved();
  clock_.advance(4 * hour - second);
  book_->see(now());
  const auto view = book_->view();
  EXPECT_NE(view->live(ada.who, "campaign-db", now()), nullptr);
  clock_.advance(second);
  book_->see(now());
  clock_.set(start + minute);
  EXPECT_EQ(book_->view()->live(ada.who, "campaign-db", now()), nullptr)
      << "what has ended stays ended before anybody tells the book";
}

TEST_F(GrantsTest, BeforeItsBeginningAGrantIsNotLiveButForASlack) {
  approved();
  clock_.set(start - 5 * second);
  EXPECT_NE(live(ada), nullptr);
  clock_.set(start - 5 * second - Duration(1));
  EXPECT_EQ(live(ada), nullptr);
}

TEST_F(GrantsTest, WhatEndedByAJumpForwardDoesNotComeBack) {
  approved();
  clock_.advance(365 * 24 * hour);
  book_->see(now());
  clock_.set(start + minute);
  EXPECT_EQ(live(ada), nullptr);
  book_->see(now());
  EXPECT_EQ(live(ada), nullptr);
}

TEST_F(GrantsTest, WhatIsGrantedBehindAClockThatRanAheadEndsInItsTime) {
  clock_.advance(365 * 24 * hour);
  book_->see(now());
  clock_.set(start);
  const Grant grant = approved();
  EXPECT_EQ(grant.until, start + 4 * hour);
  EXPECT_NE(live(ada), nullptr);
  clock_.advance(4 * hour - second);
  book_->see(now());
  EXPECT_NE(live(ada), nullptr);
  clock_.advance(second);
  EXPECT_EQ(live(ada), nullptr);
}

TEST_F(GrantsTest, AStartKnowsByHowMuchTheClockWasSetBack) {
  const Grant grant = approved();
  clock_.advance(3 * hour);
  book_->see(now());
  ASSERT_TRUE(store_time(*database_, book_->time()));
  clock_.set(start + minute);
  reopen();
  book_->see(now());
  EXPECT_EQ(ends_at(grant, book_->time()), start + minute + hour);
  EXPECT_NE(live(ada), nullptr);
  clock_.advance(hour);
  EXPECT_EQ(live(ada), nullptr);
}

TEST_F(GrantsTest, ARequestDoesNotWaitLongerForAClockThatIsSetBack) {
  const Grant grant = requested();
  clock_.advance(23 * hour);
  book_->see(now());
  clock_.set(start);
  book_->see(now());
  clock_.advance(hour);
  EXPECT_EQ(book_->approve(deed(grant, bob), rules_, now()).error().code, Code::conflict);
  EXPECT_EQ(book_->expire(now()).size(), 1U);
}

TEST_F(GrantsTest, AReviewIsMissedByTimeThatPassed) {
  broken();
  clock_.advance(23 * hour);
  expire();
  clock_.set(start);
  EXPECT_TRUE(book_->expire(now()).empty());
  clock_.advance(hour);
  const auto changes = book_->expire(now());
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].act, GrantAct::miss_review);
}

TEST_F(GrantsTest, TheEndsOfTimeDoNoHarm) {
  approved();
  for (int i = 0; i < 2'000; ++i) {
    for (const Timestamp at : {Timestamp{INT64_MAX}, Timestamp{INT64_MIN}, Timestamp{0}}) {
      book_->see(at);
    }
  }
  EXPECT_EQ(book_->time().set_back, AccessTime::set_back_max);
  EXPECT_EQ(live(ada), nullptr);
}

// However the clock is set, the time in which a grant is live adds up to no more than was granted
// and what passes between two looks at the clock a step.
TEST_F(GrantsTest, LiveTimeAddsUpToNoMoreThanWasGranted) {
  std::mt19937_64 random(20261128);
  for (int round = 0; round < 200; ++round) {
    clock_.set(start);
    database_ = fresh_store();
    ASSERT_TRUE(db::migrate(*database_, migrations(), start));
    reopen();
    approved();
    Duration lived{0};
    int steps_back = 0;
    for (int i = 0; i < 2'000 && lived <= 5 * hour; ++i) {
      if (random() % 20 == 0) {
        const auto by = static_cast<std::int64_t>(random() % 7'200) - 3'600;
        clock_.advance(by * second);
        steps_back += by < 0 ? 1 : 0;
      }
      book_->see(now());
      const Duration passes = static_cast<std::int64_t>(random() % 60) * second;
      if (live(ada) != nullptr) lived += passes;
      clock_.advance(passes);
    }
    ASSERT_LE(lived, 4 * hour + (steps_back + 1) * minute) << "round " << round;
  }
}

}  // namespace
}  // namespace mailwarden::access
