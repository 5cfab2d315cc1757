// One thin door to a database.
//
// What     A Database runs statements; a Statement is prepared once, bound and stepped many times;
//          a Transaction is undone unless it is committed. SQL uses $1, $2, … and what both SQLite
//          and PostgreSQL understand (ON CONFLICT, RETURNING). Each domain module owns its tables
//          and its numbered migrations, and hands the latter to migrate(). Definitions of tables
//          name the types INTEGER or BIGINT (64 bits), DOUBLE, TEXT (any bytes) and BLOB.
// Owns     A Database owns its connection and its prepared statements, which it keeps by their
//          text.
// Threads  One thread a Database, but for interrupt(); open another connection for another thread.
// Errors   unavailable: locked, busy, out of reach or interrupted; the same call may succeed later.
//          full: no space or a limit of the store. corrupt: the file is damaged. conflict: a
//          constraint. invalid: the SQL, or the store is not ours. io: the rest.
// Limits   OpenOptions (db/open.h).
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/timestamp.h"

namespace mailwarden::db {

using Blob = std::span<const std::byte>;

// What can be bound. Views must stay good until the statement has been stepped to its end or reset.
using Value = std::variant<std::monostate, std::int64_t, double, std::string_view, Blob>;

inline Value null() {
  return std::monostate();
}
inline Value value(Timestamp at) {
  return at.us;
}
inline Value value(bool truth) {
  return std::int64_t{truth ? 1 : 0};
}

class Sealing;

class Statement {
 public:
  virtual ~Statement() = default;

  // Begins anew with these values.
  virtual Result<void> bind(std::span<const Value> values) = 0;
  // True: a row stands ready. False: there is none (any more).
  virtual Result<bool> step() = 0;

  // Of the row that stands ready, columns from 0. NULL reads as 0, "" and an empty blob. Views are
  // good until the next step() or bind().
  virtual bool is_null(int column) const = 0;
  virtual std::int64_t integer(int column) const = 0;
  virtual double number(int column) const = 0;
  virtual std::string_view text(int column) const = 0;
  virtual Blob blob(int column) const = 0;
  virtual int columns() const = 0;

  Result<void> bind(std::initializer_list<Value> values) {
    return bind(std::span<const Value>(values.begin(), values.size()));
  }
  // Binds and runs to the end, for statements without rows.
  Result<void> run(std::span<const Value> values);
  Result<void> run(std::initializer_list<Value> values) {
    return run(std::span<const Value>(values.begin(), values.size()));
  }
};

// The INSERT of one row into these columns, $1 being the first.
std::string insert_text(std::string_view table, std::span<const std::string_view> columns);

// Tells rows one after the other: fills in the next one, or answers false.
using RowSource = std::function<bool(std::span<Value> row)>;

enum class ColumnType : std::uint8_t { integer, number, text, blob };

struct Column {
  std::string name;
  ColumnType type = ColumnType::integer;
};

struct Table {
  std::string name;
  std::vector<Column> columns;   // in the order in which they were defined
  std::vector<std::string> key;  // columns of the primary key, in its order
};

class StoreCopy;

// How many bytes are free in a folder.
using FreeBytes = std::function<Result<std::int64_t>(const std::string& folder)>;

class Database {
 public:
  virtual ~Database() = default;

  // Several statements without values, one after the other.
  virtual Result<void> execute(std::string_view sql) = 0;
  // The statement of that text, prepared at its first use; the pointer stays good as long as the
  // Database. It must not be in use already.
  virtual Result<Statement*> prepare(std::string_view sql) = 0;
  // The same for a question with many rows: they come in portions, where the database does not
  // step through them by itself, and all scans that are open outside a transaction see one state of
  // the store. A scan ends with its last row, at the next bind(), and with the transaction that it
  // was begun in.
  virtual Result<Statement*> prepare_scan(std::string_view sql) = 0;
  // Many rows by the fastest way there is; all of them, or none within a transaction.
  virtual Result<void> insert_rows(std::string_view table,
                                   std::span<const std::string_view> columns,
                                   const RowSource& next) = 0;
  // Rows that the last statement inserted, changed or removed.
  virtual std::int64_t changes() const = 0;

