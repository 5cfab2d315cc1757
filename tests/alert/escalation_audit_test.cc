// What the audit finds in the tables, and that it needs no scan for it. The table itself, too.
#include "alert/escalation_audit.h"

#include "alert/escalation_table.h"
#include "alert/outbox.h"
#include "incident/incident_table.h"
#include "tests/alert/escalation_world.h"
#include "tests/db/store.h"

namespace mailwarden::alert {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr const char* chain_text =
    "chains:\n- name: c\n  steps: [{to: [spool]}, {after: 10m, to: [spool]}]\n";

class OutboxEscalations : public testing::Test {
 protected:
  OutboxEscalations() {
    std::vector<db::Migration> all;
    for (const auto& steps : {incident::migrations(), migrations(), escalation_migrations()}) {
      all.insert(all.end(), steps.begin(), steps.end());
    }
    EXPECT_TRUE(db::migrate(*store_, all, {0}));
  }

  incident::Incident incident(std::int64_t number, int severity) {
    return {.number = number,
            .title = "T",
            .severity = static_cast<incident::Severity>(severity),
            .opened = world_start,
            .changed = world_start,
            .first_event = world_start,
            .last_event = world_start,
            .graded = world_start};
  }
  void store(const incident::Incident& incident) {
    ASSERT_TRUE(incident::store_incident(*store_, incident));
  }
  void store_opened(const incident::Incident& incident) {
    store(incident);
    ASSERT_TRUE(incident::store_change(
        *store_, {.entry = incident.number,
                  .change = {.incident = incident.number,
                             .sequence = 1,
                             .when = world_start,
                             .kind = "opened",
                             .after = {{"severity", static_cast<int>(incident.severity)}}}}));
  }
  Escalation running(std::int64_t incident) {
    World world(chain_text);
    world.incident_.number = incident;
    world.open();
    world.tick();
    return world.escalation();
  }
  void store(const Escalation& one) { ASSERT_TRUE(store_escalation(*store_, one)); }

  std::vector<std::string> found(Duration since_start, Timestamp started = {0}) {
    const auto findings = audit_escalations(*store_, world_.routes_,
                                            {.now = world_start + since_start, .started = started});
    EXPECT_TRUE(findings) << findings.error().what;
    std::vector<std::string> keys;
    for (const Finding& one : *findings) keys.push_back(one.key);
    return keys;
  }

