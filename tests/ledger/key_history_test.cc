// One key follows another, as a daemon does it and as whoever checks it sees it.
#include "ledger/key_history.h"

#include <gmock/gmock.h>

#include "crypto/ed25519.h"
#include "db/sqlite.h"
#include "ledger/verify.h"
#include "tests/crypto/fixed_entropy.h"
#include "tests/temporary.h"

namespace mailwarden::ledger {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr Timestamp written_at{1'800'000'000'000'000};
const std::string log_name = "example.com/log";

class KeyHistoryTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(db::migrate(*database_, migrations(), written_at)); }

  static VerifierKey named(const crypto::Signer& signer) {
    return {.name = log_name, .key = signer.public_key()};
  }

  // A daemon's start with these keys; "" where it is let, else why not.
  std::string start(const crypto::Signer& key, const crypto::Signer* next = nullptr) {
    GivenKeys given{.key = named(key), .next = std::nullopt};
    if (next != nullptr) given.next = named(*next);
    ledger_.emplace(Ledger::open(*database_, log_name, entropy_).value());
    const auto plan = plan_keys(*database_, given, ledger_->size());
    if (!plan) return plan.error().what;
    std::vector<Entry> entries;
    for (const KeyChange& change : *plan) {
      entries.push_back({std::string(key_change_kind), to_record(change)});
    }
    EXPECT_TRUE(Ledger::write(*database_, ledger_->prepare(entries, written_at)));
    key_ = &key;
    next_ = next;
    return "";
  }
  void append() {
    const std::vector<Entry> entries{{"gap", {{"n", ++made_}}}};
    ASSERT_TRUE(Ledger::write(*database_, ledger_->prepare(entries, written_at)));
  }
  void seal() {
    const auto sealed = ledger_->prepare_seal(*key_, next_);
    ASSERT_TRUE(sealed);
    note_ = sealed->note;
    ASSERT_TRUE(Ledger::write_seal(*database_, *sealed));
  }
  void work() {
    append();
    seal();
  }
  // From A over A and B to B alone.
  void rotate() {
    ASSERT_EQ(start(a_), "");
    work();
    ASSERT_EQ(start(a_, &b_), "");
    work();
    ASSERT_EQ(start(b_), "");
    work();
  }

  Verdict verdict(const crypto::Signer& key, std::optional<std::string> from = std::nullopt) {
    return verify(*database_, {.key = named(key), .from = std::move(from)}).value();
  }
  std::vector<std::string> failures(const crypto::Signer& key,
                                    std::optional<std::string> from = std::nullopt) {
    std::vector<std::string> found;
    for (const Failure& one : verdict(key, std::move(from)).failures) {
      found.push_back(one.place + ": " + one.what);
    }
    return found;
  }

  crypto::Signer a_ = crypto::Signer::from_seed({std::byte{1}});
  crypto::Signer b_ = crypto::Signer::from_seed({std::byte{2}});
  crypto::Signer c_ = crypto::Signer::from_seed({std::byte{3}});
  const crypto::Signer* key_ = nullptr;
  const crypto::Signer* next_ = nullptr;
  std::unique_ptr<db::Database> database_ = db::open_sqlite(":memory:").value();
  crypto::FixedEntropy entropy_;
  std::optional<Ledger> ledger_;
  std::string note_;
  int made_ = 0;
};

TEST_F(KeyHistoryTest, EitherKeyFollowsTheRotationInTheLog) {
  rotate();
  // Sizes 1 (A), 3 (A and B), 5 (B).
  for (const crypto::Signer* key : {&a_, &b_}) {
    const Verdict found = verdict(*key);
    EXPECT_TRUE(found.good()) << to_words(found);
    EXPECT_THAT(to_words(found), HasSubstr("entry 1: the key " + to_text(named(b_)) +
                                           " was introduced beside " + to_text(named(a_))));
    EXPECT_THAT(to_words(found),
                HasSubstr("entry 3: the key " + to_text(named(a_)) + " was dropped, and " +
                          to_text(named(b_)) + " signs on"));
    EXPECT_TRUE(failures(*key, note_).empty()) << "a checkpoint that the new key alone signed";
  }
  EXPECT_EQ(failures(c_).size(), 3U) << "a key that is none of the log's";
}

