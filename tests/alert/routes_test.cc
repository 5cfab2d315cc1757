// Which alerts a change makes, and what is refused in routes.yaml.
#include "alert/routes.h"

#include <gtest/gtest.h>

#include "tests/temporary.h"

namespace mailwarden::alert {
namespace {

constexpr const char* two_receivers = R"(
receivers:
  - {name: spool, kind: folder, folder: out}
  - {name: pager, kind: webhook, url: "https://alerts.example.com/in"}
routes:
  - {changes: [opened, severity_raised], severity_from: 0, to: [spool]}
  - {changes: [opened], severity_from: 2, to: [pager, spool]}
)";

incident::Incident incident_of(incident::Severity severity) {
  return {.number = 7,
          .title = "Password guessing over SSH",
          .entity = {"address", "203.0.113.5"},
          .severity = severity};
}

incident::Change change_of(const std::string& kind) {
  return {.incident = 7, .sequence = 3, .when = {1'000'000}, .kind = kind};
}

std::vector<std::string> receivers_of(const std::vector<Alert>& alerts) {
  std::vector<std::string> names;
  for (const Alert& alert : alerts) names.push_back(alert.receiver);
  return names;
}

TEST(Route, TakesTheRoutesOfTheChangeAndTheSeverity) {
  const Routes routes = Routes::parse(two_receivers, "routes.yaml", "/var/alerts").value();
  struct Case {
    const char* change;
    incident::Severity severity;
    std::vector<std::string> expected;
  };
  const std::vector<Case> cases{{"opened", incident::Severity::low, {"spool"}},
                                {"opened", incident::Severity::high, {"spool", "pager"}},
                                {"severity_raised", incident::Severity::extreme, {"spool"}},
                                {"noted", incident::Severity::extreme, {}}};
  for (const Case& c : cases) {
    EXPECT_EQ(receivers_of(route(routes, change_of(c.change), incident_of(c.severity), "o")),
              c.expected)
        << c.change;
  }
}

TEST(Route, OfSomeTypesTakesNoOthers) {
  const Routes routes =
      Routes::parse(
          "receivers: [{name: a, kind: folder, folder: f}, {name: b, kind: folder, folder: g}]\n"
          "routes:\n- {changes: [opened, typed], types: [lost_device, malware], to: [a]}\n"
          "- {changes: [opened], to: [b]}\n",
          "routes.yaml", "/var/alerts")
          .value();
  struct Case {
    const char* change;
    const char* type;
    std::vector<std::string> expected;
  };
  const std::vector<Case> cases{{"opened", "malware", {"a", "b"}},
                                {"opened", "service", {"b"}},
                                {"opened", "", {"b"}},
                                {"typed", "lost_device", {"a"}},
                                {"typed", "service", {}}};
  for (const Case& c : cases) {
    incident::Incident incident = incident_of(incident::Severity::low);
    incident.type = c.type;
    EXPECT_EQ(receivers_of(route(routes, change_of(c.change), incident, "o")), c.expected)
        << c.change << " " << c.type;
    EXPECT_EQ(value_of(labels_of(incident, c.change), "type"), c.type);
  }
  EXPECT_EQ(routes.routes()[0].where, "routes.yaml, line 3");
}

TEST(Route, KeysAreTheSameForTheSameChangeAndDifferForAnyOther) {
  const Routes routes = Routes::parse(two_receivers, "routes.yaml", "/a").value();
  const auto incident = incident_of(incident::Severity::high);
  const auto once = route(routes, change_of("opened"), incident, "example.com/log");
  const auto again = route(routes, change_of("opened"), incident, "example.com/log");
  ASSERT_EQ(once.size(), 2U);
  EXPECT_EQ(once[0].key, again[0].key);
  EXPECT_NE(once[0].key, once[1].key);
  incident::Change other = change_of("opened");
  other.sequence = 4;
  EXPECT_NE(route(routes, other, incident, "example.com/log")[0].key, once[0].key);
  EXPECT_NE(route(routes, change_of("opened"), incident, "example.org/log")[0].key, once[0].key);
  EXPECT_EQ(once[0].key.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-_"),
            std::string::npos)
      << once[0].key;
}

TEST(Route, AnAlertIsACloudEventOfTheIncident) {
  const Routes routes = Routes::parse(two_receivers, "routes.yaml", "/a").value();
  const auto alerts =
      route(routes, change_of("opened"), incident_of(incident::Severity::low), "example.com/log");
  ASSERT_EQ(alerts.size(), 1U);
  const json::Value event(alerts[0].event);
  EXPECT_EQ(event.text("specversion"), "1.0");
  EXPECT_EQ(event.text("id"), alerts[0].key);
  EXPECT_EQ(event.text("type"), "mailwarden.incident.opened");
  EXPECT_EQ(event.text("source"), "mailwarden/example.com/log");
  EXPECT_EQ(event.text("subject"), "incident/7");
  EXPECT_EQ(event.text("time"), "1970-01-01T00:00:01.000000Z");
  EXPECT_EQ(event["data"]["incident"].integer("number"), 7);
  EXPECT_EQ(alerts[0].subject,
            "[severity 0 Low] incident 7: Password guessing over SSH, 203.0.113.5");
}

// Ada has the days and Ben the nights of 24 and 25 November 2025.
OnCallSchedules two_people() {
  return OnCallSchedules::parse(R"(people:
- {name: ada, receivers: [pager, mail-ada]}
- {name: ben, receivers: [mail-ben]}
schedules:
- name: primary
  zone: UTC
  layers: [{name: turns, people: [ada, ben], start: 2025-11-24 08:00, shift: 12h}]
  fallback: ben
- name: secondary
  zone: UTC
  layers: [{name: alone, people: [ada], start: 2025-01-01 00:00, shift: daily}]
)",
                                "on_call.yaml", parse_rfc3339("2025-11-24T00:00:00Z").value())
      .value();
}

