// Whether the index of accounts and addresses is that of the events.
//
// What     Goes through the events and the runs of the index (ingest/event_entities.h) side by side
//          and makes each run anew. A run that lacks an event, names one that does not name the
//          entity, or is damaged is a failure.
// Owns     Nothing.
// Threads  As the Database passed in.
// Errors   Those of Database; what is wrong is in the Findings.
// Limits   Holds one run at a time; ledger::failures_max failures.
// Source   None.
#pragma once

#include "base/result.h"
#include "db/database.h"
#include "ledger/verify.h"

namespace mailwarden::report {

// Within a reading transaction. `complete`: a daemon has made the index for what older versions had
// stored, so that every batch must be in it.
Result<ledger::Findings> check_entities(db::Database& database, bool complete);

}  // namespace mailwarden::report
