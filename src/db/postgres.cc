#include "db/postgres.h"

#include <array>
#include <deque>
#include <map>
#include <pqxx/pqxx>
#include <pqxx/tablewriter>
#include <utility>

#include "base/text.h"
#include "db/postgres_link.h"
#include "db/postgres_tables.h"
#include "db/postgres_text.h"
#include "db/postgres_values.h"

template <>
struct pqxx::string_traits<mailwarden::db::Sent> {
  static constexpr const char* name() noexcept { return "value"; }
  static constexpr bool has_null() noexcept { return true; }
  static bool is_null(const mailwarden::db::Sent& value) { return value.is_null; }
  static std::string to_string(const mailwarden::db::Sent& value) { return value.text; }
};

namespace mailwarden::db {
namespace {

// COPY has its own cost, which few rows do not make up for.
constexpr std::size_t rows_few = 4;

class PostgresDatabase;

class PostgresStatement final : public Statement {
 public:
  PostgresStatement(PostgresDatabase& database, std::string sql, std::string name, bool scans)
      : database_(database), sql_(std::move(sql)), name_(std::move(name)), scans_(scans) {}

  using Statement::bind;
  Result<void> bind(std::span<const Value> values) override;
  Result<bool> step() override;

  bool is_null(int column) const override { return field(column).is_null; }
  std::int64_t integer(int column) const override {
    const std::string_view digits = view(column);
    // What a comparison answers is a truth here and a number in SQLite.
    return digits == "t" ? 1 : to_integer(digits).value_or(0);
  }
  double number(int column) const override { return to_number(view(column)).value_or(0); }
  std::string_view text(int column) const override {
    const std::string_view bytes = view(column);
    if (!is_escaped(bytes)) return bytes;
    return texts_.emplace_back(unescape(bytes));
  }
  Blob blob(int column) const override { return blobs_.emplace_back(from_hex(view(column))); }
  int columns() const override { return static_cast<int>(rows_.columns()); }

  Result<void> run_with(const std::vector<Sent>& values) {
    reset();
    values_ = values;
    return run_statement();
  }
  // A transaction has ended, and with it the cursor.
  void forget_cursor() { cursor_lost_ = std::exchange(cursor_open_, false) || cursor_lost_; }

 private:
  struct Field {
    std::string_view bytes;
    bool is_null = false;
  };
  const Field& field(int column) const { return fields_[static_cast<std::size_t>(column)]; }
  std::string_view view(int column) const { return field(column).bytes; }
  void read_row();
  Result<void> run_statement();
  Result<void> open_cursor();
  Result<void> fetch();
  void reset();

  PostgresDatabase& database_;
  std::string sql_;
  std::string name_;
  bool scans_;
  int prepared_at_ = 0;  // by the number of the connection
  std::vector<Sent> values_;
  bool ran_ = false;
  bool cursor_open_ = false;
  bool cursor_lost_ = false;
  pqxx::result rows_;
  pqxx::result::size_type row_ = 0;  // behind the one that stands ready
  std::vector<Field> fields_;        // of that one
  // What was decoded of the row that stands ready.
  mutable std::deque<std::string> texts_;
  mutable std::deque<std::vector<std::byte>> blobs_;
};

class PostgresDatabase final : public Database {
 public:
  PostgresDatabase(std::string url, const OpenOptions& options)
      : url_(std::move(url)), options_(options) {}
  ~PostgresDatabase() override { statements_.clear(); }

  Result<void> connect();

  Result<void> execute(std::string_view sql) override;
  Result<Statement*> prepare(std::string_view sql) override { return find(sql, false); }
  Result<Statement*> prepare_scan(std::string_view sql) override { return find(sql, true); }
  Result<void> insert_rows(std::string_view table, std::span<const std::string_view> columns,
                           const RowSource& next) override;
  std::int64_t changes() const override { return changes_; }

  // The server knows its files; what it would ask at the commit it is to ask now.
  Result<std::vector<std::string>> find_damage() override {
    const auto asked = execute("SET CONSTRAINTS ALL IMMEDIATE");
    if (!asked) return std::unexpected(asked.error());
    return std::vector<std::string>();
  }
  Result<void> begin() override;
  Result<void> commit() override;
  void rollback() override;
  Result<std::vector<std::string>> begin_reading(bool checks_files) override;
  Result<void> prepare_store() override;
  Result<std::vector<Table>> tables() override { return postgres_tables(*this); }
  bool has_roles() const override { return true; }