constexpr const char* with_on_call = R"(
receivers:
  - {name: spool, kind: folder, folder: out}
  - {name: pager, kind: folder, folder: pager}
  - {name: mail-ada, kind: folder, folder: ada}
  - {name: mail-ben, kind: folder, folder: ben}
routes:
  - {changes: [opened, noted], to: [spool, on-call:primary]}
  - {changes: [opened], severity_from: 2, to: [on-call:primary, mail-ada, on-call:secondary]}
)";

incident::Change change_at(const std::string& kind, const char* when) {
  incident::Change change = change_of(kind);
  change.when = parse_rfc3339(when).value();
  return change;
}

TEST(RouteOnCall, GoesToWhoeverIsOnCallAtTheTimeOfTheChangeOnce) {
  const Routes routes = Routes::parse(with_on_call, "r.yaml", "/a", two_people()).value();
  struct Case {
    const char* name;
    const char* kind;
    const char* when;
    incident::Severity severity;
    std::vector<std::string> expected;
  };
  const std::vector<Case> cases{
      {"by day",
       "noted",
       "2025-11-24T08:00:00Z",
       incident::Severity::low,
       {"spool", "pager", "mail-ada"}},
      {"by night", "noted", "2025-11-24T20:00:00Z", incident::Severity::low, {"spool", "mail-ben"}},
      {"one moment before",
       "noted",
       "2025-11-24T19:59:59.999999Z",
       incident::Severity::low,
       {"spool", "pager", "mail-ada"}},
      {"both routes and schedules by day",
       "opened",
       "2025-11-25T10:00:00Z",
       incident::Severity::high,
       {"spool", "pager", "mail-ada"}},
      {"both routes and schedules by night",
       "opened",
       "2025-11-25T20:00:00Z",
       incident::Severity::high,
       {"spool", "mail-ben", "mail-ada", "pager"}}};
  for (const Case& c : cases) {
    const auto alerts = route(routes, change_at(c.kind, c.when), incident_of(c.severity), "o");
    EXPECT_EQ(receivers_of(alerts), c.expected) << c.name;
    std::set<std::string> keys;
    for (const Alert& alert : alerts) keys.insert(alert.key);
    EXPECT_EQ(keys.size(), alerts.size()) << c.name;
  }
}

TEST(RouteOnCall, TheAlertSaysWhoWasCalledByWhichScheduleAndWhy) {
  const Routes routes = Routes::parse(with_on_call, "r.yaml", "/a", two_people()).value();
  const auto alerts = route(routes, change_at("opened", "2025-11-25T10:00:00Z"),
                            incident_of(incident::Severity::high), "o");
  ASSERT_EQ(alerts.size(), 3U);
  EXPECT_TRUE(json::Value(alerts[0].event)["data"]["on_call"].is_null());  // by its own name
  // Mail goes to Ada by both schedules, and by her receiver's name.
  const std::string expected =
      R"([{"cause":"layer","layer":"turns","person":"ada","schedule":"primary",)"
      R"("until":"2025-11-25T20:00:00.000000Z"},)"
      R"({"cause":"layer","layer":"alone","person":"ada","schedule":"secondary","until":null}])";
  EXPECT_EQ(json::to_text(json::Value(alerts[2].event)["data"]["on_call"]), expected);
  EXPECT_EQ(alerts[2].receiver, "mail-ada");
  EXPECT_EQ(alerts[2].key, "o.incident-7-3.mail-ada");
}

