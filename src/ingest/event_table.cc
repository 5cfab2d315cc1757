#include "ingest/event_table.h"

#include <algorithm>
#include <array>

namespace mailwarden::ingest {
namespace {

constexpr std::array steps{db::Migration{"ingest", 1, R"sql(
CREATE TABLE event (
  number INTEGER PRIMARY KEY,
  stream BIGINT NOT NULL,
  position BIGINT NOT NULL,
  time BIGINT NOT NULL,
  salt BLOB NOT NULL,
  record TEXT NOT NULL
);
CREATE UNIQUE INDEX event_id ON event (stream, position);
CREATE TABLE event_batch (
  entry INTEGER PRIMARY KEY,
  stream BIGINT NOT NULL,
  first BIGINT NOT NULL,
  count BIGINT NOT NULL,
  earliest BIGINT NOT NULL,
  latest BIGINT NOT NULL
);
CREATE INDEX event_batch_latest ON event_batch (latest);
CREATE TABLE stream (
  stream INTEGER PRIMARY KEY,
  source TEXT NOT NULL,
  path TEXT NOT NULL,
  generation BIGINT NOT NULL,
  device BIGINT NOT NULL,
  inode BIGINT NOT NULL,
  birth BIGINT NOT NULL,
  position BIGINT NOT NULL,
  head_length BIGINT NOT NULL,
  head BLOB NOT NULL,
  tail_length BIGINT NOT NULL,
  tail BLOB NOT NULL,
  finished BIGINT NOT NULL
);
CREATE INDEX stream_source ON stream (source);
)sql"},
                           db::Migration{"ingest", 2, R"sql(
CREATE INDEX event_batch_first ON event_batch (first);
)sql"},
                           db::Migration{"ingest", 3, R"sql(
CREATE TABLE event_entity (
  level BIGINT NOT NULL,
  bucket BIGINT NOT NULL,
  base BIGINT NOT NULL,
  pairs BLOB NOT NULL,
  PRIMARY KEY (level, bucket, base)
);
CREATE INDEX event_entity_base ON event_entity (level, base);
ALTER TABLE event_batch ADD COLUMN indexed BIGINT NOT NULL DEFAULT 0;
CREATE INDEX event_batch_unindexed ON event_batch (entry) WHERE indexed = 0;
)sql"}};

template <std::size_t size>
std::array<std::byte, size> to_array(db::Blob blob) {
  std::array<std::byte, size> out{};
  if (blob.size() == size) std::ranges::copy(blob, out.begin());
  return out;
}

constexpr std::array<std::string_view, 1> event_key{"number"};
constexpr std::array personal_columns{db::PersonalColumn{"record"}};
constexpr db::PersonalTable personal{
    .name = "event", .key = event_key, .columns = personal_columns};

Result<std::vector<EventRow>> read_events(db::Database& database,
                                          const Result<db::Statement*>& rows) {
  std::vector<EventRow> events;
  if (!rows) return std::unexpected(rows.error());
  while (true) {
    const auto more = (*rows)->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) return events;
    auto event = read_event_row(database, **rows);
    if (!event) return std::unexpected(event.error());
    events.push_back(*std::move(event));
  }
}

std::unexpected<Error> damaged(std::int64_t number) {
  return fail(Code::corrupt, "event " + std::to_string(number) +
                                 ": what was sealed is not what its row commits to");
}

Result<EventRow> open_row(db::Database& database, EventRow event, const db::Statement& row) {
  event.kept = to_array<32>(row.blob(4));
  auto opened = db::to_plain(database, personal, std::to_string(event.number), {row.text(5)});
  if (!opened && opened.error().code == Code::not_found) {
    event.erased = true;
    return event;
  }
  if (!opened) return std::unexpected(opened.error());
  if (!crypto::read_salted(opened->front(), event.salt, event.record) ||
      crypto::commitment(event.salt, event.record) != event.kept) {
    return damaged(event.number);
  }
  return event;
}

// What the personal column and that of the salt hold.
struct SealedEvents {
  std::vector<std::string> records;
  std::vector<crypto::Digest> commitments;
};

Result<SealedEvents> seal_events(db::Database& database, std::int64_t first,
                                 const NewEvents& events) {
  std::vector<std::string_view> records;
  for (std::size_t i = 0; i < events.rows.size(); ++i) records.push_back(events.record(i));
  if (auto done = database.sealing()->expect(records); !done) return std::unexpected(done.error());
  SealedEvents sealed;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const Salt& salt = events.salts[i];
    const std::string both = crypto::salted(salt, records[i]);
    const std::string row = std::to_string(first + static_cast<std::int64_t>(i));
    auto stored = db::to_stored(database, personal, row, {both});
    if (!stored) return std::unexpected(stored.error());
    sealed.records.push_back(std::move(stored->front()));
    sealed.commitments.push_back(crypto::commitment(salt, records[i]));
  }
  return sealed;
}

}  // namespace

