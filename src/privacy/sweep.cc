#include "privacy/sweep.h"

#include <algorithm>
#include <array>
#include <map>

#include "detect/detection_table.h"
#include "ingest/event_table.h"
#include "ledger/ledger.h"

namespace mailwarden::privacy {
namespace {

constexpr std::array steps{db::Migration{"privacy", 1, R"sql(
CREATE TABLE removal (
  entry INTEGER PRIMARY KEY,
  time BIGINT NOT NULL,
  category TEXT NOT NULL,
  source TEXT NOT NULL,
  events BIGINT NOT NULL,
  earliest BIGINT NOT NULL,
  latest BIGINT NOT NULL
);
CREATE INDEX removal_time ON removal (time);
CREATE TABLE removed_batch (
  batch INTEGER PRIMARY KEY,
  entry BIGINT NOT NULL
);
)sql"},
                           db::Migration{"privacy", 2, "DROP INDEX removal_time;"}};

struct Batch {
  std::int64_t entry = 0;
  std::int64_t stream = 0;
  std::int64_t first_position = 0;
  std::int64_t last_position = 0;
  std::int64_t count = 0;
  Timestamp earliest;
  Timestamp latest;
};

Result<std::vector<std::string>> sources_with_events(db::Database& database) {
  std::vector<std::string> sources;
  const auto rows = database.query("SELECT DISTINCT source FROM stream ORDER BY source");
  if (!rows) return std::unexpected(rows.error());
  while (true) {
    const auto more = (*rows)->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) return sources;
    sources.emplace_back((*rows)->text(0));
  }
}

// A page of due batches behind the ledger entry `after`, in order.
Result<std::vector<Batch>> due_batches(db::Database& database, const std::string& source,
                                       Timestamp cutoff, std::int64_t after) {
  constexpr std::int64_t page = 512;
  std::vector<Batch> batches;
  const auto rows = database.query(
      "SELECT entry, stream, (SELECT position FROM event WHERE number = first),"
      " (SELECT position FROM event WHERE number = first + count - 1), count, earliest, latest"
      " FROM event_batch "
      "WHERE entry > $1 AND latest < $2 AND stream IN (SELECT stream FROM stream WHERE source = $3)"
      " AND NOT EXISTS (SELECT 1 FROM removed_batch WHERE batch = event_batch.entry) "
      "ORDER BY entry LIMIT $4",
      {after, cutoff.us, std::string_view(source), page});
  if (!rows) return std::unexpected(rows.error());
  while (true) {
    const auto more = (*rows)->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) return batches;
    const db::Statement& row = **rows;
    batches.push_back({.entry = row.integer(0),
                       .stream = row.integer(1),
                       .first_position = row.integer(2),
                       .last_position = row.integer(3),
                       .count = row.integer(4),
                       .earliest = {row.integer(5)},
                       .latest = {row.integer(6)}});
  }
}

// What incidents that are not over rest on: spans of positions, from the first event that a
// detection counted in a stream to the last.
class OpenIncidents {
 public:
  static Result<OpenIncidents> load(db::Database& database) {
    OpenIncidents open;
    const auto rows = database.scan(
        "SELECT incident.number, detection.body, detection.number FROM incident"
        " JOIN detection ON detection.incident = incident.number"
        " WHERE incident.state NOT IN ('closed', 'dismissed', 'merged')");
    if (!rows) return std::unexpected(rows.error());
    while (true) {
      const auto more = (*rows)->step();
      if (!more) return std::unexpected(more.error());
      if (!*more) break;
      const auto detection = detect::read_body(database, (*rows)->integer(2), (*rows)->text(1));
      if (!detection && detection.error().code != Code::corrupt) {
        // Of one that was erased nobody can tell any more which events it rests on.
        if (detection.error().code == Code::not_found) continue;
        return std::unexpected(detection.error());
      }
      if (!detection) {
        return fail(Code::corrupt, "a detection of incident " +
                                       std::to_string((*rows)->integer(0)) + " is damaged");
      }
      open.add((*rows)->integer(0), *detection);
    }
    for (auto& [stream, spans] : open.streams_) {
      std::ranges::sort(spans, {}, &Span::first);
      // From here on each span reaches as far as the farthest of those before it, so that the last
      // one that begins early enough tells whether any reaches far enough.
      for (std::size_t i = 1; i < spans.size(); ++i) {
        if (spans[i - 1].last <= spans[i].last) continue;
        spans[i].last = spans[i - 1].last;
        spans[i].incident = spans[i - 1].incident;
      }
    }
    return open;
  }

  // An incident that needs an event of the batch, or 0.
  std::int64_t needing(const Batch& batch) const {
    const auto stream = streams_.find(batch.stream);
    if (stream == streams_.end()) return 0;
    const auto behind =
        std::ranges::upper_bound(stream->second, batch.last_position, {}, &Span::first);
    if (behind == stream->second.begin()) return 0;
    const Span& span = *std::prev(behind);
    return span.last >= batch.first_position ? span.incident : 0;
  }

