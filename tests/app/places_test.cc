// Each change to a table of a store is found and named: by default a few hundred, those of
// different tables together.
#include "tests/app/places.h"

namespace mailwarden::app {
namespace {

std::string literal(const Column& column, const std::string& value) {
  if (column.type == "BLOB") return "x'" + crypto::to_hex(crypto::as_bytes(value)) + "'";
  if (column.type != "TEXT") return value;
  std::string quoted = "'";
  for (const char c : value) quoted += c == '\'' ? "''" : std::string(1, c);
  return quoted + "'";
}

}  // namespace

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

// A character of the first key's version in an envelope (crypto/envelope.h), behind "sealed:1:".
TEST_F(EncryptedPlacesTest, AVersionOfAKeyThatTheBookHasNotIsNamedAndTheRestIsChecked) {
  const std::string path = fresh_copy() + "/m.db";
  const auto change_version = [](const std::string& table, const std::string& column) {
    const std::string part = "substr(" + column + ", ";
    return "UPDATE " + table + " SET " + column + " = " + part + "1, 26) || 'B' || " + part +
           "28) WHERE rowid = (SELECT MIN(rowid) FROM " + table + " WHERE " + part +
           "27, 1) = 'A')";
  };
  for (const auto& [table, column] : std::map<std::string, std::string>{
           {"sign_in", "token"}, {"ledger_entry", "record"}, {"detection", "body"}}) {
    const auto database = db::open_sqlite(path).value();
    ASSERT_TRUE(database->execute(change_version(table, column))) << table;
    ASSERT_EQ(database->integer("SELECT changes()"), 1) << table;
  }
  const auto verdict = verified(path);
  ASSERT_TRUE(verdict) << verdict.error().what;
  const std::string words = ledger::to_words(*verdict);
  for (const char* const place : {"sign_in", "entry ", "detection"}) {
    EXPECT_TRUE(words.contains(place)) << place << " in " << words;
  }
  EXPECT_TRUE(words.contains("dropped when the key was renewed")) << words;
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

}  // namespace mailwarden::app
