#include "access/grant_table.h"

#include <algorithm>
#include <array>

namespace mailwarden::access {
namespace {

// "grant" alone is a word of SQL.
constexpr std::array grant_steps{db::Migration{"access", 1, R"sql(
CREATE TABLE grants (
  number INTEGER PRIMARY KEY,
  person TEXT NOT NULL,
  system TEXT NOT NULL,
  state TEXT NOT NULL,
  is_open BIGINT NOT NULL,
  body TEXT NOT NULL
);
CREATE INDEX grants_person ON grants (person, number);
CREATE INDEX grants_system ON grants (system, number);
CREATE INDEX grants_state ON grants (state, number);
CREATE TABLE grant_changes (
  number BIGINT NOT NULL,
  sequence BIGINT NOT NULL,
  entry BIGINT NOT NULL,
  time BIGINT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (number, sequence)
);
CREATE INDEX grant_changes_entry ON grant_changes (entry);
CREATE TABLE grant_clock (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  latest BIGINT NOT NULL,
  set_back BIGINT NOT NULL
);
)sql"}};

constexpr std::array<std::string_view, 1> grant_key{"number"};
constexpr std::array grant_columns{db::PersonalColumn{"person", true}, db::PersonalColumn{"body"}};
constexpr std::array<std::string_view, 2> change_key{"number", "sequence"};
constexpr std::array change_columns{db::PersonalColumn{"body"}};
constexpr std::array grant_tables{db::PersonalTable{"grants", grant_key, grant_columns},
                                  db::PersonalTable{"grant_changes", change_key, change_columns}};

constexpr std::string_view columns = "SELECT number, state, body, person, system FROM grants ";

std::unexpected<Error> damaged(std::int64_t number, std::string_view what) {
  return fail(Code::corrupt,
              "the stored grant " + std::to_string(number) + " is damaged: " + std::string(what));
}

Result<Grant> read_grant(std::int64_t number, std::string_view state, std::string_view text) {
  const auto body = json::parse(text);
  if (!body) return damaged(number, "it is not JSON");
  auto grant = grant_from_json(*body);
  if (!grant) return damaged(number, "a member of it is missing or wrong");
  if (grant->id.value != number) return damaged(number, "it has another number");
  if (to_string(grant->state) != state) return damaged(number, "it has two states");
  return grant;
}

Result<Grant> read_grant(db::Database& database, const db::Statement& row) {
  const auto plain =
      db::to_plain(database, grant_tables[0], row.text(0), {row.text(3), row.text(2)});
  if (plain) return read_grant(row.integer(0), row.text(1), (*plain)[1]);
  if (plain.error().code != Code::not_found) return std::unexpected(plain.error());
  const auto state = parse_grant_state(row.text(1));
  if (!state) return damaged(row.integer(0), "it has an unknown state");
  return Grant{.id = {row.integer(0)},
               .person = std::string(db::erased_text),
               .system = std::string(row.text(4)),
               .state = *state};
}

Result<std::vector<Grant>> read_grants(db::Database& database, const Result<db::Statement*>& rows) {
  if (!rows) return std::unexpected(rows.error());
  std::vector<Grant> read;
  while (true) {
    const auto more = (*rows)->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) return read;
    auto grant = read_grant(database, **rows);
    if (!grant) return std::unexpected(grant.error());
    read.push_back(*std::move(grant));
  }
}

Result<std::vector<GrantChangeRow>> read_changes(db::Database& database,
                                                 const Result<db::Statement*>& rows) {
  if (!rows) return std::unexpected(rows.error());
  std::vector<GrantChangeRow> read;
  while (true) {
    const auto more = (*rows)->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) return read;
    const std::int64_t number = (*rows)->integer(0);
    const auto plain =
        db::to_plain(database, grant_tables[1], db::row_name({(*rows)->text(0), (*rows)->text(1)}),
                     {(*rows)->text(4)});
    if (!plain && plain.error().code == Code::not_found) {
      GrantChange erased{.after = {.id = {number}, .person = std::string(db::erased_text)},
                         .why = std::string(db::erased_text),
                         .at = {(*rows)->integer(3)}};
      erased.after.changes = (*rows)->integer(1);
      read.push_back({.entry = (*rows)->integer(2), .change = std::move(erased)});
      continue;
    }
    if (!plain) return std::unexpected(plain.error());
    const auto body = json::parse(plain->front());
    if (!body) return damaged(number, "a change of it is not JSON");
    auto change = change_from_record(*body, {(*rows)->integer(3)});
    if (!change) return damaged(number, "a change of it cannot be read");
    if (change->after.id.value != number || change->after.changes != (*rows)->integer(1)) {
      return damaged(number, "a change of it stands in another's place");
    }
    read.push_back({.entry = (*rows)->integer(2), .change = *std::move(change)});
  }
}

Result<void> read_states(db::Database& database, Standing& into) {
  const auto rows = database.query("SELECT number, state FROM grants ORDER BY number");
  if (!rows) return std::unexpected(rows.error());
  while (true) {
    const auto more = (*rows)->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) return {};
    const std::int64_t number = (*rows)->integer(0);
    const auto state = parse_grant_state((*rows)->text(1));
    // A number that is missing is a grant of which somebody took the record away.
    if (number != static_cast<std::int64_t>(into.states.size()) + 1) {
      return damaged(static_cast<std::int64_t>(into.states.size()) + 1, "it is not there");
    }
    if (!state) return damaged(number, "it has an unknown state");
    into.states.push_back(*state);
  }
}

