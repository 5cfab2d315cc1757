#include "access/grant_book.h"

#include <optional>

#include <gmock/gmock.h>

#include "tests/access/grants.h"
#include "tests/db/store.h"

namespace mailwarden::access {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// --- every act in every state ---

// How a grant comes to stand where the row has it.
enum class Stand {
  requested,
  half_approved,
  approved,
  broken,
  broken_reviewed,
  refused,
  withdrawn,
  ended,
  expired,
  waited,
  ran_out,
  none
};
constexpr std::pair<Stand, const char*> stands[] = {{Stand::requested, "requested"},
                                                    {Stand::half_approved, "half approved"},
                                                    {Stand::approved, "approved"},
                                                    {Stand::broken, "broken"},
                                                    {Stand::broken_reviewed, "broken and reviewed"},
                                                    {Stand::refused, "refused"},
                                                    {Stand::withdrawn, "withdrawn"},
                                                    {Stand::ended, "ended"},
                                                    {Stand::expired, "expired"},
                                                    {Stand::waited, "waited too long, not swept"},
                                                    {Stand::ran_out, "ran out, not swept"},
                                                    {Stand::none, "none"}};

struct Row {
  GrantAct act;
  // For each of `stands`: the state that follows, "conflict", or "not_found".
  std::vector<std::string> follows;
};

const std::vector<Row> table{
    {GrantAct::approve,
     {"approved", "approved", "conflict", "conflict", "conflict", "conflict", "conflict",
      "conflict", "conflict", "conflict", "conflict", "not_found"}},
    {GrantAct::refuse,
     {"refused", "refused", "conflict", "conflict", "conflict", "conflict", "conflict", "conflict",
      "conflict", "conflict", "conflict", "not_found"}},
    {GrantAct::withdraw,
     {"withdrawn", "withdrawn", "conflict", "conflict", "conflict", "conflict", "conflict",
      "conflict", "conflict", "conflict", "conflict", "not_found"}},
    {GrantAct::end,
     {"conflict", "conflict", "ended", "ended", "ended", "conflict", "conflict", "conflict",
      "conflict", "conflict", "conflict", "not_found"}},
    {GrantAct::review,
     {"conflict", "conflict", "conflict", "approved", "conflict", "conflict", "conflict",
      "conflict", "conflict", "conflict", "conflict", "not_found"}}};

class GrantStates : public GrantsTest {
 protected:
  GrantId stand_at(Stand stand) {
    GrantRequest twice = ask(ada);
    twice.purpose = "legal_duty";
    switch (stand) {
      case Stand::requested:
        return requested().id;
      case Stand::half_approved:
        return must(book_->approve(deed(requested(ada, &twice), bob), rules_, now())).after.id;
      case Stand::approved:
        return approved().id;
      case Stand::broken:
        return broken().id;
      case Stand::broken_reviewed:
        return must(book_->review(deed(broken(), bob), rules_, now())).after.id;
      case Stand::refused:
        return must(book_->refuse(deed(requested(), bob), rules_, now())).after.id;
      case Stand::withdrawn:
        return must(book_->withdraw(deed(requested(), ada), now())).after.id;
      case Stand::ended:
        return must(book_->end(deed(approved(), ada), rules_, now())).after.id;
      case Stand::expired: {
        const GrantId id = approved().id;
        clock_.advance(5 * hour);
        expire();
        return id;
      }
      case Stand::waited: {
        const GrantId id = requested().id;
        clock_.advance(24 * hour);
        return id;
      }
      case Stand::ran_out: {
        const GrantId id = approved().id;
        clock_.advance(4 * hour);
        return id;
      }
      case Stand::none:
        return {7};
    }
    return {};
  }

