#include "ingest/event_query.h"

#include <algorithm>

#include "event/event_json.h"

namespace mailwarden::ingest {
namespace {

constexpr std::int64_t page = 32;  // batches at a time

// A batch of which some events may be wanted.
struct Candidate {
  EventBatchRow batch;
  std::vector<std::size_t> places;  // none: any of its events
};

class Search {
 public:
  Search(db::Database& database, const EventQuery& query)
      : database_(database),
        query_(query),
        from_(query.from.value_or(Timestamp{INT64_MIN})),
        until_(query.until.value_or(Timestamp{INT64_MAX})),
        before_(query.before.value_or(INT64_MAX)),
        limit_(static_cast<std::size_t>(
            std::clamp<std::int64_t>(query.limit, 1, EventQuery::limit_max))) {}

  Result<std::vector<EventRow>> run() {
    if (auto done = bound(); !done) return std::unexpected(done.error());
    while (found_.size() < limit_ && newest_ >= oldest_) {
      const auto candidates = next_candidates();
      if (!candidates) return std::unexpected(candidates.error());
      if (candidates->empty()) break;
      for (const Candidate& one : *candidates) {
        if (found_.size() >= limit_) break;
        if (auto done = take(one); !done) return std::unexpected(done.error());
      }
      newest_ = candidates->back().batch.entry - 1;
    }
    return std::move(found_);
  }

 private:
  bool by_entity() const { return !query_.account.empty() || !query_.address.empty(); }

  // Which entries can have it at all.
  Result<void> bound() {
    const auto newest = database_.integer(
        "SELECT entry FROM event_batch WHERE first < $1 ORDER BY first DESC LIMIT 1", {before_},
        -1);
    if (!newest) return std::unexpected(newest.error());
    newest_ = *newest;
    if (!by_entity() || (!query_.from && !query_.until)) return {};
    for (const auto& [most, bound] : {std::pair("MAX", &newest_), std::pair("MIN", &oldest_)}) {
      const auto entry = database_.integer(
          "SELECT " + std::string(most) +
              "(entry) FROM event_batch WHERE entry <= $1 AND latest >= $2 AND earliest < $3",
          {newest_, from_.us, until_.us}, -1);
      if (!entry) return std::unexpected(entry.error());
      *bound = *entry;
    }
    return {};
  }

  Result<std::vector<Candidate>> next_candidates() {
    if (by_entity()) {
      const bool by_account = !query_.account.empty();
      const std::int64_t entity =
          entity_number(by_account ? EntityKind::account : EntityKind::address,
                        by_account ? query_.account : query_.address);
      return read(database_.query(
          "SELECT event_batch.entry, stream, first, count, earliest, latest, places"
          " FROM event_entity JOIN event_batch ON event_batch.entry = event_entity.entry"
          " WHERE entity = $1 AND event_entity.entry <= $2 AND event_entity.entry >= $3"
          " ORDER BY event_entity.entry DESC LIMIT $4",
          {entity, newest_, oldest_, page}));
    }
    return read(
        database_.query("SELECT entry, stream, first, count, earliest, latest FROM event_batch"
                        " WHERE entry <= $1 AND entry >= $2 AND latest >= $3 AND earliest < $4"
                        " ORDER BY entry DESC LIMIT $5",
                        {newest_, oldest_, from_.us, until_.us, page}));
  }

  static Result<std::vector<Candidate>> read(const Result<db::Statement*>& rows) {
    if (!rows) return std::unexpected(rows.error());
    std::vector<Candidate> candidates;
    while (true) {
      const auto more = (*rows)->step();
      if (!more) return std::unexpected(more.error());
      if (!*more) return candidates;
      Candidate one{.batch = read_batch_row(**rows), .places = {}};
      if ((*rows)->columns() > 6) {
        const db::Blob places = (*rows)->blob(6);
        one.places = places_of({reinterpret_cast<const char*>(places.data()), places.size()});
      }
      candidates.push_back(std::move(one));
    }
  }

  Result<void> take(const Candidate& one) {
    if (query_.stream && one.batch.stream != *query_.stream) return {};
    if (one.batch.latest < from_ || one.batch.earliest >= until_) return {};
    if (one.places.empty()) return take_events(one.batch.first, one.batch.first + one.batch.count);
    for (auto place = one.places.rbegin(); place != one.places.rend(); ++place) {
      if (found_.size() >= limit_) break;
      const std::int64_t number = one.batch.first + static_cast<std::int64_t>(*place);
      if (auto done = take_events(number, number + 1); !done) return done;
    }
    return {};
  }

  // Those of the numbers `first` to `end` - 1 that are wanted.
  Result<void> take_events(std::int64_t first, std::int64_t end) {
    const auto rows = database_.query(
        "SELECT " + std::string(event_columns) +
            " FROM event WHERE number >= $1 AND number < $2 AND time >= $3 AND time < $4"
            " ORDER BY number DESC",
        {first, std::min(end, before_), from_.us, until_.us});
    if (!rows) return std::unexpected(rows.error());
    while (found_.size() < limit_) {
      const auto more = (*rows)->step();
      if (!more) return std::unexpected(more.error());
      if (!*more) return {};
      EventRow row = read_event_row(**rows);
      const auto wanted = is_wanted(row);
      if (!wanted) return std::unexpected(wanted.error());
      if (*wanted) found_.push_back(std::move(row));
    }
    return (*rows)->bind(std::span<const db::Value>());
  }

  // The index tells no more than that it may be.
  Result<bool> is_wanted(const EventRow& row) const {
    if (!by_entity()) return true;
    const auto event = parse_event(row.record);
    if (!event) return std::unexpected(event.error());
    const auto fits = [&event](EntityKind kind, const std::string& name) {
      return name.empty() || names(*event, kind, name);
    };
    return fits(EntityKind::account, query_.account) && fits(EntityKind::address, query_.address);
  }

  db::Database& database_;
  const EventQuery& query_;
  Timestamp from_;
  Timestamp until_;
  std::int64_t before_;
  std::size_t limit_;
  std::int64_t newest_ = -1;  // entries that are still to be looked at
  std::int64_t oldest_ = 0;
  std::vector<EventRow> found_;
};

}  // namespace

Result<std::vector<EventRow>> query_events(db::Database& database, const EventQuery& query) {
  return Search(database, query).run();
}

}  // namespace mailwarden::ingest
