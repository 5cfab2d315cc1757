#include "ingest/event_query.h"

#include <algorithm>

#include "event/event_json.h"

namespace mailwarden::ingest {
namespace {

// Events that one question asks for by their numbers.
constexpr std::size_t numbers_max = 64;

class Search {
 public:
  Search(db::Database& database, const EventQuery& query)
      : database_(database),
        query_(query),
        from_(query.from.value_or(Timestamp{INT64_MIN})),
        until_(query.until.value_or(Timestamp{INT64_MAX})),
        limit_(static_cast<std::size_t>(
            std::clamp<std::int64_t>(query.limit, 1, EventQuery::limit_max))) {}

  Result<std::vector<EventRow>> run() {
    const bool by_entity = !query_.account.empty() || !query_.address.empty();
    auto done = by_entity ? search_entities() : search_batches();
    if (!done) return std::unexpected(done.error());
    return std::move(found_);
  }

 private:
  bool is_full() const { return found_.size() >= limit_; }

  Result<void> search_batches() {
    constexpr std::int64_t page = 32;
    std::int64_t below = query_.before.value_or(INT64_MAX);
    while (!is_full()) {
      // Whatever lies between two batches is in neither.
      const auto batches = read_batches(database_.query(
          "SELECT entry, stream, first, count, earliest, latest FROM event_batch"
          " WHERE first < $1 AND latest >= $2 AND earliest < $3 ORDER BY first DESC LIMIT $4",
          {below, from_.us, until_.us, page}));
      if (!batches) return std::unexpected(batches.error());
      if (batches->empty()) return {};
      for (const EventBatchRow& batch : *batches) {
        if (query_.stream && batch.stream != *query_.stream) continue;
        if (is_full()) return {};
        if (auto done = take_events({batch.first, batch.first + batch.count}); !done) return done;
      }
      below = batches->back().first;
    }
    return {};
  }

  Result<void> search_entities() {
    std::vector<std::int64_t> entities;
    // Fewer events come from one address than are about one account.
    for (const auto& [kind, name] : {std::pair(EntityKind::address, &query_.address),
                                     std::pair(EntityKind::account, &query_.account)}) {
      if (name->empty()) continue;
      const auto number = entity_number(kind, *name, database_.sealing());
      if (!number) return std::unexpected(number.error());
      entities.push_back(*number);
    }
    const auto within = range();
    if (!within) return std::unexpected(within.error());
    EntitySearch search(database_, std::move(entities), *within);
    // Runs mostly tell a few events each, and every question is a way to the database.
    std::vector<std::int64_t> told;
    std::span<const std::int64_t> rest;
    while (!is_full()) {
      if (rest.size() >= std::min(numbers_max, limit_ - found_.size())) {
        const auto some = rest.first(std::min(numbers_max, rest.size()));
        if (auto done = take_events(some); !done) return done;
        rest = rest.subspan(some.size());
        continue;
      }
      const auto events = search.next();
      if (!events) return std::unexpected(events.error());
      if (!*events) return rest.empty() ? Result<void>() : take_events(rest);
      told.erase(told.begin(), told.end() - std::ssize(rest));
      told.insert(told.end(), (*events)->begin(), (*events)->end());
      rest = told;
    }
    return {};
  }

  // Between the first and the last batch that reaches into the times.
  Result<EventRange> range() {
    EventRange range{.first = 0, .end = query_.before.value_or(INT64_MAX)};
    if (!query_.from && !query_.until) return range;
    const auto first =
        database_.integer("SELECT MIN(first) FROM event_batch WHERE latest >= $1 AND earliest < $2",
                          {from_.us, until_.us}, INT64_MAX);
    if (!first) return std::unexpected(first.error());
    const auto end = database_.integer(
        "SELECT MAX(first + count) FROM event_batch WHERE latest >= $1 AND earliest < $2",
        {from_.us, until_.us}, 0);
    if (!end) return std::unexpected(end.error());
    range.first = *first;
    range.end = std::min(range.end, *end);
    return range;
  }

  // Those of the range that are wanted.
  Result<void> take_events(const EventRange& range) {
    const auto rows = database_.query(
        "SELECT " + std::string(event_columns) +
            " FROM event WHERE number >= $1 AND number < $2 AND time >= $3 AND time < $4"
            " ORDER BY number DESC",
        {range.first, std::min(range.end, query_.before.value_or(INT64_MAX)), from_.us, until_.us});
    return take_rows(rows);
  }

  // Those of some events, newest first, in one question.
  Result<void> take_events(std::span<const std::int64_t> numbers) {
    static const std::string sql = [] {
      std::string wanted;
      for (std::size_t i = 0; i < numbers_max; ++i) {
        wanted += (wanted.empty() ? "$" : ", $") + std::to_string(3 + i);
      }
      return "SELECT " + std::string(event_columns) + " FROM event WHERE number IN (" + wanted +
             ") AND time >= $1 AND time < $2 ORDER BY number DESC";
    }();
    std::vector<db::Value> values{from_.us, until_.us};
    values.insert(values.end(), numbers.begin(), numbers.end());
    // No event has this number.
    values.resize(2 + numbers_max, std::int64_t{-1});
    const auto statement = database_.prepare(sql);
    if (!statement) return std::unexpected(statement.error());
    if (auto bound = (*statement)->bind(values); !bound) return bound;
    return take_rows(*statement);
  }

  Result<void> take_rows(const Result<db::Statement*>& rows) {
    if (!rows) return std::unexpected(rows.error());
    while (!is_full()) {
      const auto more = (*rows)->step();
      if (!more) return std::unexpected(more.error());
      if (!*more) return {};
      auto row = read_event_row(database_, **rows);
      if (!row) return std::unexpected(row.error());
      const auto wanted = is_wanted(*row);
      if (!wanted) return std::unexpected(wanted.error());
      if (*wanted) found_.push_back(*std::move(row));
    }
    return (*rows)->bind(std::span<const db::Value>());
  }

  // The index tells no more than that it may be.
  Result<bool> is_wanted(const EventRow& row) const {
    if (query_.stream && row.id.stream != *query_.stream) return false;
    if (query_.account.empty() && query_.address.empty()) return true;
    if (row.erased) return false;
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
  std::size_t limit_;
  std::vector<EventRow> found_;
};

}  // namespace

Result<std::vector<EventRow>> query_events(db::Database& database, const EventQuery& query) {
  return Search(database, query).run();
}

}  // namespace mailwarden::ingest
