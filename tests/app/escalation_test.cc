// Escalations in the whole: what is decided, kept and told, over restarts, and what the audit sees.
#include "alert/escalation_table.h"
#include "incident/incident_table.h"
#include "report/verify_store.h"
#include "tests/app/core_fixture.h"

namespace mailwarden::app {
namespace {

using alert::Escalation;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using Lines = std::vector<std::string>;

constexpr const char* two_steps =
    "chains:\n- name: c\n  steps: [{to: [spool]}, {after: 10m, to: [spool, lead]}]\n";

class CoreEscalationTest : public CoreTest {
 protected:
  CoreEscalationTest() {
    std::filesystem::remove(folder_.path("policies/playbooks/p.yaml"));
    // One that raises the severity of the same address to 2.
    write_file(folder_.path("rules/in.yml"),
               "title: They are in\nid: r2\nname: in\n"
               "logsource: {product: linux, service: sshd}\nlevel: high\ndetection:\n"
               "  selection:\n    event: login_accepted\n  condition: selection\n"
               "mailwarden: {entity: src_endpoint.ip, facts: {data_compromised: true}}\n");
    write_routes("{changes: [opened, severity_raised], to: [escalation:c]}");
    write_file(folder_.path("policies/escalations.yaml"), two_steps);
    database_ = fresh_store();
  }

  void write_routes(const std::string& route) {
    write_file(folder_.path("policies/routes.yaml"),
               "receivers:\n- {name: spool, kind: folder, folder: s}\n"
               "- {name: lead, kind: folder, folder: l}\nroutes: [" +
                   route + "]\n");
  }

  void restart() { core_ = open(*database_); }
  void guess(std::uint64_t ticket = 0) { core_->take(batch(ticket, 1)); }
  void get_in(std::uint64_t ticket) {
    core_->take(batch_of(ticket, {"Accepted password for root from 203.0.113.0 port 1 ssh2"}));
  }
  Result<std::vector<incident::Change>> act(incident::Act::Kind kind, std::int64_t number = 1,
                                            const std::string& value = "") {
    return core_->act(
        incident::Act{.kind = kind, .incident = number, .value = value, .why = "w", .who = "ann"});
  }

  // What leaves with what was decided so far: the steps, without what is alike of all keys.
  Lines told() {
    EXPECT_TRUE(core_->write());
    Lines found;
    for (const std::string& key : keys(core_->take_outgoing())) {
      const std::string begin = "example.com-test.escalation-";
      EXPECT_TRUE(key.starts_with(begin)) << key;
      found.push_back(key.substr(begin.size()));
    }
    return found;
  }
  Lines at(Duration since_start) {
    clock_.set(start + since_start);
    core_->tick();
    return told();
  }

  Escalation stored(std::int64_t incident = 1) {
    const auto found = alert::query_escalations(*database_, {.incident = incident});
    EXPECT_TRUE(found && found->size() == 1U);
    return found && !found->empty() ? found->front() : Escalation{};
  }
  Lines entries(const std::string& what) {
    Lines found;
    for (const std::string& row :
         rows(*database_,
              "SELECT record FROM ledger_entry WHERE kind = 'escalation' ORDER BY "
              "number")) {
      const auto record = json::parse(row.substr(0, row.size() - 1));
      if (record && record->text("what") == what) found.push_back(json::to_text(*record));
    }
    return found;
  }
  Lines gaps() {
    Lines found;
    for (const std::string& row :
         rows(*database_, "SELECT record FROM ledger_entry WHERE kind = 'gap' ORDER BY number")) {
      found.push_back(json::parse(row.substr(0, row.size() - 1))->text("what"));
    }
    return found;
  }
  void expect_good() {
    core_->seal();
    ASSERT_TRUE(core_->write());
    const auto verdict =
        report::verify_store(*database_, {.key = {"example.com/test", signer_->public_key()},
                                          .from = {},
                                          .check_record = {},
                                          .check_end = {},
                                          .progress = {}});
    ASSERT_TRUE(verdict) << verdict.error().what;
    EXPECT_TRUE(verdict->good()) << ledger::to_words(*verdict);
  }