TEST(RouteOnCall, WhatIsNotThereIsToldWithItsLine) {
  struct Case {
    const char* name;
    std::string text;
    const char* expected;
  };
  const std::string receivers =
      "receivers:\n- {name: pager, kind: folder, folder: f}\n"
      "- {name: mail-ada, kind: folder, folder: f}\n";
  const std::vector<Case> cases{
      {"schedule",
       receivers + "- {name: mail-ben, kind: folder, folder: f}\n"
                   "routes: [{changes: [opened], to: [on-call:tertiary]}]\n",
       "r.yaml, line 5: there is no schedule 'tertiary' in on_call.yaml"},
      {"receiver of a person", receivers + "routes: [{changes: [opened], to: [pager]}]\n",
       "on_call.yaml, line 3: there is no receiver 'mail-ben' in r.yaml"},
      {"both", receivers + "routes: [{changes: [opened], to: [nobody]}]\n",
       "r.yaml, line 4: there is no receiver 'nobody'\non_call.yaml, line 3: there is no receiver"},
      {"a receiver that looks like a schedule",
       receivers + "- {name: 'on-call:x', kind: folder, folder: f}\n"
                   "routes: [{changes: [opened], to: [pager]}]\n",
       "r.yaml, line 4: a receiver's name must not begin with 'on-call:'"}};
  for (const Case& c : cases) {
    const auto parsed = Routes::parse(c.text, "r.yaml", "/a", two_people());
    ASSERT_FALSE(parsed) << c.name;
    EXPECT_NE(parsed.error().what.find(c.expected), std::string::npos)
        << c.name << ": " << parsed.error().what;
  }
  // Where the schedules are not known, nothing is said of them.
  EXPECT_TRUE(Routes::parse(cases[0].text, "r.yaml", "/a", std::nullopt));
}

TEST(Routes, AFolderThatIsNotAbsoluteLiesInTheFolderOfAlerts) {
  const Routes routes = Routes::parse(two_receivers, "routes.yaml", "/var/alerts").value();
  EXPECT_EQ(routes.find("spool")->folder, "/var/alerts/out");
  EXPECT_EQ(routes.find("nobody"), nullptr);
}

TEST(Routes, EveryMistakeIsToldWithItsLine) {
  struct Case {
    const char* name;
    const char* text;
    const char* expected;
  };
  const std::vector<Case> cases{
      {"no receivers", "routes: [{changes: [opened], to: [a]}]", "'receivers' must be a list"},
      {"unknown kind", "receivers: [{name: a, kind: pigeon}]\nroutes: []", "'pigeon' is none of"},
      {"unknown receiver",
       "receivers: [{name: a, kind: folder, folder: f}]\nroutes: [{changes: [opened], to: [b]}]",
       "r.yaml, line 2: there is no receiver 'b'"},
      {"twice",
       "receivers:\n- {name: a, kind: folder, folder: f}\n- {name: a, kind: folder, folder: g}\n"
       "routes: [{changes: [opened], to: [a]}]",
       "line 3: a receiver 'a' stands here already"},
      {"unknown change",
       "receivers: [{name: a, kind: folder, folder: f}]\nroutes: [{changes: [moved], to: [a]}]",
       "'moved' is no kind of change"},
      {"token in the clear",
       "receivers: [{name: a, kind: webhook, url: 'http://h/', token_file: /t}]\n"
       "routes: [{changes: [opened], to: [a]}]",
       "a token must not travel over http://"},
      {"password in the clear",
       "receivers: [{name: a, kind: smtp, server: 'smtp://h', from: a@b, to: [c@d], user: u,"
       " password_file: /p, start_tls: false}]\nroutes: [{changes: [opened], to: [a]}]",
       "a password must not travel without TLS"},
      {"severity",
       "receivers: [{name: a, kind: folder, folder: f}]\n"
       "routes: [{changes: [opened], severity_from: 4, to: [a]}]",
       "'severity_from' must be a number from 0 to 3"},
      {"types of signals",
       "receivers: [{name: a, kind: folder, folder: f}]\n"
       "routes: [{signals: ['a=b'], types: [malware], to: [a]}]",
       "a route takes 'changes' of incidents or 'signals', not both"},
      {"not YAML", "receivers: [", "r.yaml, "},
      {"nothing", "", "must hold one document"}};
  for (const Case& c : cases) {
    const auto parsed = Routes::parse(c.text, "r.yaml", "/a");
    ASSERT_FALSE(parsed) << c.name;
    EXPECT_EQ(parsed.error().code, Code::invalid) << c.name;
    EXPECT_NE(parsed.error().what.find(c.expected), std::string::npos)
        << c.name << ": " << parsed.error().what;
  }
}

TEST(Routes, AllMistakesAreToldAtOnce) {
  const auto parsed = Routes::parse(
      "receivers: [{name: a, kind: pigeon}, {name: b, kind: webhook, url: 'ftp://h'}]\n"
      "routes: [{changes: [moved], to: [c]}]",
      "r.yaml", "/a");
  ASSERT_FALSE(parsed);
  for (const char* part : {"pigeon", "'url' must begin", "moved", "no receiver 'c'"}) {
    EXPECT_NE(parsed.error().what.find(part), std::string::npos) << parsed.error().what;
  }
}

TEST(Routes, TheShippedOnesAreGood) {
  const std::string file = source_folder() + "/policies/routes.yaml";
  const std::string chains = source_folder() + "/policies/escalations.yaml";
  const auto routes =
      Routes::parse(read_file(file), file, "/var/lib/mailwarden/alerts", OnCallSchedules(),
                    EscalationChains::parse(read_file(chains), chains).value());
  ASSERT_TRUE(routes) << routes.error().what;
  EXPECT_EQ(describe(*routes->find("spool")), "folder /var/lib/mailwarden/alerts/spool");
}

}  // namespace
}  // namespace mailwarden::alert
