// Table steps on a store that has content: tried first, or asked before they are committed.
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "db/sqlite.h"
#include "db/sqlite_copy.h"
#include "tests/db/store.h"

namespace mailwarden::db {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr Migration tables{"a", 1, R"sql(
CREATE TABLE part_group (number BIGINT PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE part (number BIGINT PRIMARY KEY,
  part_group BIGINT NOT NULL REFERENCES part_group (number) ON DELETE CASCADE)
)sql"};

class MigrateTrial : public testing::Test {
 protected:
  void SetUp() override {
    database_ = store_.open();
    ASSERT_TRUE(migrate(*database_, std::array{tables}, {}));
    ASSERT_TRUE(
        database_->execute("INSERT INTO part_group VALUES (1, 'a'), (2, 'a'), (3, 'b');"
                           "INSERT INTO part VALUES (1, 1), (2, 1), (3, 2), (4, 3)"));
  }

  Result<void> run_step(std::string_view sql, const MigrateOptions& options = {}) {
    return migrate(*database_, std::array{tables, Migration{"a", 2, sql}}, {}, options);
  }
  Result<void> run_steps(std::string_view second, std::string_view third) {
    return migrate(*database_,
                   std::array{tables, Migration{"a", 2, second}, Migration{"a", 3, third}}, {});
  }
  std::int64_t count(const std::string& table) const {
    return database_->integer("SELECT COUNT(*) FROM " + table).value();
  }
  void expect_as_it_was() const {
    EXPECT_EQ(count("schema_migration"), 1);
    EXPECT_EQ(count("part_group"), 3);
    EXPECT_EQ(count("part"), 4);
    for (const char* const table : {"late", "later"}) {
      EXPECT_FALSE(database_->integer("SELECT COUNT(*) FROM " + std::string(table))) << table;
    }
    EXPECT_THAT(left_beside(), IsEmpty());
    EXPECT_TRUE(Transaction::begin(*database_)) << "nothing is left open";
  }
  // Files beside the store that are none of its own.
  std::vector<std::string> left_beside() const {
    std::vector<std::string> found;
    if (is_on_postgres()) return found;
    for (const auto& file : std::filesystem::directory_iterator(path().parent_path())) {
      const std::string name = file.path().filename();
      if (name != "store" && name != "store-wal" && name != "store-shm") found.push_back(name);
    }
    return found;
  }
  std::filesystem::path path() const { return store_.url().substr(sizeof "sqlite:" - 1); }

  FreshStore store_;
  std::unique_ptr<Database> database_;
};

TEST_F(MigrateTrial, StepsThatContentBearsAreRun) {
  const auto done =
      run_steps("CREATE TABLE late (a BIGINT); INSERT INTO late SELECT number FROM part",
                "CREATE INDEX part_part_group ON part (part_group)");
  ASSERT_TRUE(done) << done.error().what;
  EXPECT_EQ(count("schema_migration"), 3);
  EXPECT_EQ(count("late"), 4);
  EXPECT_EQ(count("part"), 4);
  EXPECT_THAT(left_beside(), IsEmpty());
}

TEST_F(MigrateTrial, AStepThatFailsOnWhatIsStoredIsNamedAndNothingIsTouched) {
  const auto done = run_steps("CREATE TABLE late (a BIGINT)",
                              "CREATE UNIQUE INDEX part_group_name ON part_group (name)");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::conflict);
  EXPECT_THAT(done.error().what, StartsWith("table step a 3: database: "));
  EXPECT_THAT(done.error().what, HasSubstr("; the store stays as it was"));
  expect_as_it_was();
}

// That a name is part of another one is no mention.
TEST_F(MigrateTrial, AStepMayNotLoseRowsOfATableThatItDoesNotMention) {
  const auto done = run_steps("CREATE TABLE late (a BIGINT)",
                              "DELETE FROM part_group WHERE number = 1; DELETE FROM Part_Group"
                              " WHERE number = 17");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().what,
            "table step a 3 does not mention the table part, but of its 4 rows it has 2; the store "
            "stays as it was");
  expect_as_it_was();
}

TEST_F(MigrateTrial, AStepMayRemoveWhatItMentions) {
  const auto done = run_steps("DELETE FROM part WHERE number = 1", "DROP TABLE Part");
  ASSERT_TRUE(done) << done.error().what;
  EXPECT_EQ(count("part_group"), 3);
  EXPECT_FALSE(database_->integer("SELECT COUNT(*) FROM part"));
}

TEST_F(MigrateTrial, AReferenceToNothingIsFoundBehindTheSteps) {
  const auto done = run_step(
      "CREATE TABLE late (a BIGINT REFERENCES part (number) DEFERRABLE INITIALLY DEFERRED);"
      "INSERT INTO late VALUES (99)");
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().what, StartsWith("behind table step a 2: "));
  EXPECT_THAT(done.error().what, HasSubstr("; the store stays as it was"));
  expect_as_it_was();
}

TEST_F(MigrateTrial, AStoreOfANewerProgramIsRefusedBeforeAnythingIsTried) {
  ASSERT_TRUE(run_step("CREATE TABLE late (a BIGINT)"));
  const auto done =
      migrate(*database_, std::array{tables, Migration{"b", 1, "CREATE TABLE later (a BIGINT)"}},
              {}, {.free_bytes = [](const std::string&) -> Result<std::int64_t> {
                ADD_FAILURE() << "nothing is to be tried";
                return 0;
              }});
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().what, StartsWith("the store was made by a newer program"));
}

