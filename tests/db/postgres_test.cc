// What PostgreSQL does otherwise than SQLite, and what must be the same.
#include "db/postgres.h"

#include <fstream>
#include <random>

#include <gtest/gtest.h>
#include <signal.h>

#include "db/postgres_text.h"
#include "tests/db/postgres.h"
#include "tests/db/store.h"

namespace mailwarden::db {
namespace {

TEST(PostgresText, AnyBytesComeBack) {
  std::mt19937 random(7);
  const std::string plain = "M\xC3\xBCller \xF0\x9F\x94\x91";
  EXPECT_FALSE(needs_escape(plain));
  EXPECT_EQ(escape(plain), plain);
  for (int trial = 0; trial < 2000; ++trial) {
    std::string bytes(random() % 12, ' ');
    // Half of them out of the bytes that the private area is made of.
    constexpr std::string_view hard("\0\xF4\x8F\xBC\xBF\x80\xFF\xC3", 8);
    for (char& c : bytes) {
      c = random() % 2 == 0 ? hard[random() % hard.size()] : static_cast<char>(random());
    }
    const std::string escaped = escape(bytes);
    EXPECT_EQ(unescape(escaped), bytes);
    EXPECT_EQ(escaped.find('\0'), escaped.npos);
    EXPECT_EQ(needs_escape(bytes), escaped != bytes) << trial;
  }
}

TEST(PostgresText, TypesAreThoseOfPostgres) {
  EXPECT_EQ(
      postgres_types("CREATE TABLE t (n INTEGER PRIMARY KEY, d DOUBLE, s TEXT, INTEGER_ BLOB)"),
      "CREATE TABLE t (n BIGINT PRIMARY KEY, d DOUBLE PRECISION, s TEXT COLLATE \"C\","
      " INTEGER_ BYTEA)");
}

class PostgresTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!is_on_postgres()) GTEST_SKIP() << "runs in the suite on PostgreSQL";
    store_.emplace();
  }
  std::unique_ptr<Database> open(const OpenOptions& options = {}) const {
    return store_->open(options);
  }

  std::optional<FreshStore> store_;
};

TEST_F(PostgresTest, TextOfAnyBytesIsFoundAgain) {
  const auto database = open();
  ASSERT_TRUE(database->execute("CREATE TABLE t (s TEXT)"));
  const std::string hostile("a\0b\xFF\xF4\x8F\xBC\x80", 8);
  ASSERT_TRUE(database->run("INSERT INTO t VALUES ($1)", {std::string_view(hostile)}));
  const auto row = database->query("SELECT s FROM t WHERE s = $1", {std::string_view(hostile)});
  ASSERT_TRUE((*row)->step().value());
  EXPECT_EQ((*row)->text(0), hostile);
}

TEST_F(PostgresTest, AScanGoesOnBeyondAPortionAndOthersBesideIt) {
  const auto database = open();
  ASSERT_TRUE(database->execute("CREATE TABLE t (i BIGINT)"));
  std::int64_t next = 0;
  constexpr std::int64_t rows = 2 * portion_rows;
  ASSERT_TRUE(database->insert_rows("t", std::array<std::string_view, 1>{"i"},
                                    [&next](std::span<Value> row) {
                                      row[0] = next++;
                                      return next <= rows;
                                    }));
  EXPECT_EQ(database->changes(), rows);
  const auto up = database->scan("SELECT i FROM t ORDER BY i").value();
  const auto down = database->scan("SELECT i FROM t WHERE i < $1 ORDER BY i DESC", {rows}).value();
  for (std::int64_t i = 0; i < rows; ++i) {
    ASSERT_TRUE(up->step().value());
    ASSERT_TRUE(down->step().value());
    ASSERT_EQ(up->integer(0), i);
    ASSERT_EQ(down->integer(0), rows - 1 - i);
  }
  EXPECT_FALSE(up->step().value());
  EXPECT_FALSE(down->step().value());
  EXPECT_TRUE(Transaction::begin(*database)) << "no scan is open any more";
}

TEST_F(PostgresTest, ScansOutsideATransactionSeeOneState) {
  const auto database = open();
  ASSERT_TRUE(database->execute("CREATE TABLE t (i BIGINT); INSERT INTO t VALUES (1)"));
  const auto first = database->scan("SELECT i FROM t").value();
  ASSERT_TRUE(first->step().value());
  ASSERT_TRUE(open()->execute("INSERT INTO t VALUES (2)"));
  EXPECT_EQ(database->integer("SELECT COUNT(*) FROM t").value(), 1);
  EXPECT_FALSE(first->step().value());
  EXPECT_EQ(database->integer("SELECT COUNT(*) FROM t").value(), 2);
}

