#include "ingest/event_entities.h"

#include <algorithm>
#include <array>
#include <map>

#include "base/text.h"
#include "crypto/sha256.h"
#include "event/event_json.h"
#include "ingest/event_table.h"

namespace mailwarden::ingest {
namespace {

// A pair in a run: the entity and how far behind the run's base its event stands, both with the
// high byte first, so that pairs sort as bytes. The entity's sign is turned round for the same end.
constexpr std::size_t entity_bytes = 8;
constexpr std::size_t pair_bytes = entity_bytes + 4;

constexpr std::int64_t single = 0;  // level of the runs over one batch
constexpr std::int64_t merged = 1;  // of those over many
constexpr int runs_ahead = 64;      // that a search loads at once

std::uint64_t sortable(std::int64_t entity) {
  return static_cast<std::uint64_t>(entity) ^ (std::uint64_t{1} << 63);
}

// Which of the parts of a merged run an entity is in.
std::int64_t bucket_of(std::int64_t level, std::int64_t entity) {
  return level == single ? 0 : static_cast<std::int64_t>(sortable(entity) >> 56);
}

void append_number(std::string& bytes, std::uint64_t number, std::size_t size) {
  for (std::size_t i = size; i-- > 0;) bytes += static_cast<char>(number >> (8 * i) & 0xFF);
}

std::uint64_t read_number(std::string_view bytes) {
  std::uint64_t number = 0;
  for (const char c : bytes) number = number << 8 | static_cast<unsigned char>(c);
  return number;
}

std::string prefix_of(std::int64_t entity) {
  std::string prefix;
  append_number(prefix, sortable(entity), entity_bytes);
  return prefix;
}

std::string to_pairs(std::span<const EntityPlace> places, std::int64_t base) {
  std::string pairs;
  pairs.reserve(places.size() * pair_bytes);
  for (const EntityPlace& place : places) {
    append_number(pairs, sortable(place.entity), entity_bytes);
    append_number(pairs, static_cast<std::uint64_t>(place.event - base), pair_bytes - entity_bytes);
  }
  return pairs;
}

void append_places(std::vector<EntityPlace>& places, std::string_view pairs, std::int64_t base) {
  for (; pairs.size() >= pair_bytes; pairs.remove_prefix(pair_bytes)) {
    const auto entity = static_cast<std::int64_t>(read_number(pairs.substr(0, entity_bytes)) ^
                                                  std::uint64_t{1} << 63);
    const auto behind = read_number(pairs.substr(entity_bytes, pair_bytes - entity_bytes));
    places.push_back({.entity = entity, .event = base + static_cast<std::int64_t>(behind)});
  }
}

// The events of one entity in a run, in order.
std::vector<std::int64_t> events_of(std::string_view pairs, std::int64_t base,
                                    std::int64_t entity) {
  const std::string prefix = prefix_of(entity);
  std::size_t low = 0;
  std::size_t high = pairs.size() / pair_bytes;
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    if (pairs.substr(middle * pair_bytes, entity_bytes) < prefix) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  std::vector<EntityPlace> places;
  for (; pairs.substr(std::min(low * pair_bytes, pairs.size())).starts_with(prefix); ++low) {
    append_places(places, pairs.substr(low * pair_bytes, pair_bytes), base);
  }
  std::vector<std::int64_t> events;
  for (const EntityPlace& place : places) events.push_back(place.event);
  return events;
}

struct StoredRun {
  std::int64_t bucket = 0;
  std::int64_t base = 0;
  std::string pairs;
};

// Rows of bucket, base and pairs.
Result<std::vector<StoredRun>> read_runs(const Result<db::Statement*>& rows) {
  if (!rows) return std::unexpected(rows.error());
  std::vector<StoredRun> runs;
  while (true) {
    const auto more = (*rows)->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) return runs;
    const db::Blob pairs = (*rows)->blob(2);
    if (pairs.size() % pair_bytes != 0) {
      return fail(Code::corrupt, "the index of accounts and addresses is damaged");
    }
    runs.push_back({.bucket = (*rows)->integer(0),
                    .base = (*rows)->integer(1),
                    .pairs = {reinterpret_cast<const char*>(pairs.data()), pairs.size()}});
  }
}

Result<std::vector<std::int64_t>> read_numbers(const Result<db::Statement*>& rows) {
  if (!rows) return std::unexpected(rows.error());
  std::vector<std::int64_t> numbers;
  while (true) {
    const auto more = (*rows)->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) return numbers;
    numbers.push_back((*rows)->integer(0));
  }
}

