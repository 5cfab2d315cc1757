// Which events are about whom: an index by account and address.
//
// What     Each batch of events has a row for every account and every address that its events name,
//          with their places in the batch. A name stands there as a number made of its hash, so
//          that the row is short; two names of one number cost a look at an event that is not the
//          one wanted.
// Owns     Table event_entity.
// Threads  As the Database passed in; the rest is pure.
// Errors   As Database; corrupt where a stored event cannot be read back.
// Limits   A batch has at most batch_events_max events.
// Source   None.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "db/database.h"
#include "event/event.h"

namespace mailwarden::ingest {

struct EventBatchRow;

inline constexpr std::size_t batch_events_max = 65'536;

enum class EntityKind : std::uint8_t { account, address };

// ASCII letters count as their small ones.
std::int64_t entity_number(EntityKind kind, std::string_view name);

// Whether the event names it: an account as who acts or as whose account it is, an address as the
// one that the event came from.
bool names(const Event& event, EntityKind kind, std::string_view name);

struct EventEntity {
  std::int64_t entity = 0;
  std::string places;  // of the events in their batch, in order: two bytes each, the high one first

  bool operator==(const EventEntity&) const = default;
};

// Gathers what the events of a batch name, one after the other.
class EntityGatherer {
 public:
  void add(const Event& event);
  // In the order of their numbers.
  std::vector<EventEntity> take();

 private:
  void add(EntityKind kind, std::string_view name);

  std::unordered_map<std::string, std::string> places_;  // by what a number is made of
  std::size_t events_ = 0;
};

std::vector<std::size_t> places_of(std::string_view places);

// Of the events that are still stored; places count from the batch's first event, which is why it
// is asked for whole batches alone.
Result<std::vector<EventEntity>> entities_of(db::Database& database, const EventBatchRow& batch);
Result<void> store_entities(db::Database& database, std::int64_t entry,
                            std::span<const EventEntity> entities);
// What an older version stored without an index gets one.
Result<void> index_old_batches(db::Database& database);

}  // namespace mailwarden::ingest
