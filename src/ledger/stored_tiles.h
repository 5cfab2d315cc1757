// The tiles of a log out of its store.
//
// What     load_hashes() and load_bundle() read one tile of the tables; stored_tree() is a reader
//          of a tree over them. A bundle holds what leaves are hashes of: commitments, which tell
//          nothing of the records.
// Owns     Nothing.
// Threads  As the Database passed in.
// Errors   Those of Database; not_found where the store has not so many hashes; corrupt where one
//          is damaged. A bundle with an entry of which nothing is left is not_found.
// Limits   None of its own.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "db/database.h"
#include "ledger/tile.h"
#include "ledger/tree_reader.h"

namespace mailwarden::ledger {

Result<std::vector<Digest>> load_hashes(db::Database& database, const Tile& tile);
Result<std::vector<std::string>> load_bundle(db::Database& database, const Tile& tile);

// Of the first `size` entries. The database must outlive it.
TreeReader stored_tree(db::Database& database, std::uint64_t size);

}  // namespace mailwarden::ledger