  Result<GrantChange> act(GrantAct act, GrantId id) {
    Deed by_approver{.grant = id, .by = cid, .why = "it is so"};
    const bool broke = book_->find(id) != nullptr && book_->find(id)->break_glass;
    switch (act) {
      case GrantAct::approve:
        return book_->approve(by_approver, rules_, now());
      case GrantAct::refuse:
        return book_->refuse(by_approver, rules_, now());
      case GrantAct::withdraw:
        by_approver.by = broke ? dan : ada;
        return book_->withdraw(by_approver, now());
      case GrantAct::end:
        return book_->end(by_approver, rules_, now());
      default:
        return book_->review(by_approver, rules_, now());
    }
  }
};

TEST_F(GrantStates, EveryActInEveryStateDoesWhatTheTableSays) {
  for (const bool reopened : {false, true}) {
    for (const Row& row : table) {
      ASSERT_EQ(row.follows.size(), std::size(stands));
      for (std::size_t i = 0; i < std::size(stands); ++i) {
        SCOPED_TRACE(std::string(to_string(row.act)) + " of one that is " + stands[i].second);
        database_ = fresh_store();
        ASSERT_TRUE(db::migrate(*database_, migrations(), start));
        clock_.set(start);
        reopen();
        const GrantId id = stand_at(stands[i].first);
        if (reopened) reopen();
        const Standing before = book_->standing();
        const auto change = act(row.act, id);
        const std::string came = change ? std::string(to_string(change->after.state))
                                        : std::string(mailwarden::to_string(change.error().code));
        EXPECT_EQ(came, row.follows[i]) << (change ? "" : change.error().what);
        EXPECT_EQ(book_->staged(), change ? 1U : 0U);
        EXPECT_EQ(book_->standing().open, before.open) << "nothing holds before it is written";
      }
    }
  }
}

TEST_F(GrantStates, OneSweepClosesWhatIsDue) {
  const Grant waits = requested();
  const Grant runs = approved(eve);
  const Grant glass = broken();
  EXPECT_TRUE(book_->expire(now()).empty());
  clock_.advance(hour);
  auto changes = book_->expire(now());
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].after.id, glass.id);
  EXPECT_EQ(changes[0].after.state, GrantState::expired);
  EXPECT_EQ(changes[0].who, daemon_name);
  EXPECT_TRUE(changes[0].closes_access());
  EXPECT_TRUE(book_->expire(now()).empty()) << "what is staged is not closed twice";
  ASSERT_TRUE(write(*database_, *book_, changes));
  clock_.advance(24 * hour);
  changes = book_->expire(now());
  ASSERT_EQ(changes.size(), 3U);
  EXPECT_EQ(changes[0].after.id, waits.id);
  EXPECT_FALSE(changes[0].closes_access());
  EXPECT_EQ(changes[1].after.id, runs.id);
  EXPECT_EQ(changes[2].act, GrantAct::miss_review);
  EXPECT_TRUE(changes[2].alarms());
  ASSERT_TRUE(write(*database_, *book_, changes));
  EXPECT_TRUE(book_->expire(now()).empty()) << "a missed review is told once";
}

// --- who ---

TEST_F(GrantsTest, ARequestIsApprovedByAnother) {
  const Grant grant = requested();
  EXPECT_EQ(live(ada), nullptr);
  const GrantChange change = must(book_->approve(deed(grant, bob), rules_, now()));
  EXPECT_EQ(change.before, grant);
  EXPECT_EQ(change.after.state, GrantState::approved);
  EXPECT_THAT(change.after.approved_by, ElementsAre(bob.who));
  EXPECT_EQ(change.after.from, now());
  EXPECT_EQ(change.after.until, now() + 4 * hour);
  EXPECT_TRUE(change.opens_access());
  EXPECT_FALSE(change.alarms());
  ASSERT_NE(live(ada), nullptr);
  EXPECT_EQ(*live(ada), change.after);
  EXPECT_EQ(live(ada, "other-db"), nullptr);
  EXPECT_EQ(live(bob), nullptr);
}

struct Denied {
  const char* name;
  Actor person;
  Actor asker;
  Actor approver;
};

class GrantDenials : public GrantsTest, public testing::WithParamInterface<Denied> {};

