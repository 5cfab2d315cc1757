#include "ledger/span.h"

#include <gtest/gtest.h>

#include "ledger/tile.h"

namespace mailwarden::ledger {
namespace {

std::vector<Digest> leaves_of(std::uint64_t size) {
  std::vector<Digest> leaves;
  for (std::uint64_t i = 0; i < size; ++i) {
    leaves.push_back(leaf_hash(crypto::as_bytes(std::to_string(i))));
  }
  return leaves;
}

// A tree so small that its lowest tile is all of it.
TreeReader tree_of(const std::vector<Digest>& leaves) {
  return {leaves.size(), [&leaves](const Tile&) { return Result<std::vector<Digest>>(leaves); }};
}

TEST(Span, EveryRunOfEveryTreeLeadsToTheRoot) {
  for (std::uint64_t size = 1; size <= 34; ++size) {
    const auto leaves = leaves_of(size);
    TreeReader tree = tree_of(leaves);
    for (std::uint64_t first = 0; first < size; ++first) {
      for (std::uint64_t end = first + 1; end <= size; ++end) {
        const auto around = span_proof(tree, first, end);
        ASSERT_TRUE(around) << around.error().what;
        const auto run = std::span(leaves).subspan(first, end - first);
        EXPECT_EQ(span_root(size, first, run, *around), root_of(leaves))
            << size << " " << first << " " << end;
      }
    }
  }
}

TEST(Span, AnythingElseDoesNot) {
  const auto leaves = leaves_of(21);
  TreeReader tree = tree_of(leaves);
  const auto around = span_proof(tree, 5, 13).value();
  const auto run = std::span(leaves).subspan(5, 8);
  const auto root = root_of(leaves);
  EXPECT_NE(span_root(21, 5, std::span(leaves).subspan(4, 8), around), root);
  EXPECT_NE(span_root(21, 4, run, around), root);
  EXPECT_NE(span_root(40, 5, run, around), root);
  for (std::size_t i = 0; i < around.size(); ++i) {
    auto spoilt = around;
    spoilt[i][7] ^= std::byte{1};
    EXPECT_NE(span_root(21, 5, run, spoilt), root);
    spoilt = around;
    spoilt.erase(spoilt.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_FALSE(span_root(21, 5, run, spoilt));
  }
  auto more = around;
  more.push_back(root);
  EXPECT_FALSE(span_root(21, 5, run, more));
  EXPECT_FALSE(span_root(21, 5, {}, around));
  EXPECT_FALSE(span_root(21, 14, run, around));
}

}  // namespace
}  // namespace mailwarden::ledger
