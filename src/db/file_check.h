// Whether the files of a store are whole.
//
// What     check_files() opens the store once more, to read, and has SQLite look through its file,
//          all of it in one state, whatever others write meanwhile. While that state is held, the
//          write-ahead log cannot begin anew and grows by what is written, so how long it takes is
//          what decides how it is asked. A store of up to thorough_bytes_max is asked with
//          integrity_check, which also looks up each row in each index and so goes to and fro in
//          the file; a larger one with quick_check, which reads each page once: it finds pages that
//          are torn, lost or used twice and rows that are no rows, but not an index that differs
//          from its table. `mailwarden ledger verify` asks for that, however large the store. (Of
//          1.6 GB of events, integrity_check takes 2.3 s and quick_check 0.9 s where the system has
//          the file in memory, and both as long as the disk takes to read it where not.)
//          PostgreSQL looks after its files itself, where it keeps checksums of its pages; whether
//          it does is all that is asked there.
// Owns     Nothing; the connection lives as long as the call.
// Threads  Any. A stop that is requested, from any thread, ends the check at once.
// Errors   unavailable: it was stopped, or there is no connection. The rest as Database. What is
//          found damaged is no error but the answer.
// Limits   findings_max.
// Source   SQLite 3.40, PRAGMA integrity_check, sqlite3_interrupt; PostgreSQL 15, data_checksums.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "db/database.h"

namespace mailwarden::db {

struct FileCheckOptions {
  std::int64_t thorough_bytes_max = std::int64_t{1} << 30;
  // Called when the state is held and nothing was read of it yet.
  std::function<void()> begun;
};

struct FileCheck {
  static constexpr int findings_max = 100;

  std::string way;                  // "integrity_check", "quick_check", "data_checksums"
  std::vector<std::string> damage;  // none: the files are whole
  bool is_unguarded = false;        // nothing was found, since nobody looks
};

Result<FileCheck> check_files(const std::string& url, const FileCheckOptions& options,
                              const std::stop_token& stop);

// What SQLite itself answers to integrity_check or quick_check, without its "ok".
Result<std::vector<std::string>> ask_for_damage(Database& database, const std::string& way);

}  // namespace mailwarden::db
