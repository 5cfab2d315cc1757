// Rows as the ledger's entries would have them, kept aside until the tables are looked at.
//
// What     While entries are read one after the other, put() keeps what each says of a row: the
//          last word on a key counts. check() then goes through a table, in whatever order the
//          database gives its rows, and holds each against what was kept; what is left over is gone
//          from the table.
// Owns     A temporary database, in memory as far as its cache goes and on the disk beyond it.
// Threads  One.
// Errors   Those of Database.
// Limits   ledger::failures_max failures a table.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "db/database.h"
#include "json/value.h"
#include "ledger/verify.h"

namespace mailwarden::report {

class ExpectedRows {
 public:
  static Result<ExpectedRows> open();

  struct Row {
    std::string_view table;
    json::Array key;
    json::Array said;  // null: whatever stands there
    std::int64_t entry = 0;
    // By which others of the table may be found: whose it is, and when.
    std::string part = {};
    std::int64_t at = 0;
  };
  Result<void> put(const Row& row);
  Result<void> remove(std::string_view table, const json::Array& key);
  // The row of that part.
  Result<std::optional<Row>> find(std::string_view table, const std::string& part);

  // What is wrong with a row that is there; called for each of them. `names` are those of the
  // values that it says.
  Result<std::optional<ledger::Failure>> check(std::string_view table, const json::Array& key,
                                               const json::Array& says, std::string_view names);
  Result<bool> has(std::string_view table, const json::Array& key);
  // Of a row that is there and can be read no more.
  Result<void> see(std::string_view table, const json::Array& key);
  // Those that check() and see() were not called for. One whose part has another that is younger by
  // `horizon` may be gone.
  Result<std::vector<ledger::Failure>> missing(std::string_view table,
                                               std::optional<std::int64_t> horizon = {});

 private:
  explicit ExpectedRows(std::unique_ptr<db::Database> scratch) : scratch_(std::move(scratch)) {}

  std::unique_ptr<db::Database> scratch_;
};

// "incident 17", "identity_person ldap / ada".
std::string row_place(std::string_view table, const json::Array& key);

}  // namespace mailwarden::report
