// Receivers of routes.yaml: what each kind needs, and what is refused.
#include <gmock/gmock.h>

#include "alert/receiver.h"
#include "alert/routes.h"

namespace mailwarden::alert {
namespace {

using testing::HasSubstr;

Result<Routes> routes_of_receivers(const std::string& receivers, const std::string& more = "") {
  return Routes::parse(
      more + "receivers:\n" + receivers + "routes: [{changes: [opened], to: [a]}]\n", "r.yaml",
      "/var/alerts");
}

TEST(Receivers, EachKindSaysWhereItGoesAndNoSecret) {
  struct Case {
    const char* text;
    const char* described;
  };
  for (const Case& c : {
           Case{"{name: a, kind: webhook, url: 'https://h/in', secret_file: /s, token_file: /t}",
                "webhook https://h/in"},
           Case{"{name: a, kind: webhook, url: 'http://127.0.0.1:9/in', token_file: /t}",
                "webhook http://127.0.0.1:9/in"},
           Case{"{name: a, kind: smtp, server: 'smtp://h', from: a@b, to: [c@d]}", "smtp smtp://h"},
           Case{"{name: a, kind: folder, folder: f}", "folder /var/alerts/f"},
           Case{"{name: a, kind: pagerduty, key_file: /k}",
                "pagerduty https://events.pagerduty.com/v2/enqueue"},
           Case{"{name: a, kind: pagerduty, key_file: /k, url: 'http://[::1]:9/'}",
                "pagerduty http://[::1]:9/"},
           Case{"{name: a, kind: opsgenie, key_file: /k}", "opsgenie https://api.opsgenie.com"},
           Case{"{name: a, kind: slack, url_file: /u}", "slack /u"},
           Case{"{name: a, kind: slack, url: 'http://localhost:9/'}", "slack http://localhost:9/"},
           Case{"{name: a, kind: alertmanager, url: 'http://alertmanager.example.com:9093'}",
                "alertmanager http://alertmanager.example.com:9093"},
       }) {
    const auto routes = routes_of_receivers("- " + std::string(c.text) + "\n");
    ASSERT_TRUE(routes) << c.text << ": " << routes.error().what;
    EXPECT_EQ(describe(*routes->find("a")), c.described);
  }
}

TEST(Receivers, HaveARateAndTheConsole) {
  const auto routes = routes_of_receivers(
      "- {name: a, kind: slack, url_file: /u, per_minute: 60}\n"
      "- {name: b, kind: folder, folder: f}\n",
      "console: https://warden.example.com/\n");
  ASSERT_TRUE(routes) << routes.error().what;
  EXPECT_EQ(routes->find("a")->per_minute, 60);
  EXPECT_EQ(routes->find("b")->per_minute, 0);
  EXPECT_EQ(routes->find("a")->console, "https://warden.example.com");
  EXPECT_EQ(routes_of_receivers("- {name: a, kind: folder, folder: f}\n")->find("a")->console, "");
}

TEST(Receivers, WhatIsWrongIsToldWithItsLine) {
  struct Case {
    const char* text;
    const char* expected;
  };
  for (const Case& c : {
           Case{"{name: a, kind: pigeon}",
                "r.yaml, line 2: 'pigeon' is none of webhook, smtp, folder, pagerduty, opsgenie, "
                "slack, alertmanager"},
           Case{"{name: a, kind: pagerduty}", "line 2: 'key_file' must be a text"},
           Case{"{name: a, kind: opsgenie, key_file: /k, url: 'http://h'}",
                "line 2: a key must not travel over http://"},
           Case{"{name: a, kind: pagerduty, key_file: /k, url: 'http://127.0.0.1@h/'}",
                "line 2: a key must not travel over http://"},
           Case{"{name: a, kind: pagerduty, key_file: /k, url: 'http://127.0.0.1.h/'}",
                "line 2: a key must not travel over http://"},
           Case{"{name: a, kind: pagerduty, key_file: /k, url: 'ftp://h'}",
                "line 2: 'url' must begin with https:// or http://"},
           Case{"{name: a, kind: slack}",
                "line 2: a slack receiver has either 'url_file' or 'url'"},
           Case{"{name: a, kind: slack, url: 'http://localhost/', url_file: /u}",
                "line 2: a slack receiver has either 'url_file' or 'url'"},
           Case{"{name: a, kind: slack, url: 'https://hooks.slack.com/services/T/B/X'}",
                "line 2: the address of a Slack webhook is a secret"},
           Case{"{name: a, kind: alertmanager}", "line 2: 'url' must be a text"},
           Case{"{name: a, kind: alertmanager, url: 'http://h', token_file: /t}",
                "line 2: a token must not travel over http://"},
           Case{"{name: a, kind: slack, url_file: /u, per_minute: 0}", "line 2: 'per_minute'"},
           Case{"{name: a, kind: slack, url_file: /u, per_minute: 6001}", "line 2: 'per_minute'"},
           Case{"{name: a, kind: folder, folder: f, per_minute: 6}", "line 2: "},
           Case{"{name: a, kind: opsgenie, key_file: /k, secret_file: /s}", "line 2: "},
       }) {
    const auto routes = routes_of_receivers("- " + std::string(c.text) + "\n");
    ASSERT_FALSE(routes) << c.text;
    EXPECT_THAT(routes.error().what, HasSubstr(c.expected)) << c.text;
  }
  EXPECT_THAT(routes_of_receivers("- {name: a, kind: folder, folder: f}\n", "console: warden\n")
                  .error()
                  .what,
              HasSubstr("r.yaml, line 1: 'console' must begin with https:// or http://"));
}

TEST(Receivers, ServicesForIncidentsTakeNoCheckpoints) {
  using Kind = Receiver::Kind;
  for (const Kind kind : {Kind::webhook, Kind::smtp, Kind::folder}) {
    EXPECT_TRUE(takes_checkpoints(kind)) << to_string(kind);
  }
  for (const Kind kind : {Kind::pagerduty, Kind::opsgenie, Kind::slack, Kind::alertmanager}) {
    EXPECT_FALSE(takes_checkpoints(kind)) << to_string(kind);
  }
}

}  // namespace
}  // namespace mailwarden::alert
