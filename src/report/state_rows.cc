#include "report/state_rows.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "crypto/sha256.h"
#include "report/personal_tables.h"

namespace mailwarden::report {
namespace {

constexpr std::array stream_bytes{9, 11};

constexpr std::array body_personal{1};
constexpr std::array snapshot_personal{2};
constexpr std::array escalation_personal{4};
constexpr std::array grant_personal{1, 5};
constexpr std::array people_personal{1, 2};
constexpr std::array incident_personal{4, 7};
constexpr std::array run_personal{4};
constexpr std::array sign_in_personal{0, 2};

std::vector<StateTable> make_state_tables() {
  const auto personal = [](StateTable table, std::span<const int> columns) {
    table.personal = &personal_table(table.name);
    table.personal_columns = columns;
    return table;
  };
  return {
      personal({"alert_group", 1, "number, body"}, body_personal),
      personal({"alert_storm", 1, "number, body"}, body_personal),
      personal({"correlation", 1, "number, event, body"}, snapshot_personal),
      personal({"escalation", 2, "incident, chain, state, due, body"}, escalation_personal),
      {"grant_clock", 1, "only_row, latest, set_back"},
      personal({"grants", 1, "number, person, system, state, is_open, body"}, grant_personal),
      personal({"identity_account", 2, "provider, id, body"}, people_personal),
      personal({"identity_group", 2, "provider, id, body"}, people_personal),
      personal({"identity_person", 2, "provider, id, body"}, people_personal),
      {"identity_source", 2, "provider, id, body"},
      personal({"incident", 1,
                "number, state, severity, entity_kind, entity_name, opened, changed, body"},
               incident_personal),
      personal({.name = "playbook_run",
                .columns = "number, playbook, incident, state, body, cause, root, changed, uses",
                .widened_in = "respond",
                .widened_by = 3},
               run_personal),
      personal({"signal", 1, "number, body"}, body_personal),
      personal({"silence", 1, "id, body"}, body_personal),
      personal({"sign_in", 2, "person, time, token"}, sign_in_personal),
      {"stream", 1,
       "stream, source, path, generation, device, inode, birth, position, head_length,"
       " head, tail_length, tail, finished",
       stream_bytes},
      {"waiting_detection", 1, "number, rule, ends, body"},
      {"witness_log", 1, "origin, note"}};
}

// Each value stands behind its length, so that nothing can move from one column into the next.
std::string hash_row(const db::Statement& row, const StateTable& table,
                     std::span<const std::string> plain, bool only_open) {
  std::string said;
  for (int column = 0; column < row.columns(); ++column) {
    const auto personal = std::ranges::find(table.personal_columns, column);
    const bool is_personal = personal != table.personal_columns.end();
    if (only_open && is_personal) continue;
    if (row.is_null(column)) {
      said += "-;";
      continue;
    }
    const bool is_bytes = std::ranges::find(table.bytes, column) != table.bytes.end();
    const db::Blob bytes =
        is_personal
            ? crypto::as_bytes(
                  plain[static_cast<std::size_t>(personal - table.personal_columns.begin())])
        : is_bytes ? row.blob(column)
                   : crypto::as_bytes(row.text(column));
    said += std::to_string(bytes.size()) + ":";
    said.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  return crypto::to_hex(crypto::sha256(said));
}

Result<std::vector<std::string>> plain_values(db::Database& database, const StateTable& table,
                                              const db::Statement& row,
                                              const std::vector<std::string>& key) {
  if (table.personal == nullptr) return std::vector<std::string>();
  std::vector<std::string_view> stored;
  for (const int column : table.personal_columns) stored.push_back(row.text(column));
  const std::vector<std::string_view> name(key.begin(), key.end());
  return db::to_plain(database, *table.personal, db::row_name(name), stored);
}

}  // namespace

std::span<const StateTable> state_tables() {
  static const std::vector<StateTable> tables = make_state_tables();
  return tables;
}

Result<std::vector<std::string>> stored_key(const StateTable& table, std::vector<std::string> key,
                                            db::Sealing* sealing) {
  if (table.personal == nullptr || sealing == nullptr) return key;
  for (std::size_t i = 0; i < table.personal_columns.size(); ++i) {
    const int column = table.personal_columns[i];
    if (column >= table.keys) continue;
    std::string& value = key[static_cast<std::size_t>(column)];
    auto index = sealing->index(table.name, table.personal->columns[i].name, value);
    if (!index) return std::unexpected(index.error());
    value = *std::move(index);
  }
  return key;
}

const StateTable& state_table(std::string_view name) {
  const auto found = std::ranges::find(state_tables(), name, &StateTable::name);
  CHECK(found != state_tables().end());
  return *found;
}

Result<std::string> kept_hash(const StateTable& table, std::string hash, db::Sealing* sealing) {
  if (table.personal == nullptr || sealing == nullptr) return hash;
  return sealing->index("state", table.name, hash);
}

Result<void> each_state(db::Database& database, const StateTable& table,
                        const std::function<Result<void>(StateRow)>& each) {
  const auto rows =
      database.scan("SELECT " + std::string(table.columns) + " FROM " + std::string(table.name));
  if (!rows) return std::unexpected(rows.error());
  while (true) {
    const auto more = (*rows)->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) return {};
    StateRow read{.table = table.name, .key = {}, .hash = {}};
    for (int i = 0; i < table.keys; ++i) read.key.emplace_back((*rows)->text(i));
    const auto plain = plain_values(database, table, **rows, read.key);
    read.erased = !plain && plain.error().code == Code::not_found;
    const bool is_damaged = !plain && plain.error().code == Code::corrupt;
    if (!plain && !read.erased && !is_damaged) return std::unexpected(plain.error());
    if (is_damaged) read.damage = plain.error().what;
    if (plain) {
      auto hash = kept_hash(table, hash_row(**rows, table, *plain, false), database.sealing());
      if (!hash) return std::unexpected(hash.error());
      read.hash = *std::move(hash);
    }
    read.open_hash = hash_row(**rows, table, {}, true);
    if (auto done = each(std::move(read)); !done) return done;
  }
}

Result<json::Array> read_schema(db::Database& database) {
  const auto rows = database.query(
      "SELECT module, number, checksum, applied FROM schema_migration ORDER BY module, number");
  if (!rows) return std::unexpected(rows.error());
  json::Array steps;
  while (true) {
    const auto more = (*rows)->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) return steps;
    steps.emplace_back(json::Object{{"applied", (*rows)->text(3)},
                                    {"checksum", (*rows)->text(2)},
                                    {"module", (*rows)->text(0)},
                                    {"number", (*rows)->integer(1)}});
  }
}

}  // namespace mailwarden::report
