// What auditors get.
//
// What     A report is built out of the tables as JSON, and rendered from that JSON as one HTML
//          file that needs nothing else: what a machine reads and what a person reads cannot
//          differ. Each carries the verdict over the ledger and, as "rests_on", the checkpoint, its
//          period and entries, every question that it asked of the store, the SHA-256 of each row
//          set that answered, and the proof that its entries stand in the log of the checkpoint:
//          - audit: what happened, who acted, every incident and change, the ledger's state;
//          - retention: what is stored, what was due, what was removed, what is held and why.
// Owns     Nothing.
// Threads  As the Database passed in.
// Errors   As Database; not_found where the ledger has no checkpoint yet.
// Limits   ReportOptions::rows_max rows of each kind; what is left out is said. A report of more
//          than proven_max entries holds no proof of them.
// Source   Claims W4, W8, W13; evidence asked for by SOC 2 CC7.2 to CC7.5 and C1.2.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/timestamp.h"
#include "db/database.h"
#include "json/value.h"
#include "ledger/ledger.h"
#include "ledger/note.h"
#include "ledger/verify.h"
#include "privacy/retention_policy.h"
#include "report/row_set.h"

namespace mailwarden::report {

inline constexpr std::int64_t proven_max = 200'000;

// Times for a reader; what is told is told by these ledger entries, so that a clock that jumped
// hides nothing and the entries of one report begin where those of the last ended.
struct Period {
  Timestamp from;
  Timestamp to;
  ledger::EntryRange entries;
};
Result<Period> period_between(db::Database& database, Timestamp from, Timestamp to);

// What a report rests on: the newest checkpoint, and the verdict over the ledger up to it.
struct Footing {
  std::string checkpoint;
  std::int64_t size = 0;  // entries that it covers; no report tells of more
  ledger::Verdict verdict;
};

struct ReportOptions {
  ledger::VerifierKey key;
  std::int64_t rows_max = 10'000;
  // As ledger::VerifyOptions has them; for one verification.
  std::function<Result<std::string>(std::int64_t, const json::Value&)> check_record;
  std::function<Result<ledger::Findings>()> check_end;
  std::function<void(const RowSet& rows)> keep;  // told each row set that was asked for
  std::optional<Footing> footing;  // where it is known already, since finding it reads every event
};

Result<Footing> find_footing(db::Database& database, const ReportOptions& options);

Result<json::Object> build_audit(db::Database& database, const Period& period,
                                 const ReportOptions& options);
Result<json::Object> build_retention(db::Database& database, const Period& period,
                                     std::span<const privacy::RetentionPolicy> policies,
                                     const ReportOptions& options);

// Either of them.
std::string render_html(const json::Value& report);

// Whether the events that a ledger entry of kind "events" commits to are those in the store, or
// were removed by an entry of kind "removal"; "" where all is well. Without keys (`is_closed`) of a
// store that has some, what its events say is not looked at.
Result<std::string> check_events(db::Database& database, std::int64_t entry,
                                 const json::Value& record, bool is_closed);

}  // namespace mailwarden::report
