// What stands in escalations.yaml, and what is refused there and beside routes.yaml.
#include <gtest/gtest.h>

#include "alert/chain_checks.h"
#include "tests/temporary.h"

namespace mailwarden::alert {
namespace {

using std::chrono::minutes;

constexpr const char* two_chains = R"(chains:
  - name: security
    steps:
      - {to: [on-call:primary]}
      - {after: 10m, to: [on-call:primary, spool]}
      - {after: 20m, to: [pager], severity_from: 2}
    repeat: 2
    repeat_after: 30m
    until: contained
  - name: short
    steps: [{after: 5m, to: [spool]}]
)";

constexpr const char* routes_text = R"(receivers:
  - {name: spool, kind: folder, folder: out}
  - {name: pager, kind: folder, folder: pager}
routes:
  - {changes: [opened, severity_raised], severity_from: 1, to: [spool, escalation:security]}
  - {changes: [opened], to: [escalation:short]}
)";

OnCallSchedules one_schedule() {
  return OnCallSchedules::parse(
             "people: [{name: ada, receivers: [pager]}]\n"
             "schedules: [{name: primary, zone: UTC, layers: [{name: l, people: [ada],"
             " start: 2020-01-01 00:00, shift: daily}]}]\n",
             "on_call.yaml", parse_rfc3339("2026-01-01T00:00:00Z").value())
      .value();
}

TEST(EscalationChains, AreReadWithTheirDefaults) {
  const auto chains = EscalationChains::parse(two_chains, "e.yaml").value();
  ASSERT_EQ(chains.chains().size(), 2U);
  const Chain& security = *chains.find("security");
  ASSERT_EQ(security.steps.size(), 3U);
  EXPECT_EQ(security.steps[0].after, minutes(0));
  EXPECT_EQ(security.steps[2].after, minutes(20));
  EXPECT_EQ(security.steps[2].severity_from, incident::Severity::high);
  EXPECT_EQ(security.steps[1].to, (std::vector<std::string>{"on-call:primary", "spool"}));
  EXPECT_EQ(security.steps[2].where, "e.yaml, line 6");
  EXPECT_EQ(security.repeat, 2);
  EXPECT_EQ(security.repeat_after, minutes(30));
  EXPECT_EQ(security.until, Until::contained);
  const Chain& brief = *chains.find("short");
  EXPECT_EQ(brief.repeat, 0);
  EXPECT_EQ(brief.repeat_after, minutes(35)) << "half an hour behind the last step";
  EXPECT_EQ(brief.until, Until::acknowledged);
  EXPECT_EQ(chains.find("nothing"), nullptr);
  EXPECT_TRUE(EscalationChains::parse("# nothing\n", "e.yaml").value().chains().empty());
}

TEST(EscalationChains, AllMistakesAreToldWithTheirLines) {
  struct Case {
    const char* name;
    const char* text;
    std::vector<const char*> sentences;
  };
  const std::vector<Case> cases{
      {"after does not grow",
       "chains:\n- name: a\n  steps:\n  - {to: [x]}\n  - {after: 5m, to: [x]}\n"
       "  - {after: 5m, to: [x]}\n  - {to: [x]}\n",
       {"e.yaml, line 6: 'after' must be longer than that of the step before",
        "e.yaml, line 7: 'after' must be longer"}},
      {"a round that begins before its end",
       "chains:\n- name: a\n  steps: [{to: [x]}, {after: 1h, to: [x]}]\n  repeat_after: 1h\n",
       {"e.yaml, line 4: 'repeat_after' must be longer than 'after' of the last step"}},
      {"a chain in a chain",
       "chains:\n- {name: a, steps: [{to: [escalation:b]}]}\n",
       {"line 2: a chain does not name another: 'escalation:b'"}},
      {"names",
       "chains:\n- {name: a b, steps: [{to: [x]}]}\n- {name: c, steps: [{to: [x]}]}\n"
       "- {name: c, steps: [{to: [x]}]}\n- {name: 1.2, steps: [{to: [x]}]}\n",
       {"line 2: a chain's name has letters, digits", "line 4: a chain 'c' stands here already",
        "line 5: a chain's name has letters"}},
      {"words and numbers",
       "chains:\n- {name: a, steps: [{to: [x], severity_from: 4}], repeat: 101, until: seen}\n"
       "- {name: b, steps: [{after: 31d, to: [x]}]}\n- {name: c, steps: []}\n- {name: d, steps: "
       "[{to: [], who: x}]}\n",
       {"'severity_from' must be a number from 0 to 3", "'repeat' must be a number from 0 to 100",
        "'seen' is none of acknowledged, contained, resolved",
        "line 3: 'after' must be at most 30d", "line 4: 'steps' must be a list",
        "'who' is not known in a step"}},
      {"no chains", "people: []\n", {"'chains' must be a list", "'people' is not known"}}};
  for (const Case& c : cases) {
    const auto refused = EscalationChains::parse(c.text, "e.yaml");
    ASSERT_FALSE(refused) << c.name;
    EXPECT_EQ(refused.error().code, Code::invalid);
    for (const char* sentence : c.sentences) {
      EXPECT_NE(refused.error().what.find(sentence), std::string::npos)
          << c.name << ": " << sentence << "\n"
          << refused.error().what;
    }
  }
}