  // For the statements.
  // `repeatable`: may be done again on a new connection where it stands outside a transaction.
  using Use = std::function<void(pqxx::transaction_base&)>;
  Result<void> use(const Use& what, bool repeatable = false);
  int connections() const { return connections_; }
  void prepare_on_connection(const std::string& name, const std::string& sql) {
    link_->connection().prepare(name, sql);
  }
  void note_changes(std::int64_t changes) { changes_ = changes; }
  Result<void> begin_scan();
  void end_scan(const std::string& cursor);
  std::string next_cursor() { return "scan_" + std::to_string(++cursors_); }

 private:
  Result<Statement*> find(std::string_view sql, bool scans);
  Result<void> insert_few(const std::string& sql, const std::vector<std::vector<Sent>>& rows);
  Result<void> hold_alone();
  Result<void> settle_doubt();
  void forget_cursors();
  void lose();

  std::string url_;
  OpenOptions options_;
  std::unique_ptr<PostgresLink> link_;
  int connections_ = 0;      // made so far
  std::string name_before_;  // of the connection before
  bool in_transaction_ = false;
  bool failed_ = false;  // a statement of it; PostgreSQL takes no more of it then
  bool keeps_marks_ = false;
  bool made_marks_ = false;  // by the open transaction
  int scans_ = 0;            // open outside a transaction of the caller's
  std::int64_t cursors_ = 0;
  std::int64_t marks_ = 0;
  std::string doubt_;  // the mark of a transaction of which nobody knows yet whether it held
  std::int64_t changes_ = 0;
  std::map<std::string, std::unique_ptr<PostgresStatement>, std::less<>> statements_;
};

Result<void> PostgresStatement::bind(std::span<const Value> values) {
  reset();
  values_.resize(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) put(values_[i], values[i]);
  return {};
}

Result<bool> PostgresStatement::step() {
  texts_.clear();
  blobs_.clear();
  if (!ran_) {
    if (auto done = scans_ ? open_cursor() : run_statement(); !done) {
      return std::unexpected(done.error());
    }
    ran_ = true;
    row_ = 0;
  }
  if (cursor_lost_) {
    reset();
    return fail(Code::unavailable, "database: the scan's transaction has ended before it");
  }
  if (row_ == rows_.size() && cursor_open_ && row_ == portion_rows) {
    if (auto done = fetch(); !done) return std::unexpected(done.error());
    row_ = 0;
  }
  if (row_ < rows_.size()) {
    read_row();
    ++row_;
    return true;
  }
  reset();
  return false;
}

// Once a row, since libpqxx counts who refers to its result at every look at a field.
void PostgresStatement::read_row() {
  fields_.clear();
  for (const pqxx::field& one : rows_[row_]) {
    fields_.push_back({.bytes = {one.c_str(), one.size()}, .is_null = one.is_null()});
  }
}

void PostgresStatement::reset() {
  if (std::exchange(cursor_open_, false)) database_.end_scan(name_);
  cursor_lost_ = false;
  ran_ = false;
  rows_ = {};
  row_ = 0;
}

Result<void> PostgresStatement::run_statement() {
  return database_.use(
      [this](pqxx::transaction_base& transaction) {
        if (prepared_at_ != database_.connections()) {
          database_.prepare_on_connection(name_, sql_);
          prepared_at_ = database_.connections();
        }
        rows_ = transaction.exec_prepared(name_, pqxx::prepare::make_dynamic_params(values_));
        database_.note_changes(static_cast<std::int64_t>(rows_.affected_rows()));
      },
      sql_.starts_with("SELECT"));
}

Result<void> PostgresStatement::open_cursor() {
  if (auto begun = database_.begin_scan(); !begun) return begun;
  name_ = database_.next_cursor();
  const auto opened = database_.use([this](pqxx::transaction_base& transaction) {
    transaction.exec_params("DECLARE " + name_ + " NO SCROLL CURSOR FOR " + sql_,
                            pqxx::prepare::make_dynamic_params(values_));
  });
  if (!opened) {
    database_.end_scan("");
    return opened;
  }
  cursor_open_ = true;
  return fetch();
}

Result<void> PostgresStatement::fetch() {
  return database_.use([this](pqxx::transaction_base& transaction) {
    rows_ = transaction.exec("FETCH " + std::to_string(portion_rows) + " FROM " + name_);
  });
}

Result<void> PostgresDatabase::connect() {
  auto made = PostgresLink::connect(url_, options_);
  if (!made) return std::unexpected(made.error());
  link_ = *std::move(made);
  ++connections_;
  const auto marks = link_->text("SELECT 1 WHERE to_regclass('store_commit') IS NOT NULL");
  if (!marks) return std::unexpected(marks.error());
  keeps_marks_ = !options_.read_only && *marks == "1";
  if (options_.sole_writer) {
    if (auto done = hold_alone(); !done) {
      link_.reset();
      return done;
    }
  }
  name_before_ = link_->name();
  return {};
}

// The lock is the connection's. One that we lost may live on at the server for a while, and with it
// a commit on its way; only when it is gone is there an answer to what became of that.
Result<void> PostgresDatabase::hold_alone() {
  if (!name_before_.empty()) {
    auto ended = link_->execute(
        "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity"
        " WHERE pid || '.' || extract(epoch FROM backend_start) = '" +
        name_before_ + "'");
    if (!ended) return ended;
  }
  const auto held = link_->execute(
      "SELECT pg_advisory_lock(hashtext('mailwarden'), hashtext(current_schema()::text))");
  if (!held && held.error().code == Code::unavailable && link_->is_open()) {
    return fail(Code::unavailable, "database: another daemon writes this store");
  }
  return held;
}

void PostgresDatabase::lose() {
  forget_cursors();
  scans_ = 0;
  link_.reset();
}

Result<void> PostgresDatabase::use(const Use& what, bool repeatable) {
  if (link_ != nullptr && !link_->is_open()) lose();
  if (link_ == nullptr) {
    if (in_transaction_) return fail(Code::unavailable, "database: the connection was lost");
    if (auto done = connect(); !done) return done;
  }
  const bool alone = !in_transaction_ && scans_ == 0;
  auto done = link_->guarded(what);
  failed_ = failed_ || (in_transaction_ && !done);
  if (link_->is_open()) return done;
  lose();
  if (!alone || !repeatable || done) return done;
  // It may have been lost long ago, as when the server was started anew.
  if (!connect()) return done;
  return link_->guarded(what);
}

Result<void> PostgresDatabase::execute(std::string_view sql) {
  const std::string text = postgres_types(sql);
  return use([&text](pqxx::transaction_base& transaction) { transaction.exec(text); });
}

Result<Statement*> PostgresDatabase::find(std::string_view sql, bool scans) {
  const std::string key = (scans ? "s" : "q") + std::string(sql);
  if (const auto known = statements_.find(key); known != statements_.end()) {
    return known->second.get();
  }
  auto made = std::make_unique<PostgresStatement>(
      *this, std::string(sql), "statement_" + std::to_string(statements_.size()), scans);
  return statements_.emplace(key, std::move(made)).first->second.get();
}

Result<void> PostgresDatabase::insert_rows(std::string_view table,
                                           std::span<const std::string_view> columns,
                                           const RowSource& next) {
  std::vector<Value> row(columns.size());
  std::vector<std::vector<Sent>> first;
  while (first.size() < rows_few && next(row)) {
    std::vector<Sent>& sent = first.emplace_back(row.size());
    for (std::size_t i = 0; i < row.size(); ++i) put(sent[i], row[i]);
  }
  if (first.size() < rows_few) return insert_few(insert_text(table, columns), first);
  const std::vector<std::string> names(columns.begin(), columns.end());
  return use([&](pqxx::transaction_base& transaction) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    // Its successor stream_to takes no lines that stand ready, and rows only as tuples.
    pqxx::tablewriter writer(transaction, std::string(table), names.begin(), names.end());
#pragma GCC diagnostic pop
    std::string line;
    const auto write = [&](const auto& values) {
      line.clear();
      for (const auto& value : values) {
        append_field(line, value);
        line += '\t';
      }
      line.pop_back();
      writer.write_raw_line(line);
    };
    for (const std::vector<Sent>& sent : first) write(sent);
    for (changes_ = std::ssize(first); next(row); ++changes_) write(row);
    writer.complete();
  });
}

Result<void> PostgresDatabase::insert_few(const std::string& sql,
                                          const std::vector<std::vector<Sent>>& rows) {
  const auto statement = find(sql, false);
  if (!statement) return std::unexpected(statement.error());
  for (const std::vector<Sent>& row : rows) {
    if (auto done = static_cast<PostgresStatement&>(**statement).run_with(row); !done) return done;
  }
  changes_ = std::ssize(rows);
  return {};
}

Result<void> PostgresDatabase::begin() {
  if (in_transaction_ || scans_ > 0) {
    return fail(Code::invalid, "database: a transaction or a scan is open already");
  }
  const std::string doubted = doubt_;
  if (auto done = settle_doubt(); !done) return done;
  if (!doubted.empty() && doubt_ == doubted) {
    doubt_.clear();
    return fail(Code::conflict, "database: the transaction whose end was in doubt is in the store");
  }
  auto begun = use([](pqxx::transaction_base& transaction) { transaction.exec("BEGIN"); }, true);
  in_transaction_ = begun.has_value();
  failed_ = false;
  return begun;
}

// The server looks after its files itself, where it was made with checksums.
Result<std::vector<std::string>> PostgresDatabase::begin_reading(bool) {
  if (in_transaction_ || scans_ > 0) {
    return fail(Code::invalid, "database: a transaction or a scan is open already");
  }
  auto begun = use(
      [](pqxx::transaction_base& transaction) {
        transaction.exec("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY");
      },
      true);
  if (!begun) return std::unexpected(begun.error());
  in_transaction_ = true;
  failed_ = false;
  return std::vector<std::string>();
}

// Leaves doubt_ as it is where the transaction held, and clears it where it did not.
Result<void> PostgresDatabase::settle_doubt() {
  if (doubt_.empty()) return {};
  std::string mark;
  const auto read = use([&mark](pqxx::transaction_base& transaction) {
    const pqxx::result rows = transaction.exec("SELECT mark FROM store_commit FOR UPDATE");
    if (!rows.empty()) mark = rows[0][0].c_str();
  });
  if (!read) return read;
  if (mark != doubt_) doubt_.clear();
  return {};
}

Result<void> PostgresDatabase::commit() {
  if (!in_transaction_) return fail(Code::invalid, "database: no transaction is open");
  if (link_ == nullptr) return fail(Code::unavailable, "database: the connection was lost");
  // COMMIT would roll back and call that a success.
  if (failed_) return fail(Code::invalid, "database: a statement of the transaction has failed");
  forget_cursors();
  const std::string mark = keeps_marks_ ? link_->name() + "." + std::to_string(++marks_) : "";
  // One text, since each is a way to the server and back.
  const auto done = use([&mark](pqxx::transaction_base& transaction) {
    const std::string marked =
        mark.empty() ? "" : "UPDATE store_commit SET mark = " + transaction.quote(mark) + "; ";
    transaction.exec(marked + "COMMIT");
  });
  if (link_ != nullptr) {
    if (done) in_transaction_ = made_marks_ = false;
    return done;
  }
  in_transaction_ = false;
  doubt_ = mark;
  if (doubt_.empty()) return done;
  const std::string doubted = doubt_;
  if (settle_doubt() && doubt_ == doubted) {
    doubt_.clear();
    return {};
  }
  return done;
}

void PostgresDatabase::rollback() {
  forget_cursors();
  if (link_ != nullptr && in_transaction_) {
    static_cast<void>(link_->execute("ROLLBACK"));
  }
  in_transaction_ = false;
  if (std::exchange(made_marks_, false)) keeps_marks_ = false;
}

Result<void> PostgresDatabase::prepare_store() {
  auto done = use([](pqxx::transaction_base& transaction) {
    transaction.exec("SET LOCAL statement_timeout = 0");
    transaction.exec(
        "SELECT pg_advisory_xact_lock(hashtext('mailwarden tables'),"
        " hashtext(current_schema()::text))");
    transaction.exec(
        "CREATE TABLE IF NOT EXISTS store_commit ("
        "only_row BIGINT PRIMARY KEY CHECK (only_row = 1), mark TEXT NOT NULL)");
    transaction.exec(
        "INSERT INTO store_commit (only_row, mark) VALUES (1, '') ON CONFLICT DO NOTHING");
  });
  if (done) made_marks_ = !std::exchange(keeps_marks_, true);
  return done;
}

Result<void> PostgresDatabase::begin_scan() {
  if (in_transaction_) return {};
  if (scans_ == 0) {
    auto begun = use(
        [](pqxx::transaction_base& transaction) {
          transaction.exec("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY");
        },
        true);
    if (!begun) return begun;
  }
  ++scans_;
  return {};
}

void PostgresDatabase::end_scan(const std::string& cursor) {
  if (link_ == nullptr) return;
  if (!cursor.empty()) static_cast<void>(link_->execute("CLOSE " + cursor));
  if (in_transaction_ || scans_ == 0) return;
  if (--scans_ == 0) static_cast<void>(link_->execute("COMMIT"));
}

void PostgresDatabase::forget_cursors() {
  for (const auto& [sql, statement] : statements_) statement->forget_cursor();
}

}  // namespace

Result<std::unique_ptr<Database>> open_postgres(const std::string& url,
                                                const OpenOptions& options) {
  if (options.store_bytes_max != 0) {
    return fail(Code::invalid,
                "a limit of bytes is for SQLite; PostgreSQL's disk is its operator's to watch");
  }
  auto database = std::make_unique<PostgresDatabase>(url, options);
  if (auto done = database->connect(); !done) return std::unexpected(done.error());
  return database;
}

}  // namespace mailwarden::db
