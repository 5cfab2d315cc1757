#include "alert/escalation_table.h"

#include <algorithm>
#include <array>

namespace mailwarden::alert {
namespace {

constexpr std::array escalation_steps{db::Migration{"escalation", 1, R"sql(
CREATE TABLE escalation (
  incident BIGINT NOT NULL,
  chain TEXT NOT NULL,
  state TEXT NOT NULL,
  due BIGINT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (incident, chain)
);
CREATE INDEX escalation_state ON escalation (state, due);
)sql"}};

constexpr std::array<std::string_view, 2> escalation_key{"incident", "chain"};
constexpr std::array escalation_columns{db::PersonalColumn{"body"}};
constexpr db::PersonalTable personal_escalation{
    .name = "escalation", .key = escalation_key, .columns = escalation_columns};

constexpr std::string_view escalation_sql = "SELECT incident, chain, state, body FROM escalation ";

Result<Escalation> read_escalation(db::Database& database, const db::Statement& row) {
  const auto plain = db::to_plain(database, personal_escalation,
                                  db::row_name({row.text(0), row.text(1)}), {row.text(3)});
  const auto damaged = [&] {
    return fail(Code::corrupt, "the stored escalation " + std::string(row.text(0)) + " / " +
                                   std::string(row.text(1)) + " is damaged");
  };
  if (plain) {
    const auto body = json::parse(plain->front());
    auto read = body ? escalation_from_json(*body) : std::nullopt;
    if (!read) return damaged();
    return *std::move(read);
  }
  if (plain.error().code != Code::not_found) return std::unexpected(plain.error());
  const auto state = parse_escalation_state(row.text(2));
  if (!state) return damaged();
  return Escalation{.incident = row.integer(0),
                    .chain = std::string(row.text(1)),
                    .state = *state,
                    .why = std::string(db::erased_text)};
}

Result<std::vector<Escalation>> read_escalations(db::Database& database,
                                                 const Result<db::Statement*>& rows) {
  if (!rows) return std::unexpected(rows.error());
  std::vector<Escalation> found;
  while (true) {
    const auto more = (*rows)->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) return found;
    auto one = read_escalation(database, **rows);
    if (!one) return std::unexpected(one.error());
    found.push_back(*std::move(one));
  }
}

}  // namespace

std::span<const db::Migration> escalation_migrations() {
  return escalation_steps;
}

const db::PersonalTable& personal_escalations() {
  return personal_escalation;
}

Result<void> store_escalation(db::Database& database, const Escalation& escalation) {
  const std::string body = json::to_text(to_json(escalation));
  const std::string incident = std::to_string(escalation.incident);
  const auto stored = db::to_stored(database, personal_escalation,
                                    db::row_name({incident, escalation.chain}), {body});
  if (!stored) return std::unexpected(stored.error());
  return database.run(
      "INSERT INTO escalation (incident, chain, state, due, body) VALUES ($1, $2, $3, $4, $5)"
      " ON CONFLICT (incident, chain) DO UPDATE SET state = $3, due = $4, body = $5",
      {escalation.incident, std::string_view(escalation.chain), to_string(escalation.state),
       next_due(escalation).us, std::string_view(stored->front())});
}

Result<std::vector<Escalation>> load_escalations(db::Database& database) {
  return read_escalations(
      database, database.query(std::string(escalation_sql) +
                               "WHERE state = 'running' OR incident IN (SELECT number FROM incident"
                               " WHERE state NOT IN ('closed', 'dismissed', 'merged'))"
                               " ORDER BY incident, chain"));
}

Result<std::vector<Escalation>> query_escalations(db::Database& database,
                                                  const EscalationQuery& query) {
  const std::int64_t limit = std::clamp<std::int64_t>(query.limit, 1, EscalationQuery::limit_max);
  if (query.incident) {
    return read_escalations(
        database,
        database.query(std::string(escalation_sql) + "WHERE incident = $1 ORDER BY chain LIMIT $2",
                       {*query.incident, limit}));
  }
  return read_escalations(
      database, database.query(escalations_by_state_sql, {to_string(query.state), limit}));
}

}  // namespace mailwarden::alert
