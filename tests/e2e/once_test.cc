// mailwardend --once over real logs, run twice, killed, on a store that refuses.
#include <algorithm>
#include <chrono>
#include <iterator>
#include <random>

#include <gtest/gtest.h>

#include "db/sqlite.h"
#include "tests/e2e/daemon.h"

namespace mailwarden {
namespace {

// The first rows that only one of the two has.
std::string difference(const std::multiset<std::string>& expected,
                       const std::multiset<std::string>& found) {
  std::vector<std::string> missing;
  std::ranges::set_difference(expected, found, std::back_inserter(missing));
  std::vector<std::string> extra;
  std::ranges::set_difference(found, expected, std::back_inserter(extra));
  std::string text;
  if (!missing.empty()) text += std::to_string(missing.size()) + " missing: " + missing.front();
  if (!extra.empty()) text += " " + std::to_string(extra.size()) + " too many: " + extra.front();
  return text;
}

TEST(Once, ASecondRunOverTheSameFilesChangesNothing) {
  TestDaemon daemon;
  write_file(daemon.path("auth.log"), ssh_log(2000));
  const std::string source = "file:" + daemon.path("auth.log") + ",name=auth,year=2026";
  ASSERT_EQ(daemon.once(source), 0) << daemon.output();
  auto before = daemon.dump();
  EXPECT_EQ(before.at("event").size(), 2000U);
  EXPECT_GT(before.at("detection").size(), 10U);
  EXPECT_GT(before.at("incident").size(), 5U);
  ASSERT_EQ(daemon.once(source), 0) << daemon.output();
  auto behind = daemon.dump();
  // But that it started and ended, which is sealed.
  const std::string begin = std::to_string(before.at("ledger_entry").size());
  EXPECT_EQ(daemon.rows("SELECT DISTINCT kind FROM ledger_entry WHERE number >= " + begin),
            (std::multiset<std::string>{"seal|", "start|", "stop|"}));
  for (const char* const table : {"ledger_entry", "ledger_checkpoint", "ledger_node"}) {
    before.erase(table);
    behind.erase(table);
  }
  EXPECT_EQ(behind, before);
  const Ran verified = daemon.verify();
  EXPECT_EQ(verified.code, 0) << verified.output;
}

// Killed at any moment and started again, it ends as if nothing had happened. tests/fault/ does the
// same a hundred times.
TEST(Once, KilledAtRandomMomentsItEndsTheSame) {
  const char* const told = std::getenv("MAILWARDEN_KILLS");
  constexpr int kills_a_store_max = 4;
  const int kills = told != nullptr ? std::atoi(told) : 12;
  const std::string log = ssh_log(6000);
  TemporaryFolder logs;
  write_file(logs.path("auth.log"), log);
  const std::string source = "file:" + logs.path("auth.log") + ",name=auth,year=2026";
  Receiver receiver;
  TestDaemon undisturbed;
  undisturbed.alert_to(receiver.url());
  const auto begun = std::chrono::steady_clock::now();
  ASSERT_EQ(undisturbed.once(source), 0) << undisturbed.output();
  const auto whole = std::chrono::duration_cast<std::chrono::microseconds>(
                         std::chrono::steady_clock::now() - begun)
                         .count();
  const auto expected = undisturbed.decisions();
  std::set<std::string> expected_keys;
  for (const auto& [key, bodies] : receiver.taken()) expected_keys.insert(key);
  ASSERT_EQ(expected_keys.size(), expected.at("alert").size());
  std::mt19937 random(20261124);
  int interrupted = 0;
  for (int round = 0; interrupted < kills && round < kills * 3; ++round) {
    receiver.forget();
    TestDaemon killed;
    killed.alert_to(receiver.url());
    // A start after a kill has work that the undisturbed run did not have, so a few kills a store
    // are followed by a run that may end.
    for (int kill = 0; kill < kills_a_store_max; ++kill) {
      Process process(killed.arguments({"--once", "--source", source}), killed.path("output"));
      const auto moment = std::chrono::microseconds(random() % (whole + 1));
      if (process.ended_within(moment)) break;
      process.kill(SIGKILL);
      process.wait();
      ++interrupted;
      if (!std::filesystem::exists(killed.path("key.pub"))) continue;
      const Ran verified = killed.verify();
      ASSERT_NE(verified.code, 1) << verified.output;
    }
    ASSERT_EQ(killed.once(source), 0) << killed.output();
    const auto found = killed.decisions();
    for (const auto& [table, rows] : expected) {
      ASSERT_EQ(difference(rows, found.at(table)), "") << table << " differs after a kill";
    }
    std::set<std::string> keys;
    for (const auto& [key, bodies] : receiver.taken()) {
      keys.insert(key);
      ASSERT_EQ(bodies.size(), 1U) << key << " came with two meanings";
    }
    ASSERT_EQ(keys, expected_keys);
    const Ran verified = killed.verify();
    ASSERT_EQ(verified.code, 0) << verified.output;
  }
  std::cout << interrupted << " kills\n";
  EXPECT_GE(interrupted, kills);
}

// Killed anywhere in a rotation it goes on with the same keys, and both keys verify the ledger.
TEST(Once, KilledInARotationOfKeysItGoesOn) {
  TemporaryFolder logs;
  write_file(logs.path("auth.log"), ssh_log(400));
  const std::string source = "file:" + logs.path("auth.log") + ",name=auth,year=2026";
  std::mt19937 random(20261129);
  int interrupted = 0;
  for (int round = 0; round < 6; ++round) {
    TestDaemon daemon;
    ASSERT_EQ(daemon.once(source), 0) << daemon.output();
    const auto killed = [&](const std::vector<std::string>& keys) {
      std::vector<std::string> options{"--once", "--source", source};
      options.insert(options.end(), keys.begin(), keys.end());
      Process process(daemon.arguments(options), daemon.path("output"));
      if (process.ended_within(std::chrono::microseconds(100'000 + random() % 500'000))) return;
      process.kill(SIGKILL);
      process.wait();
      ++interrupted;
    };
    const std::string second = daemon.path("key2");
    for (const std::vector<std::string>& keys : {std::vector<std::string>{"--next-key", second},
                                                 std::vector<std::string>{"--key", second}}) {
      killed(keys);
      ASSERT_EQ(daemon.once(source, keys), 0) << daemon.output();
      const Ran by_first = daemon.verify();
      ASSERT_EQ(by_first.code, 0) << by_first.output;
    }
    const Ran by_second = run(
        {"mailwarden", "ledger", "verify", "--store", daemon.store(), "--key", second + ".pub"});
    ASSERT_EQ(by_second.code, 0) << by_second.output;
    EXPECT_EQ(daemon.rows("SELECT number FROM ledger_entry WHERE kind = 'key'").size(), 2U);
    EXPECT_EQ(daemon.once(source), 3) << "the first key was dropped";
    EXPECT_NE(daemon.output().find("was dropped by entry"), std::string::npos) << daemon.output();
  }
  EXPECT_GT(interrupted, 0);
}

TEST(Once, ALockedStoreIsWaitedForAndLosesNothing) {
  TestDaemon daemon;
  write_file(daemon.path("auth.log"), ssh_log(1000));
  const std::string source = "file:" + daemon.path("auth.log") + ",name=auth,year=2026";
  ASSERT_EQ(daemon.once(source), 0);
  append_file(daemon.path("auth.log"), ssh_log(100));
  const auto lock = db::open_sqlite(daemon.path("m.db")).value();
  ASSERT_TRUE(lock->begin());
  Process process(daemon.arguments({"--once", "--source", source}), daemon.path("output"));
  // It says that it waits before it can go on.
  process.wait_until([&] { return daemon.output().contains("database is locked"); });
  lock->rollback();
  process.wait();
  const bool gave_up_at_start = daemon.output().find("mailwardend: store") != std::string::npos;
  if (gave_up_at_start) {
    EXPECT_EQ(daemon.once(source), 0) << daemon.output();
  }
  EXPECT_EQ(daemon.rows("SELECT number FROM event").size(), 1100U);
  EXPECT_EQ(daemon.verify().code, 0);
}

TEST(Once, AFullStoreIsSaidAndNothingIsLost) {
  TestDaemon daemon;
  write_file(daemon.path("auth.log"), ssh_log(1000));
  const std::string source = "file:" + daemon.path("auth.log") + ",name=auth,year=2026";
  ASSERT_EQ(daemon.once(source), 0) << daemon.output();
  append_file(daemon.path("auth.log"), ssh_log(19'000));
  Process process(daemon.arguments({"--once", "--source", source, "--store-bytes-max", "3000000"}),
                  daemon.path("output"));
  ASSERT_TRUE(process.wait_until([&] {
    return daemon.output().contains("database or disk is full");
  })) << daemon.output();
  process.kill(SIGTERM);
  EXPECT_EQ(process.wait(), 3);
  EXPECT_NE(daemon.output().find("not everything could be stored before the end; it is read again "
                                 "at the next start"),
            std::string::npos)
      << daemon.output();
  const std::size_t before = daemon.rows("SELECT number FROM event").size();
  EXPECT_GE(before, 1000U);
  EXPECT_LT(before, 20'000U);
  EXPECT_EQ(daemon.verify().code, 0);
  EXPECT_EQ(daemon.once(source), 0) << daemon.output();
  EXPECT_EQ(daemon.rows("SELECT number FROM event").size(), 20'000U);
  EXPECT_EQ(daemon.verify().code, 0);
}

TEST(Once, HostileLinesAreKeptAsTheyCame) {
  TestDaemon daemon;
  const std::string deep = "{\"a\":" + std::string(10'000, '[') + std::string(10'000, ']') + "}";
  std::vector<std::string> lines{
      std::string("Nov 24 02:20:01 mail1 sshd[1]: a\0b", 33),
      "\xFF\xFE\xC0 not text",
      "{\"a\":1,",
      deep,
      "0000-01-01T00:00:00Z mail1 sshd[1]: Server listening on :: port 22.",
      "9999-12-31T23:59:59Z mail1 sshd[1]: Server listening on :: port 22.",
      "<999>1 x",
      std::string(1, '\0')};
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  write_file(daemon.path("auth.log"), text);
  ASSERT_EQ(daemon.once("file:" + daemon.path("auth.log")), 0) << daemon.output();
  std::multiset<std::string> raw;
  for (const std::string& row : daemon.rows("SELECT record FROM event")) {
    const auto event = json::parse(row.substr(0, row.size() - 1));
    ASSERT_TRUE(event) << event.error().what;
    if (const auto* text_form = (*event)["raw"].as_string()) raw.insert(*text_form);
  }
  EXPECT_EQ(daemon.rows("SELECT record FROM event").size(), lines.size());
  EXPECT_EQ(raw.count(deep), 1U);
  EXPECT_EQ(raw.count(lines[0]), 1U);
  EXPECT_EQ(daemon.verify().code, 0);
}

TEST(Once, ALineOf64MegabytesIsKeptInPieces) {
  TestDaemon daemon;
  const std::size_t bytes = std::size_t{64} * 1024 * 1024;
  {
    std::string line(bytes, 'x');
    line += "\nNov 24 02:20:01 mail1 sshd[1]: Server listening on :: port 22.\n";
    write_file(daemon.path("auth.log"), line);
  }
  ASSERT_EQ(daemon.once("file:" + daemon.path("auth.log") + ",year=2026"), 0) << daemon.output();
  const auto store = daemon.open();
  EXPECT_EQ(store
                ->integer("SELECT SUM(LENGTH(json_extract(record, '$.raw'))) FROM event WHERE"
                          " json_extract(record, '$.undecoded') IS NOT NULL")
                .value(),
            static_cast<std::int64_t>(bytes));
  EXPECT_EQ(store
                ->integer("SELECT COUNT(*) FROM event WHERE"
                          " json_extract(record, '$.undecoded') IS NULL")
                .value(),
            1);
  EXPECT_EQ(daemon.verify().code, 0);
}

TEST(Once, RefusesToStartAndSaysAllThatIsWrong) {
  TestDaemon daemon;
  TemporaryFolder wrong;
  write_file(wrong.path("a.yml"), "title: a\nlogsource: {product: linux}\n");
  write_file(wrong.path("b.yml"), "title: b\nlevel: dire\n");
  const Ran ran = run({"mailwardend", "--once", "--store", daemon.store(), "--key",
                       daemon.path("key"), "--rules", wrong.path(), "--policies",
                       wrong.path("none"), "--source", "file:/x,zone=Nowhere/Land"});
  EXPECT_EQ(ran.code, 3);
  EXPECT_NE(ran.output.find("a.yml, line 1: a rule must have a 'detection'"), std::string::npos);
  EXPECT_NE(ran.output.find("b.yml, line 2: the level 'dire'"), std::string::npos);
  EXPECT_NE(ran.output.find("none/severity.yaml: No such file"), std::string::npos);
  EXPECT_NE(ran.output.find("Nowhere/Land"), std::string::npos) << ran.output;
  EXPECT_FALSE(std::filesystem::exists(daemon.path("m.db")));
}

TEST(Once, StandardInputIsRead) {
  TestDaemon daemon;
  write_file(daemon.path("lines"), ssh_log(300));
  std::vector<std::string> arguments = daemon.arguments({"--once", "--source", "stdin,year=2026"});
  Process process(arguments, daemon.path("output"), daemon.path("lines"));
  EXPECT_EQ(process.wait(), 0) << daemon.output();
  EXPECT_EQ(daemon.rows("SELECT number FROM event").size(), 300U);
}

}  // namespace
}  // namespace mailwarden
