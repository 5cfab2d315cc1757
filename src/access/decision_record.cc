#include "access/decision_record.h"

#include <algorithm>
#include <array>

#include "crypto/sha256.h"

namespace mailwarden::access {
namespace {

constexpr std::array decision_steps{db::Migration{"decision", 1, R"sql(
CREATE TABLE decision (
  entry BIGINT PRIMARY KEY,
  id TEXT NOT NULL,
  time BIGINT NOT NULL,
  principal TEXT NOT NULL,
  action TEXT NOT NULL,
  resource TEXT NOT NULL,
  allowed BIGINT NOT NULL,
  why TEXT NOT NULL,
  body TEXT NOT NULL
);
CREATE UNIQUE INDEX decision_id ON decision (id);
CREATE INDEX decision_principal ON decision (principal, entry);
CREATE INDEX decision_resource ON decision (resource, entry);
)sql"}};

constexpr std::array<std::string_view, 1> decision_key{"entry"};
constexpr std::array decision_columns{db::PersonalColumn{"principal", true},
                                      db::PersonalColumn{"resource", true},
                                      db::PersonalColumn{"body"}};
constexpr db::PersonalTable decision_table{"decision", decision_key, decision_columns};

Result<std::vector<json::Value>> read(db::Database& database, Result<db::Statement*> asked) {
  if (!asked) return std::unexpected(asked.error());
  db::Statement& statement = **asked;
  std::vector<json::Value> records;
  for (;;) {
    const auto row = statement.step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return records;
    const auto plain = db::to_plain(database, decision_table, statement.text(0),
                                    {statement.text(2), statement.text(3), statement.text(1)});
    const bool is_erased = !plain && plain.error().code == Code::not_found;
    if (!plain && !is_erased) return std::unexpected(plain.error());
    auto record =
        is_erased ? json::Value(json::Object{{"erased", true}}) : json::parse((*plain)[2]);
    if (!record || record->as_object() == nullptr) {
      return fail(Code::corrupt, "the stored decision of entry " +
                                     std::to_string(statement.integer(0)) + " is damaged");
    }
    (*record->as_object())["entry"] = statement.integer(0);
    records.push_back(*std::move(record));
  }
}

// Of a sentence about a request that repeats some of it.
constexpr std::size_t invalid_bytes_max = 2000;

// Where the whole is too long, its hash stands for a part.
void shorten(json::Object& made, const std::string& part) {
  const auto found = made.find(part);
  if (found == made.end()) return;
  if (json::to_text(made).size() <= DecisionRecord::record_bytes_max) return;
  const std::string hash = crypto::to_hex(crypto::sha256(json::to_text(found->second)));
  found->second = json::Object{{"sha256", hash}};
}

json::Object to_json(const Replayed& replayed) {
  json::Array events;
  for (const EventId& event : replayed.events) events.emplace_back(to_string(event));
  return {{"count", replayed.count}, {"events", std::move(events)}, {"rule", replayed.rule}};
}

}  // namespace

std::span<const db::Migration> decision_migrations() {
  return decision_steps;
}

const db::PersonalTable& personal_decisions() {
  return decision_table;
}

json::Object to_record(const DecisionRecord& record) {
  json::Object made = *policy::to_json(record.decision).as_object();
  made["id"] = record.id;
  made["when"] = to_rfc3339(record.when);
  made["point"] = record.point;
  if (!record.asked_by.empty()) made["asked_by"] = record.asked_by;
  made["principal"] = policy::to_text(record.principal);
  made["action"] = policy::to_text(record.action);
  made["resource"] = policy::to_text(record.resource);
  made["context"] = record.context;
  made["facts"] = record.facts;
  made["policies"] = record.policies;
  json::Array groups;
  for (const policy::EntityUid& group : record.groups) groups.emplace_back(policy::to_text(group));
  made["groups"] = std::move(groups);
  json::Object sources;
  for (const auto& [source, time] : record.origins) sources[source] = to_rfc3339(time);
  made["sources"] = std::move(sources);
  if (record.replayed) made["replayed"] = to_json(*record.replayed);
  if (const auto invalid = made.find("invalid"); invalid != made.end()) {
    const std::string& text = *invalid->second.as_string();
    if (text.size() > invalid_bytes_max) invalid->second = text.substr(0, invalid_bytes_max);
  }
  if (!record.explanation.is_null()) made["explanation"] = record.explanation;
  shorten(made, "explanation");
  shorten(made, "context");
  shorten(made, "facts");
  shorten(made, "groups");
  shorten(made, "errors");
  shorten(made, "reasons");
  return made;
}

Result<void> store_decision(db::Database& database, const DecisionRow& row) {
  const DecisionRecord& record = row.record;
  const std::string principal = policy::to_text(record.principal);
  const std::string action = policy::to_text(record.action);
  const std::string resource = policy::to_text(record.resource);
  const auto stored = db::to_stored(database, decision_table, std::to_string(row.entry),
                                    {principal, resource, row.body});
  if (!stored) return std::unexpected(stored.error());
  return database.run(
      "INSERT INTO decision (entry, id, time, principal, action, resource, allowed, why, body)"
      " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
      {row.entry, std::string_view(record.id), record.when.us, std::string_view((*stored)[0]),
       std::string_view(action), std::string_view((*stored)[1]),
       db::value(record.decision.is_allowed), policy::to_string(record.decision.why),
       std::string_view((*stored)[2])});
}

Result<std::vector<json::Value>> find_decisions(db::Database& database,
                                                const DecisionQuery& query) {
  const std::int64_t limit = std::clamp<std::int64_t>(query.limit, 1, 1000);
  const std::int64_t allowed = query.is_allowed ? (*query.is_allowed ? 1 : 0) : -1;
  std::string principal;
  std::string resource;
  for (const auto& [column, wanted, index] :
       {std::tuple(decision_columns[0].name, &query.principal, &principal),
        std::tuple(decision_columns[1].name, &query.resource, &resource)}) {
    if (wanted->empty()) continue;
    auto made = db::to_index(database, decision_table, column, *wanted);
    if (!made) return std::unexpected(made.error());
    *index = *std::move(made);
  }
  return read(database,
              database.query("SELECT entry, body, principal, resource FROM decision WHERE entry < "
                             "$1 AND ($2 = '' OR principal = $2)"
                             " AND ($3 = '' OR resource = $3) AND ($4 < 0 OR allowed = $4) ORDER "
                             "BY entry DESC LIMIT $5",
                             {query.before.value_or(INT64_MAX), std::string_view(principal),
                              std::string_view(resource), allowed, limit}));
}

Result<std::optional<json::Value>> find_decision(db::Database& database, std::string_view id) {
  auto found = read(
      database,
      database.query("SELECT entry, body, principal, resource FROM decision WHERE id = $1", {id}));
  if (!found) return std::unexpected(found.error());
  if (found->empty()) return std::optional<json::Value>();
  return std::optional(std::move(found->front()));
}

}  // namespace mailwarden::access
