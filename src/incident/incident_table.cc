#include "incident/incident_table.h"

#include <algorithm>
#include <array>

namespace mailwarden::incident {
namespace {

constexpr std::array steps{db::Migration{"incident", 1, R"sql(
CREATE TABLE incident (
  number INTEGER PRIMARY KEY,
  state TEXT NOT NULL,
  severity BIGINT NOT NULL,
  entity_kind TEXT NOT NULL,
  entity_name TEXT NOT NULL,
  opened BIGINT NOT NULL,
  changed BIGINT NOT NULL,
  body TEXT NOT NULL
);
CREATE INDEX incident_state ON incident (state, number);
CREATE INDEX incident_severity ON incident (severity, number);
CREATE INDEX incident_entity ON incident (entity_kind, entity_name, number);
CREATE TABLE incident_change (
  incident BIGINT NOT NULL,
  sequence BIGINT NOT NULL,
  entry BIGINT NOT NULL,
  time BIGINT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (incident, sequence)
);
CREATE INDEX incident_change_time ON incident_change (time);
)sql"},
                           // Reports ask by entry, since a clock may jump.
                           db::Migration{"incident", 2, R"sql(
DROP INDEX incident_change_time;
CREATE INDEX incident_change_entry ON incident_change (entry);
)sql"}};

constexpr std::array levels{detect::Level::informational, detect::Level::low, detect::Level::medium,
                            detect::Level::high, detect::Level::critical};

std::unexpected<Error> damaged(std::int64_t number) {
  return fail(Code::corrupt, "the stored incident " + std::to_string(number) + " is damaged");
}

std::vector<std::string> texts(const json::Value& list) {
  std::vector<std::string> found;
  if (const auto* items = list.as_array()) {
    for (const json::Value& item : *items) {
      if (const auto* text = item.as_string()) found.push_back(*text);
    }
  }
  return found;
}

Result<Incident> from_json(std::int64_t number, std::string_view text) {
  const auto body = json::parse(text);
  if (!body) return damaged(number);
  const auto state = parse_state(body->text("state"));
  const auto opened = parse_rfc3339(body->text("opened"));
  const auto changed = parse_rfc3339(body->text("changed"));
  const auto first = parse_rfc3339(body->text("first_event"));
  const auto last = parse_rfc3339(body->text("last_event"));
  const std::int64_t severity = body->integer("severity", -1);
  const bool graded = severity >= 0 && severity <= static_cast<std::int64_t>(Severity::extreme);
  if (!state || !opened || !changed || !first || !last || !graded) return damaged(number);
  Incident incident{.number = number,
                    .title = body->text("title"),
                    .entity = {(*body)["entity"].text("kind"), (*body)["entity"].text("name")},
                    .state = *state,
                    .severity = static_cast<Severity>(severity),
                    .overruled = static_cast<Severity>(
                        std::clamp<std::int64_t>(body->integer("overruled"), 0, 3)),
                    .row = body->text("row"),
                    .because = texts((*body)["because"]),
                    .opened = *opened,
                    .changed = *changed,
                    .first_event = *first,
                    .last_event = *last,
                    .detections = body->integer("detection_count"),
                    .assignee = body->text("assignee"),
                    .changes = body->integer("changes_count")};
  for (std::string& rule : texts((*body)["rules"])) incident.rules.insert(std::move(rule));
  for (const detect::Level level : levels) {
    if (detect::to_string(level) == body->text("level")) incident.level = level;
  }
  if (const auto* facts = (*body)["facts"].as_object()) {
    for (const auto& [name, worth] : *facts) {
      if (const auto* value = worth.as_integer()) incident.facts[name] = *value;
    }
  }
  return incident;
}

Result<std::vector<Incident>> read_incidents(const Result<db::Statement*>& rows) {
  if (!rows) return std::unexpected(rows.error());
  std::vector<Incident> read;
  while (true) {
    const auto more = (*rows)->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) return read;
    auto incident = from_json((*rows)->integer(0), (*rows)->text(1));
    if (!incident) return std::unexpected(incident.error());
    read.push_back(*std::move(incident));
  }
}

Result<std::vector<ChangeRow>> read_changes(const Result<db::Statement*>& rows) {
  if (!rows) return std::unexpected(rows.error());
  std::vector<ChangeRow> read;
  while (true) {
    const auto more = (*rows)->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) return read;
    const auto body = json::parse((*rows)->text(4));
    if (!body) return damaged((*rows)->integer(0));
    const auto* before = (*body)["before"].as_object();
    const auto* after = (*body)["after"].as_object();
    read.push_back({.entry = (*rows)->integer(2),
                    .change = {.incident = (*rows)->integer(0),
                               .sequence = (*rows)->integer(1),
                               .when = {(*rows)->integer(3)},
                               .kind = body->text("change"),
                               .before = before == nullptr ? json::Object() : *before,
                               .after = after == nullptr ? json::Object() : *after,
                               .why = body->text("why"),
                               .who = body->text("who")}});
  }
}

}  // namespace

