#include "report/prove.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "access/decision_record.h"
#include "tests/report/sample.h"

namespace mailwarden::report {
namespace {

using testing::HasSubstr;

constexpr const char* decision_id = "000102030405060708090a0b0c0d0e0f";

json::Object extra_of(const ledger::Proof& proof) {
  return *json::parse(proof.extra).value().as_object();
}

class ProveTest : public testing::Test {
 protected:
  void SetUp() override {
    gap_ = store_.record("gap", {{"source", "auth"}, {"what", "ein Loch: ä"}}, begin);
    batch_ = store_.events("auth", {begin, begin + day, begin + 2 * day}, begin);
    event_ = {store_.last_event("auth").stream, 2};
    other_batch_ = store_.events("web", {begin, begin}, begin);
    other_event_ = store_.last_event("web");
    decision_ = decide();
    store_.seal();
  }

  db::Database& database() { return store_.database(); }

  std::int64_t decide() {
    access::DecisionRecord record{.id = decision_id, .when = begin, .point = "authzen"};
    record.principal = {"User", "ada@example.com"};
    record.action = {"Action", "read"};
    record.resource = {"System", "wiki"};
    json::Object body = access::to_record(record);
    const std::string text = json::to_text(body);
    const std::int64_t entry = store_.record("decision", std::move(body), begin);
    EXPECT_TRUE(
        access::store_decision(database(), {.entry = entry, .record = record, .body = text}));
    return entry;
  }

  // Deletes what an entry said, as an erasure does.
  void erase(std::int64_t entry) {
    EXPECT_TRUE(
        database().execute("UPDATE ledger_entry SET record = NULL, salt = NULL WHERE number = " +
                           std::to_string(entry)));
  }

  Result<Proven> check_text(std::string_view text) { return check(text, store_.key()); }
  Result<Proven> check_proof(const Result<ledger::Proof>& proof) {
    if (!proof) return std::unexpected(proof.error());
    return check_text(ledger::to_text(*proof));
  }
  Code code_of(const Result<ledger::Proof>& proof) {
    EXPECT_FALSE(proof);
    return proof ? Code::io : proof.error().code;
  }

  // The proof with other data beside it.
  Result<Proven> check_with(ledger::Proof proof, json::Object extra) {
    proof.extra = json::to_text(std::move(extra));
    return check_text(ledger::to_text(proof));
  }

