#include "db/database.h"

#include <algorithm>

namespace mailwarden::db {

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

Result<std::unique_ptr<StoreCopy>> Database::copy_beside(const FreeBytes&) {
  return nullptr;
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

}  // namespace mailwarden::db
