// The tree against Certificate Transparency's published roots, and its proofs against every tree of
// up to so many leaves.
#include "ledger/merkle.h"

#include <gtest/gtest.h>

#include "tests/crypto/hex.h"

namespace mailwarden::ledger {
namespace {

constexpr std::size_t leaves_max = 40;

// Eight leaves and the roots over the first n of them, as the reference implementation has them.
const std::vector<std::string> published_leaves{"",
                                                "00",
                                                "10",
                                                "2021",
                                                "3031",
                                                "40414243",
                                                "5051525354555657",
                                                "606162636465666768696a6b6c6d6e6f"};
const std::vector<std::string> published_roots{
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};

std::vector<Digest> some_leaves(std::size_t count) {
  std::vector<Digest> leaves;
  for (std::size_t i = 0; i < count; ++i) {
    leaves.push_back(leaf_hash(crypto::as_bytes("leaf " + std::to_string(i))));
  }
  return leaves;
}

Digest flipped(Digest digest, std::size_t bit) {
  digest[bit / 8 % digest.size()] ^= std::byte(1U << bit % 8);
  return digest;
}

TEST(Merkle, RootsAreThoseThatArePublished) {
  std::vector<Digest> leaves;
  Frontier frontier;
  EXPECT_EQ(crypto::to_hex(empty_root()), published_roots[0]);
  EXPECT_EQ(crypto::to_hex(frontier.root()), published_roots[0]);
  for (std::size_t i = 0; i < published_leaves.size(); ++i) {
    const std::string data = crypto::from_hex(published_leaves[i]);
    leaves.push_back(leaf_hash(crypto::as_bytes(data)));
    frontier.append(leaves.back());
    EXPECT_EQ(crypto::to_hex(root_of(leaves)), published_roots[i + 1]);
    EXPECT_EQ(crypto::to_hex(frontier.root()), published_roots[i + 1]);
  }
}

TEST(Merkle, AFrontierGrowsAsTheWholeTreeDoes) {
  const auto leaves = some_leaves(200);
  Frontier frontier;
  for (std::size_t size = 0; size < leaves.size(); ++size) {
    ASSERT_EQ(frontier.root(), root_of(std::span(leaves).first(size))) << size;
    ASSERT_EQ(frontier.size(), size);
    frontier.append(leaves[size]);
  }
}

TEST(Merkle, EveryInclusionProofHoldsAndNoOtherDoes) {
  for (std::size_t size = 1; size <= leaves_max; ++size) {
    const auto leaves = some_leaves(size);
    const Digest root = root_of(leaves);
    for (std::size_t index = 0; index < size; ++index) {
      const auto proof = inclusion_proof(leaves, index);
      ASSERT_TRUE(verify_inclusion(leaves[index], index, size, proof, root))
          << index << " " << size;
      ASSERT_FALSE(verify_inclusion(flipped(leaves[index], index), index, size, proof, root));
      ASSERT_FALSE(verify_inclusion(leaves[index], index, size, proof, flipped(root, index)));
      ASSERT_FALSE(verify_inclusion(leaves[index], size, size, proof, root));
      if (size > 1) {
        ASSERT_FALSE(verify_inclusion(leaves[index], (index + 1) % size, size, proof, root));
        auto spoilt = proof;
        spoilt.back() = flipped(spoilt.back(), index);
        ASSERT_FALSE(verify_inclusion(leaves[index], index, size, spoilt, root));
        spoilt = proof;
        spoilt.pop_back();
        ASSERT_FALSE(verify_inclusion(leaves[index], index, size, spoilt, root));
      }
      auto longer = proof;
      longer.push_back(root);
      ASSERT_FALSE(verify_inclusion(leaves[index], index, size, longer, root));
    }
  }
}

TEST(Merkle, EveryConsistencyProofHoldsAndNoOtherDoes) {
  for (std::size_t size = 1; size <= leaves_max; ++size) {
    const auto leaves = some_leaves(size);
    const Digest root = root_of(leaves);
    for (std::size_t old = 1; old <= size; ++old) {
      const Digest old_root = root_of(std::span(leaves).first(old));
      const auto proof = consistency_proof(leaves, old);
      ASSERT_TRUE(verify_consistency(old, size, proof, old_root, root)) << old << " " << size;
      ASSERT_FALSE(verify_consistency(old, size, proof, flipped(old_root, old), root));
      ASSERT_FALSE(verify_consistency(old, size, proof, old_root, flipped(root, old)));
      if (!proof.empty()) {
        auto spoilt = proof;
        spoilt[old % spoilt.size()] = flipped(spoilt[old % spoilt.size()], old);
        ASSERT_FALSE(verify_consistency(old, size, spoilt, old_root, root));
        ASSERT_FALSE(verify_consistency(old, size, std::span(proof).subspan(1), old_root, root));
      }
      auto longer = proof;
      longer.push_back(root);
      ASSERT_FALSE(verify_consistency(old, size, longer, old_root, root));
    }
  }
}

}  // namespace
}  // namespace mailwarden::ledger
