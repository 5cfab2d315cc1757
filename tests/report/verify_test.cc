#include "report/verify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/sha256.h"
#include "report/bundle.h"
#include "report/issue.h"
#include "tests/report/sample.h"

namespace mailwarden::report {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string words(const ReportVerdict& verdict) {
  return to_words(verdict);
}

class VerifyReport : public testing::Test {
 protected:
  void SetUp() override {
    fill(store_);
    // Entries before and behind the report's.
    store_.record("gap", {{"source", "a"}, {"what", "behind"}}, week_end);
    store_.seal();
  }

  json::Value audit() {
    return build_audit(store_.database(), week_of(store_), options_of(store_)).value();
  }
  json::Value retention() {
    const auto policies = sample_policies();
    return build_retention(store_.database(), week_of(store_), policies, options_of(store_))
        .value();
  }
  ReportVerdict against(const json::Value& report, const std::string& digest = "00") {
    ReportVerdict verdict;
    const auto done =
        check_against(store_.database(), report,
                      {.key = store_.key(), .digest = digest, .progress = {}}, verdict);
    EXPECT_TRUE(done) << done.error().what;
    return verdict;
  }
  void remove_due() {
    const Timestamp now = begin + day;
    const auto sweep = privacy::plan_sweep(store_.database(), sample_policies(), now).value();
    removal_ = store_.record("removal", privacy::to_record(sweep.due.at(0), now), now);
    ASSERT_TRUE(privacy::remove_batches(store_.database(), sweep.due.at(0), removal_, now));
    store_.seal();
  }

