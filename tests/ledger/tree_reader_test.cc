// Proofs read in tiles, beside those made of all leaves at once.
#include "ledger/tree_reader.h"

#include <random>

#include <gtest/gtest.h>

#include "ledger/ledger.h"

namespace mailwarden::ledger {
namespace {

// A tree in memory, its tiles above the leaves made of what a Frontier answers.
class MemoryTree {
 public:
  explicit MemoryTree(std::uint64_t size) {
    Frontier frontier;
    for (std::uint64_t i = 0; i < size; ++i) {
      leaves_.push_back(leaf_hash(crypto::as_bytes(std::to_string(i))));
      for (const Node& node : frontier.append(leaves_.back())) {
        nodes_[node.level].push_back(node.hash);
        EXPECT_EQ(node.number + 1, nodes_[node.level].size());
      }
    }
  }

  std::span<const Digest> leaves(std::uint64_t size) const {
    return std::span(leaves_).first(size);
  }
  TreeReader reader(std::uint64_t size) {
    return {size, [this](const Tile& tile) -> Result<std::vector<Digest>> {
              ++reads_;
              const auto& all = *tile.level == 0 ? leaves_ : nodes_[*tile.level];
              const auto first = all.begin() + static_cast<std::ptrdiff_t>(tile.number * 256);
              return std::vector<Digest>(first, first + static_cast<std::ptrdiff_t>(tile.width));
            }};
  }
  int reads() const { return reads_; }

 private:
  std::vector<Digest> leaves_;
  std::map<unsigned, std::vector<Digest>> nodes_;
  int reads_ = 0;
};

TEST(TreeReader, SmallTreesInFull) {
  MemoryTree tree(70);
  for (std::uint64_t size = 0; size <= 70; ++size) {
    TreeReader reader = tree.reader(size);
    EXPECT_EQ(reader.root(), root_of(tree.leaves(size)));
    for (std::uint64_t index = 0; index < size; ++index) {
      EXPECT_EQ(reader.inclusion_proof(index), inclusion_proof(tree.leaves(size), index));
      EXPECT_EQ(reader.leaf(index), tree.leaves(size)[index]);
    }
    for (std::uint64_t old = 1; old < size; ++old) {
      EXPECT_EQ(reader.consistency_proof(old), consistency_proof(tree.leaves(size), old));
    }
    EXPECT_FALSE(reader.inclusion_proof(size));
    EXPECT_FALSE(reader.consistency_proof(size + 1));
    EXPECT_FALSE(reader.root_at(size + 1));
  }
}

TEST(TreeReader, LargeTreesAtTheirEdges) {
  MemoryTree tree(140'000);
  std::mt19937_64 random(7);
  std::vector<std::uint64_t> sizes{255,    256,    257,     511,     512,    65'535,
                                   65'536, 65'537, 131'072, 139'999, 140'000};
  for (int i = 0; i < 20; ++i) sizes.push_back(1 + random() % 140'000);
  std::map<std::uint64_t, Digest> roots;
  for (const std::uint64_t size : sizes) roots[size] = root_of(tree.leaves(size));
  for (const auto& [size, root] : roots) {
    TreeReader reader = tree.reader(size);
    EXPECT_EQ(reader.root(), root) << size;
    for (const std::uint64_t index : {std::uint64_t{0}, size / 2, size - 1, random() % size}) {
      const auto proof = reader.inclusion_proof(index);
      ASSERT_TRUE(proof) << proof.error().what;
      EXPECT_TRUE(verify_inclusion(tree.leaves(size)[index], index, size, *proof, root));
    }
    for (const auto& [old, old_root] : roots) {
      if (old > size) continue;
      const auto proof = reader.consistency_proof(old);
      ASSERT_TRUE(proof) << proof.error().what;
      EXPECT_TRUE(verify_consistency(old, size, *proof, old_root, root));
      EXPECT_EQ(reader.root_at(old), old_root);
    }
  }
}

TEST(TreeReader, AProofNeedsAFewTiles) {
  MemoryTree tree(140'000);
  TreeReader reader = tree.reader(140'000);
  ASSERT_TRUE(reader.inclusion_proof(77'777));
  EXPECT_LE(tree.reads(), 6);
}

TEST(TreeReader, WhatCannotBeReadIsTold) {
  TreeReader none(
      10, [](const Tile&) -> Result<std::vector<Digest>> { return fail(Code::unavailable, "no"); });
  EXPECT_EQ(none.root().error().code, Code::unavailable);
  EXPECT_EQ(none.inclusion_proof(3).error().code, Code::unavailable);
  TreeReader few(10,
                 [](const Tile&) -> Result<std::vector<Digest>> { return std::vector<Digest>(9); });
  EXPECT_EQ(few.root().error().code, Code::corrupt);
}

}  // namespace
}  // namespace mailwarden::ledger
