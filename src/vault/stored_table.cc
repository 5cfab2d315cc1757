#include "vault/stored_table.h"

#include <algorithm>
#include <map>

#include "base/check.h"
#include "base/text.h"
#include "vault/field_sealing.h"

namespace mailwarden::vault {
namespace {

// Any bytes of a text may stand in it.
std::string to_cursor(const std::vector<std::string>& key) {
  std::string cursor;
  for (const std::string& value : key) {
    cursor += std::to_string(value.size()) + ":" + value;
  }
  return cursor;
}

std::string parameter(std::size_t number) {
  return "$" + std::to_string(number);
}

}  // namespace

StoredTable::StoredTable(db::Database& database, const db::PersonalTable& table,
                         std::vector<db::Column> key_columns)
    : database_(&database),
      name_(table.name),
      column_(table.columns.back().name),
      key_columns_(std::move(key_columns)) {}

Result<StoredTable> StoredTable::make(db::Database& database, const db::PersonalTable& table) {
  CHECK(!table.key.empty() && !table.columns.empty());
  const auto tables = database.tables();
  if (!tables) return std::unexpected(tables.error());
  const auto found = std::ranges::find(*tables, table.name, &db::Table::name);
  if (found == tables->end()) {
    return fail(Code::invalid, "the store has no table " + std::string(table.name));
  }
  std::vector<db::Column> key_columns;
  for (const std::string_view name : table.key) {
    const auto column = std::ranges::find(found->columns, name, &db::Column::name);
    if (column == found->columns.end() ||
        (column->type != db::ColumnType::integer && column->type != db::ColumnType::text)) {
      return fail(Code::invalid, "table " + found->name + ": its key has no column " +
                                     std::string(name) + " of integers or text");
    }
    key_columns.push_back(*column);
  }
  const std::string_view carrier = table.columns.back().name;
  const auto column = std::ranges::find(found->columns, carrier, &db::Column::name);
  if (column == found->columns.end() || column->type != db::ColumnType::text) {
    return fail(Code::invalid,
                "table " + found->name + " has no column " + std::string(carrier) + " of text");
  }
  return StoredTable(database, table, std::move(key_columns));
}

std::string StoredTable::key_list() const {
  std::string all;
  for (const db::Column& column : key_columns_) all += (all.empty() ? "" : ", ") + column.name;
  return all;
}

StoredTable::Key StoredTable::read_key(const db::Statement& row) const {
  Key key;
  for (std::size_t i = 0; i < key_columns_.size(); ++i) {
    const int column = static_cast<int>(i);
    key.push_back(key_columns_[i].type == db::ColumnType::integer
                      ? std::to_string(row.integer(column))
                      : std::string(row.text(column)));
  }
  return key;
}

Result<StoredTable::Key> StoredTable::read_cursor(std::string_view cursor) const {
  const auto broken = [this] {
    return fail(Code::corrupt, "the walk through " + name_ + " has lost its place");
  };
  Key key;
  for (std::size_t i = 0; i < key_columns_.size(); ++i) {
    const std::size_t colon = cursor.find(':');
    if (colon == cursor.npos) return broken();
    const auto size = to_integer(cursor.substr(0, colon));
    cursor.remove_prefix(colon + 1);
    if (!size || *size < 0 || static_cast<std::size_t>(*size) > cursor.size()) return broken();
    key.emplace_back(cursor.substr(0, static_cast<std::size_t>(*size)));
    cursor.remove_prefix(key.back().size());
  }
  if (!cursor.empty()) return broken();
  return key;
}

// Views into the key.
Result<std::vector<db::Value>> StoredTable::values_of(const Key& key) const {
  std::vector<db::Value> values;
  for (std::size_t i = 0; i < key.size(); ++i) {
    if (key_columns_[i].type == db::ColumnType::text) {
      values.emplace_back(std::string_view(key[i]));
      continue;
    }
    const auto number = to_integer(key[i]);
    if (!number) return fail(Code::corrupt, "the walk through " + name_ + " has lost its place");
    values.emplace_back(*number);
  }
  return values;
}

Result<SealedRows> StoredTable::after(const std::string& cursor, std::size_t rows_max) {
  rows_.clear();
  slots_.clear();
  const std::string columns = key_list();
  Key from;
  std::vector<db::Value> values;
  std::string where;
  if (!cursor.empty()) {
    auto key = read_cursor(cursor);
    if (!key) return std::unexpected(key.error());
    from = *std::move(key);
    auto bound = values_of(from);
    if (!bound) return std::unexpected(bound.error());
    values = *std::move(bound);
    std::string parameters;
    for (std::size_t i = 1; i <= from.size(); ++i) {
      parameters += (i == 1 ? "" : ", ") + parameter(i);
    }
    where = " WHERE (" + columns + ") > (" + parameters + ")";
  }
  values.emplace_back(static_cast<std::int64_t>(rows_max));
  const auto rows =
      database_->prepare("SELECT " + columns + ", " + column_ + " FROM " + name_ + where +
                         " ORDER BY " + columns + " LIMIT " + parameter(values.size()));
  if (!rows) return std::unexpected(rows.error());
  if (auto bound = (*rows)->bind(values); !bound) return std::unexpected(bound.error());
  SealedRows found;
  const int carrier = static_cast<int>(key_columns_.size());
  while (true) {
    const auto more = (*rows)->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) return found;
    Key key = read_key(**rows);
    found.last = to_cursor(key);
    if ((*rows)->is_null(carrier) || !db::is_sealed((*rows)->text(carrier))) continue;
    add_pieces(found, std::move(key), std::string((*rows)->text(carrier)));
  }
}

