// Keys in homes whose owners may be the attackers.
#include <filesystem>

#include <sys/stat.h>

#include "crypto/sha256.h"
#include "json/base64.h"
#include "tests/respond/effects.h"

namespace mailwarden::respond {
namespace {

constexpr uid_t ann = 4001;

// The public part of an ssh-ed25519 key (RFC 8709): name and 32 bytes, each with its length.
std::string blob_of(char filling) {
  const std::string name = "ssh-ed25519";
  return std::string("\0\0\0\x0b", 4) + name + std::string("\0\0\0\x20", 4) +
         std::string(32, filling);
}
std::string key_of(char filling) {
  return "ssh-ed25519 " + json::to_base64(blob_of(filling));
}
std::string fingerprint_of(char filling) {
  const auto digest = crypto::sha256(blob_of(filling));
  std::string text = json::to_base64({reinterpret_cast<const char*>(digest.data()), digest.size()});
  text.erase(text.find('='));
  return "SHA256:" + text;
}

class SshKeys : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "only root writes into homes of others";
    std::filesystem::create_directories(folder_.path("root/etc"));
    std::filesystem::create_directories(home(".ssh"));
    write_file(folder_.path("root/etc/passwd"), "ann:x:4001:4001::/home/ann:/bin/bash\n");
    own(home(""));
    own(home(".ssh"));
    settings_.keep = folder_.path("keep");
    settings_.accounts = AccountEffects{.root = folder_.path("root")};
  }

  std::string home(const std::string& name) const { return folder_.path("root/home/ann/" + name); }
  static void own(const std::string& path) { ASSERT_EQ(::lchown(path.c_str(), ann, ann), 0); }
  void put(const std::string& name, const std::string& text) const {
    write_file(home(name), text);
    own(home(name));
    ASSERT_EQ(::chmod(home(name).c_str(), 0640), 0);
  }
  Result<json::Object> perform(const std::string& action, char key) const {
    return perform_action(call(action, {{"account", "ann"}, {"fingerprint", fingerprint_of(key)}}),
                          settings_);
  }
  bool holds(const std::string& action, char key) const {
    const auto answer = probe_action(
        call(action, {{"account", "ann"}, {"fingerprint", fingerprint_of(key)}}), settings_);
    EXPECT_TRUE(answer) << answer.error().what;
    return answer.value_or(false);
  }

  TemporaryFolder folder_;
  EffectSettings settings_;
};

TEST_F(SshKeys, TheFingerprintIsSshKeygens) {
  write_file(folder_.path("key.pub"), key_of('a') + " comment\n");
  EXPECT_NE(output_of({"/usr/bin/ssh-keygen", "-lf", folder_.path("key.pub")})
                .find(fingerprint_of('a') + " "),
            std::string::npos);
}

