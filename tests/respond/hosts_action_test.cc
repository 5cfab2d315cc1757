// Files on this machine, once without ssh and once through a real server on loopback.
#include <algorithm>
#include <filesystem>

#include <sys/stat.h>

#include "crypto/sha256.h"
#include "respond/host_script.h"
#include "tests/respond/sshd.h"

namespace mailwarden::respond {
namespace {

namespace fs = std::filesystem;

constexpr const char* content = "#!/bin/sh\necho bad\n";

std::string hash_of(const std::string& text) {
  return crypto::to_hex(crypto::sha256(text));
}

class Hosts : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    fs::create_directories(folder_.path("srv/www"));
    settings_.hosts =
        HostEffects{.quarantine = folder_.path("quarantine"), .folders = {folder_.path("srv")}};
    if (std::string(GetParam()) == "local") {
      settings_.hosts->hosts = {{.name = "local", .address = ""}};
      return;
    }
    if (!fs::exists(Sshd::program)) GTEST_SKIP() << "there is no sshd";
    server_ = std::make_unique<Sshd>(folder_, folder_.path("user_key.pub"));
    ASSERT_TRUE(server_->is_up()) << server_->log();
    server_->make_key("user_key");
    settings_.hosts->hosts = {{.name = GetParam(),
                               .address = "127.0.0.1",
                               .port = server_->port(),
                               .user = own_account()}};
    settings_.hosts->known_hosts = folder_.path("known_hosts");
    settings_.hosts->key_file = folder_.path("user_key");
  }

  std::string www(const std::string& name) const { return folder_.path("srv/www/" + name); }
  void put(const std::string& path, const std::string& text = content, unsigned mode = 0755) const {
    write_file(path, text);
    fs::permissions(path, fs::perms(mode));
  }
  ActionCall file_call(const std::string& action, const std::string& path,
                       const std::string& text = content) const {
    return call(action,
                {{"host", std::string(GetParam())}, {"path", path}, {"sha256", hash_of(text)}});
  }
  Result<json::Object> perform(const std::string& action, const std::string& path,
                               const std::string& text = content) const {
    return perform_action(file_call(action, path, text), settings_);
  }
  bool holds(const std::string& action, const std::string& path) const {
    const auto answer = probe_action(file_call(action, path), settings_);
    EXPECT_TRUE(answer) << answer.error().what;
    return answer.value_or(false);
  }
  json::Value sweep(json::Object arguments) const {
    const auto done = perform_action(call("sweep_hosts", std::move(arguments)), settings_);
    EXPECT_TRUE(done) << done.error().what;
    return json::Value(done.value_or(json::Object()));
  }
  static mode_t mode_of(const std::string& path) {
    struct stat status{};
    EXPECT_EQ(::lstat(path.c_str(), &status), 0) << path;
    return status.st_mode & 07777;
  }

  TemporaryFolder folder_;
  EffectSettings settings_;
  std::unique_ptr<Sshd> server_;
};

TEST_P(Hosts, AFileGoesIntoQuarantineAndComesBackAsItWas) {
  put(www("shell.php"), content, 04751);
  EXPECT_FALSE(holds("quarantine_file", www("shell.php")));
  std::string kept;
  for (int time = 0; time < 2; ++time) {
    const auto done = perform("quarantine_file", www("shell.php"));
    ASSERT_TRUE(done) << done.error().what;
    kept = json::Value(*done).text("file");
    EXPECT_FALSE(fs::exists(www("shell.php")));
    EXPECT_TRUE(kept.starts_with(folder_.path("quarantine/") + hash_of(content))) << kept;
    EXPECT_EQ(mode_of(kept), 0U);
    EXPECT_EQ(mode_of(folder_.path("quarantine")), 0700U);
    EXPECT_TRUE(holds("quarantine_file", www("shell.php")));
    EXPECT_FALSE(holds("release_file", www("shell.php")));
  }
  for (int time = 0; time < 2; ++time) {
    const auto done = perform("release_file", www("shell.php"));
    ASSERT_TRUE(done) << done.error().what;
    EXPECT_EQ(read_file(www("shell.php")), content);
    EXPECT_EQ(mode_of(www("shell.php")), 04751U);
    EXPECT_TRUE(fs::is_empty(folder_.path("quarantine")));
    EXPECT_TRUE(holds("release_file", www("shell.php")));
  }
}