  // conflict: the transaction before, whose commit() answered unavailable, is in the store after
  // all; what it wrote must not be written again. Told once; the next begin() begins.
  virtual Result<void> begin() = 0;
  // unavailable: it may be in the store or not, and the next begin() tells.
  virtual Result<void> commit() = 0;
  virtual void rollback() = 0;
  // Begins a transaction that sees the store as it stands now, whatever others write meanwhile; its
  // end is rollback(). With `checks_files` it answers what the database itself finds damaged in its
  // files and indexes.
  virtual Result<std::vector<std::string>> begin_reading(bool checks_files) = 0;
  // From any thread: on SQLite, ends what is at work; it answers unavailable.
  virtual void interrupt() {}

  // What there is, by name, without what the database keeps for itself.
  virtual Result<std::vector<Table>> tables() = 0;
  // Whether it knows several roles.
  virtual bool has_roles() const { return false; }

  // The keys of the store (db/sealing.h), which must outlive this; null for one without.
  Sealing* sealing() const { return sealing_; }
  void set_sealing(Sealing* sealing) { sealing_ = sealing; }

  // Within the transaction of migrate(), before any table: what the database needs for itself.
  virtual Result<void> prepare_store() { return {}; }
  // A copy of what is committed, in a file beside the store, on which things can be tried; null
  // where there is no file, and on PostgreSQL. full: there is no room for it.
  virtual Result<std::unique_ptr<StoreCopy>> copy_beside(const FreeBytes& free_bytes);
  // Removes what a process left of such a copy that was killed.
  virtual void remove_copy() {}
  // What the database itself finds wrong with its files, indexes and references, as they stand
  // within the transaction.
  virtual Result<std::vector<std::string>> find_damage() { return {}; }

  // Prepares (or finds), binds and runs.
  Result<void> run(std::string_view sql, std::initializer_list<Value> values);
  // Prepares (or finds) and binds; the caller steps.
  Result<Statement*> query(std::string_view sql, std::initializer_list<Value> values = {});
  // The same for prepare_scan().
  Result<Statement*> scan(std::string_view sql, std::initializer_list<Value> values = {});
  // The single integer of a single row; `otherwise` where there is no row or it is NULL.
  Result<std::int64_t> integer(std::string_view sql, std::initializer_list<Value> values = {},
                               std::int64_t otherwise = 0);

 private:
  Sealing* sealing_ = nullptr;
};

// Goes with its file when this goes.
class StoreCopy {
 public:
  StoreCopy(std::unique_ptr<Database> copy, std::function<void()> remove)
      : copy_(std::move(copy)), remove_(std::move(remove)) {}
  StoreCopy(const StoreCopy&) = delete;
  StoreCopy& operator=(const StoreCopy&) = delete;
  ~StoreCopy() {
    copy_.reset();
    remove_();
  }

  Database& database() { return *copy_; }

 private:
  std::unique_ptr<Database> copy_;
  std::function<void()> remove_;
};

// Begins at begin(), undoes at destruction unless commit() has been called and succeeded.
class Transaction {
 public:
  static Result<Transaction> begin(Database& database);
  Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();

  Database& database() { return *database_; }
  Result<void> commit();

 private:
  explicit Transaction(Database& database) : database_(&database) {}

  Database* database_;
};

// One step of a module's tables. `number` counts from 1 within the module; a step that has been
// released is never changed, since its checksum is kept in the store.
struct Migration {
  std::string_view module;
  std::int64_t number = 0;
  std::string_view sql;
};

// Brings the store to the newest step of every module, all in one transaction. Refuses a store that
// holds a step unknown here (a newer program made it) or one whose text differs from what was run.
//
// A store that has tables already is not trusted to bear the steps. Each of them must succeed on
// what the store holds and leave as many rows as there were in every table that its text does not
// mention, and behind the last one find_damage() must find nothing; else the store stays as it was.
// On SQLite all that is asked of a copy beside the store's file, which needs room (full: there is
// none), before the store's own transaction takes a step; nobody writes meanwhile, since that
// transaction is open by then. On PostgreSQL, and in memory, it is asked in that transaction
// itself, before it commits: a try that is rolled back first would be one of another state.
struct MigrateOptions {
  FreeBytes free_bytes;  // asks the system where nothing is given
};
Result<void> migrate(Database& database, std::span<const Migration> migrations, Timestamp now,
                     const MigrateOptions& options = {});
// The same questions without changing anything: not_found where a step is missing.
Result<void> check_migrations(Database& database, std::span<const Migration> migrations);

}  // namespace mailwarden::db
