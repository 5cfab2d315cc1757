// Alerts from outside, silences, groups and storms in the core: what is decided, stored and known
// again after a restart.
#include <gmock/gmock.h>

#include "report/verify_store.h"
#include "tests/app/core_fixture.h"

namespace mailwarden::app {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class SignalsTest : public CoreTest {
 protected:
  SignalsTest() {
    std::filesystem::remove(folder_.path("policies/playbooks/p.yaml"));
    use_routes("storm: {notices: 5, per: 1m}\n");
  }

  void use_routes(const std::string& more) {
    write_file(folder_.path("policies/routes.yaml"),
               "receivers: [{name: spool, kind: folder, folder: s}]\n"
               "routes:\n"
               "- {changes: [opened, severity_raised], to: [spool]}\n"
               "- {signals: ['alertname=~\".+\"'], group_by: [alertname], wait: 30s,"
               " interval: 5m, repeat: 4h, to: [spool]}\n"
               "incidents:\n"
               "- {signals: ['page=\"yes\"'], name: paged, title: '${alertname} on ${instance}',"
               " level: high, entity: instance, entity_kind: host,"
               " facts: {services: all_down}}\n" +
                   more);
  }

  alert::Signal signal(alert::Labels labels, Duration lasts = hours(1)) {
    return {.labels = std::move(labels),
            .starts = clock_.now(),
            .ends = clock_.now() + lasts,
            .updated = clock_.now()};
  }
  static alert::Silence silence(const std::string& matcher, Timestamp now) {
    alert::Silence made{
        .starts = now, .ends = now + hours(1), .author = "ada", .comment = "a new disk"};
    made.matchers.push_back(alert::LabelMatcher::parse(matcher).value());
    return made;
  }
  std::vector<std::string> subjects(Core& core) {
    EXPECT_TRUE(core.write());
    std::vector<std::string> found;
    for (const Outgoing& one : core.take_outgoing()) {
      found.push_back(std::get<alert::Alert>(one).subject);
    }
    return found;
  }
  void verify() {
    const auto verdict = report::verify_store(
        *database_, {.key = ledger::VerifierKey{"example.com/test", signer_->public_key()}});
    ASSERT_TRUE(verdict) << verdict.error().what;
    EXPECT_TRUE(verdict->good()) << ledger::to_words(*verdict);
  }

