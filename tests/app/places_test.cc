// A store of 10,000 entries, changed behind the daemon's back at seeded places: each is found and
// named. MAILWARDEN_PLACES says at how many.
#include <cstdlib>
#include <iostream>
#include <random>

#include <gtest/gtest.h>

#include "report/verify_store.h"
#include "tests/app/full_store.h"

namespace mailwarden::app {
namespace {

namespace fs = std::filesystem;

std::int64_t places() {
  const char* const told = std::getenv("MAILWARDEN_PLACES");
  return told == nullptr ? 120 : std::atoll(told);
}

using Row = std::vector<std::string>;  // "" for NULL, hex for bytes: for looking at alone

std::vector<Row> rows(db::Database& database, const std::string& sql) {
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

std::vector<Table> tables_of(db::Database& database) {
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
std::vector<std::string> names_of(db::Database& database, const Table& table, std::int64_t rowid) {
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
  if (table.name == "event") {
    const auto batch =
        rows(database, "SELECT entry FROM event_batch WHERE first <= " + value("number") +
                           " ORDER BY first DESC LIMIT 1");
    if (!batch.empty()) names.push_back("entry " + batch[0][0]);
  }
  return names;
}

class PlacesTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<TemporaryFolder>();
    store_ = std::make_unique<FullStore>();
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
  std::optional<std::string> act(db::Database& database, const Table& table, std::size_t what,
                                 std::vector<std::string>& names);
  void judge(const std::string& what, const Table& table, const std::vector<std::string>& names,
             bool may_be_unsealed);
  void judge_file(const std::string& what, const std::string& file, const std::string& copy);
  static std::string content_of(const std::string& store);

  std::mt19937_64 random_{20261129};
  std::int64_t unused_ = 0;
  std::int64_t unsealed_ = 0;
  inline static std::unique_ptr<TemporaryFolder> folder_;
  inline static std::unique_ptr<FullStore> store_;
  inline static std::vector<Table> tables_;
};

// Another literal of SQL for the column.
std::string PlacesTest::other_value(const Column& column, std::string value) {
  if (column.may_be_null && below(4) == 0) return "NULL";
  if (column.type == "BLOB") {
    const std::size_t at = value.empty() ? 0 : below(value.size());
    if (value.empty()) return "x'00'";
    value[at] = static_cast<char>(value[at] ^ (1 << below(8)));
    return "x'" + crypto::to_hex(crypto::as_bytes(value)) + "'";
  }
  if (column.type != "TEXT") {
    return std::to_string(std::atoll(value.c_str()) + 1 + static_cast<std::int64_t>(below(1000)));
  }
  const std::string letters = "abcdefghijklmnopqrstuvwxyz0123456789";
  if (value.empty() || below(8) == 0) {
    value += letters[below(letters.size())];
  } else {
    char& at = value[below(value.size())];
    const char was = at;
    while (at == was) at = letters[below(letters.size())];
  }
  std::string quoted = "'";
  for (const char c : value) quoted += c == '\'' ? "''" : std::string(1, c);
  return quoted + "'";
}

// Does it, and says what; nothing where it cannot be done to that table.
std::optional<std::string> PlacesTest::act(db::Database& database, const Table& table,
                                           std::size_t what, std::vector<std::string>& names) {
  const auto all = rows(database, "SELECT rowid FROM " + table.name + " ORDER BY rowid");
  const std::string rowid = any_of(all)[0];
  const std::string where = " WHERE rowid = " + rowid;
  names = names_of(database, table, std::atoll(rowid.c_str()));
  const auto value_of = [&](const Column& column, const std::string& at) {
    return rows(database, "SELECT " + column.name + " FROM " + table.name + at)[0][0];
  };
  std::string sql;
  switch (what) {
    case 0: {
      const Column& column = any_of(table.columns);
      sql = "UPDATE " + table.name + " SET " + column.name + " = " +
            other_value(column, value_of(column, where)) + where;
      break;
    }
    case 1:
      sql = "DELETE FROM " + table.name + where;
      break;
    case 2: {
      std::string to;
      std::string from;
      for (const Column& column : table.columns) {
        to += (to.empty() ? "" : ", ") + column.name;
        from += from.empty() ? "" : ", ";
        if (!column.is_unique) {
          from += column.name;
        } else if (column.type == "TEXT") {
          from += column.name + " || 'x'";
        } else {
          from += "(SELECT MAX(" + column.name + ") FROM " + table.name + ") + 1";
        }
      }
      sql = "INSERT INTO " + table.name + " (" + to + ") SELECT " + from + " FROM " + table.name +
            where;
      break;
    }
    case 3: {
      const std::string other = any_of(all)[0];
      std::vector<Column> differing;
      for (const Column& column : table.columns) {
        if (column.is_unique) continue;
        const std::string there = " WHERE rowid = " + other;
        if (value_of(column, where) != value_of(column, there)) differing.push_back(column);
      }
      if (differing.empty()) return std::nullopt;
      const std::string column = any_of(differing).name;
      const std::string side = "(SELECT " + column + " FROM " + table.name + " WHERE rowid = ";
      sql = "UPDATE " + table.name + " SET " + column + " = CASE rowid WHEN " + rowid + " THEN " +
            side + other + ") ELSE " + side + rowid + ") END WHERE rowid IN (" + rowid + ", " +
            other + ")";
      break;
    }
    default:
      sql = "DELETE FROM " + table.name + " WHERE rowid >= " + rowid;
      break;
  }
  // A constraint may refuse it, which is no finding.
  if (!database.run(sql, {})) return std::nullopt;
  if (what == 0 || what == 2) {
    const auto last = rows(database, "SELECT MAX(rowid) FROM " + table.name);
    for (const std::string& at : {rowid, last[0][0]}) {
      for (std::string& name : names_of(database, table, std::atoll(at.c_str()))) {
        names.push_back(std::move(name));
      }
    }
  }
  return sql;
}

void PlacesTest::judge(const std::string& what, const Table& table,
                       const std::vector<std::string>& names, bool may_be_unsealed) {
  const auto verdict = verified(folder_->path("copy/m.db"));
  ASSERT_TRUE(verdict) << what << ": " << verdict.error().what;
  if (may_be_unsealed && verdict->good() && verdict->unsealed > 0) {
    ++unsealed_;
    return;
  }
  EXPECT_FALSE(verdict->good()) << what << " in " << table.name << " is not found";
  const bool is_named = std::ranges::any_of(verdict->failures, [&](const ledger::Failure& one) {
    const std::string text = one.place + ": " + one.what;
    return std::ranges::any_of(names, [&](const auto& name) { return text.contains(name); });
  });
  EXPECT_TRUE(is_named) << what << "\n" << ledger::to_words(*verdict);
}

TEST_F(PlacesTest, TheWholeStoreIsGoodAndHasRowsInEveryTable) {
  const auto verdict = verified(folder_->path("whole/m.db"), store_->notes().back());
  ASSERT_TRUE(verdict) << verdict.error().what;
  EXPECT_TRUE(verdict->good()) << ledger::to_words(*verdict);
  EXPECT_TRUE(verdict->not_held.empty()) << ledger::to_words(*verdict);
  EXPECT_GE(verdict->entries, FullStore::entries_min);
  EXPECT_EQ(verdict->unsealed, 0);
  for (const Table& table : tables_) {
    EXPECT_NE(rows(store_->database(), "SELECT COUNT(*) FROM " + table.name)[0][0], "0")
        << table.name << " is empty, so that nothing of it is tested";
  }
}

TEST_F(PlacesTest, EveryChangeToATableIsFoundAndNamed) {
  constexpr std::array words{"change", "remove", "add", "swap", "truncate"};
  std::map<std::string, std::int64_t> done;
  std::int64_t count = 0;
  for (std::size_t turn = 0; count < places() * 4 / 5; ++turn) {
    const Table& table = tables_[turn % tables_.size()];
    const std::size_t what = turn / tables_.size() % words.size();
    const std::string copy = fresh_copy();
    std::vector<std::string> names;
    std::optional<std::string> sql;
    {
      const auto database = db::open_sqlite(copy + "/m.db").value();
      sql = act(*database, table, what, names);
    }
    if (!sql) continue;
    ++count;
    ++done[words[what]];
    if (what == 4) names.push_back(table.name == "ledger_entry" ? "entries" : table.name);
    judge(*sql, table, names, table.name == "ledger_entry" && what == 2);
  }
  for (const auto& [word, times] : done) std::cout << word << ": " << times << "\n";
  std::cout << "added behind the last checkpoint and told as not sealed: " << unsealed_ << "\n";
}

// All that the tables say.
std::string PlacesTest::content_of(const std::string& store) {
  const auto database = db::open_sqlite(store, {.read_only = true});
  if (!database) return {};
  std::string all;
  for (const Table& table : tables_) {
    const auto statement = (*database)->query("SELECT * FROM " + table.name + " ORDER BY rowid");
    if (!statement) return {};
    while (true) {
      const auto more = (*statement)->step();
      if (!more) return {};
      if (!*more) break;
      for (int i = 0; i < (*statement)->columns(); ++i) {
        all += std::string((*statement)->text(i)) + "|";
      }
    }
    all = crypto::to_hex(crypto::sha256(all));
  }
  return all;
}

void PlacesTest::judge_file(const std::string& what, const std::string& file,
                            const std::string& copy) {
  if (file == "key") {
    const auto signer = crypto::Signer::load(copy + "/key");
    EXPECT_FALSE(signer && signer->public_key() == store_->key().key) << what;
    return;
  }
  if (file == "key.pub") {
    const std::string text = fs::exists(copy + "/key.pub") ? read_file(copy + "/key.pub") : "";
    const auto key = ledger::parse_verifier_key(text.substr(0, text.find('\n')));
    const bool is_same = key && key->name == store_->key().name && key->key == store_->key().key;
    if (is_same) ++unused_;
    return;
  }
  std::optional<std::string> from = store_->notes().back();
  if (file.starts_with("checkpoints")) {
    if (!fs::exists(copy + "/" + file)) return;  // who asks for it is told that it is not there
    from = read_file(copy + "/" + file);
  }
  const auto verdict = verified(copy + "/m.db", from);
  if (!verdict || !verdict->good()) return;
  EXPECT_FALSE(file.starts_with("checkpoints")) << what << " is not found";
  EXPECT_EQ(content_of(copy + "/m.db"), content_of(folder_->path("whole/m.db")))
      << what << " changes what the tables say and is not found";
  ++unused_;
}

TEST_F(PlacesTest, EveryChangeToAFileIsFoundOrIsNoPartOfTheContent) {
  std::vector<std::string> files;
  for (const auto& file : fs::recursive_directory_iterator(folder_->path("whole"))) {
    if (file.is_regular_file()) {
      files.push_back(fs::relative(file.path(), folder_->path("whole")).string());
    }
  }
  std::ranges::sort(files);
  ASSERT_TRUE(std::ranges::find(files, "m.db-wal") != files.end());
  std::int64_t count = 0;
  for (; count < places() / 5; ++count) {
    // Every other place is in the database or its log, which hold nearly everything.
    const std::string file =
        count % 2 == 0 ? (count % 4 == 0 ? "m.db" : "m.db-wal") : any_of(files);
    const std::string copy = fresh_copy();
    const std::string path = copy + "/" + file;
    std::string bytes = read_file(path);
    const std::size_t at = below(bytes.size());
    std::string what = file;
    if (count % 7 == 5) {
      fs::remove(path);
      what += ": removed";
    } else if (count % 7 == 6) {
      fs::resize_file(path, at);
      what += ": cut at " + std::to_string(at);
    } else {
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
      write_file(path, bytes);
      what += ": a bit of byte " + std::to_string(at);
    }
    judge_file(what, file, copy);
  }
  std::cout << count << " places, of which " << unused_ << " are no part of the content\n";
}

TEST_F(PlacesTest, ARollbackIsFoundWithAnyLaterCheckpoint) {
  std::size_t older = 0;
  for (; fs::exists(folder_->path("earlier/" + std::to_string(older))); ++older) {
    const std::string copy = folder_->path("earlier/" + std::to_string(older)) + "/m.db";
    const auto alone = verified(copy);
    ASSERT_TRUE(alone) << alone.error().what;
    EXPECT_TRUE(alone->good()) << "it was the whole store once\n" << ledger::to_words(*alone);
    for (std::size_t later = older + 1; later < store_->notes().size(); ++later) {
      const auto verdict = verified(copy, store_->notes()[later]);
      ASSERT_TRUE(verdict) << verdict.error().what;
      EXPECT_FALSE(verdict->good()) << "copy " << older << ", checkpoint " << later;
    }
  }
  EXPECT_GE(older, 3U);
}

}  // namespace
}  // namespace mailwarden::app
