#include "db/roles.h"

#include <gtest/gtest.h>

#include "tests/db/store.h"

namespace mailwarden::db {
namespace {

constexpr std::array append_only_steps{Migration{"a", 1, R"sql(
CREATE TABLE entry (number BIGINT PRIMARY KEY, record TEXT, salt TEXT, leaf TEXT NOT NULL);
CREATE TABLE note (number BIGINT PRIMARY KEY, text TEXT NOT NULL);
CREATE TABLE field (number BIGINT PRIMARY KEY, body TEXT, log TEXT NOT NULL);
CREATE TABLE node (number BIGINT PRIMARY KEY, hash TEXT NOT NULL);
CREATE TABLE state (number BIGINT PRIMARY KEY, text TEXT NOT NULL)
)sql"}};

const std::vector<AppendOnly> append_only{
    {.table = "entry", .erasable = {"record", "salt"}, .growing = "", .sealed = "record"},
    {.table = "note", .erasable = {}, .growing = "text", .sealed = ""},
    {.table = "field", .erasable = {}, .growing = "log", .sealed = "body"},
    {.table = "node", .erasable = {}, .growing = "", .sealed = ""}};

TEST(Sqlite, HasNoRoles) {
  const auto database = open_url("sqlite::memory:").value();
  EXPECT_EQ(grant(*database, {"a", "b"}, {}).error().code, Code::invalid);
}

class PostgresRolesTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!is_on_postgres()) GTEST_SKIP() << "runs in the suite on PostgreSQL";
    store_.emplace();
    owner_ = store_->open();
    ASSERT_TRUE(migrate(*owner_, append_only_steps, {}));
    for (const std::string role : {"writer", "reader"}) {
      roles_.push_back("test_" + std::to_string(::getpid()) + "_" + role);
      ASSERT_TRUE(owner_->execute("DROP ROLE IF EXISTS " + roles_.back() + "; CREATE ROLE " +
                                  roles_.back() + " LOGIN"));
    }
    const auto granted = grant(*owner_, {roles_[0], roles_[1]}, append_only);
    ASSERT_TRUE(granted) << granted.error().what;
    ASSERT_TRUE(grant(*owner_, {roles_[0], roles_[1]}, append_only)) << "a second time";
    ASSERT_TRUE(
        owner_->execute("INSERT INTO entry VALUES (1, 'r', 's', 'l');"
                        "INSERT INTO note VALUES (1, 'a');"
                        "INSERT INTO node VALUES (1, 'h');"
                        "INSERT INTO state VALUES (1, 'x')"));
  }
  void TearDown() override {
    if (!owner_) return;
    for (const std::string& role : roles_) {
      EXPECT_TRUE(owner_->execute("DROP OWNED BY " + role + "; DROP ROLE " + role));
    }
  }
  std::unique_ptr<Database> open_as(const std::string& role, const OpenOptions& options = {}) {
    std::string url = store_->url();
    return open_url(url.replace(url.find("mailwarden@"), 11, role + "@"), options).value();
  }

  std::optional<FreshStore> store_;
  std::unique_ptr<Database> owner_;
  std::vector<std::string> roles_;
};

TEST_F(PostgresRolesTest, TheWriterAddsToTheLedgerAndChangesNothingInIt) {
  const auto writer = open_as(roles_[0], {.sole_writer = true});
  EXPECT_TRUE(migrate(*writer, append_only_steps, {})) << "it has all steps already";
  for (const std::string allowed :
       {"INSERT INTO entry VALUES (2, 'r', 's', 'l')",
        "UPDATE entry SET record = NULL, salt = NULL WHERE number = 1",
        "UPDATE note SET text = 'ab' WHERE number = 1", "INSERT INTO node VALUES (2, 'h')",
        "UPDATE state SET text = 'y'", "DELETE FROM state"}) {
    const auto done = writer->execute(allowed);
    EXPECT_TRUE(done) << allowed << ": " << done.error().what;
  }
  for (const std::string refused :
       {"DELETE FROM entry", "UPDATE entry SET leaf = 'm'", "UPDATE entry SET number = 7",
        "UPDATE entry SET record = 'other' WHERE number = 2",
        "UPDATE entry SET record = NULL WHERE number = 2",
        "UPDATE entry SET salt = NULL WHERE number = 2", "UPDATE note SET text = 'b'",
        "UPDATE note SET number = 2", "DELETE FROM note", "UPDATE node SET hash = 'x'",
        "DELETE FROM node", "TRUNCATE state", "DROP TABLE state", "CREATE TABLE mine (i BIGINT)",
        "DROP TRIGGER entry_guard ON entry", "DELETE FROM schema_migration",
        "CREATE OR REPLACE FUNCTION entry_guard() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN RETURN NEW; END'"}) {
    const auto done = writer->execute(refused);
    const Error error = done ? Error() : done.error();
    EXPECT_EQ(error.code, Code::denied) << refused << ": " << error.what;
  }
  auto transaction = Transaction::begin(*writer);
  ASSERT_TRUE(writer->execute("INSERT INTO state VALUES (3, 'z')"));
  EXPECT_TRUE(transaction->commit()) << "its mark is left too";
}

