#include "db/sqlite.h"

#include <algorithm>
#include <map>

#include <sqlite3.h>

#include "db/checkpointer.h"
#include "db/file_check.h"
#include "db/sqlite_copy.h"
#include "db/sqlite_errors.h"

namespace mailwarden::db {
namespace {

class SqliteStatement final : public Statement {
 public:
  // SQLite numbers a parameter by where it first stands; ours are numbered by their names, $1 being
  // the first value wherever it stands.
  explicit SqliteStatement(sqlite3_stmt* statement) : statement_(statement) {
    const int parameters = sqlite3_bind_parameter_count(statement);
    for (int number = 1; number <= parameters; ++number) {
      const std::string name = "$" + std::to_string(number);
      order_.push_back(sqlite3_bind_parameter_index(statement, name.c_str()));
    }
  }
  SqliteStatement(const SqliteStatement&) = delete;
  SqliteStatement& operator=(const SqliteStatement&) = delete;
  ~SqliteStatement() override { sqlite3_finalize(statement_); }

  using Statement::bind;
  Result<void> bind(std::span<const Value> values) override {
    // What reset answers is the failure of the last step, which step() has told already.
    sqlite3_reset(statement_);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const int index = i < order_.size() ? order_[i] : 0;
      if (const int result = bind_one(index, values[i]); result != SQLITE_OK) {
        return sqlite_failure(sqlite3_db_handle(statement_), result);
      }
    }
    return {};
  }

  Result<bool> step() override {
    const int result = sqlite3_step(statement_);
    if (result == SQLITE_ROW) return true;
    if (result == SQLITE_DONE) {
      sqlite3_reset(statement_);
      return false;
    }
    auto failed = sqlite_failure(sqlite3_db_handle(statement_), result);
    sqlite3_reset(statement_);
    return failed;
  }

  bool is_null(int column) const override {
    return sqlite3_column_type(statement_, column) == SQLITE_NULL;
  }
  std::int64_t integer(int column) const override {
    return sqlite3_column_int64(statement_, column);
  }
  double number(int column) const override { return sqlite3_column_double(statement_, column); }
  std::string_view text(int column) const override {
    const unsigned char* bytes = sqlite3_column_text(statement_, column);
    if (bytes == nullptr) return {};
    return {reinterpret_cast<const char*>(bytes),
            static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
  }
  Blob blob(int column) const override {
    const void* bytes = sqlite3_column_blob(statement_, column);
    if (bytes == nullptr) return {};
    return {static_cast<const std::byte*>(bytes),
            static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
  }
  int columns() const override { return sqlite3_column_count(statement_); }

 private:
  int bind_one(int index, const Value& value) {
    if (const auto* integer = std::get_if<std::int64_t>(&value)) {
      return sqlite3_bind_int64(statement_, index, *integer);
    }
    if (const auto* number = std::get_if<double>(&value)) {
      return sqlite3_bind_double(statement_, index, *number);
    }
    if (const auto* text = std::get_if<std::string_view>(&value)) {
      return sqlite3_bind_text64(statement_, index, text->data() == nullptr ? "" : text->data(),
                                 text->size(), SQLITE_STATIC, SQLITE_UTF8);
    }
    if (const auto* blob = std::get_if<Blob>(&value)) {
      return sqlite3_bind_blob64(statement_, index,
                                 blob->empty() ? "" : static_cast<const void*>(blob->data()),
                                 blob->size(), SQLITE_STATIC);
    }
    return sqlite3_bind_null(statement_, index);
  }

  sqlite3_stmt* statement_;
  std::vector<int> order_;  // where SQLite has $1, $2, …
};

ColumnType sqlite_type(std::string_view declared) {
  if (declared == "TEXT") return ColumnType::text;
  if (declared == "BLOB") return ColumnType::blob;
  return declared == "DOUBLE" ? ColumnType::number : ColumnType::integer;
}

Result<Table> read_table(Database& database, std::string name) {
  Table table{.name = std::move(name), .columns = {}, .key = {}};
  const auto rows = database.query("SELECT name, type, pk FROM pragma_table_info($1) ORDER BY cid",
                                   {std::string_view(table.name)});
  if (!rows) return std::unexpected(rows.error());
  std::map<std::int64_t, std::string> key;
  while (true) {
    const auto more = (*rows)->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) break;
    const std::string column((*rows)->text(0));
    table.columns.push_back({.name = column, .type = sqlite_type((*rows)->text(1))});
    if (const std::int64_t place = (*rows)->integer(2); place > 0) key[place] = column;
  }
  for (auto& [place, column] : key) table.key.push_back(std::move(column));
  return table;
}

class SqliteDatabase final : public Database {
 public:
  explicit SqliteDatabase(sqlite3* connection) : connection_(connection) {}
  SqliteDatabase(const SqliteDatabase&) = delete;
  SqliteDatabase& operator=(const SqliteDatabase&) = delete;
  ~SqliteDatabase() override {
    checkpointer_.reset();
    statements_.clear();
    sqlite3_close_v2(connection_);
  }

