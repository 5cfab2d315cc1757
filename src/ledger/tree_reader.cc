#include "ledger/tree_reader.h"

#include <algorithm>
#include <bit>

namespace mailwarden::ledger {
namespace {

std::unexpected<Error> beyond(std::uint64_t index, std::uint64_t size) {
  return fail(Code::invalid,
              std::to_string(index) + " is beyond a tree of " + std::to_string(size) + " entries");
}

}  // namespace

Result<std::span<const Digest>> TreeReader::hashes(unsigned level, std::uint64_t first,
                                                   std::uint64_t count) {
  const std::pair place{level, first / Tile::width_max};
  auto known = tiles_.find(place);
  if (known == tiles_.end()) {
    const auto tile = tile_at(level, place.second, size_);
    if (!tile) return beyond(first, hashes_at(level, size_));
    auto read = read_(*tile);
    if (!read) return std::unexpected(read.error());
    if (read->size() != tile->width) {
      return fail(Code::corrupt, path_of(*tile) + " has " + std::to_string(read->size()) +
                                     " hashes, not " + std::to_string(tile->width));
    }
    if (tiles_.size() >= tiles_max) tiles_.clear();
    known = tiles_.emplace(place, *std::move(read)).first;
  }
  const std::uint64_t offset = first % Tile::width_max;
  if (offset + count > known->second.size()) return beyond(first + count, hashes_at(level, size_));
  return std::span<const Digest>(known->second).subspan(offset, count);
}

Result<Digest> TreeReader::leaf(std::uint64_t index) {
  const auto found = hashes(0, index, 1);
  if (!found) return std::unexpected(found.error());
  return found->front();
}

Result<Digest> TreeReader::root_of_full(std::uint64_t begin, unsigned bits) {
  const unsigned level = bits / Tile::level_bits;
  const unsigned above = bits % Tile::level_bits;
  const auto found = hashes(level, begin >> (level * Tile::level_bits), std::uint64_t{1} << above);
  if (!found) return std::unexpected(found.error());
  return root_of(*found);
}

Result<Digest> TreeReader::root_of_range(Range range) {
  if (std::has_single_bit(range.size())) {
    return root_of_full(range.begin, static_cast<unsigned>(std::countr_zero(range.size())));
  }
  const std::uint64_t middle = range.begin + split_of(range.size());
  const auto left = root_of_range({range.begin, middle});
  if (!left) return left;
  const auto right = root_of_range({middle, range.end});
  if (!right) return right;
  return node_hash(*left, *right);
}

Result<Digest> TreeReader::root_at(std::uint64_t size) {
  if (size > size_) return beyond(size, size_);
  if (size == 0) return empty_root();
  return root_of_range({0, size});
}

Result<std::vector<Digest>> TreeReader::inclusion_proof(std::uint64_t index) {
  if (index >= size_) return beyond(index, size_);
  std::vector<Digest> proof;
  Range range{0, size_};
  while (range.size() > 1) {
    const std::uint64_t middle = range.begin + split_of(range.size());
    const bool is_left = index < middle;
    const auto other =
        root_of_range(is_left ? Range{middle, range.end} : Range{range.begin, middle});
    if (!other) return std::unexpected(other.error());
    proof.push_back(*other);
    range = is_left ? Range{range.begin, middle} : Range{middle, range.end};
  }
  std::ranges::reverse(proof);
  return proof;
}

Result<void> TreeReader::append_consistency(Range range, std::uint64_t size, bool is_whole,
                                            std::vector<Digest>& proof) {
  const auto add = [&](Range other) -> Result<void> {
    const auto root = root_of_range(other);
    if (!root) return std::unexpected(root.error());
    proof.push_back(*root);
    return {};
  };
  if (size == range.end) return is_whole ? Result<void>() : add(range);
  const std::uint64_t middle = range.begin + split_of(range.size());
  if (size <= middle) {
    auto done = append_consistency({range.begin, middle}, size, is_whole, proof);
    return done ? add({middle, range.end}) : done;
  }
  auto done = append_consistency({middle, range.end}, size, false, proof);
  return done ? add({range.begin, middle}) : done;
}

Result<std::vector<Digest>> TreeReader::consistency_proof(std::uint64_t size) {
  if (size > size_) return beyond(size, size_);
  std::vector<Digest> proof;
  if (size == 0 || size == size_) return proof;
  if (auto done = append_consistency({0, size_}, size, true, proof); !done) {
    return std::unexpected(done.error());
  }
  return proof;
}

}  // namespace mailwarden::ledger
