#include "ledger/ledger.h"

#include <gtest/gtest.h>

#include "crypto/ed25519.h"
#include "ledger/stored_tiles.h"
#include "ledger/verify.h"
#include "tests/crypto/fixed_entropy.h"
#include "tests/db/store.h"
#include "tests/temporary.h"

namespace mailwarden::ledger {
namespace {

constexpr Timestamp now{1'800'000'000'000'000};
const std::string origin = "example.com/log";

class LedgerTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(db::migrate(*database_, migrations(), now));
    append(7);
    seal();
    append(6);
    seal();
    append(2);
  }

  void append(int count) {
    std::vector<Entry> entries;
    for (int i = 0; i < count; ++i) {
      entries.push_back({"detection", {{"address", "203.0.113.7"}, {"n", ++made_}}});
    }
    ASSERT_TRUE(Ledger::write(*database_, ledger().prepare(entries, now)));
  }

  void seal() {
    const auto sealed = ledger().prepare_seal(signer_);
    ASSERT_TRUE(sealed);
    notes_.push_back(sealed->note);
    ASSERT_TRUE(Ledger::write_seal(*database_, *sealed));
  }

  Ledger& ledger() {
    if (!ledger_) ledger_.emplace(Ledger::open(*database_, origin, entropy_).value());
    return *ledger_;
  }

  Verdict verdict(std::optional<std::string> from = std::nullopt) {
    return verify(*database_, {.key = key_, .from = std::move(from)}).value();
  }

  std::vector<std::string> places() {
    std::vector<std::string> found;
    for (const Failure& failure : verdict().failures) found.push_back(failure.place);
    return found;
  }

  std::unique_ptr<db::Database> database_ = fresh_store();
  crypto::FixedEntropy entropy_;
  crypto::Signer signer_ = crypto::Signer::from_seed({std::byte{1}});
  VerifierKey key_{origin, signer_.public_key()};
  std::vector<std::string> notes_;
  std::optional<Ledger> ledger_;
  int made_ = 0;
};

TEST_F(LedgerTest, AnUntouchedLedgerIsGood) {
  const Verdict found = verdict(notes_.front());
  EXPECT_TRUE(found.good()) << to_words(found);
  EXPECT_EQ(found.entries, 15);
  EXPECT_EQ(found.checkpoints, 2);
  EXPECT_EQ(found.unsealed, 2);
  EXPECT_EQ(to_words(found), "good: 15 entries, 2 checkpoints, 0 erased, 2 not sealed yet\n");
}

// Every byte of every column of every row: verification must fail and name the row.
TEST_F(LedgerTest, OneFlippedByteAnywhereIsFoundAndNamed) {
  const std::vector<std::pair<std::string, std::string>> columns{{"ledger_entry", "kind"},
                                                                 {"ledger_entry", "record"},
                                                                 {"ledger_entry", "salt"},
                                                                 {"ledger_entry", "leaf"},
                                                                 {"ledger_checkpoint", "note"}};
  for (const auto& [table, column] : columns) {
    const std::string id = table == "ledger_entry" ? "number" : "size";
    const std::int64_t rows = database_->integer("SELECT COUNT(*) FROM " + table).value();
    for (std::int64_t row = 0; row < rows; ++row) {
      const std::int64_t number = database_
                                      ->integer("SELECT " + id + " FROM " + table + " ORDER BY " +
                                                    id + " LIMIT 1 OFFSET $1",
                                                {row})
                                      .value();
      const auto read = database_->query(
          "SELECT " + column + " FROM " + table + " WHERE " + id + " = $1", {number});
      ASSERT_TRUE((*read)->step().value());
      const bool is_blob = column == "salt" || column == "leaf";
      const db::Blob stored = is_blob ? (*read)->blob(0) : crypto::as_bytes((*read)->text(0));
      std::string bytes(reinterpret_cast<const char*>(stored.data()), stored.size());
      ASSERT_FALSE((*read)->step().value());
      const std::string update =
          "UPDATE " + table + " SET " + column + " = $1 WHERE " + id + " = $2";
      const auto write = [&] {
        const db::Value value = is_blob ? db::Value(crypto::as_bytes(bytes)) : db::Value(bytes);
        return database_->run(update, {value, number});
      };
      const std::string place = table == "ledger_entry"
                                    ? "entry " + std::to_string(number)
                                    : "checkpoint at size " + std::to_string(number);
      for (std::size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] ^= 1;
        ASSERT_TRUE(write());
        const auto found = places();
        ASSERT_NE(std::ranges::find(found, place), found.end())
            << table << "." << column << " byte " << i << " of " << place;
        bytes[i] ^= 1;
      }
      ASSERT_TRUE(write());
    }
  }
  EXPECT_TRUE(verdict().good());
}

