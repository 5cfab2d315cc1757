// The Merkle tree of RFC 6962.
//
// What     A Frontier is all that must be known of a tree to let it grow and to say its root: one
//          hash for each set bit of its size. Inclusion and consistency proofs are made from the
//          leaves' hashes and verified from nothing but roots.
// Owns     A Frontier owns its hashes.
// Threads  Values and pure functions.
// Errors   Verification answers false; there is nothing else to say of a wrong proof.
// Limits   2^63 leaves.
// Source   RFC 6962 section 2.1; RFC 9162 section 2.1.3 for verification.
#pragma once

#include <bit>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "crypto/sha256.h"

namespace mailwarden::ledger {

using crypto::Digest;

Digest leaf_hash(std::span<const std::byte> data);
Digest node_hash(const Digest& left, const Digest& right);
Digest empty_root();

// Where a tree of `size` leaves, more than one, is split: the largest power of two below.
inline std::uint64_t split_of(std::uint64_t size) {
  return std::bit_floor(size - 1);
}

// A hash above the leaves, which tiles are made of: the root over 256 of the level below.
struct Node {
  unsigned level = 1;        // the leaves are 0
  std::uint64_t number = 0;  // within the level
  Digest hash{};

  bool operator==(const Node&) const = default;
};

class Frontier {
 public:
  // Takes a leaf's hash, not its data. Answers the nodes that it completes, the lowest first.
  std::vector<Node> append(const Digest& leaf);
  std::uint64_t size() const { return size_; }
  Digest root() const;

 private:
  std::uint64_t size_ = 0;
  std::vector<Digest> hashes_;  // roots of the full subtrees, the largest first
};

// The root over the hashes of leaves; empty_root() over none.
Digest root_of(std::span<const Digest> leaves);

// The path from leaf `index` to the root of the tree of all `leaves`; index < leaves.size().
std::vector<Digest> inclusion_proof(std::span<const Digest> leaves, std::uint64_t index);
bool verify_inclusion(const Digest& leaf, std::uint64_t index, std::uint64_t size,
                      std::span<const Digest> proof, const Digest& root);

// From the tree of the first `size` leaves to that of all; 0 < size <= leaves.size().
std::vector<Digest> consistency_proof(std::span<const Digest> leaves, std::uint64_t size);
bool verify_consistency(std::uint64_t old_size, std::uint64_t new_size,
                        std::span<const Digest> proof, const Digest& old_root,
                        const Digest& new_root);

}  // namespace mailwarden::ledger
