#include "config/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/temporary.h"

namespace mailwarden::config {
namespace {

using namespace std::chrono_literals;

TEST(Config, EverySettingIsAnOption) {
  const auto outcome = parse({"--once",
                              "--store",
                              "sqlite:/tmp/a.db",
                              "--source",
                              "file:/var/log/auth.log*,name=auth,zone=Europe/Berlin,year=2005",
                              "--source",
                              "stdin",
                              "--rules",
                              "a",
                              "--rules",
                              "b",
                              "--pipelines",
                              "e.yaml",
                              "--pipelines",
                              "f.yaml",
                              "--policies",
                              "p",
                              "--reports",
                              "r",
                              "--weasyprint",
                              "/opt/w/weasyprint",
                              "--seal-interval",
                              "5s",
                              "--listen",
                              "[::1]:0",
                              "--access-listen",
                              "0.0.0.0:8443",
                              "--access-listen",
                              "[2001:db8::1]:8443",
                              "--tls-certificate",
                              "c.pem",
                              "--tls-key",
                              "k.pem",
                              "--tls-clients",
                              "ca.pem",
                              "--command",
                              "/usr/bin/true",
                              "--log-level",
                              "debug"},
                             "mail1");
  ASSERT_TRUE(outcome) << outcome.error().what;
  const Config& config = outcome->config;
  EXPECT_TRUE(config.once);
  EXPECT_EQ(config.store, "sqlite:/tmp/a.db");
  EXPECT_EQ(config.origin, "mailwarden/mail1");
  EXPECT_EQ(config.weasyprint, "/opt/w/weasyprint");
  ASSERT_EQ(config.sources.size(), 2U);
  EXPECT_EQ(config.sources[0], (SourceConfig{.name = "auth",
                                             .file = "/var/log/auth.log*",
                                             .decoder = "auto",
                                             .zone = "Europe/Berlin",
                                             .year = "2005",
                                             .mapping = ""}));
  EXPECT_EQ(config.sources[1].name, "stdin");
  EXPECT_EQ(config.rules, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(config.pipelines, (std::vector<std::string>{"e.yaml", "f.yaml"}));
  EXPECT_EQ(config.seal_interval, Duration(5s));
  EXPECT_EQ(config.listen, (std::vector<std::string>{"[::1]:0"}));
  EXPECT_EQ(config.access_listen, (std::vector<std::string>{"0.0.0.0:8443", "[2001:db8::1]:8443"}));
  EXPECT_EQ(config.tls_certificate, "c.pem");
  EXPECT_EQ(config.tls_key, "k.pem");
  EXPECT_EQ(config.tls_clients, "ca.pem");
  EXPECT_EQ(config.log_level, LogLevel::debug);
}

TEST(Config, TheCommandLineWinsOverTheFile) {
  TemporaryFolder folder;
  write_file(folder.path("m.yaml"),
             "store: sqlite:/a.db\n"
             "workers: 3\n"
             "sources_are: x\n");
  const auto refused = parse({"--config", folder.path("m.yaml")}, "h");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().what,
            folder.path("m.yaml") + ", line 3: 'sources_are' is not a setting");
  write_file(folder.path("m.yaml"),
             "store: sqlite:/a.db\n"
             "workers: 3\n"
             "pipelines: [e.yaml]\n"
             "source:\n"
             "  - file: /var/log/mail.log\n"
             "    zone: Europe/Kyiv\n"
             "  - file:/var/log/nginx/access.log,name=web\n");
  const auto outcome = parse({"--config", folder.path("m.yaml"), "--store", "sqlite:/b.db"}, "h");
  ASSERT_TRUE(outcome) << outcome.error().what;
  EXPECT_EQ(outcome->config.store, "sqlite:/b.db");
  EXPECT_EQ(outcome->config.workers, 3U);
  EXPECT_EQ(outcome->config.pipelines, (std::vector<std::string>{"e.yaml"}));
  EXPECT_EQ(outcome->config.sources[0].name, "mail");
  EXPECT_EQ(outcome->config.sources[0].zone, "Europe/Kyiv");
  EXPECT_EQ(outcome->config.sources[1].name, "web");
}

TEST(Config, ReceiversOfCheckpointsHaveANameAndAnInterval) {
  const auto outcome = parse({"--source", "stdin", "--checkpoint-receiver", "mail",
                              "--checkpoint-receiver", "hook,interval=1h", "--next-key", "k2"},
                             "h");
  ASSERT_TRUE(outcome) << outcome.error().what;
  EXPECT_EQ(outcome->config.checkpoint_receivers,
            (std::vector<CheckpointReceiver>{{.name = "mail", .interval = Duration(24h)},
                                             {.name = "hook", .interval = Duration(1h)}}));
  EXPECT_EQ(outcome->config.next_key, "k2");
  const auto refused =
      parse({"--source", "stdin", "--checkpoint-receiver", ",interval=1h", "--checkpoint-receiver",
             "a,colour=red", "--checkpoint-receiver", "b,interval=soon"},
            "h");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().what,
              testing::AllOf(testing::HasSubstr("a receiver has a name"),
                             testing::HasSubstr("'colour' is not interval"),
                             testing::HasSubstr("--checkpoint-receiver: 'soon'")));
  const auto twice = parse({"--source", "stdin", "--checkpoint-receiver", "mail",
                            "--checkpoint-receiver", "mail", "--key", "k", "--next-key", "k"},
                           "h");
  ASSERT_FALSE(twice);
  EXPECT_THAT(twice.error().what,
              testing::AllOf(testing::HasSubstr("two receivers of checkpoints are named 'mail'"),
                             testing::HasSubstr("next-key is the same file as key")));
}

TEST(Config, AllMistakesAreToldTogether) {
  const auto outcome = parse(
      {"--store", "mysql:x", "--seal-interval", "soon", "--listen", "192.0.2.1:80", "--source",
       "tcp:514", "--source", "file:/x,colour=red", "--workers", "-1", "--command", "rm"},
      "h");
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().what,
            "--store: 'mysql:x' is not a store; expected sqlite:PATH or "
            "postgresql://USER@HOST/DATABASE\n"
            "--source: 'tcp:514' is not a source; expected file:GLOB or stdin\n"
            "--source: 'colour' is none of name, decoder, zone, year, mapping\n"
            "--seal-interval: 'soon' is not a span of time like 90s, 15m, 12h, 30d, 2w or 7y\n"
            "--listen: '192.0.2.1' is not a loopback address\n"
            "--command: 'rm' is not an absolute path\n"
            "--workers: '-1' is not a number from 0 to 256");
}