TEST_P(Hosts, NoNameOfAFileBreaksOut) {
  const std::string witness = folder_.path("witness");
  for (const std::string& name :
       {std::string("a b"), std::string("it's"), std::string("\"; touch witness; \""),
        std::string("$(touch witness)"), std::string("`touch witness`"), std::string("-rf"),
        std::string("new\nline\n"), std::string("back\\0141slash"), std::string("per%cent%s"),
        std::string("*"), std::string("\x01\x1b[31m\xff\xfe"), std::string("ö")}) {
    SCOPED_TRACE(name);
    put(www(name));
    const auto done = perform("quarantine_file", www(name));
    ASSERT_TRUE(done) << done.error().what;
    EXPECT_FALSE(fs::exists(www(name)));
    const auto back = perform("release_file", www(name));
    ASSERT_TRUE(back) << back.error().what;
    EXPECT_EQ(read_file(www(name)), content);
    fs::remove(www(name));
  }
  EXPECT_FALSE(fs::exists(witness));
  EXPECT_TRUE(fs::is_empty(folder_.path("srv/www")));
}

TEST_P(Hosts, WhatIsNotThatFileStaysWhereItIs) {
  struct Case {
    const char* name;
    std::function<void()> make;
    std::string path;
    const char* says;
  };
  const std::string victim = folder_.path("victim");
  put(victim);
  for (const Case& c :
       {Case{"another content", [&] { put(www("other"), "good"); }, www("other"),
             "another SHA-256"},
        Case{"no file", [] {}, www("none"), "no such file"},
        Case{"a link to such a file", [&] { fs::create_symlink(victim, www("link")); }, www("link"),
             "symbolic link"},
        Case{"a link as a folder",
             [&] { fs::create_directory_symlink(folder_.path(), folder_.path("srv/way")); },
             folder_.path("srv/way/victim"), "symbolic link"},
        Case{"a folder", [&] { fs::create_directory(www("folder")); }, www("folder"),
             "another SHA-256"},
        Case{"a pipe", [&] { ASSERT_EQ(::mkfifo(www("pipe").c_str(), 0600), 0); }, www("pipe"),
             "another SHA-256"},
        Case{"beside the folders", [] {}, victim, "below no folder"},
        Case{"up and out", [] {}, www("../../../victim"), "without . and .."},
        Case{"a folder of that name", [] {}, folder_.path("srv") + "elsewhere/x",
             "below no folder"}}) {
    SCOPED_TRACE(c.name);
    c.make();
    const auto done = perform("quarantine_file", c.path);
    ASSERT_FALSE(done);
    EXPECT_NE(done.error().what.find(c.says), std::string::npos) << done.error().what;
    EXPECT_EQ(read_file(victim), content);
  }
  EXPECT_EQ(read_file(www("other")), "good");
  EXPECT_TRUE(fs::is_symlink(www("link")));
}

TEST_P(Hosts, ATryThatWasCutShortIsGoneOnWith) {
  put(www("x"), content, 0640);
  const auto done = perform("quarantine_file", www("x"));
  ASSERT_TRUE(done) << done.error().what;
  // As it is when the host stops behind the first move, and behind the change of mode.
  const std::string kept = json::Value(*done).text("file");
  for (const unsigned mode : {0640U, 0U}) {
    fs::rename(kept, kept + ".new");
    fs::permissions(kept + ".new", fs::perms(mode));
    EXPECT_FALSE(holds("quarantine_file", www("x")));
    const auto again = perform("quarantine_file", www("x"));
    ASSERT_TRUE(again) << again.error().what;
    EXPECT_EQ(mode_of(kept), 0U);
  }
  ASSERT_TRUE(perform("release_file", www("x")));
  EXPECT_EQ(mode_of(www("x")), 0640U);
}

TEST_P(Hosts, NothingIsPutOverAFileThatStandsThereByNow) {
  put(www("x"));
  ASSERT_TRUE(perform("quarantine_file", www("x")));
  put(www("x"), "new");
  const auto done = perform("release_file", www("x"));
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().what.find("another file stands there"), std::string::npos);
  EXPECT_EQ(read_file(www("x")), "new");
  // What was quarantined stays so; the new file is another matter.
  EXPECT_TRUE(holds("quarantine_file", www("x")));
  EXPECT_TRUE(perform("quarantine_file", www("x")));
  EXPECT_EQ(read_file(www("x")), "new");
}

TEST_P(Hosts, ASweepFindsTheContentWhereverItIs) {
  const std::string host = GetParam();
  put(www("bad.sh"));
  put(www("copy \\of\nit"));
  put(www("good.sh"), "good");
  fs::create_directories(folder_.path("srv/home/ann"));
  put(folder_.path("srv/home/ann/.x"));
  fs::create_symlink(www("bad.sh"), www("link"));
  settings_.hosts->folders.push_back(folder_.path("nowhere"));
  const json::Value found = sweep({{"sha256", hash_of(content)}});
  EXPECT_EQ(found.integer("count"), 3);
  EXPECT_EQ(found["whole"], json::Value(true));
  EXPECT_EQ(found["failed"], json::Value(json::Array()));
  json::Array paths = *found["found"].as_array();
  std::ranges::sort(paths, {}, [](const json::Value& path) { return *path.as_string(); });
  EXPECT_EQ(
      json::Value(paths),
      json::Value(json::Array{host + ":" + folder_.path("srv/home/ann/.x"),
                              host + ":" + www("bad.sh"), host + ":" + www("copy \\of\nit")}));
}

