// What the ledger is told of rows that stand for the present.
//
// What     note() runs a write against a store of its own in memory and keeps the hashes of the
//          rows that come of it; take() makes entries of kind "state" of them. They say what the
//          rows in the store must be from then on (report/state_rows.h), and are made where the
//          change is decided, so that the ledger does not depend on how changes are gathered for
//          writing.
//          What know() tells of is told once as long as it stays the same: a source says again and
//          again where a stream stands.
// Owns     The store in memory, which is empty between two calls, and the hashes not taken yet.
// Threads  One, the core's.
// Errors   open(): those of Database. Elsewhere a store in memory that fails is a bug.
// Limits   record_bytes_soft an entry.
#pragma once

#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/timestamp.h"
#include "db/database.h"
#include "json/value.h"
#include "ledger/ledger.h"
#include "report/state_rows.h"

namespace mailwarden::app {

class StateBook {
 public:
  // An entry that has grown to this is followed by another.
  static constexpr std::size_t record_bytes_soft = 256 * 1024;

  // `sealing` are the keys of the store, if it has some: its rows are named as it stores them.
  static Result<std::unique_ptr<StateBook>> open(std::span<const db::Migration> migrations,
                                                 db::Sealing* sealing, Timestamp now);

  // The rows that `write` leaves in these tables.
  void note(std::initializer_list<std::string_view> tables,
            const std::function<Result<void>(db::Database&)>& write);
  // A stream's row as the store has it already, of which nothing needs to be told until it changes.
  void know(const report::StateRow& row);
  // A row that is gone.
  void note_gone(std::string_view table, std::vector<std::string> key);
  // One as it was read from the store.
  void note(report::StateRow row);

  std::vector<ledger::Entry> take();

 private:
  std::vector<std::string> stored_key(const report::StateTable& table,
                                      std::vector<std::string> key) const;

  StateBook(std::unique_ptr<db::Database> mirror, db::Sealing* sealing)
      : mirror_(std::move(mirror)), sealing_(sealing) {}

  std::unique_ptr<db::Database> mirror_;  // without keys, since nothing of it is ever written
  db::Sealing* sealing_;
  struct Said {
    json::Value hash;       // null where the row is gone
    std::string open_hash;  // "" where nothing of it can be erased
  };
  // The last word on each row.
  std::map<std::string_view, std::map<std::vector<std::string>, Said>> rows_;
  std::map<std::vector<std::string>, std::string> known_;  // hashes of what know() was told of
};

}  // namespace mailwarden::app
