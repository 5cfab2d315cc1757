// Accounts: private files of accounts, and one real account that signs in and is thrown out.
#include <filesystem>

#include <sys/stat.h>

#include "respond/account_processes.h"
#include "tests/respond/sshd.h"

namespace mailwarden::respond {
namespace {

constexpr const char* hash = "$6$salt$0123456789abcdef";

// usermod changes what stands below a folder as it changes /etc, and wants to be root for it.
class PrivateAccounts : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "only root changes accounts";
    std::filesystem::create_directories(folder_.path("root/etc"));
    std::filesystem::create_directories(folder_.path("root/home/ann"));
    write_file(folder_.path("root/etc/passwd"),
               "root:x:0:0:root:/root:/bin/bash\ntoor:x:0:0:root:/root:/bin/bash\n"
               "www-data:x:33:33::/var/www:/usr/sbin/nologin\n"
               "ann:x:4001:4001::/home/ann:/bin/bash\nben:x:4002:4002::/home/ben:/bin/bash\n"
               "cleo:x:4003:4003::/home/cleo:/bin/bash\n");
    write_file(folder_.path("root/etc/group"), "root:x:0:\nann:x:4001:\nben:x:4002:\n");
    set_shadow("");
    settings_.keep = folder_.path("keep");
    settings_.accounts = AccountEffects{.root = folder_.path("root"), .never = {"cleo"}};
  }

  void set_shadow(const std::string& ann) {
    const std::string text = ann.empty() ? std::string("ann:") + hash + ":20000:0:99999:7:::" : ann;
    write_file(folder_.path("root/etc/shadow"),
               "root:*:20000:0:99999:7:::\ntoor:*:20000:0:99999:7:::\n"
               "www-data:*:20000:0:99999:7:::\n" +
                   text + "\nben:*:20000:0:99999:7:::\ncleo:*:20000:0:99999:7:::\n");
  }
  std::string line(const std::string& file, const std::string& name) const {
    const std::string text = read_file(folder_.path("root/etc/" + file));
    const std::size_t at = ("\n" + text).find("\n" + name + ":");
    return at == std::string::npos ? "" : text.substr(at, text.find('\n', at) - at);
  }
  Result<json::Object> perform(const std::string& action, const std::string& account) const {
    return perform_action(call(action, {{"account", account}}), settings_);
  }
  bool holds(const std::string& action, const std::string& account) const {
    const auto answer = probe_action(call(action, {{"account", account}}), settings_);
    EXPECT_TRUE(answer) << answer.error().what;
    return answer.value_or(false);
  }

  TemporaryFolder folder_;
  EffectSettings settings_;
};

TEST_F(PrivateAccounts, WhatSuspendingTookIsGivenBackAndNothingElse) {
  struct Case {
    const char* name;
    std::string before;
    std::string suspended;
    std::string after;
  };
  const std::string h = hash;
  for (const Case& c :
       {Case{"with a password", "ann:" + h + ":20000:0:99999:7:::",
             "ann:!" + h + ":20000:0:99999:7::1:", "ann:" + h + ":20000:0:99999:7:::"},
        Case{"with an expiry date", "ann:" + h + ":20000:0:99999:7::21500:",
             "ann:!" + h + ":20000:0:99999:7::1:", "ann:" + h + ":20000:0:99999:7::21500:"},
        Case{"locked by an administrator", "ann:!" + h + ":20000:0:99999:7:::",
             "ann:!" + h + ":20000:0:99999:7::1:", "ann:!" + h + ":20000:0:99999:7:::"},
        Case{"with keys alone",
             "ann:!:20000:0:99999:7:::", "ann:!:20000:0:99999:7::1:", "ann:!:20000:0:99999:7:::"},
        Case{"without any password",
             "ann::20000:0:99999:7:::", "ann:!:20000:0:99999:7::1:", "ann:!:20000:0:99999:7:::"}}) {
    SCOPED_TRACE(c.name);
    set_shadow(c.before);
    EXPECT_FALSE(holds("suspend_account", "ann"));
    // The second time changes nothing, and does not take the first for what was there before.
    for (int time = 0; time < 2; ++time) {
      const auto done = perform("suspend_account", "ann");
      ASSERT_TRUE(done) << done.error().what;
      EXPECT_EQ(line("shadow", "ann"), c.suspended);
      EXPECT_TRUE(holds("suspend_account", "ann"));
      EXPECT_FALSE(holds("unlock_account", "ann"));
    }
    for (int time = 0; time < 2; ++time) {
      const auto done = perform("unlock_account", "ann");
      ASSERT_TRUE(done) << done.error().what;
      EXPECT_EQ(line("shadow", "ann"), c.after);
      EXPECT_TRUE(holds("unlock_account", "ann"));
    }
  }
}

