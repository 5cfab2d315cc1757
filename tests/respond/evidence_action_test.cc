// What a machine is like, written down.
#include <filesystem>

#include <sys/stat.h>

#include "base/text.h"
#include "crypto/sha256.h"
#include "tests/process.h"
#include "tests/respond/effects.h"

namespace mailwarden::respond {
namespace {

class Evidence : public testing::Test {
 protected:
  void SetUp() override {
    settings_.evidence = EvidenceEffects{
        .folder = folder_.path("evidence"), .log_files = {folder_.path("auth.log")}, .lines = 3};
    std::string log;
    for (int i = 1; i <= 9; ++i) log += "line " + std::to_string(i) + " \x1b[2J\xff\n";
    write_file(folder_.path("auth.log"), log);
  }

  Result<json::Object> collect(const json::Array& kinds) const {
    return perform_action(call("collect_evidence", {{"kinds", kinds}}), settings_);
  }
  // Of the first piece, whose file is as it says.
  json::Value piece_of(const Result<json::Object>& done) const {
    EXPECT_TRUE(done) << (done ? "" : done.error().what);
    if (!done) return {};
    const json::Value results(*done);
    const json::Array* const pieces = results["evidence"].as_array();
    if (pieces == nullptr || pieces->empty()) {
      ADD_FAILURE() << json::to_text(results);
      return {};
    }
    const json::Value piece = json::parse(*pieces->front().as_string()).value();
    const std::string bytes = read_file(piece.text("file"));
    EXPECT_EQ(piece.text("file"), folder_.path("evidence/") + piece.text("sha256"));
    EXPECT_EQ(crypto::to_hex(crypto::sha256(bytes)), piece.text("sha256"));
    EXPECT_EQ(piece.integer("bytes"), static_cast<std::int64_t>(bytes.size()));
    return piece;
  }
  std::string bytes_of(const Result<json::Object>& done) const {
    return read_file(piece_of(done).text("file"));
  }

  TemporaryFolder folder_;
  EffectSettings settings_;
};

TEST_F(Evidence, TheEndOfALogIsKeptAsItIs) {
  const auto done = collect({"logs"});
  EXPECT_EQ(bytes_of(done), "line 7 \x1b[2J\xff\nline 8 \x1b[2J\xff\nline 9 \x1b[2J\xff\n");
  const json::Value piece = piece_of(done);
  EXPECT_EQ(piece.text("kind"), "logs");
  EXPECT_EQ(piece.text("of"), folder_.path("auth.log"));
  EXPECT_EQ(piece["whole"], json::Value(true));
  struct stat status{};
  ASSERT_EQ(::stat(piece.text("file").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600U);
  // The same again is the same file.
  EXPECT_EQ(piece_of(collect({"logs"})), piece);
}

TEST_F(Evidence, WhatIsTooLongIsCutAndSaysSo) {
  write_file(folder_.path("auth.log"), std::string(9000, 'x') + "\n");
  settings_.evidence->bytes_max = 4096;
  const auto done = collect({"logs"});
  EXPECT_EQ(bytes_of(done), std::string(4096, 'x'));
  EXPECT_EQ(piece_of(done)["whole"], json::Value(false));
}

TEST_F(Evidence, ProcessesAreThereWithWhatTheyWereCalledWith) {
  Process process({"/bin/sleep", "600.25"}, folder_.path("output"));
  ASSERT_TRUE(becomes_true([&] {
    return read_file("/proc/" + std::to_string(process.id()) + "/cmdline").contains("600.25");
  }));
  const std::string bytes = bytes_of(collect({"processes"}));
  bool found = false;
  for (const std::string_view line : split(trim(bytes), '\n')) {
    const auto one = json::parse(line);
    ASSERT_TRUE(one) << line;
    if (one->integer("id") != process.id()) continue;
    found = true;
    EXPECT_EQ(one->text("command"), "/bin/sleep 600.25");
    EXPECT_EQ(one->integer("parent"), ::getpid());
    EXPECT_EQ(one->integer("uid"), static_cast<std::int64_t>(::geteuid()));
  }
  EXPECT_TRUE(found);
}

TEST_F(Evidence, ListeningSocketsAreThere) {
  if (!std::filesystem::exists(settings_.evidence->ss)) GTEST_SKIP() << "there is no ss";
  Socket server("127.0.0.1", 0);
  ASSERT_TRUE(server.listen());
  EXPECT_TRUE(
      bytes_of(collect({"sockets"})).contains("127.0.0.1:" + std::to_string(server.port()) + " "));
}

TEST_F(Evidence, SessionsAndTheFirewallAreAskedForByTheirPrograms) {
  if (::geteuid() != 0 || !std::filesystem::exists(settings_.evidence->nft)) {
    GTEST_SKIP() << "only root reads the firewall, with nft";
  }
  const auto rules = json::parse(bytes_of(collect({"firewall"})));
  ASSERT_TRUE(rules);
  EXPECT_NE((*rules)["nftables"].as_array(), nullptr);
  EXPECT_EQ(piece_of(collect({"sessions"})).text("of"), "/usr/bin/who");
}

TEST_F(Evidence, WhatCannotBeTakenDoesNotKeepTheRestFromIt) {
  settings_.evidence->ss = "/nonexistent/ss";
  const auto done = collect({"sockets", "logs"});
  EXPECT_EQ(piece_of(done).text("kind"), "logs");
  ASSERT_EQ(done->at("failed").as_array()->size(), 1U);
  EXPECT_EQ(done->at("failed").as_array()->front(),
            json::Value("sockets: /nonexistent/ss: No such file or directory"));
  EXPECT_FALSE(collect({"sockets"}));
}

TEST_F(Evidence, OtherKindsAreRefusedAndNothingIsTaken) {
  for (const json::Array& kinds : {json::Array{}, json::Array{"logs", "secrets"}}) {
    const auto done = collect(kinds);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, Code::invalid);
  }
  EXPECT_FALSE(std::filesystem::exists(folder_.path("evidence")));
}

TEST_F(Evidence, AFileOfThatNameThatIsAnotherIsNoEvidence) {
  const json::Value piece = piece_of(collect({"logs"}));
  write_file(piece.text("file"), "something else");
  const auto done = collect({"logs"});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::denied);
}

}  // namespace
}  // namespace mailwarden::respond
