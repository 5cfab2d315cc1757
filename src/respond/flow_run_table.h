// Where runs of playbooks and their moves are kept.
//
// What     A run's row is its newest standing; every move has a row of its own, and the ledger
//          entry that commits to it. Beside a run's body stand what finds it again without its
//          keys: why there is a run, the run above all, and when steps with a rate were intended.
// Owns     Tables playbook_run and playbook_move.
// Threads  As the Database passed in.
// Errors   As Database; corrupt where a stored row cannot be read back.
// Limits   RunQuery::limit_max.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/result.h"
#include "db/database.h"
#include "respond/flow_run.h"

namespace mailwarden::respond::flow {

Result<void> store_run(db::Database& database, const Run& run);
// Uses of rates count as long as the longest rate may ask for.
Result<Stored> load_stored(db::Database& database, Timestamp now);

struct RunQuery {
  static constexpr std::int64_t limit_max = 1000;

  std::optional<std::int64_t> number;
  std::optional<std::int64_t> incident;
  std::optional<std::int64_t> before;  // smaller numbers; newest first
  std::int64_t limit = 100;
};
Result<std::vector<Run>> query_runs(db::Database& database, const RunQuery& query);
// The run, the one above all of it, and all that belong to that one.
Result<std::vector<Run>> load_family(db::Database& database, std::int64_t run);

}  // namespace mailwarden::respond::flow
