#include "db/database.h"

#include <algorithm>
#include <cstdint>
#include <map>

namespace mailwarden::db {
namespace {

using Key = std::pair<std::string, std::int64_t>;

// FNV-1a, 64 bits: it guards against a mistake of ours in a released step, not against an attacker,
// who would change the tables and not their description.
std::string checksum(std::string_view sql) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : sql) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3ULL;
  }
  return std::to_string(hash);
}

Result<std::map<Key, std::string>> applied(Database& database) {
  std::map<Key, std::string> found;
  const auto rows = database.query("SELECT module, number, checksum FROM schema_migration");
  if (!rows) return std::unexpected(rows.error());
  while (true) {
    const auto more = (*rows)->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) return found;
    found[{std::string((*rows)->text(0)), (*rows)->integer(1)}] = (*rows)->text(2);
  }
}

// Takes out of `found` every step known here, and judges the rest.
Result<std::vector<const Migration*>> missing(std::map<Key, std::string> found,
                                              std::span<const Migration> migrations) {
  std::vector<const Migration*> steps;
  for (const Migration& step : migrations) {
    const auto done = found.find({std::string(step.module), step.number});
    if (done == found.end()) {
      steps.push_back(&step);
      continue;
    }
    if (done->second != checksum(step.sql)) {
      return fail(Code::corrupt, "the store's table step " + std::string(step.module) + " " +
                                     std::to_string(step.number) +
                                     " differs from what this program would have run");
    }
    found.erase(done);
  }
  if (!found.empty()) {
    const auto& [module, number] = found.begin()->first;
    return fail(Code::invalid, "the store was made by a newer program (it has table step " +
                                   module + " " + std::to_string(number) +
                                   "); use that program or a backup from before it");
  }
  return steps;
}

Result<void> apply(Database& database, const Migration& step, Timestamp now) {
  if (auto done = database.execute(step.sql); !done) {
    return fail("table step " + std::string(step.module) + " " + std::to_string(step.number),
                done.error());
  }
  return database.run(
      "INSERT INTO schema_migration (module, number, checksum, applied) VALUES ($1, $2, $3, $4)",
      {step.module, step.number, std::string_view(checksum(step.sql)), value(now)});
}

}  // namespace

std::string insert_text(std::string_view table, std::span<const std::string_view> columns) {
  std::string names;
  std::string values;
  for (const std::string_view column : columns) {
    if (!names.empty()) names += ", ", values += ", ";
    names += column;
    values += "$" + std::to_string(1 + std::ranges::count(values, '$'));
  }
  return "INSERT INTO " + std::string(table) + " (" + names + ") VALUES (" + values + ")";
}

Result<void> Statement::run(std::span<const Value> values) {
  if (auto bound = bind(values); !bound) return bound;
  while (true) {
    const auto more = step();
    if (!more) return std::unexpected(more.error());
    if (!*more) return {};
  }
}

Result<void> Database::run(std::string_view sql, std::initializer_list<Value> values) {
  const auto statement = prepare(sql);
  if (!statement) return std::unexpected(statement.error());
  return (*statement)->run(values);
}

namespace {

Result<Statement*> bound(const Result<Statement*>& statement, std::initializer_list<Value> values) {
  if (!statement) return statement;
  if (auto done = (*statement)->bind(values); !done) return std::unexpected(done.error());
  return statement;
}

}  // namespace

Result<Statement*> Database::query(std::string_view sql, std::initializer_list<Value> values) {
  return bound(prepare(sql), values);
}

Result<Statement*> Database::scan(std::string_view sql, std::initializer_list<Value> values) {
  return bound(prepare_scan(sql), values);
}

Result<std::int64_t> Database::integer(std::string_view sql, std::initializer_list<Value> values,
                                       std::int64_t otherwise) {
  const auto statement = query(sql, values);
  if (!statement) return std::unexpected(statement.error());
  const auto row = (*statement)->step();
  if (!row) return std::unexpected(row.error());
  const std::int64_t found =
      *row && !(*statement)->is_null(0) ? (*statement)->integer(0) : otherwise;
  // Ends the statement, so that no read lock stays behind.
  if (auto reset = (*statement)->bind(std::span<const Value>()); !reset) {
    return std::unexpected(reset.error());
  }
  return found;
}

Result<Transaction> Transaction::begin(Database& database) {
  if (auto begun = database.begin(); !begun) return std::unexpected(begun.error());
  return Transaction(database);
}

Transaction::~Transaction() {
  if (database_ != nullptr) database_->rollback();
}

Result<void> Transaction::commit() {
  auto done = database_->commit();
  if (done) database_ = nullptr;
  return done;
}

Result<void> migrate(Database& database, std::span<const Migration> migrations, Timestamp now) {
  // A role that may not make tables can use a store that has them all.
  if (check_migrations(database, migrations)) return {};
  auto transaction = Transaction::begin(database);
  if (!transaction) return std::unexpected(transaction.error());
  if (auto done = database.prepare_store(); !done) return done;
  if (auto made = database.execute("CREATE TABLE IF NOT EXISTS schema_migration ("
                                   "module TEXT NOT NULL, number BIGINT NOT NULL,"
                                   "checksum TEXT NOT NULL, applied BIGINT NOT NULL,"
                                   "PRIMARY KEY (module, number))");
      !made) {
    return made;
  }
  auto found = applied(database);
  if (!found) return std::unexpected(found.error());
  const auto steps = missing(*std::move(found), migrations);
  if (!steps) return std::unexpected(steps.error());
  for (const Migration* step : *steps) {
    if (auto done = apply(database, *step, now); !done) return done;
  }
  return transaction->commit();
}

Result<void> check_migrations(Database& database, std::span<const Migration> migrations) {
  auto found = applied(database);
  if (!found)
    return fail(Code::invalid, "this is not a store of mailwarden: " + found.error().what);
  const auto steps = missing(*std::move(found), migrations);
  if (!steps) return std::unexpected(steps.error());
  if (!steps->empty()) {
    return fail(Code::not_found, "the store lacks table step " +
                                     std::string(steps->front()->module) + " " +
                                     std::to_string(steps->front()->number) +
                                     "; start the daemon on it once to bring it up to date");
  }
  return {};
}

}  // namespace mailwarden::db
