#include "access/grant_view.h"

#include <atomic>
#include <chrono>
#include <thread>

#include "tests/access/grants.h"

namespace mailwarden::access {
namespace {

Grant live_grant(std::int64_t number, Duration lasts, bool glass = false) {
  Grant grant{.id = {number},
              .person = "p@x",
              .system = "s",
              .purpose = "support",
              .duration = lasts,
              .state = GrantState::approved,
              .approved_by = {"b@x"},
              .from = start,
              .until = start + lasts,
              .break_glass = glass};
  if (glass) grant.approved_by.clear();
  return grant;
}

TEST(GrantView, TheBestOfSeveralIsApprovedAndLastsLongest) {
  const auto view =
      GrantView::make({live_grant(1, hour), live_grant(2, 9 * hour, true), live_grant(3, 2 * hour)},
                      {.latest = start}, second);
  EXPECT_EQ(view->live("p@x", "s", start)->id.value, 3);
  EXPECT_EQ(view->live("p@x", "s", start + 90 * minute)->id.value, 3);
  EXPECT_EQ(view->live("p@x", "s", start + 2 * hour)->id.value, 2);
  EXPECT_EQ(view->live("p@x", "s", start + 9 * hour), nullptr);
  EXPECT_EQ(view->all("p@x", "s").size(), 3U);
}

TEST(GrantView, PersonAndSystemAreNotRunTogether) {
  Grant odd = live_grant(1, hour);
  odd.person = "p@xs";
  odd.system = "";
  const auto view = GrantView::make({live_grant(2, hour), odd}, {.latest = start}, second);
  EXPECT_EQ(view->live("p@xs", "", start)->id.value, 1);
  EXPECT_EQ(view->live("p@x", "s", start)->id.value, 2);
  EXPECT_EQ(view->live("p@", "xs", start), nullptr);
  EXPECT_EQ(view->live("P@x", "s", start), nullptr);
  EXPECT_TRUE(view->all("", "").empty());
}

TEST(GrantView, WhatIsNotApprovedIsNotLive) {
  for (const GrantState state : {GrantState::requested, GrantState::refused, GrantState::withdrawn,
                                 GrantState::ended, GrantState::expired}) {
    Grant grant = live_grant(1, hour);
    grant.state = state;
    const auto view = GrantView::make({grant}, {.latest = start}, second);
    EXPECT_EQ(view->live("p@x", "s", start), nullptr) << to_string(state);
  }
}

TEST(GrantView, AViewIsAsItWasWhenItWasMade) {
  GrantBook book({});
  const auto before = book.view();
  ASSERT_TRUE(book.request(ask(ada), ada, test_rules(), start));
  ASSERT_TRUE(book.approve({.grant = {1}, .by = bob}, test_rules(), start));
  book.commit();
  EXPECT_EQ(before->live(ada.who, "campaign-db", start), nullptr);
  EXPECT_NE(book.view()->live(ada.who, "campaign-db", start), nullptr);
}

// Ten thousand grants: what acts, sweeps and look-ups cost is printed, and that all is right is
// tested.
TEST_F(GrantsTest, TenThousandGrants) {
  constexpr std::int64_t count = 10'000;
  const auto person = [](std::int64_t i) {
    return Actor{.who = "person-" + std::to_string(i) + "@example.com"};
  };
  const auto began = std::chrono::steady_clock::now();
  std::vector<GrantChange> changes;
  for (std::int64_t i = 0; i < count; ++i) {
    changes.push_back(book_->request(ask(person(i)), person(i), rules_, now()).value());
  }
  ASSERT_TRUE(write(*database_, *book_, changes));
  changes.clear();
  for (std::int64_t i = 0; i < count; ++i) {
    changes.push_back(book_->approve({.grant = {i + 1}, .by = bob}, rules_, now()).value());
  }
  ASSERT_TRUE(write(*database_, *book_, changes));
  const auto granted = std::chrono::steady_clock::now();
  const auto view = book_->view();
  EXPECT_EQ(view->size(), static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    const Grant* const grant = view->live(person(i).who, "campaign-db", now());
    ASSERT_NE(grant, nullptr);
    ASSERT_EQ(grant->id.value, i + 1);
  }
  const auto found = std::chrono::steady_clock::now();
  clock_.advance(4 * hour);
  const Standing before = book_->standing();
  reopen();
  EXPECT_EQ(book_->standing(), before);
  const auto rebuilt = std::chrono::steady_clock::now();
  changes = book_->expire(now());
  EXPECT_EQ(changes.size(), static_cast<std::size_t>(count));
  ASSERT_TRUE(write(*database_, *book_, changes));
  const auto swept = std::chrono::steady_clock::now();
  EXPECT_EQ(book_->view()->size(), 0U);
  EXPECT_TRUE(book_->standing().open.empty());
  EXPECT_EQ(load_standing(*database_)->states.size(), static_cast<std::size_t>(count));
  const auto us = [](auto from, auto to) {
    return std::chrono::duration_cast<std::chrono::microseconds>(to - from).count();
  };
  RecordProperty("granted_us", std::to_string(us(began, granted)));
  std::printf(
      "10,000 grants: asked, approved and written in %.2f s, found in %.2f us each, "
      "rebuilt in %.2f s, swept in %.2f s\n",
      static_cast<double>(us(began, granted)) / 1e6,
      static_cast<double>(us(granted, found)) / static_cast<double>(count),
      static_cast<double>(us(found, rebuilt)) / 1e6, static_cast<double>(us(rebuilt, swept)) / 1e6);
}

// A sweep of more than may be staged goes on at the next call.
TEST_F(GrantsTest, ASweepIsBounded) {
  for (int i = 0; i < 5; ++i) {
    GrantRequest request = ask(ada, std::to_string(i));
    requested(ada, &request);
  }
  book_ = std::make_unique<GrantBook>(load_standing(*database_).value(),
                                      GrantBookOptions{.staged_max = 2});
  clock_.advance(24 * hour);
  for (const std::size_t expected : {2U, 2U, 1U, 0U}) {
    const auto changes = book_->expire(now());
    EXPECT_EQ(changes.size(), expected);
    ASSERT_TRUE(write(*database_, *book_, changes));
  }
}

// One thread acts, others look: each sees a grant whole or not, and never one that has ended
// before the look began.
TEST_F(GrantsTest, ThreadsLookWhileTheBookChanges) {
  std::atomic<bool> done = false;
  std::atomic<bool> is_closed = true;
  std::atomic<std::int64_t> seen = 0;
  std::atomic<std::int64_t> wrong = 0;
  const auto look = [&] {
    while (!done.load()) {
      const bool was_closed = is_closed.load();
      const auto view = book_->view();
      const Grant* const grant = view->live(ada.who, "campaign-db", start);
      if (grant == nullptr) continue;
      ++seen;
      // Closed when the look began and still: then nothing was granted in between.
      if (was_closed && is_closed.load() && grant->approved_by.empty()) ++wrong;
      if (grant->approved_by != std::vector<std::string>{bob.who}) ++wrong;
    }
  };
  {
    const std::jthread one(look);
    const std::jthread two(look);
    for (int i = 0; i < 300; ++i) {
      const Grant grant = requested();
      is_closed = false;
      must(book_->approve(deed(grant, bob), rules_, now()));
      must(book_->end(deed(grant, bob), rules_, now()));
      is_closed = true;
    }
    done = true;
  }
  EXPECT_EQ(wrong.load(), 0);
  std::printf("seen live %ld times\n", static_cast<long>(seen.load()));
}

}  // namespace
}  // namespace mailwarden::access
