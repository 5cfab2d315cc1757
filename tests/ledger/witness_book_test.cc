// A witness of other logs, by the words of the specification.
#include "ledger/witness_book.h"

#include <gtest/gtest.h>

#include "json/base64.h"
#include "ledger/cosignature.h"
#include "tests/db/store.h"

namespace mailwarden::ledger {
namespace {

constexpr Timestamp asked_at{1'800'000'000'000'000};
const std::string watched_log = "example.com/log";

class WitnessBookTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(db::migrate(*database_, witness_migrations(), asked_at)); }

  void grow(std::size_t size, const std::string& fork = "") {
    leaves_.clear();
    for (std::size_t i = 0; i < size; ++i) {
      leaves_.push_back(leaf_hash(crypto::as_bytes(std::to_string(i) + fork)));
    }
  }
  std::string note(const std::string& name = watched_log) const {
    return sign_note(to_text(Checkpoint{name, leaves_.size(), root_of(leaves_)}), name, log_);
  }
  std::string posted(std::size_t old, const std::string& note) const {
    std::string body = "old " + std::to_string(old) + "\n";
    if (old > 0 && old < leaves_.size()) {
      for (const Digest& hash : consistency_proof(leaves_, old)) {
        body += json::to_base64({reinterpret_cast<const char*>(hash.data()), hash.size()}) + "\n";
      }
    }
    return body + "\n" + note;
  }
  // What was cosigned is stored, as whoever uses the book must.
  WitnessAnswer ask(const std::string& body) {
    WitnessReply reply = book_.answer(body, signer_, asked_at);
    EXPECT_EQ(reply.witnessed.has_value(), reply.answer.status == 200);
    if (reply.witnessed) {
      EXPECT_TRUE(WitnessBook::write(*database_, *reply.witnessed));
    }
    return reply.answer;
  }
  unsigned status(std::size_t old) { return ask(posted(old, note())).status; }

  std::vector<Digest> leaves_;
  crypto::Signer log_ = crypto::Signer::from_seed({std::byte{1}});
  crypto::Signer second_ = crypto::Signer::from_seed({std::byte{2}});
  crypto::Signer signer_ = crypto::Signer::from_seed({std::byte{7}});
  WitnessKey key_{"witness.example.com/w1", signer_.public_key()};
  std::unique_ptr<db::Database> database_ = fresh_store();
  std::vector<VerifierKey> logs_{{watched_log, log_.public_key()},
                                 {watched_log, second_.public_key()}};
  WitnessBook book_{key_.name, logs_};
};

TEST_F(WitnessBookTest, CosignsWhatHasGrown) {
  std::size_t old = 0;
  for (const std::size_t size : {0, 1, 5, 64, 300, 300}) {
    grow(size);
    const WitnessAnswer answer = ask(posted(old, note()));
    ASSERT_EQ(answer.status, 200U) << size;
    const auto found = find_cosignature(add_signatures(note(), answer.body), key_);
    ASSERT_TRUE(found) << found.error().what;
    EXPECT_EQ(found->time, asked_at);
    old = size;
  }
}

TEST_F(WitnessBookTest, SaysFromWhereToBegin) {
  grow(10);
  ASSERT_EQ(status(0), 200U);
  grow(20);
  const WitnessAnswer answer = ask(posted(5, note()));
  EXPECT_EQ(answer.status, 409U);
  EXPECT_EQ(answer.content_type, "text/x.tlog.size");
  EXPECT_EQ(answer.body, "10\n");
  EXPECT_EQ(status(10), 200U);
}

TEST_F(WitnessBookTest, NeverCosignsTwoHistories) {
  grow(10);
  ASSERT_EQ(status(0), 200U);
  grow(10, "fork");
  EXPECT_EQ(status(10), 422U) << "another tree of the same size";
  grow(20, "fork");
  EXPECT_EQ(status(10), 422U);
  grow(7);
  EXPECT_EQ(status(7), 409U) << "a log that was set back";
  grow(20);
  std::string spoilt = posted(10, note());
  spoilt[spoilt.find('\n') + 1] ^= 1;
  EXPECT_EQ(ask(spoilt).status, 422U);
  EXPECT_EQ(status(10), 200U) << "the true one goes on";
}

TEST_F(WitnessBookTest, KnowsItsLogsAndTheirKeysAlone) {
  grow(3);
  EXPECT_EQ(ask(posted(0, note("example.com/other"))).status, 404U);
  log_ = crypto::Signer::from_seed({std::byte{9}});
  EXPECT_EQ(status(0), 403U);
  log_ = crypto::Signer::from_seed({std::byte{2}});
  EXPECT_EQ(status(0), 200U) << "the log's other key";
  std::string two = note() + note().substr(note().rfind("\n\n") + 2);
  log_ = crypto::Signer::from_seed({std::byte{1}});
  std::string wrong = note().substr(note().rfind("\n\n") + 2);
  wrong[wrong.rfind('=') - 6] ^= 1;
  EXPECT_EQ(ask(posted(3, two + wrong)).status, 403U) << "one of its keys has signed it wrongly";
}

TEST_F(WitnessBookTest, WhatIsNoRequestIsRefused) {
  grow(3);
  const std::string good = posted(0, note());
  for (const std::string& wrong :
       {std::string(), std::string("old 0\n"), "old 00\n\n" + note(), "old -1\n\n" + note(),
        "old x\n\n" + note(), "new 0\n\n" + note(), "old 4\n\n" + note(), "old 0\nxyz\n\n" + note(),
        std::string("old 0\n\nexample.com/log\n"), good.substr(0, good.size() - 1)}) {
    EXPECT_EQ(ask(wrong).status, 400U) << wrong;
  }
  std::string many = "old 0\n";
  for (int i = 0; i < 64; ++i) many += "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
  EXPECT_EQ(ask(many + "\n" + note()).status, 400U);
  EXPECT_EQ(ask("old 0\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n" + note()).status, 422U)
      << "nothing grows from nothing by a proof";
}

TEST_F(WitnessBookTest, BehindAStartItKnowsWhatItCosigned) {
  grow(10);
  ASSERT_EQ(status(0), 200U);
  book_ = WitnessBook(key_.name, logs_);
  ASSERT_TRUE(book_.load(*database_));
  EXPECT_EQ(status(0), 409U);
  grow(12);
  EXPECT_EQ(status(10), 200U);
  const std::string hash = crypto::to_hex(crypto::sha256(watched_log));
  const auto last = book_.last_note(hash);
  ASSERT_TRUE(last);
  EXPECT_TRUE(find_cosignature(*last, key_));
  EXPECT_TRUE(open_checkpoint(*last, logs_[0]));
  EXPECT_FALSE(book_.last_note(std::string(64, '0')));
}

}  // namespace
}  // namespace mailwarden::ledger
