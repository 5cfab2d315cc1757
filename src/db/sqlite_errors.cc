#include "db/sqlite_errors.h"

#include <cstring>

#include <sqlite3.h>

namespace mailwarden::db {
namespace {

Code to_code(int result) {
  switch (result & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_INTERRUPT:
      return Code::unavailable;
    case SQLITE_FULL:
      return Code::full;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Code::corrupt;
    case SQLITE_CONSTRAINT:
      return Code::conflict;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return Code::denied;
    case SQLITE_CANTOPEN:
      return Code::not_found;
    case SQLITE_ERROR:
    case SQLITE_RANGE:
    case SQLITE_MISUSE:
      return Code::invalid;
    default:
      return Code::io;
  }
}

}  // namespace

std::unexpected<Error> sqlite_failure(sqlite3* connection, int result) {
  std::string what = "database: ";
  what += connection != nullptr ? sqlite3_errmsg(connection) : sqlite3_errstr(result);
  // SQLite says that a file cannot be opened, the system says why.
  const int reason = connection != nullptr ? sqlite3_system_errno(connection) : 0;
  const bool told = (result & 0xFF) == SQLITE_CANTOPEN && reason != 0;
  if (told) what += " (" + std::string(std::strerror(reason)) + ")";
  return fail(to_code(result), std::move(what));
}

}  // namespace mailwarden::db
