// Where signals, silences, groups and storms are kept.
//
// What     A row each for what stands now; what was done with them is in the ledger. Names of rows
//          are numbers and UUIDs, which name nobody; all else is in the body.
// Owns     Tables signal, silence, alert_group and alert_storm.
// Threads  As the Database passed in.
// Errors   As Database; corrupt where a stored row cannot be read back. What was erased is left
//          out.
// Limits   Those of the books.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "alert/grouping.h"
#include "alert/signal.h"
#include "alert/silence.h"
#include "alert/storm.h"
#include "base/result.h"
#include "db/database.h"
#include "db/sealing.h"

namespace mailwarden::alert {

std::span<const db::Migration> signal_migrations();
std::span<const db::PersonalTable> personal_signal_tables();

Result<void> store(db::Database& database, const Signal& signal);
Result<void> store(db::Database& database, const Silence& silence);
Result<void> store(db::Database& database, const Group& group);
Result<void> store(db::Database& database, const Storm& storm);

// "signal", "alert_group", "alert_storm".
Result<void> remove(db::Database& database, std::string_view table, std::int64_t number);
Result<void> remove_silence(db::Database& database, std::string_view id);

struct StoredSignals {
  std::vector<Signal> signals;
  std::vector<Silence> silences;
  std::vector<Group> groups;
  std::vector<Storm> storms;
};
Result<StoredSignals> load_signals(db::Database& database);

}  // namespace mailwarden::alert
