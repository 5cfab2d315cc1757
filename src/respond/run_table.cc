#include "respond/run_table.h"

#include <algorithm>
#include <array>

namespace mailwarden::respond {
namespace {

constexpr std::array steps{db::Migration{"respond", 1, R"sql(
CREATE TABLE playbook_run (
  number INTEGER PRIMARY KEY,
  playbook TEXT NOT NULL,
  incident BIGINT NOT NULL,
  state TEXT NOT NULL,
  body TEXT NOT NULL,
  UNIQUE (playbook, incident)
);
CREATE INDEX playbook_run_state ON playbook_run (state, number);
CREATE INDEX playbook_run_incident ON playbook_run (incident, number);
CREATE TABLE playbook_move (
  entry BIGINT PRIMARY KEY,
  run BIGINT NOT NULL,
  time BIGINT NOT NULL,
  body TEXT NOT NULL
);
CREATE INDEX playbook_move_run ON playbook_move (run, entry);
CREATE INDEX playbook_move_time ON playbook_move (time);
)sql"},
                           db::Migration{"respond", 2, "DROP INDEX playbook_move_time;"}};

constexpr std::array<std::string_view, 1> run_key{"number"};
constexpr std::array<std::string_view, 1> move_key{"entry"};
constexpr std::array personal_columns{db::PersonalColumn{"body"}};
constexpr std::array personal{db::PersonalTable{"playbook_run", run_key, personal_columns},
                              db::PersonalTable{"playbook_move", move_key, personal_columns}};

constexpr std::string_view run_columns =
    "SELECT number, body, playbook, incident, state FROM playbook_run ";

Result<Run> read_run(db::Database& database, const db::Statement& row) {
  const auto plain = db::to_plain(database, personal[0], row.text(0), {row.text(1)});
  if (plain) {
    const auto body = json::parse(plain->front());
    return body ? run_from_json(*body) : Result<Run>(std::unexpected(body.error()));
  }
  if (plain.error().code != Code::not_found) return std::unexpected(plain.error());
  const auto state = parse_run_state(row.text(4));
  if (!state) return fail(Code::corrupt, "a stored run of a playbook is damaged");
  return Run{.number = row.integer(0),
             .playbook = std::string(row.text(2)),
             .title = std::string(db::erased_text),
             .incident = row.integer(3),
             .state = *state};
}

Result<std::vector<Run>> read_runs(db::Database& database, const Result<db::Statement*>& rows) {
  if (!rows) return std::unexpected(rows.error());
  std::vector<Run> read;
  while (true) {
    const auto more = (*rows)->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) return read;
    auto run = read_run(database, **rows);
    if (!run) return std::unexpected(run.error());
    read.push_back(*std::move(run));
  }
}

Result<std::vector<MoveRow>> read_moves(db::Database& database,
                                        const Result<db::Statement*>& rows) {
  if (!rows) return std::unexpected(rows.error());
  std::vector<MoveRow> read;
  while (true) {
    const auto more = (*rows)->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) return read;
    const auto plain = db::to_plain(database, personal[1], (*rows)->text(0), {(*rows)->text(3)});
    const bool is_erased = !plain && plain.error().code == Code::not_found;
    if (!plain && !is_erased) return std::unexpected(plain.error());
    const auto body = is_erased ? json::Value(json::Object{{"why", db::erased_text}})
                                : json::parse(plain->front());
    if (!body || body->as_object() == nullptr) {
      return fail(Code::corrupt, "a stored move of a playbook is damaged");
    }
    read.push_back({.entry = (*rows)->integer(0),
                    .run = (*rows)->integer(1),
                    .when = {(*rows)->integer(2)},
                    .record = *body->as_object()});
  }
}

}  // namespace

std::span<const db::Migration> migrations() {
  return steps;
}

std::span<const db::PersonalTable> personal_tables() {
  return personal;
}

Result<void> store_run(db::Database& database, const Run& run) {
  const std::string body = json::to_text(to_json(run));
  const auto stored = db::to_stored(database, personal[0], std::to_string(run.number), {body});
  if (!stored) return std::unexpected(stored.error());
  return database.run(
      "INSERT INTO playbook_run (number, playbook, incident, state, body)"
      " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (number) DO UPDATE SET state = $4, body = $5",
      {run.number, std::string_view(run.playbook), run.incident, to_string(run.state),
       std::string_view(stored->front())});
}

Result<void> store_move(db::Database& database, const MoveRow& row) {
  const std::string body = json::to_text(row.record);
  const auto stored = db::to_stored(database, personal[1], std::to_string(row.entry), {body});
  if (!stored) return std::unexpected(stored.error());
  return database.run("INSERT INTO playbook_move (entry, run, time, body) VALUES ($1, $2, $3, $4)",
                      {row.entry, row.run, row.when.us, std::string_view(stored->front())});
}

Result<Standing> load_standing(db::Database& database) {
  auto open =
      read_runs(database, database.query(std::string(run_columns) +
                                         "WHERE state NOT IN ('done', 'failed') ORDER BY number"));
  if (!open) return std::unexpected(open.error());
  Standing standing{.open = *std::move(open)};
  const auto rows = database.query("SELECT playbook, incident, number FROM playbook_run");
  if (!rows) return std::unexpected(rows.error());
  while (true) {
    const auto more = (*rows)->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) return standing;
    standing.started.emplace(std::string((*rows)->text(0)), (*rows)->integer(1));
    standing.last_number = std::max(standing.last_number, (*rows)->integer(2));
  }
}

Result<std::vector<Run>> query_runs(db::Database& database, const RunQuery& query) {
  const std::int64_t before = query.before.value_or(INT64_MAX);
  const std::int64_t limit = std::clamp<std::int64_t>(query.limit, 1, RunQuery::limit_max);
  if (query.number) {
    return read_runs(
        database, database.query(std::string(run_columns) + "WHERE number = $1", {*query.number}));
  }
  if (query.incident) {
    return read_runs(database,
                     database.query(std::string(run_columns) + "WHERE incident = $1 AND number < $2"
                                                               " ORDER BY number DESC LIMIT $3",
                                    {*query.incident, before, limit}));
  }
  return read_runs(database, database.query(std::string(run_columns) +
                                                "WHERE number < $1 ORDER BY number DESC LIMIT $2",
                                            {before, limit}));
}

Result<std::vector<MoveRow>> load_moves(db::Database& database, const ledger::EntryRange& entries) {
  return read_moves(database, database.query("SELECT entry, run, time, body FROM playbook_move"
                                             " WHERE entry >= $1 AND entry < $2 ORDER BY entry",
                                             {entries.first, entries.end}));
}

Result<std::vector<MoveRow>> load_moves(db::Database& database, std::int64_t run) {
  return read_moves(
      database,
      database.query(
          "SELECT entry, run, time, body FROM playbook_move WHERE run = $1 ORDER BY entry", {run}));
}

}  // namespace mailwarden::respond