TEST(Config, RefusesWhatItCannotUse) {
  EXPECT_EQ(parse({}, "h").error().what, "no source is given; add --source file:GLOB");
  EXPECT_EQ(parse({"--source", "file:/a/x.log", "--source", "file:/b/x.log"}, "h").error().what,
            "two sources are named 'x'; give one of them another ,name=");
  EXPECT_NE(parse({"--colour"}, "h").error().what.find("--help lists the options"),
            std::string::npos);
  EXPECT_FALSE(parse({"--source", "stdin", "--sto", "sqlite:x"}, "h"));
  EXPECT_EQ(parse({"--config", "/none.yaml", "--source", "stdin"}, "h").error().what,
            "the configuration file /none.yaml cannot be read");
  EXPECT_FALSE(parse_source("file:/x,year=05"));
  EXPECT_FALSE(parse_source("file:/x,name="));
}

TEST(Config, WhoTellsOfPeople) {
  const auto outcome = parse(
      {"--source", "stdin", "--people", "personnel:/srv/hr/people-*.csv,name=hr,limit=7d",
       "--people",
       "google:https://directory.example.com/v1,token=/etc/t,customer=C1,groups=no,ca=/etc/ca,"
       "interval=1h,limit=2h",
       "--people", "google,name=by-hand"},
      "h");
  ASSERT_TRUE(outcome) << outcome.error().what;
  using identity::Teller;
  const std::vector<identity::PeopleSourceOptions> expected{
      {.name = "hr", .place = "/srv/hr/people-*.csv", .limit = std::chrono::days(7)},
      {.name = "google",
       .teller = Teller::google,
       .place = "https://directory.example.com/v1",
       .token_file = "/etc/t",
       .customer = "C1",
       .groups = false,
       .ca_file = "/etc/ca",
       .interval = std::chrono::hours(1),
       .limit = std::chrono::hours(2)},
      {.name = "by-hand", .teller = Teller::google}};
  EXPECT_EQ(outcome->config.people, expected);
  const auto file = parse_file(
      "people:\n  - {personnel: '/srv/hr/people-*.csv', name: hr, limit: 7d}\n"
      "  - google:https://directory.example.com/v1,token=/etc/t,customer=C1,groups=no,ca=/etc/ca,"
      "interval=1h,limit=2h\n  - {google: , name: by-hand}\n",
      "m.yaml", Config());
  ASSERT_TRUE(file) << file.error().what;
  EXPECT_EQ(file->people, expected);
}

