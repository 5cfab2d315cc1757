// Who may do what in a PostgreSQL store.
//
// What     grant() lets two roles, which exist already, use the tables of the store's owner: a
//          writer, as whom a daemon runs, and a reader, for auditors. The writer reads and writes
//          rows but makes, empties and drops no table, and of append-only tables it neither changes
//          nor removes rows. Where a change has its place all the same, a trigger of the owner's
//          holds it to what Exception says.
// Owns     Nothing.
// Threads  As Database.
// Errors   invalid: on SQLite, whose file has one owner; a name that is no role's. The rest as
//          Database.
// Limits   None.
// Source   PostgreSQL 15, GRANT, CREATE TRIGGER.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "db/database.h"

namespace mailwarden::db {

struct AppendOnly {
  std::string table;
  // Columns that may become NULL, all at once: what is erased of a row.
  std::vector<std::string> erasable;
  // A text column that may grow at its end.
  std::string growing;
  // A text column that may be sealed anew: a text that begins with sealed_mark (db/sealing.h) may
  // become another that does. The other columns stay meanwhile. May be one of the erasable ones.
  std::string sealed;
};

struct Roles {
  std::string writer;
  std::string reader;
};

Result<void> grant(Database& database, const Roles& roles,
                   const std::vector<AppendOnly>& append_only);

}  // namespace mailwarden::db
