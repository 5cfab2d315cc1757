// What is told to authorities, customers and people about a breach, and the register of breaches.
//
// What     draft_notice() writes a notice out of the record, with the four contents that Article
//          33(3) asks for; what is not known yet stands there as what follows in a later phase.
//          A person reads it, completes it and sends it; the act send_notice keeps its hash.
//          The register has every incident that brought a duty, whether or not it was notified.
// Owns     Nothing.
// Threads  Pure.
// Errors   load_register(): as the Database passed in.
// Limits   None of its own.
// Source   GDPR Article 33(1) to (5) and 34(2).
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "db/database.h"
#include "incident/incident.h"
#include "json/value.h"

namespace mailwarden::incident {

// Plain text, with a line feed behind each line. `measures` are sentences about what was done
// beside the incident's tasks.
std::string draft_notice(const Incident& incident, const DutyRule& duty, const Procedure& procedure,
                         std::span<const std::string> measures, Timestamp now);

// Facts, effects and remedies of a breach, and what became of its duties.
json::Object register_entry(const Incident& incident);
// The newest first.
Result<json::Array> load_register(db::Database& database);

}  // namespace mailwarden::incident