Result<void> write_runs(db::Database& database, std::int64_t level,
                        std::span<const StoredRun> runs) {
  constexpr std::array<std::string_view, 4> columns{"level", "bucket", "base", "pairs"};
  auto run = runs.begin();
  return database.insert_rows("event_entity", columns, [&](std::span<db::Value> row) {
    if (run == runs.end()) return false;
    row[0] = level;
    row[1] = run->bucket;
    row[2] = run->base;
    row[3] = db::Blob(std::as_bytes(std::span(run->pairs)));
    ++run;
    return true;
  });
}

bool is_in(std::span<const EventRange> ranges, std::int64_t event) {
  return std::ranges::any_of(
      ranges, [event](const EventRange& r) { return event >= r.first && event < r.end; });
}

template <class IsForgotten>
Result<void> forget_in(db::Database& database, std::int64_t level, const StoredRun& run,
                       IsForgotten is_forgotten) {
  std::vector<EntityPlace> places;
  append_places(places, run.pairs, run.base);
  if (std::erase_if(places, is_forgotten) == 0) return {};
  const std::string pairs = to_pairs(places, run.base);
  if (pairs.empty()) {
    return database.run("DELETE FROM event_entity WHERE level = $1 AND bucket = $2 AND base = $3",
                        {level, run.bucket, run.base});
  }
  return database.run(
      "UPDATE event_entity SET pairs = $4 WHERE level = $1 AND bucket = $2 AND base = $3",
      {level, run.bucket, run.base, db::Blob(std::as_bytes(std::span(pairs)))});
}

// A page of batches that an older version stored.
Result<std::vector<EventBatchRow>> load_unindexed(db::Database& database) {
  return read_batches(database.query(
      "SELECT entry, stream, first, count, earliest, latest FROM event_batch WHERE indexed = 0"
      " ORDER BY entry LIMIT $1",
      {merge_batches}));
}

Result<void> index_batch(db::Database& database, const EventBatchRow& batch) {
  const auto events = load_batch_events(database, batch);
  if (!events) return std::unexpected(events.error());
  EntityGatherer gatherer(database.sealing());
  for (const EventRow& row : *events) {
    const auto event = row.erased ? Result<Event>() : parse_event(row.record);
    if (!event) return std::unexpected(event.error());
    gatherer.add(*event);
  }
  const auto places = gatherer.take();
  if (!places) return std::unexpected(places.error());
  // What retention has taken leaves no event, and a batch goes as a whole.
  if (auto done = store_entities(database, batch.first, *places); !done) return done;
  return database.run("UPDATE event_batch SET indexed = 1 WHERE entry = $1", {batch.entry});
}

}  // namespace

Result<std::int64_t> entity_number(EntityKind kind, std::string_view name, db::Sealing* sealing) {
  std::string text = kind == EntityKind::account ? "account " : "address ";
  for (const char c : name) text += to_lower(c);
  crypto::Digest digest{};
  if (sealing == nullptr) {
    digest = crypto::sha256(text);
  } else {
    const auto index = sealing->index("event_entity", "pairs", text);
    if (!index) return std::unexpected(index.error());
    const auto bytes = crypto::digest_from_hex(*index);
    if (!bytes) return fail(Code::corrupt, "an index is no hash: " + *index);
    digest = *bytes;
  }
  return static_cast<std::int64_t>(
      read_number({reinterpret_cast<const char*>(digest.data()), entity_bytes}));
}

bool names(const Event& event, EntityKind kind, std::string_view name) {
  if (name.empty()) return false;
  if (kind == EntityKind::address) return equal_ignoring_case(event.ocsf.src_ip, name);
  return equal_ignoring_case(event.ocsf.actor_user, name) ||
         equal_ignoring_case(event.ocsf.user, name);
}

void EntityGatherer::add(EntityKind kind, std::string_view name) {
  if (name.empty() || !good_) return;
  const auto number = entity_number(kind, name, sealing_);
  if (number) {
    places_.push_back({.entity = *number, .event = events_});
  } else {
    good_ = std::unexpected(number.error());
  }
}

void EntityGatherer::add(const Event& event) {
  add(EntityKind::account, event.ocsf.actor_user);
  add(EntityKind::account, event.ocsf.user);
  add(EntityKind::address, event.ocsf.src_ip);
  ++events_;
}

