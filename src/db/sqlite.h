// SQLite behind db/database.h.
//
// What     open_sqlite() opens or creates a store: WAL, synchronous FULL (a commit is on the disk
//          when it answers), foreign keys, secure_delete. `read_only` opens a store at rest or
//          beside a running daemon and cannot write.
// Owns     The connection.
// Threads  As Database.
// Errors   As Database; open() says which file.
// Limits   OpenOptions.
// Source   SQLite 3.40.
#pragma once

#include <memory>
#include <string>

#include "db/open.h"

namespace mailwarden::db {

// `path` is a file, or ":memory:".
Result<std::unique_ptr<Database>> open_sqlite(const std::string& path,
                                              const OpenOptions& options = {});

}  // namespace mailwarden::db