TEST_F(LedgerTest, AChangedNumberOrSizeIsFound) {
  ASSERT_TRUE(database_->execute("UPDATE ledger_entry SET number = 99 WHERE number = 14"));
  EXPECT_EQ(places(), (std::vector<std::string>{"entry 14"}));
  ASSERT_TRUE(database_->execute("UPDATE ledger_entry SET number = 14 WHERE number = 99"));
  ASSERT_TRUE(database_->execute("UPDATE ledger_checkpoint SET size = 8 WHERE size = 7"));
  EXPECT_EQ(places(), (std::vector<std::string>{"checkpoint at size 8"}));
}

TEST_F(LedgerTest, TwoSwappedEntriesAreFound) {
  ASSERT_TRUE(
      database_->execute("UPDATE ledger_entry SET number = -1 WHERE number = 3;"
                         "UPDATE ledger_entry SET number = 3 WHERE number = 4;"
                         "UPDATE ledger_entry SET number = 4 WHERE number = -1"));
  EXPECT_EQ(places(), (std::vector<std::string>{"checkpoint at size 7", "checkpoint at size 13"}));
}

TEST_F(LedgerTest, RemovedNewestRowsAreFoundByACheckpointKeptElsewhere) {
  ASSERT_TRUE(
      database_->execute("DELETE FROM ledger_entry WHERE number >= 10;"
                         "DELETE FROM ledger_checkpoint WHERE size > 7"));
  EXPECT_TRUE(verdict().good());
  const Verdict found = verdict(notes_.back());
  ASSERT_EQ(found.failures.size(), 1U);
  EXPECT_EQ(found.failures[0],
            (Failure{"the checkpoint given",
                     "it covers 13 entries, but the ledger holds 10: the newest 3 have been "
                     "removed"}));
}

TEST_F(LedgerTest, RemovedRowsUnderAStoredCheckpointAreFoundByItself) {
  ASSERT_TRUE(database_->execute("DELETE FROM ledger_entry WHERE number >= 12"));
  EXPECT_EQ(places(), (std::vector<std::string>{"checkpoint at size 13"}));
  EXPECT_EQ(Ledger::open(*database_, origin, entropy_).error().code, Code::corrupt);
}

TEST_F(LedgerTest, AMissingRowIsNamed) {
  ASSERT_TRUE(database_->execute("DELETE FROM ledger_entry WHERE number = 5"));
  const auto found = places();
  EXPECT_EQ(found.front(), "entry 5");
  EXPECT_EQ(Ledger::open(*database_, origin, entropy_).error().what,
            "the ledger is damaged at entry 5; 'mailwarden ledger verify' tells more");
}

TEST_F(LedgerTest, ARewrittenHistoryDoesNotFitAnOlderCheckpoint) {
  const std::string old = notes_.front();
  ASSERT_TRUE(database_->execute("DELETE FROM ledger_entry; DELETE FROM ledger_checkpoint"));
  ledger_.reset();
  made_ = 100;
  append(9);
  seal();
  EXPECT_TRUE(verdict().good());
  EXPECT_EQ(verdict(old).failures[0].what,
            "its root differs from that of the first 7 entries of this ledger");
}

TEST_F(LedgerTest, AnotherKeyAndAnotherLogAreRefused) {
  const crypto::Signer other = crypto::Signer::from_seed({std::byte{2}});
  const Verdict wrong_key = verify(*database_, {.key = {origin, other.public_key()}}).value();
  EXPECT_EQ(wrong_key.failures.size(), 2U);
  const std::string foreign =
      sign_note(to_text(Checkpoint{.origin = "example.com/other", .size = 7}), origin, signer_);
  EXPECT_EQ(verdict(foreign).failures[0].what,
            "it is of the log 'example.com/other', not of 'example.com/log'");
}