Result<std::vector<EntityPlace>> EntityGatherer::take() {
  if (!good_) return std::unexpected(good_.error());
  std::ranges::sort(places_);
  // Who acts on the own account is named twice.
  const auto twice = std::ranges::unique(places_);
  places_.erase(twice.begin(), twice.end());
  events_ = 0;
  return std::exchange(places_, {});
}

Result<void> store_entities(db::Database& database, std::int64_t first,
                            std::span<const EntityPlace> places) {
  if (places.empty()) return {};
  const std::array run{StoredRun{.base = first, .pairs = to_pairs(places, 0)}};
  return write_runs(database, single, run);
}

Result<void> merge_entities(db::Database& database) {
  const auto runs = read_runs(database.query(
      "SELECT bucket, base, pairs FROM event_entity WHERE level = $1 ORDER BY bucket, base",
      {single}));
  if (!runs) return std::unexpected(runs.error());
  if (runs->empty()) return {};
  std::vector<EntityPlace> places;
  for (const StoredRun& run : *runs) append_places(places, run.pairs, run.base);
  std::ranges::sort(places);
  const std::int64_t base = runs->front().base;
  std::vector<StoredRun> made;
  for (auto begin = places.begin(); begin != places.end();) {
    const std::int64_t bucket = bucket_of(merged, begin->entity);
    const auto end = std::find_if(begin, places.end(), [bucket](const EntityPlace& place) {
      return bucket_of(merged, place.entity) != bucket;
    });
    made.push_back({.bucket = bucket, .base = base, .pairs = to_pairs({begin, end}, base)});
    begin = end;
  }
  if (auto done = write_runs(database, merged, made); !done) return done;
  return database.run("DELETE FROM event_entity WHERE level = $1", {single});
}

Result<std::vector<EntityPlace>> load_run(db::Database& database, std::int64_t level,
                                          std::int64_t base) {
  const auto runs = read_runs(
      database.query("SELECT bucket, base, pairs FROM event_entity WHERE level = $1 AND base = $2"
                     " ORDER BY bucket",
                     {level, base}));
  if (!runs) return std::unexpected(runs.error());
  std::vector<EntityPlace> places;
  for (const StoredRun& run : *runs) {
    const std::size_t before = places.size();
    append_places(places, run.pairs, run.base);
    const bool in_bucket = std::all_of(
        places.begin() + static_cast<std::ptrdiff_t>(before), places.end(),
        [&](const EntityPlace& place) { return bucket_of(level, place.entity) == run.bucket; });
    if (in_bucket && !run.pairs.empty()) continue;
    return fail(Code::corrupt, "a list of the index stands at another's place");
  }
  return places;
}

Result<void> forget_entities(db::Database& database, std::span<const EventRange> events) {
  // By the merged run that they are in, so that each is written once.
  std::map<std::int64_t, std::vector<EventRange>> by_run;
  for (const EventRange& range : events) {
    if (auto done =
            database.run("DELETE FROM event_entity WHERE level = $1 AND bucket = 0 AND base = $2",
                         {single, range.first});
        !done) {
      return done;
    }
    if (database.changes() > 0) continue;
    const auto base =
        database.integer("SELECT MAX(base) FROM event_entity WHERE level = $1 AND base <= $2",
                         {merged, range.first}, -1);
    if (!base) return std::unexpected(base.error());
    if (*base >= 0) by_run[*base].push_back(range);
  }
  for (const auto& [base, ranges] : by_run) {
    const auto runs = read_runs(
        database.query("SELECT bucket, base, pairs FROM event_entity WHERE level = $1 AND base = $2"
                       " ORDER BY bucket",
                       {merged, base}));
    if (!runs) return std::unexpected(runs.error());
    for (const StoredRun& run : *runs) {
      const auto is_there = [&](const EntityPlace& place) { return is_in(ranges, place.event); };
      if (auto done = forget_in(database, merged, run, is_there); !done) return done;
    }
  }
  return {};
}

Result<void> forget_entity(db::Database& database, std::int64_t entity) {
  for (const std::int64_t level : {single, merged}) {
    const auto bases = read_numbers(database.query(
        "SELECT base FROM event_entity WHERE level = $1 AND bucket = $2 ORDER BY base",
        {level, bucket_of(level, entity)}));
    if (!bases) return std::unexpected(bases.error());
    for (const std::int64_t base : *bases) {
      const auto runs = read_runs(database.query(
          "SELECT bucket, base, pairs FROM event_entity WHERE level = $1 AND bucket = $2"
          " AND base = $3",
          {level, bucket_of(level, entity), base}));
      if (!runs) return std::unexpected(runs.error());
      for (const StoredRun& run : *runs) {
        const auto is_it = [&](const EntityPlace& place) { return place.entity == entity; };
        if (auto done = forget_in(database, level, run, is_it); !done) return done;
      }
    }
  }
  return {};
}

