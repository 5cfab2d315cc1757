// What a daemon says of the files of its store when it starts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "db/sqlite.h"
#include "tests/e2e/running.h"

namespace mailwarden {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class StoreCheckTest : public testing::Test {
 protected:
  void start(std::vector<std::string> more = {}) {
    if (!std::filesystem::exists(log())) write_file(log(), ssh_log(100));
    more.insert(more.end(), {"--source", "file:" + log() + ",name=auth,year=2026"});
    daemon_.start(std::move(more));
  }
  std::string log() const { return daemon_.path("auth.log"); }
  bool has_metric(const std::string& line) {
    return daemon_.ask("/metrics").body.contains("\n" + line + "\n");
  }

  // The page of an index that a start does not read; the daemon is not running.
  void tear_an_index() const {
    const std::string path = daemon_.path("m.db");
    std::int64_t at = 0;
    {
      const auto store = db::open_sqlite(path).value();
      const auto page =
          store->integer("SELECT rootpage FROM sqlite_schema WHERE name = 'decision_principal'");
      at = (page.value() - 1) * store->integer("PRAGMA page_size").value();
    }
    std::string bytes = read_file(path);
    ASSERT_EQ(bytes.at(static_cast<std::size_t>(at)), '\x0A') << "a leaf of an index";
    bytes.at(static_cast<std::size_t>(at)) = '\x77';
    write_file(path, bytes);
  }

  RunningDaemon daemon_;
};

TEST_F(StoreCheckTest, AWholeStoreIsSaidToBeWhole) {
  start();
  daemon_.wait_until([&] { return has_metric("mailwarden_store_damaged 0"); });
  EXPECT_THAT(daemon_.output(), HasSubstr("the files of the store are whole (integrity_check, "));
  EXPECT_EQ(daemon_.ask("/readyz").body, "ready\n");
  EXPECT_EQ(daemon_.get("/api/v1/status")["store_is_whole"], json::Value(true));
}

TEST_F(StoreCheckTest, TheBookOfKeysIsCheckedToo) {
  ASSERT_EQ(mailwarden({"keys", "make", "--kek", "file:" + daemon_.path("kek")}).code, 0);
  start({"--keys", daemon_.path("keys.db"), "--kek", "file:" + daemon_.path("kek")});
  daemon_.wait_until([&] { return has_metric("mailwarden_store_damaged 0"); });
  EXPECT_THAT(daemon_.output(), HasSubstr("the files of the book of keys are whole"));
}

TEST_F(StoreCheckTest, ADamagedStoreIsToldAndTakesWhatComes) {
  Receiver receiver;
  daemon_.alert_to(receiver.url());
  write_file(log(), ssh_log(100));
  ASSERT_EQ(daemon_.once("file:" + log() + ",name=auth,year=2026"), 0) << daemon_.output();
  tear_an_index();
  start();
  daemon_.wait_until([&] { return has_metric("mailwarden_store_damaged 1"); });
  EXPECT_THAT(daemon_.output(), HasSubstr("error the files of the store are damaged"));
  const auto ready = daemon_.ask("/readyz");
  EXPECT_EQ(ready.status, 200U);
  EXPECT_THAT(ready.body, HasSubstr("ready, but the files of the store are damaged: "));
  EXPECT_EQ(daemon_.ask("/healthz").status, 200U);
  EXPECT_EQ(daemon_.get("/api/v1/status")["store_is_whole"], json::Value(false));
  EXPECT_THAT(mailwarden({"status", "--socket", daemon_.path("socket")}).output,
              HasSubstr("\nDAMAGED: the files of the store are damaged: "));
  append_file(log(), ssh_log(50));
  daemon_.wait_for_events(50);
  const auto is_told = [&] {
    for (const auto& [key, bodies] : receiver.taken()) {
      for (const std::string& body : bodies) {
        if (body.contains("The files of the store are damaged")) return true;
      }
    }
    return false;
  };
  daemon_.wait_until(is_told);
  EXPECT_EQ(daemon_.stop(), 0) << daemon_.output();
  EXPECT_THAT(daemon_.rows("SELECT json_extract(record, '$.source') FROM ledger_entry"
                           " WHERE kind = 'gap'"),
              ElementsAre("store|"));
  EXPECT_EQ(daemon_.rows("SELECT number FROM incident WHERE entity_name = 'store'").size(), 1U);
}

}  // namespace
}  // namespace mailwarden