  std::unique_ptr<db::Database> database_ = db::open_sqlite(":memory:").value();
};

TEST_F(SignalsTest, AGroupIsToldOnceWhateverComesBetween) {
  auto core = open(*database_);
  ASSERT_TRUE(core->take({signal({{"alertname", "Disk"}, {"instance", "db1"}}),
                          signal({{"alertname", "Disk"}, {"instance", "db2"}})}));
  core->tick();
  EXPECT_THAT(subjects(*core), IsEmpty());
  // A kill during the wait: what was accepted is told when it is due.
  core = open(*database_);
  clock_.advance(seconds(40));
  core->tick();
  EXPECT_THAT(subjects(*core), ElementsAre("[2 firing] alertname=Disk: Disk on db1; Disk on db2"));
  // A kill behind it, and a client that sends again.
  core = open(*database_);
  EXPECT_THAT(core->take_outgoing(), SizeIs(1)) << "not delivered yet";
  ASSERT_TRUE(core->take({signal({{"alertname", "Disk"}, {"instance", "db1"}})}));
  clock_.advance(minutes(6));
  core->tick();
  EXPECT_THAT(subjects(*core), IsEmpty());
  core->seal();
  ASSERT_TRUE(core->write());
  verify();
}

TEST_F(SignalsTest, WhatWasNotWrittenWasNotAccepted) {
  auto core = open(*database_);
  ASSERT_TRUE(core->write());
  ASSERT_TRUE(core->take({signal({{"alertname", "Disk"}})}));
  core = open(*database_);
  EXPECT_TRUE(core->alerting().signals.all().empty());
}

TEST_F(SignalsTest, SignalsEndAreToldAndForgotten) {
  auto core = open(*database_);
  ASSERT_TRUE(core->take({signal({{"alertname", "Disk"}}, minutes(2))}));
  clock_.advance(seconds(30));
  core->tick();
  EXPECT_THAT(subjects(*core), ElementsAre("[1 firing] alertname=Disk: Disk"));
  core = open(*database_);
  clock_.advance(minutes(5));
  core->tick();
  EXPECT_THAT(subjects(*core), testing::Contains("[1 resolved] alertname=Disk: Disk"));
  EXPECT_THAT(rows(*database_, "SELECT number FROM alert_group"), IsEmpty());
  EXPECT_THAT(rows(*database_, "SELECT number FROM signal"), SizeIs(1));
  clock_.advance(hours(25));
  core->tick();
  ASSERT_TRUE(core->write());
  EXPECT_THAT(rows(*database_, "SELECT number FROM signal"), IsEmpty());
  EXPECT_THAT(rows(*database_, "SELECT record FROM ledger_entry WHERE kind = 'signal'"), SizeIs(2));
  core->seal();
  ASSERT_TRUE(core->write());
  verify();
}

TEST_F(SignalsTest, ASilenceOutlivesARestartAndWhatItMutesIsKept) {
  auto core = open(*database_);
  const auto id = core->set_silence(silence("alertname=Disk", clock_.now()));
  ASSERT_TRUE(id) << id.error().what;
  EXPECT_THAT(*id,
              testing::MatchesRegex("[0-9a-f]+-[0-9a-f]+-4[0-9a-f]+-[89ab][0-9a-f]+-[0-9a-f]+"));
  ASSERT_TRUE(core->write());
  core = open(*database_);
  ASSERT_TRUE(core->take({signal({{"alertname", "Disk"}})}));
  clock_.advance(seconds(30));
  core->tick();
  EXPECT_THAT(subjects(*core), IsEmpty());
  EXPECT_THAT(rows(*database_, "SELECT standing, trouble FROM alert"),
              ElementsAre("silenced|silenced by " + *id + "|"));
  EXPECT_EQ(core->totals().alerts_silenced, 1);
  clock_.advance(hours(2));
  core->tick();
  ASSERT_TRUE(core->write());
  EXPECT_THAT(rows(*database_,
                   "SELECT json_extract(record, '$.what') FROM ledger_entry"
                   " WHERE kind = 'silence' ORDER BY number"),
              ElementsAre("made|", "expired|"));
  clock_.advance(hours(121));
  core->tick();
  core->seal();
  ASSERT_TRUE(core->write());
  EXPECT_THAT(rows(*database_, "SELECT id FROM silence"), IsEmpty());
  verify();
}

TEST_F(SignalsTest, ASilenceMutesAnIncidentAndNotAGraveOne) {
  auto core = open(*database_);
  ASSERT_TRUE(core->set_silence(silence("entity=~\".+\"", clock_.now())));
  core->take(batch(0, 1));
  EXPECT_THAT(subjects(*core), IsEmpty());
  ASSERT_TRUE(core->take({signal({{"alertname", "Down"}, {"instance", "mx1"}, {"page", "yes"}})}));
  const auto told = subjects(*core);
  ASSERT_THAT(told, testing::Not(IsEmpty()));
  for (const std::string& subject : told) EXPECT_THAT(subject, HasSubstr("severity 3"));
}

TEST_F(SignalsTest, ASignalOpensAnIncident) {
  auto core = open(*database_);
  const alert::Labels labels{{"alertname", "Down"}, {"instance", "mx1"}, {"page", "yes"}};
  ASSERT_TRUE(core->take({signal(labels)}));
  EXPECT_THAT(subjects(*core), testing::Contains(HasSubstr("incident 1: Down on mx1, mx1")));
  // Sent again it is the same one.
  ASSERT_TRUE(core->take({signal(labels)}));
  ASSERT_TRUE(core->write());
  EXPECT_THAT(rows(*database_, "SELECT json_extract(body, '$.rule_id') FROM detection"), SizeIs(1));
  EXPECT_THAT(rows(*database_, "SELECT entity_kind, entity_name FROM incident"),
              ElementsAre("host|mx1|"));
}

TEST_F(SignalsTest, AWrongFactIsTold) {
  use_routes("");
  std::string text = read_file(folder_.path("policies/routes.yaml"));
  text.replace(text.find("all_down"), 8, "upside_down");
  write_file(folder_.path("policies/routes.yaml"), text);
  const auto loaded = load_policies(config_);
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().what, HasSubstr("routes.yaml, line 6"));
}

