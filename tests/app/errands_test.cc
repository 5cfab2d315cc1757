// What is tried when, in which lane, and when it is given up: without threads and with a set clock.
#include "app/errands.h"

#include <gtest/gtest.h>

namespace mailwarden::app {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Timestamp errands_begin{1'000'000'000'000};
const Result<json::Object> good = json::Object{};
const Result<json::Object> later = fail(Code::unavailable, "no route");
const Result<json::Object> never = fail(Code::denied, "refused");

Errand errand(const std::string& key, const std::string& lane = "lane") {
  return {.key = key, .lane = lane, .since = errands_begin, .run = [] { return good; }};
}

std::string key_of(const Errand* errand) {
  return errand == nullptr ? "" : errand->key;
}

TEST(ErrandQueue, OneAtATimeInALaneInTheOrderInWhichTheyCame) {
  ErrandQueue queue({});
  queue.add(errand("b"));
  queue.add(errand("a"));
  queue.add(errand("c", "other"));
  EXPECT_EQ(key_of(queue.take(errands_begin)), "b");
  EXPECT_EQ(key_of(queue.take(errands_begin)), "c") << "a slow receiver keeps nobody else waiting";
  EXPECT_EQ(key_of(queue.take(errands_begin)), "");
  queue.settle("b", good, errands_begin);
  EXPECT_EQ(key_of(queue.take(errands_begin)), "a");
}

TEST(ErrandQueue, OfAGroupOnlySoManyAreAtWorkAtOnce) {
  ErrandQueue queue({.group_max = 2});
  for (const char* key : {"a", "b", "c"}) {
    Errand step = errand(key, key);
    step.group = "playbooks";
    queue.add(std::move(step));
  }
  queue.add(errand("alert", "receiver"));
  EXPECT_EQ(key_of(queue.take(errands_begin)), "a");
  EXPECT_EQ(key_of(queue.take(errands_begin)), "b");
  EXPECT_EQ(key_of(queue.take(errands_begin)), "alert") << "slow steps keep no alert waiting";
  EXPECT_EQ(key_of(queue.take(errands_begin)), "");
  queue.settle("a", good, errands_begin);
  EXPECT_EQ(key_of(queue.take(errands_begin)), "c");
}

TEST(ErrandQueue, WhatMayHelpAgainIsTriedLaterEachTime) {
  ErrandQueue queue({.first_pause = seconds(1), .pause_max = seconds(5)});
  queue.add(errand("a"));
  Timestamp now = errands_begin;
  for (const seconds pause : {seconds(1), seconds(2), seconds(4), seconds(5), seconds(5)}) {
    ASSERT_EQ(key_of(queue.take(now)), "a");
    queue.settle("a", later, now);
    EXPECT_EQ(queue.take(now + pause - Duration(1)), nullptr) << pause.count();
    now = now + pause;
  }
  EXPECT_EQ(queue.waiting(), 1U);
}

TEST(ErrandQueue, OutcomesAreTheFirstFailureAndTheEnd) {
  ErrandQueue queue({});
  queue.add(errand("a"));
  Timestamp now = errands_begin;
  for (int i = 0; i < 3; ++i) {
    ASSERT_NE(queue.take(now), nullptr);
    queue.settle("a", later, now);
    now = now + hours(1);
  }
  auto outcomes = queue.take_outcomes();
  ASSERT_EQ(outcomes.size(), 1U);
  EXPECT_FALSE(outcomes[0].over);
  ASSERT_NE(queue.take(now), nullptr);
  queue.settle("a", good, now);
  outcomes = queue.take_outcomes();
  ASSERT_EQ(outcomes.size(), 1U);
  EXPECT_TRUE(outcomes[0].over);
  EXPECT_TRUE(outcomes[0].result);
  EXPECT_EQ(outcomes[0].tries, 4);
  EXPECT_EQ(queue.waiting(), 0U);
}

TEST(ErrandQueue, ARefusalEndsItAtOnce) {
  ErrandQueue queue({});
  queue.add(errand("a"));
  queue.take(errands_begin);
  queue.settle("a", never, errands_begin);
  const auto outcomes = queue.take_outcomes();
  ASSERT_EQ(outcomes.size(), 1U);
  EXPECT_TRUE(outcomes[0].over);
  EXPECT_EQ(outcomes[0].result.error().what, "refused");
}

TEST(ErrandQueue, IsGivenUpAfterItsTimeOrItsTries) {
  ErrandQueue queue({});
  Errand timed = errand("timed", "1");
  timed.give_up_after = hours(2);
  queue.add(std::move(timed));
  Errand counted = errand("counted", "2");
  counted.tries_max = 2;
  queue.add(std::move(counted));
  Timestamp now = errands_begin;
  std::vector<std::string> over;
  for (int i = 0; i < 4; ++i) {
    while (const Errand* taken = queue.take(now)) queue.settle(std::string(taken->key), later, now);
    for (const ErrandOutcome& outcome : queue.take_outcomes()) {
      if (outcome.over) over.push_back(outcome.key + std::to_string(outcome.tries));
    }
    now = now + hours(1);
  }
  EXPECT_EQ(over, (std::vector<std::string>{"counted2", "timed3"}));
}

TEST(ErrandQueue, AClockSetBackKeepsNothingNewWaiting) {
  ErrandQueue queue({});
  queue.add(errand("a"));
  EXPECT_EQ(key_of(queue.take(errands_begin - hours(24 * 365))), "a");
}

TEST(ErrandQueue, TheSameKeyTwiceIsOneErrand) {
  ErrandQueue queue({});
  queue.add(errand("a"));
  queue.add(errand("a"));
  EXPECT_EQ(queue.waiting(), 1U);
}

TEST(ErrandQueue, AllAreTriedWhenEachCameToSomethingAndItWasTaken) {
  ErrandQueue queue({});
  EXPECT_TRUE(queue.all_tried(errands_begin));
  queue.add(errand("a"));
  EXPECT_FALSE(queue.all_tried(errands_begin));
  queue.take(errands_begin);
  EXPECT_FALSE(queue.all_tried(errands_begin));
  queue.settle("a", later, errands_begin);
  EXPECT_FALSE(queue.all_tried(errands_begin)) << "its outcome is not in the ledger yet";
  queue.take_outcomes();
  EXPECT_TRUE(queue.all_tried(errands_begin));
}

TEST(ErrandQueue, APauseThatIsAskedForIsTheWholeLanes) {
  ErrandQueue queue({.first_pause = seconds(1), .pause_asked_max = minutes(10)});
  queue.add(errand("a"));
  queue.add(errand("b"));
  queue.add(errand("c", "other"));
  ASSERT_EQ(key_of(queue.take(errands_begin)), "a");
  queue.settle("a", {later, seconds(30)}, errands_begin);
  EXPECT_EQ(key_of(queue.take(errands_begin)), "c");
  EXPECT_EQ(key_of(queue.take(errands_begin + seconds(29))), "");
  queue.take_outcomes();
  queue.settle("c", good, errands_begin);
  queue.take_outcomes();
  EXPECT_TRUE(queue.all_tried(errands_begin + seconds(29))) << "b may not be tried yet";
  EXPECT_FALSE(queue.all_tried(errands_begin + seconds(30)));
  EXPECT_EQ(key_of(queue.take(errands_begin + seconds(30))), "a");
  queue.settle("a", good, errands_begin + seconds(30));
  EXPECT_EQ(key_of(queue.take(errands_begin + seconds(30))), "b");
}

TEST(ErrandQueue, APauseIsBoundedAndNoClockMakesItLonger) {
  ErrandQueue queue({.first_pause = seconds(1), .pause_asked_max = minutes(10)});
  queue.add(errand("a"));
  queue.add(errand("b"));
  queue.take(errands_begin);
  queue.settle("a", {later, hours(24)}, errands_begin);
  EXPECT_EQ(key_of(queue.take(errands_begin + minutes(10) - Duration(1))), "");
  // The clock is set back by a day: b was never tried and is not to wait that long.
  EXPECT_EQ(key_of(queue.take(errands_begin - hours(24))), "b");
  queue.settle("b", good, errands_begin - hours(24));
  EXPECT_EQ(key_of(queue.take(errands_begin + minutes(10))), "a");
}

TEST(ErrandQueue, NoMoreThanAllowedBeginInAnyMinuteOfALane) {
  ErrandQueue queue({});
  for (int i = 0; i < 10; ++i) {
    Errand limited = errand("k" + std::to_string(i));
    limited.per_minute = 3;
    queue.add(std::move(limited));
  }
  std::vector<int> begun;  // seconds
  for (int second = 0; second < 240; second += 10) {
    while (const Errand* taken = queue.take(errands_begin + seconds(second))) {
      queue.settle(std::string(taken->key), good, errands_begin + seconds(second));
      begun.push_back(second);
    }
  }
  EXPECT_EQ(begun, (std::vector<int>{0, 0, 0, 60, 60, 60, 120, 120, 120, 180}));
}

TEST(ErrandQueue, WhatFollowsWaitsForWhatCameBeforeAboutTheSame) {
  ErrandQueue queue({.first_pause = seconds(10)});
  const auto about = [](const std::string& key, const std::string& subject, bool follows) {
    Errand made = errand(key);
    made.subject = subject;
    made.follows = follows;
    return made;
  };
  queue.add(about("trigger", "incident 1", false));
  queue.add(about("resolve", "incident 1", true));
  queue.add(about("resolve 2", "incident 2", true));
  ASSERT_EQ(key_of(queue.take(errands_begin)), "trigger");
  queue.settle("trigger", later, errands_begin);
  EXPECT_EQ(key_of(queue.take(errands_begin)), "resolve 2") << "nothing came before it";
  queue.settle("resolve 2", good, errands_begin);
  EXPECT_EQ(key_of(queue.take(errands_begin)), "") << "an end must not overtake its beginning";
  queue.take_outcomes();
  EXPECT_TRUE(queue.all_tried(errands_begin));
  ASSERT_EQ(key_of(queue.take(errands_begin + seconds(10))), "trigger");
  queue.settle("trigger", never, errands_begin + seconds(10));
  EXPECT_EQ(key_of(queue.take(errands_begin + seconds(10))), "resolve") << "given up is over, too";
}

TEST(Errands, RunsThemOnThreadsOfItsOwn) {
  const ManualClock clock(errands_begin);
  Errands errands({.threads = 3}, clock);
  std::vector<Errand> many;
  for (int i = 0; i < 50; ++i) {
    many.push_back(errand("k" + std::to_string(i), "lane" + std::to_string(i % 5)));
  }
  errands.add(std::move(many));
  std::size_t over = 0;
  while (over < 50) {
    for (const ErrandOutcome& outcome : errands.take_outcomes()) over += outcome.over ? 1 : 0;
    std::this_thread::yield();
  }
  EXPECT_TRUE(errands.all_tried());
}

}  // namespace
}  // namespace mailwarden::app