TEST_F(PostgresTest, AScanWhoseTransactionEndedDoesNotPassForWhole) {
  const auto database = open();
  ASSERT_TRUE(database->execute("CREATE TABLE t AS SELECT generate_series(1, 5000)::bigint AS i"));
  auto transaction = Transaction::begin(*database);
  const auto rows = database->scan("SELECT i FROM t").value();
  ASSERT_TRUE(rows->step().value());
  ASSERT_TRUE(transaction->commit());
  EXPECT_EQ(rows->step().error().code, Code::unavailable);
}

TEST_F(PostgresTest, AFailedStatementSpoilsItsTransaction) {
  const auto database = open();
  ASSERT_TRUE(database->execute("CREATE TABLE t (i BIGINT PRIMARY KEY)"));
  {
    auto transaction = Transaction::begin(*database);
    ASSERT_TRUE(database->run("INSERT INTO t VALUES ($1)", {std::int64_t{1}}));
    EXPECT_EQ(database->run("INSERT INTO t VALUES ($1)", {std::int64_t{1}}).error().code,
              Code::conflict);
    EXPECT_EQ(transaction->commit().error().code, Code::invalid);
  }
  EXPECT_EQ(database->integer("SELECT COUNT(*) FROM t").value(), 0);
}

TEST_F(PostgresTest, FailuresCarryTheirKind) {
  const auto database = open();
  ASSERT_TRUE(database->execute("CREATE TABLE t (i BIGINT)"));
  EXPECT_EQ(database->execute("NOT SQL").error().code, Code::invalid);
  EXPECT_EQ(database->query("SELECT i FROM nowhere").value()->step().error().what,
            "database: relation \"nowhere\" does not exist");
  EXPECT_EQ(open({.read_only = true})->execute("INSERT INTO t VALUES (1)").error().code,
            Code::denied);
  const auto held = Transaction::begin(*database);
  ASSERT_TRUE(database->execute("LOCK TABLE t"));
  EXPECT_EQ(open({.busy_timeout = std::chrono::milliseconds(50)})
                ->integer("SELECT COUNT(*) FROM t")
                .error()
                .code,
            Code::unavailable);
  const auto slow = open({.statement_timeout = std::chrono::milliseconds(200)});
  EXPECT_EQ(slow->integer("SELECT 1 FROM pg_sleep(60)").error().code, Code::unavailable);
  EXPECT_EQ(open_url("postgresql://mailwarden@/none?host=/nowhere").error().code,
            Code::unavailable);
}

TEST_F(PostgresTest, OnlyOneSoleWriterAtATime) {
  auto first = open({.sole_writer = true});
  const OpenOptions options{.sole_writer = true, .busy_timeout = std::chrono::milliseconds(5)};
  EXPECT_EQ(open_url(store_->url(), options).error().what,
            "database: another daemon writes this store");
  EXPECT_TRUE(open_url(FreshStore().url(), options)) << "of another store";
  first.reset();
  EXPECT_TRUE(open_url(store_->url(), options));
}

constexpr std::array table_steps{Migration{"a", 1, "CREATE TABLE t (i BIGINT PRIMARY KEY)"}};

// The connection is ended by another one between two statements.
void end_connection(Database& of, Database& by) {
  const std::int64_t process = of.integer("SELECT pg_backend_pid()").value();
  ASSERT_EQ(by.integer("SELECT pg_terminate_backend($1::int, 10000)", {process}).value(), 1);
}

TEST_F(PostgresTest, ALostConnectionIsMadeAnewOutsideATransactionOnly) {
  const auto database = open({.sole_writer = true});
  const auto other = open();
  ASSERT_TRUE(migrate(*database, table_steps, {}));
  end_connection(*database, *other);
  EXPECT_EQ(database->integer("SELECT COUNT(*) FROM t").value(), 0);
  end_connection(*database, *other);
  EXPECT_TRUE(Transaction::begin(*database)->commit());
  {
    auto transaction = Transaction::begin(*database);
    ASSERT_TRUE(database->run("INSERT INTO t VALUES ($1)", {std::int64_t{1}}));
    end_connection(*database, *other);
    EXPECT_EQ(database->run("INSERT INTO t VALUES ($1)", {std::int64_t{2}}).error().code,
              Code::unavailable);
    EXPECT_EQ(transaction->commit().error().code, Code::unavailable);
  }
  EXPECT_EQ(database->integer("SELECT COUNT(*) FROM t").value(), 0) << "half of a transaction";
  EXPECT_TRUE(Transaction::begin(*database)) << "nothing was in doubt";
}