  using Keys = std::vector<std::string>;
  World world_{chain_text};
  std::unique_ptr<db::Database> store_ = fresh_store();
};

TEST_F(OutboxEscalations, ComeBackAsTheyWereStored) {
  store(incident(1, 2));
  incident::Incident over = incident(2, 2);
  over.state = incident::State::closed;
  store(over);
  const Escalation first = running(1);
  Escalation ended = running(1);
  ended.chain = "d";
  ended.state = Escalation::State::ended;
  ended.why = "acknowledged by ann@example.com";
  Escalation of_over = running(2);
  of_over.state = Escalation::State::exhausted;
  for (const Escalation& one : {first, ended, of_over}) store(one);
  EXPECT_EQ(load_escalations(*store_).value(), (std::vector{first, ended}));
  EXPECT_EQ(query_escalations(*store_, {.incident = 2}).value(), std::vector{of_over});
  EXPECT_EQ(query_escalations(*store_, {}).value(), std::vector{first});
  EXPECT_EQ(query_escalations(*store_, {.state = Escalation::State::exhausted}).value(),
            std::vector{of_over});
  Escalation next = first;
  next.next = 2;
  store(next);
  EXPECT_EQ(query_escalations(*store_, {}).value(), std::vector{next});
  ASSERT_TRUE(store_->run("UPDATE escalation SET body = '{}' WHERE chain = 'c'", {}));
  EXPECT_EQ(query_escalations(*store_, {}).error().code, Code::corrupt);
}

TEST_F(OutboxEscalations, WhatRunsAsItShouldIsNoFinding) {
  store_opened(incident(1, 2));
  store(running(1));
  store_opened(incident(2, 0));  // below what the routes send
  incident::Incident seen = incident(3, 2);
  seen.acknowledged = world_start;
  store_opened(seen);
  EXPECT_EQ(found(minutes(11)), Keys{}) << "a step may be late by a minute";
}

TEST_F(OutboxEscalations, AStepThatIsOverdueIsFound) {
  store_opened(incident(1, 2));
  store(running(1));
  EXPECT_EQ(found(minutes(11) + Duration(1)), Keys{"overdue 1 c 2025-11-24T16:10:00.000000Z"});
  Escalation done = running(1);
  done.state = Escalation::State::exhausted;
  store(done);
  EXPECT_EQ(found(hours(9)), Keys{});
}

TEST_F(OutboxEscalations, OneThatRunsForWhatIsOverIsFound) {
  struct Case {
    const char* name;
    void (*change)(incident::Incident& incident);
  };
  const std::vector<Case> cases{
      {"closed", [](incident::Incident& one) { one.state = incident::State::closed; }},
      {"dismissed", [](incident::Incident& one) { one.state = incident::State::dismissed; }},
      {"acknowledged", [](incident::Incident& one) { one.acknowledged = world_start; }}};
  store(running(1));
  EXPECT_EQ(found(minutes(1)), Keys{"unended 1 c"}) << "there is no incident";
  for (const Case& c : cases) {
    incident::Incident one = incident(1, 2);
    c.change(one);
    store(one);
    EXPECT_EQ(found(minutes(1)), Keys{"unended 1 c"}) << c.name;
  }
}

TEST_F(OutboxEscalations, AnIncidentWithoutOneIsFound) {
  store_opened(incident(1, 2));
  EXPECT_EQ(found(minutes(1)), Keys{"missing 1 c"});
  Escalation passed = running(1);
  passed.state = Escalation::State::passed_over;
  store(passed);
  EXPECT_EQ(found(minutes(1)), Keys{});
  // What was raised unseen by the routes has none by right.
  incident::Incident raised = incident(2, 0);
  store_opened(raised);
  raised.severity = incident::Severity::extreme;
  store(raised);
  EXPECT_EQ(found(minutes(1)), Keys{});
}

TEST_F(OutboxEscalations, OneOfATypeThatNoRouteTakesNeedsNone) {
  world_.routes_ =
      Routes::parse(
          "receivers: [{name: spool, kind: folder, folder: s}]\nroutes:\n"
          "- {changes: [opened, severity_raised], types: [malware], to: ['escalation:c']}\n",
          "routes.yaml", "/a", OnCallSchedules(),
          EscalationChains::parse(chain_text, "escalations.yaml").value())
          .value();
  const auto type = [&](std::int64_t number, const char* to, Timestamp when) {
    ASSERT_TRUE(incident::store_change(*store_, {.entry = 100 + number,
                                                 .change = {.incident = number,
                                                            .sequence = 2,
                                                            .when = when,
                                                            .kind = "typed",
                                                            .after = {{"type", to}}}}));
  };
  for (const std::int64_t number : {1, 2, 3, 4}) store_opened(incident(number, 2));
  type(1, "service", world_start);
  type(2, "malware", world_start);
  // It was of none when it opened.
  type(3, "malware", world_start + Duration(1));
  EXPECT_EQ(found(minutes(1)), Keys{"missing 2 c"});
}

TEST_F(OutboxEscalations, AnAlertThatNobodyTriedIsFound) {
  const Alert alert{.key = "k",
                    .receiver = "spool",
                    .incident = 9,
                    .time = world_start,
                    .subject = "s",
                    .event = {{"id", "k"}}};
  ASSERT_TRUE(store_alert(*store_, {.entry = 1, .alert = alert}));
  EXPECT_EQ(found(minutes(5)), Keys{});
  EXPECT_EQ(found(minutes(5) + Duration(1)), Keys{"untried k"});
  EXPECT_EQ(found(minutes(9), world_start + minutes(5)), Keys{})
      << "this process has not had it for so long";
  EXPECT_EQ(found(minutes(11), world_start + minutes(5)), Keys{"untried k"});
  ASSERT_TRUE(
      store_outcome(*store_, &alert, {.key = "k", .tries = 1, .trouble = "t"}, world_start));
  EXPECT_EQ(found(hours(1)), Keys{});
}

TEST_F(OutboxEscalations, ManyFindingsAreCounted) {
  for (std::int64_t number = 1; number <= EscalationAudit::findings_max + 5; ++number) {
    store_opened(incident(number, 2));
  }
  const auto keys = found(minutes(1));
  ASSERT_EQ(keys.size(), static_cast<std::size_t>(EscalationAudit::findings_max) + 1);
  EXPECT_EQ(keys.back(), "missing more");
}

TEST(FindingBook, TellsEachAsLongAsItLastsOnce) {
  FindingBook book;
  const auto told = [&](std::vector<Finding> found) {
    std::string keys;
    for (const Finding& one : book.take(std::move(found))) keys += one.key;
    return keys;
  };
  EXPECT_EQ(told({{"a", "A"}, {"b", "B"}}), "ab");
  EXPECT_EQ(book.count(), 2);
  EXPECT_EQ(book.summary(), "A; and 1 more");
  EXPECT_EQ(told({{"b", "B"}, {"c", "C"}}), "c");
  EXPECT_EQ(told({}), "");
  EXPECT_EQ(book.count(), 0);
  EXPECT_EQ(book.summary(), "");
  EXPECT_EQ(told({{"b", "B"}}), "b") << "it came back";
}

// A question that reads a whole table is one that somebody turns off some day.
TEST(EscalationAudit, NoQuestionScansATable) {
  const auto store = db::open_url("sqlite::memory:").value();
  std::vector<db::Migration> all;
  for (const auto& steps : {incident::migrations(), migrations(), escalation_migrations()}) {
    all.insert(all.end(), steps.begin(), steps.end());
  }
  ASSERT_TRUE(db::migrate(*store, all, {0}));
  ASSERT_EQ(audit_questions().size(), 4U);
  for (const std::string_view question : audit_questions()) {
    const auto plan = store->query("EXPLAIN QUERY PLAN " + std::string(question));
    ASSERT_TRUE(plan) << plan.error().what;
    int searches = 0;
    while ((*plan)->step().value()) {
      const std::string line((*plan)->text(3));
      EXPECT_FALSE(line.starts_with("SCAN")) << question << ": " << line;
      searches += line.starts_with("SEARCH") ? 1 : 0;
    }
    EXPECT_GT(searches, 0) << question;
  }
}

}  // namespace
}  // namespace mailwarden::alert
