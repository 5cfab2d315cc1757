#include "db/roles.h"

#include <algorithm>

#include "db/sealing.h"

namespace mailwarden::db {
namespace {

bool is_plain(const std::string& name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

std::string joined(const std::vector<std::string>& names, const std::string& between) {
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : between) + name;
  return all;
}

std::string statements_for(const Roles& roles, const std::vector<Table>& tables) {
  std::string sql;
  for (const std::string& role : {roles.writer, roles.reader}) {
    sql += "GRANT USAGE ON SCHEMA %schema% TO " + role + ";";
  }
  for (const Table& table : tables) {
    sql += "GRANT SELECT ON " + table.name + " TO " + roles.reader + ";";
    sql += "GRANT SELECT, INSERT, UPDATE, DELETE ON " + table.name + " TO " + roles.writer + ";";
  }
  sql += "REVOKE INSERT, UPDATE, DELETE ON schema_migration FROM " + roles.writer + ";";
  return sql + "GRANT SELECT, UPDATE ON store_commit TO " + roles.writer + ";";
}

std::string unchanged(const AppendOnly& one, const std::string& column) {
  if (column == one.growing) return "starts_with(NEW." + column + ", OLD." + column + ")";
  return "NEW." + column + " IS NOT DISTINCT FROM OLD." + column;
}

std::string erased(const AppendOnly& one, const Table& table) {
  std::vector<std::string> all;
  for (const Column& column : table.columns) {
    const bool goes = std::ranges::count(one.erasable, column.name) > 0;
    all.push_back(goes ? "NEW." + column.name + " IS NULL" : unchanged(one, column.name));
  }
  return joined(all, " AND ");
}

std::string sealed_anew(const AppendOnly& one, const Table& table) {
  std::vector<std::string> all;
  for (const Column& column : table.columns) {
    if (column.name != one.sealed) {
      all.push_back(unchanged(one, column.name));
      continue;
    }
    for (const std::string when : {"OLD.", "NEW."}) {
      all.push_back("starts_with(" + when + column.name + ", '" + std::string(sealed_mark) + "')");
    }
  }
  return joined(all, " AND ");
}

// What a row may become, as a condition over OLD and NEW.
std::string allowed_change(const AppendOnly& one, const Table& table) {
  const std::string first = erased(one, table);
  return one.sealed.empty() ? first : "(" + first + ") OR (" + sealed_anew(one, table) + ")";
}

std::string statements_for(const AppendOnly& one, const Table& table, const Roles& roles) {
  std::string sql = "REVOKE UPDATE, DELETE ON " + table.name + " FROM " + roles.writer + ";";
  std::vector<std::string> changing = one.erasable;
  for (const std::string& column : {one.growing, one.sealed}) {
    if (column.empty() || std::ranges::count(changing, column) > 0) continue;
    changing.push_back(column);
  }
  if (changing.empty()) return sql;
  const std::string guard = table.name + "_guard";
  sql += "GRANT UPDATE (" + joined(changing, ", ") + ") ON " + table.name + " TO " + roles.writer +
         ";";
  sql += "CREATE OR REPLACE FUNCTION " + guard +
         "() RETURNS trigger LANGUAGE plpgsql AS $guard$ BEGIN IF " + allowed_change(one, table) +
         " THEN RETURN NEW; END IF; RAISE EXCEPTION 'rows of " + table.name +
         " are not changed'; END $guard$;";
  return sql + "CREATE OR REPLACE TRIGGER " + guard + " BEFORE UPDATE ON " + table.name +
         " FOR EACH ROW EXECUTE FUNCTION " + guard + "();";
}

Result<std::string> schema_of(Database& database) {
  const auto row = database.query("SELECT quote_ident(current_schema())");
  if (!row) return std::unexpected(row.error());
  const auto found = (*row)->step();
  if (!found) return std::unexpected(found.error());
  return std::string((*row)->text(0));
}

}  // namespace

Result<void> grant(Database& database, const Roles& roles,
                   const std::vector<AppendOnly>& append_only) {
  if (!database.has_roles()) {
    return fail(Code::invalid, "a SQLite store has no roles; its file's owner may do everything");
  }
  for (const std::string& role : {roles.writer, roles.reader}) {
    if (!is_plain(role)) {
      return fail(Code::invalid, "'" + role + "' is no name for a role: a-z, 0-9 and _ only");
    }
  }
  const auto tables = database.tables();
  if (!tables) return std::unexpected(tables.error());
  const auto schema = schema_of(database);
  if (!schema) return std::unexpected(schema.error());
  std::string sql = statements_for(roles, *tables);
  for (std::size_t at = sql.find("%schema%"); at != sql.npos; at = sql.find("%schema%")) {
    sql.replace(at, 8, *schema);
  }
  for (const AppendOnly& one : append_only) {
    const auto table = std::ranges::find(*tables, one.table, &Table::name);
    if (table == tables->end()) return fail(Code::invalid, "there is no table " + one.table);
    sql += statements_for(one, *table, roles);
  }
  auto transaction = Transaction::begin(database);
  if (!transaction) return std::unexpected(transaction.error());
  if (auto done = database.execute(sql); !done) return done;
  return transaction->commit();
}

}  // namespace mailwarden::db
