// effects.yaml as it is read, and every mistake in it.
#include <set>

#include "base/text.h"
#include "respond/effect_settings.h"
#include "tests/respond/effects.h"

namespace mailwarden::respond {
namespace {

TEST(EffectsFile, AnEmptyOneHasEverythingOff) {
  for (const char* text : {"", "# nothing\n", "---\n"}) {
    const auto settings = parse_effects(text, "effects.yaml");
    ASSERT_TRUE(settings) << settings.error().what;
    EXPECT_FALSE(settings->accounts || settings->firewall || settings->mail ||
                 settings->campaigns || settings->hosts || settings->evidence || settings->tickets);
  }
}

TEST(EffectsFile, TheShippedOneHasEverythingOff) {
  const std::string text = read_file(source_folder() + "/policies/effects.yaml");
  ASSERT_FALSE(text.empty());
  const auto settings = parse_effects(text, "effects.yaml");
  ASSERT_TRUE(settings) << settings.error().what;
  EXPECT_FALSE(settings->accounts || settings->firewall || settings->mail || settings->campaigns ||
               settings->hosts || settings->evidence || settings->tickets);
}

TEST(EffectsFile, TheExampleInTheShippedOneIsRight) {
  // As its head says: without the first two letters of each line of the example.
  std::string example;
  bool inside = false;
  const std::string text = read_file(source_folder() + "/policies/effects.yaml");
  for (const std::string_view line : split(text, '\n')) {
    inside = inside || line.starts_with("# keep:");
    if (inside && line.size() > 2) example += std::string(line.substr(2)) + "\n";
  }
  const auto settings = parse_effects(example, "effects.yaml");
  ASSERT_TRUE(settings) << settings.error().what;
  EXPECT_TRUE(settings->accounts && settings->firewall && settings->mail && settings->campaigns &&
              settings->hosts && settings->evidence && settings->tickets);
}

TEST(EffectsFile, AllOfItIsRead) {
  const auto settings = parse_effects(R"(
keep: /srv/keep
become: [/usr/bin/sudo, -n, --]
keys: {t: /etc/t.key}
accounts:
  usermod: /a/usermod
  uid_from: 500
  system_accounts: [www-data]
  never: [ann]
  authorized_keys: [keys/mine]
firewall: {table: t1, set: s1, prefix_v4_least: 16, prefix_v6_least: 32, never: [192.0.2.0/24]}
mail: {config_directory: /etc/postfix-out, listing_bytes_max: 10000}
campaigns: {url: "postgresql://core@db/core", stop: "a $1", resume: "b $1", stopped: "c $1"}
hosts:
  known_hosts: /etc/mw/known_hosts
  key_file: /etc/mw/key
  connect_time_out: 9s
  quarantine: /srv/q
  folders: [/srv, /home]
  file_bytes_max: 5
  files_max: 6
  scan: /usr/bin/mailwarden
  rules: [/usr/share/r]
  list: [{name: local}, {name: web1, address: web1.example.com, port: 2222, user: mw}]
evidence: {folder: /srv/e, log_files: [/var/log/auth.log], lines: 7, bytes_max: 8192}
tickets:
  url: https://t.example/x
  sign_with: t
  token_file: /etc/t
  id_member: n
  find: https://t.example/f
)",
                                      "effects.yaml");
  ASSERT_TRUE(settings) << settings.error().what;
  EXPECT_EQ(settings->keep, "/srv/keep");
  EXPECT_EQ(settings->become, (std::vector<std::string>{"/usr/bin/sudo", "-n", "--"}));
  EXPECT_EQ(settings->keys.at("t"), "/etc/t.key");
  EXPECT_EQ(settings->accounts->usermod, "/a/usermod");
  EXPECT_EQ(settings->accounts->userdel, "/usr/sbin/userdel");
  EXPECT_EQ(settings->accounts->uid_from, 500);
  EXPECT_EQ(settings->accounts->system_accounts, std::set<std::string>{"www-data"});
  EXPECT_EQ(settings->accounts->never, std::set<std::string>{"ann"});
  EXPECT_EQ(settings->accounts->authorized_keys, std::vector<std::string>{"keys/mine"});
  EXPECT_EQ(settings->firewall->table, "t1");
  EXPECT_EQ(settings->firewall->set, "s1");
  EXPECT_EQ(settings->firewall->prefix_v4_least, 16);
  EXPECT_EQ(settings->firewall->prefix_v6_least, 32);
  EXPECT_EQ(settings->firewall->never.at(0), parse_range("192.0.2.0/24").value());
  EXPECT_EQ(settings->mail->config_directory, "/etc/postfix-out");
  EXPECT_EQ(settings->mail->listing_bytes_max, 10000);
  EXPECT_EQ(settings->campaigns->url, "postgresql://core@db/core");
  EXPECT_EQ(settings->campaigns->stop, "a $1");
  EXPECT_EQ(settings->campaigns->resume, "b $1");
  EXPECT_EQ(settings->campaigns->stopped, "c $1");
  EXPECT_EQ(settings->hosts->known_hosts, "/etc/mw/known_hosts");
  EXPECT_EQ(settings->hosts->key_file, "/etc/mw/key");
  EXPECT_EQ(settings->hosts->connect_time_out, std::chrono::seconds(9));
  EXPECT_EQ(settings->hosts->quarantine, "/srv/q");
  EXPECT_EQ(settings->hosts->folders, (std::vector<std::string>{"/srv", "/home"}));
  EXPECT_EQ(settings->hosts->file_bytes_max, 5);
  EXPECT_EQ(settings->hosts->files_max, 6);
  EXPECT_EQ(settings->hosts->scan, "/usr/bin/mailwarden");
  EXPECT_EQ(settings->hosts->rules, std::vector<std::string>{"/usr/share/r"});
  ASSERT_EQ(settings->hosts->hosts.size(), 2U);
  EXPECT_EQ(settings->hosts->hosts[0].address, "");
  EXPECT_EQ(settings->hosts->hosts[1].address, "web1.example.com");
  EXPECT_EQ(settings->hosts->hosts[1].port, 2222);
  EXPECT_EQ(settings->hosts->hosts[1].user, "mw");
  EXPECT_EQ(settings->evidence->folder, "/srv/e");
  EXPECT_EQ(settings->evidence->log_files, std::vector<std::string>{"/var/log/auth.log"});
  EXPECT_EQ(settings->evidence->lines, 7);
  EXPECT_EQ(settings->evidence->bytes_max, 8192);
  EXPECT_EQ(settings->tickets->url, "https://t.example/x");
  EXPECT_EQ(settings->tickets->sign_with, "t");
  EXPECT_EQ(settings->tickets->token_file, "/etc/t");
  EXPECT_EQ(settings->tickets->id_member, "n");
  EXPECT_EQ(settings->tickets->find, "https://t.example/f");
}

TEST(EffectsFile, AMistakeIsToldWithItsLine) {
  struct Case {
    const char* text;
    const char* says;
  };
  for (const Case& c : {
           Case{"other: 1", "line 1: 'other' is not known in the file"},
           Case{"keep: here", "line 1: 'keep' must be an absolute path"},
           Case{"become: [sudo]", "'become' must begin with a program's absolute path"},
           Case{"keys: [a]", "'keys' must be a map"},
           Case{"keys: {\"a b\": /x/y}", "'a b' is no name of a key"},
           Case{"keys: {a: y}", "'a' must be an absolute path"},
           Case{"accounts:", "accounts must be a map"},
           Case{"accounts: {usermod: usermod}", "'usermod' must be an absolute path"},
           Case{"accounts: {uid_from: 0}", "'uid_from' must be a number from 1"},
           Case{"accounts: {authorized_keys: [../x]}", "must be paths below a home"},
           Case{"accounts: {authorized_keys: [/etc/keys]}", "must be paths below a home"},
           Case{"firewall: {}", "'never' must be a list"},
           Case{"firewall: {never: [x]}", "'x' is no address"},
           Case{"firewall: {never: [::1], table: \"a b\"}", "'table' must be up to 24 letters"},
           Case{"firewall: {never: [::1], set: 1a}", "'set' must be up to 24 letters"},
           Case{"firewall: {never: [::1], prefix_v4_least: 0}", "'prefix_v4_least' must be"},
           Case{"mail: {config_directory: etc}", "'config_directory' must be an absolute path"},
           Case{"campaigns: {}", "'url' must be a text"},
           Case{"campaigns: {url: \"sqlite:/x\", stop: $1, resume: $1, stopped: $1}",
                "'url' must be that of a PostgreSQL database"},
           Case{"campaigns: {url: \"postgresql://a@b/c\", stop: x, resume: $1, stopped: $1}",
                "'stop' must hold $1"},
           Case{"hosts: {folders: [/srv], list: [{name: web}]}", "a host needs an 'address'"},
           Case{"hosts: {folders: [/srv], list: [{name: local, address: a}]}", "has none"},
           Case{"hosts: {folders: [/srv], list: [{name: web, address: a}]}",
                "need 'known_hosts' and 'key_file'"},
           Case{"hosts: {folders: [/srv], known_hosts: /a/b, key_file: /a/b, list: [{name: web, "
                "address: -oProxyCommand=x}]}",
                "is no host's name"},
           Case{"hosts: {folders: [/srv], known_hosts: /a/b, key_file: /a/b, list: [{name: web, "
                "address: a, user: -x}]}",
                "'-x' is no account's name"},
           Case{"hosts: {folders: [/srv], list: [{name: local}, {name: local}]}",
                "there are two hosts 'local'"},
           Case{"hosts: {folders: [/srv], known_hosts: \"/a b\", list: [{name: local}]}",
                "'known_hosts' must be an absolute path of letters"},
           Case{"hosts: {folders: [srv], list: [{name: local}]}", "'folders' must be at most"},
           Case{"hosts: {list: [{name: local}]}", "'folders' must be a list"},
           Case{"hosts: {folders: [/srv]}", "'list' must be a list"},
           Case{"evidence: {}", "'folder' must be a text"},
           Case{"evidence: {folder: /e/e, lines: 0}", "'lines' must be a number"},
           Case{"tickets: {}", "'url' must be a text"},
           Case{"tickets: {url: \"http://t.example\"}", "'url' must be https"},
           Case{"tickets: {url: \"https://t.example\", sign_with: k}", "'keys' has no 'k'"},
           Case{"a: 1\n---\nb: 2", "must hold one document"},
           Case{"a: [", "effects.yaml, line"},
       }) {
    const auto settings = parse_effects(c.text, "effects.yaml");
    ASSERT_FALSE(settings) << c.text;
    EXPECT_EQ(settings.error().code, Code::invalid) << c.text;
    EXPECT_NE(settings.error().what.find(c.says), std::string::npos) << c.text << "\n"
                                                                     << settings.error().what;
  }
}

TEST(EffectsFile, AllMistakesAreToldTogether) {
  const auto settings = parse_effects("keep: a\nmail: {postqueue: b}\nevidence: {}\n", "e.yaml");
  ASSERT_FALSE(settings);
  for (const char* line : {"e.yaml, line 1: ", "e.yaml, line 2: ", "e.yaml, line 3: "}) {
    EXPECT_NE(settings.error().what.find(line), std::string::npos) << settings.error().what;
  }
}

}  // namespace
}  // namespace mailwarden::respond