TEST_F(PrivateAccounts, OneThatSomebodyElseSuspendedStaysSuspended) {
  set_shadow("ann:!x:20000:0:99999:7::1:");
  const auto done = perform("unlock_account", "ann");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::denied);
  EXPECT_EQ(done.error().what, "'ann' was suspended by somebody else");
  EXPECT_EQ(line("shadow", "ann"), "ann:!x:20000:0:99999:7::1:");
}

TEST_F(PrivateAccounts, WhatSomebodyChangedBetweenTwoSuspensionsCounts) {
  ASSERT_TRUE(perform("suspend_account", "ann"));
  const std::string changed = std::string("ann:") + hash + ":20000:0:99999:7::22000:";
  set_shadow(changed);
  ASSERT_TRUE(perform("suspend_account", "ann"));
  ASSERT_TRUE(perform("unlock_account", "ann"));
  EXPECT_EQ(line("shadow", "ann"), changed);
}

TEST_F(PrivateAccounts, WhatAnAdministratorGaveBackMeanwhileStaysAsItIs) {
  struct Case {
    const char* name;
    std::string changed;
    std::string after;
  };
  const std::string h = hash;
  for (const Case& c :
       {Case{"a new expiry date",
             "ann:!" + h + ":20000:0:99999:7::22000:", "ann:" + h + ":20000:0:99999:7::22000:"},
        Case{"the password",
             "ann:" + h + ":20000:0:99999:7::1:", "ann:" + h + ":20000:0:99999:7::21500:"},
        Case{"both", "ann:" + h + ":20000:0:99999:7:::", "ann:" + h + ":20000:0:99999:7:::"}}) {
    SCOPED_TRACE(c.name);
    set_shadow("ann:" + h + ":20000:0:99999:7::21500:");
    ASSERT_TRUE(perform("suspend_account", "ann"));
    set_shadow(c.changed);
    ASSERT_TRUE(perform("unlock_account", "ann"));
    EXPECT_EQ(line("shadow", "ann"), c.after);
    EXPECT_TRUE(holds("unlock_account", "ann"));
  }
}

TEST_F(PrivateAccounts, AnotherAccountOfThatNameIsNotGivenWhatTheFirstHad) {
  ASSERT_TRUE(perform("suspend_account", "ann"));
  std::string passwd = read_file(folder_.path("root/etc/passwd"));
  passwd.replace(passwd.find("4001"), 4, "4009");
  write_file(folder_.path("root/etc/passwd"), passwd);
  const auto done = perform("unlock_account", "ann");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::denied);
  EXPECT_NE(done.error().what.find("had the uid 4001"), std::string::npos) << done.error().what;
}

TEST_F(PrivateAccounts, WhatMustNotBeTouchedIsRefused) {
  struct Case {
    const char* account;
    Code code;
    const char* says;
  };
  const std::string before = read_file(folder_.path("root/etc/shadow"));
  for (const char* action :
       {"suspend_account", "unlock_account", "end_sessions", "remove_account"}) {
    for (const Case& c :
         {Case{"root", Code::denied, "is root"}, Case{"toor", Code::denied, "is root"},
          Case{"www-data", Code::denied, "'system_accounts'"},
          Case{"cleo", Code::denied, "'never'"}, Case{"--root=/tmp", Code::invalid, "no account's"},
          Case{"-R", Code::invalid, "no account's"},
          Case{"ann\nben", Code::invalid, "no account's"},
          Case{"ann:ben", Code::invalid, "no account's"},
          Case{"../ann", Code::invalid, "no account's"}}) {
      const auto done = perform(action, c.account);
      ASSERT_FALSE(done) << action << " " << c.account;
      EXPECT_EQ(done.error().code, c.code) << action << " " << c.account;
      EXPECT_NE(done.error().what.find(c.says), std::string::npos) << done.error().what;
    }
  }
  EXPECT_EQ(read_file(folder_.path("root/etc/shadow")), before);
}

