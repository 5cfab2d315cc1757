// What somebody changes in the tables beside the ledger, and in the ledger itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "db/sqlite.h"
#include "tests/e2e/daemon.h"

namespace mailwarden {
namespace {

using testing::HasSubstr;

// A store with rows of every kind that a single run makes.
class TamperTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    daemon_ = std::make_unique<TestDaemon>();
    write_file(daemon_->path("systems.json"),
               R"([{"uid": {"type": "System", "id": "campaign-db"},
                    "attrs": {"personal_data": true, "purposes": []}, "parents": []}])");
    std::string log = ssh_log(600);
    log +=
        "2026-11-24T03:00:00Z campaign-db-1 sshd[1]: Accepted publickey for ada from 203.0.113.5 "
        "port 40000 ssh2: ED25519 SHA256:abc\n";
    for (int i = 0; i < 9; ++i) {
      log += "2026-11-24T04:00:0" + std::to_string(i) +
             "Z mail1 sshd[1]: Failed password for root from 203.0.113.9 port 1 ssh2\n";
    }
    log +=
        "2026-11-24T04:00:10Z mail1 sshd[1]: Accepted password for root from 203.0.113.9 port 1 "
        "ssh2\n";
    write_file(daemon_->path("auth.log"), log);
    ASSERT_EQ(daemon_->once("file:" + daemon_->path("auth.log") + ",name=auth",
                            {"--entities", daemon_->path("systems.json")}),
              0)
        << daemon_->output();
  }
  static void TearDownTestSuite() { daemon_.reset(); }

  // What `ledger verify` says of a copy of the store in which the statement was run.
  Ran verified(const std::string& sql) const {
    const std::string copy = folder_.path("m.db");
    for (const char* ending : {"", "-wal", "-shm"}) {
      std::filesystem::remove(copy + ending);
      if (!std::filesystem::exists(daemon_->path("m.db") + ending)) continue;
      std::filesystem::copy(daemon_->path("m.db") + ending, copy + ending);
    }
    {
      const auto store = db::open_sqlite(copy).value();
      const auto changed = store->run(sql, {});
      EXPECT_TRUE(changed) << sql << ": " << changed.error().what;
    }
    return run({"mailwarden", "ledger", "verify", "--store", "sqlite:" + copy, "--key",
                daemon_->path("key.pub")});
  }

  const TemporaryFolder folder_;
  inline static std::unique_ptr<TestDaemon> daemon_;
};

TEST_F(TamperTest, AnUntouchedCopyIsGood) {
  const Ran ran = verified("SELECT 1");
  EXPECT_EQ(ran.code, 0) << ran.output;
  for (const char* table :
       {"decision", "detection", "incident_change", "playbook_move", "event", "event_batch"}) {
    EXPECT_FALSE(daemon_->rows("SELECT count(*) FROM " + std::string(table)).contains("0|"))
        << table << " is empty, so that nothing of it is tested";
  }
}

TEST_F(TamperTest, EachChangeIsFoundAndNamed) {
  struct Case {
    const char* sql;
    const char* told;
  };
  const Case cases[] = {
      {"UPDATE decision SET body = replace(body, '\"deny\"', '\"allow\"')", "says otherwise of"},
      {"UPDATE decision SET allowed = 1", "is found under another 'decision'"},
      {"UPDATE decision SET principal = 'User::\"eve\"'", "is found under another 'principal'"},
      {"UPDATE decision SET time = time + 1000000", "is found under another 'when'"},
      {"DELETE FROM decision", "its row in decision is gone"},
      {"INSERT INTO decision SELECT entry - 1, 'x', time, principal, action, resource, allowed, "
       "why,"
       " body FROM decision",
       "decision: it has a row of entry"},
      {"UPDATE detection SET body = json_remove(body, '$.title') WHERE number = 1",
       "does not say all that it should"},
      {"UPDATE detection SET entity_name = 'eve' WHERE number = 1",
       "is found under another 'name'"},
      {"UPDATE detection SET incident = 99 WHERE number = 1", "is found under another 'incident'"},
      {"UPDATE detection SET position = position + 1 WHERE number = 1",
       "is found under another 'event'"},
      {"DELETE FROM detection WHERE number = 1", "its row in detection is gone"},
      {"UPDATE incident_change SET body = '{}' WHERE sequence = 1",
       "does not say all that it should"},
      {"UPDATE incident_change SET incident = 77 WHERE entry ="
       " (SELECT MIN(entry) FROM incident_change)",
       "is found under another 'incident'"},
      {"DELETE FROM incident_change WHERE sequence = 1", "its row in incident_change is gone"},
      {"UPDATE playbook_move SET run = 99", "is found under another 'run'"},
      {"UPDATE event SET record = replace(record, 'root', 'toor') WHERE number ="
       " (SELECT MAX(number) FROM event)",
       "its events are not those that it commits to"},
      {"UPDATE event SET time = time + 1 WHERE number = 5", "its row does not fit its record"},
      {"DELETE FROM event WHERE number = 5", "events"},
      {"DELETE FROM event_batch WHERE entry = (SELECT MIN(entry) FROM event_batch)",
       "its batch of events is missing"},
      {"UPDATE ledger_entry SET record = replace(record, 'mailwarden', 'somebody')"
       " WHERE kind = 'incident'",
       "its record or salt is not what its leaf commits to"},
      {"UPDATE ledger_entry SET commitment = zeroblob(32) WHERE number = 1", "entry 1"},
      {"DELETE FROM ledger_entry WHERE number = 2", "entry 2: it is missing"}};
  for (const Case& one : cases) {
    const Ran ran = verified(one.sql);
    EXPECT_EQ(ran.code, 1) << one.sql << "\n" << ran.output;
    EXPECT_THAT(ran.output, HasSubstr(one.told)) << one.sql;
  }
}

}  // namespace
}  // namespace mailwarden