 private:
  struct Span {
    std::int64_t first = 0;
    std::int64_t last = 0;
    std::int64_t incident = 0;
  };

  void add(std::int64_t incident, const detect::Detection& detection) {
    std::map<std::int64_t, Span> spans;
    auto extend = [&](const EventId& event) {
      Span& span = spans
                       .try_emplace(event.stream, Span{.first = event.position,
                                                       .last = event.position,
                                                       .incident = incident})
                       .first->second;
      span.first = std::min(span.first, event.position);
      span.last = std::max(span.last, event.position);
    };
    extend(detection.event);
    for (const EventId& event : detection.events) extend(event);
    for (const auto& [stream, span] : spans) streams_[stream].push_back(span);
  }

  std::map<std::int64_t, std::vector<Span>> streams_;
};

Result<void> check_clock(db::Database& database, Timestamp now, const SweepOptions& options) {
  if (!options.idle_max) return {};
  const auto newest = ledger::last_time(database);
  if (!newest) return std::unexpected(newest.error());
  if (!*newest || now - **newest <= *options.idle_max) return {};
  return fail(Code::conflict,
              "the clock says " + to_rfc3339(now) + ", but the newest entry of the ledger is of " +
                  to_rfc3339(**newest) + "; nothing is removed until a person confirms the clock");
}

void add(std::vector<DueBatches>& groups, const DueBatches& kind, const Batch& batch) {
  auto group = std::ranges::find_if(groups, [&](const DueBatches& known) {
    return known.source == kind.source && known.held_because == kind.held_because;
  });
  if (group == groups.end()) {
    groups.push_back(kind);
    group = std::prev(groups.end());
    group->earliest = batch.earliest;
    group->latest = batch.latest;
  }
  group->entries.push_back(batch.entry);
  group->events += batch.count;
  group->earliest = std::min(group->earliest, batch.earliest);
  group->latest = std::max(group->latest, batch.latest);
}

class Planner {
 public:
  Planner(db::Database& database, Timestamp now, const SweepOptions& options)
      : database_(database), room_(options.batches_max) {
    sweep_.now = now;
    sweep_.complete = true;
  }

  // Takes up batches until `room_` of them are to be removed; what is held takes no room, so that
  // it cannot keep others from being removed.
  Result<void> plan(const RetentionPolicy& policy, const std::string& source) {
    const Timestamp cutoff = sweep_.now - policy.keep;
    const Hold* const hold = find_hold(policy, source, sweep_.now);
    std::int64_t after = -1;
    while (true) {
      const auto batches = due_batches(database_, source, cutoff, after);
      if (!batches) return std::unexpected(batches.error());
      if (batches->empty()) return {};
      for (const Batch& batch : *batches) {
        after = batch.entry;
        auto because = held_because(hold, batch);
        if (!because) return std::unexpected(because.error());
        if (because->empty() && room_ == 0) {
          sweep_.complete = false;
          return {};
        }
        room_ -= because->empty() ? 1 : 0;
        add(sweep_.due,
            {.category = policy.category,
             .source = source,
             .cutoff = cutoff,
             .entries = {},
             .events = 0,
             .earliest = {},
             .latest = {},
             .held_because = *std::move(because)},
            batch);
      }
    }
  }

  void has_no_policy(const std::string& source) { sweep_.without_policy.push_back(source); }
  Sweep take() { return std::move(sweep_); }

 private:
  // Why a batch stays; "" where nothing keeps it.
  Result<std::string> held_because(const Hold* hold, const Batch& batch) {
    if (hold != nullptr) return "hold '" + hold->name + "': " + hold->reason;
    // Only when something is due, which it seldom is.
    if (!open_) {
      auto loaded = OpenIncidents::load(database_);
      if (!loaded) return std::unexpected(loaded.error());
      open_ = *std::move(loaded);
    }
    const std::int64_t incident = open_->needing(batch);
    if (incident == 0) return std::string();
    return "incident " + std::to_string(incident) + " is still open";
  }

  db::Database& database_;
  std::size_t room_;
  std::optional<OpenIncidents> open_;
  Sweep sweep_;
};

json::Array to_ranges(const std::vector<std::int64_t>& entries) {
  json::Array ranges;
  for (std::size_t i = 0; i < entries.size();) {
    std::size_t end = i + 1;
    while (end < entries.size() && entries[end] == entries[end - 1] + 1) ++end;
    ranges.push_back(json::Array{entries[i], entries[end - 1]});
    i = end;
  }
  return ranges;
}

}  // namespace

std::span<const db::Migration> migrations() {
  return steps;
}

Result<Sweep> plan_sweep(db::Database& database, std::span<const RetentionPolicy> policies,
                         Timestamp now, const SweepOptions& options) {
  if (auto trusted = check_clock(database, now, options); !trusted) {
    return std::unexpected(trusted.error());
  }
  const auto sources = sources_with_events(database);
  if (!sources) return std::unexpected(sources.error());
  Planner planner(database, now, options);
  for (const std::string& source : *sources) {
    const auto policy = std::ranges::find_if(
        policies, [&](const RetentionPolicy& p) { return takes(p.sources, source); });
    if (policy == policies.end()) {
      planner.has_no_policy(source);
      continue;
    }
    if (auto planned = planner.plan(*policy, source); !planned) {
      return std::unexpected(planned.error());
    }
  }
  return planner.take();
}

