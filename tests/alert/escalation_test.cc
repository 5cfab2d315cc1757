// When escalations begin, go on and end, and what a step tells whom.
#include "alert/escalation.h"

#include "tests/alert/escalation_world.h"

namespace mailwarden::alert {
namespace {

using incident::Severity;
using std::chrono::hours;
using std::chrono::minutes;
using Words = std::vector<std::string>;

constexpr const char* three_steps =
    "chains:\n- name: c\n  steps: [{to: [spool]}, {after: 10m, to: [spool, lead]},"
    " {after: 20m, to: [lead], severity_from: 2}]\n";
constexpr const char* two_rounds =
    "chains:\n- name: c\n  steps: [{to: [spool]}, {after: 10m, to: [lead]}]\n"
    "  repeat: 3\n  repeat_after: 30m\n";

TEST(Escalation, StepsComeAtTheirTimesUntilItIsExhausted) {
  World world(three_steps);
  EXPECT_EQ(words(world.open()), Words{"begun 1"});
  EXPECT_EQ(words(world.tick()), Words{"reached 1.1"}) << "the first at once";
  EXPECT_EQ(words(world.tick()), Words{}) << "once";
  EXPECT_EQ(words(world.at(minutes(10) - Duration(1))), Words{});
  EXPECT_EQ(words(world.at(minutes(10))), Words{"reached 1.2"});
  EXPECT_EQ(world.book_.running(), 1);
  EXPECT_EQ(words(world.at(minutes(20))), Words{"reached 1.3"});
  EXPECT_EQ(words(world.at(minutes(50) - Duration(1))), Words{});
  EXPECT_EQ(words(world.at(minutes(50))), Words{"exhausted"});
  EXPECT_EQ(words(world.at(hours(100))), Words{});
  EXPECT_EQ(world.book_.running(), 0);
  EXPECT_EQ(world.book_.exhausted(), 1);
  EXPECT_EQ(world.escalation().state, Escalation::State::exhausted);
}

TEST(Escalation, RoundsFollowEachOther) {
  World world(two_rounds);
  world.open();
  Words all;
  for (int minute = 0; minute <= 130; ++minute) {
    for (const std::string& word : words(world.at(minutes(minute)))) {
      all.push_back(std::to_string(minute) + " " + word);
    }
  }
  EXPECT_EQ(all, (Words{"0 reached 1.1", "10 reached 1.2", "30 reached 2.1", "40 reached 2.2",
                        "60 reached 3.1", "70 reached 3.2", "90 reached 4.1", "100 reached 4.2",
                        "120 exhausted"}));
}

TEST(Escalation, BeginsWhereARoutedChangeReachesTheChain) {
  struct Case {
    const char* name;
    const char* kind;
    Severity severity;
    bool acknowledged;
    Words expected;
  };
  const std::vector<Case> cases{{"routed", "opened", Severity::medium, false, {"begun 1"}},
                                {"not severe enough", "opened", Severity::low, false, {}},
                                {"of another kind", "noted", Severity::extreme, false, {}},
                                {"answered already", "severity_raised", Severity::high, true, {}}};
  for (const Case& c : cases) {
    World world(three_steps);
    world.incident_.severity = c.severity;
    if (c.acknowledged) world.incident_.acknowledged = world.now_;
    EXPECT_EQ(words(world.change(c.kind)), c.expected) << c.name;
  }
}

TEST(Escalation, EndsWithWhatTheChainWaitsFor) {
  using incident::State;
  struct Case {
    const char* name;
    const char* until;
    void (*change)(incident::Incident& incident, Timestamp now);
    const char* why;  // "" where it goes on
  };
  const auto acknowledged = [](incident::Incident& incident, Timestamp now) {
    incident.acknowledged = now;
    incident.acknowledged_by = "ann";
  };
  const auto contained = [](incident::Incident& incident, Timestamp now) {
    incident.acknowledged = incident.contained = now;
    incident.state = State::contained;
  };
  const auto resolved = [](incident::Incident& incident, Timestamp now) {
    incident.acknowledged = incident.contained = incident.resolved = now;
    incident.state = State::post_incident;
  };
  const auto dismissed = [](incident::Incident& incident, Timestamp) {
    incident.state = State::dismissed;
  };
  const auto merged = [](incident::Incident& incident, Timestamp) {
    incident.state = State::merged;
    incident.merged_into = 3;
  };
  const auto lowered = [](incident::Incident& incident, Timestamp) {
    incident.severity = Severity::low;
  };
  const std::vector<Case> cases{
      {"acknowledged", "acknowledged", acknowledged, "acknowledged by ann"},
      {"only acknowledged", "contained", acknowledged, ""},
      {"contained", "contained", contained, "contained"},
      {"only contained", "resolved", contained, ""},
      {"resolved", "resolved", resolved, "resolved"},
      {"dismissed", "resolved", dismissed, "the incident is dismissed"},
      {"merged", "resolved", merged, "merged into incident 3"},
      {"lowered", "acknowledged", lowered, ""}};
  for (const Case& c : cases) {
    World world(std::string(two_rounds) + "  until: " + c.until + "\n");
    world.open();
    world.tick();
    world.now_ = world_start + minutes(1);
    c.change(world.incident_, world.now_);
    const auto moves = world.change("noted");
    const std::string why = c.why;
    EXPECT_EQ(words(moves), why.empty() ? Words{} : Words{"ended"}) << c.name;
    EXPECT_EQ(moves.empty() ? "" : moves[0].escalation.why, why) << c.name;
    EXPECT_EQ(words(world.at(hours(1))).empty(), !why.empty()) << c.name;
    EXPECT_EQ(world.book_.running(), why.empty() ? 1 : 0) << c.name;
  }
}

TEST(Escalation, AHigherSeverityBeginsItAnew) {
  World world(two_rounds);
  world.open();
  world.tick();
  world.at(minutes(10));
  world.now_ = world_start + minutes(12);
  // While it runs, and again behind an answer, which is void then.
  EXPECT_EQ(words(world.raise(Severity::high)), Words{"begun 2"});
  EXPECT_EQ(words(world.tick()), Words{"reached 1.1"});
  EXPECT_EQ(words(world.change("severity_raised")), Words{}) << "it has that severity already";
  EXPECT_EQ(words(world.at(minutes(22))), Words{"reached 1.2"});
  EXPECT_EQ(words(world.acknowledge()), Words{"ended"});
  EXPECT_EQ(words(world.at(hours(2))), Words{});
  EXPECT_EQ(words(world.raise(Severity::extreme)), Words{"begun 3"});
  EXPECT_EQ(words(world.tick()), Words{"reached 1.1"});
  EXPECT_EQ(world.book_.running(), 1);
}

TEST(Escalation, ARaiseBeginsItAnewWhateverTheRoutesSend) {
  World world(two_rounds, "opened");
  world.open();
  world.acknowledge();
  EXPECT_EQ(words(world.raise(Severity::high)), Words{"begun 2"});
  World other(two_rounds, "opened");
  EXPECT_EQ(words(other.raise(Severity::high)), Words{}) << "it never began";
}

TEST(Escalation, ALaterRoutedChangeBeginsAnExhaustedOneAgain) {
  World world(three_steps, "opened, deadline_missed");
  world.open();
  world.tick();
  EXPECT_EQ(words(world.change("deadline_missed")), Words{}) << "it runs";
  world.at(minutes(20));
  world.at(minutes(50));
  EXPECT_EQ(world.book_.exhausted(), 1);
  EXPECT_EQ(words(world.change("deadline_missed")), Words{"begun 2"});
  EXPECT_EQ(world.book_.exhausted(), 0);
}

TEST(Escalation, AJumpOfTheClockSendsEachStepOnceAndNoStormOfRounds) {
  struct Case {
    const char* name;
    std::vector<int> ticks;  // minutes; the last is what is looked at
    Words expected;
  };
  const std::vector<Case> cases{
      {"two steps of a round", {10}, {"reached 1.1", "reached 1.2"}},
      {"a round as a whole", {30}, {"reached 2.1 -1"}},
      {"the rest of one and the next", {0, 30}, {"reached 1.2", "reached 2.1"}},
      {"the rest of one, one left out", {0, 75}, {"reached 1.2", "reached 3.1 -1", "reached 3.2"}},
      {"all of it", {100'000}, {"reached 4.1 -3", "reached 4.2"}},
      {"all that was left", {0, 10, 100'000}, {"reached 4.1 -2", "reached 4.2"}}};
  for (const Case& c : cases) {
    World world(two_rounds);
    world.open();
    std::vector<EscalationMove> moves;
    for (const int minute : c.ticks) moves = world.at(minutes(minute));
    EXPECT_EQ(words(moves), c.expected) << c.name;
  }
}

TEST(Escalation, WhoIsLateLeavesTimeToAnswer) {
  World world(three_steps);
  world.open();
  EXPECT_EQ(words(world.at(hours(9))), (Words{"reached 1.1", "reached 1.2", "reached 1.3"}));
  EXPECT_EQ(words(world.at(hours(9) + minutes(30) - Duration(1))), Words{});
  EXPECT_EQ(words(world.at(hours(9) + minutes(30))), Words{"exhausted"});
}

TEST(Escalation, ChangedFilesAndRestartsMoveNothing) {
  World world(two_rounds);
  world.open();
  world.tick();
  World other("chains:\n- name: c\n  steps: [{after: 1m, to: [lead]}, {after: 2m, to: [lead]}]\n");
  const auto stored = escalation_from_json(
      json::parse(json::to_text(json::Value(to_json(world.escalation())))).value());
  ASSERT_TRUE(stored);
  EXPECT_EQ(*stored, world.escalation());
  other.book_ = EscalationBook({*stored});
  other.incident_ = world.incident_;
  EXPECT_EQ(words(other.at(minutes(9))), Words{});
  const auto moves = other.at(minutes(10));
  EXPECT_EQ(words(moves), Words{"reached 1.2"});
  EXPECT_EQ(moves[0].due, world_start + minutes(10));
}

TEST(Escalation, AnIncidentThatIsGoneEndsItInsteadOfCallingSomebody) {
  World world(two_rounds);
  world.open();
  const auto moves = world.book_.tick(
      world.now_, [](std::int64_t) -> const incident::Incident* { return nullptr; });
  EXPECT_EQ(words(moves), Words{"ended"});
}

TEST(Escalation, WhatWasOpenBeforeIsPassedOver) {
  World world(two_rounds);
  world.incident_.severity = Severity::medium;
  EXPECT_EQ(words(world.book_.pass_over(world.routes_, world.incident_, world.now_)),
            Words{"passed_over"});
  EXPECT_EQ(words(world.book_.pass_over(world.routes_, world.incident_, world.now_)), Words{});
  EXPECT_EQ(words(world.at(hours(1))), Words{});
  EXPECT_EQ(words(world.raise(Severity::high)), Words{"begun 1"});
  World low(two_rounds);
  EXPECT_EQ(words(low.book_.pass_over(low.routes_, low.incident_, low.now_)), Words{})
      << "the routes would not have sent it";
}

TEST(Escalation, AStepIsAnAlertForEachReceiver) {
  World world(three_steps);
  world.open(Severity::medium);
  world.tick();
  const auto moves = world.at(minutes(20));
  ASSERT_EQ(words(moves), (Words{"reached 1.2", "reached 1.3"}));
  const auto alerts = world.alerts(moves[0]);
  ASSERT_EQ(alerts.size(), 2U);
  EXPECT_EQ(alerts[0].receiver, "spool");
  EXPECT_EQ(alerts[0].key, "example.com-log.escalation-7-c-1-1-2.spool");
  EXPECT_EQ(alerts[0].subject,
            "[severity 1 Medium] incident 7: T, 203.0.113.5; not acknowledged: escalation c, step "
            "2 of 3");
  const json::Value data = json::Value(alerts[0].event)["data"];
  EXPECT_EQ(data["escalation"].text("chain"), "c");
  EXPECT_EQ(data["escalation"].text("due"), to_rfc3339(world_start + minutes(10)));
  EXPECT_EQ(data["incident"].integer("number"), 7);
  EXPECT_TRUE(world.alerts(moves[1]).empty()) << "it is for severity 2";
  EXPECT_EQ(untold(world.routes_, moves[1], world.incident_),
            "the incident has severity 1, the step is for 2 or more");
  EXPECT_EQ(json::to_text(json::Value(to_record(moves[0], alerts, ""))),
            R"({"begin":1,"chain":"c","due":"2025-11-24T16:10:00.000000Z","incident":7,)"
            R"("receivers":["spool","lead"],"round":1,"step":2,"what":"reached",)"
            R"("when":"2025-11-24T16:20:00.000000Z"})");
}

TEST(Escalation, WhoeverIsOnCallWhenTheStepIsDueIsCalled) {
  World world(two_rounds);
  const auto schedules =
      OnCallSchedules::parse(
          "people: [{name: ada, receivers: [spool]}, {name: ben, receivers: [lead]}]\n"
          "schedules: [{name: p, zone: UTC, layers: [{name: turns, people: [ada, ben],"
          " start: 2025-11-24 16:00, shift: 1h}]}]\n",
          "o.yaml", world_start)
          .value();
  world.routes_ =
      Routes::parse(
          "receivers: [{name: spool, kind: folder, folder: s}, {name: lead, kind: folder,"
          " folder: l}]\nroutes: [{changes: [opened], to: [escalation:c]}]\n",
          "r.yaml", "/a", schedules,
          EscalationChains::parse("chains:\n- name: c\n  steps: [{to: [on-call:p]},"
                                  " {after: 1h, to: [on-call:p]}]\n",
                                  "e.yaml")
              .value())
          .value();
  world.open();
  const auto first = world.tick();
  EXPECT_EQ(world.alerts(first.at(0)).at(0).receiver, "spool");
  const auto second = world.at(hours(1));
  const auto alerts = world.alerts(second.at(0));
  ASSERT_EQ(alerts.size(), 1U);
  EXPECT_EQ(alerts[0].receiver, "lead");
  EXPECT_EQ(json::Value(alerts[0].event)["data"]["on_call"].as_array()->at(0).text("person"),
            "ben");
  // A schedule that is gone by then leads to nobody, which is said.
  world.routes_ = Routes();
  EXPECT_TRUE(world.alerts(second.at(0)).empty());
  EXPECT_EQ(untold(world.routes_, second.at(0), world.incident_),
            "there is no schedule 'p' in on_call.yaml");
}

TEST(Escalation, KeysDifferInEverythingThatTellsStepsApart) {
  std::set<std::string> keys;
  std::size_t made = 0;
  World world(
      "chains:\n- name: c\n  steps: [{to: [spool]}, {after: 1m, to: [spool, lead]}]\n"
      "  repeat: 2\n  repeat_after: 5m\n"
      "- name: c-1\n  steps: [{to: [spool]}, {after: 1m, to: [spool]}]\n");
  const auto take = [&](const std::vector<EscalationMove>& moves) {
    for (const EscalationMove& move : moves) {
      if (move.kind != EscalationMove::Kind::reached) continue;
      for (const Alert& alert : world.alerts(move)) {
        keys.insert(alert.key);
        ++made;
      }
    }
  };
  world.open();
  for (int minute = 0; minute < 30; ++minute) take(world.at(minutes(minute)));
  world.raise(Severity::high);
  for (int minute = 30; minute < 60; ++minute) take(world.at(minutes(minute)));
  EXPECT_EQ(made, 22U);
  EXPECT_EQ(keys.size(), made);
}

TEST(Escalation, WhatIsDamagedIsNotRead) {
  World world(two_rounds);
  world.open();
  for (const char* name : {"state", "until", "began", "severity"}) {
    json::Object body = to_json(world.escalation());
    body[name] = "?";
    EXPECT_FALSE(escalation_from_json(body)) << name;
  }
  json::Object behind = to_json(world.escalation());
  behind["next_step"] = 9;
  EXPECT_FALSE(escalation_from_json(behind));
  EXPECT_FALSE(escalation_from_json(json::Value()));
}

}  // namespace
}  // namespace mailwarden::alert
