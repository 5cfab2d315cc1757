#include "ledger/merkle.h"

#include <array>

#include "base/check.h"

namespace mailwarden::ledger {
namespace {

constexpr std::array leaf_prefix{std::byte{0}};
constexpr std::array node_prefix{std::byte{1}};

void append_consistency(std::span<const Digest> leaves, std::uint64_t size, bool whole,
                        std::vector<Digest>& proof) {
  if (size == leaves.size()) {
    if (!whole) proof.push_back(root_of(leaves));
    return;
  }
  const std::uint64_t left = split_of(leaves.size());
  if (size <= left) {
    append_consistency(leaves.first(left), size, whole, proof);
    proof.push_back(root_of(leaves.subspan(left)));
  } else {
    append_consistency(leaves.subspan(left), size - left, false, proof);
    proof.push_back(root_of(leaves.first(left)));
  }
}

}  // namespace

Digest leaf_hash(std::span<const std::byte> data) {
  return crypto::sha256({leaf_prefix, data});
}

Digest node_hash(const Digest& left, const Digest& right) {
  return crypto::sha256({node_prefix, left, right});
}

Digest empty_root() {
  return crypto::sha256(std::string_view());
}

std::vector<Node> Frontier::append(const Digest& leaf) {
  constexpr unsigned node_height = 8;
  std::vector<Node> made;
  Digest hash = leaf;
  unsigned height = 0;
  // Every trailing one of the size is a full subtree that the new leaf completes to a larger one.
  for (std::uint64_t bits = size_; (bits & 1) != 0; bits >>= 1) {
    hash = node_hash(hashes_.back(), hash);
    hashes_.pop_back();
    if (++height % node_height == 0) {
      made.push_back({.level = height / node_height, .number = size_ >> height, .hash = hash});
    }
  }
  hashes_.push_back(hash);
  ++size_;
  return made;
}

Digest Frontier::root() const {
  if (hashes_.empty()) return empty_root();
  Digest root = hashes_.back();
  for (std::size_t i = hashes_.size() - 1; i-- > 0;) root = node_hash(hashes_[i], root);
  return root;
}

Digest root_of(std::span<const Digest> leaves) {
  Frontier frontier;
  for (const Digest& leaf : leaves) frontier.append(leaf);
  return frontier.root();
}

std::vector<Digest> inclusion_proof(std::span<const Digest> leaves, std::uint64_t index) {
  CHECK(index < leaves.size());
  std::vector<Digest> proof;
  while (leaves.size() > 1) {
    const std::uint64_t left = split_of(leaves.size());
    if (index < left) {
      proof.push_back(root_of(leaves.subspan(left)));
      leaves = leaves.first(left);
    } else {
      proof.push_back(root_of(leaves.first(left)));
      leaves = leaves.subspan(left);
      index -= left;
    }
  }
  return {proof.rbegin(), proof.rend()};
}

bool verify_inclusion(const Digest& leaf, std::uint64_t index, std::uint64_t size,
                      std::span<const Digest> proof, const Digest& root) {
  if (index >= size) return false;
  std::uint64_t node = index;
  std::uint64_t last = size - 1;
  Digest hash = leaf;
  for (const Digest& sibling : proof) {
    if (last == 0) return false;
    if ((node & 1) != 0 || node == last) {
      hash = node_hash(sibling, hash);
      while ((node & 1) == 0 && node != 0) {
        node >>= 1;
        last >>= 1;
      }
    } else {
      hash = node_hash(hash, sibling);
    }
    node >>= 1;
    last >>= 1;
  }
  return last == 0 && hash == root;
}

std::vector<Digest> consistency_proof(std::span<const Digest> leaves, std::uint64_t size) {
  CHECK(size > 0 && size <= leaves.size());
  std::vector<Digest> proof;
  append_consistency(leaves, size, true, proof);
  return proof;
}

bool verify_consistency(std::uint64_t old_size, std::uint64_t new_size,
                        std::span<const Digest> proof, const Digest& old_root,
                        const Digest& new_root) {
  if (old_size > new_size) return false;
  if (old_size == new_size) return proof.empty() && old_root == new_root;
  if (old_size == 0) return proof.empty() && old_root == empty_root();
  std::size_t next = 0;
  // A tree whose size is a power of two is itself the first node of the proof.
  const bool complete = std::has_single_bit(old_size);
  if (!complete && proof.empty()) return false;
  const Digest first = complete ? old_root : proof[next++];
  std::uint64_t node = old_size - 1;
  std::uint64_t last = new_size - 1;
  while ((node & 1) != 0) {
    node >>= 1;
    last >>= 1;
  }
  Digest old_hash = first;
  Digest new_hash = first;
  for (; next < proof.size(); ++next) {
    if (last == 0) return false;
    if ((node & 1) != 0 || node == last) {
      old_hash = node_hash(proof[next], old_hash);
      new_hash = node_hash(proof[next], new_hash);
      while ((node & 1) == 0 && node != 0) {
        node >>= 1;
        last >>= 1;
      }
    } else {
      new_hash = node_hash(new_hash, proof[next]);
    }
    node >>= 1;
    last >>= 1;
  }
  return last == 0 && old_hash == old_root && new_hash == new_root;
}

}  // namespace mailwarden::ledger