TEST_P(GrantDenials, NobodyDecidesForThemselvesOrOutsideTheGroups) {
  const Denied& row = GetParam();
  const auto made = book_->request(ask(row.person), row.asker, rules_, now());
  const Grant grant = must(made).after;
  for (const auto& change : {book_->approve(deed(grant, row.approver), rules_, now()),
                             book_->refuse(deed(grant, row.approver), rules_, now())}) {
    ASSERT_FALSE(change);
    EXPECT_EQ(change.error().code, Code::denied) << change.error().what;
  }
  EXPECT_EQ(book_->staged(), 0U);
}

const Actor lead_who_approves{.who = "lee@example.com", .groups = {"leads", "approvers"}};

INSTANTIATE_TEST_SUITE_P(
    Cases, GrantDenials,
    testing::Values(Denied{"TheirOwn", bob, bob, bob},
                    Denied{"TheirOwnInOtherLetters", bob, bob, {"BOB@Example.com", {"approvers"}}},
                    Denied{"AskedForAnother", ada, lead_who_approves, lead_who_approves},
                    Denied{"AskedForByAnother", bob, dan, bob}, Denied{"NoApprover", ada, ada, eve},
                    Denied{"NoGroups", ada, ada, {"zoe@example.com", {}}},
                    Denied{"TheDaemon", ada, ada, Actor::daemon()}),
    [](const auto& info) { return std::string(info.param.name); });

TEST_F(GrantsTest, OnlyLeadsAskForOthers) {
  EXPECT_EQ(book_->request(ask(ada), eve, rules_, now()).error().code, Code::denied);
  const GrantChange change = must(book_->request(ask(ada), dan, rules_, now()));
  EXPECT_EQ(change.after.person, ada.who);
  EXPECT_EQ(change.after.requested_by, dan.who);
  EXPECT_EQ(change.who, dan.who);
}

TEST_F(GrantsTest, TwoApprovalsAreThoseOfTwoPeople) {
  GrantRequest request = ask(ada);
  request.purpose = "legal_duty";
  const Grant grant = requested(ada, &request);
  const GrantChange first = must(book_->approve(deed(grant, bob), rules_, now()));
  EXPECT_EQ(first.after.state, GrantState::requested);
  EXPECT_FALSE(first.opens_access());
  EXPECT_EQ(live(ada), nullptr);
  const auto again = book_->approve(deed(grant, {"Bob@example.com", {"approvers"}}), rules_, now());
  EXPECT_EQ(again.error().code, Code::conflict);
  const GrantChange second = must(book_->approve(deed(grant, cid), rules_, now()));
  EXPECT_EQ(second.after.state, GrantState::approved);
  EXPECT_THAT(second.after.approved_by, ElementsAre(bob.who, cid.who));
  EXPECT_NE(live(ada), nullptr);
}

TEST_F(GrantsTest, OfTwoApprovalsInARowTheSecondIsAConflictBeforeAnythingIsWritten) {
  const Grant grant = requested();
  const auto first = book_->approve(deed(grant, bob), rules_, now());
  const auto second = book_->approve(deed(grant, cid), rules_, now());
  ASSERT_TRUE(first);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::conflict);
  EXPECT_EQ(live(ada), nullptr) << "what is not written has no effect";
  ASSERT_TRUE(write(*database_, *book_, {*first}));
  EXPECT_NE(live(ada), nullptr);
}

