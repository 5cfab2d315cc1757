#include "app/people_feed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/temporary.h"

namespace mailwarden::app {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr Timestamp feed_begin{1'796'000'000'000'000};

class PeopleFeedTest : public testing::Test {
 protected:
  PeopleFeedTest() {
    auto made = PeopleFeed::make({{.name = "hr", .place = folder_.path("people-*.csv")}}, clock_);
    EXPECT_TRUE(made) << made.error().what;
    feed_ = *std::move(made);
  }

  std::vector<PeopleFeed::News> look(Duration later = Duration(0)) {
    clock_.advance(later);
    feed_->look();
    return feed_->take();
  }

  const TemporaryFolder folder_;
  ManualClock clock_{feed_begin};
  std::unique_ptr<PeopleFeed> feed_;
};

TEST_F(PeopleFeedTest, TellsWhatIsNewOnceAndLooksEveryMinute) {
  write_file(folder_.path("people-2026-11-24.csv"), "id,name\n1,Ada\n");
  const auto first = look();
  ASSERT_THAT(first, SizeIs(1));
  EXPECT_EQ(first[0].source, "hr");
  ASSERT_TRUE(first[0].told);
  EXPECT_THAT(std::get<identity::Register>(*first[0].told).people, SizeIs(1));
  write_file(folder_.path("people-2026-11-25.csv"), "id,name\n1,Ada\n2,Bob\n");
  EXPECT_THAT(look(std::chrono::seconds(59)), IsEmpty());
  EXPECT_THAT(look(std::chrono::seconds(1)), SizeIs(1));
  EXPECT_THAT(look(std::chrono::minutes(1)), IsEmpty()) << "nothing is new";
}

TEST_F(PeopleFeedTest, WhatCannotBeReadIsToldOnceAndTriedAgain) {
  const auto none = look();
  ASSERT_THAT(none, SizeIs(1));
  EXPECT_THAT(none[0].told.error().what, HasSubstr("there is no file"));
  EXPECT_THAT(look(std::chrono::minutes(1)), IsEmpty()) << "the same again is no news";
  write_file(folder_.path("people-2026-11-24.csv"), "id\n=1\n");
  const auto wrong = look(std::chrono::minutes(1));
  ASSERT_THAT(wrong, SizeIs(1));
  EXPECT_THAT(wrong[0].told.error().what, HasSubstr("line 2"));
  write_file(folder_.path("people-2026-11-24.csv"), "id,name\n1,Ada\n");
  const auto good = look(std::chrono::minutes(1));
  ASSERT_THAT(good, SizeIs(1));
  EXPECT_TRUE(good[0].told);
}

TEST_F(PeopleFeedTest, WhatNobodyHasTakenIsNotAskedForAgain) {
  write_file(folder_.path("people-2026-11-24.csv"), "id,name\n1,Ada\n");
  feed_->look();
  write_file(folder_.path("people-2026-11-25.csv"), "id,name\n2,Bob\n");
  clock_.advance(std::chrono::hours(1));
  feed_->look();
  const auto taken = feed_->take();
  ASSERT_THAT(taken, SizeIs(1));
  EXPECT_EQ(std::get<identity::Register>(*taken[0].told).people[0].id, "1");
  EXPECT_THAT(look(), SizeIs(1));
}

TEST_F(PeopleFeedTest, AClockThatWasSetBackKeepsNobodyWaiting) {
  write_file(folder_.path("people-2026-11-24.csv"), "id,name\n1,Ada\n");
  EXPECT_THAT(look(), SizeIs(1));
  write_file(folder_.path("people-2026-11-25.csv"), "id,name\n2,Bob\n");
  EXPECT_THAT(look(-std::chrono::hours(24)), SizeIs(1));
}

TEST(PeopleFeed, EverySourceThatCannotBeOneIsTold) {
  ManualClock clock(feed_begin);
  const auto made = PeopleFeed::make(
      {{.name = "a", .place = "https://hr.example.com/"},
       {.name = "b", .teller = identity::Teller::google, .place = "http://directory.example.com"}},
      clock);
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().what, HasSubstr("people: 'a': a register is a file"));
  EXPECT_THAT(made.error().what, HasSubstr("\npeople: 'b'"));
}

}  // namespace
}  // namespace mailwarden::app
