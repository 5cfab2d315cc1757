// Which events are about whom: an index by account and address.
//
// What     For every account and address that an event names the index keeps a number made of a
//          hash of the name, and the event's number. Two names of one number cost a look at an
//          event that is not the one wanted. Rows of the index are runs: sorted lists over the
//          events of one batch and, once there are enough of them, over many batches, one list for
//          each of 256 parts of the entities. So writing goes on at the ends of few lists, and a
//          question looks into one list a run.
// Owns     Table event_entity, made by the steps of event_table.h.
// Threads  As the Database passed in; the rest is pure.
// Errors   As Database; corrupt where a stored event or run cannot be read back.
// Limits   A run spans less than 2^32 events.
// Source   O'Neil et al., "The Log-Structured Merge-Tree", 1996, with two levels.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "db/database.h"
#include "db/sealing.h"
#include "event/event.h"

namespace mailwarden::ingest {

enum class EntityKind : std::uint8_t { account, address };

// ASCII letters count as their small ones. In a store with keys the number is made with them, so
// that whoever has the store alone cannot look a name up.
Result<std::int64_t> entity_number(EntityKind kind, std::string_view name, db::Sealing* sealing);

// Whether the event names it: an account as who acts or as whose account it is, an address as the
// one that the event came from.
bool names(const Event& event, EntityKind kind, std::string_view name);

struct EntityPlace {
  std::int64_t entity = 0;
  std::int64_t event = 0;  // its number, or how far behind the first of the batch it stands

  auto operator<=>(const EntityPlace&) const = default;
};

// Gathers what the events of a batch name, one after the other.
class EntityGatherer {
 public:
  explicit EntityGatherer(db::Sealing* sealing) : sealing_(sealing) {}

  void add(const Event& event);
  // In order, events counted from 0.
  Result<std::vector<EntityPlace>> take();

 private:
  void add(EntityKind kind, std::string_view name);

  db::Sealing* sealing_;
  std::vector<EntityPlace> places_;
  std::int64_t events_ = 0;
  Result<void> good_;
};

// Events `first` to `end` - 1 by their numbers.
struct EventRange {
  std::int64_t first = 0;
  std::int64_t end = INT64_MAX;

  bool operator==(const EventRange&) const = default;
};

// A run over one batch, whose first event has that number; its places count from it.
Result<void> store_entities(db::Database& database, std::int64_t first,
                            std::span<const EntityPlace> places);
// Makes one run of all those over single batches. Due every merge_batches batches.
inline constexpr std::int64_t merge_batches = 256;
Result<void> merge_entities(db::Database& database);
// What a run holds, in order; corrupt where it is no run.
Result<std::vector<EntityPlace>> load_run(db::Database& database, std::int64_t level,
                                          std::int64_t base);
// Takes a name out of the index, wherever it stands.
Result<void> forget_entity(db::Database& database, std::int64_t entity);
// Takes whole batches out of the index, by the numbers of their events.
Result<void> forget_entities(db::Database& database, std::span<const EventRange> events);
// What an older version stored without an index gets one; runs that wait to be merged are.
Result<void> complete_entities(db::Database& database);

// Finds events that name all of some entities, the newest first, a run at a time.
class EntitySearch {
 public:
  EntitySearch(db::Database& database, std::vector<std::int64_t> entities, EventRange within);

  // Of the next run, newest first, perhaps none; nothing behind the last run.
  Result<std::optional<std::vector<std::int64_t>>> next();

 private:
  struct Run {
    std::int64_t base = 0;
    std::vector<std::int64_t> events;  // those that name all of the entities
  };
  Result<void> load_runs();
  Result<void> keep_common(std::int64_t entity);

  db::Database& database_;
  std::vector<std::int64_t> entities_;
  EventRange within_;
  std::int64_t level_ = 0;
  std::int64_t handled_ = INT64_MAX;  // events from here on were in earlier runs
  std::int64_t below_;                // runs with smaller bases are still to come
  std::vector<Run> runs_;             // loaded ahead, the oldest first
};

}  // namespace mailwarden::ingest
