// SQLite behind db/database.h.
//
// What     open_sqlite() opens or creates a store: WAL, synchronous FULL (a commit is on the disk
//          when it answers), foreign keys, secure_delete. `read_only` opens a store at rest or
//          beside a running daemon and cannot write.
// Owns     The connection.
// Threads  As Database.
// Errors   As Database; open() says which file.
// Limits   Options.
// Source   SQLite 3.40.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "db/database.h"

namespace mailwarden::db {

struct SqliteOptions {
  bool read_only = false;
  // How long a statement waits for another process's lock before it answers unavailable.
  std::chrono::milliseconds busy_timeout{2000};
  std::int64_t store_bytes_max = 0;  // 0: no limit but the disk
  std::int64_t cache_bytes = 16 * 1024 * 1024;
  // Whether a thread of its own carries what was committed from the log into the store.
  bool checkpoints_beside = false;
};

// `path` is a file, or ":memory:".
Result<std::unique_ptr<Database>> open_sqlite(const std::string& path,
                                              const SqliteOptions& options = {});

// "sqlite:PATH"; anything else is Error{invalid} naming what is accepted.
Result<std::unique_ptr<Database>> open_url(std::string_view url, const SqliteOptions& options = {});

}  // namespace mailwarden::db
