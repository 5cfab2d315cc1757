#include "ingest/event_entities.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "base/text.h"
#include "crypto/sha256.h"
#include "event/event_json.h"
#include "ingest/event_table.h"

namespace mailwarden::ingest {
namespace {

// What a number is the hash of.
std::string hashed_text(EntityKind kind, std::string_view name) {
  std::string text = kind == EntityKind::account ? "account " : "address ";
  for (const char c : name) text += to_lower(c);
  return text;
}

std::int64_t number_of(std::string_view text) {
  const crypto::Digest digest = crypto::sha256(text);
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    number = number << 8 | std::to_integer<std::uint64_t>(digest[i]);
  }
  return static_cast<std::int64_t>(number);
}

std::string place_text(std::size_t place) {
  return {static_cast<char>(place >> 8), static_cast<char>(place & 0xFF)};
}

// A page of batches that an older version stored.
Result<std::vector<EventBatchRow>> load_unindexed(db::Database& database) {
  constexpr std::int64_t page = 64;
  const auto rows = database.query(
      "SELECT entry, stream, first, count, earliest, latest FROM event_batch WHERE indexed = 0"
      " ORDER BY entry LIMIT $1",
      {page});
  if (!rows) return std::unexpected(rows.error());
  std::vector<EventBatchRow> batches;
  while (true) {
    const auto more = (*rows)->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) return batches;
    batches.push_back(read_batch_row(**rows));
  }
}

Result<void> index_batch(db::Database& database, const EventBatchRow& batch) {
  const auto entities = entities_of(database, batch);
  if (!entities) return std::unexpected(entities.error());
  if (auto done = store_entities(database, batch.entry, *entities); !done) return done;
  return database.run("UPDATE event_batch SET indexed = 1 WHERE entry = $1", {batch.entry});
}

}  // namespace

std::int64_t entity_number(EntityKind kind, std::string_view name) {
  return number_of(hashed_text(kind, name));
}

bool names(const Event& event, EntityKind kind, std::string_view name) {
  if (name.empty()) return false;
  if (kind == EntityKind::address) return equal_ignoring_case(event.ocsf.src_ip, name);
  return equal_ignoring_case(event.ocsf.actor_user, name) ||
         equal_ignoring_case(event.ocsf.user, name);
}

void EntityGatherer::add(EntityKind kind, std::string_view name) {
  if (name.empty()) return;
  std::string& places = places_[hashed_text(kind, name)];
  const std::string place = place_text(events_);
  // Who acts on the own account is named twice.
  if (!places.ends_with(place)) places += place;
}

void EntityGatherer::add(const Event& event) {
  CHECK(events_ < batch_events_max);
  add(EntityKind::account, event.ocsf.actor_user);
  add(EntityKind::account, event.ocsf.user);
  add(EntityKind::address, event.ocsf.src_ip);
  ++events_;
}

std::vector<EventEntity> EntityGatherer::take() {
  std::vector<EventEntity> entities;
  entities.reserve(places_.size());
  for (auto& [text, places] : places_) {
    entities.push_back({.entity = number_of(text), .places = std::move(places)});
  }
  std::ranges::sort(entities, {}, &EventEntity::entity);
  places_.clear();
  events_ = 0;
  return entities;
}

std::vector<std::size_t> places_of(std::string_view places) {
  std::vector<std::size_t> found;
  for (std::size_t at = 0; at + 1 < places.size(); at += 2) {
    found.push_back(static_cast<std::size_t>(static_cast<unsigned char>(places[at])) << 8 |
                    static_cast<unsigned char>(places[at + 1]));
  }
  return found;
}

Result<std::vector<EventEntity>> entities_of(db::Database& database, const EventBatchRow& batch) {
  const auto events = load_batch_events(database, batch);
  if (!events) return std::unexpected(events.error());
  EntityGatherer gatherer;
  for (const EventRow& row : *events) {
    const auto event = parse_event(row.record);
    if (!event) return std::unexpected(event.error());
    gatherer.add(*event);
  }
  return gatherer.take();
}

Result<void> store_entities(db::Database& database, std::int64_t entry,
                            std::span<const EventEntity> entities) {
  constexpr std::array<std::string_view, 3> columns{"entity", "entry", "places"};
  auto entity = entities.begin();
  return database.insert_rows("event_entity", columns, [&](std::span<db::Value> row) {
    if (entity == entities.end()) return false;
    row[0] = entity->entity;
    row[1] = entry;
    row[2] = db::Blob(std::as_bytes(std::span(entity->places)));
    ++entity;
    return true;
  });
}

Result<void> index_old_batches(db::Database& database) {
  while (true) {
    const auto batches = load_unindexed(database);
    if (!batches) return std::unexpected(batches.error());
    if (batches->empty()) return {};
    auto transaction = db::Transaction::begin(database);
    if (!transaction) return std::unexpected(transaction.error());
    for (const EventBatchRow& batch : *batches) {
      if (auto done = index_batch(database, batch); !done) return done;
    }
    if (auto done = transaction->commit(); !done) return done;
  }
}

}  // namespace mailwarden::ingest