// Of SQLite, where a file is copied.
class MigrateCopy : public MigrateTrial {
 protected:
  void SetUp() override {
    if (is_on_postgres()) GTEST_SKIP() << "nothing is copied there";
    MigrateTrial::SetUp();
  }
  static MigrateOptions room(std::int64_t bytes) {
    return {.free_bytes = [bytes](const std::string&) { return bytes; }};
  }
};

TEST_F(MigrateCopy, WhereThereIsNoRoomItIsSaidHowMuchIsNeeded) {
  ASSERT_TRUE(database_->execute("CREATE TABLE large (a TEXT)"));
  const std::string megabyte(1'000'000, 'x');
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(database_->run("INSERT INTO large VALUES ($1)", {std::string_view(megabyte)}));
  }
  const std::int64_t bytes = database_->integer("PRAGMA page_count").value() *
                             database_->integer("PRAGMA page_size").value();
  const auto done = run_step("CREATE TABLE late (a BIGINT)", room(bytes));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::full);
  EXPECT_EQ(done.error().what,
            "the new tables are tried on a copy of the store first, for which " +
                path().parent_path().string() +
                " needs 5 MB of free space and has 4 MB; the store stays as it was");
  expect_as_it_was();
  EXPECT_TRUE(run_step("CREATE TABLE late (a BIGINT)", room(bytes / 2 * 3)));
}

TEST_F(MigrateCopy, AStepThatGrowsBeyondTheLimitOfTheStoreIsNotRun) {
  database_.reset();
  database_ = open_sqlite(path(), {.store_bytes_max = 1'000'000}).value();
  const auto done =
      run_step("CREATE TABLE late (a TEXT); INSERT INTO late SELECT hex(zeroblob(1000000))");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::full);
  EXPECT_THAT(done.error().what, StartsWith("table step a 2: database: "));
  expect_as_it_was();
}

TEST_F(MigrateCopy, WhatAKilledTryLeftIsRemovedAtTheNextStart) {
  const auto leave = [this] {
    for (const char* const end : {"", "-journal", "-wal"}) {
      write_file(path().string() + ".trial" + end, "left");
    }
  };
  leave();
  EXPECT_TRUE(run_step("CREATE TABLE late (a BIGINT)"));
  EXPECT_THAT(left_beside(), IsEmpty());
  leave();
  EXPECT_TRUE(run_step("CREATE TABLE late (a BIGINT)")) << "it is there already";
  EXPECT_THAT(left_beside(), IsEmpty());
  leave();
  const auto reader = store_.open({.read_only = true});
  EXPECT_TRUE(
      migrate(*reader, std::array{tables, Migration{"a", 2, "CREATE TABLE late (a BIGINT)"}}, {}));
  EXPECT_EQ(left_beside().size(), 3U) << "who only reads removes nothing";
}

TEST_F(MigrateCopy, AFreshStoreAndOneThatLacksNothingAreNotCopied) {
  const MigrateOptions never{.free_bytes = [](const std::string&) -> Result<std::int64_t> {
    ADD_FAILURE() << "there is nothing to try";
    return 0;
  }};
  const FreshStore fresh;
  EXPECT_TRUE(migrate(*fresh.open(), std::array{tables}, {}, never));
  EXPECT_TRUE(migrate(*database_, std::array{tables}, {}, never));
}

TEST_F(MigrateCopy, NobodyWritesBetweenTheTryAndTheRun) {
  const auto done =
      run_step("CREATE TABLE late (a BIGINT)",
               {.free_bytes = [this](const std::string& folder) -> Result<std::int64_t> {
                 EXPECT_EQ(folder, path().parent_path().string());
                 const auto other = store_.open({.busy_timeout = std::chrono::milliseconds(1)});
                 EXPECT_EQ(Transaction::begin(*other).error().code, Code::unavailable);
                 return INT64_MAX;
               }});
  EXPECT_TRUE(done) << done.error().what;
}

TEST_F(MigrateCopy, NoStepIsRunOnADamagedStore) {
  ASSERT_TRUE(
      database_->execute("CREATE TABLE t (a TEXT); CREATE INDEX t_a ON t (a);"
                         "INSERT INTO t VALUES ('findme')"));
  database_.reset();
  std::string bytes = read_file(path());
  bytes.replace(bytes.rfind("findme"), 6, "lostme");
  write_file(path(), bytes);
  database_ = store_.open();
  const auto done = run_step("CREATE TABLE late (a BIGINT)");
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().what, StartsWith("no table step is run on a damaged store: row 1 "));
  expect_as_it_was();
}

TEST_F(MigrateCopy, ACopyIsPrivateWholeAndOfNoConsequence) {
  ASSERT_TRUE(database_->execute("CREATE TABLE of_another (a BIGINT)"));
  const auto open = Transaction::begin(*database_);
  ASSERT_TRUE(database_->execute("INSERT INTO part VALUES (5, 3)"));
  {
    const auto copy = database_->copy_beside({});
    ASSERT_TRUE(copy) << copy.error().what;
    const std::string file = path().string() + ".trial";
    EXPECT_THAT(left_beside(), testing::ElementsAre("store.trial")) << "without a log";
    EXPECT_EQ(std::filesystem::status(file).permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    Database& database = (*copy)->database();
    EXPECT_EQ(database.integer("SELECT COUNT(*) FROM part"), 4) << "what is committed";
    EXPECT_EQ(database.integer("PRAGMA foreign_keys"), 1);
    ASSERT_TRUE(database.execute("DELETE FROM part_group"));
  }
  EXPECT_THAT(left_beside(), IsEmpty());
  EXPECT_EQ(count("part"), 5);
}

}  // namespace
}  // namespace mailwarden::db
