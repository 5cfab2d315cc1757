// The daemon on a disk that forgets what nobody synced: whatever a crash leaves, nothing that it
// told others is lost, and it ends as if nothing had happened.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/entropy.h"
#include "crypto/file_key_provider.h"
#include "crypto/sha256.h"
#include "tests/e2e/daemon.h"
#include "tests/fault/crash.h"

namespace mailwarden::fault {
namespace {

using Keys = std::set<std::string>;

class DaemonCrash : public testing::Test {
 protected:
  void SetUp() override {
    if (!is_recordable) GTEST_SKIP() << "the recorder cannot be loaded before a sanitizer";
    write_file(logs_.path("auth.log"), ssh_log(1500));
  }

  std::string source() const { return "file:" + logs_.path("auth.log") + ",name=auth,year=2026"; }
  static std::vector<std::string> more(const TestDaemon& daemon) {
    return {"--checkpoints", daemon.path("outside")};
  }

  void record() {
    undisturbed_.alert_to(receiver_.url());
    recording_.emplace(undisturbed_.path("."));
    receiver_.watch(
        [this](const std::string& key) { delivered_.emplace(key, recording_->journal_bytes()); });
    auto arguments = undisturbed_.arguments({"--once", "--source", source()});
    std::ranges::copy(more(undisturbed_), std::back_inserter(arguments));
    const Ran& ran = recording_->run(arguments);
    receiver_.watch({});
    ASSERT_EQ(ran.code, 0) << ran.output;
    ASSERT_THAT(recording_->unseen(), testing::IsEmpty());
    expected_ = undisturbed_.decisions();
    ASSERT_GT(expected_.at("alert").size(), 5U);
    ASSERT_EQ(delivered_.size(), expected_.at("alert").size());
  }

  Keys delivered_before(std::uint64_t journal_bytes) const {
    Keys keys;
    for (const auto& [key, at] : delivered_) {
      if (at <= journal_bytes) keys.insert(key);
    }
    return keys;
  }

  // Of the checkpoints that were left outside, the largest; "" where there is none.
  static std::string last_checkpoint(const TestDaemon& daemon) {
    std::map<std::int64_t, std::string> found;
    const std::string folder = daemon.path("outside");
    if (!std::filesystem::exists(folder)) return "";
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      const std::string name = entry.path().filename().string();
      if (name.ends_with(".new")) continue;
      found[std::stoll(name.substr(name.find('-') + 1))] = entry.path().string();
    }
    return found.empty() ? "" : found.rbegin()->second;
  }

  static Keys alerts_in(const TestDaemon& daemon) {
    Keys keys;
    const auto store = db::open_url(daemon.store());
    if (!store) return keys;
    const auto rows = (*store)->query("SELECT name FROM alert");
    while (rows && (*rows)->step().value_or(false)) keys.emplace((*rows)->text(0));
    return keys;
  }

  // An entry says that a report was issued, so it is there as the entry says.
  static void expect_reports(const TestDaemon& crashed) {
    const auto store = db::open_url(crashed.store());
    if (!store) return;
    const auto rows = (*store)->query("SELECT record FROM ledger_entry WHERE kind = 'report'");
    while (rows && (*rows)->step().value_or(false)) {
      const auto record = json::parse((*rows)->text(0));
      ASSERT_TRUE(record) << record.error().what;
      const auto file = std::filesystem::path(record->text("file")).replace_extension("json");
      const std::string report = read_file(crashed.path("reports/" + file.string()));
      EXPECT_EQ(crypto::to_hex(crypto::sha256(report)), record->text("sha256")) << file;
    }
  }

  // What the store holds before anybody has mended anything.
  void expect_nothing_is_lost(const TestDaemon& crashed, const Crash& crash) {
    const std::string checkpoint = last_checkpoint(crashed);
    const Keys told = delivered_before(crash.journal_bytes);
    // The first that opens it recovers it, as the daemon would; auditors come later.
    const Keys kept = alerts_in(crashed);
    EXPECT_TRUE(std::ranges::includes(kept, told))
        << told.size() << " alerts were delivered, " << kept.size() << " are known";
    expect_reports(crashed);
    if (!std::filesystem::exists(crashed.path("key.pub"))) {
      ASSERT_EQ(checkpoint, "");
      return;
    }
    const Ran verified = crashed.verify();
    EXPECT_NE(verified.code, 1) << verified.output;
    if (checkpoint.empty()) return;
    const Ran from = crashed.verify({"--from", checkpoint});
    EXPECT_EQ(from.code, 0) << from.output;
  }

  void expect_it_ends_the_same(TestDaemon& crashed, const Crash& crash) {
    const std::string checkpoint = last_checkpoint(crashed);
    receiver_.forget();
    ASSERT_EQ(crashed.once(source(), more(crashed)), 0) << crashed.output();
    const auto found = crashed.decisions();
    for (const auto& [table, rows] : expected_) EXPECT_EQ(found.at(table), rows) << table;
    Keys keys = delivered_before(crash.journal_bytes);
    for (const auto& [key, bodies] : receiver_.taken()) {
      keys.insert(key);
      EXPECT_EQ(bodies.size(), 1U) << key;
    }
    EXPECT_EQ(keys.size(), delivered_.size());
    const Ran verified =
        checkpoint.empty() ? crashed.verify() : crashed.verify({"--from", checkpoint});
    EXPECT_EQ(verified.code, 0) << verified.output;
  }

