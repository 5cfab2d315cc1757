#include "alert/outbox.h"

#include <algorithm>
#include <array>

namespace mailwarden::alert {
namespace {

constexpr std::array alert_steps{db::Migration{"alert", 1, R"sql(
CREATE TABLE alert (
  entry BIGINT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  receiver TEXT NOT NULL,
  incident BIGINT NOT NULL,
  time BIGINT NOT NULL,
  standing TEXT NOT NULL,
  tries BIGINT NOT NULL,
  trouble TEXT NOT NULL,
  settled BIGINT NOT NULL,
  subject TEXT NOT NULL,
  event TEXT NOT NULL
);
CREATE INDEX alert_standing ON alert (standing, entry);
CREATE INDEX alert_incident ON alert (incident, entry);
CREATE INDEX alert_time ON alert (time);
)sql"},
                                 db::Migration{"alert", 2, "DROP INDEX alert_time;"}};

constexpr std::array<std::string_view, 1> alert_key{"entry"};
constexpr std::array alert_columns{db::PersonalColumn{"trouble"}, db::PersonalColumn{"event"},
                                   db::PersonalColumn{"subject"}};
constexpr std::array personal_alert{db::PersonalTable{"alert", alert_key, alert_columns}};

constexpr std::array standings{std::pair{Standing::pending, std::string_view("pending")},
                               std::pair{Standing::delivered, std::string_view("delivered")},
                               std::pair{Standing::failed, std::string_view("failed")},
                               std::pair{Standing::silenced, std::string_view("silenced")}};

constexpr std::string_view alert_sql =
    "SELECT entry, name, receiver, incident, time, standing, tries, trouble, settled, subject,"
    " event FROM alert ";

// Trouble, event and subject of a row of all columns.
Result<std::vector<std::string>> read_personal(db::Database& database, const db::Statement& row) {
  auto plain = db::to_plain(database, personal_alert[0], row.text(0),
                            {row.text(7), row.text(10), row.text(9)});
  if (plain || plain.error().code != Code::not_found) return plain;
  return std::vector<std::string>{"", "{}", std::string(db::erased_text)};
}

Result<std::vector<AlertRow>> read_alerts(db::Database& database,
                                          const Result<db::Statement*>& rows) {
  if (!rows) return std::unexpected(rows.error());
  std::vector<AlertRow> read;
  while (true) {
    const auto more = (*rows)->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) return read;
    const db::Statement& row = **rows;
    const auto plain = read_personal(database, row);
    if (!plain) return std::unexpected(plain.error());
    const auto event = json::parse((*plain)[1]);
    const auto* const standing =
        std::ranges::find(standings, row.text(5), [](const auto& s) { return s.second; });
    if (!event || event->as_object() == nullptr || standing == standings.end()) {
      return fail(Code::corrupt, "the stored alert " + std::string(row.text(1)) + " is damaged");
    }
    read.push_back({.entry = row.integer(0),
                    .alert = {.key = std::string(row.text(1)),
                              .receiver = std::string(row.text(2)),
                              .incident = row.integer(3),
                              .time = {row.integer(4)},
                              .subject = (*plain)[2],
                              .event = *event->as_object()},
                    .standing = standing->first,
                    .tries = row.integer(6),
                    .trouble = (*plain)[0],
                    .settled = {row.integer(8)}});
  }
}

}  // namespace

std::span<const db::Migration> migrations() {
  return alert_steps;
}

std::span<const db::PersonalTable> personal_tables() {
  return personal_alert;
}

std::string_view to_string(Standing standing) {
  return std::ranges::find(standings, standing, [](const auto& s) { return s.first; })->second;
}

json::Object to_record(const Outcome& outcome, const std::string& receiver) {
  json::Object record{{"key", outcome.key},
                      {"receiver", receiver},
                      {"standing", to_string(outcome.standing)},
                      {"tries", outcome.tries}};
  if (!outcome.trouble.empty()) record["trouble"] = outcome.trouble;
  return record;
}

json::Object to_json(const AlertRow& row) {
  json::Object object{{"entry", row.entry},
                      {"event", row.alert.event},
                      {"incident", row.alert.incident},
                      {"key", row.alert.key},
                      {"receiver", row.alert.receiver},
                      {"standing", to_string(row.standing)},
                      {"subject", row.alert.subject},
                      {"time", to_rfc3339(row.alert.time)},
                      {"tries", row.tries}};
  if (!row.trouble.empty()) object["trouble"] = row.trouble;
  if (row.settled.us != 0) object["settled"] = to_rfc3339(row.settled);
  return object;
}

