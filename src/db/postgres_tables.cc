#include "db/postgres_tables.h"

#include <string>

namespace mailwarden::db {
namespace {

ColumnType type_of(std::string_view declared) {
  if (declared == "text") return ColumnType::text;
  if (declared == "bytea") return ColumnType::blob;
  return declared == "double precision" ? ColumnType::number : ColumnType::integer;
}

Result<std::vector<std::string>> read_key(Database& database, const std::string& table) {
  const auto rows = database.query(
      "SELECT used.column_name FROM information_schema.table_constraints AS made"
      " JOIN information_schema.key_column_usage AS used"
      " ON used.constraint_name = made.constraint_name"
      " AND used.table_schema = made.table_schema AND used.table_name = made.table_name"
      " WHERE made.constraint_type = 'PRIMARY KEY' AND made.table_schema = current_schema()"
      " AND made.table_name = $1 ORDER BY used.ordinal_position",
      {std::string_view(table)});
  if (!rows) return std::unexpected(rows.error());
  std::vector<std::string> key;
  while (true) {
    const auto more = (*rows)->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) return key;
    key.emplace_back((*rows)->text(0));
  }
}

}  // namespace

Result<std::vector<Table>> postgres_tables(Database& database) {
  const auto rows = database.query(
      "SELECT table_name, column_name, data_type FROM information_schema.columns"
      " JOIN information_schema.tables USING (table_schema, table_name)"
      " WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'"
      " ORDER BY table_name COLLATE \"C\", ordinal_position");
  if (!rows) return std::unexpected(rows.error());
  std::vector<Table> tables;
  while (true) {
    const auto more = (*rows)->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) break;
    const std::string_view name = (*rows)->text(0);
    if (name == commit_table) continue;
    if (tables.empty() || tables.back().name != name) tables.push_back({.name = std::string(name)});
    tables.back().columns.push_back(
        {.name = std::string((*rows)->text(1)), .type = type_of((*rows)->text(2))});
  }
  for (Table& table : tables) {
    auto key = read_key(database, table.name);
    if (!key) return std::unexpected(key.error());
    table.key = *std::move(key);
  }
  return tables;
}

}  // namespace mailwarden::db
