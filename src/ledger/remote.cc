#include "ledger/remote.h"

#include <algorithm>

#include "base/files.h"
#include "ledger/ledger.h"
#include "ledger/tile.h"

namespace mailwarden::ledger {
namespace {

// A bundle of 256 entries of 64 KiB.
constexpr std::size_t part_bytes_max = std::size_t{256} * (64 * 1024 + 2);

// The part of a full tile that a partial one has.
std::string first_of(const std::string& full, const Tile& tile) {
  if (tile.level) return full.substr(0, tile.width * std::tuple_size_v<Digest>);
  const auto entries = split_entries(full, Tile::width_max);
  if (!entries) return full;  // and be told so
  const auto part =
      join_entries({entries->begin(), entries->begin() + static_cast<std::ptrdiff_t>(tile.width)});
  return part ? *part : full;
}

class LogChecker {
 public:
  LogChecker(const FetchPart& fetch, const LogCheck& check)
      : fetch_(fetch), check_(check), keys_{check.key} {
    keys_.insert(keys_.end(), check.more_keys.begin(), check.more_keys.end());
  }

  Result<Verdict> run() {
    const auto note = fetch_("checkpoint");
    if (!note) return std::unexpected(note.error());
    const auto opened = open_checkpoint(*note, keys_);
    verdict_.checkpoints = 1;
    if (!opened) {
      add("the log's checkpoint", opened.error().what);
      return std::move(verdict_);
    }
    const Checkpoint* const newest = &opened->checkpoint;
    open_from(*newest);
    size_ = newest->size;
    for (std::uint64_t number = 0; verdict_.entries < static_cast<std::int64_t>(size_); ++number) {
      if (auto done = check_leaves(number); !done) return std::unexpected(done.error());
      if (!is_whole_) return std::move(verdict_);
    }
    if (auto done = check_last_nodes(); !done) return std::unexpected(done.error());
    if (frontier_.root() != newest->root) {
      add("the log's checkpoint", "its root differs from that of the log's tiles");
    }
    return std::move(verdict_);
  }

 private:
  void add(std::string place, std::string what) {
    if (verdict_.failures.size() >= failures_max) {
      ++verdict_.failures_untold;
    } else {
      verdict_.failures.push_back({.place = std::move(place), .what = std::move(what)});
    }
  }

  void open_from(const Checkpoint& newest) {
    if (!check_.from) return;
    auto opened = open_checkpoint(*check_.from, keys_);
    if (!opened) return add("the checkpoint given", opened.error().what);
    if (opened->checkpoint.size > newest.size) {
      return add("the checkpoint given", "it covers " + std::to_string(opened->checkpoint.size) +
                                             " entries, but the log has " +
                                             std::to_string(newest.size) + " now");
    }
    from_ = std::move(opened->checkpoint);
    check_from();
  }

  void check_from() {
    if (from_ && from_->size == frontier_.size() && from_->root != frontier_.root()) {
      add("the checkpoint given", "its root differs from that of the first " +
                                      std::to_string(from_->size) + " entries of the log");
    }
  }

  // Nothing, told, where it is not there or not what it should be.
  Result<std::optional<std::string>> part(const Tile& tile) {
    auto bytes = fetch_(path_of(tile));
    if (bytes) return std::optional(*std::move(bytes));
    if (bytes.error().code != Code::not_found) return std::unexpected(bytes.error());
    // A partial tile may have made place for the full one.
    if (tile.width < Tile::width_max) {
      const auto full = fetch_(path_of({.level = tile.level, .number = tile.number}));
      if (full) return std::optional(first_of(*full, tile));
      if (full.error().code != Code::not_found) return std::unexpected(full.error());
    }
    add(path_of(tile), "it is missing");
    return std::optional<std::string>();
  }

  Result<void> check_leaves(std::uint64_t number) {
    const Tile tile = *tile_at(0, number, size_);
    const auto bytes = part(tile);
    if (!bytes) return std::unexpected(bytes.error());
    const auto leaves = *bytes ? split_hashes(**bytes, tile.width)
                               : Result<std::vector<Digest>>(fail(Code::not_found, ""));
    if (!leaves) {
      if (*bytes) add(path_of(tile), leaves.error().what);
      is_whole_ = false;
      return {};
    }
    for (const Digest& leaf : *leaves) {
      const std::vector<Node> made = frontier_.append(leaf);
      check_from();
      for (const Node& node : made) {
        if (auto done = keep(node); !done) return done;
      }
    }
    verdict_.entries += static_cast<std::int64_t>(leaves->size());
    if (check_.progress) check_.progress(verdict_.entries);
    return check_.entries ? check_bundle(number, *leaves) : Result<void>();
  }

  Result<void> check_bundle(std::uint64_t number, const std::vector<Digest>& leaves) {
    const Tile tile{.level = std::nullopt, .number = number, .width = leaves.size()};
    const auto bytes = part(tile);
    if (!bytes || !*bytes) return bytes ? Result<void>() : std::unexpected(bytes.error());
    const auto entries = split_entries(**bytes, tile.width);
    if (!entries) {
      add(path_of(tile), entries.error().what);
      return {};
    }
    for (std::size_t i = 0; i < leaves.size(); ++i) {
      if (leaf_hash(crypto::as_bytes((*entries)[i])) == leaves[i]) continue;
      add("entry " + std::to_string(number * Tile::width_max + i),
          "the bundle has another one than the tile of leaves");
    }
    return {};
  }

  // Nodes of a level come in order; a whole tile of them is held against the log's.
  Result<void> keep(const Node& node) {
    if (levels_.size() <= node.level) levels_.resize(node.level + 1);
    std::vector<Digest>& level = levels_[node.level];
    level.push_back(node.hash);
    if (level.size() < Tile::width_max) return {};
    auto done = check_nodes({.level = node.level, .number = node.number / Tile::width_max}, level);
    level.clear();
    return done;
  }

  Result<void> check_nodes(const Tile& tile, const std::vector<Digest>& made) {
    const auto bytes = part(tile);
    if (!bytes) return std::unexpected(bytes.error());
    if (*bytes && **bytes != join_hashes(made)) {
      add(path_of(tile), "its hashes are not those of the tiles below");
    }
    return {};
  }

  Result<void> check_last_nodes() {
    for (unsigned level = 1; level < levels_.size(); ++level) {
      const std::vector<Digest>& made = levels_[level];
      if (made.empty()) continue;
      const Tile tile{.level = level,
                      .number = hashes_at(level, size_) / Tile::width_max,
                      .width = made.size()};
      if (auto done = check_nodes(tile, made); !done) return done;
    }
    return {};
  }

  const FetchPart& fetch_;
  const LogCheck& check_;
  std::vector<VerifierKey> keys_;
  Verdict verdict_;
  std::optional<Checkpoint> from_;
  std::uint64_t size_ = 0;
  bool is_whole_ = true;
  Frontier frontier_;
  std::vector<std::vector<Digest>> levels_;  // nodes of the tile that is being filled
};

}  // namespace

FetchPart folder_log(const std::string& path) {
  return [path](const std::string& part) {
    return read_regular_file(path + "/" + part, part_bytes_max);
  };
}

Result<Verdict> check_log(const FetchPart& fetch, const LogCheck& check) {
  return LogChecker(fetch, check).run();
}

}  // namespace mailwarden::ledger
