#include "report/state_rows.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "crypto/sha256.h"

namespace mailwarden::report {
namespace {

constexpr std::array stream_bytes{9, 11};

constexpr std::array tables{
    StateTable{"correlation", 1, "number, event, body"},
    StateTable{"grant_clock", 1, "only_row, latest, set_back"},
    StateTable{"grants", 1, "number, person, system, state, is_open, body"},
    StateTable{"identity_account", 2, "provider, id, body"},
    StateTable{"identity_group", 2, "provider, id, body"},
    StateTable{"identity_person", 2, "provider, id, body"},
    StateTable{"identity_source", 2, "provider, id, body"},
    StateTable{"incident", 1,
               "number, state, severity, entity_kind, entity_name, opened, changed, body"},
    StateTable{"playbook_run", 1, "number, playbook, incident, state, body"},
    StateTable{"sign_in", 2, "person, time, token"},
    StateTable{"stream", 1,
               "stream, source, path, generation, device, inode, birth, position, head_length,"
               " head, tail_length, tail, finished",
               stream_bytes},
    StateTable{"witness_log", 1, "origin, note"}};

// Each value stands behind its length, so that nothing can move from one column into the next.
std::string hash_row(const db::Statement& row, const StateTable& table) {
  std::string said;
  for (int column = 0; column < row.columns(); ++column) {
    if (row.is_null(column)) {
      said += "-;";
      continue;
    }
    const bool is_bytes = std::ranges::find(table.bytes, column) != table.bytes.end();
    const db::Blob bytes = is_bytes ? row.blob(column) : crypto::as_bytes(row.text(column));
    said += std::to_string(bytes.size()) + ":";
    said.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  return crypto::to_hex(crypto::sha256(said));
}

}  // namespace

std::span<const StateTable> state_tables() {
  return tables;
}

const StateTable& state_table(std::string_view name) {
  const auto* const found = std::ranges::find(tables, name, &StateTable::name);
  CHECK(found != tables.end());
  return *found;
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
    StateRow read{.table = table.name, .key = {}, .hash = hash_row(**rows, table)};
    for (int i = 0; i < table.keys; ++i) read.key.emplace_back((*rows)->text(i));
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
