// The pieces in which a tree is served, and where each stands.
//
// What     A Tile is a run of at most 256 hashes of one level: level 0 holds leaves, each hash of a
//          level above is the root over a whole tile of the level below. A tile of no level holds
//          entries. path_of() is where it stands below a log's prefix, parse_tile() reads that.
// Owns     Nothing.
// Threads  Values; every function is pure.
// Errors   parse_tile() gives nothing for what is not exactly such a path.
// Limits   Levels below levels_max.
// Source   C2SP tlog-tiles.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/sha256.h"

namespace mailwarden::ledger {

struct Tile {
  static constexpr std::uint64_t width_max = 256;
  static constexpr unsigned level_bits = 8;  // 256 of a level are one of the next
  static constexpr unsigned levels_max = 64;

  std::optional<unsigned> level;  // none of entries
  std::uint64_t number = 0;
  std::uint64_t width = width_max;

  bool operator==(const Tile&) const = default;
};

// "tile/0/x001/x234/067", "tile/entries/000.p/12".
std::string path_of(const Tile& tile);
std::optional<Tile> parse_tile(std::string_view path);

// How many hashes of a level a tree of that size has.
std::uint64_t hashes_at(unsigned level, std::uint64_t size);
// The tile of that place as a tree of that size has it; nothing where it has none.
std::optional<Tile> tile_at(std::optional<unsigned> level, std::uint64_t number,
                            std::uint64_t size);

// Hashes one behind the other. Error{invalid} where the text is not so many.
std::string join_hashes(const std::vector<crypto::Digest>& hashes);
Result<std::vector<crypto::Digest>> split_hashes(std::string_view bytes, std::uint64_t count);

// Entries, each behind its length as 16 bits, the higher first. Error{invalid} where the text is
// not so many.
Result<std::string> join_entries(const std::vector<std::string>& entries);
Result<std::vector<std::string>> split_entries(std::string_view bytes, std::uint64_t count);

}  // namespace mailwarden::ledger
