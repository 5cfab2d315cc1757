// Where detections are kept.
//
// What     A detection is one row: what is searched for in columns, all of it as canonical JSON.
// Owns     Tables detection and correlation.
// Threads  As the Database passed in.
// Errors   As Database; corrupt where a stored row cannot be read back.
// Limits   Queries answer at most `limit` rows.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "db/database.h"
#include "db/sealing.h"
#include "detect/detection.h"
#include "json/value.h"

namespace mailwarden::detect {

std::span<const db::Migration> migrations();
std::span<const db::PersonalTable> personal_tables();

json::Object to_record(const Detection& detection);
Result<Detection> from_record(const json::Value& record);

struct DetectionRow {
  std::int64_t number = 0;    // from 1, in order
  std::int64_t incident = 0;  // 0: none
  std::int64_t entry = 0;     // the ledger entry that commits to it
  Detection detection;
};

// Out of the column body of the row of that number; not_found where it was erased.
Result<Detection> read_body(db::Database& database, std::int64_t number, std::string_view stored);

Result<void> store_detection(db::Database& database, const DetectionRow& row);
Result<std::int64_t> last_detection_number(db::Database& database);
// Newest first, numbers below `before`.
Result<std::vector<DetectionRow>> load_incident_detections(db::Database& database,
                                                           std::int64_t incident,
                                                           std::int64_t before, std::int64_t limit);
Result<std::vector<DetectionRow>> load_detections(db::Database& database, std::int64_t before,
                                                  std::int64_t limit);
// Those of these numbers.
Result<std::vector<DetectionRow>> load_detections(db::Database& database,
                                                  std::span<const std::int64_t> numbers);
// Those of one rule.
Result<std::vector<DetectionRow>> load_rule_detections(db::Database& database,
                                                       const std::string& rule, std::int64_t before,
                                                       std::int64_t limit);

// The correlator's open windows as they were behind the event of that number; events after it are
// matched again at a start.
struct Snapshot {
  std::int64_t event = 0;
  std::string body;
};
// As whose the windows are sealed: once its key is shredded, no older copy of them can be read.
inline constexpr std::string_view snapshot_subject = "windows of correlations";
Result<void> store_snapshot(db::Database& database, const Snapshot& snapshot);
Result<Snapshot> load_snapshot(db::Database& database);  // event 0 and "" where there is none

}  // namespace mailwarden::detect
