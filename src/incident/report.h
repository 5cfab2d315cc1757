// An incident that somebody reports, from inside or outside.
//
// What     A Report is turned into a detection like those of rules, so that it opens an incident at
//          once, whatever the level from which detections do. Reports about the same entity within
//          the grouping window join one incident; one that names none is an incident of its own.
// Owns     Its content.
// Threads  Values; to_detection() is pure.
// Errors   denied: nobody is named. invalid: a fact, a type or an entity that is none.
// Limits   text_bytes_max.
// Source   Claim W14.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/timestamp.h"
#include "detect/detection.h"
#include "incident/procedure.h"
#include "incident/severity.h"

namespace mailwarden::incident {

struct Report {
  static constexpr std::size_t text_bytes_max = std::size_t{64} * 1024;

  std::string title;
  std::string what;                // in full
  std::string type;                // of the procedure; "" for what the facts say
  std::string entity;              // "kind:name"; "" for none
  std::vector<std::string> facts;  // "services=down"
  std::string who;
};

// The rule that reports stand under.
inline constexpr std::string_view report_rule = "report";

Result<detect::Detection> to_detection(const Report& report, const SeverityTable& table,
                                       const Procedure& procedure, Timestamp now);

}  // namespace mailwarden::incident