TEST_F(KeyHistoryTest, AStartAgainWithTheSameKeysAddsNothing) {
  rotate();
  const std::int64_t size = ledger_->size();
  ASSERT_EQ(start(b_), "");
  EXPECT_EQ(ledger_->size(), size);
  ASSERT_EQ(start(b_, &c_), "");
  EXPECT_EQ(ledger_->size(), size + 1);
  ASSERT_EQ(start(b_, &c_), "");
  EXPECT_EQ(ledger_->size(), size + 1);
}

TEST_F(KeyHistoryTest, DuringTheOverlapEveryCheckpointHasBothSignatures) {
  ASSERT_EQ(start(a_, &b_), "");
  work();
  EXPECT_TRUE(open_checkpoint(note_, named(a_)));
  EXPECT_TRUE(open_checkpoint(note_, named(b_)));
  const std::vector both{named(b_), named(a_)};
  EXPECT_EQ(open_checkpoint(note_, both)->signers, both);
  // A second signature that is gone or wrong is found by whoever holds the first key alone.
  const std::string alone = note_.substr(0, note_.rfind("\xE2\x80\x94"));
  ASSERT_TRUE(database_->run("UPDATE ledger_checkpoint SET note = $1", {std::string_view(alone)}));
  EXPECT_THAT(failures(a_), ElementsAre(HasSubstr("it is not signed by the key " +
                                                  to_text(named(b_)) + ", which its entries ask")));
  std::string wrong = note_;
  char& last = wrong[wrong.size() - 10];
  last = last == 'A' ? 'B' : 'A';
  ASSERT_TRUE(database_->run("UPDATE ledger_checkpoint SET note = $1", {std::string_view(wrong)}));
  EXPECT_THAT(failures(a_), ElementsAre(HasSubstr("checkpoint at size 2: the signature")));
}

TEST_F(KeyHistoryTest, KeysThatTheLedgerWasNotToldOfAreRefused) {
  ASSERT_EQ(start(a_), "");
  append();
  EXPECT_EQ(start(b_), "") << "nothing was signed yet that anybody could hold";
  work();
  EXPECT_THAT(start(a_), HasSubstr("does not take the key " + to_text(named(a_))));
  EXPECT_THAT(start(c_, &b_), HasSubstr("Give the key that signed it as 'key'"));
  ASSERT_EQ(start(b_, &c_), "");
  EXPECT_THAT(start(a_), HasSubstr("was never introduced"));
  work();
  ASSERT_EQ(start(c_), "");
  work();
  EXPECT_THAT(start(b_), HasSubstr("was dropped by entry 4"));
  EXPECT_THAT(start(b_, &c_), HasSubstr("is signed by " + to_text(named(c_))));
}

TEST_F(KeyHistoryTest, ALogKeepsItsName) {
  const auto renamed = [&] {
    const VerifierKey key{.name = "example.com/renamed", .key = key_->public_key()};
    const auto plan = plan_keys(*database_, {.key = key, .next = std::nullopt}, ledger_->size());
    return plan ? "" : plan.error().what;
  };
  ASSERT_EQ(start(a_), "");
  append();
  EXPECT_EQ(renamed(), "") << "nobody knows it by any name yet";
  seal();
  EXPECT_THAT(renamed(), HasSubstr("this ledger is the log 'example.com/log', not "
                                   "'example.com/renamed': a log keeps its name"));
  ASSERT_EQ(start(a_, &b_), "");
  work();
  EXPECT_THAT(renamed(), HasSubstr("a log keeps its name"));
}

// A kill between any two of: entry written, checkpoint signed, configuration changed, entry
// written.
TEST_F(KeyHistoryTest, AKillAtEveryEdgeLeavesWhatGoesOn) {
  ASSERT_EQ(start(a_), "");
  work();
  ASSERT_EQ(start(a_, &b_), "");
  // Before any checkpoint covers it the old key must not be let go, or nobody could follow.
  EXPECT_THAT(start(b_), HasSubstr("which no checkpoint signed by " + to_text(named(a_)) +
                                   " covers yet. Start once more"));
  ASSERT_EQ(start(a_, &b_), "");
  seal();
  ASSERT_EQ(start(a_, &b_), "");
  append();
  ASSERT_EQ(start(b_), "");
  // The entry that drops A is written, and no checkpoint of B alone yet.
  EXPECT_TRUE(failures(a_).empty());
  ASSERT_EQ(start(b_), "");
  seal();
  EXPECT_TRUE(failures(a_).empty());
  EXPECT_TRUE(failures(b_).empty());
}

