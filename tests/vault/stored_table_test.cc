// Tables of a store whose text is sealed, walked when keys change; on both databases.
#include "vault/stored_table.h"

#include <set>

#include <gmock/gmock.h>

#include "base/text.h"
#include "tests/db/store.h"
#include "tests/vault/book.h"
#include "vault/field_sealing.h"

namespace mailwarden::vault {
namespace {

using testing::HasSubstr;

constexpr std::array steps{db::Migration{"test", 1, R"sql(
CREATE TABLE note (number INTEGER PRIMARY KEY, who TEXT, body TEXT);
CREATE TABLE other (
  name TEXT NOT NULL,
  number BIGINT NOT NULL,
  body TEXT,
  PRIMARY KEY (name, number)
);
CREATE TABLE odd (share DOUBLE PRIMARY KEY, body BLOB)
)sql"}};

constexpr std::array<std::string_view, 1> note_key{"number"};
constexpr std::array<std::string_view, 2> other_key{"name", "number"};
constexpr std::array note_columns{db::PersonalColumn{"who", true}, db::PersonalColumn{"body"}};
constexpr std::array other_columns{db::PersonalColumn{"body"}};
constexpr db::PersonalTable note_table{.name = "note", .key = note_key, .columns = note_columns};
constexpr db::PersonalTable other_table{
    .name = "other", .key = other_key, .columns = other_columns};

std::string text_naming(int subjects, int from = 0) {
  std::string text = "to=";
  for (int i = from; i < from + subjects; ++i) text += "<" + user(i) + "> ";
  return text;
}

class StoredTableTest : public BookTest {
 protected:
  StoredTableTest() {
    EXPECT_TRUE(db::migrate(*store, steps, clock.now()));
    vault = open();
    sealing.emplace(*vault);
    store->set_sealing(&*sealing);
  }
  // Opens the book again; what was in memory is gone.
  void open_again() {
    vault.reset();
    vault = open();
    sealing.emplace(*vault);
  }

  void put_note(std::int64_t number, std::string_view body) {
    const std::string row = std::to_string(number);
    const auto stored = db::to_stored(*store, note_table, row, {"ada", body}).value();
    ASSERT_TRUE(store->run("INSERT INTO note (number, who, body) VALUES ($1, $2, $3)",
                           {number, std::string_view(stored[0]), std::string_view(stored[1])}));
  }
  std::string stored_note(std::int64_t number) {
    return text("SELECT body FROM note WHERE number = $1", {number});
  }
  Result<std::string> read_note(std::int64_t number) {
    const auto plain =
        db::open_row(*store, note_table, std::to_string(number), stored_note(number));
    if (!plain) return std::unexpected(plain.error());
    return plain->back();
  }

  void put_other(std::string_view name, std::int64_t number, std::string_view body) {
    const std::string row = db::row_name({name, std::to_string(number)});
    const auto stored = db::to_stored(*store, other_table, row, {body}).value();
    ASSERT_TRUE(store->run("INSERT INTO other (name, number, body) VALUES ($1, $2, $3)",
                           {name, number, std::string_view(stored[0])}));
  }
  Result<std::string> read_other(std::string_view name, std::int64_t number) {
    const std::string body =
        text("SELECT body FROM other WHERE name = $1 AND number = $2", {name, number});
    const std::string row = db::row_name({name, std::to_string(number)});
    const auto plain = db::to_plain(*store, other_table, row, {body});
    if (!plain) return std::unexpected(plain.error());
    return plain->back();
  }

  std::string text(std::string_view sql, std::initializer_list<db::Value> values) {
    const auto row = store->query(sql, values).value();
    EXPECT_TRUE(row->step().value());
    std::string found(row->text(0));
    EXPECT_FALSE(row->step().value());
    return found;
  }

  Walked walk(StoredTable& table, std::size_t rows_max = 2) {
    Walked all;
    for (int batch = 0; !all.ended; ++batch) {
      EXPECT_LT(batch, 100);
      const auto walked = vault->reseal(table, rows_max);
      if (!walked) {
        ADD_FAILURE() << walked.error().what;
        return all;
      }
      all.values += walked->values;
      all.unreadable += walked->unreadable;
      all.ended = walked->ended;
    }
    return all;
  }

  std::unique_ptr<db::Database> store = fresh_store();
  std::unique_ptr<Vault> vault;
  std::optional<FieldSealing> sealing;
};

// Names with every kind of byte, in an order in which each must come once.
TEST_F(StoredTableTest, GoesThroughEveryRowOnceWhateverItsKey) {
  std::set<std::string> expected;
  for (const std::string& name :
       {std::string(), std::string("a"), std::string("a\0b", 3), std::string("a/1"),
        std::string("3:a"), std::string("é"), std::string("\xff\xfe"), std::string("Z"),
        std::string("'; --")}) {
    for (const std::int64_t number : {INT64_MIN, std::int64_t{-1}, std::int64_t{0}, INT64_MAX}) {
      put_other(name, number, "v");
      expected.insert(db::row_name({name, std::to_string(number)}));
    }
  }
  auto table = StoredTable::make(*store, other_table).value();
  for (const std::size_t rows_max : {1U, 3U, 100U}) {
    std::multiset<std::string> seen;
    std::string cursor;
    while (true) {
      const SealedRows rows = table.after(cursor, rows_max).value();
      if (rows.last.empty()) break;
      EXPECT_LE(rows.values.size(), rows_max);
      for (const SealedValue& value : rows.values) {
        seen.insert(value.row);
        EXPECT_EQ(value.column, "body");
        EXPECT_EQ(vault->open({"other", value.column, value.row}, value.sealed), "v");
      }
      cursor = rows.last;
    }
    EXPECT_EQ(seen, std::multiset<std::string>(expected.begin(), expected.end())) << rows_max;
  }
}

TEST_F(StoredTableTest, PassesOverWhatIsNotSealedAndTellsWhatIsSpoilt) {
  put_note(1, text_naming(1));
  put_note(4, text_naming(40));
  ASSERT_TRUE(
      store->execute("INSERT INTO note VALUES (2, 'w', NULL), (3, 'w', 'plain'), (5, 'w', ''),"
                     " (6, 'w', 'sealed:9:what'), (7, 'w', 'sealed:1:AAAA')"));
  auto table = StoredTable::make(*store, note_table).value();
  const SealedRows rows = table.after("", 100).value();
  std::vector<std::string> names;
  for (const SealedValue& value : rows.values) names.push_back(value.row);
  EXPECT_EQ(names, (std::vector<std::string>{"1", "4#1/3", "4#2/3", "4#3/3", "6", "7"}));
  const SealedRows plain_ones = table.after(table.after("", 1)->last, 2).value();
  EXPECT_TRUE(plain_ones.values.empty());
  EXPECT_FALSE(plain_ones.last.empty()) << "the walk goes on behind them";
  ASSERT_TRUE(vault->renew_store_key());
  EXPECT_EQ(walk(table).unreadable, 2U);
  EXPECT_EQ(stored_note(6), "sealed:9:what");
  EXPECT_EQ(stored_note(3), "plain");
}

TEST_F(StoredTableTest, ARenewedKeyReachesItsPiecesAndLeavesTheOthers) {
  put_note(1, text_naming(40));
  put_note(2, text_naming(1, 100));
  put_note(3, text_naming(20, 30));
  const std::string before = stored_note(1);
  const std::string untouched = stored_note(2);
  ASSERT_TRUE(vault->renew(user(39)));
  auto notes = StoredTable::make(*store, note_table).value();
  auto others = StoredTable::make(*store, other_table).value();
  const Walked walked = walk(notes);
  EXPECT_EQ(walked.values, 2U) << "a piece of row 1, and one of row 3";
  EXPECT_EQ(walked.unreadable, 0U);
  EXPECT_TRUE(walk(others).ended);
  const std::string after = stored_note(1);
  const auto old_pieces = split(before, '.');
  const auto new_pieces = split(after, '.');
  ASSERT_EQ(new_pieces.size(), 3U);
  EXPECT_EQ(new_pieces[0], old_pieces[0]);
  EXPECT_EQ(new_pieces[1], old_pieces[1]);
  EXPECT_NE(new_pieces[2], old_pieces[2]);
  EXPECT_EQ(stored_note(2), untouched);
  open_again();
  EXPECT_EQ(read_note(1), text_naming(40));
  EXPECT_EQ(read_note(2), text_naming(1, 100));
  EXPECT_EQ(read_note(3), text_naming(20, 30));
  EXPECT_EQ(sealing->open({"note", "body", "1"}, before).error().code, Code::corrupt)
      << "the old version is gone";
}

TEST_F(StoredTableTest, WhatWasSealedWithoutTheKekIsSealedForItsSubjectsWhenItIsBack) {
  put_note(1, text_naming(2));
  vault->forget();
  provider->cut = true;
  for (std::int64_t number = 2; number <= 6; ++number) {
    put_other("x", number, text_naming(17, 10 * static_cast<int>(number)));
  }
  EXPECT_EQ(read_note(1).error().code, Code::unavailable);
  provider->cut = false;
  ASSERT_TRUE(vault->unlock());
  EXPECT_EQ(vault->shred(user(25)).error().code, Code::conflict);
  auto others = StoredTable::make(*store, other_table).value();
  EXPECT_EQ(walk(others).values, 10U) << "two pieces of each";
  for (std::int64_t number = 2; number <= 6; ++number) {
    EXPECT_EQ(read_other("x", number), text_naming(17, 10 * static_cast<int>(number)));
  }
  EXPECT_EQ(vault->shred(user(25)), true);
  EXPECT_EQ(read_other("x", 2).error().code, Code::not_found);
  EXPECT_EQ(read_other("x", 3), text_naming(17, 30));
  EXPECT_EQ(read_note(1), text_naming(2));
}

TEST_F(StoredTableTest, ARowThatHasChangedMeanwhileIsLeftAlone) {
  put_note(1, text_naming(1));
  put_note(2, text_naming(1, 1));
  put_note(3, text_naming(1, 2));
  auto table = StoredTable::make(*store, note_table).value();
  const SealedRows rows = table.after("", 10).value();
  ASSERT_TRUE(
      store->execute("UPDATE note SET body = 'sealed:1:AAAA' WHERE number = 1; DELETE FROM note "
                     "WHERE number = 2"));
  std::vector<Resealed> all;
  for (const SealedValue& value : rows.values) {
    const auto plain = vault->open({"note", "body", value.row}, value.sealed).value();
    all.push_back(
        {&value, vault->seal({"note", "body", value.row}, Subjects{user(9)}, plain).value()});
  }
  const std::string before = stored_note(3);
  ASSERT_TRUE(table.replace(all));
  EXPECT_EQ(stored_note(1), "sealed:1:AAAA");
  EXPECT_EQ(store->integer("SELECT COUNT(*) FROM note").value(), 2);
  EXPECT_NE(stored_note(3), before);
  EXPECT_EQ(read_note(3), text_naming(1, 2));
}

TEST_F(StoredTableTest, ABatchIsWrittenWhollyOrNotAtAll) {
  for (int i = 1; i <= 3; ++i) put_note(i, text_naming(1));
  auto table = StoredTable::make(*store, note_table).value();
  const SealedRows rows = table.after("", 10).value();
  std::vector<std::string> before;
  for (int i = 1; i <= 3; ++i) before.push_back(stored_note(i));
  // The database refuses the last one.
  ASSERT_TRUE(store->execute("CREATE UNIQUE INDEX note_body ON note (body)"));
  const std::vector<Resealed> all{{&rows.values[0], crypto::Bytes(3)},
                                  {&rows.values[1], crypto::Bytes(4)},
                                  {&rows.values[2], crypto::Bytes(4)}};
  EXPECT_EQ(table.replace(all).error().code, Code::conflict);
  for (int i = 1; i <= 3; ++i) {
    EXPECT_EQ(stored_note(i), before[static_cast<std::size_t>(i - 1)]);
  }
}

TEST_F(StoredTableTest, RefusesATableThatTheStoreDoesNotHave) {
  constexpr std::array<std::string_view, 1> share{"share"};
  constexpr std::array who{db::PersonalColumn{"who"}};
  constexpr std::array number{db::PersonalColumn{"number"}};
  for (const auto& [table, says] : std::initializer_list<std::pair<db::PersonalTable, std::string>>{
           {{"absent", note_key, other_columns}, "no table absent"},
           {{"note", share, other_columns}, "no column share"},
           {{"odd", share, other_columns}, "integers or text"},
           {{"other", other_key, who}, "no column who of text"},
           {{"note", note_key, number}, "no column number of text"}}) {
    const auto made = StoredTable::make(*store, table);
    ASSERT_FALSE(made) << says;
    EXPECT_EQ(made.error().code, Code::invalid);
    EXPECT_THAT(made.error().what, HasSubstr(says));
  }
}

TEST_F(StoredTableTest, ACursorOfAnotherTableIsCorrupt) {
  put_other("a", 1, "v");
  auto table = StoredTable::make(*store, other_table).value();
  for (const std::string cursor : {"x", "1:a", "1:a1:1x", "1:a1:b", "9:a1:1", "-1:a1:1", ":"}) {
    const auto rows = table.after(cursor, 1);
    ASSERT_FALSE(rows) << cursor;
    EXPECT_EQ(rows.error().code, Code::corrupt);
  }
  EXPECT_TRUE(table.after("1:a1:1", 1)->last.empty());
  EXPECT_FALSE(table.after("1:a1:0", 1)->last.empty());
}

}  // namespace
}  // namespace mailwarden::vault