TEST(EscalationChains, HaveLimits) {
  std::string many = "chains:\n";
  for (std::size_t i = 0; i <= EscalationLimits::chains_max; ++i) {
    many += "- {name: c" + std::to_string(i) + ", steps: [{to: [x]}]}\n";
  }
  EXPECT_NE(EscalationChains::parse(many, "e").error().what.find("more than 100 chains"),
            std::string::npos);
  std::string steps = "chains:\n- name: a\n  steps:\n";
  for (std::size_t i = 0; i <= EscalationLimits::steps_max; ++i) {
    steps += "  - {after: " + std::to_string(i + 1) + "m, to: [x]}\n";
  }
  EXPECT_NE(EscalationChains::parse(steps, "e").error().what.find("more than 20 steps"),
            std::string::npos);
}

Result<Routes> routes_with(const std::string& chains, const std::string& routes) {
  return Routes::parse(routes, "r.yaml", "/a", one_schedule(),
                       EscalationChains::parse(chains, "e.yaml").value());
}

TEST(EscalationChains, AreHeldAgainstTheRoutes) {
  const auto good = routes_with(two_chains, routes_text);
  ASSERT_TRUE(good) << good.error().what;
  EXPECT_EQ(good->chains().chains().size(), 2U);
  EXPECT_TRUE(unnamed_chains(*good).empty());

  const std::string receivers = "receivers: [{name: spool, kind: folder, folder: out}]\n";
  struct Case {
    const char* name;
    std::string chains;
    std::string routes;
    std::vector<const char*> sentences;
  };
  const std::string to_spool = "chains:\n- {name: a, steps: [{to: [spool]}]}\n";
  const std::vector<Case> cases{
      {"unknown receiver and schedule",
       "chains:\n- name: a\n  steps:\n  - {to: [nobody, on-call:never]}\n",
       receivers + "routes: [{changes: [opened], to: [escalation:a]}]\n",
       {"e.yaml, line 4: there is no receiver 'nobody'",
        "e.yaml, line 4: there is no schedule 'never' in on_call.yaml"}},
      {"unknown chain",
       to_spool,
       receivers + "routes:\n- {changes: [opened], to: [escalation:a, escalation:b]}\n",
       {"r.yaml, line 3: there is no chain 'b' in escalations.yaml"}},
      {"a receiver that looks like a chain",
       to_spool,
       "receivers:\n- {name: spool, kind: folder, folder: o}\n"
       "- {name: 'escalation:x', kind: folder, folder: o}\n"
       "routes: [{changes: [opened], to: [spool]}]\n",
       {"r.yaml, line 3: a receiver's name must not begin with 'escalation:'"}},
      {"one that can never begin",
       to_spool,
       receivers + "routes: [{changes: [acknowledged, state_changed], to: [escalation:a]}]\n",
       {"e.yaml, line 2: its steps never come"}},
      {"one that never ends",
       to_spool,
       receivers + "routes: [{changes: [opened, escalation_exhausted], to: [escalation:a]}]\n",
       {"r.yaml, line 2: 'escalation_exhausted' goes to receivers"}}};
  for (const Case& c : cases) {
    const auto refused = routes_with(c.chains, c.routes);
    ASSERT_FALSE(refused) << c.name;
    for (const char* sentence : c.sentences) {
      EXPECT_NE(refused.error().what.find(sentence), std::string::npos)
          << c.name << ": " << sentence << "\n"
          << refused.error().what;
    }
  }
}

TEST(EscalationChains, AChainThatNoRouteNamesIsAWarning) {
  const auto routes = routes_with(
      two_chains,
      "receivers:\n- {name: spool, kind: folder, folder: o}\n- {name: pager, kind: folder, folder: "
      "p}\nroutes: [{changes: [opened], to: [escalation:security]}]\n");
  ASSERT_TRUE(routes) << routes.error().what;
  EXPECT_EQ(unnamed_chains(*routes),
            std::vector<std::string>{
                "e.yaml, line 10: no route names the chain 'short', so it never begins"});
}

// A file that is wrong must not hide what is wrong in the other.
TEST(EscalationChains, RoutesAreCheckedWithoutThem) {
  EXPECT_TRUE(Routes::parse(routes_text, "r.yaml", "/a", one_schedule(), std::nullopt));
  const auto refused = Routes::parse(
      "receivers: [{name: spool, kind: pigeon}]\nroutes: [{changes: [opened], to: [nobody, "
      "escalation:a]}]\n",
      "r.yaml", "/a", one_schedule(), std::nullopt);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().what.find("no receiver 'nobody'"), std::string::npos);
  EXPECT_EQ(refused.error().what.find("no chain"), std::string::npos) << refused.error().what;
}

TEST(EscalationChains, AStepOfASeverityThatNeverComesIsAMistake) {
  const auto table = incident::SeverityTable::parse(
                         "facts: {f: {kind: truth, meaning: m}}\n"
                         "rows: [{name: r, severity: 1, all_of: {f: true}}]\n",
                         "s.yaml")
                         .value();
  const auto chains = EscalationChains::parse(two_chains, "e.yaml").value();
  const auto sentences = unreachable(chains, table);
  ASSERT_EQ(sentences.size(), 1U);
  EXPECT_TRUE(sentences[0].starts_with("e.yaml, line 6: the step never comes")) << sentences[0];
}

TEST(EscalationChains, WhatIsShippedIsGood) {
  const std::string folder = source_folder() + "/policies/";
  const auto routes = Routes::parse(
      read_file(folder + "routes.yaml"), "routes.yaml", "/a", OnCallSchedules(),
      EscalationChains::parse(read_file(folder + "escalations.yaml"), "e.yaml").value());
  ASSERT_TRUE(routes) << routes.error().what;
  EXPECT_TRUE(unnamed_chains(*routes).empty());
  EXPECT_TRUE(
      unreachable(routes->chains(), incident::SeverityTable::parse(
                                        read_file(folder + "severity.yaml"), "severity.yaml")
                                        .value())
          .empty());
}

}  // namespace
}  // namespace mailwarden::alert
