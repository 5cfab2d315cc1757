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

constexpr std::array<std::string_view, 1> incident_key{"number"};
constexpr std::array incident_columns{db::PersonalColumn{"entity_name"},
                                      db::PersonalColumn{"body"}};
constexpr std::array<std::string_view, 2> change_key{"incident", "sequence"};
constexpr std::array change_columns{db::PersonalColumn{"body"}};
constexpr std::array personal{db::PersonalTable{"incident", incident_key, incident_columns},
                              db::PersonalTable{"incident_change", change_key, change_columns}};

constexpr std::string_view columns =
    "SELECT number, body, state, severity, entity_kind, opened, changed FROM"
    " incident ";
constexpr std::string_view change_columns_sql =
    "SELECT incident, sequence, entry, time, body FROM incident_change ";

std::unexpected<Error> damaged(std::int64_t number) {
  return fail(Code::corrupt, "the stored incident " + std::to_string(number) + " is damaged");
}

// What is left of one whose key was shredded.
Result<Incident> erased_incident(const db::Statement& row) {
  const auto state = parse_state(row.text(2));
  if (!state) return damaged(row.integer(0));
  return Incident{.number = row.integer(0),
                  .title = std::string(db::erased_text),
                  .entity = {std::string(row.text(4)), std::string(db::erased_text)},
                  .state = *state,
                  .severity = static_cast<Severity>(std::clamp<std::int64_t>(row.integer(3), 0, 3)),
                  .opened = {row.integer(5)},
                  .changed = {row.integer(6)},
                  .first_event = {row.integer(5)},
                  .last_event = {row.integer(5)}};
}

Result<Incident> read_incident(db::Database& database, const db::Statement& row) {
  const auto plain = db::to_plain(database, personal[0], row.text(0), {"", row.text(1)});
  if (plain) {
    const auto body = json::parse((*plain)[1]);
    return body ? incident_from_json(row.integer(0), *body)
                : Result<Incident>(damaged(row.integer(0)));
  }
  if (plain.error().code == Code::not_found) return erased_incident(row);
  return std::unexpected(plain.error());
}

Result<std::vector<Incident>> read_incidents(db::Database& database,
                                             const Result<db::Statement*>& rows) {
  if (!rows) return std::unexpected(rows.error());
  std::vector<Incident> read;
  while (true) {
    const auto more = (*rows)->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) return read;
    auto incident = read_incident(database, **rows);
    if (!incident) return std::unexpected(incident.error());
    read.push_back(*std::move(incident));
  }
}

Result<json::Value> read_change_body(db::Database& database, const db::Statement& row) {
  const auto plain =
      db::to_plain(database, personal[1], db::row_name({row.text(0), row.text(1)}), {row.text(4)});
  if (!plain && plain.error().code == Code::not_found) {
    return json::Value(json::Object{{"why", db::erased_text}});
  }
  if (!plain) return std::unexpected(plain.error());
  auto body = json::parse(plain->front());
  if (!body) return damaged(row.integer(0));
  return body;
}