TEST_F(PrivateAccounts, ASystemAccountIsTouchedWhereASettingNamesIt) {
  settings_.accounts->system_accounts = {"www-data"};
  ASSERT_TRUE(perform("suspend_account", "www-data"));
  EXPECT_EQ(line("shadow", "www-data"), "www-data:!*:20000:0:99999:7::1:");
  ASSERT_TRUE(perform("unlock_account", "www-data"));
  EXPECT_EQ(line("shadow", "www-data"), "www-data:*:20000:0:99999:7:::");
}

TEST_F(PrivateAccounts, OneThatIsRemovedLeavesItsHome) {
  EXPECT_FALSE(holds("remove_account", "ann"));
  for (int time = 0; time < 2; ++time) {
    const auto done = perform("remove_account", "ann");
    ASSERT_TRUE(done) << done.error().what;
    EXPECT_EQ(line("passwd", "ann"), "");
    EXPECT_EQ(line("shadow", "ann"), "");
    EXPECT_TRUE(holds("remove_account", "ann"));
  }
  EXPECT_TRUE(std::filesystem::is_directory(folder_.path("root/home/ann")));
  EXPECT_NE(line("passwd", "ben"), "");
}

TEST_F(PrivateAccounts, AFileOfAccountsThatAnotherHoldsIsTriedAgain) {
  // As the shadow suite leaves it while it writes: a lock with the number of a process that lives.
  write_file(folder_.path("root/etc/passwd.lock"), std::to_string(::getpid()));
  const auto done = perform_action({.action = "suspend_account",
                                    .arguments = {{"account", "ann"}},
                                    .key = "k",
                                    .time_out = std::chrono::seconds(60)},
                                   settings_);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::unavailable) << done.error().what;
}

TEST(Accounts, AreOffWithoutTheirSettings) {
  const auto done = perform_action(call("suspend_account", {{"account", "ann"}}), {});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::denied);
  EXPECT_NE(done.error().what.find("no part 'accounts'"), std::string::npos) << done.error().what;
}

// An account of this machine that is gone when the test is.
class RealAccount : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "only root makes accounts";
    name_ = "mwtest" + std::to_string(::getpid());
    made_ = runs({"/usr/sbin/useradd", "--create-home", "--home-dir", folder_.path("home"),
                  "--password", hash, "--shell", "/bin/sh", "--", name_});
    ASSERT_TRUE(made_);
    // The account must reach its own home.
    std::filesystem::permissions(folder_.path(), std::filesystem::perms(0755));
    settings_.keep = folder_.path("keep");
    settings_.accounts = AccountEffects{};
    uid_ = ::getpwnam(name_.c_str())->pw_uid;
  }
  void TearDown() override {
    if (made_) runs({"/usr/sbin/userdel", "--force", "--", name_});
  }

  Result<json::Object> perform(const std::string& action) const {
    return perform_action(call(action, {{"account", name_}}), settings_);
  }
  // The account may sign in with the key "user_key" of the server's folder.
  void give_key(const Sshd& server) const {
    server.make_key("user_key");
    const std::string ssh = folder_.path("home/.ssh");
    std::filesystem::create_directory(ssh);
    write_file(ssh + "/authorized_keys", read_file(server.path("user_key.pub")));
    ASSERT_EQ(::chown(ssh.c_str(), uid_, uid_), 0);
    ASSERT_EQ(::chown((ssh + "/authorized_keys").c_str(), uid_, uid_), 0);
  }

  TemporaryFolder folder_;
  EffectSettings settings_;
  std::string name_;
  uid_t uid_ = 0;
  bool made_ = false;
};

