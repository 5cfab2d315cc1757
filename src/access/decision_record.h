// A decision as it is kept.
//
// What     Who asked to do what to what, through which enforcement point, what was decided by which
//          policies on which facts, and why. Each is an entry of the ledger; the table beside it
//          serves who looks for decisions.
// Owns     Table decision. A DecisionRecord owns its content.
// Threads  Values; the functions over a Database as that.
// Errors   Those of Database; corrupt where a stored record is damaged.
// Limits   record_bytes_max of one: where it is longer, {"sha256"} stands for the explanation, then
//          for the context, the facts, the groups and what failed. Names are limited by whoever
//          asks.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/timestamp.h"
#include "db/database.h"
#include "db/sealing.h"
#include "event/event.h"
#include "identity/people_book.h"
#include "json/value.h"
#include "policy/explain.h"

namespace mailwarden::access {

std::span<const db::Migration> decision_migrations();
const db::PersonalTable& personal_decisions();

// Of a decision about what had happened already: which rule took which events for that access.
struct Replayed {
  static constexpr std::size_t events_max = 64;

  std::string rule;
  std::vector<EventId> events;  // the first ones
  std::int64_t count = 0;       // of all
};

struct DecisionRecord {
  static constexpr std::size_t record_bytes_max = 256 * 1024;

  std::string id;  // 32 hexadecimal digits
  Timestamp when;
  std::string point;  // "authzen", "check", "replay"
  // The enforcement point: the verified subject of its certificate ("CN=gate,O=Example"), or
  // "uid 33" through the UNIX socket; "" where neither is known.
  std::string asked_by;
  policy::EntityUid principal;
  policy::EntityUid action;
  policy::EntityUid resource;
  json::Object context;  // as it was decided on
  // The token's part of it, where one was shown and believed. Not part of the record: the context
  // is.
  std::optional<json::Value> believed_token;
  json::Value facts;  // the principal's attributes then; null where nothing was known of it
  std::vector<policy::EntityUid> groups;  // all that the principal stood in
  identity::Origins origins;  // who told the facts, and as of when; none of what operators wrote
  policy::Decision decision;
  std::string policies;     // the hash of the set in force
  json::Value explanation;  // null where none was made
  std::optional<Replayed> replayed;
};

json::Object to_record(const DecisionRecord& record);

struct DecisionRow {
  std::int64_t entry = 0;  // of the ledger
  DecisionRecord record;
  std::string body;  // to_record() of it, as text
};
Result<void> store_decision(db::Database& database, const DecisionRow& row);

struct DecisionQuery {
  std::optional<std::int64_t> before;  // entries below it
  std::int64_t limit = 100;
  std::string principal;  // as Cedar writes it; "" for any
  std::string resource;
  std::optional<bool> is_allowed;
};
// The records with their "entry", newest first.
Result<std::vector<json::Value>> find_decisions(db::Database& database, const DecisionQuery& query);
Result<std::optional<json::Value>> find_decision(db::Database& database, std::string_view id);

}  // namespace mailwarden::access
