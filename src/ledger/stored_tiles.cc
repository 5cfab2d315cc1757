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

// Records are read only where an older version has not kept what is made of them.
Result<std::vector<std::string>> load_bundle(db::Database& database, const Tile& tile) {
  const auto first = static_cast<std::int64_t>(tile.number * Tile::width_max);
  const auto rows = database.query(
      "SELECT number, commitment, CASE WHEN commitment IS NULL THEN salt END,"
      " CASE WHEN commitment IS NULL THEN record END FROM ledger_entry"
      " WHERE number >= $1 AND number < $2 ORDER BY number",
      {first, first + static_cast<std::int64_t>(tile.width)});
  if (!rows) return std::unexpected(rows.error());
  const db::Statement& row = **rows;
  std::vector<std::string> entries;
  while (true) {
    const auto more = (*rows)->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) break;
    const bool is_kept = !row.is_null(1);
    if (!is_kept && row.is_null(3)) {
      return fail(Code::not_found, "entry " + std::to_string(row.integer(0)) +
                                       " was erased before its commitment was kept");
    }
    const Digest made = is_kept ? Digest{} : commitment(row.blob(2), row.text(3));
    const db::Blob data = is_kept ? row.blob(1) : db::Blob(made);
    entries.emplace_back(reinterpret_cast<const char*>(data.data()), data.size());
  }
  if (entries.size() != tile.width) return too_few(tile);
  return entries;
}

TreeReader stored_tree(db::Database& database, std::uint64_t size) {
  return {size, [&database](const Tile& tile) { return load_hashes(database, tile); }};
}

}  // namespace mailwarden::ledger
