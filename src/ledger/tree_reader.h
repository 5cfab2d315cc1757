// A tree that is read in tiles, from wherever it stands.
//
// What     A TreeReader gives roots and proofs of a tree of a certain size, reading a few tiles for
//          each. What it gives is as true as the tiles: hold a proof against a signed checkpoint.
// Owns     The tiles that it has read.
// Threads  One.
// Errors   Those of the function that reads; invalid for places beyond the tree.
// Limits   tiles_max tiles are remembered.
// Source   RFC 6962, section 2.1; C2SP tlog-tiles.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "base/result.h"
#include "ledger/merkle.h"
#include "ledger/tile.h"

namespace mailwarden::ledger {

class TreeReader {
 public:
  static constexpr std::size_t tiles_max = 1024;

  // The hashes of a tile of hashes, as many as it is wide.
  using ReadTile = std::function<Result<std::vector<Digest>>(const Tile& tile)>;

  TreeReader(std::uint64_t size, ReadTile read) : size_(size), read_(std::move(read)) {}

  std::uint64_t size() const { return size_; }
  Result<Digest> leaf(std::uint64_t index);
  // Of the first `size` leaves.
  Result<Digest> root_at(std::uint64_t size);
  Result<Digest> root() { return root_at(size_); }
  Result<std::vector<Digest>> inclusion_proof(std::uint64_t index);
  // From a tree of `size` leaves to this one; empty where `size` is 0 or all.
  Result<std::vector<Digest>> consistency_proof(std::uint64_t size);

 private:
  struct Range {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;

    std::uint64_t size() const { return end - begin; }
  };

  Result<Digest> root_of_range(Range range);
  // A run of 2^bits leaves that begins at a multiple of that.
  Result<Digest> root_of_full(std::uint64_t begin, unsigned bits);
  Result<std::span<const Digest>> hashes(unsigned level, std::uint64_t first, std::uint64_t count);
  Result<void> append_consistency(Range range, std::uint64_t size, bool is_whole,
                                  std::vector<Digest>& proof);

  std::uint64_t size_;
  ReadTile read_;
  std::map<std::pair<unsigned, std::uint64_t>, std::vector<Digest>> tiles_;
};

}  // namespace mailwarden::ledger
