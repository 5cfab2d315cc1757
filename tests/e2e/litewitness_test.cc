// A witness that is not ours cosigns checkpoints, and refuses a log that has forked.
#include <gmock/gmock.h>

#include "base/text.h"
#include "db/sqlite.h"
#include "ledger/cosignature.h"
#include "ledger/merkle.h"
#include "ledger/note.h"
#include "tests/e2e/running.h"

namespace mailwarden {
namespace {

using testing::HasSubstr;

const std::string origin = "example.com/test";

// What it is told of a log that it is to witness stands in its database.
void make_known(const std::string& database, const ledger::VerifierKey& key) {
  const auto store = db::open_sqlite(database);
  ASSERT_TRUE(store) << store.error().what;
  const std::string root = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";  // of the empty tree
  const std::string text = ledger::to_text(key);
  ASSERT_TRUE((*store)->run("INSERT INTO log (origin, tree_size, tree_hash) VALUES ($1, 0, $2)",
                            {std::string_view(key.name), std::string_view(root)}));
  ASSERT_TRUE((*store)->run("INSERT INTO key (origin, key) VALUES ($1, $2)",
                            {std::string_view(key.name), std::string_view(text)}));
}

class LitewitnessTest : public testing::Test {
 protected:
  void SetUp() override {
    const std::string installer = source_folder() + "/tests/e2e/witness/install_litewitness";
    const std::string program = program_folder() + "/../litewitness";
    Process install({installer, program}, folder_.path("install"));
    if (install.wait() != 0) {
      GTEST_SKIP() << "litewitness cannot be had: " << read_file(folder_.path("install"));
    }
    start_agent();
    witness_.emplace(
        std::vector<std::string>{program + "/litewitness", "-db", folder_.path("db"), "-name",
                                 "witness.example.com/lw", "-key", fingerprint(), "-ssh-agent",
                                 folder_.path("agent"), "-listen", address_},
        folder_.path("output"));
    ASSERT_TRUE(witness_->wait_until([&] { return is_listening(); }))
        << read_file(folder_.path("output"));
  }
  void TearDown() override {
    for (auto* const process : {&witness_, &agent_}) {
      if (!*process) continue;
      (*process)->kill(SIGTERM);
      (*process)->wait();
    }
  }