TEST_F(KeyHistoryTest, ARotationMayBeGivenUpAndKeysMayComeAgain) {
  ASSERT_EQ(start(a_), "");
  work();
  ASSERT_EQ(start(a_, &b_), "");
  ASSERT_EQ(start(a_), "") << "B is dropped, before it signed anything that A does not";
  work();
  ASSERT_EQ(start(a_, &c_), "");
  work();
  ASSERT_EQ(start(c_, &a_), "") << "the other one first: nothing changes";
  work();
  ASSERT_EQ(start(c_, &b_), "");
  work();
  ASSERT_EQ(start(b_, &a_), "");
  work();
  ASSERT_EQ(start(a_), "");
  work();
  for (const crypto::Signer* key : {&a_, &b_, &c_}) {
    EXPECT_THAT(failures(*key), IsEmpty());
  }
}

// Whoever has the store, but no key, writes a rotation of their own.
TEST_F(KeyHistoryTest, AKeyThatTheOldOneDidNotSignForIsNotBelieved) {
  const crypto::Signer& stranger = c_;
  ASSERT_EQ(start(a_), "");
  work();
  const std::string genuine = note_;
  const std::vector<Entry> forged{
      {std::string(key_change_kind),
       to_record({.entry = 1, .old_key = named(a_), .new_key = named(stranger)})},
      {std::string(key_change_kind), to_record({.entry = 2,
                                                .act = KeyChange::Act::dropped,
                                                .old_key = named(a_),
                                                .new_key = named(stranger)})}};
  ASSERT_TRUE(Ledger::write(*database_, ledger_->prepare(forged, written_at)));
  key_ = &stranger;
  seal();
  EXPECT_THAT(failures(a_), ElementsAre(HasSubstr("entry 1: no checkpoint signed by " +
                                                  to_text(named(a_)) + " covers it")));
  EXPECT_THAT(failures(a_, note_), ElementsAre(HasSubstr("entry 1: no checkpoint signed by")))
      << "nor by a checkpoint of the stranger kept elsewhere";
  // The same from the other side: a history in which the stranger came first.
  ASSERT_TRUE(database_->execute("DELETE FROM ledger_entry; DELETE FROM ledger_checkpoint"));
  ASSERT_EQ(start(stranger), "");
  work();
  ASSERT_EQ(start(stranger, &a_), "");
  next_ = nullptr;
  work();
  EXPECT_THAT(failures(a_),
              testing::Contains(HasSubstr("it signs checkpoints, but the keys given lead not")));
  EXPECT_FALSE(failures(a_, genuine).empty());
}

TEST_F(KeyHistoryTest, ACheckpointOfAKeyBeyondItsTimeIsNotTaken) {
  rotate();
  const std::string text = note_.substr(0, note_.find("\n\n") + 1);
  const std::string late = sign_note(text, log_name, a_);
  EXPECT_THAT(failures(b_, late),
              ElementsAre(HasSubstr("which signs no checkpoint of that size in this ledger")));
  EXPECT_THAT(failures(a_, late), testing::SizeIs(1));
}

TEST_F(KeyHistoryTest, AChangeIsWhatItsEntrySays) {
  const KeyChange change{.entry = 7, .old_key = named(a_), .new_key = named(b_)};
  json::Object record = to_record(change);
  EXPECT_EQ(parse_key_change(7, record), change);
  EXPECT_FALSE(parse_key_change(8, record)) << "it counts from another size";
  for (const char* member : {"act", "old", "new", "from"}) {
    json::Object spoilt = record;
    spoilt[member] = "x";
    const auto parsed = parse_key_change(7, spoilt);
    ASSERT_FALSE(parsed) << member;
    EXPECT_EQ(parsed.error().code, Code::corrupt);
  }
}

// Every byte of the entry, and of what the two keys signed.
TEST_F(KeyHistoryTest, ASpoiltChangeIsFound) {
  rotate();
  const Row row = load_entries(*database_, 1, 1).value().front();
  for (std::size_t i = 0; i < row.record.size(); ++i) {
    std::string record = row.record;
    record[i] = static_cast<char>(record[i] ^ 1);
    ASSERT_TRUE(database_->run("UPDATE ledger_entry SET record = $1 WHERE number = 1",
                               {std::string_view(record)}));
    ASSERT_THAT(failures(a_), testing::Contains(HasSubstr("entry 1"))) << i;
  }
  ASSERT_TRUE(
      database_->execute("UPDATE ledger_entry SET record = NULL, salt = NULL WHERE number = 1"));
  EXPECT_FALSE(failures(a_).empty()) << "an erased change leads nowhere";
}

}  // namespace
}  // namespace mailwarden::ledger
