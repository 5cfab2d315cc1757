// What a playbook file may say, and what it comes to for an incident.
#include "respond/playbook.h"

#include <gtest/gtest.h>

#include "tests/temporary.h"

namespace mailwarden::respond {
namespace {

constexpr const char* all_kinds = R"(
name: all
title: All kinds of steps
when: {rules: [a], severity_from: 1}
steps:
  - {id: tell, notify: [spool], text: "look at ${incident.entity}"}
  - {id: lock, command: [/usr/sbin/usermod, --lock, "${incident.entity}"], approval: "Lock it?",
     repeatable: true, time_out: 5s, tries_max: 2, go_on: true}
  - {id: ticket, http: POST, url: "http://127.0.0.1:1/i/${incident.number}/${incident.entity}",
     body: {what: "${incident.title}", list: ["${incident.severity}"]}}
  - {id: ask, manual: Ask the owner}
)";

std::vector<Playbook> parsed(const std::string& text) {
  const std::vector<PlaybookText> texts{{"p.yaml", text}};
  auto playbooks = parse_playbooks(texts);
  EXPECT_TRUE(playbooks) << playbooks.error().what;
  return playbooks ? *playbooks : std::vector<Playbook>();
}

incident::Incident incident_about(const std::string& name) {
  return {.number = 7,
          .title = "An \"account\" was made",
          .entity = {"account", name},
          .severity = incident::Severity::high,
          .row = "r",
          .rules = {"a"}};
}

const std::vector<std::string> allowed{"/usr/sbin/usermod"};

TEST(Playbook, ReadsEveryKindOfStep) {
  const auto playbooks = parsed(all_kinds);
  ASSERT_EQ(playbooks.size(), 1U);
  const Playbook& playbook = playbooks[0];
  EXPECT_EQ(playbook.name, "all");
  EXPECT_EQ(playbook.severity_from, incident::Severity::medium);
  EXPECT_EQ(playbook.version.size(), 64U);
  ASSERT_EQ(playbook.steps.size(), 4U);
  EXPECT_EQ(playbook.steps[0].to, (std::vector<std::string>{"spool"}));
  EXPECT_EQ(playbook.steps[1].kind, StepKind::command);
  EXPECT_TRUE(playbook.steps[1].repeatable);
  EXPECT_TRUE(playbook.steps[1].go_on);
  EXPECT_EQ(playbook.steps[1].tries_max, 2);
  EXPECT_EQ(playbook.steps[1].time_out, std::chrono::seconds(5));
  EXPECT_EQ(playbook.steps[2].method, "POST");
  EXPECT_TRUE(playbook.steps[2].repeatable) << "its key is constant";
  EXPECT_EQ(playbook.steps[3].text, "Ask the owner");
}

TEST(Playbook, IsDueOnItsRulesFromItsSeverityOn) {
  const auto playbooks = parsed(all_kinds);
  incident::Incident incident = incident_about("eve");
  EXPECT_TRUE(is_due(playbooks[0], incident));
  incident.severity = incident::Severity::low;
  EXPECT_FALSE(is_due(playbooks[0], incident));
  incident.severity = incident::Severity::high;
  incident.rules = {"b"};
  EXPECT_FALSE(is_due(playbooks[0], incident));
}

TEST(Plan, FillsInWhereItMay) {
  const auto steps = plan(parsed(all_kinds)[0], incident_about("eve/../x y"), allowed);
  EXPECT_EQ(steps[0].text, "look at eve/../x y");
  EXPECT_EQ(steps[1].command[2], "eve/../x y");
  EXPECT_EQ(steps[2].url, "http://127.0.0.1:1/i/7/eve%2F%2E%2E%2Fx%20y");
  EXPECT_EQ(json::to_text(steps[2].body), R"({"list":["2"],"what":"An \"account\" was made"})");
}

// Names come out of log lines, which attackers write.
TEST(Plan, AValueThatWouldBeAnOptionOrMoreThanALineIsLeftToAPerson) {
  for (const char* name : {"-rf", "--root=/", "", "a\nb", "a\tb"}) {
    const auto steps = plan(parsed(all_kinds)[0], incident_about(name), allowed);
    EXPECT_EQ(steps[1].kind, StepKind::manual) << name;
    EXPECT_TRUE(steps[1].command.empty()) << name;
    EXPECT_NE(steps[1].text.find("must not be handed over"), std::string::npos) << steps[1].text;
    EXPECT_EQ(steps[1].text.find('\n'), std::string::npos);
  }
}

