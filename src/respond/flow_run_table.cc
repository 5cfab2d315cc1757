#include "respond/flow_run_table.h"

#include <algorithm>

#include "db/sealing.h"
#include "respond/run_table.h"

namespace mailwarden::respond::flow {
namespace {

constexpr std::string_view run_columns =
    "SELECT number, body, playbook, incident, state, root FROM playbook_run ";

const db::PersonalTable& table() {
  return personal_tables()[0];
}

// An erased one has no more than its number and what names nobody.
Result<Run> erased_run(const db::Statement& row) {
  const auto state = parse_run_state(row.text(4));
  if (!state) return fail(Code::corrupt, "a stored run of a playbook is damaged");
  const Playbook playbook{.name = std::string(row.text(2)), .title = std::string(db::erased_text)};
  return Run{.number = row.integer(0),
             .graph = std::make_shared<const Graph>(playbook),
             .incident = row.integer(3),
             .root = row.integer(5),
             .state = *state,
             .phase = Phase::over,
             .ends_as = *state};
}

Result<Run> read_run(db::Database& database, const db::Statement& row) {
  const auto plain = db::to_plain(database, table(), row.text(0), {row.text(1)});
  if (!plain) {
    return plain.error().code == Code::not_found ? erased_run(row) : std::unexpected(plain.error());
  }
  const auto body = json::parse(plain->front());
  if (!body) return std::unexpected(body.error());
  auto run = run_from_json(*body);
  if (run && run->root != row.integer(5) && row.integer(5) != 0) {
    return fail(Code::corrupt, "the stored playbook run " + std::to_string(run->number) +
                                   " is found under another run than its own");
  }
  return run;
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

std::string uses_text(const Run& run) {
  if (run.uses.empty()) return "";
  json::Object uses;
  for (const auto& [step, times] : run.uses) {
    json::Array list;
    for (const Timestamp time : times) list.push_back(time.us);
    uses[step] = std::move(list);
  }
  return json::to_text(uses);
}

Result<void> read_uses(db::Database& database, Timestamp since, Stored& stored) {
  const auto rows = database.query(
      "SELECT playbook, uses FROM playbook_run WHERE changed >= $1 AND uses <> ''"
      " ORDER BY number",
      {since.us});
  if (!rows) return std::unexpected(rows.error());
  while (true) {
    const auto more = (*rows)->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) break;
    const auto uses = json::parse((*rows)->text(1));
    if (!uses || uses->as_object() == nullptr) {
      return fail(Code::corrupt, "a stored run of a playbook is damaged");
    }
    for (const auto& [step, times] : *uses->as_object()) {
      auto& all = stored.uses[{std::string((*rows)->text(0)), step}];
      if (times.as_array() == nullptr) continue;
      for (const json::Value& time : *times.as_array()) {
        if (time.as_integer() != nullptr) all.push_back({*time.as_integer()});
      }
    }
  }
  for (auto& [step, times] : stored.uses) std::ranges::sort(times);
  return {};
}

}  // namespace

Result<void> store_run(db::Database& database, const Run& run) {
  const std::string body = json::to_text(to_stored_json(run));
  const auto sealed = db::to_stored(database, table(), std::to_string(run.number), {body});
  if (!sealed) return std::unexpected(sealed.error());
  const std::string uses = uses_text(run);
  return database.run(
      "INSERT INTO playbook_run (number, playbook, incident, state, body, cause, root, changed,"
      " uses) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (number) DO UPDATE SET"
      " state = $4, body = $5, changed = $8, uses = $9",
      {run.number, std::string_view(run.playbook().name), run.incident, to_string(run.state),
       std::string_view(sealed->front()), to_string(run.cause), run.root, run.changed.us,
       std::string_view(uses)});
}

Result<Stored> load_stored(db::Database& database, Timestamp now) {
  auto open = read_runs(
      database, database.query(std::string(run_columns) +
                               "WHERE root IN (SELECT root FROM playbook_run WHERE state NOT IN"
                               " ('done', 'failed', 'cancelled', 'undone')) ORDER BY number"));
  if (!open) return std::unexpected(open.error());
  Stored stored{.runs = *std::move(open)};
  if (auto done = read_uses(database, now - FlowLimits::wait_max, stored); !done) {
    return std::unexpected(done.error());
  }
  const auto rows = database.query("SELECT playbook, incident, number, cause FROM playbook_run");
  if (!rows) return std::unexpected(rows.error());
  while (true) {
    const auto more = (*rows)->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) return stored;
    if ((*rows)->text(3) == to_string(Cause::change)) {
      stored.started.emplace(std::string((*rows)->text(0)), (*rows)->integer(1));
    }
    stored.last_number = std::max(stored.last_number, (*rows)->integer(2));
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

Result<std::vector<Run>> load_family(db::Database& database, std::int64_t run) {
  return read_runs(
      database, database.query(std::string(run_columns) +
                                   "WHERE root = (SELECT root FROM playbook_run WHERE number = $1)"
                                   " ORDER BY number",
                               {run}));
}

}  // namespace mailwarden::respond::flow