TEST_P(Hosts, ASweepThatReachesALimitSaysSo) {
  for (int i = 0; i < 20; ++i) put(www(std::to_string(i)), std::to_string(i));
  settings_.hosts->files_max = 20;
  EXPECT_EQ(sweep({{"sha256", hash_of("7")}})["whole"], json::Value(true));
  settings_.hosts->files_max = 19;
  EXPECT_EQ(sweep({{"sha256", hash_of("7")}})["whole"], json::Value(false));
  // Larger files are not looked at, by their settings.
  settings_.hosts->files_max = 100;
  put(www("large"), std::string(100, 'x'));
  settings_.hosts->file_bytes_max = 99;
  EXPECT_EQ(sweep({{"sha256", hash_of(std::string(100, 'x'))}}).integer("count"), 0);
  settings_.hosts->file_bytes_max = 100;
  EXPECT_EQ(sweep({{"sha256", hash_of(std::string(100, 'x'))}}).integer("count"), 1);
}

TEST_P(Hosts, ASweepByRulesRunsOurOwnScanner) {
  const std::string scanner = program_folder() + "/mailwarden";
  if (!fs::exists(scanner)) GTEST_SKIP() << "the program mailwarden is not built";
  write_file(folder_.path("rules.yar"),
             "rule bad_shell { strings: $a = \"echo bad\" condition: $a }\n");
  put(www("bad.sh"));
  put(www("good.sh"), "good");
  settings_.hosts->scan = scanner;
  settings_.hosts->rules = {folder_.path("rules.yar")};
  const json::Value found = sweep({});
  EXPECT_EQ(found["found"],
            json::Value(json::Array{std::string(GetParam()) + ":" + www("bad.sh")}));
  EXPECT_EQ(found["whole"], json::Value(true));
  settings_.hosts->rules = {folder_.path("none.yar")};
  const auto done = perform_action(call("sweep_hosts", {}), settings_);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::denied);
}

TEST_P(Hosts, AHostThatDoesNotAnswerDoesNotHideWhatOthersFound) {
  put(www("bad.sh"));
  settings_.hosts->known_hosts = folder_.path("known_hosts");
  settings_.hosts->key_file = folder_.path("user_key");
  settings_.hosts->hosts.push_back(
      {.name = "away", .address = "127.0.0.1", .port = free_port(), .user = "nobody"});
  const json::Value found = sweep({{"sha256", hash_of(content)}});
  EXPECT_EQ(found.integer("count"), 1);
  EXPECT_EQ(found["whole"], json::Value(false));
  ASSERT_EQ(found["failed"].as_array()->size(), 1U);
  EXPECT_TRUE(found["failed"].as_array()->front().as_string()->starts_with("away: "));
  const auto done = perform_action(
      call("sweep_hosts", {{"sha256", hash_of(content)}, {"hosts", json::Array{"away"}}}),
      settings_);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::unavailable) << done.error().what;
}

INSTANTIATE_TEST_SUITE_P(On, Hosts, testing::Values("local", "web1"),
                         [](const auto& one) { return std::string(one.param); });

class SshHost : public Hosts {};

TEST_P(SshHost, AnotherHostsKeyIsRefusedForGood) {
  put(www("x"));
  server_->make_key("other_key");
  const std::string key = read_file(folder_.path("other_key.pub"));
  write_file(folder_.path("known_hosts"), "[127.0.0.1]:" + std::to_string(server_->port()) + " " +
                                              key.substr(0, key.rfind(' ')) + "\n");
  const auto done = perform("quarantine_file", www("x"));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::denied);
  EXPECT_NE(done.error().what.find("Host key verification failed"), std::string::npos);
  EXPECT_TRUE(fs::exists(www("x")));
}

TEST_P(SshHost, AKeyThatTheHostDoesNotKnowIsRefusedForGood) {
  put(www("x"));
  server_->make_key("other_key");
  settings_.hosts->key_file = folder_.path("other_key");
  const auto done = perform("quarantine_file", www("x"));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::denied);
  EXPECT_NE(done.error().what.find("Permission denied"), std::string::npos) << done.error().what;
}

INSTANTIATE_TEST_SUITE_P(On, SshHost, testing::Values("web1"),
                         [](const auto& one) { return std::string(one.param); });

TEST(HostScript, StandsBetweenSingleQuotes) {
  EXPECT_EQ(host_script().find('\''), std::string_view::npos);
}

TEST(HostScript, ItsInputIsLettersDigitsAndOctalNumbers) {
  EXPECT_EQ(host_input({"/a-b_c.d", "e f\n", ""}), "/a-b_c.d\ne\\0040f\\0012\n\n");
}

}  // namespace
}  // namespace mailwarden::respond
