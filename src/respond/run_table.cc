#include "respond/run_table.h"

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
                           db::Migration{"respond", 2, "DROP INDEX playbook_move_time;"},
                           // A playbook may run on an incident again, by hand and in others; by
                           // changes of the incident it does once.
                           db::Migration{"respond", 3, R"sql(
CREATE TABLE playbook_run_anew (
  number INTEGER PRIMARY KEY,
  playbook TEXT NOT NULL,
  incident BIGINT NOT NULL,
  state TEXT NOT NULL,
  body TEXT NOT NULL,
  cause TEXT NOT NULL DEFAULT 'change',
  root BIGINT NOT NULL DEFAULT 0,
  changed BIGINT NOT NULL DEFAULT 0,
  uses TEXT NOT NULL DEFAULT ''
);
INSERT INTO playbook_run_anew (number, playbook, incident, state, body, root)
  SELECT number, playbook, incident, state, body, number FROM playbook_run;
DROP TABLE playbook_run;
ALTER TABLE playbook_run_anew RENAME TO playbook_run;
CREATE UNIQUE INDEX playbook_run_once ON playbook_run (playbook, incident) WHERE cause = 'change';
CREATE INDEX playbook_run_state ON playbook_run (state, number);
CREATE INDEX playbook_run_incident ON playbook_run (incident, number);
CREATE INDEX playbook_run_root ON playbook_run (root, number);
CREATE INDEX playbook_run_changed ON playbook_run (changed);
)sql"}};

constexpr std::array<std::string_view, 1> run_key{"number"};
constexpr std::array<std::string_view, 1> move_key{"entry"};
constexpr std::array personal_columns{db::PersonalColumn{"body"}};
constexpr std::array personal{db::PersonalTable{"playbook_run", run_key, personal_columns},
                              db::PersonalTable{"playbook_move", move_key, personal_columns}};

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

Result<void> store_move(db::Database& database, const MoveRow& row) {
  const std::string body = json::to_text(row.record);
  const auto stored = db::to_stored(database, personal[1], std::to_string(row.entry), {body});
  if (!stored) return std::unexpected(stored.error());
  return database.run("INSERT INTO playbook_move (entry, run, time, body) VALUES ($1, $2, $3, $4)",
                      {row.entry, row.run, row.when.us, std::string_view(stored->front())});
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
