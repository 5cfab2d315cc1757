// Rows that stand for the present, and how the ledger commits to them.
//
// What     Some tables hold what is so now and not what happened: incidents, grants, runs, people,
//          where streams stand. Whenever the daemon changes such a row, an entry of kind "state"
//          names it by its key and tells the hash of what it says from then on, so that the last
//          such entry of a key is what its row must be. This is the list of these tables and the
//          one way to hash a row of them.
// Owns     Nothing.
// Threads  As the Database passed in.
// Errors   As Database.
// Limits   None of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "db/database.h"
#include "db/sealing.h"
#include "json/value.h"

namespace mailwarden::report {

struct StateTable {
  std::string_view name;
  int keys = 1;                     // so many columns of the beginning name a row: one or two
  std::string_view columns;         // as SQL has them
  std::span<const int> bytes = {};  // those that hold bytes and no text
  // What of it is personal, and which columns these are.
  const db::PersonalTable* personal = nullptr;
  std::span<const int> personal_columns = {};
  // The step of its tables that gave it columns after stores had rows in it: those are told anew
  // where it is taken. "" where there is none.
  std::string_view widened_in = {};  // the step's module
  std::int64_t widened_by = 0;       // and its number
};
std::span<const StateTable> state_tables();
// CHECKs that it is one of them.
const StateTable& state_table(std::string_view name);

struct StateRow {
  std::string_view table;           // one of state_tables()
  std::vector<std::string> key;     // the values of its key columns, as text and as they are stored
  std::optional<std::string> hash;  // hex, over every column; nothing where the row is gone
  std::string open_hash;            // the same over the columns that are never sealed
  bool erased = false;              // nobody can read it any more; it has no hash
  std::string damage;               // why it cannot be read, and has no hash

  bool operator==(const StateRow&) const = default;
};

// A key as it is stored: what of it is personal is an index in a store with keys.
Result<std::vector<std::string>> stored_key(const StateTable& table, std::vector<std::string> key,
                                            db::Sealing* sealing);

// A hash as it stands in an entry: in a store with keys nobody without them can make it, and so
// confirm what a row said.
Result<std::string> kept_hash(const StateTable& table, std::string hash, db::Sealing* sealing);

// Every row of the table. The hash is over what the row says, not over what is stored for that.
Result<void> each_state(db::Database& database, const StateTable& table,
                        const std::function<Result<void>(StateRow)>& each);

// The steps by which the tables were made, an object each, in the order of their names and numbers.
Result<json::Array> read_schema(db::Database& database);

}  // namespace mailwarden::report
