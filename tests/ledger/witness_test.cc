#include "ledger/witness.h"

#include <algorithm>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "json/base64.h"
#include "ledger/note.h"

namespace mailwarden::ledger {
namespace {

using testing::HasSubstr;

constexpr Timestamp cosigned_at{1'800'000'000'500'000};
const std::string witnessed_log = "example.com/log";

TEST(Cosignature, SignsTheCheckpointWithTheTime) {
  const crypto::Signer signer = crypto::Signer::from_seed({std::byte{7}});
  const WitnessKey key{"witness.example.com/w1", signer.public_key()};
  const std::string text = "example.com/log\n3\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
  const std::string line = cosign(text, key.name, signer, cosigned_at);
  const std::string note = add_signatures(text + "\n", line);
  const auto found = find_cosignature(note, key);
  ASSERT_TRUE(found) << found.error().what;
  EXPECT_EQ(found->line, line);
  EXPECT_EQ(found->time.us, 1'800'000'000'000'000) << "seconds count";
  const std::size_t space = line.rfind(' ');
  const std::string bytes =
      json::from_base64(line.substr(space + 1, line.size() - space - 2)).value();
  EXPECT_EQ(bytes.size(), 4U + 8U + 64U);
  crypto::Signature signature{};
  std::ranges::copy(crypto::as_bytes(std::string_view(bytes).substr(12)), signature.begin());
  EXPECT_TRUE(crypto::verify(key.key, "cosignature/v1\ntime 1800000000\n" + text, signature));
}

TEST(Cosignature, OfAnotherKeyOrTextIsNone) {
  const crypto::Signer signer = crypto::Signer::from_seed({std::byte{7}});
  const crypto::Signer other = crypto::Signer::from_seed({std::byte{8}});
  const WitnessKey key{"w", signer.public_key()};
  const std::string text = "a\n1\nb\n";
  const std::string note = text + "\n" + cosign(text, "w", signer, cosigned_at);
  EXPECT_TRUE(find_cosignature(note, key));
  EXPECT_FALSE(find_cosignature(note, {"w", other.public_key()}));
  EXPECT_FALSE(find_cosignature(note, {"x", signer.public_key()}));
  std::string changed = note;
  changed[0] = 'b';
  EXPECT_EQ(find_cosignature(changed, key).error().code, Code::denied);
  EXPECT_FALSE(
      find_cosignature(text + "\n" + sign_note(text, "w", signer).substr(text.size() + 1), key))
      << "a log's signature is no cosignature";
  EXPECT_EQ(parse_witness_key(to_text(key)), key);
  EXPECT_FALSE(parse_verifier_key(to_text(key)));
  EXPECT_FALSE(parse_witness_key(to_text(VerifierKey{"w", signer.public_key()})));
}

// A log in memory, and a witness as the specification has it.
class WitnessTest : public testing::Test {
 protected:
  void grow(int count) {
    for (int i = 0; i < count; ++i) {
      leaves_.push_back(leaf_hash(crypto::as_bytes(std::to_string(leaves_.size()) + fork_)));
    }
  }
  Checkpoint checkpoint() const { return {witnessed_log, leaves_.size(), root_of(leaves_)}; }

  Result<Cosignature> ask(std::uint64_t seen) {
    TreeReader tree(leaves_.size(), [this](const Tile& tile) -> Result<std::vector<Digest>> {
      return std::vector<Digest>(leaves_.begin(),
                                 leaves_.begin() + static_cast<std::ptrdiff_t>(tile.width));
    });
    return ask_witness({.witness = key_,
                        .checkpoint = sign_note(to_text(checkpoint()), witnessed_log, log_),
                        .seen = seen},
                       tree, [this](const std::string& body) { return answer(body); });
  }

  Result<WitnessAnswer> answer(const std::string& body) {
    ++asked_;
    const std::size_t blank = body.find("\n\n");
    const std::string note = body.substr(blank + 2);
    std::vector<Digest> proof;
    std::istringstream lines(body.substr(0, blank));
    std::string line;
    std::getline(lines, line);
    EXPECT_TRUE(line.starts_with("old "));
    const std::uint64_t old = std::stoull(line.substr(4));
    while (std::getline(lines, line)) {
      const std::string bytes = json::from_base64(line).value();
      std::ranges::copy(crypto::as_bytes(bytes), proof.emplace_back().begin());
    }
    const auto shown = open_checkpoint(note, {witnessed_log, log_.public_key()});
    if (!shown) return WitnessAnswer{.status = 403};
    if (old != seen_.size) {
      return WitnessAnswer{.status = 409,
                           .content_type = "text/x.tlog.size",
                           .body = std::to_string(seen_.size) + "\n"};
    }
    if (!verify_consistency(old, shown->size, proof, seen_.root, shown->root)) {
      return WitnessAnswer{.status = 422};
    }
    seen_ = *shown;
    return WitnessAnswer{.status = 200,
                         .body = cosign(to_text(*shown), key_.name, signer_, cosigned_at)};
  }

  std::string fork_;
  std::vector<Digest> leaves_;
  crypto::Signer log_ = crypto::Signer::from_seed({std::byte{1}});
  crypto::Signer signer_ = crypto::Signer::from_seed({std::byte{7}});
  WitnessKey key_{"witness.example.com/w1", signer_.public_key()};
  Checkpoint seen_{witnessed_log, 0, empty_root()};
  int asked_ = 0;
};

TEST_F(WitnessTest, CosignsALogThatGrows) {
  for (const int more : {1, 6, 30}) {
    const std::uint64_t seen = leaves_.size();
    grow(more);
    asked_ = 0;
    const auto signed_by = ask(seen);
    ASSERT_TRUE(signed_by) << signed_by.error().what;
    EXPECT_EQ(asked_, 1);
    EXPECT_EQ(signed_by->time.us / 1'000'000, cosigned_at.us / 1'000'000);
  }
  EXPECT_TRUE(ask(leaves_.size())) << "the same checkpoint again";
}

TEST_F(WitnessTest, SaysWhatItHasSeenWhereThatIsNotKnown) {
  grow(5);
  ASSERT_TRUE(ask(0));
  grow(5);
  asked_ = 0;
  EXPECT_TRUE(ask(0));
  EXPECT_EQ(asked_, 2);
  EXPECT_TRUE(ask(1000)) << "more than there is cannot be what it has seen";
}

TEST_F(WitnessTest, AForkAndARollbackAreFound) {
  grow(10);
  ASSERT_TRUE(ask(0));
  const std::vector<Digest> before = leaves_;
  leaves_.resize(7);
  const auto rolled_back = ask(7);
  ASSERT_FALSE(rolled_back);
  EXPECT_EQ(rolled_back.error().code, Code::conflict);
  EXPECT_THAT(rolled_back.error().what, HasSubstr("has seen 10 entries of this log, which has 7"));
  leaves_.clear();
  fork_ = "other";
  grow(12);
  const auto forked = ask(10);
  ASSERT_FALSE(forked);
  EXPECT_EQ(forked.error().code, Code::conflict);
  leaves_ = before;
  fork_ = "";
  grow(2);
  EXPECT_TRUE(ask(10)) << "the log that it knows goes on";
}

TEST_F(WitnessTest, WhatIsNotSignedByItIsRefused) {
  grow(3);
  const crypto::Signer other = crypto::Signer::from_seed({std::byte{9}});
  key_.key = other.public_key();
  EXPECT_EQ(ask(0).error().code, Code::denied);
}

TEST_F(WitnessTest, ALogThatItDoesNotKnowIsTold) {
  grow(3);
  log_ = crypto::Signer::from_seed({std::byte{2}});
  seen_ = {};
  const crypto::Signer known = crypto::Signer::from_seed({std::byte{1}});
  TreeReader tree(0, [](const Tile&) { return std::vector<Digest>(); });
  const auto asked =
      ask_witness({.witness = key_, .checkpoint = sign_note("x\n0\ny\n", "x", known), .seen = 0},
                  tree, [this](const std::string& body) { return answer(body); });
  EXPECT_EQ(asked.error().code, Code::denied);
  EXPECT_THAT(asked.error().what, HasSubstr("answered 403"));
}

// What a witness answers that lies, or that follows an older text of the specification.
TEST_F(WitnessTest, AnAnswerIsSignaturesOrARefusalAndNothingElse) {
  grow(4);
  TreeReader tree(4, [this](const Tile&) { return leaves_; });
  const std::string note = sign_note(to_text(checkpoint()), witnessed_log, log_);
  const auto answered = [&](WitnessAnswer answer) {
    const auto asked = ask_witness({.witness = key_, .checkpoint = note, .seen = 4}, tree,
                                   [&](const std::string&) { return answer; });
    EXPECT_FALSE(asked);
    return asked ? Code::io : asked.error().code;
  };
  const std::string moved = note + cosign(note, key_.name, signer_, cosigned_at).insert(0, "\n");
  EXPECT_EQ(answered({.status = 200, .body = moved.substr(note.size())}), Code::denied)
      << "signed over our checkpoint and more";
  EXPECT_EQ(answered({.status = 200, .body = "junk\n"}), Code::denied);
  EXPECT_EQ(answered({.status = 200, .body = ""}), Code::denied);
  EXPECT_EQ(answered({.status = 409}), Code::conflict) << "without a size";
  EXPECT_EQ(answered({.status = 409, .content_type = "text/x.tlog.size", .body = "4\n"}),
            Code::conflict)
      << "the size that it was asked from";
  EXPECT_EQ(answered({.status = 422}), Code::conflict);
  EXPECT_EQ(answered({.status = 404}), Code::denied);
  EXPECT_EQ(answered({.status = 500}), Code::unavailable);
}

}  // namespace
}  // namespace mailwarden::ledger
