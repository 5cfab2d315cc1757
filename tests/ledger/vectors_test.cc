// Inclusion and consistency proofs, right and wrong ones, that were not made with this code.
#include <algorithm>
#include <filesystem>

#include <gtest/gtest.h>

#include "json/base64.h"
#include "json/value.h"
#include "ledger/merkle.h"
#include "ledger/note.h"
#include "ledger/remote.h"
#include "ledger/tile.h"
#include "tests/temporary.h"

namespace mailwarden::ledger {
namespace {

namespace fs = std::filesystem;

class MerkleVectors : public testing::Test {
 protected:
  void SetUp() override {
    if (corpus_folder().empty()) GTEST_SKIP() << "the corpus of Merkle proofs is not there";
    ASSERT_TRUE(unpack_corpus("vectors/merkle-proofs.tar.gz", folder_.path()));
  }

  std::vector<json::Value> cases(const std::string& kind) const {
    std::vector<json::Value> found;
    for (const auto& entry :
         fs::recursive_directory_iterator(folder_.path("testdata") + "/" + kind)) {
      if (entry.path().extension() != ".json") continue;
      auto value = json::parse(read_file(entry.path().string()));
      EXPECT_TRUE(value) << entry.path();
      if (value) found.push_back(*std::move(value));
    }
    return found;
  }

  // A hash of another length is none, and no proof can hold with it.
  static std::optional<Digest> digest(const std::string& base64) {
    const auto bytes = json::from_base64(base64);
    Digest digest{};
    if (!bytes || bytes->size() != digest.size()) return std::nullopt;
    std::transform(bytes->begin(), bytes->end(), digest.begin(),
                   [](char c) { return static_cast<std::byte>(c); });
    return digest;
  }

  static std::optional<std::vector<Digest>> proof(const json::Value& of) {
    std::vector<Digest> found;
    if (of["proof"].as_array() == nullptr) return found;
    for (const json::Value& one : *of["proof"].as_array()) {
      const auto hash = digest(*one.as_string());
      if (!hash) return std::nullopt;
      found.push_back(*hash);
    }
    return found;
  }

  // Some are the greatest numbers of 64 bits, which our JSON does not hold as integers.
  static std::uint64_t number(const json::Value& of, std::string_view name) {
    const auto* const integer = of[name].as_integer();
    return integer == nullptr || *integer < 0 ? UINT64_MAX : static_cast<std::uint64_t>(*integer);
  }

  static bool is_wrong(const json::Value& of) { return of["wantErr"] == json::Value(true); }

  TemporaryFolder folder_;
};

TEST_F(MerkleVectors, InclusionProofsHoldExactlyWhereTheyShould) {
  std::size_t right = 0;
  std::size_t wrong = 0;
  for (const json::Value& one : cases("inclusion")) {
    if (!one["start"].is_null()) continue;  // of a part of the tree, which RFC 6962 does not have
    const auto leaf = digest(one.text("leafHash"));
    const auto root = digest(one.text("root"));
    const auto path = proof(one);
    const bool holds =
        leaf && root && path &&
        verify_inclusion(*leaf, number(one, "leafIdx"), number(one, "treeSize"), *path, *root);
    EXPECT_EQ(holds, !is_wrong(one)) << json::to_text(one);
    ++(is_wrong(one) ? wrong : right);
  }
  EXPECT_GT(right, 3U);
  EXPECT_GT(wrong, 50U);
}

TEST_F(MerkleVectors, ConsistencyProofsHoldExactlyWhereTheyShould) {
  std::size_t right = 0;
  std::size_t wrong = 0;
  for (const json::Value& one : cases("consistency")) {
    if (!one["start"].is_null()) continue;
    const auto old_root = digest(one.text("root1"));
    const auto new_root = digest(one.text("root2"));
    const auto path = proof(one);
    // Roots of any bytes, which are no SHA-256 and which our functions cannot be given.
    if (!is_wrong(one) && (!old_root || !new_root)) continue;
    const bool holds =
        old_root && new_root && path &&
        verify_consistency(number(one, "size1"), number(one, "size2"), *path, *old_root, *new_root);
    EXPECT_EQ(holds, !is_wrong(one)) << json::to_text(one);
    ++(is_wrong(one) ? wrong : right);
  }
  EXPECT_GT(right, 3U);
  EXPECT_GT(wrong, 50U);
}

// A log that Tessera wrote: fifteen entries, and a checkpoint at every size.
class TesseraLog : public testing::Test {
 protected:
  void SetUp() override {
    if (corpus_folder().empty()) GTEST_SKIP() << "Tessera's log is not there";
    ASSERT_TRUE(unpack_corpus("vectors/tessera-log.tar.gz", folder_.path()));
  }

