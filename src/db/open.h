// Which database a store is in.
//
// What     open_url() opens the store that a URL names: sqlite:PATH, or a PostgreSQL database as
//          libpq writes it, postgresql://USER@HOST/DATABASE. A password belongs into libpq's
//          password file, not into the URL.
// Owns     Nothing.
// Threads  As Database.
// Errors   invalid: no such kind of store, or a setting that it lacks. The rest as Database.
// Limits   OpenOptions.
// Source   PostgreSQL 15, "Connection URIs".
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "db/database.h"

namespace mailwarden::db {

struct OpenOptions {
  bool read_only = false;
  // Holds the store against every other that asks for the same, for as long as it is open. On
  // SQLite nothing is held: its one lock is taken anew by each transaction.
  bool sole_writer = false;
  // How long a statement waits for another's lock before it answers unavailable.
  std::chrono::milliseconds busy_timeout{2000};

  // SQLite alone.
  std::int64_t store_bytes_max = 0;  // 0: no limit but the disk
  std::int64_t cache_bytes = 16 * 1024 * 1024;
  // Whether a thread of its own carries what was committed from the log into the store.
  bool checkpoints_beside = false;
  // Nothing of it has to survive anything: no log, no syncs, and a rollback that leaves ruins.
  bool is_scratch = false;

  // PostgreSQL alone.
  std::chrono::milliseconds statement_timeout{60000};  // then it answers unavailable
};

bool is_postgres(std::string_view url);

// Whether a URL may be one, without looking.
Result<void> check_url(std::string_view url);

Result<std::unique_ptr<Database>> open_url(std::string_view url, const OpenOptions& options = {});

// A store by its URL, and its keys where it has some, which must outlive what is opened.
struct StoreAddress {
  StoreAddress(std::string of, Sealing* keys = nullptr) : url(std::move(of)), sealing(keys) {}

  std::string url;
  Sealing* sealing;
};
Result<std::unique_ptr<Database>> open_with_keys(const StoreAddress& store,
                                                 const OpenOptions& options = {});

}  // namespace mailwarden::db