  ReportStore store_;
  std::int64_t gap_ = 0;
  std::int64_t batch_ = 0;
  std::int64_t other_batch_ = 0;
  std::int64_t decision_ = 0;
  EventId event_;
  EventId other_event_;
};

TEST_F(ProveTest, AnEntryComesBackAsItIsInTheLedger) {
  for (std::int64_t number = 0; number < store_.next_entry(); ++number) {
    SCOPED_TRACE(number);
    const auto proven = check_proof(prove_entry(database(), number));
    ASSERT_TRUE(proven) << proven.error().what;
    EXPECT_EQ(proven->index, static_cast<std::uint64_t>(number));
    EXPECT_EQ(proven->checkpoint.origin, "example.com/log");
    EXPECT_EQ(proven->checkpoint.size, static_cast<std::uint64_t>(store_.next_entry()));
    const auto rows = ledger::load_entries(database(), number, 1).value();
    EXPECT_EQ(json::to_text(proven->record), rows.front().record);
    EXPECT_FALSE(proven->event);
  }
}

TEST_F(ProveTest, AnEventComesBackWithTheEntryOfItsBatch) {
  for (std::int64_t position = 1; position <= 3; ++position) {
    const EventId id{event_.stream, position};
    SCOPED_TRACE(to_string(id));
    const auto proven = check_proof(prove_event(database(), id));
    ASSERT_TRUE(proven) << proven.error().what;
    EXPECT_EQ(proven->index, static_cast<std::uint64_t>(batch_));
    EXPECT_EQ(proven->record.text("kind"), "events");
    ASSERT_TRUE(proven->event);
    EXPECT_EQ(proven->event->text("id"), to_string(id));
  }
}

TEST_F(ProveTest, ADecisionComesBackAsItsEntry) {
  const auto proven = check_proof(prove_decision(database(), decision_id));
  ASSERT_TRUE(proven) << proven.error().what;
  EXPECT_EQ(proven->index, static_cast<std::uint64_t>(decision_));
  EXPECT_EQ(proven->record.text("kind"), "decision");
  EXPECT_EQ(proven->record.text("id"), decision_id);
}

TEST_F(ProveTest, WhatAPersonNamesIsProved) {
  EXPECT_EQ(prove(database(), std::to_string(gap_)), prove_entry(database(), gap_));
  EXPECT_EQ(prove(database(), to_string(event_)), prove_event(database(), event_));
  EXPECT_EQ(prove(database(), decision_id), prove_decision(database(), decision_id));
}

TEST_F(ProveTest, WhatIsNotThereIsNotFound) {
  for (const char* what :
       {"", "-1", "5", "9223372036854775807", "99999999999999999999", "0000000000000001-1",
        "ffffffffffffffff-7fffffffffffffff", "000102030405060708090a0b0c0d0e0e", "no such thing"}) {
    EXPECT_EQ(code_of(prove(database(), what)), Code::not_found) << what;
  }
}

TEST_F(ProveTest, WhatNoCheckpointCoversYetIsNotFound) {
  const std::int64_t late = store_.record("gap", {{"what", "late"}}, begin);
  store_.events("late", {begin}, begin);
  EXPECT_EQ(code_of(prove_entry(database(), late)), Code::not_found);
  EXPECT_EQ(code_of(prove_event(database(), store_.last_event("late"))), Code::not_found);
  // What was covered is still proved, by the checkpoint that covered it.
  const auto before = check_proof(prove_entry(database(), gap_));
  ASSERT_TRUE(before) << before.error().what;
  EXPECT_EQ(before->checkpoint.size, static_cast<std::uint64_t>(late));
  store_.seal();
  EXPECT_TRUE(check_proof(prove_entry(database(), late)));
  EXPECT_TRUE(check_proof(prove_event(database(), store_.last_event("late"))));
}

TEST_F(ProveTest, ALedgerWithoutACheckpointProvesNothing) {
  ReportStore empty;
  empty.record("gap", {{"what", "unsealed"}}, begin);
  EXPECT_EQ(code_of(prove_entry(empty.database(), 0)), Code::not_found);
}

TEST_F(ProveTest, WhatWasErasedIsAConflict) {
  erase(gap_);
  EXPECT_EQ(code_of(prove_entry(database(), gap_)), Code::conflict);
  erase(decision_);
  EXPECT_EQ(code_of(prove_decision(database(), decision_id)), Code::conflict);
  erase(batch_);
  EXPECT_EQ(code_of(prove_event(database(), event_)), Code::conflict);
  // The tree is as it was, and so are the proofs of all else.
  EXPECT_TRUE(check_proof(prove_event(database(), other_event_)));
}

TEST_F(ProveTest, AnEventWhoseNeighboursAreGoneIsAConflict) {
  ASSERT_TRUE(database().execute("DELETE FROM event WHERE position = 1"));
  EXPECT_EQ(code_of(prove_event(database(), event_)), Code::conflict);
  EXPECT_EQ(code_of(prove_event(database(), {event_.stream, 1})), Code::not_found);
}

TEST_F(ProveTest, AProofOutlivesWhatItProves) {
  const std::string text = ledger::to_text(prove_event(database(), event_).value());
  erase(batch_);
  ASSERT_TRUE(database().execute("DELETE FROM event"));
  EXPECT_TRUE(check_text(text));
}

// Some changes cannot be told, since they are of what proves nothing: the size of the batch that
// stands beside an event, and members that nobody reads. Renamed, the member "event" is such a one;
// the file then proves the entry, and of an event nothing.
TEST_F(ProveTest, AChangedByteIsRefusedOrChangesNothingThatIsProved) {
  struct Case {
    const char* name;
    std::string text;
    std::size_t untold_max;  // changes that are not refused
  };
  const Case cases[] = {
      {"entry", ledger::to_text(prove_entry(database(), gap_).value()), 0},
      {"event", ledger::to_text(prove_event(database(), event_).value()), 64},
      {"decision", ledger::to_text(prove_decision(database(), decision_id).value()), 0}};
  for (const Case& one : cases) {
    const Proven whole = check_text(one.text).value();
    std::size_t untold = 0;
    for (std::size_t i = 0; i < one.text.size(); ++i) {
      for (unsigned bit = 0; bit < 8; ++bit) {
        std::string changed = one.text;
        changed[i] = static_cast<char>(changed[i] ^ (1 << bit));
        const auto proven = check_text(changed);
        if (!proven) continue;
        ++untold;
        EXPECT_EQ(proven->checkpoint, whole.checkpoint) << one.name << ", byte " << i;
        EXPECT_EQ(proven->index, whole.index) << one.name << ", byte " << i;
        EXPECT_EQ(proven->record, whole.record) << one.name << ", byte " << i;
        EXPECT_TRUE(!proven->event || proven->event == whole.event) << one.name << ", byte " << i;
      }
    }
    EXPECT_LE(untold, one.untold_max) << one.name;
  }
}

TEST_F(ProveTest, AFileThatIsCutShortOrGoesOnIsRefused) {
  const std::string text = ledger::to_text(prove_event(database(), event_).value());
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_FALSE(check_text(std::string_view(text).substr(0, size))) << size;
  }
  EXPECT_FALSE(check_text(text + "\n"));
  EXPECT_FALSE(check_text(text + "more"));
}

TEST_F(ProveTest, AnEventOfAnotherEntryIsRefused) {
  const ledger::Proof proof = prove_event(database(), event_).value();
  const ledger::Proof other = prove_event(database(), other_event_).value();
  json::Object extra = extra_of(proof);
  extra["event"] = extra_of(other)["event"];
  const auto proven = check_with(proof, extra);
  ASSERT_FALSE(proven);
  EXPECT_EQ(proven.error().code, Code::denied);
  EXPECT_THAT(proven.error().what, HasSubstr("not one of the batch"));
}

TEST_F(ProveTest, AnEventBesideAnEntryOfAnotherKindIsRefused) {
  const ledger::Proof proof = prove_entry(database(), gap_).value();
  json::Object extra = extra_of(proof);
  extra["event"] = extra_of(prove_event(database(), event_).value())["event"];
  const auto proven = check_with(proof, extra);
  ASSERT_FALSE(proven);
  EXPECT_EQ(proven.error().code, Code::invalid);
}

TEST_F(ProveTest, ARecordOfAnotherEntryIsRefused) {
  const auto proven = check_with(prove_entry(database(), gap_).value(),
                                 extra_of(prove_entry(database(), batch_).value()));
  ASSERT_FALSE(proven);
  EXPECT_EQ(proven.error().code, Code::denied);
}

TEST_F(ProveTest, WhatIsMissingBesideAProofIsSaid) {
  const ledger::Proof proof = prove_event(database(), event_).value();
  struct Case {
    const char* name;
    std::string extra;
  };
  const Case cases[] = {
      {"nothing", ""},
      {"no JSON", "{"},
      {"no object", "[1]"},
      {"no record", R"({"salt": "AAAAAAAAAAAAAAAAAAAAAA=="})"},
      {"no salt", R"({"record": "{}"})"},
      {"a short salt", R"({"record": "{}", "salt": "AAAA"})"},
      {"a record that is no JSON", R"({"record": "x", "salt": "AAAAAAAAAAAAAAAAAAAAAA=="})"}};
  for (const Case& one : cases) {
    ledger::Proof changed = proof;
    changed.extra = one.extra;
    const auto proven = check_text(ledger::to_text(changed));
    ASSERT_FALSE(proven) << one.name;
    EXPECT_EQ(proven.error().code, Code::invalid) << one.name;
    EXPECT_THAT(proven.error().what, HasSubstr("'extra'")) << one.name;
  }
}

TEST_F(ProveTest, AWrongEventBesideAProofIsRefused) {
  const ledger::Proof proof = prove_event(database(), event_).value();
  const json::Object whole = extra_of(proof);
  struct Case {
    const char* member;
    json::Value value;
  };
  const Case cases[] = {{"index", 0},        {"index", 2},
                        {"index", 3},        {"index", -1},
                        {"index", "1"},      {"hashes", json::Array()},
                        {"hashes", "none"},  {"hashes", json::Array{"AAAA"}},
                        {"hashes", nullptr}, {"record", "{}"},
                        {"record", nullptr}, {"salt", "AAAAAAAAAAAAAAAAAAAAAQ=="}};
  for (const Case& one : cases) {
    json::Object extra = whole;
    (*extra["event"].as_object())[one.member] = one.value;
    EXPECT_FALSE(check_with(proof, extra)) << one.member << ": " << json::to_text(one.value);
  }
  for (const json::Value& event : {json::Value(1), json::Value("event"), json::Value(false)}) {
    json::Object extra = whole;
    extra["event"] = event;
    EXPECT_FALSE(check_with(proof, extra)) << json::to_text(event);
  }
}

TEST_F(ProveTest, AnotherLogsKeyIsRefused) {
  const std::string text = ledger::to_text(prove_entry(database(), gap_).value());
  const auto stranger = crypto::Signer::from_seed({std::byte{2}});
  for (const ledger::VerifierKey& key :
       {ledger::VerifierKey{"example.com/log", stranger.public_key()},
        ledger::VerifierKey{"example.com/other", store_.key().key}}) {
    const auto proven = check(text, key);
    ASSERT_FALSE(proven);
    EXPECT_EQ(proven.error().code, Code::denied);
  }
}

}  // namespace
}  // namespace mailwarden::report
