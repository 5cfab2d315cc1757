// What the core holds of alerts from outside, silences, groups and storms.
//
// What     The books, and which of their rows are to be written and told to the ledger: rows that
//          change often in one transaction are written once.
// Owns     The books.
// Threads  One, the core's.
// Errors   load(): as Database, and corrupt.
// Limits   Those of the books.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "alert/grouping.h"
#include "alert/signal.h"
#include "alert/silence.h"
#include "alert/storm.h"
#include "app/state_book.h"
#include "base/result.h"
#include "db/database.h"

namespace mailwarden::app {

class AlertBooks {
 public:
  Result<void> load(db::Database& database);

  void touch_signal(std::int64_t number) { fresh_.signals.insert(number); }
  void touch_silence(const std::string& id) { fresh_.silences.insert(id); }
  // What of all this names somebody, as sentences.
  std::vector<std::string> mentions(const std::function<bool(std::string_view)>& names) const;
  // Gathers what the books changed, and tells the state book of it.
  void tell(StateBook& state);
  // The writes of what was told since the last call.
  std::vector<std::function<Result<void>(db::Database&)>> take_writes();

  alert::SignalBook signals;
  alert::SilenceBook silences;
  alert::GroupBook groups;
  alert::StormBook storms;

 private:
  struct Rows {
    std::set<std::int64_t> signals;
    std::set<std::int64_t> groups;
    std::set<std::int64_t> storms;
    std::set<std::string> silences;

    void add(const Rows& others);
  };
  void tell_numbered(
      StateBook& state, std::string_view table, const std::set<std::int64_t>& numbers,
      const std::function<std::function<Result<void>(db::Database&)>(std::int64_t)>& write);
  std::function<Result<void>(db::Database&)> write_signal(std::int64_t number) const;
  std::function<Result<void>(db::Database&)> write_group(std::int64_t number) const;
  std::function<Result<void>(db::Database&)> write_storm(std::int64_t number) const;
  std::function<Result<void>(db::Database&)> write_silence(const std::string& id) const;

  Rows fresh_;    // changed, and not told yet
  Rows waiting_;  // told, and not written yet
};

}  // namespace mailwarden::app
