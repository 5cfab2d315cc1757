// The playbooks that come with Mailwarden: no finding of the checker, and a plan for an incident.
#include <gtest/gtest.h>

#include "detect/rule.h"
#include "respond/check.h"
#include "respond/flow_file.h"
#include "respond/incident_values.h"
#include "respond/outline.h"
#include "respond/start_values.h"
#include "tests/temporary.h"

namespace mailwarden::respond {
namespace {

std::vector<flow::PlaybookText> texts() {
  std::vector<flow::PlaybookText> found;
  for (const auto& entry :
       std::filesystem::directory_iterator(source_folder() + "/policies/playbooks")) {
    found.push_back({entry.path().filename().string(), read_file(entry.path().string())});
  }
  std::ranges::sort(found, {}, &flow::PlaybookText::file);
  return found;
}

std::vector<flow::Playbook> shipped() {
  auto playbooks = flow::parse_playbooks(texts());
  EXPECT_TRUE(playbooks) << playbooks.error().what;
  return playbooks.value_or(std::vector<flow::Playbook>());
}

incident::Procedure procedure() {
  const auto text = [](const std::string& name) {
    return read_file(source_folder() + "/policies/" + name);
  };
  const auto table = incident::SeverityTable::parse(text("severity.yaml"), "severity.yaml");
  EXPECT_TRUE(table) << table.error().what;
  const auto read = incident::Procedure::parse(text("incidents.yaml"), "incidents.yaml", *table);
  EXPECT_TRUE(read) << read.error().what;
  return *read;
}

std::set<std::string> types_of_incidents() {
  const incident::Procedure known = procedure();
  std::set<std::string> types;
  for (const incident::IncidentType& type : known.types()) types.insert(type.name);
  return types;
}

CheckContext shipped_context() {
  const auto types = types_of_incidents();
  CheckContext context{.receivers = CheckContext::Names{"spool"},
                       .schedules = CheckContext::Names(),
                       .commands = CheckContext::Names(),
                       .sign_keys = CheckContext::Names(),
                       .types = CheckContext::Names(types.begin(), types.end()),
                       .rules = CheckContext::Names()};
  const auto rules = detect::load_rules({source_folder() + "/rules/sigma"});
  EXPECT_TRUE(rules) << rules.error().what;
  for (const detect::Rule& rule : rules->rules) context.rules->insert(rule.header.name);
  for (const detect::Correlation& rule : rules->correlations) {
    context.rules->insert(rule.header.name);
  }
  return context;
}

TEST(ShippedPlaybooks, TheCheckerFindsNothing) {
  for (const Finding& finding : check(shipped(), shipped_context())) {
    ADD_FAILURE() << finding.playbook << ", " << finding.step << ": " << finding.what;
  }
}

TEST(ShippedPlaybooks, ThereIsOneForEachKindOfIncident) {
  std::set<std::string> types;
  std::set<std::string> names;
  for (const flow::Playbook& playbook : shipped()) {
    names.insert(playbook.name);
    if (playbook.when) types.insert(playbook.when->types.begin(), playbook.when->types.end());
  }
  EXPECT_EQ(types, types_of_incidents());
  for (const char* name :
       {"account-compromise", "account-created", "brute-force-success", "data-export",
        "delayed-delivery", "leaver-access", "lost-device", "mail-abuse", "malware",
        "physical-intrusion", "public-data-leak", "service-outage", "vulnerability-report"}) {
    EXPECT_TRUE(names.contains(name)) << name;
  }
}

// Whatever an attacker writes into a log line, a plan is made and stays readable.
TEST(ShippedPlaybooks, EachHasAPlanForAnyEntity) {
  for (const char* entity :
       {"203.0.113.7", "ann@example.com", "-rf", "a\nb\x1b[31m", "${account}", ""}) {
    const incident::Incident incident{.number = 7,
                                      .title = "Something happened",
                                      .entity = {"user.name", entity},
                                      .severity = incident::Severity::high,
                                      .row = "a row",
                                      .facts = {{"hosts_affected", 3}},
                                      .type = "malware"};
    for (const flow::Playbook& playbook : shipped()) {
      GivenTexts given;
      for (const auto& [name, variable] : playbook.variables) {
        if (variable.external) given[name] = name == "sha256" ? std::string(64, 'a') : "x";
      }
      const auto values = start_values(playbook, incident_values(incident), given);
      ASSERT_TRUE(values) << playbook.name << ": " << values.error().what;
      const auto lines = outline(playbook, *values, std::vector<std::string>());
      EXPECT_EQ(lines.size(), playbook.steps.size()) << playbook.name;
      const std::string text = to_text(lines);
      EXPECT_EQ(text.find('\x1b'), std::string::npos) << playbook.name;
      EXPECT_EQ(text.find("by hand, since"), std::string::npos) << text;
    }
  }
}

// What takes something from somebody can be taken back, or a person says first that it may be done.
TEST(ShippedPlaybooks, NothingIsTakenForGoodWithoutAsking) {
  std::size_t seen = 0;
  for (const flow::Playbook& playbook : shipped()) {
    for (const auto& [id, step] : playbook.steps) {
      const ActionKind* const kind = find_action(step.operation.action);
      if (step.kind != flow::StepKind::action || kind == nullptr || !kind->destructive) continue;
      ++seen;
      // The sessions of a brute-force-success end behind an approval of both.
      const bool gated = playbook.name == "brute-force-success" && id == "sessions";
      EXPECT_TRUE(step.undo || !step.approval.empty() || gated) << playbook.name << ", " << id;
      EXPECT_FALSE(step.on_failure.empty()) << playbook.name << ", " << id << ": and by hand?";
    }
  }
  EXPECT_GT(seen, 20U);
}

TEST(ShippedPlaybooks, AreReadAsTheyAreWritten) {
  for (flow::Playbook& playbook : shipped()) {
    const auto yaml = flow::to_yaml(playbook);
    ASSERT_TRUE(yaml) << playbook.name << ": " << yaml.error().what;
    auto again = flow::parse_playbooks(std::vector<flow::PlaybookText>{{playbook.file, *yaml}});
    ASSERT_TRUE(again) << again.error().what;
    again->front().version = playbook.version;
    EXPECT_TRUE(again->front() == playbook) << playbook.name;
  }
}

TEST(ShippedPlaybooks, TheExampleOfTheDocumentIsGood) {
  const std::string document = read_file(source_folder() + "/docs/playbooks.md");
  const std::size_t begin = document.find("```yaml\n") + 8;
  const std::string example = document.substr(begin, document.find("```", begin) - begin);
  auto playbooks =
      flow::parse_playbooks(std::vector<flow::PlaybookText>{{"docs/playbooks.md", example}});
  ASSERT_TRUE(playbooks) << playbooks.error().what;
  std::set<flow::StepKind> kinds;
  for (const auto& [id, step] : playbooks->front().steps) kinds.insert(step.kind);
  EXPECT_GE(kinds.size(), 9U);
  for (flow::Playbook& playbook : shipped()) playbooks->push_back(std::move(playbook));
  for (const Finding& finding : check(*playbooks, shipped_context())) {
    ADD_FAILURE() << finding.playbook << ", " << finding.step << ": " << finding.what;
  }
}

}  // namespace
}  // namespace mailwarden::respond
