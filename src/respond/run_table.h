// Where playbook runs and their moves are kept.
//
// What     A run's row is its newest standing; every move has a row of its own, and the ledger
//          entry that commits to it.
// Owns     Tables playbook_run and playbook_move.
// Threads  As the Database passed in.
// Errors   As Database; corrupt where a stored row cannot be read back.
// Limits   RunQuery::limit_max.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "db/database.h"
#include "db/sealing.h"
#include "ledger/ledger.h"
#include "respond/run.h"

namespace mailwarden::respond {

std::span<const db::Migration> migrations();
std::span<const db::PersonalTable> personal_tables();

Result<void> store_run(db::Database& database, const Run& run);
struct MoveRow {
  std::int64_t entry = 0;
  std::int64_t run = 0;
  Timestamp when;
  json::Object record;
};
Result<void> store_move(db::Database& database, const MoveRow& row);

struct Standing {
  std::vector<Run> open;
  std::set<std::pair<std::string, std::int64_t>> started;  // playbook, incident
  std::int64_t last_number = 0;
};
Result<Standing> load_standing(db::Database& database);

struct RunQuery {
  static constexpr std::int64_t limit_max = 1000;

  std::optional<std::int64_t> number;
  std::optional<std::int64_t> incident;
  std::optional<std::int64_t> before;  // smaller numbers; newest first
  std::int64_t limit = 100;
};
Result<std::vector<Run>> query_runs(db::Database& database, const RunQuery& query);
// Of all runs, told by these ledger entries, in order.
Result<std::vector<MoveRow>> load_moves(db::Database& database, const ledger::EntryRange& entries);
Result<std::vector<MoveRow>> load_moves(db::Database& database, std::int64_t run);

}  // namespace mailwarden::respond
