#include "db/checkpointer.h"

#include <filesystem>

#include <gtest/gtest.h>

#include "db/sqlite.h"
#include "tests/temporary.h"

namespace mailwarden::db {
namespace {

class CheckpointerTest : public testing::Test {
 protected:
  std::unique_ptr<Database> open() {
    return open_sqlite(folder_.path("m.db"), {.checkpoints_beside = true}).value();
  }
  std::uintmax_t log_bytes() const { return std::filesystem::file_size(folder_.path("m.db-wal")); }

  // One row of about a page each.
  static void insert(Database& database, int rows) {
    const std::string text(15'000, 'x');
    auto transaction = Transaction::begin(database);
    ASSERT_TRUE(transaction);
    for (int i = 0; i < rows; ++i) {
      ASSERT_TRUE(database.run("INSERT INTO t VALUES ($1)", {std::string_view(text)}));
    }
    ASSERT_TRUE(transaction->commit());
  }

  TemporaryFolder folder_;
};

TEST_F(CheckpointerTest, TheLogStaysSmallHoweverMuchIsWritten) {
  const auto database = open();
  ASSERT_TRUE(database->execute("CREATE TABLE t (text TEXT)"));
  constexpr int rows_a_commit = 500;
  constexpr int commits = 40;
  constexpr std::uintmax_t page = 16384;
  for (int i = 0; i < commits; ++i) {
    insert(*database, rows_a_commit);
    ASSERT_LT(log_bytes(), (Checkpointer::pages_hard + 2 * rows_a_commit) * page);
  }
  // All of it would be far more.
  static_assert(rows_a_commit * commits > 2 * Checkpointer::pages_hard);
  EXPECT_EQ(database->integer("SELECT COUNT(*) FROM t").value(), rows_a_commit * commits);
}

TEST_F(CheckpointerTest, WhatWasCommittedIsThereWithoutTheWriter) {
  {
    const auto database = open();
    ASSERT_TRUE(database->execute("CREATE TABLE t (text TEXT)"));
    insert(*database, 3000);
  }
  EXPECT_FALSE(std::filesystem::exists(folder_.path("m.db-wal"))) << "the log was taken over";
  const auto again = open_sqlite(folder_.path("m.db"), {.read_only = true}).value();
  EXPECT_EQ(again->integer("SELECT COUNT(*) FROM t").value(), 3000);
  EXPECT_EQ(
      again->integer("SELECT COUNT(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'")
          .value(),
      1);
}

TEST_F(CheckpointerTest, AReaderKeepsItsStateAndTheWriterGoesOn) {
  const auto database = open();
  ASSERT_TRUE(database->execute("CREATE TABLE t (text TEXT)"));
  insert(*database, 1);
  const auto reader = open_sqlite(folder_.path("m.db"), {.read_only = true}).value();
  ASSERT_TRUE(reader->execute("BEGIN"));
  EXPECT_EQ(reader->integer("SELECT COUNT(*) FROM t").value(), 1);
  for (int i = 0; i < 20; ++i) insert(*database, 500);
  EXPECT_EQ(reader->integer("SELECT COUNT(*) FROM t").value(), 1);
  ASSERT_TRUE(reader->execute("COMMIT"));
  EXPECT_EQ(reader->integer("SELECT COUNT(*) FROM t").value(), 10'001);
}

TEST_F(CheckpointerTest, AStoreThatIsNotThereIsAnError) {
  EXPECT_FALSE(Checkpointer::start(folder_.path("none/m.db")));
}

}  // namespace
}  // namespace mailwarden::db
