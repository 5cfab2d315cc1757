// Requests that were decided once, to be decided again by other policies.
//
// What     each_recorded() reads the decisions of a period out of a store. Recast holds them
//          against two sets of policies, each request with its principal's facts and groups as they
//          were, and tells whose access would change.
// Owns     A Recast owns what it counted.
// Threads  One.
// Errors   Those of Database; corrupt where a stored decision cannot be read; those of entities
//          that do not fit a schema.
// Limits   The store is read once for each set of facts that a principal had in the period, and
//          once before; of one kind of change only the first request is kept.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "access/known_entities.h"
#include "db/database.h"
#include "json/value.h"
#include "policy/decision_point.h"

namespace mailwarden::access {

struct Recorded {
  std::int64_t entry = 0;
  std::string id;
  Timestamp when;
  policy::EntityUid principal;
  policy::EntityUid action;
  policy::EntityUid resource;
  json::Value context;
  json::Value facts;                      // null where nobody knew the principal
  std::vector<policy::EntityUid> groups;  // all that the principal stood in
  bool was_allowed = false;
  bool is_whole = true;  // else facts or groups were too long to be kept
};

struct RecordedPeriod {
  Timestamp from = Timestamp::earliest;
  Timestamp until = Timestamp::latest;  // before it
};

// In the order of the ledger.
Result<void> each_recorded(db::Database& database, const RecordedPeriod& period,
                           const std::function<Result<void>(Recorded)>& take);

struct AccessChange {
  Recorded first;
  policy::Decision before;
  policy::Decision after;
  std::int64_t requests = 0;
  Timestamp last;
};

struct Recasting {
  std::int64_t requests = 0;
  std::int64_t changed = 0;
  // Where the old policies decide otherwise than was decided: other facts of systems, or policies
  // that have changed since.
  std::int64_t differ_from_record = 0;
  // That do not fit the schema any more, or whose facts were too long to be kept.
  std::int64_t not_decidable = 0;
  std::vector<AccessChange> changes;  // by principal, action and resource
};

struct RecastParts {
  db::Database& database;
  RecordedPeriod period;
  policy::Loaded before;
  policy::Loaded after;
  std::vector<EntityText> entities;  // what principals are there is not looked at
};

Result<Recasting> recast(const RecastParts& parts);

}  // namespace mailwarden::access
