// Where events and the states of their streams are kept.
//
// What     An event is one row: its canonical JSON, a salt, and where it stood. Events are written
//          in batches of one stream; the ledger's leaf of kind "events" holds the Merkle root over
//          the salted commitments of a batch, so one event proves in two steps, and the batch's row
//          keeps the span of times in it, which serves as a coarse index over time.
// Owns     Tables event, event_batch and stream; steps of event_entity (event_entities.h).
// Threads  As the Database passed in.
// Errors   As Database; corrupt where a stored row cannot be read back.
// Limits   None of its own.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/salted.h"
#include "db/database.h"
#include "db/sealing.h"
#include "event/event.h"
#include "ingest/event_entities.h"
#include "ingest/source.h"

namespace mailwarden::ingest {

std::span<const db::Migration> migrations();

using Salt = crypto::Salt;

// What is personal of an event: its record, sealed together with its salt. The column of the salt
// then holds what commits to both, so that the other events of a batch keep their proofs when one
// is erased.
const db::PersonalTable& personal_events();

struct EventRow {
  std::int64_t number = 0;  // order of arrival in this store, from 1
  EventId id;
  Timestamp time;
  Salt salt{};
  std::string record;                  // canonical JSON
  std::optional<crypto::Digest> kept;  // what commits to a sealed one, as its row has it
  bool erased = false;                 // a key of it was shredded: salt and record are lost
};

// SHA-256(salt ‖ record), of an erased event too.
crypto::Digest commitment_of(const EventRow& event);

// Events of one batch that are to be stored. Their records stand one behind the other in one text,
// so that a batch costs one allocation and not one for each event.
struct NewEvents {
  struct One {
    EventId id;
    Timestamp time;
    std::size_t end = 0;  // of its record in `records`
  };

  std::vector<One> rows;
  std::vector<Salt> salts;
  std::string records;
  std::vector<EntityPlace> entities;  // whom they name

  std::int64_t count() const { return static_cast<std::int64_t>(rows.size()); }
  std::string_view record(std::size_t index) const {
    const std::size_t begin = index == 0 ? 0 : rows[index - 1].end;
    return std::string_view(records).substr(begin, rows[index].end - begin);
  }
};

struct EventBatchRow {
  std::int64_t entry = 0;  // number of the ledger entry that commits to it
  std::int64_t stream = 0;
  std::int64_t first = 0;  // number of its first event
  std::int64_t count = 0;
  Timestamp earliest;
  Timestamp latest;
};

// Numbered from `first` on.
Result<void> store_events(db::Database& database, std::int64_t first, const NewEvents& events);
Result<void> store_batch(db::Database& database, const EventBatchRow& row);
Result<void> store_stream(db::Database& database, const StreamState& state);

Result<std::vector<StreamState>> load_streams(db::Database& database, std::string_view source);
// The greatest number given so far; 0 in an empty store.
Result<std::int64_t> last_event_number(db::Database& database);
// Calls `each` for the events behind `after` that are not erased, in order of arrival, until it
// answers false.
Result<void> for_each_event(db::Database& database, std::int64_t after,
                            const std::function<bool(const EventRow&)>& each);
Result<EventRow> load_event(db::Database& database, const EventId& id);
// The batch of that ledger entry, with its events still stored; not_found where there is none.
Result<EventBatchRow> load_batch(db::Database& database, std::int64_t entry);
// The batch that an event stands in, by the event's number.
Result<EventBatchRow> load_batch_of(db::Database& database, std::int64_t event);
// What commits to each event of the batch that is still stored, which needs no keys.
Result<std::vector<crypto::Digest>> load_commitments(db::Database& database,
                                                     const EventBatchRow& batch);
Result<std::vector<EventRow>> load_batch_events(db::Database& database, const EventBatchRow& batch);

// One row of the columns entry, stream, first, count, earliest, latest.
EventBatchRow read_batch_row(const db::Statement& row);
// All rows of an answer with these columns.
Result<std::vector<EventBatchRow>> read_batches(const Result<db::Statement*>& rows);
Result<EventRow> read_event_row(db::Database& database, const db::Statement& row);
inline constexpr std::string_view event_columns = "number, stream, position, time, salt, record";

}  // namespace mailwarden::ingest
