#include "ledger/stored_tiles.h"

#include <algorithm>

#include "ledger/ledger.h"

namespace mailwarden::ledger {
namespace {

std::unexpected<Error> too_few(const Tile& tile) {
  return fail(Code::not_found, "the ledger does not have the whole of " + path_of(tile));
}

}  // namespace

Result<std::vector<Digest>> load_hashes(db::Database& database, const Tile& tile) {
  const auto first = static_cast<std::int64_t>(tile.number * Tile::width_max);
  const std::int64_t end = first + static_cast<std::int64_t>(tile.width);
  const std::int64_t level = tile.level.value_or(0);
  const auto rows = level == 0 ? database.query(
                                     "SELECT number, leaf FROM ledger_entry"
                                     " WHERE number >= $1 AND number < $2 ORDER BY number",
                                     {first, end})
                               : database.query(
                                     "SELECT number, hash FROM ledger_node WHERE level = $3"
                                     " AND number >= $1 AND number < $2 ORDER BY number",
                                     {first, end, level});
  if (!rows) return std::unexpected(rows.error());
  std::vector<Digest> hashes;
  while (true) {
    const auto more = (*rows)->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) break;
    Digest hash{};
    const db::Blob stored = (*rows)->blob(1);
    const bool is_next = (*rows)->integer(0) == first + static_cast<std::int64_t>(hashes.size());
    if (!is_next || stored.size() != hash.size()) {
      return fail(Code::corrupt, "the ledger is damaged in " + path_of(tile));
    }
    std::ranges::copy(stored, hash.begin());
    hashes.push_back(hash);
  }
  if (hashes.size() != tile.width) return too_few(tile);
  return hashes;
}

Result<std::vector<std::string>> load_bundle(db::Database& database, const Tile& tile) {
  const auto rows = load_entries(database, static_cast<std::int64_t>(tile.number * Tile::width_max),
                                 static_cast<std::int64_t>(tile.width));
  if (!rows) return std::unexpected(rows.error());
  if (rows->size() != tile.width) return too_few(tile);
  std::vector<std::string> entries;
  for (const Row& row : *rows) {
    if (row.commitment == Digest{}) {
      return fail(Code::not_found, "entry " + std::to_string(row.number) +
                                       " was erased before its commitment was kept");
    }
    entries.emplace_back(reinterpret_cast<const char*>(row.commitment.data()),
                         row.commitment.size());
  }
  return entries;
}

TreeReader stored_tree(db::Database& database, std::uint64_t size) {
  return {size, [&database](const Tile& tile) { return load_hashes(database, tile); }};
}

}  // namespace mailwarden::ledger
