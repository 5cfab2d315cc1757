// Runs of playbooks with branches: each kind of step, each way that it can go, and what a restart
// makes of it.
#include <gmock/gmock.h>

#include "tests/respond/flow_fixture.h"

namespace mailwarden::respond::flow {
namespace {

using testing::IsEmpty;

TEST_F(FlowRun, StepsFollowEachOtherAndTheRunIsDone) {
  begin(playbook_of({command("a", "b"), http("b")}));
  EXPECT_EQ(words(last_), (Words{":>running", "a:waiting>intended"}));
  EXPECT_EQ(keys(last_), Words{"run-1-a"});
  settle_good();
  EXPECT_EQ(words(last_), (Words{"a:intended>done", "b:waiting>intended"}));
  settle_good();
  EXPECT_EQ(words(last_), (Words{"b:intended>done", ":running>done"}));
}

TEST_F(FlowRun, APlaybookStartsOnceForAnIncidentAlsoBehindARestart) {
  begin(playbook_of({command("a")}));
  const std::vector<Playbook> all{playbooks_.at("p")};
  EXPECT_THAT(book_.start_due(all, some_incident(), now_).changes, IsEmpty());
  restart();
  EXPECT_THAT(book_.start_due(all, some_incident(), now_).changes, IsEmpty());
  incident::Incident other = some_incident();
  other.rules = {"b"};
  other.number = 9;
  EXPECT_THAT(book_.start_due(all, other, now_).changes, IsEmpty()) << "no rule of its";
}

// A rule's own playbook does what there is to do; that of its kind would ask for it again.
TEST_F(FlowRun, APlaybookForAKindOfIncidentsLeavesThoseThatARuleHasOneFor) {
  Playbook by_rule = playbook_of({command("a")});
  by_rule.name = "by-rule";
  by_rule.when = When{.rules = {"a"}, .types = {}};
  Playbook by_kind = playbook_of({command("a")});
  by_kind.name = "by-kind";
  by_kind.when = When{.rules = {}, .types = {"malware"}};
  const std::vector<Playbook> all{by_kind, by_rule};
  const auto started = [&](std::int64_t number, const std::string& rule) {
    incident::Incident incident = some_incident();
    incident.number = number;
    incident.rules = {rule};
    incident.type = "malware";
    Words names;
    for (const std::int64_t run : book_.start_due(all, incident, now_).runs()) {
      names.push_back(book_.find(run)->playbook().name);
    }
    return names;
  };
  EXPECT_EQ(started(21, "a"), Words{"by-rule"});
  EXPECT_EQ(started(21, "a"), Words{});
  EXPECT_EQ(started(22, "b"), Words{"by-kind"});
  // One that comes later is its own.
  EXPECT_EQ(started(22, "a"), Words{"by-rule"});
}

TEST_F(FlowRun, OneThatFailedLeadsToItsOwnWayOrOnOrEndsTheBranch) {
  struct Case {
    const char* name;
    std::string on_failure;
    bool go_on;
    Words expected;
  };
  for (const Case& c : {Case{"ends", "", false, {"a:intended>failed", ":running>failed"}},
                        Case{"goes on", "", true, {"a:intended>failed", "b:waiting>intended"}},
                        Case{"own way", "c", true, {"a:intended>failed", "c:waiting>intended"}}}) {
    SCOPED_TRACE(c.name);
    Step a = command("a", "b");
    a.on_failure = c.on_failure;
    a.go_on = c.go_on;
    effects_.clear();
    begin(playbook_of({a, command("b"), command("c")}));
    settle(denied);
    EXPECT_EQ(words(last_), c.expected);
  }
}

TEST_F(FlowRun, AnIfTakesOneBranchAndGoesOnBehindIt) {
  for (const bool truth : {true, false}) {
    SCOPED_TRACE(truth);
    Step choice{.id = "choice", .kind = StepKind::if_condition, .next = "last"};
    choice.condition = truth ? "true" : "false";
    choice.then = "yes";
    choice.otherwise = "no";
    effects_.clear();
    begin(playbook_of({choice, command("yes"), command("no"), command("last")}));
    const std::string taken = truth ? "yes" : "no";
    EXPECT_EQ(words(last_),
              (Words{":>running", "choice:waiting>at_work", taken + ":waiting>intended"}));
    settle_good();
    EXPECT_EQ(words(last_),
              (Words{taken + ":intended>done", "choice:at_work>done", "last:waiting>intended"}));
  }
}

TEST_F(FlowRun, AConditionWithoutAnAnswerFailsTheStep) {
  Step choice{.id = "choice", .kind = StepKind::if_condition};
  choice.condition = "unknown < 3";
  choice.then = "yes";
  begin(playbook_of({choice, command("yes")}));
  EXPECT_EQ(words(last_), (Words{":>running", "choice:waiting>failed", ":running>failed"}));
  EXPECT_EQ(book_.find(1)->steps.at("choice").why, "unknown has no value");
}

TEST_F(FlowRun, ASwitchTakesTheCaseOfItsTextOrTheDefault) {
  struct Case {
    std::string text;
    std::string default_case;
    std::string expected;
  };
  for (const Case& c : {Case{"eve", "", "one"}, Case{"bob", "", "two"}, Case{"eva", "one", "one"},
                        Case{"eva", "", ""}}) {
    SCOPED_TRACE(c.text + c.default_case);
    Step choice{.id = "choice", .kind = StepKind::switch_condition};
    choice.condition = c.text;
    choice.cases = {{"eve", "one"}, {"bob", "two"}};
    choice.default_case = c.default_case;
    begin(playbook_of({choice, command("one"), command("two")}));
    if (c.expected.empty()) {
      EXPECT_EQ(words(last_), (Words{":>running", "choice:waiting>done", ":running>done"}));
    } else {
      EXPECT_EQ(words(last_).back(), c.expected + ":waiting>intended");
    }
  }
}

// Its rounds have keys of their own.
TEST_F(FlowRun, AWhileComesAgainUntilItsConditionEnds) {
  Step loop{.id = "loop", .kind = StepKind::while_condition, .next = "last"};
  loop.condition = "n < 2";
  loop.then = "count";
  loop.rounds_max = 5;
  Step count = http("count");
  count.set = {{"n", "status"}};
  Playbook playbook = playbook_of({loop, count, command("last")});
  playbook.variables["n"] = {.type = VariableType::integer, .value = 0};
  begin(playbook);
  EXPECT_EQ(keys(last_), Words{"run-1-count"});
  settle(json::Object{{"status", 1}});
  EXPECT_EQ(keys(last_), Words{"run-1-count-2"});
  settle(json::Object{{"status", 2}});
  EXPECT_EQ(words(last_),
            (Words{"count:intended>done", "loop:at_work>done", "last:waiting>intended"}));
  EXPECT_EQ(value("n"), json::Value(2));
}

TEST_F(FlowRun, AWhileThatNeverEndsFailsBehindItsRounds) {
  Step loop{.id = "loop", .kind = StepKind::while_condition};
  loop.condition = "true";
  loop.then = "a";
  loop.rounds_max = 2;
  begin(playbook_of({loop, http("a")}));
  settle_good();
  settle_good();
  EXPECT_EQ(words(last_), (Words{"a:intended>done", "loop:at_work>failed", ":running>failed"}));
  EXPECT_EQ(book_.find(1)->steps.at("loop").why, "its condition still holds behind 2 rounds");
}

TEST_F(FlowRun, BranchesRunBesideEachOtherAndAFailureWaitsForTheOthers) {
  Step both{.id = "both", .kind = StepKind::parallel, .next = "last"};
  both.branches = {"a", "b"};
  begin(playbook_of({both, command("a"), command("b", "c"), command("c"), command("last")}));
  EXPECT_EQ(keys(last_), (Words{"run-1-a", "run-1-b"}));
  settle(denied);
  EXPECT_EQ(words(last_), Words{"a:intended>failed"});
  settle_good();
  EXPECT_EQ(words(last_), (Words{"b:intended>done", "c:waiting>intended"}));
  settle_good();
  EXPECT_EQ(words(last_), (Words{"c:intended>done", "both:at_work>failed", ":running>failed"}));
}

TEST_F(FlowRun, DelaysAndWaitsAreMomentsThatOutliveARestart) {
  Step pause{.id = "pause", .kind = StepKind::wait, .next = "a"};
  pause.wait = 10min;
  Step a = command("a");
  a.delay = 5min;
  begin(playbook_of({pause, a}));
  EXPECT_EQ(book_.next_due(), start_time + 10min);
  restart();
  EXPECT_THAT(words(last_), IsEmpty());
  pass(10min - 1us);
  EXPECT_THAT(words(last_), IsEmpty());
  pass(1us);
  EXPECT_EQ(words(last_), (Words{"pause:delayed>done", "a:waiting>delayed"}));
  EXPECT_EQ(book_.next_due(), start_time + 15min);
  pass(5min);
  EXPECT_EQ(words(last_), Words{"a:delayed>intended"});
  EXPECT_EQ(book_.next_due(), std::nullopt);
}

TEST_F(FlowRun, WhatFailsForTheMomentIsTriedAgainLaterEachTime) {
  Step a = http("a");
  a.retry = {.tries = 3, .pause = 8s, .pause_max = 1min};
  begin(playbook_of({a}));
  settle(unavailable);
  EXPECT_EQ(words(last_), Words{"a:intended>retrying"});
  const Duration first = *book_.next_due() - now_;
  EXPECT_GE(first, 6s);
  EXPECT_LE(first, 8s);
  restart();
  EXPECT_EQ(*book_.next_due() - now_, first) << "the moment stays";
  pass(first);
  EXPECT_EQ(keys(last_), Words{"run-1-a"}) << "the same key";
  settle(unavailable);
  EXPECT_GE(*book_.next_due() - now_, 12s);
  pass(16s);
  settle(unavailable);
  EXPECT_EQ(words(last_), (Words{"a:intended>failed", ":running>failed"}));
}

TEST_F(FlowRun, WhatIsRefusedIsNotTriedAgain) {
  Step a = http("a");
  a.retry.tries = 9;
  begin(playbook_of({a}));
  settle(denied);
  EXPECT_EQ(words(last_), (Words{"a:intended>failed", ":running>failed"}));
}

TEST(FlowPause, GrowsTwofoldUpToTheLongestAndIsSpreadByTheKey) {
  const Retry retry{.tries = 20, .pause = 4s, .pause_max = 10s};
  for (const auto& [tries, most] :
       {std::pair{1, 4s}, std::pair{2, 8s}, std::pair{3, 10s}, std::pair{19, 10s}}) {
    const Duration pause = pause_after(tries, retry, "run-1-a");
    EXPECT_LE(pause, most);
    EXPECT_GE(pause * 4, most * 3);
    EXPECT_EQ(pause, pause_after(tries, retry, "run-1-a"));
  }
  EXPECT_NE(pause_after(1, retry, "run-1-a"), pause_after(1, retry, "run-2-a"));
}

// A command that never began has had no effect; one that ran out of time may have.
TEST_F(FlowRun, ACommandOutOfTimeIsUnknownUnlessItMayBeRepeatedOrProbed) {
  struct Case {
    const char* name;
    bool repeatable;
    bool probed;
    Error error;
    Words expected;
  };
  const Words unknown{"a:intended>unknown", ":running>waits_for_person"};
  for (const Case& c :
       {Case{"out of time", false, false, unavailable.error(), unknown},
        Case{"not begun", false, false, not_started.error(), {"a:intended>retrying"}},
        Case{"repeatable", true, false, unavailable.error(), {"a:intended>retrying"}},
        Case{"probed", false, true, unavailable.error(), {"a:intended>probing"}}}) {
    SCOPED_TRACE(c.name);
    Step a = command("a");
    a.retry.tries = 2;
    a.repeatable = c.repeatable;
    if (c.probed) a.probe = Probe{.operation = command("look").operation, .holds = "exit == 0"};
    effects_.clear();
    begin(playbook_of({a}));
    settle(std::unexpected(c.error));
    EXPECT_EQ(words(last_), c.expected);
  }
}

TEST_F(FlowRun, AProbeTellsWhatACrashLeft) {
  struct Case {
    const char* name;
    Result<json::Object> answer;
    Words expected;
    Words asked;
  };
  for (const Case& c :
       {Case{"it holds", json::Object{{"exit", 0}}, {"a:probing>done", ":running>done"}, {}},
        Case{"it does not", json::Object{{"exit", 1}}, {"a:probing>intended"}, {"run-1-a"}},
        Case{"no answer", unavailable, {"a:probing>unknown", ":running>waits_for_person"}, {}},
        Case{"no sense", json::Object{}, {"a:probing>unknown", ":running>waits_for_person"}, {}}}) {
    SCOPED_TRACE(c.name);
    Step a = command("a");
    a.probe = Probe{.operation = command("look").operation, .holds = "exit == 0"};
    store_ = FlowStore();
    book_ = RunBook(means_, {});
    begin(playbook_of({a}));
    restart();
    EXPECT_EQ(words(last_), Words{"a:intended>probing"});
    EXPECT_EQ(keys(last_), Words{"?run-1-a"});
    EXPECT_EQ(last_.effects[0].operation.command, Words{"/bin/look"});
    restart();
    EXPECT_EQ(keys(last_), Words{"?run-1-a"}) << "the probe is asked for again";
    settle(c.answer);
    EXPECT_EQ(words(last_), c.expected);
    EXPECT_EQ(keys(last_), c.asked);
  }
}

TEST_F(FlowRun, ActionsAreProbedByThemselvesUnlessTheyMayBeRepeated) {
  Step a{.id = "a", .kind = StepKind::action, .next = "b"};
  a.operation = {.kind = StepKind::action, .action = "once"};
  Step b{.id = "b", .kind = StepKind::action};
  b.operation = {.kind = StepKind::action, .action = "again_and_again"};
  begin(playbook_of({a, b}));
  restart();
  EXPECT_EQ(keys(last_), Words{"?run-1-a"});
  EXPECT_TRUE(last_.effects[0].asks_action);
  settle(json::Object{{"holds", true}});
  EXPECT_EQ(words(last_), (Words{"a:probing>done", "b:waiting>intended"}));
  restart();
  EXPECT_THAT(words(last_), IsEmpty());
  EXPECT_EQ(keys(last_), Words{"run-1-b"});
}

TEST_F(FlowRun, AnOutcomeOfAnEarlierTryIsNoNews) {
  Step a = http("a");
  a.retry.tries = 3;
  begin(playbook_of({a}));
  const Effect first = effects_.front();
  settle(unavailable);
  pass(1min);
  EXPECT_THAT(book_.settle(outcome_of(first, json::Object{}), now_).changes, IsEmpty());
  EXPECT_EQ(state("a"), "intended");
}

}  // namespace
}  // namespace mailwarden::respond::flow