TEST_F(GrantsTest, WhoMayWithdrawAndEnd) {
  const Grant waits = must(book_->request(ask(ada), dan, rules_, now())).after;
  EXPECT_EQ(book_->withdraw(deed(waits, eve), now()).error().code, Code::denied);
  EXPECT_EQ(book_->withdraw(deed(waits, bob), now()).error().code, Code::denied);
  for (const Actor& by : {ada, dan, Actor::daemon()}) {
    EXPECT_TRUE(book_->withdraw(deed(waits, by), now())) << by.who;
    book_->discard();
  }
  must(book_->approve(deed(waits, bob), rules_, now()));
  EXPECT_EQ(book_->end(deed(waits, eve), rules_, now()).error().code, Code::denied);
  const Actor bob_who_left_the_group{.who = bob.who};
  for (const Actor& by : {ada, dan, bob_who_left_the_group, cid, Actor::daemon()}) {
    EXPECT_TRUE(book_->end(deed(waits, by), rules_, now())) << by.who;
    book_->discard();
  }
  const GrantChange change = must(book_->end(deed(waits, cid, "seen enough"), rules_, now()));
  EXPECT_TRUE(change.closes_access());
  EXPECT_EQ(change.after.ended_by, cid.who);
  EXPECT_EQ(change.after.end_reason, "seen enough");
  EXPECT_EQ(live(ada), nullptr);
  const auto twice = book_->end(deed(waits, cid), rules_, now());
  EXPECT_EQ(twice.error(), (Error{Code::conflict, "grant 1 is ended and not approved"}));
}

// --- break-glass ---

TEST_F(GrantsTest, ABrokenGlassWorksAndAlarmsAtOnce) {
  GrantRequest request = ask(dan);
  request.ticket = "";
  request.duration = hour;
  const GrantChange change = must(book_->break_glass(request, dan, rules_, now()));
  EXPECT_TRUE(change.alarms());
  EXPECT_TRUE(change.opens_access());
  EXPECT_FALSE(change.before);
  EXPECT_TRUE(change.after.approved_by.empty());
  EXPECT_EQ(change.after.review_until, now() + 24 * hour);
  ASSERT_NE(live(dan), nullptr);
  EXPECT_TRUE(live(dan)->break_glass);
}

TEST_F(GrantsTest, ABrokenGlassIsForWhoeverBreaksItAndMay) {
  GrantRequest request = ask(dan);
  request.duration = hour;
  EXPECT_EQ(book_->break_glass(request, cid, rules_, now()).error().code, Code::denied);
  request.person = ada.who;
  EXPECT_EQ(book_->break_glass(request, ada, rules_, now()).error().code, Code::denied);
  request.person = dan.who;
  request.duration = hour + second;
  EXPECT_EQ(book_->break_glass(request, dan, rules_, now()).error().code, Code::invalid);
  request.duration = hour;
  request.reason = ".";
  EXPECT_EQ(book_->break_glass(request, dan, rules_, now()).error().code, Code::invalid);
  request.reason = "mail does not move";
  request.ticket = "no ticket";
  EXPECT_EQ(book_->break_glass(request, dan, rules_, now()).error().code, Code::invalid);
  request.ticket = "INC-7";
  rules_.break_glass.reset();
  EXPECT_EQ(book_->break_glass(request, dan, rules_, now()).error().code, Code::denied);
  rules_ = test_rules();
  EXPECT_TRUE(book_->break_glass(request, dan, rules_, now()));
}

TEST_F(GrantsTest, ABrokenGlassIsReviewedOnceByAnotherEvenWhenItIsOver) {
  const Grant glass = broken(cid);
  EXPECT_EQ(book_->review(deed(glass, cid), rules_, now()).error().code, Code::denied);
  EXPECT_EQ(book_->review(deed(glass, eve), rules_, now()).error().code, Code::denied);
  EXPECT_EQ(book_->review(deed(glass, bob, "."), rules_, now()).error().code, Code::invalid);
  clock_.advance(2 * hour);
  expire();
  reopen();
  ASSERT_NE(book_->find(glass.id), nullptr) << "it waits for its review";
  const GrantChange change = must(book_->review(deed(glass, bob, "rightly done"), rules_, now()));
  EXPECT_EQ(change.after.state, GrantState::expired);
  EXPECT_EQ(change.after.reviewed_by, bob.who);
  EXPECT_EQ(book_->find(glass.id), nullptr);
  EXPECT_EQ(book_->review(deed(glass, bob), rules_, now()).error().code, Code::conflict);
  clock_.advance(48 * hour);
  EXPECT_TRUE(book_->expire(now()).empty()) << "its review was not missed";
}

// --- rules and limits ---