Result<void> complete_entities(db::Database& database) {
  while (true) {
    const auto batches = load_unindexed(database);
    if (!batches) return std::unexpected(batches.error());
    const auto waiting =
        database.integer("SELECT COUNT(*) FROM event_entity WHERE level = $1", {single});
    if (!waiting) return std::unexpected(waiting.error());
    if (batches->empty() && *waiting < merge_batches) return {};
    auto transaction = db::Transaction::begin(database);
    if (!transaction) return std::unexpected(transaction.error());
    for (const EventBatchRow& batch : *batches) {
      if (auto done = index_batch(database, batch); !done) return done;
    }
    if (auto done = merge_entities(database); !done) return done;
    if (auto done = transaction->commit(); !done) return done;
  }
}

EntitySearch::EntitySearch(db::Database& database, std::vector<std::int64_t> entities,
                           EventRange within)
    : database_(database), entities_(std::move(entities)), within_(within), below_(within.end) {}

Result<void> EntitySearch::load_runs() {
  while (runs_.empty() && level_ <= merged) {
    auto runs = read_runs(database_.query(
        "SELECT bucket, base, pairs FROM event_entity WHERE level = $1 AND bucket = $2"
        " AND base < $3 ORDER BY base DESC LIMIT $4",
        {level_, bucket_of(level_, entities_.front()), below_, std::int64_t{runs_ahead}}));
    if (!runs) return std::unexpected(runs.error());
    for (auto run = runs->rbegin(); run != runs->rend(); ++run) {
      runs_.push_back(
          {.base = run->base, .events = events_of(run->pairs, run->base, entities_.front())});
    }
    for (std::size_t i = 1; i < entities_.size(); ++i) {
      if (auto done = keep_common(entities_[i]); !done) return done;
    }
    if (!runs_.empty()) {
      below_ = runs_.front().base;
    } else {
      ++level_;
      below_ = within_.end;
    }
  }
  return {};
}

// Of the runs ahead, the events that name this one too; all in one question.
Result<void> EntitySearch::keep_common(std::int64_t entity) {
  static const std::string sql = [] {
    std::string wanted;
    for (int i = 0; i < runs_ahead; ++i) {
      wanted += (wanted.empty() ? "$" : ", $") + std::to_string(3 + i);
    }
    return "SELECT bucket, base, pairs FROM event_entity WHERE level = $1 AND bucket = $2"
           " AND base IN (" +
           wanted + ")";
  }();
  std::vector<db::Value> values{level_, bucket_of(level_, entity)};
  for (const Run& run : runs_) {
    if (!run.events.empty()) values.emplace_back(run.base);
  }
  if (values.size() == 2) return {};
  // No run has this one.
  values.resize(2 + runs_ahead, std::int64_t{-1});
  const auto statement = database_.prepare(sql);
  if (!statement) return std::unexpected(statement.error());
  if (auto bound = (*statement)->bind(values); !bound) return bound;
  const auto found = read_runs(*statement);
  if (!found) return std::unexpected(found.error());
  for (Run& run : runs_) {
    const auto other = std::ranges::find(*found, run.base, &StoredRun::base);
    const auto others = other == found->end() ? std::vector<std::int64_t>()
                                              : events_of(other->pairs, other->base, entity);
    std::erase_if(run.events, [&others](std::int64_t event) {
      return !std::ranges::binary_search(others, event);
    });
  }
  return {};
}

Result<std::optional<std::vector<std::int64_t>>> EntitySearch::next() {
  using Events = std::optional<std::vector<std::int64_t>>;
  if (runs_.empty()) {
    if (auto done = load_runs(); !done) return std::unexpected(done.error());
  }
  if (runs_.empty()) return Events();
  Run run = std::move(runs_.back());
  runs_.pop_back();
  std::vector<std::int64_t> events = std::move(run.events);
  // Runs that were merged since the last one was looked into hold its events again.
  const std::int64_t end = std::min(within_.end, handled_);
  std::erase_if(events, [&](std::int64_t event) { return event < within_.first || event >= end; });
  handled_ = std::min(handled_, run.base);
  std::ranges::reverse(events);
  // What is older cannot be wanted any more.
  if (run.base <= within_.first) {
    runs_.clear();
    level_ = merged + 1;
  }
  return Events(std::move(events));
}

}  // namespace mailwarden::ingest