TEST(Plan, ACommandThatIsNotAllowedIsLeftToAPerson) {
  for (const auto& commands :
       {std::vector<std::string>{}, std::vector<std::string>{"/usr/sbin/userdel"}}) {
    const auto steps = plan(parsed(all_kinds)[0], incident_about("eve"), commands);
    EXPECT_EQ(steps[1].kind, StepKind::manual);
    EXPECT_EQ(steps[1].text,
              "By hand, since /usr/sbin/usermod is not among the commands that this daemon may run:"
              " /usr/sbin/usermod --lock eve");
    EXPECT_EQ(steps[1].approval, "");
  }
}

TEST(Step, GoesThroughJsonUnchanged) {
  for (const Step& step : plan(parsed(all_kinds)[0], incident_about("eve"), allowed)) {
    const auto back = step_from_json(json::Value(to_json(step)));
    ASSERT_TRUE(back);
    EXPECT_EQ(*back, step) << step.id;
  }
  EXPECT_FALSE(step_from_json(json::Value(json::Object{{"kind", "dance"}})));
}

TEST(Playbook, EveryMistakeIsToldWithItsLine) {
  const std::string head = "name: n\ntitle: t\nwhen: {rules: [a]}\nsteps:\n";
  struct Case {
    const char* name;
    std::string text;
    const char* expected;
  };
  const std::vector<Case> cases{
      {"no when", "name: n\ntitle: t\nsteps: [{id: a, manual: m}]", "'when' must say"},
      {"no steps", "name: n\ntitle: t\nwhen: {rules: [a]}", "'steps' must be a list"},
      {"two kinds", head + "- {id: a, manual: m, notify: [x]}",
       "p.yaml, line 5: a step is one of notify, command, http, manual"},
      {"no kind", head + "- {id: a}", "a step is one of"},
      {"a relative command", head + "- {id: a, command: [usermod]}", "must be an absolute path"},
      {"a command out of a log line", head + "- {id: a, command: ['/${incident.entity}']}",
       "must be an absolute path without variables"},
      {"unknown variable", head + "- {id: a, manual: 'ask ${incident.owner}'}",
       "there is no variable 'incident.owner'"},
      {"open variable", head + "- {id: a, manual: 'ask ${incident.entity'}", "is never closed"},
      {"a host out of a log line",
       head + "- {id: a, http: GET, url: 'https://${incident.entity}/x'}",
       "a host without variables"},
      {"another scheme", head + "- {id: a, http: GET, url: 'file:///etc/passwd'}", "'url' must"},
      {"method", head + "- {id: a, http: TRACE, url: 'http://h/'}", "'http' must be GET"},
      {"unknown key", head + "- {id: a, manual: m, shell: x}", "'shell' is not known in a step"},
      {"same id", head + "- {id: a, manual: m}\n- {id: a, manual: m}",
       "line 6: a step 'a' stands above already"},
      {"tries", head + "- {id: a, http: GET, url: 'http://h/', tries_max: 0}",
       "'tries_max' must be a number from 1 to 20"},
      {"two documents", "name: a\n---\nname: b\n", "must hold one playbook"}};
  for (const Case& c : cases) {
    const std::vector<PlaybookText> texts{{"p.yaml", c.text}};
    const auto playbooks = parse_playbooks(texts);
    ASSERT_FALSE(playbooks) << c.name;
    EXPECT_NE(playbooks.error().what.find(c.expected), std::string::npos)
        << c.name << ": " << playbooks.error().what;
  }
}

TEST(Playbook, ANameStandsOnceOverAllFiles) {
  const std::vector<PlaybookText> texts{{"a.yaml", all_kinds}, {"b.yaml", all_kinds}};
  const auto playbooks = parse_playbooks(texts);
  ASSERT_FALSE(playbooks);
  EXPECT_EQ(playbooks.error().what, "b.yaml: the name 'all' is taken by a.yaml");
}

TEST(Playbook, TheShippedOnesAreGood) {
  std::vector<PlaybookText> texts;
  for (const auto& entry :
       std::filesystem::directory_iterator(source_folder() + "/policies/playbooks")) {
    texts.push_back({entry.path().string(), read_file(entry.path().string())});
  }
  const auto playbooks = parse_playbooks(texts);
  ASSERT_TRUE(playbooks) << playbooks.error().what;
  EXPECT_EQ(playbooks->size(), 3U);
}

}  // namespace
}  // namespace mailwarden::respond