void StoredTable::add_pieces(SealedRows& rows, Key key, std::string text) {
  auto envelopes = read_sealed(text);
  // No envelope is empty, so that a text which cannot be read is told as a spoilt value.
  if (!envelopes) envelopes = std::vector<crypto::Bytes>(1);
  const std::vector<std::string_view> views(key.begin(), key.end());
  const std::string name = db::row_name(views);
  for (std::size_t i = 0; i < envelopes->size(); ++i) {
    rows.values.push_back({.row = piece_row(name, i, envelopes->size()),
                           .column = column_,
                           .sealed = (*envelopes)[i],
                           .slot = slots_.size()});
    slots_.push_back({.row = rows_.size(), .piece = i});
  }
  rows_.push_back({std::move(key), std::move(text), *std::move(envelopes)});
}

Result<void> StoredTable::replace(std::span<const Resealed> values) {
  std::map<std::size_t, std::vector<crypto::Bytes>> changed;
  for (const Resealed& value : values) {
    CHECK(value.before->slot < slots_.size());
    const Slot slot = slots_[value.before->slot];
    const auto row = changed.try_emplace(slot.row, rows_[slot.row].envelopes).first;
    row->second[slot.piece] = value.sealed;
  }
  auto transaction = db::Transaction::begin(*database_);
  if (!transaction) return std::unexpected(transaction.error());
  for (const auto& [row, envelopes] : changed) {
    if (auto done = write(rows_[row], sealed_text(envelopes)); !done) return done;
  }
  return transaction->commit();
}

Result<void> StoredTable::write(const Row& row, std::string_view text) {
  auto values = values_of(row.key);
  if (!values) return std::unexpected(values.error());
  std::string where;
  for (std::size_t i = 0; i < key_columns_.size(); ++i) {
    where += key_columns_[i].name + " = " + parameter(i + 1) + " AND ";
  }
  const std::size_t known = values->size();
  values->emplace_back(std::string_view(row.text));
  values->emplace_back(text);
  const auto statement =
      database_->prepare("UPDATE " + name_ + " SET " + column_ + " = " + parameter(known + 2) +
                         " WHERE " + where + column_ + " = " + parameter(known + 1));
  if (!statement) return std::unexpected(statement.error());
  return (*statement)->run(*values);
}

}  // namespace mailwarden::vault