  std::unique_ptr<db::Database> database_;
  std::unique_ptr<Core> core_;
};

TEST_F(CoreEscalationTest, StepsAreToldAndEachIsAnEntryWithItsAlertsBehind) {
  restart();
  guess();
  EXPECT_EQ(told(), Lines{"1-c-1-1-1.spool"}) << "with the change itself";
  EXPECT_EQ(at(minutes(10) - Duration(1)), Lines{});
  EXPECT_EQ(at(minutes(10) + seconds(2)), (Lines{"1-c-1-1-2.lead", "1-c-1-1-2.spool"}));
  EXPECT_EQ(at(minutes(11)), Lines{});
  const Lines reached = entries("reached");
  ASSERT_EQ(reached.size(), 2U);
  const auto second = json::parse(reached[1]).value();
  EXPECT_EQ(second.text("due"), to_rfc3339(start + minutes(10)));
  EXPECT_EQ(second.text("when"), to_rfc3339(start + minutes(10) + seconds(2)));
  EXPECT_EQ(json::to_text(second["receivers"]), R"(["spool","lead"])");
  EXPECT_EQ(second.integer("incident"), 1);
  EXPECT_EQ(second.integer("round"), 1);
  EXPECT_EQ(second.integer("step"), 2);
  const Lines kinds =
      rows(*database_, "SELECT kind FROM ledger_entry ORDER BY number DESC LIMIT 4");
  EXPECT_EQ(kinds, (Lines{"state|", "alert|", "alert|", "escalation|"})) << "newest first";
  EXPECT_EQ(core_->escalations().running(), 1);
  expect_good();
}

// A kill between what is due and what is sent loses nothing, and one behind it repeats nothing.
TEST_F(CoreEscalationTest, ARestartSendsWhatIsDueOnceUnderTheSameKeys) {
  restart();
  guess();
  EXPECT_EQ(told().size(), 1U);
  clock_.set(start + minutes(10));
  core_->tick();  // decided, and killed before it is written
  restart();
  EXPECT_EQ(told(), Lines{"1-c-1-1-1.spool"}) << "not settled, so it leaves again";
  clock_.set(start + hours(1));
  restart();
  static_cast<void>(told());
  core_->tick();
  EXPECT_EQ(told(), (Lines{"1-c-1-1-2.lead", "1-c-1-1-2.spool"}));
  restart();
  EXPECT_EQ(told(), (Lines{"1-c-1-1-1.spool", "1-c-1-1-2.lead", "1-c-1-1-2.spool"}));
  core_->tick();
  EXPECT_EQ(told(), Lines{});
  EXPECT_EQ(rows(*database_, "SELECT entry FROM alert").size(), 3U);
  EXPECT_EQ(entries("reached").size(), 2U);
  EXPECT_EQ(stored().reached, start + hours(1));
  expect_good();
}

TEST_F(CoreEscalationTest, AnAnswerEndsIt) {
  restart();
  guess();
  static_cast<void>(told());
  clock_.advance(minutes(1));
  ASSERT_TRUE(act(incident::Act::Kind::acknowledge));
  EXPECT_EQ(told(), Lines{});
  EXPECT_EQ(at(hours(9)), Lines{});
  EXPECT_EQ(stored().state, Escalation::State::ended);
  EXPECT_EQ(stored().why, "acknowledged by ann");
  EXPECT_EQ(entries("ended").size(), 1U);
  restart();
  EXPECT_EQ(core_->escalations().running(), 0);
  core_->tick();
  EXPECT_EQ(told().size(), 1U) << "only what was not settled";
  expect_good();
}

TEST_F(CoreEscalationTest, ARaiseBehindAnAnswerBeginsItAnew) {
  restart();
  guess();
  ASSERT_TRUE(act(incident::Act::Kind::acknowledge));
  static_cast<void>(told());
  clock_.advance(minutes(30));
  restart();
  static_cast<void>(told());
  get_in(1);
  EXPECT_EQ(told(), Lines{"1-c-2-1-1.spool"});
  EXPECT_EQ(stored().begin, 2);
  EXPECT_EQ(stored().severity, incident::Severity::high);
  EXPECT_EQ(at(minutes(40)), (Lines{"1-c-2-1-2.lead", "1-c-2-1-2.spool"}));
  expect_good();
}

TEST_F(CoreEscalationTest, AMergeEndsThatOfTheAbsorbedIncident) {
  restart();
  guess(0);
  guess(1);
  EXPECT_EQ(told().size(), 2U);
  ASSERT_TRUE(act(incident::Act::Kind::merge, 2, "1"));
  EXPECT_EQ(at(minutes(10)), (Lines{"1-c-1-1-2.lead", "1-c-1-1-2.spool"}));
  EXPECT_EQ(stored(2).why, "merged into incident 1");
  expect_good();
}

TEST_F(CoreEscalationTest, WhatNobodyAnswersIsSaidInTheIncident) {
  write_routes(
      "{changes: [opened], to: [escalation:c]}, {changes: [escalation_exhausted], to: [lead]}");
  restart();
  guess();
  static_cast<void>(told());
  static_cast<void>(at(minutes(10)));
  EXPECT_EQ(core_->escalations().exhausted(), 0);
  clock_.set(start + minutes(40));
  core_->tick();
  ASSERT_TRUE(core_->write());
  EXPECT_EQ(keys(core_->take_outgoing()), Lines{"example.com-test.incident-1-2.lead"});
  const auto changes = incident::load_changes(*database_, 1).value();
  ASSERT_EQ(changes.size(), 2U);
  EXPECT_EQ(changes[1].change.kind, "escalation_exhausted");
  EXPECT_EQ(changes[1].change.after.at("chain"), json::Value("c"));
  EXPECT_EQ(core_->escalations().exhausted(), 1);
  restart();
  EXPECT_EQ(core_->escalations().exhausted(), 1);
  ASSERT_TRUE(act(incident::Act::Kind::move, 1, "dismissed"));
  EXPECT_EQ(core_->escalations().exhausted(), 0);
  expect_good();
}

TEST_F(CoreEscalationTest, OtherFilesMoveNothingThatRuns) {
  restart();
  guess();
  static_cast<void>(told());
  write_routes("{changes: [opened], to: [spool]}");
  write_file(folder_.path("policies/escalations.yaml"), "# none\n");
  core_->use(policies());
  EXPECT_EQ(at(minutes(10)), (Lines{"1-c-1-1-2.lead", "1-c-1-1-2.spool"}));
}

TEST_F(CoreEscalationTest, AScheduleThatIsGoneIsAGap) {
  write_file(folder_.path("policies/on_call.yaml"),
             "people: [{name: ada, receivers: [lead]}]\n"
             "schedules: [{name: p, zone: UTC, layers: [{name: l, people: [ada],"
             " start: 2020-01-01 00:00, shift: daily}]}]\n");
  write_file(folder_.path("policies/escalations.yaml"),
             "chains:\n- name: c\n  steps: [{to: [on-call:p]}, {after: 1m, to: [on-call:p]}]\n");
  restart();
  guess();
  EXPECT_EQ(told(), Lines{"1-c-1-1-1.lead"});
  std::filesystem::remove(folder_.path("policies/on_call.yaml"));
  write_file(folder_.path("policies/escalations.yaml"), two_steps);
  core_->use(policies());
  EXPECT_EQ(at(minutes(1)), Lines{});
  EXPECT_EQ(gaps(), Lines{"incident 1, chain 'c': there is no schedule 'p' in on_call.yaml"});
  EXPECT_TRUE(entries("reached").back().contains("no schedule 'p'"));
}

TEST_F(CoreEscalationTest, WhatWasOpenBeforeARouteNamedTheChainIsPassedOver) {
  write_routes("{changes: [opened], to: [spool]}");
  restart();
  guess();
  ASSERT_TRUE(core_->write());
  static_cast<void>(core_->take_outgoing());
  write_routes("{changes: [opened, severity_raised], to: [escalation:c]}");
  restart();
  ASSERT_TRUE(core_->write());
  static_cast<void>(core_->take_outgoing());
  EXPECT_EQ(stored().state, Escalation::State::passed_over);
  EXPECT_TRUE(core_->audit_escalations().value().empty());
  EXPECT_EQ(at(hours(1)), Lines{});
  get_in(1);
  EXPECT_EQ(told(), Lines{"1-c-1-1-1.spool"});
  expect_good();
}

TEST_F(CoreEscalationTest, TheAuditReadsTheTableAndTellsEachFindingOnce) {
  restart();
  guess();
  static_cast<void>(told());
  const auto waiting = alert::load_pending(*database_).value();
  for (const alert::AlertRow& row : waiting) {
    core_->settle(alert::Outcome{.key = row.alert.key,
                                 .standing = alert::Standing::delivered,
                                 .tries = 1,
                                 .trouble = {}},
                  row.alert.receiver);
  }
  ASSERT_TRUE(core_->write());
  EXPECT_TRUE(core_->audit_escalations().value().empty());
  // As a daemon that stood still would leave it.
  clock_.set(start + minutes(12));
  const auto found = core_->audit_escalations().value();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_TRUE(found[0].what.contains("stands still")) << found[0].what;
  EXPECT_TRUE(core_->audit_escalations().value().empty()) << "told already";
  EXPECT_EQ(core_->findings().count(), 1);
  EXPECT_EQ(core_->totals().gaps, 1);
  static_cast<void>(at(minutes(12)));
  EXPECT_EQ(gaps().size(), 1U);
  EXPECT_TRUE(core_->audit_escalations().value().empty());
  EXPECT_EQ(core_->findings().count(), 0);
  // The book still has it, the store has not.
  ASSERT_TRUE(database_->run("DELETE FROM escalation", {}));
  const auto missing = core_->audit_escalations().value();
  ASSERT_EQ(missing.size(), 1U);
  EXPECT_TRUE(missing[0].what.contains("no escalation of it has begun")) << missing[0].what;
}

TEST_F(CoreEscalationTest, AChangedRowIsFoundByWhoeverVerifies) {
  restart();
  guess();
  static_cast<void>(told());
  expect_good();
  ASSERT_TRUE(database_->run("UPDATE escalation SET due = due + 1", {}));
  const auto verdict =
      report::verify_store(*database_, {.key = {"example.com/test", signer_->public_key()},
                                        .from = {},
                                        .check_record = {},
                                        .check_end = {},
                                        .progress = {}});
  ASSERT_TRUE(verdict);
  ASSERT_EQ(verdict->failures.size(), 1U) << ledger::to_words(*verdict);
  EXPECT_EQ(verdict->failures[0].place, "escalation 1 / c");
}

TEST_F(CoreEscalationTest, InAStoreWithKeysWhatTheyAreAboutIsSealed) {
  make_keys();
  database_->set_sealing(&store_keys_->sealing());
  restart();
  core_->take(batch_of(
      0, {"Failed password for invalid user anna@example.com from 203.0.113.9 port 1 ssh2"}));
  static_cast<void>(told());
  EXPECT_TRUE(rows(*database_, "SELECT body FROM escalation").at(0).starts_with("sealed:1:"));
  restart();
  EXPECT_EQ(at(minutes(10)).size(), 3U);
  expect_good();
}

// The check of the files of policies, through the loader.
TEST_F(CoreEscalationTest, MistakesOfTheFileAreToldWithThoseOfTheOthers) {
  write_file(folder_.path("policies/escalations.yaml"),
             "chains:\n- name: c\n  steps: [{after: 1m, to: [x]}, {to: [x]}]\n");
  write_routes("{changes: [opened], to: [nobody, escalation:c]}");
  const auto refused = load_policies(config_);
  ASSERT_FALSE(refused);
  for (const char* part : {"escalations.yaml, line 3: 'after' must be longer",
                           "routes.yaml, line 4: there is no receiver 'nobody'"}) {
    EXPECT_TRUE(refused.error().what.contains(part)) << refused.error().what;
  }
  write_file(folder_.path("policies/escalations.yaml"), two_steps);
  std::filesystem::remove(folder_.path("policies/routes.yaml"));
  EXPECT_TRUE(
      load_policies(config_).error().what.contains("steps have receivers, but there is no"));
  write_routes("{changes: [opened], to: [spool]}");
  const auto warned = load_policies(config_);
  ASSERT_TRUE(warned) << warned.error().what;
  ASSERT_EQ((*warned)->warnings.size(), 1U);
  EXPECT_TRUE((*warned)->warnings[0].contains("escalations.yaml, line 2: no route names"));
  const std::string version = (*warned)->version;
  write_file(folder_.path("policies/escalations.yaml"), std::string(two_steps) + "# more\n");
  EXPECT_NE(policies()->version, version);
}

}  // namespace
}  // namespace mailwarden::app