  TemporaryFolder logs_;
  Receiver receiver_;
  TestDaemon undisturbed_;
  std::optional<Recording> recording_;
  std::map<std::string, std::uint64_t> delivered_;  // when, in bytes of the journal
  std::map<std::string, std::multiset<std::string>> expected_;
};

TEST_F(DaemonCrash, LosesNothingThatWasTold) {
  ASSERT_NO_FATAL_FAILURE(record());
  recording_->each(recording_->crashes(16), Names::strict,
                   [&](const Crash& crash, const VolatileDisk& disk) {
                     TestDaemon crashed;
                     crashed.alert_to(receiver_.url());
                     leave(disk, crash, crashed.path("."));
                     expect_nothing_is_lost(crashed, crash);
                     ASSERT_FALSE(HasFailure());
                     if (crash.is_end) {
                       EXPECT_EQ(crashed.decisions(), expected_);
                     }
                     expect_it_ends_the_same(crashed, crash);
                   });
}

// With keys: none is lost whose values are kept, so that everything stored can be read.
TEST_F(DaemonCrash, KeepsTheKeyOfEverythingThatItKeeps) {
  std::string lines;
  for (int i = 0; i < 600; ++i) {
    lines += "Nov 24 01:00:00 mail1 sshd[7]: Failed password for invalid user p" +
             std::to_string(i) + "@example.com from 203.0.113.9 port 9 ssh2\n";
  }
  write_file(logs_.path("auth.log"), lines);
  const auto keys_of = [](const TestDaemon& daemon) {
    return std::vector<std::string>{"--keys", daemon.path("keys.db"), "--kek",
                                    "file:" + daemon.path("kek")};
  };
  undisturbed_.alert_to(receiver_.url());
  crypto::SystemEntropy entropy;
  ASSERT_TRUE(crypto::FileKeyProvider::create(undisturbed_.path("kek"), entropy));
  recording_.emplace(undisturbed_.path("."));
  auto arguments = undisturbed_.arguments({"--once", "--source", source()});
  std::ranges::copy(keys_of(undisturbed_), std::back_inserter(arguments));
  const Ran& ran = recording_->run(arguments);
  ASSERT_EQ(ran.code, 0) << ran.output;
  ASSERT_THAT(recording_->unseen(), testing::IsEmpty());
  recording_->each(
      recording_->crashes(12), Names::strict, [&](const Crash& crash, const VolatileDisk& disk) {
        TestDaemon crashed;
        crashed.alert_to(receiver_.url());
        leave(disk, crash, crashed.path("."));
        // Before anybody has mended anything.
        const Ran before = crashed.verify(keys_of(crashed));
        EXPECT_NE(before.code, 1) << before.output;
        if (before.code == 0) {
          EXPECT_TRUE(before.output.contains(" 0 erased")) << before.output;
        }
        ASSERT_EQ(crashed.once(source(), keys_of(crashed)), 0) << crashed.output();
        const Ran verified = crashed.verify(keys_of(crashed));
        EXPECT_EQ(verified.code, 0) << verified.output;
        EXPECT_TRUE(verified.output.contains(" 0 erased")) << verified.output;
        EXPECT_FALSE(verified.output.contains("not held")) << verified.output;
        EXPECT_EQ(
            db::open_url(crashed.store()).value()->integer("SELECT COUNT(*) FROM event").value(),
            600);
      });
}

// One run introduces the key that is to follow, another drops the one before it.
TEST_F(DaemonCrash, ASigningKeyFollowsAnotherOrNotYet) {
  write_file(logs_.path("auth.log"), ssh_log(100));
  const auto options = [](const TestDaemon& daemon, bool drops) {
    return std::vector<std::string>{drops ? "--key" : "--next-key", daemon.path("key2")};
  };
  for (const bool drops : {false, true}) {
    SCOPED_TRACE(drops ? "the first key is dropped" : "the second key is introduced");
    TestDaemon daemon;
    ASSERT_EQ(daemon.once(source()), 0) << daemon.output();
    if (drops) {
      ASSERT_EQ(daemon.once(source(), options(daemon, false)), 0) << daemon.output();
    }
    Recording recording(daemon.path("."));
    auto arguments = daemon.arguments({"--once", "--source", source()});
    std::ranges::copy(options(daemon, drops), std::back_inserter(arguments));
    const Ran& ran = recording.run(arguments);
    ASSERT_EQ(ran.code, 0) << ran.output;
    ASSERT_THAT(recording.unseen(), testing::IsEmpty());
    recording.each(
        recording.crashes(6), Names::strict, [&](const Crash& crash, const VolatileDisk& disk) {
          TestDaemon crashed;
          leave(disk, crash, crashed.path("."));
          const Ran before = crashed.verify();
          EXPECT_EQ(before.code, 0) << before.output;
          ASSERT_EQ(crashed.once(source(), options(crashed, drops)), 0) << crashed.output();
          const Ran by_first = crashed.verify();
          EXPECT_EQ(by_first.code, 0) << by_first.output;
          EXPECT_EQ(crashed.rows("SELECT number FROM ledger_entry WHERE kind = 'key'").size(),
                    drops ? 2U : 1U);
          const Ran by_second =
              mailwarden::run({"mailwarden", "ledger", "verify", "--store", crashed.store(),
                               "--key", crashed.path("key2.pub")});
          EXPECT_EQ(by_second.code, 0) << by_second.output;
        });
  }
}

}  // namespace
}  // namespace mailwarden::fault