Result<void> read_time(db::Database& database, AccessTime& into) {
  const auto rows = database.query("SELECT latest, set_back FROM grant_clock");
  if (!rows) return std::unexpected(rows.error());
  while (true) {
    const auto more = (*rows)->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) return {};
    into = {.latest = {(*rows)->integer(0)},
            .set_back =
                std::clamp(Duration((*rows)->integer(1)), Duration(0), AccessTime::set_back_max)};
  }
}

}  // namespace

std::span<const db::Migration> migrations() {
  return grant_steps;
}

std::span<const db::PersonalTable> personal_tables() {
  return grant_tables;
}

Result<void> store_change(db::Database& database, const GrantChangeRow& row) {
  const GrantChange& change = row.change;
  const Grant& grant = change.after;
  const std::string record = json::to_text(to_record(change));
  const std::string number = std::to_string(grant.id.value);
  const std::string sequence = std::to_string(grant.changes);
  const auto stored_change =
      db::to_stored(database, grant_tables[1], db::row_name({number, sequence}), {record});
  if (!stored_change) return std::unexpected(stored_change.error());
  // The change comes first: its key refuses what was written before, or by somebody else.
  if (auto done = database.run("INSERT INTO grant_changes (number, sequence, entry, time, body)"
                               " VALUES ($1, $2, $3, $4, $5)",
                               {grant.id.value, grant.changes, row.entry, change.at.us,
                                std::string_view(stored_change->front())});
      !done) {
    return done;
  }
  const std::string body = json::to_text(to_json(grant));
  const auto stored = db::to_stored(database, grant_tables[0], number, {grant.person, body});
  if (!stored) return std::unexpected(stored.error());
  if (auto done = database.run(
          "INSERT INTO grants (number, person, system, state, is_open, body)"
          " VALUES ($1, $2, $3, $4, $5, $6)"
          " ON CONFLICT (number) DO UPDATE SET state = $4, is_open = $5, body = $6",
          {grant.id.value, std::string_view((*stored)[0]), std::string_view(grant.system),
           to_string(grant.state), db::value(is_open(grant)), std::string_view((*stored)[1])});
      !done) {
    return done;
  }
  return store_time(database, change.time);
}

Result<void> store_time(db::Database& database, const AccessTime& time) {
  return database.run(
      "INSERT INTO grant_clock (only_row, latest, set_back) VALUES (1, $1, $2)"
      " ON CONFLICT (only_row) DO UPDATE SET latest = $1, set_back = $2",
      {time.latest.us, time.set_back.count()});
}

Result<Standing> load_standing(db::Database& database) {
  Standing standing;
  if (auto done = read_states(database, standing); !done) return std::unexpected(done.error());
  if (auto done = read_time(database, standing.time); !done) return std::unexpected(done.error());
  auto open = read_grants(
      database, database.query(std::string(columns) + "WHERE is_open = 1 ORDER BY number"));
  if (!open) return std::unexpected(open.error());
  standing.open = *std::move(open);
  return standing;
}

Result<Grant> load_grant(db::Database& database, GrantId id) {
  auto found =
      read_grants(database, database.query(std::string(columns) + "WHERE number = $1", {id.value}));
  if (!found) return std::unexpected(found.error());
  if (found->empty()) {
    return fail(Code::not_found, "there is no grant " + std::to_string(id.value));
  }
  return std::move(found->front());
}

Result<std::vector<GrantChangeRow>> load_changes(db::Database& database, GrantId id) {
  return read_changes(database,
                      database.query("SELECT number, sequence, entry, time, body FROM grant_changes"
                                     " WHERE number = $1 ORDER BY sequence",
                                     {id.value}));
}

Result<std::vector<GrantChangeRow>> load_changes(db::Database& database,
                                                 const ledger::EntryRange& entries) {
  return read_changes(
      database, database.query("SELECT number, sequence, entry, time, body FROM grant_changes"
                               " WHERE entry >= $1 AND entry < $2 ORDER BY entry, number, sequence",
                               {entries.first, entries.end}));
}

// A text for each combination, so that the store uses the index of what is asked for.
Result<std::vector<Grant>> query_grants(db::Database& database, const GrantQuery& query) {
  std::vector<db::Value> values{query.before.value_or(INT64_MAX),
                                std::clamp<std::int64_t>(query.limit, 1, GrantQuery::limit_max)};
  std::string sql = std::string(columns) + "WHERE number < $1";
  std::string person;
  const auto where = [&](std::string_view column, std::string_view wanted) {
    values.emplace_back(wanted);
    sql += " AND " + std::string(column) + " = $" + std::to_string(values.size());
  };
  if (query.person) {
    auto index = db::to_index(database, grant_tables[0], "person", *query.person);
    if (!index) return std::unexpected(index.error());
    person = *std::move(index);
    where("person", person);
  }
  if (query.system) where("system", *query.system);
  if (query.state) where("state", to_string(*query.state));
  const auto statement = database.prepare(sql + " ORDER BY number DESC LIMIT $2");
  if (!statement) return std::unexpected(statement.error());
  if (auto bound = (*statement)->bind(values); !bound) return std::unexpected(bound.error());
  return read_grants(database, statement);
}

}  // namespace mailwarden::access
