// A witness outside, as the specification has it, and a daemon that shows it its checkpoints.
#include <gmock/gmock.h>

#include "base/clock.h"
#include "ledger/cosignature.h"
#include "ledger/merkle.h"
#include "ledger/note.h"
#include "tests/e2e/running.h"

namespace mailwarden {
namespace {

using testing::HasSubstr;

class WitnessTest : public testing::Test {
 protected:
  void SetUp() override {
    auto started = net::HttpServer::start({.listen = {"127.0.0.1:0"}}, [this](const auto& request) {
      const std::lock_guard lock(mutex_);
      asked_.push_back(request.body);
      return net::Response{.status = status_,
                           .content_type = status_ == 409 ? "text/x.tlog.size" : "text/plain",
                           .body = status_ == 200 ? cosign(request.body) : "1000000\n"};
    });
    ASSERT_TRUE(started) << started.error().what;
    server_ = *std::move(started);
    write_file(daemon_.path("auth.log"), ssh_log(20));
  }

  std::string cosign(const std::string& body) const {
    const std::string note = body.substr(body.find("\n\n") + 2);
    return ledger::cosign(note.substr(0, note.find("\n\n") + 1), key_.name, signer_,
                          SystemClock().now());
  }

  void start() {
    daemon_.start({"--source", "file:" + daemon_.path("auth.log") + ",name=auth", "--witness",
                   "http://" + server_->addresses().front() + "/w/," + to_text(key_),
                   "--checkpoints", daemon_.path("outside")});
  }

