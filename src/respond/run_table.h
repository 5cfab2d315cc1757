// The tables of playbooks' runs, and the moves of runs.
//
// What     Every move has a row of its own, and the ledger entry that commits to it; what stands in
//          the rows of runs is for flow_run_table.h.
// Owns     Tables playbook_run and playbook_move.
// Threads  As the Database passed in.
// Errors   As Database; corrupt where a stored row cannot be read back.
// Limits   None of their own.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "db/database.h"
#include "db/sealing.h"
#include "json/value.h"
#include "ledger/ledger.h"

namespace mailwarden::respond {

std::span<const db::Migration> migrations();
std::span<const db::PersonalTable> personal_tables();

struct MoveRow {
  std::int64_t entry = 0;
  std::int64_t run = 0;
  Timestamp when;
  json::Object record;
};
Result<void> store_move(db::Database& database, const MoveRow& row);

// Of all runs, told by these ledger entries, in order.
Result<std::vector<MoveRow>> load_moves(db::Database& database, const ledger::EntryRange& entries);
Result<std::vector<MoveRow>> load_moves(db::Database& database, std::int64_t run);

}  // namespace mailwarden::respond