Result<std::vector<ChangeRow>> read_changes(db::Database& database,
                                            const Result<db::Statement*>& rows) {
  if (!rows) return std::unexpected(rows.error());
  std::vector<ChangeRow> read;
  while (true) {
    const auto more = (*rows)->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) return read;
    const auto body = read_change_body(database, **rows);
    if (!body) return std::unexpected(body.error());
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

std::span<const db::PersonalTable> personal_tables() {
  return personal;
}

Result<void> store_incident(db::Database& database, const Incident& incident) {
  const std::string body = json::to_text(to_json(incident));
  const auto stored = db::to_stored(database, personal[0], std::to_string(incident.number),
                                    {incident.entity.name, body});
  if (!stored) return std::unexpected(stored.error());
  return database.run(
      "INSERT INTO incident (number, state, severity, entity_kind, entity_name, opened, changed,"
      " body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) "
      "ON CONFLICT (number) DO UPDATE SET state = $2, severity = $3, changed = $7, body = $8",
      {incident.number, to_string(incident.state), static_cast<std::int64_t>(incident.severity),
       std::string_view(incident.entity.kind), std::string_view((*stored)[0]), incident.opened.us,
       incident.changed.us, std::string_view((*stored)[1])});
}

Result<void> store_change(db::Database& database, const ChangeRow& row) {
  const std::string body = json::to_text(to_record(row.change));
  const std::string incident = std::to_string(row.change.incident);
  const std::string sequence = std::to_string(row.change.sequence);
  const auto stored =
      db::to_stored(database, personal[1], db::row_name({incident, sequence}), {body});
  if (!stored) return std::unexpected(stored.error());
  return database.run(
      "INSERT INTO incident_change (incident, sequence, entry, time, body)"
      " VALUES ($1, $2, $3, $4, $5)",
      {row.change.incident, row.change.sequence, row.entry, row.change.when.us,
       std::string_view(stored->front())});
}

Result<std::vector<Incident>> load_open_incidents(db::Database& database) {
  return read_incidents(
      database,
      database.query(std::string(columns) +
                     "WHERE state NOT IN ('closed', 'dismissed', 'merged') ORDER BY number"));
}

Result<std::int64_t> last_incident_number(db::Database& database) {
  return database.integer("SELECT MAX(number) FROM incident");
}

Result<Incident> load_incident(db::Database& database, std::int64_t number) {
  auto found = read_incidents(database,
                              database.query(std::string(columns) + "WHERE number = $1", {number}));
  if (!found) return std::unexpected(found.error());
  if (found->empty()) {
    return fail(Code::not_found, "there is no incident " + std::to_string(number));
  }
  return std::move(found->front());
}

Result<std::vector<ChangeRow>> load_changes(db::Database& database, std::int64_t incident) {
  return read_changes(database, database.query(std::string(change_columns_sql) +
                                                   "WHERE incident = $1 ORDER BY sequence",
                                               {incident}));
}

Result<std::vector<ChangeRow>> load_changes(db::Database& database,
                                            const ledger::EntryRange& entries) {
  return read_changes(database,
                      database.query(std::string(change_columns_sql) +
                                         "WHERE entry >= $1 AND entry < $2 ORDER BY entry",
                                     {entries.first, entries.end}));
}

Result<std::vector<Incident>> query_incidents(db::Database& database, const IncidentQuery& query) {
  const std::int64_t before = query.before.value_or(INT64_MAX);
  const std::int64_t limit = std::clamp<std::int64_t>(query.limit, 1, IncidentQuery::limit_max);
  const std::int64_t severity = query.severity ? static_cast<std::int64_t>(*query.severity) : 0;
  const std::string_view state = query.state ? to_string(*query.state) : "";
  if (query.severity && query.state) {
    return read_incidents(
        database,
        database.query(std::string(columns) + "WHERE severity = $1 AND state = $2"
                                              " AND number < $3 ORDER BY number DESC LIMIT $4",
                       {severity, state, before, limit}));
  }
  if (query.severity) {
    return read_incidents(
        database,
        database.query(std::string(columns) + "WHERE severity = $1"
                                              " AND number < $2 ORDER BY number DESC LIMIT $3",
                       {severity, before, limit}));
  }
  if (query.state) {
    return read_incidents(
        database,
        database.query(std::string(columns) + "WHERE state = $1"
                                              " AND number < $2 ORDER BY number DESC LIMIT $3",
                       {state, before, limit}));
  }
  return read_incidents(
      database,
      database.query(std::string(columns) + "WHERE number < $1 ORDER BY number DESC LIMIT $2",
                     {before, limit}));
}

Result<void> for_each_incident(db::Database& database,
                               const std::function<void(Incident& incident)>& take) {
  IncidentQuery query{.limit = IncidentQuery::limit_max};
  while (true) {
    auto page = query_incidents(database, query);
    if (!page) return std::unexpected(page.error());
    for (Incident& one : *page) take(one);
    if (std::ssize(*page) < query.limit) return {};
    query.before = page->back().number;
  }
}

Result<std::vector<Incident>> load_similar(db::Database& database, const Incident& to,
                                           std::int64_t limit) {
  const auto name = db::to_index(database, personal[0], "entity_name", to.entity.name);
  if (!name) return std::unexpected(name.error());
  return read_incidents(
      database,
      database.query(std::string(columns) + "WHERE entity_kind = $1 AND entity_name = $2"
                                            " AND number <> $3 ORDER BY number DESC LIMIT $4",
                     {std::string_view(to.entity.kind), std::string_view(*name), to.number,
                      std::clamp<std::int64_t>(limit, 1, IncidentQuery::limit_max)}));
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