TEST_F(LedgerTest, ErasingAnEntryKeepsEverythingElseGood) {
  ASSERT_TRUE(
      database_->execute("UPDATE ledger_entry SET record = NULL, salt = NULL WHERE number = 4"));
  const Verdict found = verdict(notes_.back());
  EXPECT_TRUE(found.good()) << to_words(found);
  EXPECT_EQ(found.erased, 1);
  ASSERT_TRUE(database_->execute("UPDATE ledger_entry SET salt = NULL WHERE number = 5"));
  EXPECT_EQ(places(), (std::vector<std::string>{"entry 5"}));
}

TEST_F(LedgerTest, WhatWasErasedCannotBeConfirmedByGuessing) {
  const Row row = load_entries(*database_, 4, 1).value().front();
  EXPECT_EQ(leaf_hash(commitment(row.salt, row.record)), row.leaf);
  EXPECT_NE(leaf_hash(commitment({}, row.record)), row.leaf);
  EXPECT_NE(leaf_hash(commitment(Salt{}, row.record)), row.leaf);
}

TEST_F(LedgerTest, TheSameRowsMayBeWrittenAgainAfterAFailedTransaction) {
  const std::vector<Entry> entries{{"detection", {{"n", 1000}}}};
  const Prepared rows = ledger().prepare(entries, now);
  {
    const auto undone = db::Transaction::begin(*database_);
    ASSERT_TRUE(Ledger::write(*database_, rows));
  }
  ASSERT_TRUE(Ledger::write(*database_, rows));
  EXPECT_TRUE(verdict().good());
  EXPECT_EQ(verdict().entries, 16);
}

TEST_F(LedgerTest, OpenedAnewItGoesOnTheSame) {
  const auto before = ledger().prepare_seal(signer_)->checkpoint;
  ledger_.reset();
  EXPECT_EQ(ledger().prepare_seal(signer_)->checkpoint, before);
  EXPECT_FALSE(ledger().prepare_seal(signer_));
}

TEST_F(LedgerTest, AskedForTheNewest) {
  EXPECT_EQ(last_checkpoint(*database_).value(), notes_.back());
  EXPECT_EQ(last_time(*database_).value(), now);
  EXPECT_EQ(last_of_kind(*database_, "detection").value()->number, 14);
  EXPECT_FALSE(last_of_kind(*database_, "report").value());
}

TEST_F(LedgerTest, EntriesAreReadOneByOneByRangeAndKind) {
  const std::vector<Entry> gap{{"gap", {{"n", 15}}}};
  ASSERT_TRUE(Ledger::write(*database_, ledger().prepare(gap, now)));
  ASSERT_TRUE(
      database_->execute("UPDATE ledger_entry SET record = NULL, salt = NULL WHERE number = 4"));
  const auto numbers = [&](const EntryQuery& query) {
    std::vector<std::int64_t> found;
    const auto done = for_each_entry(*database_, query, [&](const Row& row) {
      found.push_back(row.record.empty() ? -row.number : row.number);
    });
    EXPECT_TRUE(done);
    return found;
  };
  EXPECT_EQ(numbers({}).size(), 16U);
  EXPECT_EQ(numbers({.first = 3, .limit = 3}), (std::vector<std::int64_t>{3, -4, 5}));
  EXPECT_EQ(numbers({.kind = "gap"}), (std::vector<std::int64_t>{15}));
  EXPECT_EQ(numbers({.first = 13, .kind = "detection"}), (std::vector<std::int64_t>{13, 14}));
  EXPECT_TRUE(numbers({.first = 16}).empty());
}

TEST_F(LedgerTest, WhatAnEntryCommitsToOutsideIsAskedFor) {
  const auto found =
      verify(*database_,
             {.key = key_,
              .check_record = [](std::int64_t number, const json::Value&) -> Result<std::string> {
                return number == 3 ? "an event was changed" : "";
              }});
  ASSERT_EQ(found->failures.size(), 1U);
  EXPECT_EQ(found->failures[0], (Failure{"entry 3", "an event was changed"}));
}