std::span<const db::Migration> migrations() {
  return steps;
}

Result<void> store_incident(db::Database& database, const Incident& incident) {
  const std::string body = json::to_text(to_json(incident));
  return database.run(
      "INSERT INTO incident (number, state, severity, entity_kind, entity_name, opened, changed,"
      " body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) "
      "ON CONFLICT (number) DO UPDATE SET state = $2, severity = $3, changed = $7, body = $8",
      {incident.number, to_string(incident.state), static_cast<std::int64_t>(incident.severity),
       std::string_view(incident.entity.kind), std::string_view(incident.entity.name),
       incident.opened.us, incident.changed.us, std::string_view(body)});
}

Result<void> store_change(db::Database& database, const ChangeRow& row) {
  const std::string body = json::to_text(to_record(row.change));
  return database.run(
      "INSERT INTO incident_change (incident, sequence, entry, time, body)"
      " VALUES ($1, $2, $3, $4, $5)",
      {row.change.incident, row.change.sequence, row.entry, row.change.when.us,
       std::string_view(body)});
}

Result<std::vector<Incident>> load_open_incidents(db::Database& database) {
  return read_incidents(
      database.query("SELECT number, body FROM incident"
                     " WHERE state NOT IN ('closed', 'dismissed', 'merged') ORDER BY number"));
}

Result<std::int64_t> last_incident_number(db::Database& database) {
  return database.integer("SELECT MAX(number) FROM incident");
}

Result<Incident> load_incident(db::Database& database, std::int64_t number) {
  auto found = read_incidents(
      database.query("SELECT number, body FROM incident WHERE number = $1", {number}));
  if (!found) return std::unexpected(found.error());
  if (found->empty()) {
    return fail(Code::not_found, "there is no incident " + std::to_string(number));
  }
  return std::move(found->front());
}

Result<std::vector<ChangeRow>> load_changes(db::Database& database, std::int64_t incident) {
  return read_changes(
      database.query("SELECT incident, sequence, entry, time, body FROM incident_change"
                     " WHERE incident = $1 ORDER BY sequence",
                     {incident}));
}

Result<std::vector<ChangeRow>> load_changes(db::Database& database,
                                            const ledger::EntryRange& entries) {
  return read_changes(
      database.query("SELECT incident, sequence, entry, time, body FROM incident_change"
                     " WHERE entry >= $1 AND entry < $2 ORDER BY entry",
                     {entries.first, entries.end}));
}

Result<std::vector<Incident>> query_incidents(db::Database& database, const IncidentQuery& query) {
  const std::int64_t before = query.before.value_or(INT64_MAX);
  const std::int64_t limit = std::clamp<std::int64_t>(query.limit, 1, IncidentQuery::limit_max);
  const std::int64_t severity = query.severity ? static_cast<std::int64_t>(*query.severity) : 0;
  const std::string_view state = query.state ? to_string(*query.state) : "";
  if (query.severity && query.state) {
    return read_incidents(
        database.query("SELECT number, body FROM incident WHERE severity = $1 AND state = $2"
                       " AND number < $3 ORDER BY number DESC LIMIT $4",
                       {severity, state, before, limit}));
  }
  if (query.severity) {
    return read_incidents(
        database.query("SELECT number, body FROM incident WHERE severity = $1"
                       " AND number < $2 ORDER BY number DESC LIMIT $3",
                       {severity, before, limit}));
  }
  if (query.state) {
    return read_incidents(
        database.query("SELECT number, body FROM incident WHERE state = $1"
                       " AND number < $2 ORDER BY number DESC LIMIT $3",
                       {state, before, limit}));
  }
  return read_incidents(database.query(
      "SELECT number, body FROM incident WHERE number < $1 ORDER BY number DESC LIMIT $2",
      {before, limit}));
}

Result<IncidentCounts> count_incidents(db::Database& database) {
  const auto total = database.integer("SELECT COUNT(*) FROM incident");
  if (!total) return std::unexpected(total.error());
  const auto open = database.integer(
      "SELECT COUNT(*) FROM incident WHERE state NOT IN ('closed', 'dismissed', 'merged')");
  if (!open) return std::unexpected(open.error());
  return IncidentCounts{.total = *total, .open = *open};
}

}  // namespace mailwarden::incident