TEST_F(SignalsTest, AStormIsOneSummaryAndHoldsNoGraveOneBack) {
  auto core = open(*database_);
  for (std::uint64_t i = 0; i < 40; ++i) {
    std::vector<std::string> lines;
    for (int k = 0; k < 5; ++k) {
      lines.push_back("Failed password for root from 203.0.113." + std::to_string(i * 5 + k) +
                      " port 1 ssh2");
    }
    core->take(batch_of(i, lines));
  }
  ASSERT_TRUE(core->take({signal({{"alertname", "Down"}, {"instance", "mx1"}, {"page", "yes"}})}));
  const auto first = subjects(*core);
  EXPECT_THAT(first, testing::Contains(HasSubstr("Down on mx1")));
  EXPECT_THAT(first, testing::Not(testing::Contains(HasSubstr("more notices"))));
  core = open(*database_);
  clock_.advance(minutes(1));
  core->tick();
  std::vector<std::string> summaries;
  for (const std::string& subject : subjects(*core)) {
    if (subject.contains("more notices")) summaries.push_back(subject);
  }
  ASSERT_THAT(summaries, SizeIs(1));
  EXPECT_THAT(summaries[0], HasSubstr("195 more notices in 1 min: 195 incidents,"));
  EXPECT_THAT(rows(*database_, "SELECT number FROM alert_storm"), IsEmpty());
  core->seal();
  ASSERT_TRUE(core->write());
  verify();
}

TEST_F(SignalsTest, ATestAlertGoesToItsReceiver) {
  auto core = open(*database_);
  EXPECT_EQ(core->test_alert("nobody").error().code, Code::not_found);
  const auto key = core->test_alert("spool");
  ASSERT_TRUE(key);
  EXPECT_THAT(subjects(*core), ElementsAre(HasSubstr("a test of the receiver spool")));
}

TEST_F(SignalsTest, NewRoutesTakeWhatFires) {
  auto core = open(*database_);
  ASSERT_TRUE(core->take({signal({{"alertname", "Disk"}, {"cluster", "a"}})}));
  clock_.advance(seconds(30));
  core->tick();
  EXPECT_THAT(subjects(*core), SizeIs(1));
  std::string text = read_file(folder_.path("policies/routes.yaml"));
  text.replace(text.find("group_by: [alertname]"), 21, "group_by: [cluster]");
  write_file(folder_.path("policies/routes.yaml"), text);
  core->use(policies());
  core->tick();
  EXPECT_THAT(subjects(*core), ElementsAre("[1 firing] cluster=a: Disk"));
  EXPECT_THAT(rows(*database_, "SELECT number FROM alert_group"), SizeIs(1));
}

TEST_F(SignalsTest, InAStoreWithKeysNothingStandsInClear) {
  make_keys();
  database_->set_sealing(&store_keys_->sealing());
  auto core = open(*database_);
  ASSERT_TRUE(core->take({signal({{"alertname", "Disk"}, {"user", "ada@example.com"}})}));
  ASSERT_TRUE(core->set_silence(silence("user=\"ada@example.com\"", clock_.now())));
  ASSERT_TRUE(core->write());
  for (const char* const table : {"signal", "silence", "alert_group"}) {
    for (const std::string& body : rows(*database_, "SELECT body FROM " + std::string(table))) {
      EXPECT_TRUE(body.starts_with("sealed:")) << table;
      EXPECT_FALSE(body.contains("ada@example.com")) << table;
    }
  }
  const auto refused =
      core->erase({.subject = "ada@example.com", .reason = "she asked", .who = "dpo"});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().what, HasSubstr("signal 1, kept until"));
  core = open(*database_);
  EXPECT_EQ(core->alerting().signals.all().size(), 1U);
  EXPECT_EQ(core->alerting().silences.all().size(), 1U);
}

}  // namespace
}  // namespace mailwarden::app
