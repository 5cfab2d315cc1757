#include "store/copy.h"

#include <algorithm>
#include <bit>

namespace mailwarden::store {
namespace {

// What is in an empty store already, by which its tables were made; the copy says what the source
// does.
constexpr std::string_view migrations_table = "schema_migration";
constexpr std::int64_t progress_interval = 10'000;

void add_number(std::string& bytes, std::uint64_t number) {
  for (int shift = 0; shift < 64; shift += 8) bytes += static_cast<char>(number >> shift & 0xFF);
}

// Kind, length, bytes: no two rows are written alike.
void add_value(std::string& bytes, const db::Value& value) {
  bytes += static_cast<char>(value.index());
  if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    add_number(bytes, static_cast<std::uint64_t>(*integer));
  } else if (const auto* number = std::get_if<double>(&value)) {
    add_number(bytes, std::bit_cast<std::uint64_t>(*number));
  } else if (const auto* text = std::get_if<std::string_view>(&value)) {
    add_number(bytes, text->size());
    bytes += *text;
  } else if (const auto* blob = std::get_if<db::Blob>(&value)) {
    add_number(bytes, blob->size());
    bytes.append(reinterpret_cast<const char*>(blob->data()), blob->size());
  }
}

void add_row(TableSum& sum, std::span<const db::Value> row) {
  std::string bytes;
  for (const db::Value& value : row) add_value(bytes, value);
  const crypto::Digest digest = crypto::sha256(bytes);
  unsigned carry = 0;
  for (std::size_t i = digest.size(); i-- > 0;) {
    carry += std::to_integer<unsigned>(sum.digest[i]) + std::to_integer<unsigned>(digest[i]);
    sum.digest[i] = static_cast<std::byte>(carry & 0xFF);
    carry >>= 8;
  }
  ++sum.rows;
}

db::Value value_of(const db::Statement& row, int column, db::ColumnType type) {
  if (row.is_null(column)) return db::null();
  switch (type) {
    case db::ColumnType::integer:
      return row.integer(column);
    case db::ColumnType::number:
      return row.number(column);
    case db::ColumnType::text:
      return row.text(column);
    case db::ColumnType::blob:
      return row.blob(column);
  }
  return db::null();
}

std::string joined(const std::vector<std::string>& names) {
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
  return all;
}

std::vector<std::string> names_of(const db::Table& table) {
  std::vector<std::string> names;
  for (const db::Column& column : table.columns) names.push_back(column.name);
  return names;
}

// Every row of the table, with its sum.
class Reader {
 public:
  Reader(const db::Table& table, std::int64_t& rows, const Progress& progress)
      : table_(table), rows_(rows), progress_(progress) {
    sum_.name = table.name;
  }

  Result<void> open(db::Database& database) {
    std::string sql = "SELECT " + joined(names_of(table_)) + " FROM " + table_.name;
    // In the order of its key, so that the copy's pages are filled one after the other.
    if (!table_.key.empty()) sql += " ORDER BY " + joined(table_.key);
    const auto opened = database.scan(sql);
    if (!opened) return std::unexpected(opened.error());
    statement_ = *opened;
    return {};
  }

  bool next(std::span<db::Value> row) {
    const auto more = statement_->step();
    if (!more) {
      error_ = more.error();
      return false;
    }
    if (!*more) return false;
    for (std::size_t i = 0; i < row.size(); ++i) {
      row[i] = value_of(*statement_, static_cast<int>(i), table_.columns[i].type);
    }
    add_row(sum_, row);
    if (progress_ && ++rows_ % progress_interval == 0) progress_(rows_);
    return true;
  }

  // Behind the last row.
  Result<TableSum> end() {
    if (error_) return std::unexpected(*error_);
    return std::move(sum_);
  }