  Result<void> execute(std::string_view sql) override {
    const std::string text(sql);
    const int result = sqlite3_exec(connection_, text.c_str(), nullptr, nullptr, nullptr);
    if (result != SQLITE_OK) return sqlite_failure(connection_, result);
    return {};
  }

  Result<Statement*> prepare(std::string_view sql) override {
    if (const auto known = statements_.find(sql); known != statements_.end()) {
      return known->second.get();
    }
    sqlite3_stmt* statement = nullptr;
    const int result = sqlite3_prepare_v3(connection_, sql.data(), static_cast<int>(sql.size()),
                                          SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (result != SQLITE_OK) return sqlite_failure(connection_, result);
    auto made = std::make_unique<SqliteStatement>(statement);
    return statements_.emplace(sql, std::move(made)).first->second.get();
  }

  // Steps through its rows as they are asked for.
  Result<Statement*> prepare_scan(std::string_view sql) override { return prepare(sql); }

  Result<void> insert_rows(std::string_view table, std::span<const std::string_view> columns,
                           const RowSource& next) override {
    const auto insert = prepare(insert_text(table, columns));
    if (!insert) return std::unexpected(insert.error());
    std::vector<Value> row(columns.size());
    while (next(row)) {
      if (auto done = (*insert)->run(row); !done) return done;
    }
    return {};
  }

  std::int64_t changes() const override { return sqlite3_changes64(connection_); }

  Result<std::vector<Table>> tables() override {
    const auto rows = query(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
        " ORDER BY name");
    if (!rows) return std::unexpected(rows.error());
    std::vector<std::string> names;
    while (true) {
      const auto more = (*rows)->step();
      if (!more) return std::unexpected(more.error());
      if (!*more) break;
      names.emplace_back((*rows)->text(0));
    }
    std::vector<Table> found;
    for (std::string& name : names) {
      auto table = read_table(*this, std::move(name));
      if (!table) return std::unexpected(table.error());
      found.push_back(*std::move(table));
    }
    return found;
  }

  // IMMEDIATE takes the write lock at once, so that a busy store is told before any work is done.
  Result<void> begin() override { return execute("BEGIN IMMEDIATE"); }
  Result<void> commit() override {
    auto done = execute("COMMIT");
    if (done && checkpointer_) checkpointer_->grown(log_pages_, connection_);
    return done;
  }
  void rollback() override {
    // After some failures SQLite has rolled back by itself and the statement only says so.
    sqlite3_exec(connection_, "ROLLBACK", nullptr, nullptr, nullptr);
  }

  Result<std::vector<std::string>> begin_reading(bool checks_files) override {
    std::vector<std::string> damage;
    // A deferred transaction has its view of the store from its first reading on.
    auto begun = execute("BEGIN; SELECT COUNT(*) FROM sqlite_schema;");
    if (!begun) return std::unexpected(begun.error());
    return checks_files ? ask_for_damage(*this, "integrity_check") : damage;
  }

  void interrupt() override { sqlite3_interrupt(connection_); }

  Result<std::unique_ptr<StoreCopy>> copy_beside(const FreeBytes& free_bytes) override {
    if (path().empty()) return nullptr;
    SqliteCopyOptions options{.path = path(), .free_bytes = free_bytes};
    for (const auto& [pragma, value] : {std::pair("PRAGMA page_count", &options.pages),
                                        std::pair("PRAGMA page_size", &options.page_bytes),
                                        std::pair("PRAGMA max_page_count", &options.pages_max)}) {
      const auto read = integer(pragma);
      if (!read) return std::unexpected(read.error());
      *value = *read;
    }
    return copy_sqlite(options);
  }
  void remove_copy() override {
    if (!path().empty() && sqlite3_db_readonly(connection_, "main") == 0) {
      remove_sqlite_copy(path());
    }
  }
  Result<std::vector<std::string>> find_damage() override {
    auto damage = ask_for_damage(*this, "integrity_check");
    if (!damage) return damage;
    const auto rows = query("PRAGMA foreign_key_check");
    if (!rows) return std::unexpected(rows.error());
    while (true) {
      const auto more = (*rows)->step();
      if (!more) return std::unexpected(more.error());
      if (!*more) return damage;
      if (std::ssize(*damage) >= FileCheck::findings_max) continue;
      damage->push_back("row " + std::to_string((*rows)->integer(1)) + " of " +
                        std::string((*rows)->text(0)) + " refers to no row of " +
                        std::string((*rows)->text(2)));
    }
  }

  Result<void> checkpoint_beside(const std::string& path) {
    auto started = Checkpointer::start(path);
    if (!started) return std::unexpected(started.error());
    checkpointer_ = *std::move(started);
    // In the place of SQLite's own hook, which would checkpoint.
    sqlite3_wal_hook(connection_, note_log_pages, this);
    return {};
  }

 private:
  // "" for one in memory.
  std::string path() const {
    const char* const name = sqlite3_db_filename(connection_, "main");
    return name != nullptr ? name : "";
  }
  static int note_log_pages(void* self, sqlite3*, const char*, int pages) {
    static_cast<SqliteDatabase*>(self)->log_pages_ = pages;
    return SQLITE_OK;
  }

  sqlite3* connection_;
  std::map<std::string, std::unique_ptr<SqliteStatement>, std::less<>> statements_;
  std::unique_ptr<Checkpointer> checkpointer_;
  int log_pages_ = 0;
};

Result<void> prepare_connection(Database& database, const OpenOptions& options) {
  // An event takes about a kilobyte, so that larger pages than SQLite's 4 KiB make far fewer calls
  // of the system for the same bytes. It counts for a new store alone.
  std::string sql =
      "PRAGMA page_size=16384; PRAGMA foreign_keys=ON; PRAGMA secure_delete=ON;"
      "PRAGMA temp_store=MEMORY;";
  sql += "PRAGMA cache_size=-" + std::to_string(options.cache_bytes / 1024) + ";";
  if (options.is_scratch) {
    // The file may still be of the mode of its original, whose log would need a second file.
    sql += "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;";
  } else if (!options.read_only) {
    // The WAL is cut back after a burst so that a store does not keep the space of its worst hour.
    sql += "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=" +
           std::to_string(Checkpointer::pages_soft) +
           ";"
           "PRAGMA journal_size_limit=134217728;";
  } else {
    sql += "PRAGMA query_only=ON;";
  }
  if (auto done = database.execute(sql); !done) return done;
  if (options.store_bytes_max == 0) return {};
  const auto page = database.integer("PRAGMA page_size");
  if (!page) return std::unexpected(page.error());
  return database.execute("PRAGMA max_page_count=" + std::to_string(std::max<std::int64_t>(
                                                         1, options.store_bytes_max / *page)));
}

}  // namespace

Result<std::unique_ptr<Database>> open_sqlite(const std::string& path, const OpenOptions& options) {
  sqlite3* connection = nullptr;
  const int flags =
      options.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  const int result =
      sqlite3_open_v2(path.c_str(), &connection, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  auto database = std::make_unique<SqliteDatabase>(connection);
  if (result != SQLITE_OK) return fail(path, sqlite_failure(connection, result).error());
  sqlite3_extended_result_codes(connection, 1);
  sqlite3_busy_timeout(connection, static_cast<int>(options.busy_timeout.count()));
  if (auto prepared = prepare_connection(*database, options); !prepared) {
    return fail(path, prepared.error());
  }
  if (options.checkpoints_beside && path != ":memory:") {
    if (auto done = database->checkpoint_beside(path); !done) return std::unexpected(done.error());
  }
  return database;
}

}  // namespace mailwarden::db