TEST(Config, MistakesAboutPeopleAreTold) {
  const auto wrong = [](const std::string& text) {
    const auto source = parse_people_source(text);
    return source ? "none" : source.error().what;
  };
  EXPECT_EQ(wrong("ldap:x"),
            "'ldap:x' tells nothing of people; expected personnel:FILES, google:FILES or "
            "google:https://HOST/PATH");
  EXPECT_EQ(wrong("personnel:"), "'personnel:' names no place");
  EXPECT_EQ(wrong("google:https://directory.example.com"),
            "'google' needs ,token=FILE, which holds what the API asks for");
  EXPECT_EQ(wrong("personnel:/x,limit=0s"), "must be longer than nothing");
  EXPECT_EQ(wrong("personnel:/x,groups=maybe"), "'groups' is yes or no");
  EXPECT_EQ(wrong("personnel:/x,colour=red"),
            "'colour' is none of name, limit, interval, token, customer, groups, ca");
  EXPECT_EQ(parse({"--source", "stdin", "--people", "personnel", "--people", "personnel:/x"}, "h")
                .error()
                .what,
            "two sources of people are named 'personnel'; give one of them another ,name=");
}

std::string mistakes_of_access(std::vector<std::string> arguments) {
  arguments.insert(arguments.end(), {"--source", "stdin"});
  const auto outcome = parse(arguments, "h");
  return outcome ? "" : outcome.error().what;
}

TEST(Config, EnforcementPointsAskOverTlsAndAreKnown) {
  const std::vector<std::string> files{"--tls-certificate", "c", "--tls-key", "k"};
  const auto with_files = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), files.begin(), files.end());
    return mistakes_of_access(arguments);
  };
  EXPECT_EQ(with_files({}), "");
  for (const char* address : {"127.0.0.1:1", "[::1]:1", "localhost:1"}) {
    EXPECT_EQ(with_files({"--access-listen", address}), "") << address;
  }
  for (const std::string address :
       {"192.0.2.1:1", "0.0.0.0:1", "[::]:1", "[::ffff:127.0.0.1]:1", "[2001:db8::1]:1"}) {
    EXPECT_EQ(with_files({"--access-listen", address}),
              "access-listen at " + address +
                  " needs tls-clients, since it is reached from other machines");
    EXPECT_EQ(with_files({"--access-listen", address, "--tls-clients", "ca"}), "");
  }
  EXPECT_EQ(
      mistakes_of_access({"--access-listen", "192.0.2.1:1", "--access-listen", "127.0.0.1:1"}),
      "access-listen needs tls-certificate\n"
      "access-listen needs tls-key\n"
      "access-listen at 192.0.2.1:1 needs tls-clients, since it is reached from other"
      " machines");
  for (const std::string address : {"192.0.2.1", "192.0.2.1:65536", ":80", "192.0.2.1:x"}) {
    EXPECT_EQ(with_files({"--access-listen", address, "--tls-clients", "ca"}),
              "--access-listen: '" + address + "' is not ADDRESS:PORT");
  }
}

TEST(Config, AStoreIsSealedUnderABookOfKeysAndAKek) {
  const auto outcome = parse({"--source", "stdin", "--keys", "/k/keys.db", "--kek",
                              "pkcs11:/usr/lib/p.so,token=warden,pin=/etc/pin,name=main"},
                             "h");
  ASSERT_TRUE(outcome) << outcome.error().what;
  EXPECT_EQ(outcome->config.keys, "/k/keys.db");
  const vault::KekSpec token{
      .name = "main",
      .place =
          vault::TokenKek{.module = "/usr/lib/p.so", .token = "warden", .pin_file = "/etc/pin"}};
  EXPECT_EQ(outcome->config.kek, token);
  const auto file =
      parse_file("keys: /k/keys.db\nkek: file:/etc/mailwarden/kek,name=main\n", "m.yaml", Config());
  ASSERT_TRUE(file) << file.error().what;
  EXPECT_EQ(file->keys, "/k/keys.db");
  EXPECT_EQ(file->kek,
            (vault::KekSpec{.name = "main", .place = vault::FileKek{"/etc/mailwarden/kek"}}));
  const auto without = parse({"--source", "stdin"}, "h");
  ASSERT_TRUE(without);
  EXPECT_EQ(without->config.keys, "");
  EXPECT_FALSE(without->config.kek);
}