TEST_F(SshKeys, EachLineOfTheKeyGoesAndComesBack) {
  const std::string others = "# " + key_of('b') + "\n\n" + key_of('c') + " cleo\n";
  const std::string plain = key_of('a') + " ann@laptop";
  const std::string limited =
      "from=\"192.0.2.0/24\",command=\"echo \\\"a b\\\"\" " + key_of('a') + "\r";
  put(".ssh/authorized_keys", others + plain + "\n" + limited);
  put(".ssh/authorized_keys2", plain + "\n");
  EXPECT_FALSE(holds("remove_ssh_key", 'a'));
  for (int time = 0; time < 2; ++time) {
    const auto done = perform("remove_ssh_key", 'a');
    ASSERT_TRUE(done) << done.error().what;
    EXPECT_EQ(read_file(home(".ssh/authorized_keys")), others);
    EXPECT_EQ(read_file(home(".ssh/authorized_keys2")), "");
    EXPECT_TRUE(holds("remove_ssh_key", 'a'));
    EXPECT_FALSE(holds("restore_ssh_key", 'a'));
  }
  struct stat status{};
  ASSERT_EQ(::stat(home(".ssh/authorized_keys").c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, ann);
  EXPECT_EQ(status.st_gid, ann);
  EXPECT_EQ(status.st_mode & 07777, 0640U);
  for (int time = 0; time < 2; ++time) {
    const auto done = perform("restore_ssh_key", 'a');
    ASSERT_TRUE(done) << done.error().what;
    EXPECT_EQ(read_file(home(".ssh/authorized_keys")), others + plain + "\n" + limited + "\n");
    EXPECT_EQ(read_file(home(".ssh/authorized_keys2")), plain + "\n");
    EXPECT_TRUE(holds("restore_ssh_key", 'a'));
  }
}

TEST_F(SshKeys, AKeyThatCameBackDoesNotMakeTheFirstForgotten) {
  put(".ssh/authorized_keys", key_of('a') + " first\n");
  ASSERT_TRUE(perform("remove_ssh_key", 'a'));
  put(".ssh/authorized_keys", key_of('a') + " second\n");
  ASSERT_TRUE(perform("remove_ssh_key", 'a'));
  // The attacker has removed the file meanwhile; it is made anew as it was.
  std::filesystem::remove(home(".ssh/authorized_keys"));
  ASSERT_TRUE(perform("restore_ssh_key", 'a'));
  EXPECT_EQ(read_file(home(".ssh/authorized_keys")),
            key_of('a') + " first\n" + key_of('a') + " second\n");
  struct stat status{};
  ASSERT_EQ(::stat(home(".ssh/authorized_keys").c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, ann);
  EXPECT_EQ(status.st_mode & 07777, 0640U);
}

TEST_F(SshKeys, WhatWasNeverTakenIsNotGivenBack) {
  put(".ssh/authorized_keys", key_of('b') + "\n");
  const auto done = perform("restore_ssh_key", 'a');
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::denied);
  EXPECT_EQ(read_file(home(".ssh/authorized_keys")), key_of('b') + "\n");
}

TEST_F(SshKeys, NoHomeOrFileIsNothingToTake) {
  EXPECT_TRUE(perform("remove_ssh_key", 'a'));
  std::filesystem::remove_all(home(".ssh"));
  EXPECT_TRUE(perform("remove_ssh_key", 'a'));
  EXPECT_TRUE(holds("remove_ssh_key", 'a'));
}

TEST_F(SshKeys, LinksOfTheOwnerLeadNowhere) {
  struct Case {
    const char* name;
    std::function<void()> trick;
  };
  const std::string victim = folder_.path("victim");
  const std::string text = key_of('a') + "\n";
  for (const Case& c :
       {Case{"a symbolic link for the file",
             [&] { std::filesystem::create_symlink(victim, home(".ssh/authorized_keys")); }},
        Case{"a hard link for the file",
             [&] { std::filesystem::create_hard_link(victim, home(".ssh/authorized_keys")); }},
        Case{"a symbolic link for the folder",
             [&] {
               std::filesystem::remove_all(home(".ssh"));
               std::filesystem::create_directories(folder_.path("elsewhere"));
               write_file(folder_.path("elsewhere/authorized_keys"), text);
               std::filesystem::create_directory_symlink(folder_.path("elsewhere"), home(".ssh"));
             }},
        Case{"a pipe for the file",
             [&] { ASSERT_EQ(::mkfifo(home(".ssh/authorized_keys").c_str(), 0600), 0); }},
        Case{"a folder of somebody else", [&] {
               put(".ssh/authorized_keys", text);
               ASSERT_EQ(::chown(home(".ssh").c_str(), 4444, 4444), 0);
             }}}) {
    SCOPED_TRACE(c.name);
    write_file(victim, text);
    std::filesystem::remove_all(home(".ssh"));
    std::filesystem::create_directories(home(".ssh"));
    own(home(".ssh"));
    c.trick();
    const auto done = perform("remove_ssh_key", 'a');
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, Code::denied) << done.error().what;
    EXPECT_EQ(read_file(victim), text);
    std::error_code ignored;
    if (std::filesystem::exists(folder_.path("elsewhere"), ignored)) {
      EXPECT_EQ(read_file(folder_.path("elsewhere/authorized_keys")), text);
    }
  }
}

TEST_F(SshKeys, ALinkInTheWayOfTheNewFileIsNotFollowed) {
  const std::string victim = folder_.path("victim");
  write_file(victim, "precious");
  put(".ssh/authorized_keys", key_of('a') + "\n");
  std::filesystem::create_symlink(victim, home(".ssh/authorized_keys.mailwarden"));
  ASSERT_TRUE(perform("remove_ssh_key", 'a'));
  EXPECT_EQ(read_file(victim), "precious");
  EXPECT_EQ(read_file(home(".ssh/authorized_keys")), "");
}

TEST_F(SshKeys, OtherFingerprintsAreRefused) {
  for (const char* wrong : {"MD5:aa:bb", "SHA256:", "SHA256:AAAA", "SHA256:../../etc",
                            "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB"}) {
    const auto done = perform_action(
        call("remove_ssh_key", {{"account", "ann"}, {"fingerprint", wrong}}), settings_);
    ASSERT_FALSE(done) << wrong;
    EXPECT_EQ(done.error().code, Code::invalid) << wrong;
  }
}

}  // namespace
}  // namespace mailwarden::respond
