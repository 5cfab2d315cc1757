// A store of 10,000 entries, with keys or without, to be changed behind the daemon's back at seeded
// places. Where MAILWARDEN_PLACES says at how many, each is tried alone, in a copy of its own.
#pragma once

#include <cstdlib>
#include <iostream>
#include <random>

#include <gtest/gtest.h>

#include "base/text.h"
#include "report/verify_store.h"
#include "tests/app/full_store.h"

namespace mailwarden::app {

namespace fs = std::filesystem;

// 0: not said.
inline std::int64_t places() {
  const char* const told = std::getenv("MAILWARDEN_PLACES");
  return told == nullptr ? 0 : std::atoll(told);
}

enum Act : std::size_t { change, remove, add, swap, truncate };
inline constexpr std::array words{"change", "remove", "add", "swap", "truncate"};

struct Table;
struct Place {
  const Table* table = nullptr;
  Act act = change;
  std::string sql;
  std::vector<std::string> names;  // by one of which a failure must call it
};

using Row = std::vector<std::string>;  // "" for NULL, hex for bytes: for looking at alone

inline std::vector<Row> rows(db::Database& database, const std::string& sql) {
  std::vector<Row> found;
  const auto statement = database.query(sql);
  EXPECT_TRUE(statement) << sql << ": " << statement.error().what;
  while (statement && (*statement)->step().value()) {
    Row row;
    for (int i = 0; i < (*statement)->columns(); ++i) row.emplace_back((*statement)->text(i));
    found.push_back(std::move(row));
  }
  return found;
}

struct Column {
  std::string name;
  std::string type;
  bool is_key = false;
  bool is_unique = false;
  bool may_be_null = false;
};
struct Table {
  std::string name;
  std::vector<Column> columns;
};

inline std::vector<Table> tables_of(db::Database& database) {
  std::vector<Table> tables;
  for (const Row& table : rows(database,
                               "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT"
                               " LIKE 'sqlite_%' ORDER BY name")) {
    Table made{.name = table[0], .columns = {}};
    for (const Row& row : rows(database, "PRAGMA table_info(" + made.name + ")")) {
      made.columns.push_back({.name = row[1],
                              .type = row[2],
                              .is_key = row[5] != "0",
                              .is_unique = row[5] != "0",
                              .may_be_null = row[3] == "0" && row[5] == "0"});
    }
    for (const Row& index : rows(database, "PRAGMA index_list(" + made.name + ")")) {
      if (index[2] != "1") continue;
      for (const Row& row : rows(database, "PRAGMA index_info(" + index[1] + ")")) {
        for (Column& column : made.columns) column.is_unique |= column.name == row[2];
      }
    }
    tables.push_back(std::move(made));
  }
  return tables;
}

// Names by one of which a failure must call that row.
inline std::vector<std::string> names_of(db::Database& database, const Table& table,
                                         std::int64_t rowid) {
  const std::string where = " FROM " + table.name + " WHERE rowid = " + std::to_string(rowid);
  const auto value = [&](const std::string& column) {
    const auto found = rows(database, "SELECT " + column + where);
    return found.empty() ? std::string("(gone)") : found[0][0];
  };
  std::string key = table.name;
  std::vector<std::string> names;
  for (const Column& column : table.columns) {
    if (column.is_key) key += (key == table.name ? " " : " / ") + value(column.name);
    if (column.name == "entry") names.push_back("entry " + value("entry"));
  }
  names.push_back(key);
  if (table.name == "ledger_entry") names.push_back("entry " + value("number"));
  if (table.name == "ledger_checkpoint") names.push_back("checkpoint at size " + value("size"));
  if (table.name == "ledger_node") {
    names.push_back("node " + value("number") + " of level " + value("level"));
  }
  if (table.name == "event_entity") {
    names.push_back("run of level " + value("level") + " from event " + value("base") + ":");
    names.push_back("of the events from " + value("base") + " ");
  }
  if (table.name == "event" && value("number") != "(gone)") {
    const auto batch =
        rows(database, "SELECT entry FROM event_batch WHERE first <= " + value("number") +
                           " ORDER BY first DESC LIMIT 1");
    if (!batch.empty()) names.push_back("entry " + batch[0][0]);
  }
  std::erase_if(names, [](const std::string& name) { return name.contains("(gone)"); });
  return names;
}

class PlacesTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { make(false); }
  static void make(bool has_keys) {
    folder_ = std::make_unique<TemporaryFolder>();
    store_ = std::make_unique<FullStore>(has_keys);
    store_->fill(folder_->path("earlier"));
    store_->copy(folder_->path("whole"));
    tables_ = tables_of(store_->database());
  }
  static void TearDownTestSuite() {
    store_.reset();
    folder_.reset();
  }

  std::string fresh_copy() {
    const std::string copy = folder_->path("copy");
    fs::remove_all(copy);
    fs::copy(folder_->path("whole"), copy, fs::copy_options::recursive);
    return copy;
  }

  static Result<ledger::Verdict> verified(const std::string& store,
                                          std::optional<std::string> from = {}) {
    const auto database = db::open_sqlite(store, {.read_only = true});
    if (!database) return std::unexpected(database.error());
    (*database)->set_sealing(store_->sealing());
    return report::verify_store(**database, {.key = store_->key(),
                                             .from = std::move(from),
                                             .check_record = {},
                                             .check_end = {},
                                             .progress = {}});
  }

  std::size_t below(std::size_t end) {
    return std::uniform_int_distribution<std::size_t>(0, end - 1)(random_);
  }
  template <class T>
  const T& any_of(const std::vector<T>& all) {
    return all[below(all.size())];
  }

  std::string other_value(const Column& column, std::string value);
  std::optional<Place> spoil(db::Database& database, const Table& table, Act act);
  std::string insert_copy(const Table& table, const std::string& where) const;
  std::vector<std::string> swap_values(db::Database& database, const Table& table,
                                       const std::string& one, const std::string& other);
  void whole_store_is_good();
  void every_change_to_a_table();
  void every_change_to_a_file();
  void a_rollback();
  void judge(const std::vector<Place>& spoilt);
  void spoil_alone(const Table& table, Act act);
  void judge_file(const std::string& what, const std::string& file, const std::string& copy);
  static std::string content_of(const std::string& store);

  std::mt19937_64 random_{20261129};
  std::map<std::string, std::int64_t> done_;
  std::int64_t unused_ = 0;
  std::int64_t unsealed_ = 0;
  inline static std::unique_ptr<TemporaryFolder> folder_;
  inline static std::unique_ptr<FullStore> store_;
  inline static std::vector<Table> tables_;
};

// The same of a store with keys.
class EncryptedPlacesTest : public PlacesTest {
 protected:
  static void SetUpTestSuite() { make(true); }
};

}  // namespace mailwarden::app