  crypto::Signer signer_ = crypto::Signer::from_seed({std::byte{7}});
  ledger::WitnessKey key_{"witness.example.com/w1", signer_.public_key()};
  std::mutex mutex_;
  unsigned status_ = 200;
  std::vector<std::string> asked_;
  std::unique_ptr<net::HttpServer> server_;
  RunningDaemon daemon_;
};

TEST_F(WitnessTest, ItsCosignatureStandsUnderTheCheckpointAndInProofs) {
  start();
  daemon_.wait_for_events(20);
  std::string checkpoint;
  daemon_.wait_until([&] {
    checkpoint = daemon_.ask("/checkpoint").body;
    return ledger::find_cosignature(checkpoint, key_).has_value();
  });
  const auto answer = daemon_.ask("/checkpoint");
  EXPECT_EQ(answer.content_type, "text/plain; charset=utf-8");
  EXPECT_EQ(daemon_.stop(), 0) << daemon_.output();
  EXPECT_EQ(daemon_.verify().code, 0);
  const Ran proved = mailwarden(
      {"ledger", "prove", "0", "--store", daemon_.store(), "-o", daemon_.path("0.tlog-proof")});
  ASSERT_EQ(proved.code, 0) << proved.output;
  const Ran checked = mailwarden({"ledger", "verify", "--proof", daemon_.path("0.tlog-proof"),
                                  "--key", daemon_.path("key.pub")});
  EXPECT_EQ(checked.code, 0) << checked.output;
  bool left_outside = false;
  for (const auto& file : std::filesystem::directory_iterator(daemon_.path("outside"))) {
    left_outside |= ledger::find_cosignature(read_file(file.path().string()), key_).has_value();
  }
  EXPECT_TRUE(left_outside) << "and leaves the machine with it";
  const std::lock_guard lock(mutex_);
  EXPECT_THAT(asked_.front(), testing::StartsWith("old 0\n\nexample.com/test\n"));
}

TEST_F(WitnessTest, AWitnessThatHasSeenMoreIsToldAndRecorded) {
  status_ = 409;
  start();
  daemon_.wait_until([&] { return daemon_.output().contains("has seen 1000000 entries"); });
  daemon_.wait_until([&] { return daemon_.get("/api/v1/status").integer("ledger_entries") > 0; });
  EXPECT_EQ(daemon_.stop(), 0) << daemon_.output();
  const auto gaps = daemon_.rows("SELECT record FROM ledger_entry WHERE kind = 'gap'");
  ASSERT_FALSE(gaps.empty());
  EXPECT_THAT(*gaps.begin(), HasSubstr("set back or forked"));
  EXPECT_EQ(daemon_.verify().code, 0);
}

// The witness knows both keys of the log, or only the one that is left.
TEST(Witness, ADaemonWitnessesAnotherOverARotationOfItsKey) {
  RunningDaemon watched;
  RunningDaemon witness;
  write_file(watched.path("auth.log"), ssh_log(50));
  write_file(witness.path("auth.log"), "");
  const std::string source = "file:" + watched.path("auth.log");
  ASSERT_EQ(watched.once(source), 0) << watched.output();
  ASSERT_EQ(watched.once(source, {"--next-key", watched.path("key2")}), 0) << watched.output();
  const auto line_of = [](const std::string& file) {
    std::string line = read_file(file);
    line.pop_back();
    return line;
  };
  witness.start({"--source", "file:" + witness.path("auth.log"), "--witness-for",
                 line_of(watched.path("key.pub")), "--witness-for",
                 line_of(watched.path("key2.pub")), "--witness-key", witness.path("witness.key"),
                 "--witness-name", "witness.example.com/w3"});
  const std::string witness_key = line_of(witness.path("witness.key.pub"));
  const auto key = ledger::parse_witness_key(witness_key);
  ASSERT_TRUE(key) << key.error().what;
  const auto is_cosigned = [&](const std::vector<std::string>& keys) {
    std::vector<std::string> options{"--source", source, "--witness",
                                     witness.address() + "/witness," + witness_key};
    options.insert(options.end(), keys.begin(), keys.end());
    watched.start(options);
    append_file(watched.path("auth.log"), ssh_log(50));
    std::string note;
    watched.wait_until([&] {
      note = watched.ask("/checkpoint").body;
      return ledger::find_cosignature(note, *key).has_value();
    });
    EXPECT_EQ(watched.stop(), 0) << watched.output();
    return note;
  };
  const std::string hash = crypto::to_hex(crypto::sha256("example.com/test"));
  for (const std::vector<std::string>& keys :
       {std::vector<std::string>{"--next-key", watched.path("key2")},
        std::vector<std::string>{"--key", watched.path("key2")}}) {
    const std::string note = is_cosigned(keys);
    const std::string last = witness.ask("/witness/" + hash + "/checkpoint").body;
    const auto second = ledger::parse_verifier_key(line_of(watched.path("key2.pub"))).value();
    for (const std::string& one : {note, last}) {
      EXPECT_TRUE(ledger::open_checkpoint(one, second)) << one;
    }
  }
  EXPECT_EQ(watched.verify().code, 0) << "by the key that signed first";
}

// One witness for two logs, and one verification of both.
TEST(Witness, SeveralLogsAreWitnessedAndVerifiedByTheirOrigins) {
  std::array<RunningDaemon, 2> logs;
  RunningDaemon witness;
  write_file(witness.path("auth.log"), "");
  const std::array<std::string, 2> origins{"example.com/one", "example.com/two"};
  std::vector<std::string> options{"--source",       "file:" + witness.path("auth.log"),
                                   "--witness-key",  witness.path("witness.key"),
                                   "--witness-name", "witness.example.com/w4"};
  const auto line_of = [](const std::string& file) {
    std::string line = read_file(file);
    line.pop_back();
    return line;
  };
  for (std::size_t i = 0; i < logs.size(); ++i) {
    write_file(logs[i].path("auth.log"), ssh_log(30 + static_cast<int>(i)));
    ASSERT_EQ(logs[i].once("file:" + logs[i].path("auth.log"), {"--origin", origins[i]}), 0);
    options.insert(options.end(), {"--witness-for", line_of(logs[i].path("key.pub"))});
  }
  witness.start(options);
  const std::string witness_key = line_of(witness.path("witness.key.pub"));
  const auto key = ledger::parse_witness_key(witness_key).value();
  std::vector<std::string> verify{"ledger", "verify"};
  for (std::size_t i = 0; i < logs.size(); ++i) {
    logs[i].start({"--source", "file:" + logs[i].path("auth.log"), "--origin", origins[i],
                   "--witness", witness.address() + "/witness," + witness_key});
    logs[i].wait_until(
        [&] { return ledger::find_cosignature(logs[i].ask("/checkpoint").body, key).has_value(); });
    const std::string last =
        witness.ask("/witness/" + crypto::to_hex(crypto::sha256(origins[i])) + "/checkpoint").body;
    EXPECT_THAT(last, testing::StartsWith(origins[i] + "\n"));
    write_file(logs[i].path("kept"), last);
    verify.insert(verify.end(), {"--url", logs[i].address(), "--key", logs[i].path("key.pub"),
                                 "--from", logs[i].path("kept")});
  }
  const Ran both = mailwarden(verify);
  EXPECT_EQ(both.code, 0) << both.output;
  for (const std::string& origin : origins) {
    EXPECT_THAT(both.output, HasSubstr("(" + origin + "): good: "));
  }
  verify.insert(verify.end(), {"--format", "json"});
  const auto told = json::parse(mailwarden(verify).output);
  ASSERT_TRUE(told && (*told)["logs"].as_array() != nullptr);
  EXPECT_EQ((*told)["logs"].as_array()->size(), 2U);
  // Each log needs a key of its own name, and each checkpoint a log.
  const Ran without = mailwarden({"ledger", "verify", "--url", logs[0].address(), "--url",
                                  logs[1].address(), "--key", logs[0].path("key.pub")});
  EXPECT_EQ(without.code, 2);
  EXPECT_THAT(without.output, HasSubstr("is the log 'example.com/two', of which no key is given"));
  write_file(logs[0].path("kept"), "example.com/three\n1\n" + std::string(43, 'A') + "=\n");
  const Ran strange = mailwarden(verify);
  EXPECT_EQ(strange.code, 2);
  EXPECT_THAT(strange.output, HasSubstr("'example.com/three', which is none of the logs"));
}

// Two daemons, one of which witnesses the other.
TEST(Witness, OneDaemonWitnessesAnother) {
  RunningDaemon watched;
  RunningDaemon witness;
  write_file(watched.path("auth.log"), ssh_log(50));
  write_file(witness.path("auth.log"), "");
  ASSERT_EQ(watched.once("file:" + watched.path("auth.log")), 0) << watched.output();
  std::string log_key = read_file(watched.path("key.pub"));
  log_key.pop_back();
  witness.start({"--source", "file:" + witness.path("auth.log"), "--witness-for", log_key,
                 "--witness-key", witness.path("witness.key"), "--witness-name",
                 "witness.example.com/w2"});
  std::string witness_key = read_file(witness.path("witness.key.pub"));
  witness_key.pop_back();
  const auto key = ledger::parse_witness_key(witness_key);
  ASSERT_TRUE(key) << key.error().what;
  watched.start({"--source", "file:" + watched.path("auth.log"), "--witness",
                 witness.address() + "/witness," + witness_key});
  append_file(watched.path("auth.log"), ssh_log(50));
  std::string note;
  watched.wait_until([&] {
    note = watched.ask("/checkpoint").body;
    return ledger::find_cosignature(note, *key).has_value();
  });
  const std::string hash = crypto::to_hex(crypto::sha256("example.com/test"));
  const std::string last = witness.ask("/witness/" + hash + "/checkpoint").body;
  EXPECT_TRUE(ledger::find_cosignature(last, *key)) << last;
  witness.signal(SIGKILL);
  witness.start({"--source", "file:" + witness.path("auth.log"), "--witness-for", log_key,
                 "--witness-key", witness.path("witness.key"), "--witness-name",
                 "witness.example.com/w2"});
  EXPECT_EQ(witness.ask("/witness/" + hash + "/checkpoint").body, last)
      << "what was cosigned outlives a kill";
  EXPECT_EQ(witness.ask("/witness/add-checkpoint", "POST", "nothing").status, 400U);
  EXPECT_EQ(witness.ask("/witness/" + std::string(64, '0') + "/checkpoint").status, 404U);
}

}  // namespace
}  // namespace mailwarden