 private:
  const db::Table& table_;
  std::int64_t& rows_;
  const Progress& progress_;
  db::Statement* statement_ = nullptr;
  TableSum sum_;
  std::optional<Error> error_;
};

Result<TableSum> sum_table(db::Database& database, const db::Table& table, std::int64_t& rows,
                           const Progress& progress) {
  Reader reader(table, rows, progress);
  if (auto opened = reader.open(database); !opened) return std::unexpected(opened.error());
  std::vector<db::Value> row(table.columns.size());
  while (reader.next(row)) {
  }
  return reader.end();
}

// Keeps one state of the store for as long as it lives: scans outside a transaction see one.
class Snapshot {
 public:
  static Result<Snapshot> of(db::Database& database) {
    const auto rows = database.scan("SELECT 1 AS snapshot UNION ALL SELECT COUNT(*) FROM " +
                                    std::string(migrations_table));
    if (!rows) return std::unexpected(rows.error());
    // The second row has looked into the store.
    for (int row = 0; row < 2; ++row) {
      if (const auto more = (*rows)->step(); !more) return std::unexpected(more.error());
    }
    return Snapshot(*rows);
  }
  Snapshot(Snapshot&& other) noexcept : rows_(std::exchange(other.rows_, nullptr)) {}
  Snapshot& operator=(Snapshot&&) = delete;
  ~Snapshot() {
    if (rows_ != nullptr) static_cast<void>(rows_->bind(std::span<const db::Value>()));
  }

 private:
  explicit Snapshot(db::Statement* rows) : rows_(rows) {}
  db::Statement* rows_;
};

Result<void> check_target(db::Database& to, const std::vector<db::Table>& tables) {
  const auto there = to.tables();
  if (!there) return std::unexpected(there.error());
  if (!std::ranges::equal(tables, *there, {}, &names_of, &names_of) ||
      !std::ranges::equal(tables, *there, {}, &db::Table::name, &db::Table::name)) {
    return fail(Code::invalid, "the two stores differ in their tables");
  }
  for (const db::Table& table : *there) {
    if (table.name == migrations_table) continue;
    const auto rows = to.integer("SELECT COUNT(*) FROM " + table.name);
    if (!rows) return std::unexpected(rows.error());
    if (*rows != 0) {
      return fail(Code::conflict, "the target is not empty: " + table.name + " has " +
                                      std::to_string(*rows) + " rows");
    }
  }
  return to.run("DELETE FROM " + std::string(migrations_table), {});
}

Result<TableSum> copy_table(db::Database& from, db::Database& to, const db::Table& table,
                            std::int64_t& rows, const Progress& progress) {
  Reader reader(table, rows, progress);
  if (auto opened = reader.open(from); !opened) return std::unexpected(opened.error());
  const std::vector<std::string> names = names_of(table);
  const std::vector<std::string_view> columns(names.begin(), names.end());
  const auto next = [&reader](std::span<db::Value> row) { return reader.next(row); };
  if (auto done = to.insert_rows(table.name, columns, next); !done) {
    return fail(table.name, done.error());
  }
  auto taken = reader.end();
  if (!taken) return taken;
  std::int64_t ignored = 0;
  const auto given = sum_table(to, table, ignored, {});
  if (!given) return given;
  if (*given != *taken) {
    return fail(Code::corrupt, "the copy of " + table.name + " differs from what was taken");
  }
  return taken;
}

}  // namespace

Result<std::vector<TableSum>> sum(db::Database& database, const Progress& progress) {
  const auto snapshot = Snapshot::of(database);
  if (!snapshot) return std::unexpected(snapshot.error());
  const auto tables = database.tables();
  if (!tables) return std::unexpected(tables.error());
  std::vector<TableSum> sums;
  std::int64_t rows = 0;
  for (const db::Table& table : *tables) {
    auto one = sum_table(database, table, rows, progress);
    if (!one) return std::unexpected(one.error());
    sums.push_back(*std::move(one));
  }
  return sums;
}

Result<std::vector<TableSum>> copy(db::Database& from, db::Database& to, const Progress& progress) {
  const auto snapshot = Snapshot::of(from);
  if (!snapshot) return std::unexpected(snapshot.error());
  const auto tables = from.tables();
  if (!tables) return std::unexpected(tables.error());
  auto transaction = db::Transaction::begin(to);
  if (!transaction) return std::unexpected(transaction.error());
  if (auto fits = check_target(to, *tables); !fits) return std::unexpected(fits.error());
  std::vector<TableSum> sums;
  std::int64_t rows = 0;
  for (const db::Table& table : *tables) {
    auto one = copy_table(from, to, table, rows, progress);
    if (!one) return std::unexpected(one.error());
    sums.push_back(*std::move(one));
  }
  if (auto done = transaction->commit(); !done) return std::unexpected(done.error());
  return sums;
}

}  // namespace mailwarden::store