std::span<const db::Migration> migrations() {
  return steps;
}

crypto::Digest commitment_of(const EventRow& event) {
  return event.kept ? *event.kept : crypto::commitment(event.salt, event.record);
}

const db::PersonalTable& personal_events() {
  return personal;
}

Result<EventRow> read_event_row(db::Database& database, const db::Statement& row) {
  EventRow event{
      .number = row.integer(0), .id = {row.integer(1), row.integer(2)}, .time = {row.integer(3)}};
  if (db::is_sealed(row.text(5))) return open_row(database, std::move(event), row);
  event.salt = to_array<16>(row.blob(4));
  event.record = row.text(5);
  return event;
}

EventBatchRow read_batch_row(const db::Statement& row) {
  return {.entry = row.integer(0),
          .stream = row.integer(1),
          .first = row.integer(2),
          .count = row.integer(3),
          .earliest = {row.integer(4)},
          .latest = {row.integer(5)}};
}

Result<std::vector<EventBatchRow>> read_batches(const Result<db::Statement*>& rows) {
  if (!rows) return std::unexpected(rows.error());
  std::vector<EventBatchRow> batches;
  while (true) {
    const auto more = (*rows)->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) return batches;
    batches.push_back(read_batch_row(**rows));
  }
}

Result<void> store_events(db::Database& database, std::int64_t first, const NewEvents& events) {
  constexpr std::array<std::string_view, 6> columns{"number", "stream", "position",
                                                    "time",   "salt",   "record"};
  std::optional<SealedEvents> sealed;
  if (database.sealing() != nullptr) {
    auto made = seal_events(database, first, events);
    if (!made) return std::unexpected(made.error());
    sealed = *std::move(made);
  }
  std::size_t at = 0;
  return database.insert_rows("event", columns, [&](std::span<db::Value> values) {
    if (at == events.rows.size()) return false;
    const NewEvents::One& row = events.rows[at];
    values[0] = first + static_cast<std::int64_t>(at);
    values[1] = row.id.stream;
    values[2] = row.id.position;
    values[3] = row.time.us;
    values[4] = sealed ? db::Blob(sealed->commitments[at]) : db::Blob(events.salts[at]);
    values[5] = sealed ? std::string_view(sealed->records[at]) : events.record(at);
    ++at;
    return true;
  });
}

Result<void> store_batch(db::Database& database, const EventBatchRow& row) {
  return database.run(
      "INSERT INTO event_batch (entry, stream, first, count, earliest, latest, indexed) "
      "VALUES ($1, $2, $3, $4, $5, $6, 1)",
      {row.entry, row.stream, row.first, row.count, row.earliest.us, row.latest.us});
}

Result<void> store_stream(db::Database& database, const StreamState& state) {
  return database.run(
      "INSERT INTO stream (stream, source, path, generation, device, inode, birth, position,"
      " head_length, head, tail_length, tail, finished) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) "
      "ON CONFLICT (stream) DO UPDATE SET device = $5, inode = $6, birth = $7, position = $8,"
      " head_length = $9, head = $10, tail_length = $11, tail = $12, finished = $13",
      {state.stream, std::string_view(state.source), std::string_view(state.path), state.generation,
       state.device, state.inode, state.birth, state.position, state.head.length,
       db::Blob(state.head.hash), state.tail.length, db::Blob(state.tail.hash),
       db::value(state.finished)});
}

