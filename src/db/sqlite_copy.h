// A copy of a SQLite store beside its file, to try things on.
//
// What     copy_sqlite() takes everything that is committed into FILE.trial, page by page, whatever
//          others write meanwhile. Nobody but the store's own user can read it. It has neither log
//          nor syncs, since it is of use only to who made it, and is removed with the StoreCopy;
//          what a killed process leaves, remove_sqlite_copy() takes away.
// Owns     Nothing.
// Threads  Any, one at a time for a store; whoever makes one holds the store's write lock.
// Errors   full: the folder has less free space than the copy and what is tried on it may need; the
//          sentence says how much that is. The rest as Database.
// Limits   The store's own, in pages_max.
// Source   SQLite 3.40, backup.html.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "db/database.h"

namespace mailwarden::db {

struct SqliteCopyOptions {
  std::string path;             // of the store
  std::int64_t pages = 0;       // that it has
  std::int64_t page_bytes = 0;  // of one
  std::int64_t pages_max = 0;   // that it may have, and the copy as well
  FreeBytes free_bytes;         // asks the system where nothing is given
};

Result<std::unique_ptr<StoreCopy>> copy_sqlite(const SqliteCopyOptions& options);

void remove_sqlite_copy(const std::string& path_of_store);

}  // namespace mailwarden::db
