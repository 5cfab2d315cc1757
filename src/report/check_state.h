// Whether the tables that stand for the present, and those that few entries make, say what the
// ledger says.
//
// What     A StateCheck reads the entries beside a verification and works out what must stand in
//          the tables of state_rows.h, in schema_migration, alert, event_batch, removal and
//          removed_batch, that no event stands outside its batch, and that every checkpoint and
//          cosignature that an entry announces is there. The tables are read behind the last entry,
//          within the same reading transaction.
// Owns     What it has worked out, in a temporary database.
// Threads  One; entries in the order of their numbers.
// Errors   Those of Database; what is wrong is a sentence, or a failure.
// Limits   ledger::failures_max failures a table. Memory does not grow with the store.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "db/database.h"
#include "json/value.h"
#include "ledger/verify.h"
#include "report/expected_rows.h"

namespace mailwarden::report {

class StateCheck {
 public:
  explicit StateCheck(db::Database& database) : database_(database) {}

  // "" where all is well.
  Result<std::string> record(std::int64_t entry, const json::Value& record);
  Result<ledger::Findings> end();

 private:
  Result<void> expect_states(std::int64_t entry, const json::Value& record);
  Result<void> expect_batch(std::int64_t entry, const json::Value& record);
  Result<void> expect_removal(std::int64_t entry, const json::Value& record);
  Result<void> expect_alert(std::int64_t entry, const json::Value& record);
  Result<std::string> check_seal(const json::Value& record);
  bool made_by(std::string_view module, std::int64_t number) const;
  Result<void> check_states(ledger::Findings& into);
  Result<void> check_schema(ledger::Findings& into);
  Result<void> check_events(ledger::Findings& into);

  db::Database& database_;
  std::optional<ExpectedRows> expected_;
  std::int64_t next_ = 0;                   // entry that is read next if none was erased
  std::optional<std::int64_t> events_ = 0;  // numbers given so far; unknown behind an erased entry
  std::optional<json::Array> schema_;
  std::int64_t schema_entry_ = 0;
  std::int64_t loose_alerts_ = 0;  // of which the entry does not tell all
};

}  // namespace mailwarden::report
