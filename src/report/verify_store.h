// Whether a store says what its ledger says, all of it.
//
// What     verify_store() reads the store within one reading transaction, so that a daemon may go
//          on writing it: what the database itself finds damaged in its files and indexes, the
//          ledger from end to end, and every table beside it.
// Owns     Nothing.
// Threads  As the Database passed in.
// Errors   Those of Database where the store cannot be read and nothing is known to be damaged.
// Limits   As ledger::verify().
#pragma once

#include "base/result.h"
#include "db/database.h"
#include "ledger/verify.h"

namespace mailwarden::report {

// The checks of the options are set here.
Result<ledger::Verdict> verify_store(db::Database& database, ledger::VerifyOptions options);

// A reading transaction that ends with the scope it was begun in.
class Reading {
 public:
  explicit Reading(db::Database& database) : database_(database) {}
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;
  ~Reading() { database_.rollback(); }

 private:
  db::Database& database_;
};

}  // namespace mailwarden::report