TEST_F(GrantsTest, WhatRulesAllowWhenItIsApprovedCounts) {
  const Grant grant = requested();
  rules_.purposes[0].duration_max = 2 * hour;
  EXPECT_EQ(book_->approve(deed(grant, bob), rules_, now()).error().code, Code::conflict);
  rules_.purposes[0] = {"support", 8 * hour, 2};
  EXPECT_EQ(must(book_->approve(deed(grant, bob), rules_, now())).after.state,
            GrantState::requested);
  rules_.purposes.erase(rules_.purposes.begin());
  EXPECT_EQ(book_->approve(deed(grant, cid), rules_, now()).error().code, Code::conflict);
}

TEST_F(GrantsTest, MilderRulesDoNotTakeAnApprovalAway) {
  GrantRequest request = ask(ada);
  request.purpose = "legal_duty";
  const Grant grant = requested(ada, &request);
  rules_.purposes[1].approvals = 1;
  EXPECT_EQ(must(book_->approve(deed(grant, bob), rules_, now())).after.state,
            GrantState::requested);
}

TEST_F(GrantsTest, OpenRequestsOfAPersonAreCounted) {
  for (int i = 0; i < 5; ++i) {
    GrantRequest request = ask(ada, "system-" + std::to_string(i));
    requested(ada, &request);
  }
  EXPECT_EQ(book_->request(ask(ada), ada, rules_, now()).error().code, Code::full);
  EXPECT_TRUE(book_->request(ask(eve), eve, rules_, now()));
  book_->discard();
  clock_.advance(24 * hour);
  EXPECT_TRUE(book_->request(ask(ada), ada, rules_, now())) << "those have waited too long";
}

TEST_F(GrantsTest, StagedRequestsAreCountedToo) {
  rules_.requests_open_max = 1;
  EXPECT_TRUE(book_->request(ask(ada), ada, rules_, now()));
  EXPECT_EQ(book_->request(ask(ada, "other"), ada, rules_, now()).error().code, Code::full);
  EXPECT_EQ(book_->request(ask(ada), ada, rules_, now()).error().code, Code::conflict);
}

TEST_F(GrantsTest, TheSameIsNotAskedForTwiceAtOnceButMayBeBeforeItsEnd) {
  const Grant grant = requested();
  EXPECT_EQ(book_->request(ask(ada), ada, rules_, now()).error().code, Code::conflict);
  must(book_->approve(deed(grant, bob), rules_, now()));
  EXPECT_TRUE(book_->request(ask(ada), ada, rules_, now()));
}

TEST_F(GrantsTest, LimitsAreTold) {
  book_ = std::make_unique<GrantBook>(
      Standing{}, GrantBookOptions{.open_max = 3, .staged_max = 2, .live_max = 1});
  const Grant first = approved();
  GrantRequest other = ask(ada, "other");
  const Grant second = requested(ada, &other);
  EXPECT_EQ(book_->approve(deed(second, bob), rules_, now()).error().code, Code::full);
  EXPECT_TRUE(book_->request(ask(eve), eve, rules_, now()));
  EXPECT_EQ(book_->request(ask(bob), bob, rules_, now()).error().code, Code::full);
  EXPECT_TRUE(book_->end(deed(first, ada), rules_, now()));
  EXPECT_EQ(book_->withdraw(deed(second, ada), now()).error().code, Code::full);
}

TEST_F(GrantsTest, ADurationIsOfWholeSecondsAndWithinThePurpose) {
  GrantRequest request = ask(ada);
  for (const Duration wrong : {Duration(0), -hour, second - Duration(1), 8 * hour + second,
                               Duration::max(), Duration::min()}) {
    request.duration = wrong;
    const auto change = book_->request(request, ada, rules_, now());
    ASSERT_FALSE(change) << wrong.count();
    EXPECT_EQ(change.error().code, Code::invalid);
  }
  request.duration = 8 * hour + Duration(999'999);
  EXPECT_EQ(requested(ada, &request).duration, 8 * hour);
}

}  // namespace
}  // namespace mailwarden::access