TEST_F(PostgresRolesTest, TheWriterSealsAnewWhatIsSealed) {
  ASSERT_TRUE(
      owner_->execute("INSERT INTO entry VALUES (10, 'sealed:1:a', 's', 'l'), (11, 'plain', 's',"
                      " 'l'), (12, NULL, NULL, 'l'), (13, 'sealed:1:a', 's', 'l');"
                      "INSERT INTO field VALUES (1, 'sealed:1:a', 'x'), (2, NULL, 'x')"));
  const auto writer = open_as(roles_[0]);
  for (const std::string refused :
       {"UPDATE entry SET record = 'plain' WHERE number = 10",
        "UPDATE entry SET record = 'a sealed:1:b' WHERE number = 10",
        "UPDATE entry SET record = NULL WHERE number = 10",
        "UPDATE entry SET record = 'sealed:1:b', salt = NULL WHERE number = 10",
        "UPDATE entry SET record = 'sealed:1:b', salt = 't' WHERE number = 10",
        "UPDATE entry SET record = 'sealed:1:b', leaf = 'm' WHERE number = 10",
        "UPDATE entry SET record = 'sealed:1:b', number = 20 WHERE number = 10",
        "UPDATE entry SET record = 'other' WHERE number = 11",
        "UPDATE entry SET record = 'sealed:1:b' WHERE number = 11",
        "UPDATE entry SET record = 'sealed:1:b' WHERE number = 12",
        "UPDATE entry SET record = 'sealed:1:b', salt = 's' WHERE number = 12",
        "UPDATE field SET body = 'plain' WHERE number = 1",
        "UPDATE field SET body = NULL WHERE number = 1",
        "UPDATE field SET body = 'sealed:1:b', log = 'y' WHERE number = 1",
        "UPDATE field SET body = 'sealed:1:b' WHERE number = 2"}) {
    const auto done = writer->execute(refused);
    const Error error = done ? Error() : done.error();
    EXPECT_EQ(error.code, Code::denied) << refused << ": " << error.what;
  }
  for (const std::string allowed : {"UPDATE entry SET record = 'sealed:1:b' WHERE number = 10",
                                    "UPDATE entry SET record = NULL, salt = NULL WHERE number = 10",
                                    "UPDATE entry SET record = NULL, salt = NULL WHERE number = 11",
                                    "UPDATE entry SET record = 'sealed:2:c' WHERE number = 13",
                                    "UPDATE field SET body = 'sealed:1:b' WHERE number = 1",
                                    "UPDATE field SET log = 'xy' WHERE number IN (1, 2)"}) {
    const auto done = writer->run(allowed, {});
    EXPECT_TRUE(done) << allowed << ": " << done.error().what;
    EXPECT_GT(writer->changes(), 0) << allowed;
  }
}

TEST_F(PostgresRolesTest, TheReaderReads) {
  const auto reader = open_as(roles_[1], {.read_only = true});
  EXPECT_EQ(reader->integer("SELECT COUNT(*) FROM entry").value(), 1);
  const auto writes = open_as(roles_[1]);
  for (const std::string table : {"entry", "note", "field", "node", "state", "schema_migration"}) {
    EXPECT_EQ(writes->execute("DELETE FROM " + table).error().code, Code::denied) << table;
  }
}

}  // namespace
}  // namespace mailwarden::db
