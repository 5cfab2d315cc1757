// Whether the tables beside the ledger say what the ledger says.
//
// What     Decisions, detections, changes of incidents and grants, and moves of playbooks have rows
//          of their own, which people search and reports count. A RowCheck goes through them beside
//          the entries: each row must be of an entry of its kind and say what that says, and each
//          such entry must have its row.
// Owns     A statement for each table.
// Threads  One; entries in the order of their numbers.
// Errors   Those of Database; what is wrong is a sentence, or a failure.
// Limits   None of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "db/database.h"
#include "json/value.h"
#include "ledger/verify.h"

namespace mailwarden::report {

class RowCheck {
 public:
  explicit RowCheck(db::Database& database);
  RowCheck(const RowCheck&) = delete;
  RowCheck& operator=(const RowCheck&) = delete;
  ~RowCheck();

  // "" where all is well.
  Result<std::string> record(std::int64_t entry, const json::Value& record);
  // Rows that are of no entry.
  Result<ledger::Findings> end();

 private:
  struct Cursor;

  Result<void> open();
  Result<void> step(Cursor& cursor);
  Result<void> run_out(Cursor& cursor, std::int64_t before);
  Result<void> add_stray(Cursor& cursor);
  Result<std::string> compare(const Cursor& cursor, const json::Value& record);

  db::Database& database_;
  std::vector<Cursor> cursors_;
  ledger::Findings found_;
};

// Everything that can be held against the entries of one verification: events, and rows. What
// others write meanwhile must not be seen (db::Database::begin_reading).
struct Checks {
  std::function<Result<std::string>(std::int64_t entry, const json::Value& record)> record;
  std::function<Result<ledger::Findings>()> end;
};
Checks all_checks(db::Database& database);
// Those that need no keys, for a store that has some.
Checks closed_checks(db::Database& database);

}  // namespace mailwarden::report
