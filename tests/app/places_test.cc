// A store of 10,000 entries, changed behind the daemon's back at seeded places: each is found and
// named. Where MAILWARDEN_PLACES says at how many, each is tried alone, in a copy of its own; else
// a few hundred, those of different tables together.
#include <cstdlib>
#include <iostream>
#include <random>

#include <gtest/gtest.h>

#include "base/text.h"
#include "report/verify_store.h"
#include "tests/app/full_store.h"

namespace mailwarden::app {
namespace {

namespace fs = std::filesystem;

// 0: not said.
std::int64_t places() {
  const char* const told = std::getenv("MAILWARDEN_PLACES");
  return told == nullptr ? 0 : std::atoll(told);
}

enum Act : std::size_t { change, remove, add, swap, truncate };
constexpr std::array words{"change", "remove", "add", "swap", "truncate"};

struct Table;
struct Place {
  const Table* table = nullptr;
  Act act = change;
  std::string sql;
  std::vector<std::string> names;  // by one of which a failure must call it
};

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

std::string literal(const Column& column, const std::string& value) {
  if (column.type == "BLOB") return "x'" + crypto::to_hex(crypto::as_bytes(value)) + "'";
  if (column.type != "TEXT") return value;
  std::string quoted = "'";
  for (const char c : value) quoted += c == '\'' ? "''" : std::string(1, c);
  return quoted + "'";
}

// Another literal of SQL for the column.
std::string PlacesTest::other_value(const Column& column, std::string value) {
  if (column.may_be_null && below(4) == 0) return "NULL";
  if (column.type == "BLOB") {
    const std::size_t at = value.empty() ? 0 : below(value.size());
    if (value.empty()) return "x'00'";
    value[at] = static_cast<char>(value[at] ^ (1 << below(8)));
    return literal(column, value);
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
  return literal(column, value);
}

std::string PlacesTest::insert_copy(const Table& table, const std::string& where) const {
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
  return "INSERT INTO " + table.name + " (" + to + ") SELECT " + from + " FROM " + table.name +
         where;
}

// Statements that exchange what two rows have in one column; none where they are alike.
std::vector<std::string> PlacesTest::swap_values(db::Database& database, const Table& table,
                                                 const std::string& one, const std::string& other) {
  const auto value_of = [&](const Column& column, const std::string& rowid) {
    return rows(database,
                "SELECT " + column.name + " FROM " + table.name + " WHERE rowid = " + rowid)[0][0];
  };
  std::vector<Column> differing;
  for (const Column& column : table.columns) {
    if (!column.is_unique && value_of(column, one) != value_of(column, other)) {
      differing.push_back(column);
    }
  }
  if (differing.empty()) return {};
  const Column& column = any_of(differing);
  const auto set = [&](const std::string& rowid, const std::string& value) {
    return "UPDATE " + table.name + " SET " + column.name + " = " + literal(column, value) +
           " WHERE rowid = " + rowid;
  };
  return {set(one, value_of(column, other)), set(other, value_of(column, one))};
}

// Nothing where it cannot be done to that table.
std::optional<Place> PlacesTest::spoil(db::Database& database, const Table& table, Act act) {
  const auto all = rows(database, "SELECT rowid FROM " + table.name + " ORDER BY rowid");
  const std::string rowid = any_of(all)[0];
  const std::string where = " WHERE rowid = " + rowid;
  Place place{.table = &table, .act = act, .sql = "", .names = {}};
  const auto add_names = [&](const std::string& of) {
    for (std::string& name : names_of(database, table, std::atoll(of.c_str()))) {
      place.names.push_back(std::move(name));
    }
  };
  add_names(rowid);
  std::vector<std::string> statements;
  if (act == change) {
    const Column& column = any_of(table.columns);
    const auto value = rows(database, "SELECT " + column.name + " FROM " + table.name + where);
    statements = {"UPDATE " + table.name + " SET " + column.name + " = " +
                  other_value(column, value[0][0]) + where};
  } else if (act == remove) {
    statements = {"DELETE FROM " + table.name + where};
  } else if (act == add) {
    statements = {insert_copy(table, where)};
  } else if (act == swap) {
    const std::string other = any_of(all)[0];
    add_names(other);
    statements = swap_values(database, table, rowid, other);
  } else {
    statements = {"DELETE FROM " + table.name + " WHERE rowid >= " + rowid};
    place.names.push_back(table.name == "ledger_entry" ? "entries" : table.name);
  }
  if (statements.empty()) return std::nullopt;
  for (const std::string& sql : statements) {
    // A constraint may refuse it, which is no finding.
    if (!database.run(sql, {})) return std::nullopt;
    place.sql += sql + ";\n";
  }
  add_names(rowid);
  if (const auto last = rows(database, "SELECT MAX(rowid) FROM " + table.name); act != truncate) {
    add_names(last[0][0]);
  }
  return place;
}

void PlacesTest::judge(const std::vector<Place>& spoilt) {
  const auto verdict = verified(folder_->path("copy/m.db"));
  ASSERT_TRUE(verdict) << verdict.error().what;
  for (const Place& place : spoilt) {
    ++done_[words[place.act]];
    // What is added behind the last checkpoint nobody has signed yet.
    const bool is_behind = place.table->name == "ledger_entry" && place.act == add;
    if (is_behind && verdict->good() && verdict->unsealed > 0) {
      ++unsealed_;
      continue;
    }
    const bool is_named = std::ranges::any_of(verdict->failures, [&](const ledger::Failure& one) {
      const std::string text = one.place + ": " + one.what + " ";
      return std::ranges::any_of(place.names, [&](const auto& name) {
        const std::size_t at = text.find(name);
        return at != std::string::npos && std::isdigit(text[at + name.size()]) == 0;
      });
    });
    EXPECT_TRUE(is_named) << place.table->name << ": " << place.sql << "\n"
                          << ledger::to_words(*verdict);
  }
}

void PlacesTest::spoil_alone(const Table& table, Act act) {
  const std::string copy = fresh_copy();
  std::optional<Place> place;
  {
    const auto database = db::open_sqlite(copy + "/m.db").value();
    place = spoil(*database, table, act);
  }
  if (place) judge({*std::move(place)});
}

// The same of a store with keys.
class EncryptedPlacesTest : public PlacesTest {
 protected:
  static void SetUpTestSuite() { make(true); }
};

void PlacesTest::whole_store_is_good() {
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

TEST_F(PlacesTest, TheWholeStoreIsGoodAndHasRowsInEveryTable) {
  whole_store_is_good();
}
TEST_F(EncryptedPlacesTest, TheWholeStoreIsGoodAndHasRowsInEveryTable) {
  whole_store_is_good();
}

// Addresses of the directory, of grants and decisions stand in no file of the store, and a file's
// name says nothing of anybody.
TEST_F(EncryptedPlacesTest, NobodyIsNamedInTheFiles) {
  bool seen = false;
  for (const auto& file : fs::recursive_directory_iterator(folder_->path("whole"))) {
    if (!file.is_regular_file()) continue;
    seen = seen || file.path().filename() == "m.db";
    EXPECT_FALSE(to_lower(read_file(file.path().string())).contains("p1@example.com"))
        << file.path();
    EXPECT_FALSE(file.path().filename().string().contains('@')) << file.path();
  }
  EXPECT_TRUE(seen);
}

TEST_F(PlacesTest, ThePlainStoreNamesThem) {
  EXPECT_TRUE(read_file(folder_->path("whole/m.db-wal")).contains("p1@example.com"));
}

TEST_F(EncryptedPlacesTest, WithoutKeysWhatIsOpenIsVerified) {
  const auto check = [&](const std::string& store) {
    const auto database = db::open_sqlite(store, {.read_only = true}).value();
    return report::verify_store(*database, {.key = store_->key(),
                                            .from = store_->notes().back(),
                                            .check_record = {},
                                            .check_end = {},
                                            .progress = {}});
  };
  const auto verdict = check(folder_->path("whole/m.db"));
  ASSERT_TRUE(verdict) << verdict.error().what;
  EXPECT_TRUE(verdict->good()) << ledger::to_words(*verdict);
  EXPECT_GT(verdict->closed, 0);
  ASSERT_EQ(verdict->not_held.size(), 1U);
  EXPECT_TRUE(verdict->not_held.front().contains("encrypted")) << verdict->not_held.front();
  for (const char* const change :
       {"UPDATE event SET salt = zeroblob(32) WHERE number = 900",
        "DELETE FROM event WHERE number = 900",
        "UPDATE ledger_entry SET commitment = zeroblob(32) WHERE number = 7"}) {
    const std::string copy = fresh_copy() + "/m.db";
    ASSERT_TRUE(db::open_sqlite(copy).value()->execute(change)) << change;
    const auto spoilt = check(copy);
    ASSERT_TRUE(spoilt) << spoilt.error().what;
    EXPECT_FALSE(spoilt->good()) << change;
  }
}

TEST_F(PlacesTest, AStoreThatIsWrittenMeanwhileIsGood) {
  const auto database = db::open_sqlite(store_->path(), {.read_only = true}).value();
  bool went_on = false;
  const auto verdict = report::verify_store(*database, {.key = store_->key(),
                                                        .from = {},
                                                        .check_record = {},
                                                        .check_end = {},
                                                        .progress = [&](std::int64_t) {
                                                          if (!went_on) store_->go_on();
                                                          went_on = true;
                                                        }});
  ASSERT_TRUE(verdict) << verdict.error().what;
  EXPECT_TRUE(went_on);
  EXPECT_TRUE(verdict->good()) << ledger::to_words(*verdict);
  const auto behind = verified(store_->path());
  ASSERT_TRUE(behind) << behind.error().what;
  EXPECT_TRUE(behind->good()) << ledger::to_words(*behind);
  EXPECT_GT(behind->entries, verdict->entries);
}

void PlacesTest::every_change_to_a_table() {
  const auto count = [&] {
    std::int64_t sum = 0;
    for (const auto& [word, times] : done_) sum += times;
    return sum;
  };
  for (std::size_t turn = 0; count() < places() * 4 / 5; ++turn) {
    spoil_alone(tables_[turn % tables_.size()],
                static_cast<Act>(turn / tables_.size() % words.size()));
  }
  for (int round = 0; places() == 0 && round < 2; ++round) {
    for (const Act act : {change, remove, add, swap}) {
      const std::string copy = fresh_copy();
      std::vector<Place> spoilt;
      {
        const auto database = db::open_sqlite(copy + "/m.db").value();
        for (const Table& table : tables_) {
          // A changed entry takes others with it.
          if (table.name == "ledger_entry") continue;
          if (auto place = spoil(*database, table, act)) spoilt.push_back(*std::move(place));
        }
      }
      judge(spoilt);
    }
  }
  for (const Table& table : tables_) {
    if (places() != 0) break;
    spoil_alone(table, truncate);
    if (table.name != "ledger_entry") continue;
    for (const Act act : {change, remove, add, swap, truncate}) spoil_alone(table, act);
  }
  for (const auto& [word, times] : done_) std::cout << word << ": " << times << "\n";
  std::cout << "added behind the last checkpoint and told as not sealed: " << unsealed_ << "\n";
}

TEST_F(PlacesTest, EveryChangeToATableIsFoundAndNamed) {
  every_change_to_a_table();
}
TEST_F(EncryptedPlacesTest, EveryChangeToATableIsFoundAndNamed) {
  every_change_to_a_table();
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

void PlacesTest::every_change_to_a_file() {
  std::vector<std::string> files;
  for (const auto& file : fs::recursive_directory_iterator(folder_->path("whole"))) {
    if (file.is_regular_file()) {
      files.push_back(fs::relative(file.path(), folder_->path("whole")).string());
    }
  }
  std::ranges::sort(files);
  ASSERT_TRUE(std::ranges::find(files, "m.db-wal") != files.end());
  std::int64_t count = 0;
  const std::int64_t few = store_->sealing() == nullptr ? 21 : 7;
  for (; count < (places() == 0 ? few : places() / 5); ++count) {
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

TEST_F(PlacesTest, EveryChangeToAFileIsFoundOrIsNoPartOfTheContent) {
  every_change_to_a_file();
}
TEST_F(EncryptedPlacesTest, EveryChangeToAFileIsFoundOrIsNoPartOfTheContent) {
  every_change_to_a_file();
}

void PlacesTest::a_rollback() {
  std::size_t older = 0;
  for (; fs::exists(folder_->path("earlier/" + std::to_string(older))); ++older) {
    const std::string copy = folder_->path("earlier/" + std::to_string(older)) + "/m.db";
    const auto alone = older % 4 == 0 || places() > 0 ? verified(copy) : ledger::Verdict();
    ASSERT_TRUE(alone) << alone.error().what;
    EXPECT_TRUE(alone->good()) << "it was the whole store once\n" << ledger::to_words(*alone);
    const auto database = db::open_sqlite(copy, {.read_only = true}).value();
    database->set_sealing(store_->sealing());
    for (std::size_t later = older + 1; later < store_->notes().size(); ++later) {
      const bool is_edge = later == older + 1 || later + 1 == store_->notes().size();
      if (!is_edge && places() == 0) continue;
      const auto verdict =
          ledger::verify(*database, {.key = store_->key(), .from = store_->notes()[later]});
      ASSERT_TRUE(verdict) << verdict.error().what;
      EXPECT_FALSE(verdict->good()) << "copy " << older << ", checkpoint " << later;
    }
  }
  EXPECT_GE(older, 3U);
}

TEST_F(PlacesTest, ARollbackIsFoundWithAnyLaterCheckpoint) {
  a_rollback();
}
TEST_F(EncryptedPlacesTest, ARollbackIsFoundWithAnyLaterCheckpoint) {
  a_rollback();
}

}  // namespace
}  // namespace mailwarden::app