Result<void> store_alert(db::Database& database, const AlertRow& row) {
  const std::string event = json::to_text(row.alert.event);
  const auto stored = db::to_stored(database, personal_alert[0], std::to_string(row.entry),
                                    {row.trouble, event, row.alert.subject});
  if (!stored) return std::unexpected(stored.error());
  return database.run(
      "INSERT INTO alert (entry, name, receiver, incident, time, standing, tries, trouble, settled,"
      " subject, event) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
      {row.entry, std::string_view(row.alert.key), std::string_view(row.alert.receiver),
       row.alert.incident, row.alert.time.us, to_string(row.standing), row.tries,
       std::string_view((*stored)[0]), row.settled.us, std::string_view((*stored)[2]),
       std::string_view((*stored)[1])});
}

Result<void> store_outcome(db::Database& database, const Alert* alert, const Outcome& outcome,
                           Timestamp now) {
  if (database.sealing() == nullptr) {
    return database.run(
        "UPDATE alert SET standing = $2, tries = $3, trouble = $4, settled = $5 WHERE name = $1",
        {std::string_view(outcome.key), to_string(outcome.standing), outcome.tries,
         std::string_view(outcome.trouble), now.us});
  }
  if (alert == nullptr) {
    return database.run(
        "UPDATE alert SET standing = $2, tries = $3, settled = $4 WHERE name = $1",
        {std::string_view(outcome.key), to_string(outcome.standing), outcome.tries, now.us});
  }
  // What is personal of a row is sealed together.
  const auto entry = database.integer("SELECT entry FROM alert WHERE name = $1",
                                      {std::string_view(outcome.key)}, -1);
  if (!entry) return std::unexpected(entry.error());
  if (*entry < 0) return {};
  const std::string event = json::to_text(alert->event);
  const auto stored = db::to_stored(database, personal_alert[0], std::to_string(*entry),
                                    {outcome.trouble, event, alert->subject});
  if (!stored) return std::unexpected(stored.error());
  return database.run(
      "UPDATE alert SET standing = $2, tries = $3, subject = $4, settled = $5 WHERE entry = $1",
      {*entry, to_string(outcome.standing), outcome.tries, std::string_view((*stored)[2]), now.us});
}

Result<std::vector<AlertRow>> load_pending(db::Database& database) {
  return read_alerts(database, database.query(std::string(alert_sql) +
                                              "WHERE standing = 'pending' ORDER BY entry"));
}

Result<std::optional<AlertRow>> last_checkpoint_alert(db::Database& database,
                                                      std::string_view receiver) {
  auto rows = read_alerts(
      database,
      database.query(std::string(alert_sql) +
                         "WHERE incident = 0 AND receiver = $1 AND name LIKE '%.checkpoint-%'"
                         " ORDER BY entry DESC LIMIT 1",
                     {receiver}));
  if (!rows) return std::unexpected(rows.error());
  if (rows->empty()) return std::optional<AlertRow>();
  return std::optional<AlertRow>(std::move(rows->front()));
}

Result<std::vector<AlertRow>> query_alerts(db::Database& database, const AlertQuery& query) {
  const std::int64_t before = query.before.value_or(INT64_MAX);
  const std::int64_t limit = std::clamp<std::int64_t>(query.limit, 1, AlertQuery::limit_max);
  if (query.incident) {
    return read_alerts(
        database,
        database.query(
            std::string(alert_sql) + "WHERE incident = $1 AND ($2 = '' OR standing = $2)"
                                     " AND entry < $3 ORDER BY entry DESC LIMIT $4",
            {*query.incident, query.standing ? to_string(*query.standing) : std::string_view(),
             before, limit}));
  }
  if (query.standing) {
    return read_alerts(database, database.query(std::string(alert_sql) +
                                                    "WHERE standing = $1 AND entry < $2 ORDER BY"
                                                    " entry DESC LIMIT $3",
                                                {to_string(*query.standing), before, limit}));
  }
  return read_alerts(database, database.query(std::string(alert_sql) +
                                                  "WHERE entry < $1 ORDER BY entry DESC LIMIT $2",
                                              {before, limit}));
}

Result<std::vector<AlertRow>> load_alerts(db::Database& database,
                                          const ledger::EntryRange& entries) {
  return read_alerts(database, database.query(std::string(alert_sql) +
                                                  "WHERE entry >= $1 AND entry < $2 ORDER BY entry",
                                              {entries.first, entries.end}));
}

}  // namespace mailwarden::alert