Result<void> remove_batches(db::Database& database, const DueBatches& due, std::int64_t entry,
                            Timestamp now) {
  if (!due.held_because.empty()) {
    return fail(Code::denied, "what is held is not removed: " + due.held_because);
  }
  std::vector<ingest::EventRange> removed;
  for (const std::int64_t batch : due.entries) {
    if (auto done = database.run("DELETE FROM event WHERE number >= (SELECT first FROM event_batch"
                                 " WHERE entry = $1) AND number < (SELECT first + count FROM"
                                 " event_batch WHERE entry = $1)",
                                 {batch});
        !done) {
      return done;
    }
    const auto stored = ingest::load_batch(database, batch);
    if (!stored) return std::unexpected(stored.error());
    removed.push_back({.first = stored->first, .end = stored->first + stored->count});
    if (auto done = database.run("INSERT INTO removed_batch (batch, entry) VALUES ($1, $2)"
                                 " ON CONFLICT (batch) DO NOTHING",
                                 {batch, entry});
        !done) {
      return done;
    }
  }
  if (auto done = ingest::forget_entities(database, removed); !done) return done;
  return database.run(
      "INSERT INTO removal (entry, time, category, source, events, earliest, latest)"
      " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (entry) DO NOTHING",
      {entry, now.us, std::string_view(due.category), std::string_view(due.source), due.events,
       due.earliest.us, due.latest.us});
}

Result<std::vector<Removal>> load_removals(db::Database& database,
                                           const ledger::EntryRange& entries) {
  const auto rows = database.query(
      "SELECT entry, time, category, source, events, earliest, latest FROM removal "
      "WHERE entry >= $1 AND entry < $2 ORDER BY entry DESC",
      {entries.first, entries.end});
  if (!rows) return std::unexpected(rows.error());
  std::vector<Removal> removals;
  while (true) {
    const auto more = (*rows)->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) return removals;
    const db::Statement& row = **rows;
    removals.push_back({.entry = row.integer(0),
                        .when = {row.integer(1)},
                        .category = std::string(row.text(2)),
                        .source = std::string(row.text(3)),
                        .events = row.integer(4),
                        .earliest = {row.integer(5)},
                        .latest = {row.integer(6)}});
  }
}

Result<std::vector<Stored>> load_stored(db::Database& database) {
  const auto rows = database.query(
      "SELECT stream.source, SUM(count), MIN(earliest), MAX(latest), MIN(latest) FROM event_batch"
      " JOIN stream ON stream.stream = event_batch.stream WHERE NOT EXISTS"
      " (SELECT 1 FROM removed_batch WHERE removed_batch.batch = event_batch.entry)"
      " GROUP BY stream.source ORDER BY stream.source");
  if (!rows) return std::unexpected(rows.error());
  std::vector<Stored> stored;
  while (true) {
    const auto more = (*rows)->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) return stored;
    const db::Statement& row = **rows;
    stored.push_back({.source = std::string(row.text(0)),
                      .events = row.integer(1),
                      .earliest = {row.integer(2)},
                      .latest = {row.integer(3)},
                      .oldest_batch = {row.integer(4)}});
  }
}

Result<std::optional<std::int64_t>> removed_by(db::Database& database, std::int64_t batch) {
  const auto entry =
      database.integer("SELECT entry FROM removed_batch WHERE batch = $1", {batch}, -1);
  if (!entry) return std::unexpected(entry.error());
  if (*entry < 0) return std::optional<std::int64_t>();
  return std::optional<std::int64_t>(*entry);
}

json::Object to_record(const DueBatches& due, Timestamp now) {
  return {{"batches", to_ranges(due.entries)},
          {"category", due.category},
          {"cutoff", to_rfc3339(due.cutoff)},
          {"earliest", to_rfc3339(due.earliest)},
          {"events", due.events},
          {"latest", to_rfc3339(due.latest)},
          {"source", due.source},
          {"time", to_rfc3339(now)}};
}

json::Object to_json(const Sweep& sweep) {
  json::Array due;
  json::Array held;
  for (const DueBatches& one : sweep.due) {
    (one.held_because.empty() ? due : held)
        .push_back(json::Object{{"because", one.held_because},
                                {"category", one.category},
                                {"cutoff", to_rfc3339(one.cutoff)},
                                {"earliest", to_rfc3339(one.earliest)},
                                {"events", one.events},
                                {"latest", to_rfc3339(one.latest)},
                                {"source", one.source}});
  }
  json::Array without;
  for (const std::string& source : sweep.without_policy) without.push_back(source);
  return {{"complete", sweep.complete},
          {"due", std::move(due)},
          {"held", std::move(held)},
          {"without_policy", std::move(without)}};
}

}  // namespace mailwarden::privacy
