// Where grants and their changes are kept.
//
// What     A grant's row is its newest standing; every change has a row of its own, and the ledger
//          entry that commits to it. Neither is ever removed here, so that an auditor sees a grant
//          long after it is over.
// Owns     Tables grants, grant_changes and grant_clock.
// Threads  As the Database passed in.
// Errors   As Database; conflict for a change that has been written already, by whoever; corrupt
//          where a stored row cannot be read back.
// Limits   GrantQuery::limit_max.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "access/grant.h"
#include "access/grant_book.h"
#include "base/result.h"
#include "db/database.h"
#include "db/sealing.h"
#include "ledger/ledger.h"

namespace mailwarden::access {

std::span<const db::Migration> migrations();
std::span<const db::PersonalTable> personal_tables();

struct GrantChangeRow {
  std::int64_t entry = 0;  // of the ledger
  GrantChange change;

  bool operator==(const GrantChangeRow&) const = default;
};

// Writes the change, the grant as it stands behind it, and the time. In the caller's transaction.
Result<void> store_change(db::Database& database, const GrantChangeRow& row);
// The time alone, where it passes without changes: a start behind a clock that was set back knows
// by it how far. Every minute will do.
Result<void> store_time(db::Database& database, const AccessTime& time);

// What a book begins with.
Result<Standing> load_standing(db::Database& database);

Result<Grant> load_grant(db::Database& database, GrantId id);
Result<std::vector<GrantChangeRow>> load_changes(db::Database& database, GrantId id);
// Of all grants, told by these ledger entries, in order.
Result<std::vector<GrantChangeRow>> load_changes(db::Database& database,
                                                 const ledger::EntryRange& entries);

struct GrantQuery {
  static constexpr std::int64_t limit_max = 1000;

  std::optional<std::string> person;
  std::optional<std::string> system;
  std::optional<GrantState> state;
  std::optional<std::int64_t> before;  // smaller numbers; newest first
  std::int64_t limit = 100;
};
Result<std::vector<Grant>> query_grants(db::Database& database, const GrantQuery& query);

}  // namespace mailwarden::access
