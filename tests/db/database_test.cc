#include <array>

#include <gtest/gtest.h>

#include "db/sqlite.h"
#include "tests/db/store.h"

namespace mailwarden::db {
namespace {

TEST(Database, KeepsEveryKindOfValue) {
  const auto database = fresh_store();
  ASSERT_TRUE(database->execute("CREATE TABLE t (i BIGINT, d DOUBLE, s TEXT, b BLOB, n TEXT)"));
  const std::array<std::byte, 2> bytes{std::byte{0}, std::byte{255}};
  ASSERT_TRUE(database->run("INSERT INTO t VALUES ($1, $2, $3, $4, $5)",
                            {INT64_MIN, 1.5, std::string_view("a\0b", 3), Blob(bytes), null()}));
  EXPECT_EQ(database->changes(), 1);
  const auto row = database->query("SELECT i, d, s, b, n FROM t");
  ASSERT_TRUE(row);
  ASSERT_TRUE((*row)->step().value());
  EXPECT_EQ((*row)->columns(), 5);
  EXPECT_EQ((*row)->integer(0), INT64_MIN);
  EXPECT_EQ((*row)->number(1), 1.5);
  EXPECT_EQ((*row)->text(2), std::string_view("a\0b", 3));
  EXPECT_TRUE(std::ranges::equal((*row)->blob(3), bytes));
  EXPECT_TRUE((*row)->is_null(4));
  EXPECT_EQ((*row)->text(4), "");
  EXPECT_FALSE((*row)->step().value());
}

TEST(Database, ParametersAreNumberedByTheirNamesWhereverTheyStand) {
  const auto database = fresh_store();
  ASSERT_TRUE(database->execute("CREATE TABLE t (name TEXT, number BIGINT)"));
  ASSERT_TRUE(
      database->run("INSERT INTO t (number, name) VALUES ($2, $1)", {std::string_view("a"), 7}));
  ASSERT_TRUE(
      database->run("UPDATE t SET number = $2 WHERE name = $1", {std::string_view("a"), 8}));
  EXPECT_EQ(
      database->integer("SELECT number FROM t WHERE name = $1", {std::string_view("a")}).value(),
      8);
  const auto missing = database->run("UPDATE t SET number = $1", {1, 2});
  EXPECT_FALSE(missing) << "a value without a parameter";
}

TEST(Database, ATransactionThatIsNotCommittedIsUndone) {
  const auto database = fresh_store();
  ASSERT_TRUE(database->execute("CREATE TABLE t (i BIGINT)"));
  {
    auto transaction = Transaction::begin(*database);
    ASSERT_TRUE(transaction);
    ASSERT_TRUE(database->run("INSERT INTO t VALUES ($1)", {std::int64_t{1}}));
  }
  EXPECT_EQ(database->integer("SELECT COUNT(*) FROM t").value(), 0);
  {
    auto transaction = Transaction::begin(*database);
    ASSERT_TRUE(database->run("INSERT INTO t VALUES ($1)", {std::int64_t{2}}));
    ASSERT_TRUE(transaction->commit());
  }
  EXPECT_EQ(database->integer("SELECT COUNT(*) FROM t").value(), 1);
}

TEST(Sqlite, FailuresCarryTheirKind) {
  TemporaryFolder folder;
  const auto database = open_sqlite(folder.path("a.db")).value();
  EXPECT_EQ(database->execute("NOT SQL").error().code, Code::invalid);
  ASSERT_TRUE(database->execute("CREATE TABLE t (i BIGINT PRIMARY KEY)"));
  ASSERT_TRUE(database->run("INSERT INTO t VALUES ($1)", {std::int64_t{1}}));
  EXPECT_EQ(database->run("INSERT INTO t VALUES ($1)", {std::int64_t{1}}).error().code,
            Code::conflict);
  const auto other =
      open_sqlite(folder.path("a.db"), {.busy_timeout = std::chrono::milliseconds(1)}).value();
  const auto held = Transaction::begin(*database);
  ASSERT_TRUE(held);
  EXPECT_EQ(Transaction::begin(*other).error().code, Code::unavailable);
  EXPECT_EQ(open_sqlite(folder.path("none/a.db")).error().code, Code::not_found);
  write_file(folder.path("b.db"), std::string(8192, 'x'));
  EXPECT_EQ(open_sqlite(folder.path("b.db")).error().code, Code::corrupt);
}

TEST(Sqlite, AStoreLimitIsFullAndCanBeReadStill) {
  TemporaryFolder folder;
  const auto database = open_sqlite(folder.path("a.db"), {.store_bytes_max = 64 * 1024}).value();
  ASSERT_TRUE(database->execute("CREATE TABLE t (s TEXT)"));
  const std::string row(1000, 'x');
  Result<void> done;
  int rows = -1;
  while (done && rows < 1000) {
    done = database->run("INSERT INTO t VALUES ($1)", {std::string_view(row)});
    ++rows;
  }
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::full);
  EXPECT_EQ(database->integer("SELECT COUNT(*) FROM t").value(), rows);
}

TEST(Sqlite, AReadOnlyStoreCannotBeChanged) {
  TemporaryFolder folder;
  ASSERT_TRUE(open_sqlite(folder.path("a.db")).value()->execute("CREATE TABLE t (i BIGINT)"));
  const auto reader = open_sqlite(folder.path("a.db"), {.read_only = true}).value();
  EXPECT_EQ(reader->integer("SELECT COUNT(*) FROM t").value(), 0);
  EXPECT_EQ(reader->execute("INSERT INTO t VALUES (1)").error().code, Code::denied);
}

TEST(Database, AReadingSeesTheStoreAsItStoodWhenItBegan) {
  TemporaryFolder folder;
  const auto writer = open_sqlite(folder.path("a.db")).value();
  ASSERT_TRUE(writer->execute("CREATE TABLE t (a BIGINT); INSERT INTO t VALUES (1)"));
  const auto reader = open_sqlite(folder.path("a.db"), {.read_only = true}).value();
  const auto damage = reader->begin_reading(true);
  ASSERT_TRUE(damage) << damage.error().what;
  EXPECT_TRUE(damage->empty());
  ASSERT_TRUE(writer->execute("INSERT INTO t VALUES (2)"));
  EXPECT_EQ(reader->integer("SELECT COUNT(*) FROM t"), 1);
  reader->rollback();
  EXPECT_EQ(reader->integer("SELECT COUNT(*) FROM t"), 2);
}

TEST(Database, AnIndexThatDiffersFromItsTableIsDamage) {
  TemporaryFolder folder;
  const std::string path = folder.path("a.db");
  {
    const auto store = open_sqlite(path).value();
    ASSERT_TRUE(
        store->execute("CREATE TABLE t (a TEXT); CREATE INDEX t_a ON t (a);"
                       "INSERT INTO t VALUES ('findme')"));
  }
  std::string bytes = read_file(path);
  bytes.replace(bytes.rfind("findme"), 6, "lostme");
  write_file(path, bytes);
  const auto store = open_sqlite(path, {.read_only = true}).value();
  const auto damage = store->begin_reading(true);
  ASSERT_TRUE(damage) << damage.error().what;
  ASSERT_FALSE(damage->empty());
  EXPECT_NE(damage->front().find("index t_a"), std::string::npos) << damage->front();
}

TEST(OpenUrl, NamesWhatItAccepts) {
  EXPECT_TRUE(open_url("sqlite::memory:"));
  EXPECT_EQ(open_url("mysql://x").error().what,
            "'mysql://x' is not a store; expected sqlite:PATH or postgresql://USER@HOST/DATABASE");
  EXPECT_FALSE(open_url("sqlite:"));
}

constexpr std::array first{Migration{"a", 1, "CREATE TABLE t (i BIGINT)"}};
constexpr std::array both{Migration{"a", 1, "CREATE TABLE t (i BIGINT)"},
                          Migration{"a", 2, "CREATE TABLE u (i BIGINT)"}};
constexpr std::array changed{Migration{"a", 1, "CREATE TABLE t (i TEXT)"}};

TEST(Migrate, RunsWhatIsMissingOnceAndForwardOnly) {
  const auto database = fresh_store();
  ASSERT_TRUE(migrate(*database, first, {}));
  EXPECT_EQ(check_migrations(*database, both).error().code, Code::not_found);
  ASSERT_TRUE(migrate(*database, both, {}));
  ASSERT_TRUE(migrate(*database, both, {}));
  EXPECT_TRUE(check_migrations(*database, both));
  EXPECT_EQ(database->integer("SELECT COUNT(*) FROM schema_migration").value(), 2);
}

TEST(Migrate, RefusesANewerAndAChangedStore) {
  const auto database = fresh_store();
  ASSERT_TRUE(migrate(*database, both, {}));
  EXPECT_EQ(migrate(*database, first, {}).error().what,
            "the store was made by a newer program (it has table step a 2); use that program or a "
            "backup from before it");
  EXPECT_EQ(migrate(*database, changed, {}).error().code, Code::corrupt);
  EXPECT_EQ(check_migrations(*fresh_store(), first).error().code, Code::invalid);
}

TEST(Migrate, AFailingStepLeavesNothingBehind) {
  const auto database = fresh_store();
  constexpr std::array broken{Migration{"a", 1, "CREATE TABLE t (i BIGINT); CREATE TABEL u (i)"}};
  EXPECT_FALSE(migrate(*database, broken, {}));
  EXPECT_FALSE(database->execute("SELECT i FROM t"));
  EXPECT_FALSE(database->execute("SELECT number FROM schema_migration"));
}

}  // namespace
}  // namespace mailwarden::db