TEST_F(PostgresTest, AStoreOfARoleThatMayNotMakeTablesIsUsed) {
  const auto owner = open();
  ASSERT_TRUE(migrate(*owner, table_steps, {}));
  EXPECT_TRUE(migrate(*open({.read_only = true}), table_steps, {}));
}

TEST_F(PostgresTest, ACommitWhoseAnswerIsLostIsFoundAndNotRepeated) {
  PostgresProxy proxy(postgres_url().substr(postgres_url().find("host=") + 5));
  const auto watcher = open();
  const std::string url = proxy.url() + store_->url().substr(store_->url().find("&options="));
  const auto database = open_url(url, {.sole_writer = true}).value();
  ASSERT_TRUE(migrate(*database, table_steps, {}));
  for (const auto where : {PostgresProxy::Cut::before_commit, PostgresProxy::Cut::behind_commit}) {
    const bool held = where == PostgresProxy::Cut::behind_commit;
    const std::int64_t row = held ? 2 : 1;
    auto transaction = Transaction::begin(*database);
    ASSERT_TRUE(transaction) << transaction.error().what;
    ASSERT_TRUE(database->run("INSERT INTO t VALUES ($1)", {row}));
    proxy.cut(where);
    // Reached again at once, the store tells by itself whether it held.
    const auto done = transaction->commit();
    EXPECT_EQ(done.has_value(), held) << done.error().what;
    EXPECT_EQ(watcher->integer("SELECT COUNT(*) FROM t").value(), held ? 1 : 0);
  }
}

// A server of its own, killed while rows are committed one by one. What was acknowledged is there,
// and nothing is there twice, also where a commit's answer was lost.
TEST_F(PostgresTest, AKilledServerLosesNothingThatItAcknowledged) {
  PostgresServer server;
  const auto database = open_url(fresh_schema(server.url()), {.sole_writer = true}).value();
  ASSERT_TRUE(migrate(*database, table_steps, {}));
  std::mt19937 random(11);
  std::atomic<std::int64_t> acknowledged = 0;
  int in_doubt = 0;
  for (int kill = 0; kill < 5; ++kill) {
    const std::int64_t until = acknowledged + 20 + static_cast<std::int64_t>(random() % 100);
    std::jthread killer([&] {
      while (acknowledged < until) std::this_thread::yield();
      server.kill();
      server.start();
    });
    while (acknowledged < until + 20) {
      const std::int64_t row = acknowledged + 1;
      auto transaction = Transaction::begin(*database);
      const bool found = !transaction && transaction.error().code == Code::conflict;
      in_doubt += found ? 1 : 0;
      const bool done =
          found || (transaction && database->run("INSERT INTO t VALUES ($1)", {row}).has_value() &&
                    transaction->commit().has_value());
      if (done) acknowledged = row;
    }
    killer.join();
    ASSERT_EQ(database->integer("SELECT COUNT(*) FROM t").value(), acknowledged);
    ASSERT_EQ(database->integer("SELECT MAX(i) FROM t").value(), acknowledged);
  }
  RecordProperty("in_doubt", in_doubt);
}

TEST_F(PostgresTest, AServerThatMayLoseWhatItCommittedIsNotWrittenTo) {
  PostgresServer server;
  const auto before = open_url(server.url()).value();
  // Not within a transaction, which execute() of both would be.
  ASSERT_TRUE(before->execute("ALTER SYSTEM SET fsync = off"));
  ASSERT_TRUE(before->execute("SELECT pg_reload_conf()"));
  while (before
             ->integer("SELECT COUNT(*) FROM pg_settings WHERE name = 'fsync'"
                       " AND setting = 'on'")
             .value() == 1) {
    std::this_thread::yield();
  }
  EXPECT_EQ(open_url(server.url()).error().what,
            "database: the server runs with fsync = off, so that what is committed can be lost");
  EXPECT_TRUE(open_url(server.url(), {.read_only = true}));
}

}  // namespace
}  // namespace mailwarden::db
