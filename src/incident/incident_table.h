// Where incidents and their changes are kept.
//
// What     An incident's row is its newest standing; every change has a row of its own, and the
//          ledger entry that commits to it.
// Owns     Tables incident and incident_change.
// Threads  As the Database passed in.
// Errors   As Database; corrupt where a stored row cannot be read back.
// Limits   IncidentQuery::limit_max.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "db/database.h"
#include "db/sealing.h"
#include "incident/incident.h"
#include "ledger/ledger.h"

namespace mailwarden::incident {

std::span<const db::Migration> migrations();
std::span<const db::PersonalTable> personal_tables();

struct ChangeRow {
  std::int64_t entry = 0;
  Change change;
};

Result<void> store_incident(db::Database& database, const Incident& incident);
Result<void> store_change(db::Database& database, const ChangeRow& row);

Result<std::vector<Incident>> load_open_incidents(db::Database& database);
Result<std::int64_t> last_incident_number(db::Database& database);
Result<Incident> load_incident(db::Database& database, std::int64_t number);
Result<std::vector<ChangeRow>> load_changes(db::Database& database, std::int64_t incident);
// Of all incidents, told by these ledger entries, in order.
Result<std::vector<ChangeRow>> load_changes(db::Database& database,
                                            const ledger::EntryRange& entries);

struct IncidentQuery {
  static constexpr std::int64_t limit_max = 1000;

  std::optional<std::int64_t> before;  // smaller numbers; newest first
  std::optional<Severity> severity;
  std::optional<State> state;
  std::int64_t limit = 100;
};
Result<std::vector<Incident>> query_incidents(db::Database& database, const IncidentQuery& query);
// All of them, the newest first, no more than a page in memory.
Result<void> for_each_incident(db::Database& database,
                               const std::function<void(Incident& incident)>& take);
// The newest others about the same entity, whatever became of them.
Result<std::vector<Incident>> load_similar(db::Database& database, const Incident& to,
                                           std::int64_t limit);

struct IncidentCounts {
  std::int64_t total = 0;
  std::int64_t open = 0;
};
Result<IncidentCounts> count_incidents(db::Database& database);

}  // namespace mailwarden::incident