TEST_F(RealAccount, SignsInNeitherByKeyNorBySuWhileItIsSuspended) {
  if (!std::filesystem::exists(Sshd::program)) GTEST_SKIP() << "there is no sshd";
  const Sshd server(folder_, "");
  ASSERT_TRUE(server.is_up()) << server.log();
  give_key(server);
  const auto signs_in = [&] { return runs(server.client(name_, "user_key", "true")); };
  const auto switches = [&] { return runs({"/bin/su", "-s", "/bin/sh", "-c", "true", name_}); };
  ASSERT_TRUE(signs_in()) << server.log();
  ASSERT_TRUE(switches());
  // A session that is open, and a process that has left its session.
  Process session(server.client(name_, "user_key", "setsid sleep 600 & exec sleep 600"),
                  folder_.path("session"));
  const auto count = [&] { return processes_of(uid_).value_or(std::vector<pid_t>()).size(); };
  ASSERT_TRUE(becomes_true([&] { return count() >= 3; })) << server.log();

  const auto suspended = perform("suspend_account");
  ASSERT_TRUE(suspended) << suspended.error().what;
  EXPECT_FALSE(signs_in());
  EXPECT_FALSE(switches());
  EXPECT_GE(count(), 3U);  // suspending ends nothing

  EXPECT_FALSE(probe_action(call("end_sessions", {{"account", name_}}), settings_).value_or(true));
  const auto ended = perform("end_sessions");
  ASSERT_TRUE(ended) << ended.error().what;
  EXPECT_EQ(count(), 0U);
  EXPECT_EQ(session.wait(), 255) << read_file(folder_.path("session"));  // cut off
  EXPECT_TRUE(probe_action(call("end_sessions", {{"account", name_}}), settings_).value_or(false));

  const auto back = perform("unlock_account");
  ASSERT_TRUE(back) << back.error().what;
  EXPECT_TRUE(signs_in()) << server.log();
  EXPECT_TRUE(switches());
}

TEST_F(RealAccount, DoesNotSignInWithAKeyThatWasTaken) {
  if (!std::filesystem::exists(Sshd::program)) GTEST_SKIP() << "there is no sshd";
  const Sshd server(folder_, "");
  ASSERT_TRUE(server.is_up()) << server.log();
  give_key(server);
  const json::Object key{{"account", name_}, {"fingerprint", server.fingerprint("user_key")}};
  const auto signs_in = [&] { return runs(server.client(name_, "user_key", "true")); };
  ASSERT_TRUE(signs_in()) << server.log();
  const auto taken = perform_action(call("remove_ssh_key", key), settings_);
  ASSERT_TRUE(taken) << taken.error().what;
  EXPECT_FALSE(signs_in());
  const auto back = perform_action(call("restore_ssh_key", key), settings_);
  ASSERT_TRUE(back) << back.error().what;
  EXPECT_TRUE(signs_in()) << server.log();
}

TEST_F(RealAccount, OneWithProcessesIsNotRemovedUntilTheyHaveEnded) {
  const std::string uid = std::to_string(uid_);
  Process process(
      {"/usr/bin/setpriv", "--reuid", uid, "--regid", uid, "--clear-groups", "/bin/sleep", "600"},
      folder_.path("output"));
  ASSERT_TRUE(becomes_true([&] { return processes_of(uid_).value().size() == 1; }));
  const auto early = perform("remove_account");
  ASSERT_FALSE(early);
  EXPECT_EQ(early.error().code, Code::unavailable) << early.error().what;
  ASSERT_TRUE(perform("end_sessions"));
  EXPECT_EQ(process.wait(), 128 + SIGKILL);
  const auto removed = perform("remove_account");
  ASSERT_TRUE(removed) << removed.error().what;
  EXPECT_EQ(::getpwnam(name_.c_str()), nullptr);
  EXPECT_TRUE(std::filesystem::is_directory(folder_.path("home")));
  made_ = false;
}

}  // namespace
}  // namespace mailwarden::respond
