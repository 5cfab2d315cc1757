#include "access/grant_table.h"

#include <gmock/gmock.h>

#include "tests/access/failing_database.h"
#include "tests/access/grants.h"

namespace mailwarden::access {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Everything that the tables hold.
std::vector<std::string> rows(db::Database& database) {
  std::vector<std::string> found;
  for (const char* sql :
       {"SELECT * FROM grants ORDER BY number",
        "SELECT * FROM grant_changes ORDER BY number, sequence", "SELECT * FROM grant_clock"}) {
    const auto statement = database.query(sql).value();
    while (statement->step().value()) {
      std::string row;
      for (int i = 0; i < statement->columns(); ++i) row += std::string(statement->text(i)) + "|";
      found.push_back(std::move(row));
    }
  }
  return found;
}

std::vector<std::int64_t> numbers(const Result<std::vector<Grant>>& grants) {
  std::vector<std::int64_t> found;
  for (const Grant& grant : grants.value()) found.push_back(grant.id.value);
  return found;
}

// Every field differs from its default.
Grant full_grant() {
  return {.id = {1},
          .person = "a",
          .system = "it's; DROP TABLE grants --",
          .purpose = "p",
          .ticket = "T-1",
          .reason = "\"q\" \xC3\xA9 \n",
          .requested_by = "b",
          .requested_at = start + Duration(1),
          .duration = hour,
          .state = GrantState::ended,
          .waits_until = start + Duration(2),
          .approvals_needed = 2,
          .approved_by = {"c", "d"},
          .from = start + Duration(3),
          .until = start + Duration(4),
          .break_glass = true,
          .ended_by = "e",
          .end_reason = "f",
          .ended_at = start + Duration(5),
          .review_until = start + Duration(6),
          .reviewed_by = "g",
          .review = "h",
          .review_missed = true,
          .set_back = Duration(7),
          .changes = 8};
}

TEST_F(GrantsTest, EveryFieldComesBack) {
  Grant before = full_grant();
  before.changes = 7;
  before.waits_until = {};
  const GrantChangeRow row{.entry = 42,
                           .change = {.before = before,
                                      .after = full_grant(),
                                      .act = GrantAct::end,
                                      .who = "i",
                                      .why = "j",
                                      .at = start + Duration(9),
                                      .time = {start + Duration(10), Duration(11)}}};
  ASSERT_TRUE(store_change(*database_, row));
  EXPECT_EQ(load_grant(*database_, {1}).value(), full_grant());
  EXPECT_THAT(load_changes(*database_, GrantId{1}).value(), ElementsAre(row));
  EXPECT_EQ(load_standing(*database_)->time, row.change.time);
}

TEST_F(GrantsTest, EveryStateAndActComesBack) {
  for (int state = 0; state <= static_cast<int>(GrantState::expired); ++state) {
    const auto one = static_cast<GrantState>(state);
    EXPECT_EQ(parse_grant_state(to_string(one)), one);
  }
  for (int act = 0; act <= static_cast<int>(GrantAct::miss_review); ++act) {
    const auto one = static_cast<GrantAct>(act);
    EXPECT_EQ(parse_grant_act(to_string(one)), one);
  }
  EXPECT_FALSE(parse_grant_state("granted"));
  EXPECT_FALSE(parse_grant_act(""));
}

TEST_F(GrantsTest, AStartFindsTheBookAsItWas) {
  const Grant first = approved();
  requested(eve);
  broken();
  must(book_->end(deed(first, bob), rules_, now()));
  approved();
  clock_.advance(2 * hour);
  expire();
  clock_.set(start);
  GrantRequest other = ask(bob, "other");
  requested(bob, &other);
  const Standing before = book_->standing();
  reopen();
  EXPECT_EQ(book_->standing(), before);
  EXPECT_EQ(book_->view()->size(), 1U);
  EXPECT_EQ(requested(cid).id.value, 6);
}

TEST_F(GrantsTest, HistoryStaysWhenAGrantIsOver) {
  const Grant grant = approved();
  clock_.advance(4 * hour);
  expire();
  clock_.advance(10'000 * hour);
  expire();
  reopen();
  const auto changes = load_changes(*database_, grant.id);
  ASSERT_TRUE(changes);
  std::vector<GrantAct> acts;
  for (const GrantChangeRow& row : *changes) acts.push_back(row.change.act);
  EXPECT_THAT(acts, ElementsAre(GrantAct::request, GrantAct::approve, GrantAct::expire));
  EXPECT_EQ(changes->back().change.after, load_grant(*database_, grant.id).value());
  EXPECT_EQ((*changes)[1].change.before, (*changes)[0].change.after);
  EXPECT_THAT(numbers(query_grants(*database_, {.person = ada.who})), ElementsAre(1));
}

TEST_F(GrantsTest, ChangesAreFoundByTheirLedgerEntries) {
  const Grant grant = approved();  // entries 1 and 2
  broken();                        // entry 3
  must(book_->end(deed(grant, bob), rules_, now()));
  const auto found = load_changes(*database_, ledger::EntryRange{2, 4});
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 2U);
  EXPECT_EQ((*found)[0].change.act, GrantAct::approve);
  EXPECT_EQ((*found)[1].change.act, GrantAct::break_glass);
  EXPECT_TRUE((*found)[1].change.alarms());
  EXPECT_THAT(load_changes(*database_, ledger::EntryRange{5, 9}).value(), IsEmpty());
}

TEST_F(GrantsTest, QueriesTakeNewestFirstAndFilter) {
  for (int i = 0; i < 4; ++i) {
    const Actor& person = i % 2 == 0 ? ada : eve;
    GrantRequest request = ask(person, i < 2 ? "a" : "b");
    requested(person, &request);
  }
  must(book_->withdraw(deed(*book_->find({2}), eve), now()));
  EXPECT_THAT(numbers(query_grants(*database_, {})), ElementsAre(4, 3, 2, 1));
  EXPECT_THAT(numbers(query_grants(*database_, {.person = eve.who})), ElementsAre(4, 2));
  EXPECT_THAT(numbers(query_grants(*database_, {.system = "a"})), ElementsAre(2, 1));
  EXPECT_THAT(numbers(query_grants(*database_, {.state = GrantState::withdrawn})), ElementsAre(2));
  EXPECT_THAT(numbers(query_grants(
                  *database_, {.person = ada.who, .system = "b", .state = GrantState::requested})),
              ElementsAre(3));
  EXPECT_THAT(numbers(query_grants(*database_, {.before = 4, .limit = 2})), ElementsAre(3, 2));
  EXPECT_THAT(numbers(query_grants(*database_, {.person = "x' OR '1'='1"})), IsEmpty());
  EXPECT_EQ(query_grants(*database_, {.limit = -1})->size(), 1U);
  EXPECT_EQ(load_grant(*database_, {9}).error().code, Code::not_found);
}

// --- transactions that fail ---

TEST_F(GrantsTest, WhatFailsOnTheWayHasNeverBeen) {
  const Grant waits = requested();
  const Grant runs = approved(eve);
  FailingDatabase failing(*database_);
  const auto before = rows(*database_);
  const Standing standing = book_->standing();
  const auto acts = [&] {
    return std::vector{book_->approve(deed(waits, bob), rules_, now()).value(),
                       book_->end(deed(runs, bob), rules_, now()).value(),
                       book_->request(ask(cid), cid, rules_, now()).value()};
  };
  int failures = 0;
  for (int step = 1;; ++step) {
    failing.fail_at(step);
    const auto changes = acts();
    const auto done = write(failing, *book_, changes);
    if (done) break;
    ++failures;
    EXPECT_EQ(done.error().code, Code::full);
    ASSERT_EQ(rows(*database_), before) << "step " << step;
    ASSERT_EQ(book_->standing(), standing);
    ASSERT_EQ(live(ada), nullptr);
    ASSERT_NE(live(eve), nullptr);
    ASSERT_EQ(load_standing(*database_).value(), standing);
  }
  EXPECT_EQ(failures, 10) << "three statements each, and the commit";
  EXPECT_NE(live(ada), nullptr);
  EXPECT_EQ(live(eve), nullptr);
  EXPECT_EQ(load_standing(*database_).value(), book_->standing());
}

TEST_F(GrantsTest, WhatIsTriedAgainUntilItHoldsHasEffectOnceItDoes) {
  FailingDatabase failing(*database_);
  const Grant waits = requested();
  const GrantChange change = book_->approve(deed(waits, bob), rules_, now()).value();
  const auto attempt = [&]() -> Result<void> {
    auto transaction = db::Transaction::begin(failing);
    if (auto done = store_change(failing, {7, change}); !done) return done;
    return transaction->commit();
  };
  failing.fail_at(2);
  ASSERT_FALSE(attempt());
  EXPECT_EQ(live(ada), nullptr);
  EXPECT_EQ(book_->approve(deed(waits, cid), rules_, now()).error().code, Code::conflict);
  ASSERT_TRUE(attempt());
  book_->commit();
  EXPECT_NE(live(ada), nullptr);
}

TEST_F(GrantsTest, AChangeIsWrittenOnce) {
  const GrantChange change = book_->request(ask(ada), ada, rules_, now()).value();
  ASSERT_TRUE(store_change(*database_, {1, change}));
  const auto before = rows(*database_);
  const auto again = store_change(*database_, {2, change});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::conflict);
  EXPECT_EQ(rows(*database_), before);
}