  ReportStore store_;
  std::int64_t removal_ = 0;
};

TEST_F(VerifyReport, WhatWasMadeHoldsByItselfAndAgainstItsStore) {
  for (const json::Value& report : {audit(), retention()}) {
    SCOPED_TRACE(report.text("report"));
    const auto read = read_report(json::to_pretty_text(report));
    ASSERT_TRUE(read) << read.error().what;
    const ReportVerdict alone = check_report(*read, store_.key());
    EXPECT_TRUE(alone.good()) << words(alone);
    EXPECT_THAT(alone.notes, IsEmpty());
    EXPECT_GT(alone.row_sets, 0);
    const ReportVerdict asked = against(*read);
    EXPECT_TRUE(asked.good()) << words(asked);
  }
  const ReportVerdict alone = check_report(audit(), store_.key());
  EXPECT_EQ(alone.row_sets, 9);
  // Two batches, a detection, three changes, a gap and the policies; two incidents besides.
  EXPECT_EQ(alone.proven, 8);
  EXPECT_EQ(alone.rows, 10);
}

TEST_F(VerifyReport, AnotherKeyIsNotBelieved) {
  const ledger::VerifierKey other{"example.com/log",
                                  crypto::Signer::from_seed({std::byte{2}}).public_key()};
  EXPECT_THAT(words(check_report(audit(), other)), HasSubstr("checkpoint: it is not signed"));
}

// A path through members and elements: "rests_on/row_sets/3/rows/0/salt".
json::Value& at(json::Value& value, std::string_view path) {
  if (path.empty()) return value;
  const std::size_t slash = path.find('/');
  const std::string_view head = path.substr(0, slash);
  const std::string_view rest =
      slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
  if (json::Array* const items = value.as_array()) {
    return at(items->at(static_cast<std::size_t>(std::stoul(std::string(head)))), rest);
  }
  return at((*value.as_object())[std::string(head)], rest);
}

struct Spoilt {
  std::string name;
  std::string path;
  json::Value worth;
  std::string place;  // that is told
};

class SpoiltReport : public VerifyReport, public testing::WithParamInterface<Spoilt> {};

TEST_P(SpoiltReport, IsFoundAndNamed) {
  json::Value report = GetParam().name.starts_with("Retention") ? retention() : audit();
  at(report, GetParam().path) = GetParam().worth;
  const ReportVerdict verdict = check_report(report, store_.key());
  EXPECT_FALSE(verdict.good());
  EXPECT_THAT(words(verdict), HasSubstr(GetParam().place));
}

const json::Value zeros = std::string(64, '0');

INSTANTIATE_TEST_SUITE_P(
    , SpoiltReport,
    testing::Values(
        Spoilt{"EventsCounted", "events", 6, "'events': the report says 6, its rows give 5"},
        Spoilt{"SourceRenamed", "sources/0/source", "other", "'sources'"},
        Spoilt{"IncidentLeftOut", "incidents", json::Array(), "'incidents': the report lists 0"},
        Spoilt{"ActChanged", "acts/0/who", "eve", "'acts'"},
        Spoilt{"GapLeftOut", "gaps", json::Array(), "'gaps'"},
        Spoilt{"SeverityLowered", "incidents_by_severity/2", 0, "'incidents_by_severity'"},
        Spoilt{"SomethingAdded", "praise", "all is well", "'praise': it comes of no row set"},
        Spoilt{"LeftOutAdded", "left_out", json::Object{{"gaps", 3}}, "'left_out'"},
        Spoilt{"Origin", "origin", "example.com/other", "origin"},
        Spoilt{"Generated", "generated", "2020-01-01T00:00:00.000000Z", "generated"},
        Spoilt{"Checkpoint", "rests_on/checkpoint", "x\n", "checkpoint"},
        Spoilt{"FirstEntry", "rests_on/entries/first", 3, "query"},
        Spoilt{"EndBehindCheckpoint", "rests_on/entries/end", 99, "entries: the checkpoint covers"},
        Spoilt{"NegativeEntries", "rests_on/entries/first", -2, "entries"},
        Spoilt{"PeriodTurned", "rests_on/period/to", "0001-01-01T00:00:00.000000Z", "period"},
        Spoilt{"Query", "rests_on/row_sets/0/sql", "SELECT 1", "row set 'events': its query"},
        Spoilt{"Parameters", "rests_on/row_sets/0/parameters", json::Array{"gap", 2, 10},
               "row set 'events': its query"},
        Spoilt{"Description", "rests_on/row_sets/0/about", "all events",
               "row set 'events': it is described"},
        Spoilt{"Stays", "rests_on/row_sets/2/stays", "always",
               "row set 'incidents': it is described"},
        Spoilt{"Digest", "rests_on/row_sets/6/sha256", zeros, "row set 'gaps': its rows have"},
        Spoilt{"Leaves", "rests_on/row_sets/6/leaves_sha256", zeros, "row set 'gaps': its leaves"},
        Spoilt{"Count", "rests_on/row_sets/6/count", 2, "row set 'gaps': it tells of 2 rows"},
        Spoilt{"SetMissing", "rests_on/row_sets/6", json::Object{{"name", "x"}},
               "row set 'gaps': it is missing"},
        Spoilt{"SetTwice", "rests_on/row_sets/6/name", "events", "row set 'events'"},
        Spoilt{"RowGone", "rests_on/row_sets/6/rows", json::Array(), "row set 'gaps'"},
        Spoilt{"RecordChanged", "rests_on/row_sets/6/rows/0/record/what", "nothing",
               "row set 'gaps', entry 6: its record is not what its leaf commits to"},
        Spoilt{"LeafChanged", "rests_on/row_sets/6/rows/0/leaf", zeros,
               "row set 'gaps', entry 6: its leaf is not the one in the log"},
        Spoilt{"SaltGone", "rests_on/row_sets/6/rows/0/salt", "",
               "row set 'gaps', entry 6: it has no salt"},
        Spoilt{"EntryMoved", "rests_on/row_sets/6/rows/0/entry", 7, "row set 'gaps', entry 7"},
        Spoilt{"EntryOutside", "rests_on/row_sets/6/rows/0/entry", 70,
               "entry 70: it is none of the report's entries"},
        Spoilt{"ProofCut", "rests_on/proof/leaves", "", "proof: it has not one leaf"},
        Spoilt{"ProofAround", "rests_on/proof/around", json::Array(), "proof: the hashes around"},
        Spoilt{"ProofOfAnother", "rests_on/proof/around/0",
               "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "proof: it leads to another root"},
        Spoilt{"RetentionStored", "stored/0/events", 1, "'stored'"},
        Spoilt{"RetentionKeeps", "policies/0/keep_seconds", 1, "'stored'"},
        Spoilt{"RetentionRemoved", "removed", json::Array{1}, "'removed'"},
        Spoilt{"RetentionRow", "rests_on/row_sets/0/rows/0/events", 7, "row set 'stored'"}),
    [](const auto& tested) { return tested.param.name; });

TEST_F(VerifyReport, ARowThatWasMadeToFitWithItsDigestIsStillFound) {
  json::Value report = audit();
  json::Value& set = at(report, "rests_on/row_sets/6");
  at(set, "rows/0/record/what") = "nothing";
  at(set, "sha256") = crypto::to_hex(digests_of(*set["rows"].as_array()).rows);
  at(report, "gaps/0/what") = "nothing";
  const ReportVerdict verdict = check_report(report, store_.key());
  ASSERT_EQ(verdict.failures.size(), 1U) << words(verdict);
  EXPECT_EQ(verdict.failures[0].place, "row set 'gaps', entry 6");
  EXPECT_THAT(words(against(report)), HasSubstr("row set 'gaps': entry 6 differs"));
}

TEST_F(VerifyReport, ARowLeftOutWithItsDigestIsFoundWithTheStore) {
  json::Value report = audit();
  json::Value& set = at(report, "rests_on/row_sets/6");
  at(set, "rows") = json::Array();
  at(set, "count") = 0;
  at(set, "sha256") = crypto::to_hex(digests_of({}).rows);
  at(set, "leaves_sha256") = crypto::to_hex(digests_of({}).leaves);
  at(report, "gaps") = json::Array();
  EXPECT_THAT(words(against(report)), HasSubstr("row set 'gaps': entry 6 is not in the report"));
}

struct Change {
  std::string name;
  std::string sql;
  std::string told;
};
class ChangedStore : public VerifyReport, public testing::WithParamInterface<Change> {};

TEST_P(ChangedStore, IsNamedBySetAndRow) {
  const json::Value report = audit();
  ASSERT_TRUE(store_.database().execute(GetParam().sql));
  const ReportVerdict verdict = against(report);
  EXPECT_FALSE(verdict.good());
  EXPECT_THAT(words(verdict), HasSubstr(GetParam().told));
}

INSTANTIATE_TEST_SUITE_P(
    , ChangedStore,
    testing::Values(Change{"Record",
                           "UPDATE ledger_entry SET record = replace(record, 'gap', 'gab') WHERE"
                           " number = 6",
                           "the store's ledger, entry 6"},
                    Change{"EntryGone", "DELETE FROM ledger_entry WHERE number = 6",
                           "row set 'gaps': entry 6 is not in the store"},
                    Change{"Kind", "UPDATE ledger_entry SET kind = 'gap' WHERE number = 2",
                           "row set 'gaps'"},
                    Change{"Incident",
                           "UPDATE incident SET body = replace(body, 'analysing', 'closed') WHERE"
                           " number = 1",
                           "row set 'incidents': number 1 differs"},
                    Change{"IncidentGone", "DELETE FROM incident WHERE number = 2",
                           "row set 'incidents': number 2 is not in the store"}),
    [](const auto& tested) { return tested.param.name; });

TEST_F(VerifyReport, WhatRetentionRemovedSinceMakesNoReportFalse) {
  const json::Value report = audit();
  const json::Value kept = retention();
  remove_due();
  for (const json::Value& one : {report, kept}) {
    const ReportVerdict verdict = against(one);
    EXPECT_TRUE(verdict.good()) << words(verdict);
    EXPECT_THAT(verdict.notes,
                Contains("3 events in 1 batches that it counts have been removed by entry " +
                         std::to_string(removal_) + " since"));
  }
}

TEST_F(VerifyReport, WhatWasErasedSinceIsSaidAndMakesNoReportFalse) {
  ReportOptions few = options_of(store_);
  few.rows_max = 1;
  const json::Value report = audit();
  const json::Value without_rows = build_audit(store_.database(), week_of(store_), few).value();
  ASSERT_TRUE(store_.database().execute(
      "UPDATE ledger_entry SET record = NULL, salt = NULL WHERE number = 3"));
  for (const json::Value& one : {report, without_rows}) {
    const ReportVerdict verdict = against(one);
    EXPECT_THAT(words(verdict), Not(HasSubstr("row set 'events': entry")));
    EXPECT_THAT(verdict.notes, Contains("row set 'events': 1 of its rows have been erased since; "
                                        "their leaves still stand"));
  }
}

TEST_F(VerifyReport, AnIncidentThatHasGoneOnSinceMakesNoReportFalse) {
  const json::Value report = audit();
  auto incident = sample_incident(1, incident::Severity::low);
  store_.change(incident, sample_change(1, 3, week_end, "bob"));
  store_.seal();
  const ReportVerdict verdict = against(report);
  EXPECT_TRUE(verdict.good()) << words(verdict);
  EXPECT_THAT(verdict.notes,
              Contains(HasSubstr("row set 'incidents': 1 of its rows have gone on")));
}

TEST_F(VerifyReport, TheEntryThatSaysItWasIssuedIsHeldAgainstIt) {
  const json::Value report = audit();
  const Issued issued{
      .kind = "audit", .file = "a.html", .digest = "ab", .period = {begin, week_end, {2, 10}}};
  store_.record("report", to_record(issued), week_end);
  store_.seal();
  EXPECT_THAT(words(against(report, "ab")), HasSubstr("issued with these very bytes"));
  EXPECT_THAT(words(against(report, "cd")), HasSubstr("issued with the SHA-256 ab, not with cd"));
}

TEST_F(VerifyReport, RowsThatAreTooManyAreHashedAndSaid) {
  ReportOptions few = options_of(store_);
  few.rows_max = 1;
  const json::Value report = build_audit(store_.database(), week_of(store_), few).value();
  const ReportVerdict verdict = check_report(report, store_.key());
  EXPECT_TRUE(verdict.good()) << words(verdict);
  EXPECT_THAT(verdict.notes, Contains(HasSubstr("row set 'events': its rows are too many")));
  EXPECT_TRUE(against(report).good());
  ASSERT_TRUE(
      store_.database().execute("UPDATE incident SET body = replace(body, 'analysing', 'closed')"));
  EXPECT_THAT(words(against(report)), HasSubstr("row set 'incidents': the store answers with 2"));
}

TEST(ReadReport, RefusesWhatIsNone) {
  for (const char* text : {"", "[]", "{}", R"({"report":"praise"})", R"({"report":"audit")"}) {
    EXPECT_FALSE(read_report(text)) << text;
  }
  const auto bare = read_report(R"({"report":"audit"})");
  ASSERT_TRUE(bare);
  EXPECT_FALSE(check_report(*bare, {}).good());
}

}  // namespace
}  // namespace mailwarden::report
