#include "privacy/sweep.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.h"
#include "ledger/verify.h"
#include "tests/privacy/store.h"

namespace mailwarden::privacy {
namespace {

using std::chrono::hours;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr Duration day = hours(24);
constexpr Duration instant{1};
constexpr Timestamp begin = TestStore::begin;

class SweepTest : public testing::Test {
 protected:
  Sweep plan(const SweepOptions& options = {}) {
    return plan_sweep(store_.database(), policies_, clock_.now(), options).value();
  }
  // What the core does: the ledger entry first, then the removal under its number.
  std::int64_t remove(const DueBatches& due) {
    const std::int64_t entry = store_.record("removal", to_record(due, clock_.now()), clock_.now());
    EXPECT_TRUE(remove_batches(store_.database(), due, entry, clock_.now()));
    return entry;
  }
  void open_incident(std::int64_t number, const std::string& source,
                     incident::State state = incident::State::analysing) {
    ASSERT_TRUE(incident::store_incident(store_.database(), {.number = number, .state = state}));
    store_.detection(number, {.rule_id = "r", .event = store_.last_event(source)}, begin);
  }

  TestStore store_;
  ManualClock clock_{begin};
  std::vector<RetentionPolicy> policies_{
      {.category = "sign-ins", .basis = "b", .sources = {"auth*"}, .keep = 10 * day},
      {.category = "web", .basis = "b", .sources = {"web"}, .keep = 2 * day}};
};

TEST_F(SweepTest, AnEmptyStoreHasNothingDue) {
  const Sweep sweep = plan();
  EXPECT_EQ(sweep.now, begin);
  EXPECT_THAT(sweep.due, IsEmpty());
  EXPECT_THAT(sweep.without_policy, IsEmpty());
  EXPECT_TRUE(sweep.complete);
}

// A batch is due when its newest event is: before now - keep, and not at that moment.
TEST_F(SweepTest, ABatchIsDueOnceItsNewestEventIs) {
  const std::int64_t entry =
      store_.events("auth", {begin - 5 * day, begin, begin - hours(1)}, begin);
  clock_.set(begin + 10 * day);
  EXPECT_THAT(plan().due, IsEmpty());
  clock_.advance(instant);
  const Sweep sweep = plan();
  ASSERT_EQ(sweep.due.size(), 1U);
  const DueBatches& due = sweep.due[0];
  EXPECT_EQ(due.category, "sign-ins");
  EXPECT_EQ(due.source, "auth");
  EXPECT_EQ(due.cutoff, begin + instant);
  EXPECT_THAT(due.entries, ElementsAre(entry));
  EXPECT_EQ(due.events, 3);
  EXPECT_EQ(due.earliest, begin - 5 * day);
  EXPECT_EQ(due.latest, begin);
  EXPECT_EQ(due.held_because, "");
}

TEST_F(SweepTest, APlanChangesNothing) {
  store_.events("auth", {begin}, begin);
  clock_.set(begin + 20 * day);
  ASSERT_EQ(plan().due.size(), 1U);
  EXPECT_EQ(plan().due.size(), 1U);
  EXPECT_EQ(store_.count_events(), 1);
  EXPECT_EQ(store_.count("event_entity"), 1);
  EXPECT_THAT(load_removals(store_.database()).value(), IsEmpty());
}

TEST_F(SweepTest, EverySourceHasThePolicyThatTakesIt) {
  const std::int64_t auth = store_.events("auth1", {begin}, begin);
  const std::int64_t web = store_.events("web", {begin}, begin);
  const std::int64_t old = store_.events("auth1", {begin - 9 * day}, begin);
  clock_.set(begin + 3 * day);
  Sweep sweep = plan();
  ASSERT_EQ(sweep.due.size(), 2U);
  EXPECT_THAT(sweep.due[0].entries, ElementsAre(old));
  EXPECT_EQ(sweep.due[1].category, "web");
  EXPECT_THAT(sweep.due[1].entries, ElementsAre(web));
  clock_.set(begin + 11 * day);
  sweep = plan();
  ASSERT_EQ(sweep.due.size(), 2U);
  EXPECT_THAT(sweep.due[0].entries, ElementsAre(auth, old));
  EXPECT_EQ(sweep.due[0].events, 2);
  EXPECT_EQ(sweep.due[0].earliest, begin - 9 * day);
  EXPECT_EQ(sweep.due[0].latest, begin);
}

TEST_F(SweepTest, SourcesWithoutPolicyAreKeptAndTold) {
  store_.events("printer", {begin - 1000 * day}, begin);
  store_.events("web2", {begin - 1000 * day}, begin);
  store_.events("web", {begin}, begin);
  const Sweep sweep = plan();
  EXPECT_THAT(sweep.due, IsEmpty());
  EXPECT_THAT(sweep.without_policy, ElementsAre("printer", "web2"));
}

TEST_F(SweepTest, AHoldKeepsItsSourceUntilItsDay) {
  policies_[0].holds.push_back({.name = "case 7",
                                .reason = "asked for by counsel",
                                .sources = {"auth1"},
                                .until = begin + 20 * day});
  store_.events("auth1", {begin}, begin);
  store_.events("auth2", {begin}, begin);
  clock_.set(begin + 20 * day - instant);
  Sweep sweep = plan();
  ASSERT_EQ(sweep.due.size(), 2U);
  EXPECT_EQ(sweep.due[0].source, "auth1");
  EXPECT_THAT(sweep.due[0].held_because, HasSubstr("case 7"));
  EXPECT_THAT(sweep.due[0].held_because, HasSubstr("asked for by counsel"));
  EXPECT_EQ(sweep.due[1].held_because, "");
  clock_.set(begin + 20 * day + instant);
  sweep = plan();
  ASSERT_EQ(sweep.due.size(), 2U);
  EXPECT_EQ(sweep.due[0].held_because, "");
}

TEST_F(SweepTest, AnIncidentThatIsNotOverHoldsItsBatchAlone) {
  const std::int64_t held = store_.events("auth", {begin, begin, begin}, begin);
  open_incident(12, "auth");
  const std::int64_t free = store_.events("auth", {begin}, begin);
  clock_.set(begin + 11 * day);
  const Sweep sweep = plan();
  ASSERT_EQ(sweep.due.size(), 2U);
  EXPECT_THAT(sweep.due[0].entries, ElementsAre(held));
  EXPECT_THAT(sweep.due[0].held_because, HasSubstr("incident 12"));
  EXPECT_THAT(sweep.due[1].entries, ElementsAre(free));
  EXPECT_EQ(sweep.due[1].held_because, "");
}

TEST_F(SweepTest, AnIncidentThatIsOverHoldsNothing) {
  using incident::State;
  store_.events("auth", {begin}, begin);
  open_incident(12, "auth");
  clock_.set(begin + 11 * day);
  for (int i = 0; i <= static_cast<int>(State::merged); ++i) {
    const auto state = static_cast<State>(i);
    ASSERT_TRUE(incident::store_incident(store_.database(), {.number = 12, .state = state}));
    const Sweep sweep = plan();
    ASSERT_EQ(sweep.due.size(), 1U);
    EXPECT_EQ(sweep.due[0].held_because.empty(), incident::is_over(state)) << to_string(state);
  }
}

TEST_F(SweepTest, RemovingTakesTheEventsAndLeavesTheProof) {
  const std::int64_t entry = store_.events("auth", {begin, begin}, begin);
  const std::int64_t kept = store_.events("web", {begin + 11 * day}, begin);
  clock_.set(begin + 11 * day);
  const Sweep sweep = plan();
  ASSERT_EQ(sweep.due.size(), 1U);
  const std::int64_t removal = remove(sweep.due[0]);
  EXPECT_EQ(store_.count_events(), 1);
  EXPECT_EQ(removed_by(store_.database(), entry).value(), removal);
  EXPECT_EQ(removed_by(store_.database(), kept).value(), std::nullopt);
  std::vector<std::int64_t> told;
  ASSERT_TRUE(ledger::for_each_of_kind(
      store_.database(), "events", {},
      [&](std::int64_t number, const json::Value&) { told.push_back(number); }));
  EXPECT_EQ(told, (std::vector<std::int64_t>{entry, kept}));
  EXPECT_EQ(ingest::load_batch(store_.database(), entry)->count, 2);
  store_.seal();
  EXPECT_TRUE(ledger::verify(store_.database(), {.key = store_.key()})->good());
}

TEST_F(SweepTest, WhatWasRemovedIsNotDueAgain) {
  store_.events("auth", {begin}, begin);
  clock_.set(begin + 11 * day);
  remove(plan().due.at(0));
  EXPECT_THAT(plan().due, IsEmpty());
  clock_.advance(day);
  EXPECT_THAT(plan().due, IsEmpty());
}

TEST_F(SweepTest, RemovingAgainChangesNothing) {
  const std::int64_t entry = store_.events("auth", {begin}, begin);
  store_.events("auth", {begin + 5 * day}, begin);
  clock_.set(begin + 11 * day);
  const DueBatches due = plan().due.at(0);
  const std::int64_t removal = remove(due);
  const auto removals = [&] { return load_removals(store_.database()).value(); };
  ASSERT_EQ(removals().size(), 1U);
  clock_.advance(hours(1));
  ASSERT_TRUE(remove_batches(store_.database(), due, removal, clock_.now()));
  EXPECT_EQ(store_.count_events(), 1);
  EXPECT_EQ(removed_by(store_.database(), entry).value(), removal);
  ASSERT_EQ(removals().size(), 1U);
  EXPECT_EQ(removals()[0].when, begin + 11 * day);
}

TEST_F(SweepTest, RemovalsAreToldNewestFirstWithinTheirEntries) {
  std::vector<std::int64_t> entries;
  for (int i = 0; i < 3; ++i) {
    store_.events("auth", {begin + i * day, begin + i * day + hours(1)}, begin);
    clock_.set(begin + (11 + i) * day);
    entries.push_back(remove(plan().due.at(0)));
  }
  const auto removals =
      load_removals(store_.database(), {.first = entries[0], .end = entries[2]}).value();
  ASSERT_EQ(removals.size(), 2U);
  EXPECT_EQ(removals[0].entry, entries[1]);
  EXPECT_EQ(removals[1].entry, entries[0]);
  EXPECT_EQ(removals[0].when, begin + 12 * day);
  EXPECT_EQ(removals[0].category, "sign-ins");
  EXPECT_EQ(removals[0].source, "auth");
  EXPECT_EQ(removals[0].events, 2);
  EXPECT_EQ(removals[0].earliest, begin + day);
  EXPECT_EQ(removals[0].latest, begin + day + hours(1));
}

TEST_F(SweepTest, AClockFarAheadOfTheLedgerIsNotTrusted) {
  store_.events("auth", {begin}, begin);
  clock_.set(begin + 30 * day);
  EXPECT_EQ(plan().due.size(), 1U);
  clock_.advance(instant);
  const auto refused = plan_sweep(store_.database(), policies_, clock_.now());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::conflict);
  EXPECT_EQ(plan({.idle_max = std::nullopt}).due.size(), 1U);
  store_.record("gap", {{"source", "a"}, {"what", "b"}}, begin + day);
  EXPECT_EQ(plan().due.size(), 1U);
}

TEST_F(SweepTest, AClockSetBackMakesNothingDue) {
  store_.events("auth", {begin}, begin);
  clock_.set(begin + 11 * day);
  ASSERT_EQ(plan().due.size(), 1U);
  clock_.set(begin - 1000 * day);
  EXPECT_THAT(plan().due, IsEmpty());
}

TEST_F(SweepTest, MoreThanOnePlanTakesIsLeftToTheNext) {
  std::vector<std::int64_t> entries;
  for (int i = 0; i < 5; ++i) entries.push_back(store_.events("auth", {begin}, begin));
  clock_.set(begin + 11 * day);
  std::vector<std::int64_t> removed;
  for (const bool complete : {false, false, true}) {
    const Sweep sweep = plan({.batches_max = 2});
    EXPECT_EQ(sweep.complete, complete);
    ASSERT_EQ(sweep.due.size(), 1U);
    removed.insert(removed.end(), sweep.due[0].entries.begin(), sweep.due[0].entries.end());
    remove(sweep.due[0]);
  }
  EXPECT_EQ(removed, entries);
  EXPECT_EQ(store_.count_events(), 0);
  EXPECT_EQ(store_.count("event_entity"), 0) << "nor is anybody named whose events are gone";
}

TEST_F(SweepTest, TheRecordNamesEveryBatchAsARange) {
  const DueBatches due{.category = "sign-ins",
                       .source = "auth",
                       .cutoff = begin,
                       .entries = {3, 4, 5, 9, 11, 12},
                       .events = 77,
                       .earliest = begin - 2 * day,
                       .latest = begin - day};
  const json::Value record = to_record(due, begin + day);
  EXPECT_EQ(json::to_text(record["batches"]), "[[3,5],[9,9],[11,12]]");
  EXPECT_EQ(record.text("category"), "sign-ins");
  EXPECT_EQ(record.text("source"), "auth");
  EXPECT_EQ(record.integer("events"), 77);
  EXPECT_EQ(record.text("cutoff"), to_rfc3339(begin));
  EXPECT_EQ(record.text("earliest"), to_rfc3339(begin - 2 * day));
  EXPECT_EQ(record.text("latest"), to_rfc3339(begin - day));
}

TEST_F(SweepTest, WhatIsHeldTakesNoRoomInAPlan) {
  store_.events("auth", {begin}, begin);
  open_incident(12, "auth");
  const std::int64_t free = store_.events("auth", {begin}, begin);
  clock_.set(begin + 11 * day);
  bool found = false;
  for (int i = 0; i < 5; ++i) {
    for (const DueBatches& due : plan({.batches_max = 1}).due) {
      if (due.held_because.empty()) {
        EXPECT_THAT(due.entries, ElementsAre(free));
        remove(due);
        found = true;
      }
    }
  }
  EXPECT_TRUE(found);
}

TEST_F(SweepTest, AnOpenIncidentHoldsTheEventsThatOnlyCounted) {
  store_.events("auth", {begin}, begin);
  const EventId contributing = store_.last_event("auth");
  store_.events("auth", {begin + 5 * day}, begin);
  ASSERT_TRUE(incident::store_incident(store_.database(), {.number = 12}));
  store_.detection(12,
                   {.rule_id = "r",
                    .event = store_.last_event("auth"),
                    .events = {contributing, store_.last_event("auth")},
                    .count = 2},
                   begin);
  clock_.set(begin + 11 * day);
  EXPECT_THAT(plan().due.at(0).held_because, HasSubstr("incident 12"));
}

TEST_F(SweepTest, TheLimitIsThatOfTheWholePlan) {
  store_.events("auth1", {begin}, begin);
  store_.events("auth2", {begin}, begin);
  clock_.set(begin + 11 * day);
  EXPECT_EQ(plan({.batches_max = 1}).due.size(), 1U);
}

TEST_F(SweepTest, WhatIsHeldIsNotRemoved) {
  store_.events("auth", {begin}, begin);
  open_incident(12, "auth");
  clock_.set(begin + 11 * day);
  const DueBatches held = plan().due.at(0);
  const auto refused = remove_batches(store_.database(), held, 99, clock_.now());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::denied);
  EXPECT_EQ(store_.count_events(), 1);
}

}  // namespace
}  // namespace mailwarden::privacy
