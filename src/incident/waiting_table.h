// Where it is kept which detections wait.
//
// What     A row for each detection that waits, with the rule by which it does. Whom the detection
//          is about stands in its own row alone.
// Owns     Table waiting_detection.
// Threads  As the Database passed in.
// Errors   As Database; corrupt where a stored row cannot be read back.
// Limits   WaitingRoom::detections_max rows.
#pragma once

#include <span>
#include <vector>

#include "base/result.h"
#include "db/database.h"
#include "incident/waiting.h"
#include "json/value.h"

namespace mailwarden::incident {

std::span<const db::Migration> waiting_migrations();

Result<void> store_waiting(db::Database& database, const WaitingRow& row);
Result<void> remove_waiting(db::Database& database, std::int64_t number);
// In the order in which they were taken in.
Result<std::vector<StoredWaiting>> load_waiting(db::Database& database);

// What waits for what, group by group, the fullest first.
Result<json::Array> waiting_groups(db::Database& database);

}  // namespace mailwarden::incident
