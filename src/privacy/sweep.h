// Removing events whose time has come.
//
// What     plan_sweep() looks at what is stored and says, for each policy and source, which batches
//          are due, which of them are held and why; it changes nothing, and its answer is also the
//          dry run. remove_batches() deletes the events of due batches that are not held. A batch
//          is the unit: it is due when its newest event is, and a batch spans few hundred events of
//          one stream. What proves that it was there (its ledger entry) stays.
// Owns     Nothing.
// Threads  As the Database passed in.
// Errors   As Database. plan_sweep() answers conflict where the clock cannot be trusted: it runs
//          more than `idle_max` ahead of the ledger's newest entry, and a wrong clock would empty
//          the store.
// Limits   SweepOptions.
// Source   CLAIMS W8.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/timestamp.h"
#include "db/database.h"
#include "json/value.h"
#include "ledger/ledger.h"
#include "privacy/retention_policy.h"

namespace mailwarden::privacy {

std::span<const db::Migration> migrations();

struct SweepOptions {
  // A person who has looked at the clock may lift this.
  std::optional<Duration> idle_max = std::chrono::hours(24 * 30);
  std::size_t batches_max = 4096;  // batches that one plan removes; the next plan goes on
};

// Due batches of one source, or those of them that are held for one reason.
struct DueBatches {
  std::string category;
  std::string source;
  Timestamp cutoff;                   // events before this are due
  std::vector<std::int64_t> entries;  // ledger entries of the batches, in order
  std::int64_t events = 0;
  Timestamp earliest;
  Timestamp latest;
  std::string held_because;  // empty: to be removed
};

struct Sweep {
  Timestamp now;
  std::vector<DueBatches> due;
  // Sources with events that no policy takes: kept for ever, which somebody should know.
  std::vector<std::string> without_policy;
  bool complete = true;  // false: more is due than batches_max
};

Result<Sweep> plan_sweep(db::Database& database, std::span<const RetentionPolicy> policies,
                         Timestamp now, const SweepOptions& options = {});

// Deletes the events of `due`, and keeps that ledger entry `entry` tells of it. Doing it again
// changes nothing. denied where they are held.
Result<void> remove_batches(db::Database& database, const DueBatches& due, std::int64_t entry,
                            Timestamp now);

// What was removed.
struct Removal {
  std::int64_t entry = 0;
  Timestamp when;
  std::string category;
  std::string source;
  std::int64_t events = 0;
  Timestamp earliest;
  Timestamp latest;
};
// By these ledger entries, newest first.
Result<std::vector<Removal>> load_removals(db::Database& database,
                                           const ledger::EntryRange& entries = {});

// What is stored now of each source, by name.
struct Stored {
  std::string source;
  std::int64_t events = 0;
  Timestamp earliest;
  Timestamp latest;
  Timestamp oldest_batch;  // the newest event of the batch that is due first
};
Result<std::vector<Stored>> load_stored(db::Database& database);

// The ledger entry that removed the batch of ledger entry `batch`; nothing where it was not
// removed.
Result<std::optional<std::int64_t>> removed_by(db::Database& database, std::int64_t batch);

json::Object to_record(const DueBatches& due, Timestamp now);
// What is due and what is held, for machines: {"complete","due":[…],"held":[…],"without_policy"}.
json::Object to_json(const Sweep& sweep);

}  // namespace mailwarden::privacy
