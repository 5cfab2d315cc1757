// PostgreSQL behind db/database.h.
//
// What     open_postgres() connects to a database. A commit is on the server's disk when it
//          answers. A connection that was lost is made anew by the next begin() or, outside a
//          transaction, by the next statement. Where it was lost during a commit, the store itself
//          tells afterwards whether that held: each transaction leaves its mark in the row of the
//          table store_commit, which migrate() makes.
// Owns     The connection.
// Threads  As Database.
// Errors   As Database. unavailable: no connection, a time-out, a lock, another sole writer.
//          denied: the role may not do that. invalid: the server is older than version_min, keeps
//          text in another encoding than UTF-8, or (to a writer) does not force commits to its
//          disk.
// Limits   OpenOptions; a portion of a scan has portion_rows rows.
// Source   PostgreSQL 15; libpqxx 6.4.
#pragma once

#include <memory>
#include <string>

#include "db/open.h"

namespace mailwarden::db {

inline constexpr int postgres_version_min = 150000;
inline constexpr int portion_rows = 2000;

Result<std::unique_ptr<Database>> open_postgres(const std::string& url,
                                                const OpenOptions& options = {});

}  // namespace mailwarden::db
