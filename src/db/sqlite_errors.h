// What SQLite answers, as an Error.
//
// What     to_code() says which of our codes a result of SQLite's is; sqlite_failure() adds the
//          sentence of the connection where it happened.
// Owns     Nothing.
// Threads  That of the connection.
// Errors   None.
// Limits   None.
// Source   SQLite 3.40, rescode.html.
#pragma once

#include "base/result.h"

struct sqlite3;

namespace mailwarden::db {

// `connection` may be null.
std::unexpected<Error> sqlite_failure(sqlite3* connection, int result);

}  // namespace mailwarden::db
