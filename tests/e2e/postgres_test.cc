// The daemon on PostgreSQL: the same as on SQLite, under a server that dies, under roles.
#include "tests/db/postgres.h"

#include <gtest/gtest.h>

#include "db/open.h"
#include "tests/e2e/running.h"

namespace mailwarden {
namespace {

class OnPostgres : public testing::Test {
 protected:
  void SetUp() override {
    if (!is_on_postgres()) GTEST_SKIP() << "runs in the suite on PostgreSQL";
  }
};

std::string source_in(const std::string& folder) {
  return "file:" + folder + "/auth.log,name=auth,year=2026";
}

TEST_F(OnPostgres, TheSameLogsLeadToTheSame) {
  TemporaryFolder logs;
  // With bytes in it that PostgreSQL keeps in no text.
  write_file(
      logs.path("auth.log"),
      ssh_log(3000) + std::string("Nov 24 01:00:00 mail1 sshd[7]: Failed password for a\0b\xFF"
                                  " from 203.0.113.9 port 9 ssh2\n",
                                  79));
  TestDaemon on_sqlite("");
  TestDaemon on_postgres;
  ASSERT_EQ(on_sqlite.once(source_in(logs.path())), 0) << on_sqlite.output();
  ASSERT_EQ(on_postgres.once(source_in(logs.path())), 0) << on_postgres.output();
  const auto expected = on_sqlite.decisions();
  EXPECT_GT(expected.at("incident").size(), 5U);
  EXPECT_EQ(on_postgres.decisions(), expected);
  const Ran verified = on_postgres.verify();
  EXPECT_EQ(verified.code, 0) << verified.output;
  EXPECT_EQ(mailwarden({"incidents", "--store", on_postgres.store()}).code, 0);
}

TEST_F(OnPostgres, AStoreMovesThereAndTheDaemonGoesOn) {
  TestDaemon before("");
  write_file(before.path("auth.log"), ssh_log(500));
  ASSERT_EQ(before.once(source_in(before.path(""))), 0) << before.output();
  const std::string url = fresh_schema(postgres_url());
  const Ran moved = mailwarden({"store", "copy", "--store", before.store(), "--to", url});
  ASSERT_EQ(moved.code, 0) << moved.output;
  EXPECT_EQ(mailwarden({"store", "check", "--store", before.store()}).output, moved.output);
  EXPECT_EQ(mailwarden({"store", "copy", "--store", before.store(), "--to", url}).code, 1)
      << "it is not empty any more";
  append_file(before.path("auth.log"), ssh_log(300));
  std::vector<std::string> more =
      before.arguments({"--store", url, "--once", "--source", source_in(before.path(""))});
  more.erase(more.begin() + 1, more.begin() + 3);  // the store from before
  Process process(more, before.path("output"));
  ASSERT_EQ(process.wait(), 0) << before.output();
  const Ran verified =
      mailwarden({"ledger", "verify", "--store", url, "--key", before.path("key.pub")});
  EXPECT_EQ(verified.code, 0) << verified.output;
  EXPECT_EQ(db::open_url(url).value()->integer("SELECT COUNT(*) FROM event").value(), 800);
}

// The server is killed again and again while lines come in. The daemon waits for it, and in the end
// each line is an event once, and what it had signed still holds.
TEST_F(OnPostgres, AServerThatDiesUnderTheDaemonCostsNothing) {
  PostgresServer server;
  RunningDaemon daemon(fresh_schema(server.url()));
  write_file(daemon.path("auth.log"), ssh_log(200));
  daemon.start({"--source", source_in(daemon.path(""))});
  daemon.wait_for_events(200);
  std::int64_t lines = 200;
  std::string checkpoint;
  for (int kill = 0; kill < 3; ++kill) {
    // Written in pieces, so that the kill falls between commits or into one.
    for (int piece = 0; piece < 40; ++piece, lines += 100) {
      append_file(daemon.path("auth.log"), ssh_log(100));
      if (piece == 20) server.kill();
    }
    daemon.wait_until([&] { return daemon.ask("/readyz").status != 200; });
    server.start();
    daemon.wait_for_events(lines);
  }
  daemon.wait_until([&] {
    checkpoint = daemon.ask("/checkpoint").body;
    return checkpoint.contains('\n');
  });
  ASSERT_EQ(daemon.stop(), 0) << daemon.output();
  const auto store = db::open_url(daemon.store()).value();
  EXPECT_EQ(store->integer("SELECT COUNT(*) FROM event").value(), lines);
  EXPECT_EQ(store->integer("SELECT COUNT(DISTINCT position) FROM event").value(), lines);
  write_file(daemon.path("checkpoint"), checkpoint);
  const Ran verified = daemon.verify({"--from", daemon.path("checkpoint")});
  EXPECT_EQ(verified.code, 0) << verified.output;
}

TEST_F(OnPostgres, TheDaemonRunsAsAWriterThatCannotRewriteTheLedger) {
  const std::string url = fresh_schema(postgres_url());
  const std::string writer = "writer_" + std::to_string(::getpid());
  const auto owner = db::open_url(url).value();
  ASSERT_TRUE(owner->execute("CREATE ROLE " + writer + " LOGIN"));
  ASSERT_EQ(mailwarden({"store", "migrate", "--store", url}).code, 0);
  const Ran granted =
      mailwarden({"store", "grant", "--store", url, "--writer", writer, "--reader", writer});
  ASSERT_EQ(granted.code, 0) << granted.output;
  std::string as_writer = url;
  as_writer.replace(as_writer.find("mailwarden@"), 11, writer + "@");
  TestDaemon daemon(as_writer);
  write_file(daemon.path("auth.log"), ssh_log(500));
  EXPECT_EQ(daemon.once(source_in(daemon.path(""))), 0) << daemon.output();
  const auto store = db::open_url(as_writer).value();
  EXPECT_EQ(store->execute("UPDATE ledger_entry SET record = '{}' WHERE number = 3").error().code,
            Code::denied);
  EXPECT_EQ(store->execute("DELETE FROM ledger_checkpoint").error().code, Code::denied);
  EXPECT_EQ(daemon.verify().code, 0);
  ASSERT_TRUE(owner->execute("DROP OWNED BY " + writer + "; DROP ROLE " + writer));
}

}  // namespace
}  // namespace mailwarden