// More than two tiles, with nodes above them.
class TiledLedgerTest : public LedgerTest {
 protected:
  void SetUp() override {
    LedgerTest::SetUp();
    append(600);
    seal();
  }
  void run(const std::string& sql, std::initializer_list<db::Value> values = {}) {
    ASSERT_TRUE(database_->run(sql, values));
  }

  const Digest no_hash_{};
  const db::Blob zeros = no_hash_;
};

TEST_F(TiledLedgerTest, TilesOfTheStoreAreThoseOfTheTree) {
  constexpr std::uint64_t size = 615;
  EXPECT_TRUE(verdict().good()) << to_words(verdict());
  TreeReader tree = stored_tree(*database_, size);
  const Checkpoint sealed = open_checkpoint(notes_.back(), key_).value();
  EXPECT_EQ(sealed.size, size);
  EXPECT_EQ(tree.root(), sealed.root);
  EXPECT_EQ(tree.root_at(7), open_checkpoint(notes_[0], key_)->root);
  const auto bundle = load_bundle(*database_, {.level = std::nullopt, .number = 2, .width = 103});
  ASSERT_TRUE(bundle) << bundle.error().what;
  EXPECT_EQ(leaf_hash(crypto::as_bytes(bundle->back())), tree.leaf(614));
  EXPECT_EQ(load_hashes(*database_, {.level = 0, .number = 2, .width = 104}).error().code,
            Code::not_found);
  EXPECT_EQ(load_hashes(*database_, {.level = 1, .number = 0, .width = 3}).error().code,
            Code::not_found);
}

TEST_F(TiledLedgerTest, AChangedNodeIsFoundAndNamed) {
  run("UPDATE ledger_node SET hash = $1 WHERE number = 1", {zeros});
  EXPECT_EQ(places(), std::vector<std::string>{"node 1 of level 1"});
}

TEST_F(TiledLedgerTest, AMissingNodeAndOneTooManyAreFound) {
  run("DELETE FROM ledger_node WHERE number = 0");
  EXPECT_EQ(places(), std::vector<std::string>{"node 0 of level 1"});
  run("INSERT INTO ledger_node (level, number, hash) VALUES (2, 0, $1), (1, 2, $2)",
      {zeros, db::Blob()});
  EXPECT_EQ(places(), (std::vector<std::string>{"node 0 of level 1", "node 2 of level 1",
                                                "node 0 of level 2"}));
}

TEST_F(TiledLedgerTest, AChangedCommitmentIsFound) {
  run("UPDATE ledger_entry SET commitment = $1 WHERE number = 3", {zeros});
  EXPECT_EQ(places(), std::vector<std::string>{"entry 3"});
}

TEST_F(TiledLedgerTest, WhatAnOlderVersionHasNotStoredIsAdded) {
  run("DELETE FROM ledger_node");
  run("UPDATE ledger_entry SET commitment = NULL");
  run("UPDATE ledger_entry SET record = NULL, salt = NULL WHERE number = 300");
  ledger_.reset();
  ledger();
  EXPECT_TRUE(verdict().good()) << to_words(verdict());
  EXPECT_TRUE(load_bundle(*database_, {.level = std::nullopt, .number = 0}));
  EXPECT_EQ(load_bundle(*database_, {.level = std::nullopt, .number = 1}).error().code,
            Code::not_found)
      << "of what was erased before commitments were kept nothing is left";
}

TEST_F(TiledLedgerTest, AnErasedEntryKeepsItsPlaceInEveryTile) {
  run("UPDATE ledger_entry SET record = NULL, salt = NULL WHERE number = 300");
  EXPECT_TRUE(verdict().good());
  EXPECT_EQ(verdict().erased, 1);
  TreeReader tree = stored_tree(*database_, 615);
  const auto bundle = load_bundle(*database_, {.level = std::nullopt, .number = 1});
  ASSERT_TRUE(bundle) << bundle.error().what;
  EXPECT_EQ(leaf_hash(crypto::as_bytes((*bundle)[300 - 256])), tree.leaf(300));
}

}  // namespace
}  // namespace mailwarden::ledger
