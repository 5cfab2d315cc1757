// Finding events in a store.
//
// What     Events by whom they name, by when they happened, by the stream they came in, newest
//          arrivals first, a page at a time: whoever wants more asks for those before the last one.
// Owns     Nothing.
// Threads  As the Database passed in.
// Errors   As Database; corrupt where a stored row cannot be read back.
// Limits   EventQuery::limit_max. No question reads the whole table: batches are found by their
//          span of times or by the index of entities, and events by their numbers.
// Source   None.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "db/database.h"
#include "ingest/event_table.h"

namespace mailwarden::ingest {

struct EventQuery {
  static constexpr std::int64_t limit_max = 1000;

  std::optional<std::int64_t> before;  // events with smaller numbers
  std::optional<std::int64_t> stream;
  std::string account;  // who acts, or whose account it is; "" for any
  std::string address;  // where it came from
  std::optional<Timestamp> from;
  std::optional<Timestamp> until;  // not with it
  std::int64_t limit = 100;
};
Result<std::vector<EventRow>> query_events(db::Database& database, const EventQuery& query);

}  // namespace mailwarden::ingest