Result<std::vector<StreamState>> load_streams(db::Database& database, std::string_view source) {
  const auto rows = database.query(
      "SELECT stream, source, path, generation, device, inode, birth, position, head_length, head,"
      " tail_length, tail, finished FROM stream WHERE source = $1 ORDER BY path, generation",
      {source});
  if (!rows) return std::unexpected(rows.error());
  std::vector<StreamState> states;
  while (true) {
    const auto more = (*rows)->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) return states;
    const db::Statement& row = **rows;
    states.push_back({.stream = row.integer(0),
                      .source = std::string(row.text(1)),
                      .path = std::string(row.text(2)),
                      .generation = row.integer(3),
                      .device = row.integer(4),
                      .inode = row.integer(5),
                      .birth = row.integer(6),
                      .position = row.integer(7),
                      .head = {row.integer(8), to_array<32>(row.blob(9))},
                      .tail = {row.integer(10), to_array<32>(row.blob(11))},
                      .finished = row.integer(12) != 0});
  }
}

Result<std::int64_t> last_event_number(db::Database& database) {
  // A batch outlives its events, and its numbers are never given again.
  return database.integer(
      "SELECT MAX(last) FROM (SELECT MAX(number) AS last FROM event UNION ALL "
      "SELECT first + count - 1 AS last FROM event_batch WHERE entry = "
      "(SELECT MAX(entry) FROM event_batch)) AS numbers");
}

Result<void> for_each_event(db::Database& database, std::int64_t after,
                            const std::function<bool(const EventRow&)>& each) {
  const auto rows = database.scan(
      "SELECT " + std::string(event_columns) + " FROM event WHERE number > $1 ORDER BY number",
      {after});
  if (!rows) return std::unexpected(rows.error());
  while (true) {
    const auto more = (*rows)->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) break;
    const auto event = read_event_row(database, **rows);
    if (!event) return std::unexpected(event.error());
    if (!event->erased && !each(*event)) break;
  }
  return (*rows)->bind(std::span<const db::Value>());
}

Result<EventRow> load_event(db::Database& database, const EventId& id) {
  auto found =
      read_events(database, database.query("SELECT " + std::string(event_columns) +
                                               " FROM event WHERE stream = $1 AND position = $2",
                                           {id.stream, id.position}));
  if (!found) return std::unexpected(found.error());
  if (found->empty()) return fail(Code::not_found, "there is no event " + to_string(id));
  return std::move(found->front());
}

namespace {

Result<EventBatchRow> read_batch(const Result<db::Statement*>& row, const std::string& missing) {
  if (!row) return std::unexpected(row.error());
  const auto found = (*row)->step();
  if (!found) return std::unexpected(found.error());
  if (!*found) return fail(Code::not_found, missing);
  const EventBatchRow batch = read_batch_row(**row);
  if (auto ended = (*row)->bind(std::span<const db::Value>()); !ended) {
    return std::unexpected(ended.error());
  }
  return batch;
}

}  // namespace

Result<EventBatchRow> load_batch(db::Database& database, std::int64_t entry) {
  return read_batch(
      database.query(
          "SELECT entry, stream, first, count, earliest, latest FROM event_batch WHERE entry = $1",
          {entry}),
      "entry " + std::to_string(entry) + " has no batch");
}

Result<EventBatchRow> load_batch_of(db::Database& database, std::int64_t event) {
  const std::string missing = "event number " + std::to_string(event) + " stands in no batch";
  auto batch = read_batch(
      database.query("SELECT entry, stream, first, count, earliest, latest FROM event_batch"
                     " WHERE first <= $1 ORDER BY first DESC LIMIT 1",
                     {event}),
      missing);
  if (batch && event >= batch->first + batch->count) return fail(Code::not_found, missing);
  return batch;
}

Result<std::vector<crypto::Digest>> load_commitments(db::Database& database,
                                                     const EventBatchRow& batch) {
  const auto rows = database.query(
      "SELECT salt, record FROM event WHERE number >= $1 AND number < $2 ORDER BY number",
      {batch.first, batch.first + batch.count});
  if (!rows) return std::unexpected(rows.error());
  std::vector<crypto::Digest> commitments;
  while (true) {
    const auto more = (*rows)->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) return commitments;
    const std::string_view record = (*rows)->text(1);
    commitments.push_back(db::is_sealed(record)
                              ? to_array<32>((*rows)->blob(0))
                              : crypto::commitment(to_array<16>((*rows)->blob(0)), record));
  }
}

Result<std::vector<EventRow>> load_batch_events(db::Database& database,
                                                const EventBatchRow& batch) {
  return read_events(database, database.query("SELECT " + std::string(event_columns) +
                                                  " FROM event WHERE number >= $1 AND number < $2"
                                                  " ORDER BY number",
                                              {batch.first, batch.first + batch.count}));
}

}  // namespace mailwarden::ingest
