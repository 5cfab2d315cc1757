// What tables a PostgreSQL schema has.
//
// What     Reads the catalogue of the current schema.
// Owns     Nothing.
// Threads  As Database.
// Errors   As Database.
// Limits   None.
// Source   PostgreSQL 15, "The Information Schema".
#pragma once

#include <vector>

#include "db/database.h"

namespace mailwarden::db {

// The table in which each transaction leaves its mark.
inline constexpr std::string_view commit_table = "store_commit";

Result<std::vector<Table>> postgres_tables(Database& database);

}  // namespace mailwarden::db
