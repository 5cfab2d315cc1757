// How long it takes: to detect, acknowledge, contain and resolve, by month and severity.
//
// What     figures_of() puts incidents together by the month (UTC) in which they were opened and by
//          their severity. Detecting is counted from the first event to the opening, acknowledging
//          from when the incident got its severity, containing and resolving from the opening. What
//          has not come to pass is not counted. Dismissed and merged ones are left out.
// Owns     Its content.
// Threads  figures_of() is pure.
// Errors   As the Database passed in.
// Limits   None of its own: a row for each month and severity.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "db/database.h"
#include "incident/incident.h"
#include "json/value.h"

namespace mailwarden::incident {

struct Times {
  std::int64_t count = 0;
  Duration median{};
  Duration percentile_90{};  // the nearest rank
  Duration longest{};

  bool operator==(const Times&) const = default;
};

struct FigureRow {
  std::string month;  // "2026-11"
  Severity severity = Severity::low;
  std::int64_t incidents = 0;
  std::int64_t missed = 0;  // that missed a deadline or a duty
  Times detect;
  Times acknowledge;
  Times contain;
  Times resolve;
};

// By month, the newest first, then by severity, the gravest first.
std::vector<FigureRow> figures_of(std::span<const Incident> incidents);
json::Object to_json(const FigureRow& row);

// All that were opened from `from` to `until`.
Result<std::vector<FigureRow>> load_figures(db::Database& database, Timestamp from,
                                            Timestamp until);

}  // namespace mailwarden::incident
