// A store as a whole: what is in it, and the same elsewhere.
//
// What     sum() reads every table and answers its rows and a digest over them that depends neither
//          on their order nor on the database. copy() takes every row of one store into an empty
//          one, on the same kind of database or another, in one transaction, reads it again there
//          and commits only if the digests are those of what was taken.
// Owns     Nothing.
// Threads  As the Databases passed in.
// Errors   conflict: the target holds rows already. corrupt: what was read again differs. invalid:
//          the two differ in their tables. The rest as Database.
// Limits   Memory does not grow with the store.
// Source   The digest is the sum, modulo 2^256, of the SHA-256 of each row. It guards against
//          mistakes; whether somebody changed a store, the ledger tells.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "crypto/sha256.h"
#include "db/database.h"

namespace mailwarden::store {

struct TableSum {
  std::string name;
  std::int64_t rows = 0;
  crypto::Digest digest{};

  bool operator==(const TableSum&) const = default;
};

// Called now and then with the rows done so far.
using Progress = std::function<void(std::int64_t rows)>;

// All tables in one state of the store, whoever writes to it meanwhile.
Result<std::vector<TableSum>> sum(db::Database& database, const Progress& progress = {});

// `to` has the tables already, as migrate() makes them, without rows.
Result<std::vector<TableSum>> copy(db::Database& from, db::Database& to,
                                   const Progress& progress = {});

}  // namespace mailwarden::store