  void start_agent() {
    run_to_end({"/usr/bin/ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder_.path("key")});
    agent_.emplace(
        std::vector<std::string>{"/usr/bin/ssh-agent", "-D", "-a", folder_.path("agent")},
        folder_.path("agent.output"));
    ::setenv("SSH_AUTH_SOCK", folder_.path("agent").c_str(), 1);
    agent_->wait_until([&] { return std::filesystem::exists(folder_.path("agent")); });
    // Its socket is there a moment before it listens.
    const auto is_added = [&] {
      Process add({"/usr/bin/ssh-add", "-q", folder_.path("key")}, folder_.path("tools"));
      return add.wait() == 0;
    };
    agent_->wait_until(is_added);
    ::unsetenv("SSH_AUTH_SOCK");
  }
  void run_to_end(std::vector<std::string> arguments) {
    Process process(std::move(arguments), folder_.path("tools"));
    ASSERT_EQ(process.wait(), 0) << read_file(folder_.path("tools"));
  }
  std::string fingerprint() {
    const TemporaryFolder folder;
    Process process({"/usr/bin/ssh-keygen", "-lf", folder_.path("key.pub")}, folder.path("out"));
    process.wait();
    const std::string text = read_file(folder.path("out"));
    const std::size_t begin = text.find("SHA256:");
    return text.substr(begin, text.find(' ', begin) - begin);
  }

  // What it says of itself in its log.
  std::string told(const std::string& name) const {
    const std::string text = read_file(folder_.path("output"));
    const std::size_t begin = text.find(" " + name + "=");
    if (begin == std::string::npos) return {};
    const std::size_t value = begin + name.size() + 2;
    const std::size_t end = text.find('\n', value);
    return end == std::string::npos ? "" : text.substr(value, end - value);
  }
  bool is_listening() const { return read_file(folder_.path("output")).contains("msg=listening"); }
  // Of a port that nobody has at this moment.
  static std::string free_address() {
    const auto server = net::HttpServer::start({.listen = {"127.0.0.1:0"}},
                                               [](const auto&) { return net::Response(); });
    return (*server)->addresses().front();
  }

  std::vector<std::string> options(RunningDaemon& daemon, int lines) {
    write_file(daemon.path("auth.log"), ssh_log(lines));
    return {"--source", "file:" + daemon.path("auth.log") + ",name=auth", "--witness",
            "http://" + address_ + "," + told("vkey")};
  }

  TemporaryFolder folder_;
  const std::string address_ = free_address();
  std::optional<Process> agent_;
  std::optional<Process> witness_;
};

TEST_F(LitewitnessTest, CosignsALogThatGrowsAndRefusesAFork) {
  const auto key = ledger::parse_witness_key(told("vkey"));
  ASSERT_TRUE(key) << key.error().what;
  RunningDaemon daemon;
  daemon.once("file:" + daemon.path("none"));
  make_known(folder_.path("db"),
             ledger::parse_verifier_key(trim(read_file(daemon.path("key.pub")))).value());
  daemon.start(options(daemon, 300));
  daemon.wait_for_events(300);
  const auto cosigned_size = [&](std::uint64_t at_least) {
    std::uint64_t size = 0;
    daemon.wait_until([&] {
      const std::string note = daemon.ask("/checkpoint").body;
      if (!ledger::find_cosignature(note, *key)) return false;
      size = ledger::parse_checkpoint(note).value().size;
      return size >= at_least;
    });
    return size;
  };
  const std::uint64_t first = cosigned_size(1);
  append_file(daemon.path("auth.log"), ssh_log(300));
  EXPECT_GT(cosigned_size(first + 1), first) << "and again as it grows";
  EXPECT_EQ(daemon.stop(), 0) << daemon.output();
  EXPECT_EQ(daemon.verify().code, 0);

  RunningDaemon fork;  // the same name and key, and another history
  for (const char* file : {"key", "key.pub"}) {
    std::filesystem::copy(daemon.path(file), fork.path(file));
  }
  fork.start(options(fork, 5000));
  fork.wait_until([&] { return fork.output().contains("set back or forked"); });
  EXPECT_FALSE(ledger::find_cosignature(fork.ask("/checkpoint").body, *key));
}

// It takes a checkpoint by any key that it knows of the log: the old one, both, the new one.
TEST_F(LitewitnessTest, CosignsOverARotationOfTheLogsKey) {
  const auto witness = ledger::parse_witness_key(told("vkey"));
  ASSERT_TRUE(witness) << witness.error().what;
  RunningDaemon daemon;
  daemon.once("file:" + daemon.path("none"));
  make_known(folder_.path("db"),
             ledger::parse_verifier_key(trim(read_file(daemon.path("key.pub")))).value());
  const std::vector<std::string> usual = options(daemon, 50);
  const std::string next = daemon.path("key2");
  const auto expect_cosigned = [&](const std::vector<std::string>& keys) {
    std::vector<std::string> all = usual;
    all.insert(all.end(), keys.begin(), keys.end());
    daemon.start(all);
    const auto key = ledger::parse_verifier_key(trim(read_file(next + ".pub"))).value();
    std::string note;
    daemon.wait_until([&] {
      note = daemon.ask("/checkpoint").body;
      return ledger::open_checkpoint(note, key) && ledger::find_cosignature(note, *witness);
    });
    EXPECT_TRUE(ledger::find_cosignature(note, *witness)) << daemon.output();
    EXPECT_EQ(daemon.stop(), 0) << daemon.output();
  };
  expect_cosigned({"--next-key", next});
  const auto store = db::open_sqlite(folder_.path("db")).value();
  const std::string text(trim(read_file(next + ".pub")));
  ASSERT_TRUE(store->run("INSERT INTO key (origin, key) VALUES ($1, $2)",
                         {std::string_view(origin), std::string_view(text)}));
  expect_cosigned({"--key", next});
  EXPECT_EQ(daemon.verify().code, 0);
}

}  // namespace
}  // namespace mailwarden
