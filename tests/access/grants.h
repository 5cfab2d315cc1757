// What the tests of grants have in common: a store, a book on it, and people.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "access/grant_book.h"
#include "access/grant_table.h"
#include "base/clock.h"
#include "tests/db/store.h"
#include "tests/temporary.h"

namespace mailwarden::access {

inline constexpr Timestamp start{1'796'000'000'000'000};
inline constexpr Duration second = std::chrono::seconds(1);
inline constexpr Duration minute = std::chrono::minutes(1);
inline constexpr Duration hour = std::chrono::hours(1);

inline const Actor ada{.who = "ada@example.com", .groups = {"staff", "engineers"}};
inline const Actor bob{.who = "bob@example.com", .groups = {"staff", "approvers"}};
inline const Actor cid{.who = "cid@example.com", .groups = {"staff", "approvers", "on-call"}};
inline const Actor dan{.who = "dan@example.com", .groups = {"staff", "on-call", "leads"}};
inline const Actor eve{.who = "eve@example.com", .groups = {"staff"}};

inline GrantRules test_rules() {
  return {.purposes = {{"support", 8 * hour, 1}, {"legal_duty", 24 * hour, 2}},
          .ticket_prefixes = {"T-", "INC-"},
          .reason_words_min = 3,
          .requests_open_max = 5,
          .wait_max = 24 * hour,
          .approvers = {"approvers"},
          .on_behalf = {"leads"},
          .break_glass = BreakGlassRule{{"on-call"}, hour, 24 * hour}};
}

inline GrantRequest ask(const Actor& person, const std::string& system = "campaign-db") {
  return {.person = person.who,
          .system = system,
          .purpose = "support",
          .ticket = "T-1024",
          .reason = "customer cannot send",
          .duration = 4 * hour};
}

inline Deed deed(const Grant& grant, const Actor& by, const std::string& why = "looked at it") {
  return {.grant = grant.id, .by = by, .why = why};
}

// Writes changes as a caller does: in one transaction, and then they hold or have never been.
inline Result<void> write(db::Database& database, GrantBook& book,
                          const std::vector<GrantChange>& changes, std::int64_t entry = 0) {
  const auto run = [&]() -> Result<void> {
    auto transaction = db::Transaction::begin(database);
    if (!transaction) return std::unexpected(transaction.error());
    for (const GrantChange& change : changes) {
      if (auto done = store_change(database, {entry, change}); !done) return done;
    }
    return transaction->commit();
  };
  auto done = run();
  done ? book.commit() : book.discard();
  return done;
}

class GrantsTest : public testing::Test {
 protected:
  GrantsTest() {
    EXPECT_TRUE(db::migrate(*database_, migrations(), start));
    book_ = std::make_unique<GrantBook>(load_standing(*database_).value());
  }

  Timestamp now() const { return clock_.now(); }

  // The change, written; the test fails where it is none.
  GrantChange must(const Result<GrantChange>& change) {
    EXPECT_TRUE(change) << change.error().what;
    if (!change) return {};
    EXPECT_TRUE(write(*database_, *book_, {*change}, ++entry_));
    return *change;
  }
  Grant requested(const Actor& person = ada, const GrantRequest* request = nullptr) {
    return must(book_->request(request == nullptr ? ask(person) : *request, person, rules_, now()))
        .after;
  }
  Grant approved(const Actor& person = ada) {
    return must(book_->approve(deed(requested(person), bob), rules_, now())).after;
  }
  Grant broken(const Actor& person = dan) {
    GrantRequest request = ask(person);
    request.duration = hour;
    request.ticket = "";
    return must(book_->break_glass(request, person, rules_, now())).after;
  }
  void expire() {
    const auto changes = book_->expire(now());
    EXPECT_TRUE(write(*database_, *book_, changes, ++entry_));
  }
  const Grant* live(const Actor& person, const std::string& system = "campaign-db") {
    return book_->view()->live(person.who, system, now());
  }
  // As a start finds it.
  void reopen() { book_ = std::make_unique<GrantBook>(load_standing(*database_).value()); }

  ManualClock clock_{start};
  GrantRules rules_ = test_rules();
  std::unique_ptr<db::Database> database_ = fresh_store();
  std::unique_ptr<GrantBook> book_;
  std::int64_t entry_ = 0;
};

}  // namespace mailwarden::access
