#include "store/copy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/db/store.h"

namespace mailwarden::store {
namespace {

constexpr std::array steps{db::Migration{"a", 1, R"sql(
CREATE TABLE person (name TEXT NOT NULL, part BIGINT NOT NULL, weight DOUBLE,
  PRIMARY KEY (name, part));
CREATE TABLE thing (number INTEGER PRIMARY KEY, hash BLOB, note TEXT)
)sql"}};

// SQLite, and the database of this run, which may be PostgreSQL.
class CopyTest : public testing::Test {
 protected:
  CopyTest() {
    for (db::Database* database : {from_.get(), to_.get()}) {
      EXPECT_TRUE(db::migrate(*database, steps, {}));
    }
    const std::array<std::byte, 3> bytes{std::byte{0}, std::byte{255}, std::byte{92}};
    for (std::int64_t i = 0; i < 5000; ++i) {
      EXPECT_TRUE(from_->run("INSERT INTO thing (number, hash, note) VALUES ($1, $2, $3)",
                             {i - 10, i % 3 == 0 ? db::null() : db::Value(db::Blob(bytes)),
                              i % 5 == 0 ? db::null() : db::Value("t\tx\\N\n\r'\"")}));
    }
    const std::string hostile("\\.\n\0\xFF\xF4\x8F\xBC\x80", 9);
    for (const std::string_view name :
         {std::string_view(hostile), std::string_view("M\xC3\xBCller"), std::string_view("\\N"),
          std::string_view()}) {
      EXPECT_TRUE(from_->run("INSERT INTO person (name, part, weight) VALUES ($1, $2, $3)",
                             {name, INT64_MIN, 0.1}));
    }
    EXPECT_TRUE(from_->run("INSERT INTO person (name, part, weight) VALUES ($1, $2, $3)",
                           {std::string_view("z"), INT64_MAX, -1e-300}));
  }

  std::unique_ptr<db::Database> from_ = db::open_url("sqlite::memory:").value();
  std::unique_ptr<db::Database> to_ = fresh_store();
};

TEST_F(CopyTest, EveryValueComesThroughAndBack) {
  const auto copied = copy(*from_, *to_);
  ASSERT_TRUE(copied) << copied.error().what;
  ASSERT_EQ(copied->size(), 3U);
  EXPECT_EQ(copied->at(0).rows, 5);
  EXPECT_EQ(copied->at(1).rows, 1) << "by which the tables were made";
  EXPECT_EQ(copied->at(2).rows, 5000);
  EXPECT_EQ(sum(*to_).value(), *copied);
  const auto back = db::open_url("sqlite::memory:").value();
  ASSERT_TRUE(db::migrate(*back, steps, {}));
  EXPECT_EQ(copy(*to_, *back).value(), *copied);
  EXPECT_EQ(sum(*from_).value(), sum(*back).value());
}

TEST_F(CopyTest, EachChangeShowsInTheSum) {
  ASSERT_TRUE(copy(*from_, *to_));
  const auto before = sum(*to_).value();
  for (const std::string change :
       {"UPDATE thing SET note = '' WHERE number = 0",
        "UPDATE thing SET note = 'x' WHERE number = 0",
        "UPDATE thing SET hash = NULL WHERE number = 1",
        "UPDATE person SET weight = 0.2 WHERE name = 'z'", "DELETE FROM thing WHERE number = 7",
        "INSERT INTO thing (number, hash, note) VALUES (9999, NULL, NULL)",
        "UPDATE thing SET number = 10000 WHERE number = 7"}) {
    auto transaction = db::Transaction::begin(*to_);
    ASSERT_TRUE(to_->execute(change));
    EXPECT_NE(sum(*to_).value(), before) << change;
  }
  EXPECT_EQ(sum(*to_).value(), before);
}

TEST_F(CopyTest, ATargetWithRowsIsLeftAsItIs) {
  ASSERT_TRUE(to_->execute("INSERT INTO thing (number, hash, note) VALUES (1, NULL, 'mine')"));
  EXPECT_EQ(copy(*from_, *to_).error().what, "the target is not empty: thing has 1 rows");
  EXPECT_EQ(to_->integer("SELECT COUNT(*) FROM person").value(), 0);
}

TEST_F(CopyTest, ATargetWithOtherTablesIsRefused) {
  ASSERT_TRUE(to_->execute("ALTER TABLE person ADD COLUMN more TEXT"));
  EXPECT_EQ(copy(*from_, *to_).error().code, Code::invalid);
}

TEST_F(CopyTest, WhatIsWrittenMeanwhileIsNotInTheCopy) {
  const FreshStore live;
  const auto writer = live.open();
  ASSERT_TRUE(db::migrate(*writer, steps, {}));
  auto transaction = db::Transaction::begin(*writer);
  for (int i = 0; i < 20'000; ++i) {
    ASSERT_TRUE(writer->run("INSERT INTO thing (number, hash, note) VALUES ($1, NULL, NULL)",
                            {std::int64_t{i}}));
  }
  ASSERT_TRUE(transaction->commit());
  const auto reader = live.open({.read_only = true});
  // The first news of progress come in the middle of the second table, behind the first.
  bool written = false;
  const auto copied = copy(*reader, *to_, [&](std::int64_t) {
    if (std::exchange(written, true)) return;
    EXPECT_TRUE(writer->execute("DELETE FROM thing; INSERT INTO person VALUES ('late', 1, 0)"));
  });
  ASSERT_TRUE(copied) << copied.error().what;
  EXPECT_TRUE(written);
  EXPECT_EQ(to_->integer("SELECT COUNT(*) FROM thing").value(), 20'000);
  EXPECT_EQ(to_->integer("SELECT COUNT(*) FROM person").value(), 0);
}

}  // namespace
}  // namespace mailwarden::store