  std::string path(const std::string& name) const { return folder_.path("testdata/log/" + name); }
  Verdict check(std::optional<std::string> from = std::nullopt) const {
    const auto verdict = check_log(folder_log(folder_.path("testdata/log")),
                                   {.key = key(), .from = std::move(from)});
    EXPECT_TRUE(verdict) << verdict.error().what;
    return verdict ? *verdict : Verdict();
  }
  static VerifierKey key() {
    return parse_verifier_key(
               "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx")
        .value();
  }

  TemporaryFolder folder_;
};

TEST_F(TesseraLog, HoldsAtEverySize) {
  EXPECT_TRUE(check().good()) << to_words(check());
  EXPECT_EQ(check().entries, 15);
  for (int size = 0; size <= 15; ++size) {
    const std::string note = read_file(path("checkpoint." + std::to_string(size)));
    EXPECT_TRUE(check(note).good()) << size;
    write_file(path("checkpoint"), note);
    EXPECT_TRUE(check().good()) << size;
    EXPECT_EQ(check().entries, size);
    write_file(path("checkpoint"), read_file(path("checkpoint.15")));
  }
}

TEST_F(TesseraLog, AChangedByteAnywhereIsFound) {
  for (const std::string file : {"checkpoint", "tile/0/000.p/15", "tile/entries/000.p/15"}) {
    const std::string bytes = read_file(path(file));
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      std::string changed = bytes;
      changed[at] ^= 1;
      write_file(path(file), changed);
      EXPECT_FALSE(check().good()) << file << ", byte " << at;
    }
    write_file(path(file), bytes.substr(0, bytes.size() - 1));
    EXPECT_FALSE(check().good()) << file << " cut";
    fs::remove(path(file));
    const auto verdict = check_log(folder_log(folder_.path("testdata/log")), {.key = key()});
    EXPECT_FALSE(verdict && verdict->good()) << file << " removed";
    write_file(path(file), bytes);
  }
  EXPECT_TRUE(check().good());
}

TEST_F(TesseraLog, ALogThatHasShrunkOrForkedIsFound) {
  const std::string newest = read_file(path("checkpoint"));
  write_file(path("checkpoint"), read_file(path("checkpoint.7")));
  const Verdict shrunk = check(newest);
  ASSERT_EQ(shrunk.failures.size(), 1U);
  EXPECT_EQ(shrunk.failures[0].what, "it covers 15 entries, but the log has 7 now");
}

// A log may remove a partial tile once the full one is there, and grow while it is read.
TEST(ServedLog, PartialTilesMayHaveMadePlaceForFullOnes) {
  std::vector<Digest> leaves;
  std::vector<std::string> entries;
  for (int i = 0; i < 256; ++i) {
    entries.push_back(std::to_string(i));
    leaves.push_back(leaf_hash(crypto::as_bytes(entries.back())));
  }
  const crypto::Signer signer = crypto::Signer::from_seed({std::byte{1}});
  const Checkpoint checkpoint{"example.com/log", 100, root_of(std::span(leaves).first(100))};
  std::map<std::string, std::string> parts{
      {"checkpoint", sign_note(to_text(checkpoint), checkpoint.origin, signer)},
      {"tile/0/000", join_hashes(leaves)},
      {"tile/entries/000", join_entries(entries).value()}};
  const auto checked = [&] {
    return check_log(
        [&](const std::string& path) -> Result<std::string> {
          const auto part = parts.find(path);
          if (part == parts.end()) return fail(Code::not_found, path);
          if (part->second == "away") return fail(Code::unavailable, path);
          return part->second;
        },
        {.key = {checkpoint.origin, signer.public_key()}});
  };
  EXPECT_TRUE(checked()->good()) << to_words(*checked());
  EXPECT_EQ(checked()->entries, 100);
  parts["tile/entries/000"] = "away";
  EXPECT_EQ(checked().error().code, Code::unavailable) << "which is no fault of the log";
  parts.erase("tile/entries/000");
  EXPECT_EQ(checked()->failures.size(), 1U);
}

}  // namespace
}  // namespace mailwarden::ledger
