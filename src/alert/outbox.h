// Alerts that wait for delivery, and what became of them.
//
// What     An alert is stored in the transaction of its cause and stays until its receiver has
//          taken it, has refused it for good, or the time to try is over; every outcome is a row's
//          new state and an entry of the ledger.
// Owns     Table alert.
// Threads  As the Database passed in.
// Errors   As Database; corrupt where a stored row cannot be read back.
// Limits   AlertQuery::limit_max.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "alert/routes.h"
#include "base/result.h"
#include "db/database.h"
#include "db/sealing.h"
#include "ledger/ledger.h"

namespace mailwarden::alert {

std::span<const db::Migration> migrations();
std::span<const db::PersonalTable> personal_tables();

// silenced: nobody is told, and `trouble` says why.
enum class Standing : std::uint8_t { pending, delivered, failed, silenced };
std::string_view to_string(Standing standing);

struct AlertRow {
  std::int64_t entry = 0;  // the ledger's, which says that it is to be sent
  Alert alert;
  Standing standing = Standing::pending;
  std::int64_t tries = 0;
  std::string trouble;  // why the last try failed
  Timestamp settled;    // of the last outcome
};

struct Outcome {
  std::string key;
  Standing standing = Standing::pending;  // pending: tried in vain, and to be tried again
  std::int64_t tries = 0;
  std::string trouble;
};
json::Object to_record(const Outcome& outcome, const std::string& receiver);
json::Object to_json(const AlertRow& row);

Result<void> store_alert(db::Database& database, const AlertRow& row);
// `alert` is the one that it is of, so that nothing has to be read; where it is not known any more
// (null), an encrypted store keeps no trouble.
Result<void> store_outcome(db::Database& database, const Alert* alert, const Outcome& outcome,
                           Timestamp now);

Result<std::vector<AlertRow>> load_pending(db::Database& database);

// The newest one about a checkpoint to that receiver.
Result<std::optional<AlertRow>> last_checkpoint_alert(db::Database& database,
                                                      std::string_view receiver);

struct AlertQuery {
  static constexpr std::int64_t limit_max = 1000;

  std::optional<Standing> standing;
  std::optional<std::int64_t> incident;
  std::optional<std::int64_t> before;  // entries; newest first
  std::int64_t limit = 100;
};
Result<std::vector<AlertRow>> query_alerts(db::Database& database, const AlertQuery& query);
// Decided by these ledger entries, in order.
Result<std::vector<AlertRow>> load_alerts(db::Database& database,
                                          const ledger::EntryRange& entries);

}  // namespace mailwarden::alert
