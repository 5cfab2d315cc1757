#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "privacy/sweep.h"
#include "tests/report/sample.h"

namespace mailwarden::report {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class BuildTest : public testing::Test {
 protected:
  Period between(Timestamp from, Timestamp to) {
    return period_between(store_.database(), from, to).value();
  }
  json::Value audit(Timestamp from = begin, Timestamp to = week_end) {
    return build_audit(store_.database(), between(from, to), options_of(store_)).value();
  }
  json::Value retention(Timestamp from = begin, Timestamp to = week_end) {
    return build_retention(store_.database(), between(from, to), policies_, options_of(store_))
        .value();
  }
  static const json::Array& list(const json::Value& value, std::string_view name) {
    static const json::Array none;
    const json::Array* found = value[name].as_array();
    EXPECT_NE(found, nullptr) << name;
    return found == nullptr ? none : *found;
  }
  static std::vector<std::int64_t> numbers(const json::Array& array, std::string_view name) {
    std::vector<std::int64_t> found;
    for (const json::Value& one : array) found.push_back(one.integer(name, -1));
    return found;
  }

  ReportStore store_;
  std::vector<privacy::RetentionPolicy> policies_ = sample_policies();
};

TEST_F(BuildTest, WithoutACheckpointThereIsNoReport) {
  const auto options = options_of(store_);
  EXPECT_EQ(build_audit(store_.database(), week_of(store_), options).error().code, Code::not_found);
  EXPECT_EQ(build_retention(store_.database(), week_of(store_), policies_, options).error().code,
            Code::not_found);
}

TEST_F(BuildTest, EveryReportCarriesItsCheckpointAndTheVerdict) {
  fill(store_);
  const std::string note = ledger::last_checkpoint(store_.database()).value();
  for (const json::Value& report : {audit(), retention()}) {
    SCOPED_TRACE(report.text("report"));
    EXPECT_EQ(report["rests_on"].text("checkpoint"), note);
    const auto checkpoint =
        ledger::open_checkpoint(report["rests_on"].text("checkpoint"), store_.key());
    ASSERT_TRUE(checkpoint) << checkpoint.error().what;
    EXPECT_EQ(checkpoint->size, static_cast<std::uint64_t>(store_.next_entry()));
    EXPECT_EQ(report["rests_on"].text("verifier_key"), ledger::to_text(store_.key()));
    EXPECT_EQ(report.text("origin"), "example.com/log");
    EXPECT_EQ(report["rests_on"]["period"].text("from"), to_rfc3339(begin));
    EXPECT_EQ(report["rests_on"]["period"].text("to"), to_rfc3339(week_end));
    ASSERT_NE(report["ledger"]["good"].as_bool(), nullptr);
    EXPECT_TRUE(*report["ledger"]["good"].as_bool());
    EXPECT_EQ(report["ledger"].integer("entries"), store_.next_entry());
  }
  EXPECT_EQ(audit().text("report"), "audit");
  EXPECT_EQ(retention().text("report"), "retention");
}

TEST_F(BuildTest, TheVerdictTellsOfAChangedEvent) {
  fill(store_);
  ASSERT_TRUE(store_.database().execute(
      "UPDATE event SET record = replace(record, 'a line', 'a lie') WHERE number = 1"));
  for (const json::Value& report : {audit(), retention()}) {
    EXPECT_FALSE(*report["ledger"]["good"].as_bool());
    const json::Array& failures = list(report["ledger"], "failures");
    ASSERT_EQ(failures.size(), 1U);
    EXPECT_EQ(failures[0].text("place"), "entry 3");
  }
}

TEST_F(BuildTest, TheAuditCountsEventsAndDetections) {
  fill(store_);
  const json::Value report = audit();
  EXPECT_EQ(report.integer("events"), 5);
  const json::Array& sources = list(report, "sources");
  ASSERT_EQ(sources.size(), 2U);
  const bool auth_first = sources[0].text("source") == "auth";
  const json::Value& auth = sources[auth_first ? 0 : 1];
  EXPECT_EQ(auth.text("source"), "auth");
  EXPECT_EQ(auth.integer("events"), 3);
  EXPECT_EQ(auth.text("earliest"), to_rfc3339(begin - 20 * day));
  EXPECT_EQ(auth.text("latest"), to_rfc3339(begin - 15 * day));
  EXPECT_EQ(sources[auth_first ? 1 : 0].text("source"), hostile);
  std::int64_t spanned = 0;
  for (const json::Value& span : list(report["activity"], "spans")) {
    spanned += span.integer("events");
  }
  EXPECT_EQ(spanned, 5);
  const json::Array& detections = list(report, "detections");
  ASSERT_EQ(detections.size(), 1U);
  EXPECT_EQ(detections[0].text("rule"), "r1");
  EXPECT_EQ(detections[0].integer("detections"), 1);
}

TEST_F(BuildTest, TheAuditHoldsTheIncidentsOfItsPeriodWithTheirChanges) {
  fill(store_);
  const json::Value report = audit();
  const json::Array& incidents = list(report, "incidents");
  EXPECT_THAT(numbers(incidents, "number"), ElementsAre(1, 2));
  EXPECT_THAT(numbers(list(incidents.at(0), "changes"), "sequence"), ElementsAre(1, 2));
  EXPECT_THAT(numbers(list(incidents.at(0), "changes"), "entry"), ElementsAre(5, 8));
  EXPECT_EQ(json::to_text(report["incidents_by_severity"]), "[1,0,1,0]");
  EXPECT_TRUE(report["left_out"].is_null());
  const json::Array& acts = list(report, "acts");
  ASSERT_EQ(acts.size(), 1U);
  EXPECT_EQ(acts[0].text("who"), "bob " + hostile);
  EXPECT_EQ(acts[0].integer("incident"), 1);
  const json::Value before = audit(begin - 2 * day, begin);
  EXPECT_THAT(numbers(list(before, "incidents"), "number"), ElementsAre(3));
  EXPECT_THAT(list(before, "acts"), IsEmpty());
}

TEST_F(BuildTest, IncidentsOverTheLimitAreCounted) {
  fill(store_);
  ReportOptions options = options_of(store_);
  options.rows_max = 1;
  const json::Value report = build_audit(store_.database(), week_of(store_), options).value();
  EXPECT_THAT(numbers(list(report, "incidents"), "number"), ElementsAre(1));
  EXPECT_EQ(report["left_out"].integer("incidents"), 1);
  EXPECT_EQ(json::to_text(report["incidents_by_severity"]), "[1,0,1,0]");
}

TEST_F(BuildTest, TheAuditHoldsGapsAndPoliciesOfItsPeriod) {
  fill(store_);
  const json::Value report = audit();
  const json::Array& gaps = list(report, "gaps");
  ASSERT_EQ(gaps.size(), 1U);
  EXPECT_EQ(gaps[0].text("source"), hostile);
  EXPECT_EQ(gaps[0].integer("entry"), 6);
  const json::Array& policies = list(report, "policies");
  ASSERT_EQ(policies.size(), 1U);
  EXPECT_EQ(policies[0].integer("rules"), 5);
  EXPECT_THAT(list(report, "removals"), IsEmpty());
}

TEST_F(BuildTest, ThePeriodHoldsItsBeginAndNotItsEnd) {
  fill(store_);
  EXPECT_EQ(list(audit(begin + day, begin + 2 * day), "gaps").size(), 1U);
  EXPECT_EQ(list(audit(begin, begin + day), "gaps").size(), 0U);
}

TEST_F(BuildTest, WhatWasWatchedAndDetectedIsThatOfThePeriod) {
  fill(store_);
  const json::Value before = audit(begin - 2 * day, begin);
  EXPECT_EQ(before.integer("events"), 0);
  EXPECT_THAT(list(before, "sources"), IsEmpty());
  EXPECT_THAT(list(before, "detections"), IsEmpty());
  store_.events("web", {begin + 8 * day}, begin + 8 * day);
  store_.seal();
  const json::Value later = audit(week_end, begin + 9 * day);
  EXPECT_EQ(later.integer("events"), 1);
  EXPECT_THAT(list(later, "detections"), IsEmpty());
  EXPECT_EQ(later["rests_on"]["entries"].integer("first"), 10);
  EXPECT_EQ(later["rests_on"]["entries"].integer("end"), 11);
}

// A clock that was set back in the middle hides nothing.
TEST_F(BuildTest, AnEntryWithAnOlderTimeAmongThoseOfThePeriodIsTold) {
  store_.record("gap", {{"source", "a"}, {"what", "first"}}, begin + day);
  store_.record("gap", {{"source", "a"}, {"what", "set back"}}, begin - 10 * day);
  store_.record("gap", {{"source", "a"}, {"what", "last"}}, begin + day);
  store_.seal();
  EXPECT_EQ(list(audit(), "gaps").size(), 3U);
}

TEST_F(BuildTest, WhatTheCheckpointDoesNotCoverIsLeftToTheNextReport) {
  fill(store_);
  store_.record("gap", {{"source", "a"}, {"what", "not sealed"}}, begin + 3 * day);
  const json::Value report = audit();
  EXPECT_EQ(list(report, "gaps").size(), 1U);
  EXPECT_EQ(report["rests_on"]["entries"].integer("end"), store_.next_entry() - 1);
}

TEST_F(BuildTest, RetentionTellsWhatIsStoredAndWhenItIsDue) {
  fill(store_);
  store_.events("auth", {begin, begin + day}, begin + day);
  store_.seal();
  const json::Value report = retention();
  const json::Array& stored = list(report, "stored");
  ASSERT_EQ(stored.size(), 2U);
  const json::Value& auth = stored[stored[0].text("source") == "auth" ? 0 : 1];
  EXPECT_EQ(auth.integer("events"), 5);
  EXPECT_EQ(auth.text("category"), "sign-ins " + hostile);
  EXPECT_EQ(auth.text("earliest"), to_rfc3339(begin - 20 * day));
  EXPECT_EQ(auth.text("latest"), to_rfc3339(begin + day));
  // Kept for 10 days from the newest event of the oldest batch.
  EXPECT_EQ(auth.text("next_due"), to_rfc3339(begin - 5 * day));
  EXPECT_EQ(stored[stored[0].text("source") == "auth" ? 1 : 0].text("next_due"), "");
}

TEST_F(BuildTest, RetentionTellsWhatIsDueAndWithoutPolicy) {
  fill(store_);
  const json::Value report = retention(begin, begin + day);
  const json::Array& due = list(report, "due");
  ASSERT_EQ(due.size(), 1U);
  EXPECT_EQ(due[0].text("source"), "auth");
  EXPECT_EQ(due[0].text("category"), "sign-ins " + hostile);
  EXPECT_EQ(due[0].integer("events"), 3);
  EXPECT_THAT(list(report, "held"), IsEmpty());
  EXPECT_THAT(list(report, "removed"), IsEmpty());
  EXPECT_EQ(json::to_text(report["without_policy"]),
            json::to_text(json::Array{json::Value(hostile)}));
  ASSERT_NE(report["complete"].as_bool(), nullptr);
  EXPECT_TRUE(*report["complete"].as_bool());
  const json::Array& policies = list(report, "policies");
  ASSERT_EQ(policies.size(), 1U);
  EXPECT_EQ(policies[0].text("keep"), "10 d");
  EXPECT_EQ(list(policies[0], "holds").size(), 1U);
}

TEST_F(BuildTest, RetentionTellsWhatIsHeldAndWhy) {
  store_.events("web", {begin - 20 * day}, begin);
  store_.seal();
  const json::Value report = retention();
  EXPECT_THAT(list(report, "due"), IsEmpty());
  const json::Array& held = list(report, "held");
  ASSERT_EQ(held.size(), 1U);
  EXPECT_THAT(held[0].text("because"), HasSubstr("case " + hostile));
  EXPECT_THAT(held[0].text("because"), HasSubstr("for " + hostile));
}

TEST_F(BuildTest, RetentionLooksEvenWhereTheClockIsNotTrusted) {
  fill(store_);
  EXPECT_EQ(list(retention(begin, begin + 1000 * day), "due").size(), 1U);
}

// The removal takes the events; the ledger still verifies, since a removal tells why.
TEST_F(BuildTest, RetentionTellsWhatWasRemoved) {
  fill(store_);
  const Timestamp now = begin + day;
  const auto sweep = privacy::plan_sweep(store_.database(), policies_, now);
  ASSERT_TRUE(sweep);
  ASSERT_EQ(sweep->due.size(), 1U);
  const std::int64_t entry = store_.record("removal", privacy::to_record(sweep->due[0], now), now);
  ASSERT_TRUE(privacy::remove_batches(store_.database(), sweep->due[0], entry, now));
  store_.seal();
  const json::Value report = retention();
  EXPECT_TRUE(*report["ledger"]["good"].as_bool());
  EXPECT_THAT(list(report, "due"), IsEmpty());
  EXPECT_EQ(list(report, "stored").size(), 1U);
  const json::Array& removed = list(report, "removed");
  ASSERT_EQ(removed.size(), 1U);
  EXPECT_EQ(removed[0].integer("entry"), entry);
  EXPECT_EQ(removed[0].integer("events"), 3);
  EXPECT_EQ(removed[0].text("when"), to_rfc3339(now));
  EXPECT_THAT(numbers(list(audit(), "removals"), "entry"), ElementsAre(entry));
}

struct Damage {
  std::string name;
  std::string sql;
};

class CheckEvents : public BuildTest, public testing::WithParamInterface<Damage> {};

TEST_P(CheckEvents, NoticesWhatNoRemovalExplains) {
  const std::int64_t entry = store_.events("auth", {begin, begin + day, begin}, begin);
  const auto row = ledger::load_entries(store_.database(), entry, 1).value().at(0);
  const json::Value record = json::parse(row.record).value();
  EXPECT_EQ(check_events(store_.database(), entry, record, false).value(), "");
  ASSERT_TRUE(store_.database().execute(GetParam().sql));
  EXPECT_NE(check_events(store_.database(), entry, record, false).value(), "");
}

INSTANTIATE_TEST_SUITE_P(
    , CheckEvents,
    testing::Values(
        Damage{"AllGone", "DELETE FROM event"},
        Damage{"OneGone", "DELETE FROM event WHERE number = 2"},
        Damage{"BatchGone", "DELETE FROM event_batch"},
        Damage{"BatchShrunk", "UPDATE event_batch SET count = 2"},
        Damage{"Changed", "UPDATE event SET record = replace(record, 'line', 'lie')"},
        Damage{"Salt",
               "UPDATE event SET salt = x'0102030405060708090a0b0c0d0e0f10' WHERE number = 1"},
        Damage{"Time", "UPDATE event SET time = time + 1 WHERE number = 2"},
        Damage{"Position", "UPDATE event SET position = position + 100"},
        Damage{"NotJson", "UPDATE event SET record = '' WHERE number = 3"}),
    [](const auto& tested) { return tested.param.name; });

TEST_F(BuildTest, EntriesOfOtherKindsNeedNoEvents) {
  const json::Value record = json::Object{{"kind", "gap"}, {"source", "a"}};
  EXPECT_EQ(check_events(store_.database(), 5, record, false).value(), "");
}

TEST_F(BuildTest, RowsOfEachKindAreLimitedAndTheRestIsSaid) {
  for (int i = 0; i < 5; ++i) {
    store_.record("gap", {{"source", "a"}, {"what", "b"}}, begin);
    store_.change(sample_incident(1, incident::Severity::high),
                  sample_change(1, i + 1, begin, "bob"));
  }
  store_.seal();
  ReportOptions options = options_of(store_);
  options.rows_max = 2;
  const json::Value report = build_audit(store_.database(), week_of(store_), options).value();
  EXPECT_EQ(list(report, "gaps").size(), 2U);
  EXPECT_EQ(list(report, "acts").size(), 2U);
  EXPECT_EQ(report["left_out"].integer("gaps"), 3);
  EXPECT_EQ(report["left_out"].integer("acts"), 3);
}

}  // namespace
}  // namespace mailwarden::report
