#include "detect/detection_table.h"

#include <algorithm>
#include <array>

namespace mailwarden::detect {
namespace {

constexpr std::array steps{db::Migration{"detect", 1, R"sql(
CREATE TABLE detection (
  number INTEGER PRIMARY KEY,
  incident BIGINT NOT NULL,
  entry BIGINT NOT NULL,
  rule TEXT NOT NULL,
  stream BIGINT NOT NULL,
  position BIGINT NOT NULL,
  time BIGINT NOT NULL,
  entity_kind TEXT NOT NULL,
  entity_name TEXT NOT NULL,
  body TEXT NOT NULL
);
CREATE INDEX detection_incident ON detection (incident, number);
CREATE INDEX detection_event ON detection (stream, position);
CREATE TABLE correlated_event (
  stream BIGINT NOT NULL,
  position BIGINT NOT NULL,
  detection BIGINT NOT NULL,
  PRIMARY KEY (stream, position, detection)
);
CREATE TABLE correlation (
  number INTEGER PRIMARY KEY,
  event BIGINT NOT NULL,
  body TEXT NOT NULL
);
)sql"},
                           // Which events a detection counted is told by its record.
                           db::Migration{"detect", 2, R"sql(
DROP TABLE correlated_event;
DROP INDEX detection_event;
)sql"},
                           db::Migration{"detect", 3, R"sql(
CREATE INDEX detection_rule ON detection (rule, number);
)sql"}};

constexpr std::array<std::string_view, 1> key{"number"};
constexpr std::array detection_columns{db::PersonalColumn{"entity_name"},
                                       db::PersonalColumn{"body"}};
constexpr std::array snapshot_columns{db::PersonalColumn{"body"}};
constexpr std::array personal{db::PersonalTable{"detection", key, detection_columns},
                              db::PersonalTable{"correlation", key, snapshot_columns}};

constexpr db::FieldPlace snapshot_place{.table = "correlation", .column = "body", .row = "1"};

constexpr std::string_view columns =
    "SELECT number, incident, entry, rule, body, stream, position, time, entity_kind"
    " FROM detection ";

json::Array also_json(const Detection& detection) {
  json::Array also;
  for (const Entity& one : detection.also) {
    also.push_back(json::Object{{"kind", one.kind}, {"name", one.name}});
  }
  return also;
}

Result<Detection> read_detection(db::Database& database, const db::Statement& row) {
  auto read = read_body(database, row.integer(0), row.text(4));
  if (read || read.error().code != Code::not_found) return read;
  return Detection{.rule_id = std::string(row.text(3)),
                   .title = std::string(db::erased_text),
                   .event = {row.integer(5), row.integer(6)},
                   .time = {row.integer(7)},
                   .entity = {std::string(row.text(8)), std::string(db::erased_text)}};
}

Result<std::vector<DetectionRow>> read_rows(db::Database& database,
                                            const Result<db::Statement*>& rows) {
  if (!rows) return std::unexpected(rows.error());
  std::vector<DetectionRow> read;
  while (true) {
    const auto more = (*rows)->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) return read;
    auto detection = read_detection(database, **rows);
    if (!detection) {
      return fail("detection " + std::to_string((*rows)->integer(0)), detection.error());
    }
    read.push_back({.number = (*rows)->integer(0),
                    .incident = (*rows)->integer(1),
                    .entry = (*rows)->integer(2),
                    .detection = *std::move(detection)});
  }
}

}  // namespace

std::span<const db::Migration> migrations() {
  return steps;
}

std::span<const db::PersonalTable> personal_tables() {
  return personal;
}

json::Object to_record(const Detection& detection) {
  json::Array because;
  for (const Because& one : detection.because) {
    because.push_back(
        json::Object{{"field", one.field}, {"selection", one.selection}, {"value", one.value}});
  }
  json::Array events;
  for (const EventId& event : detection.events) events.push_back(to_string(event));
  json::Array tags;
  for (const std::string& tag : detection.tags) tags.push_back(tag);
  json::Object facts;
  for (const auto& [name, worth] : detection.facts) facts[name] = worth;
  json::Object record{
      {"because", std::move(because)},
      {"count", detection.count},
      {"entity", json::Object{{"kind", detection.entity.kind}, {"name", detection.entity.name}}},
      {"event", to_string(detection.event)},
      {"event_time", to_rfc3339(detection.time)},
      {"events", std::move(events)},
      {"facts", std::move(facts)},
      {"level", to_string(detection.level)},
      {"rule", detection.rule_id},
      {"rule_file", detection.rule_file},
      {"rule_version", detection.rule_version},
      {"tags", std::move(tags)},
      {"title", detection.title}};
  // What an older version kept says nothing of them, so nothing is said where there are none.
  if (!detection.also.empty()) record["also"] = also_json(detection);
  return record;
}

Result<Detection> from_record(const json::Value& record) {
  Detection detection{.rule_id = record.text("rule"),
                      .title = record.text("title"),
                      .rule_file = record.text("rule_file"),
                      .rule_version = record.text("rule_version")};
  const auto event = parse_event_id(record.text("event"));
  const auto time = parse_rfc3339(record.text("event_time"));
  if (!event || !time) return fail(Code::corrupt, "it has no event or no time");
  detection.event = *event;
  detection.time = *time;
  if (const auto level = parse_level(record.text("level"))) detection.level = *level;
  detection.count = record.integer("count", 1);
  detection.entity = {record["entity"].text("kind"), record["entity"].text("name")};
  if (const auto* also = record["also"].as_array()) {
    for (const json::Value& one : *also) {
      detection.also.push_back({one.text("kind"), one.text("name")});
    }
  }
  if (const auto* tags = record["tags"].as_array()) {
    for (const json::Value& tag : *tags) {
      if (const auto* text = tag.as_string()) detection.tags.push_back(*text);
    }
  }
  if (const auto* because = record["because"].as_array()) {
    for (const json::Value& one : *because) {
      detection.because.push_back({one.text("selection"), one.text("field"), one.text("value")});
    }
  }
  if (const auto* events = record["events"].as_array()) {
    for (const json::Value& one : *events) {
      const std::string* text = one.as_string();
      const auto id = parse_event_id(text == nullptr ? std::string_view() : *text);
      if (!id) return std::unexpected(id.error());
      detection.events.push_back(*id);
    }
  }
  if (const auto* facts = record["facts"].as_object()) {
    for (const auto& [name, worth] : *facts) {
      if (const auto* number = worth.as_integer()) detection.facts[name] = *number;
    }
  }
  return detection;
}

Result<Detection> read_body(db::Database& database, std::int64_t number, std::string_view stored) {
  const auto plain = db::to_plain(database, personal[0], std::to_string(number), {"", stored});
  if (!plain) return std::unexpected(plain.error());
  const auto body = json::parse((*plain)[1]);
  if (!body) return fail(Code::corrupt, body.error().what);
  return from_record(*body);
}

Result<void> store_detection(db::Database& database, const DetectionRow& row) {
  const Detection& detection = row.detection;
  const std::string body = json::to_text(to_record(detection));
  const auto stored = db::to_stored(database, personal[0], std::to_string(row.number),
                                    {detection.entity.name, body});
  if (!stored) return std::unexpected(stored.error());
  return database.run(
      "INSERT INTO detection (number, incident, entry, rule, stream, position, time, entity_kind,"
      " entity_name, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
      {row.number, row.incident, row.entry, std::string_view(detection.rule_id),
       detection.event.stream, detection.event.position, detection.time.us,
       std::string_view(detection.entity.kind), std::string_view((*stored)[0]),
       std::string_view((*stored)[1])});
}

Result<std::int64_t> last_detection_number(db::Database& database) {
  return database.integer("SELECT MAX(number) FROM detection");
}

Result<std::vector<DetectionRow>> load_incident_detections(db::Database& database,
                                                           std::int64_t incident,
                                                           std::int64_t before,
                                                           std::int64_t limit) {
  return read_rows(database, database.query(std::string(columns) +
                                                "WHERE incident = $1"
                                                " AND number < $2 ORDER BY number DESC LIMIT $3",
                                            {incident, before, limit}));
}

Result<std::vector<DetectionRow>> load_detections(db::Database& database, std::int64_t before,
                                                  std::int64_t limit) {
  return read_rows(database, database.query(std::string(columns) +
                                                "WHERE number < $1 ORDER BY number DESC LIMIT $2",
                                            {before, limit}));
}

Result<std::vector<DetectionRow>> load_detections(db::Database& database,
                                                  std::span<const std::int64_t> numbers) {
  std::vector<DetectionRow> all;
  for (const std::int64_t number : numbers) {
    auto rows =
        read_rows(database, database.query(std::string(columns) + "WHERE number = $1", {number}));
    if (!rows) return rows;
    for (DetectionRow& row : *rows) all.push_back(std::move(row));
  }
  return all;
}

Result<std::vector<DetectionRow>> load_rule_detections(db::Database& database,
                                                       const std::string& rule, std::int64_t before,
                                                       std::int64_t limit) {
  return read_rows(database, database.query(std::string(columns) +
                                                "WHERE rule = $1"
                                                " AND number < $2 ORDER BY number DESC LIMIT $3",
                                            {std::string_view(rule), before, limit}));
}

Result<void> store_snapshot(db::Database& database, const Snapshot& snapshot) {
  // It names too many people to be sealed for each of them, so it has a key of its own.
  std::string body = snapshot.body;
  if (database.sealing() != nullptr) {
    auto sealed = database.sealing()->seal_for(snapshot_subject, snapshot_place, snapshot.body);
    if (!sealed) return std::unexpected(sealed.error());
    body = *std::move(sealed);
  }
  return database.run(
      "INSERT INTO correlation (number, event, body) VALUES (1, $1, $2)"
      " ON CONFLICT (number) DO UPDATE SET event = $1, body = $2",
      {snapshot.event, std::string_view(body)});
}

Result<Snapshot> load_snapshot(db::Database& database) {
  Snapshot snapshot;
  const auto row = database.query("SELECT event, body FROM correlation WHERE number = 1");
  if (!row) return std::unexpected(row.error());
  const auto found = (*row)->step();
  if (!found) return std::unexpected(found.error());
  if (*found) {
    auto body = db::to_plain(database, personal[1], "1", {(*row)->text(1)});
    if (body) snapshot = {(*row)->integer(0), std::move(body->front())};
    // One that was erased is made anew out of the events.
    if (!body && body.error().code != Code::not_found) return std::unexpected(body.error());
  }
  if (auto ended = (*row)->bind(std::span<const db::Value>()); !ended) {
    return std::unexpected(ended.error());
  }
  return snapshot;
}

}  // namespace mailwarden::detect