TEST(Config, KeysAndKekGoTogether) {
  const auto mistakes = [](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--source", "stdin", "--store", "sqlite:/k/m.db"});
    const auto outcome = parse(arguments, "h");
    return outcome ? "" : outcome.error().what;
  };
  EXPECT_EQ(mistakes({"--keys", "/k/keys.db", "--kek", "file:/k/kek"}), "");
  EXPECT_EQ(mistakes({"--keys", "/k/keys.db"}),
            "keys needs kek, the key that wraps them, such as kek: file:PATH");
  EXPECT_EQ(mistakes({"--kek", "file:/k/kek"}), "kek needs keys, the file of the book of keys");
  EXPECT_EQ(mistakes({"--keys", "/k/m.db", "--kek", "file:/k/kek"}),
            "keys is the same file as store; the book of keys is a database of its own");
  EXPECT_EQ(mistakes({"--keys", "", "--kek", "vault:x"}),
            "--keys: must name a path\n"
            "--kek: 'vault:x' keeps no key-encryption key; expected file:PATH, "
            "pkcs11:MODULE,token=LABEL,pin=FILE or command:FILE.yaml");
  EXPECT_EQ(mistakes({"--keys", "/k/keys.db", "--kek", "pkcs11:/p.so,token=t"}),
            "--kek: 'pkcs11' needs ,pin=FILE, which holds the token's PIN");
}

// As the ledger tells them: in their words, the command line last, and nothing secret.
TEST(Config, WhatWasGivenIsKeptInItsWords) {
  TemporaryFolder folder;
  write_file(folder.path("c.yaml"),
             "store: postgresql://mw:secret@db.example.com/mw?sslpassword=secret\nrules: [a, b]\n"
             "seal-interval: 10s\nsource: [{file: /var/log/a.log}]\n");
  const auto outcome =
      parse({"--config", folder.path("c.yaml"), "--rules", "c", "--seal-interval", "5s"}, "host");
  ASSERT_TRUE(outcome) << outcome.error().what;
  EXPECT_EQ(json::to_text(to_json(outcome->config.given)),
            R"({"rules":["c"],"seal-interval":["5s"],"source":["file:/var/log/a.log"],)"
            R"("store":["postgresql://mw:***@db.example.com/mw?***"]})");
}

TEST(Config, HelpNamesEverySetting) {
  const auto outcome = parse({"--help"}, "h");
  ASSERT_TRUE(outcome && outcome->answer);
  for (const char* name :
       {"--config", "--store", "--source", "--rules", "--pipelines", "--policies", "--once",
        "--listen", "--socket", "--sweep-interval", "--keys", "--kek"}) {
    EXPECT_NE(outcome->answer->find(name), std::string::npos) << name;
  }
}

TEST(Config, TheHeartbeatIsOneTextOrAMap) {
  const HeartbeatConfig expected{.url = "https://switch.example.com/ping/1",
                                 .interval = 30s,
                                 .token_file = "/etc/t",
                                 .method = "GET"};
  const auto option = parse({"--source", "stdin", "--heartbeat",
                             "https://switch.example.com/ping/1,interval=30s,token_file=/etc/t,"
                             "method=GET"},
                            "h");
  ASSERT_TRUE(option) << option.error().what;
  EXPECT_EQ(option->config.heartbeat, expected);
  const auto file = parse_file(
      "heartbeat: {interval: 30s, url: 'https://switch.example.com/ping/1', token_file: /etc/t,"
      " method: GET}\n",
      "m.yaml", {});
  ASSERT_TRUE(file) << file.error().what;
  EXPECT_EQ(file->heartbeat, expected);
  EXPECT_EQ(parse_heartbeat("http://127.0.0.1:1/x")->interval, 60s);
  // The address is the secret, and the ledger keeps what was given.
  const std::string told = json::to_text(json::Value(to_json(option->config.given)));
  EXPECT_THAT(told, testing::HasSubstr("https://switch.example.com/***,interval=30s"));
  EXPECT_THAT(told, testing::Not(testing::HasSubstr("ping")));
}

TEST(Config, AHeartbeatThatCannotWorkIsRefused) {
  struct Case {
    const char* text;
    const char* sentence;
  };
  const std::vector<Case> cases{{"switch.example.com", "must begin with https:// or http://"},
                                {"https://s/,interval=soon", "'soon'"},
                                {"https://s/,interval=2d", "at most 1d"},
                                {"https://s/,method=PUT", "neither POST nor GET"},
                                {"https://s/,colour=red", "none of interval, token_file, method"},
                                {"http://s/,token_file=/t", "must not travel over http://"}};
  for (const Case& c : cases) {
    const auto refused = parse({"--source", "stdin", "--heartbeat", c.text}, "h");
    ASSERT_FALSE(refused) << c.text;
    EXPECT_THAT(refused.error().what, testing::HasSubstr("--heartbeat: "));
    EXPECT_THAT(refused.error().what, testing::HasSubstr(c.sentence));
  }
  EXPECT_FALSE(parse_file("heartbeat: {interval: 30s}\n", "m.yaml", {}));
}

}  // namespace
}  // namespace mailwarden::config