// --- damage ---

struct Damage {
  const char* name;
  const char* sql;
  const char* told;
};

class GrantDamages : public GrantsTest, public testing::WithParamInterface<Damage> {};

TEST_P(GrantDamages, KeepABookFromBeginning) {
  requested(eve);
  approved();
  ASSERT_TRUE(database_->execute(GetParam().sql));
  const auto standing = load_standing(*database_);
  ASSERT_FALSE(standing);
  EXPECT_EQ(standing.error().code, Code::corrupt);
  EXPECT_THAT(standing.error().what, HasSubstr(GetParam().told));
}

INSTANTIATE_TEST_SUITE_P(
    Cases, GrantDamages,
    testing::Values(
        Damage{"GrantIsGone", "DELETE FROM grants WHERE number = 1",
               "grant 1 is damaged: it is not"},
        Damage{"UnknownState", "UPDATE grants SET state = 'x' WHERE number = 2", "grant 2"},
        Damage{"TwoStates", "UPDATE grants SET state = 'approved' WHERE number = 1", "two states"},
        Damage{"NoJson", "UPDATE grants SET body = '{' WHERE number = 1", "it is not JSON"},
        Damage{"NoObject", "UPDATE grants SET body = '[]' WHERE number = 1", "missing or wrong"},
        Damage{"OtherNumber",
               "UPDATE grants SET body = (SELECT body FROM grants WHERE number = 1), state = "
               "'requested' WHERE number = 2",
               "another number"},
        Damage{"Longer",
               "UPDATE grants SET body = replace(body, '\"duration_s\":14400', '\"duration_s\":1') "
               "WHERE number = 2",
               "missing or wrong"},
        Damage{"UnapprovedYetLive",
               "UPDATE grants SET body = replace(body, '\"approved_by\":[\"bob@example.com\"]', "
               "'\"approved_by\":[]') WHERE number = 2",
               "missing or wrong"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST_F(GrantsTest, ADamagedChangeIsTold) {
  const Grant grant = requested();
  ASSERT_TRUE(database_->execute("UPDATE grant_changes SET body = replace(body, 'request', 'x')"));
  EXPECT_EQ(load_changes(*database_, grant.id).error().code, Code::corrupt);
}

TEST_F(GrantsTest, StoresOfOneNumberInAnotherPlaceAreTold) {
  const Grant grant = requested();
  ASSERT_TRUE(database_->execute("UPDATE grant_changes SET sequence = 5"));
  EXPECT_EQ(load_changes(*database_, grant.id).error().code, Code::corrupt);
}

}  // namespace
}  // namespace mailwarden::access
