// Every row of an answer.
//
// What     each_row() asks, and hands over each row as it comes.
// Owns     Nothing.
// Threads  As the Database passed in.
// Errors   Those of Database::query() and of Statement::step().
// Limits   None of its own.
#pragma once

#include <initializer_list>
#include <string_view>

#include "base/result.h"
#include "db/database.h"

namespace mailwarden::db {

template <class Take>
Result<void> each_row(Database& database, std::string_view sql, std::initializer_list<Value> values,
                      Take take) {
  const auto rows = database.query(sql, values);
  if (!rows) return std::unexpected(rows.error());
  while (true) {
    const auto more = (*rows)->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) return {};
    take(**rows);
  }
}

}  // namespace mailwarden::db
