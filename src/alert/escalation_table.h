// Where escalations are kept.
//
// What     One row an incident and chain: how its newest escalation stands.
// Owns     Table escalation.
// Threads  As the Database passed in.
// Errors   As Database; corrupt where a stored row cannot be read back.
// Limits   EscalationQuery::limit_max.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "alert/escalation.h"
#include "base/result.h"
#include "db/database.h"
#include "db/sealing.h"

namespace mailwarden::alert {

std::span<const db::Migration> escalation_migrations();
const db::PersonalTable& personal_escalations();

Result<void> store_escalation(db::Database& database, const Escalation& escalation);
// Those of open incidents, and whatever else runs.
Result<std::vector<Escalation>> load_escalations(db::Database& database);

struct EscalationQuery {
  static constexpr std::int64_t limit_max = 1000;

  std::optional<std::int64_t> incident;
  Escalation::State state = Escalation::State::running;  // where no incident is asked for
  std::int64_t limit = 100;
};
inline constexpr std::string_view escalations_by_state_sql =
    "SELECT incident, chain, state, body FROM escalation WHERE state = $1"
    " ORDER BY due, incident, chain LIMIT $2";
// Of an incident by the names of the chains, else those first that are due first.
Result<std::vector<Escalation>> query_escalations(db::Database& database,
                                                  const EscalationQuery& query);

}  // namespace mailwarden::alert
