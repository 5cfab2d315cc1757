// How what playbooks did is taken back, and playbooks that call others.
#include <gmock/gmock.h>

#include "tests/respond/flow_fixture.h"

namespace mailwarden::respond::flow {
namespace {

TEST_F(FlowRun, AFailedRunTakesBackWhatItDidTheLastFirst) {
  Step a = http("a", "b");
  a.undo = undo_of("a");
  Step b = http("b", "c");
  b.undo = undo_of("b");
  Playbook playbook = playbook_of({a, b, command("c"), command("sorry")});
  playbook.undo_on_failure = true;
  playbook.on_failure = "sorry";
  begin(playbook);
  settle_good();
  settle_good();
  settle(denied);
  EXPECT_EQ(words(last_), (Words{"c:intended>failed", "sorry:waiting>intended"}));
  settle_good();
  EXPECT_EQ(words(last_), (Words{"sorry:intended>done", "b!done>undoing", ":running>undoing"}));
  EXPECT_EQ(keys(last_), Words{"run-1-b-undo"});
  restart();
  EXPECT_EQ(keys(last_), Words{"run-1-b-undo"}) << "it is durable like a step";
  settle(denied);
  EXPECT_EQ(words(last_), (Words{"b!undoing>undo_failed", "a!done>undoing"}));
  settle_good();
  EXPECT_EQ(words(last_), (Words{"a!undoing>undone", ":undoing>failed"}));
  EXPECT_EQ(state("a"), "undone");
  EXPECT_EQ(state("b"), "undo_failed");
  EXPECT_EQ(last_.changes.back().why, "the step 'c' failed");
}

TEST_F(FlowRun, EachRoundOfALoopIsTakenBack) {
  Step loop{.id = "loop", .kind = StepKind::while_condition, .next = "last"};
  loop.condition = "n < 2";
  loop.then = "count";
  loop.rounds_max = 5;
  Step count = http("count");
  count.set = {{"n", "status"}};
  count.undo = undo_of("${n}");
  Playbook playbook = playbook_of({loop, count, command("last")});
  playbook.variables["n"] = {.type = VariableType::integer, .value = 0};
  playbook.undo_on_failure = true;
  begin(playbook);
  settle(json::Object{{"status", 1}});
  settle(json::Object{{"status", 2}});
  settle(denied);
  EXPECT_EQ(keys(last_), Words{"run-1-count-2-undo"});
  EXPECT_EQ(last_.effects[0].operation.url, "http://h/undo-2");
  settle_good();
  EXPECT_EQ(keys(last_), Words{"run-1-count-undo"});
  EXPECT_EQ(last_.effects[0].operation.url, "http://h/undo-1");
}

TEST_F(FlowRun, AnUndoThatACrashLeftIsProbedTheOtherWayRound) {
  Step a = command("a", "b");
  a.probe = Probe{.operation = command("look").operation, .holds = "exit == 0"};
  a.undo = command("unlock").operation;
  Playbook playbook = playbook_of({a, command("b")});
  playbook.undo_on_failure = true;
  begin(playbook);
  settle_good();
  settle(denied);
  restart();
  EXPECT_EQ(keys(last_), Words{"?run-1-a-undo"});
  settle(json::Object{{"exit", 0}});
  EXPECT_EQ(keys(last_), Words{"run-1-a-undo"}) << "the effect is still there";
  restart();
  settle(json::Object{{"exit", 1}});
  EXPECT_EQ(state("a"), "undone");
  EXPECT_EQ(run_state(), "failed");
}

TEST_F(FlowRun, APersonTakesBackAStepOrARunAlsoOneThatIsOver) {
  Step a = http("a", "b");
  a.undo = undo_of("a");
  Step b = http("b");
  b.undo = undo_of("b");
  begin(playbook_of({a, b}));
  settle_good();
  settle_good();
  EXPECT_EQ(run_state(), "done");
  book_.forget_ended();
  ASSERT_EQ(book_.find(1), nullptr);
  EXPECT_EQ(act(Kind::undo, "b").error().code, Code::not_found);
  book_.recall(load_family(store_.database(), 1).value());
  ASSERT_TRUE(act(Kind::undo, "b"));
  EXPECT_EQ(words(last_), (Words{":done>done", "b!done>undoing", ":done>undoing"}));
  settle_good();
  EXPECT_EQ(run_state(), "done");
  EXPECT_EQ(act(Kind::undo, "b").error().code, Code::conflict) << "it is taken back already";
  ASSERT_TRUE(act(Kind::undo, ""));
  EXPECT_EQ(keys(last_), Words{"run-1-a-undo"});
  restart();
  settle_good();
  EXPECT_EQ(run_state(), "undone");
  EXPECT_EQ(act(Kind::undo, "").error().code, Code::conflict);
}

TEST_F(FlowRun, ACancelledRunBeginsNothingAndEndsWhatIsAtWork) {
  for (const bool undo : {false, true}) {
    SCOPED_TRACE(undo);
    store_ = FlowStore();
    book_ = RunBook(means_, {});
    Step both{.id = "both", .kind = StepKind::parallel};
    both.branches = {"a", "ask"};
    Step a = http("a", "b");
    a.undo = undo_of("a");
    Step question{.id = "ask", .kind = StepKind::manual};
    begin(playbook_of({both, a, http("b"), question}));
    ASSERT_TRUE(act({.kind = Kind::cancel, .run = 1, .who = "ann", .why = "w", .undo = undo}));
    EXPECT_EQ(words(last_), (Words{":waits_for_person>waits_for_person", "ask:needs_person>skipped",
                                   "both:at_work>skipped", ":waits_for_person>running"}));
    restart();
    settle_good();
    EXPECT_EQ(state("b"), "waiting");
    if (undo) {
      EXPECT_EQ(keys(last_), Words{"run-1-a-undo"});
      settle_good();
    }
    EXPECT_EQ(run_state(), "cancelled");
    EXPECT_EQ(state("a"), undo ? "undone" : "done");
  }
}

TEST_F(FlowRun, AnotherPlaybookIsARunOfItsOwn) {
  Step inner = http("inner");
  inner.operation.url = "http://h/${who}";
  inner.set = {{"ticket", "status"}};
  inner.undo = undo_of("inner");
  Playbook sub = playbook_of({inner}, "sub");
  sub.when.reset();
  sub.variables["who"] = {.external = true};
  sub.variables["ticket"] = {.type = VariableType::integer};
  playbooks_["sub"] = sub;
  Step call{.id = "call", .kind = StepKind::playbook, .next = "last"};
  call.playbook = "sub";
  call.with = {{"who", "${incident.entity}"}};
  call.set = {{"n", "ticket"}};
  Playbook playbook = playbook_of({call, command("last")});
  playbook.variables["n"] = {.type = VariableType::integer};
  playbook.undo_on_failure = true;
  begin(playbook);
  EXPECT_EQ(words(last_),
            (Words{":>running", "call:waiting>at_work", ":>running", "inner:waiting>intended"}));
  EXPECT_EQ(keys(last_), Words{"run-2-inner"});
  EXPECT_EQ(last_.effects[0].operation.url, "http://h/eve");
  restart();
  EXPECT_EQ(keys(last_), Words{"run-2-inner"});
  settle(json::Object{{"status", 42}});
  EXPECT_EQ(words(last_), (Words{"inner:intended>done", ":running>done", "call:at_work>done",
                                 "last:waiting>intended"}));
  EXPECT_EQ(value("n"), json::Value(42));
  book_.forget_ended();
  settle(denied);
  EXPECT_EQ(keys(last_), Words{"run-2-inner-undo"}) << "what it did is what its caller did";
  EXPECT_EQ(state("call"), "undoing");
  restart();
  settle_good();
  EXPECT_EQ(run_state(2), "undone");
  EXPECT_EQ(state("call"), "undone");
  EXPECT_EQ(run_state(1), "failed");
}

TEST_F(FlowRun, APlaybookThatCannotBeCalledFailsTheStepWithASentence) {
  playbooks_["sub"] = playbook_of({http("inner")}, "sub");
  playbooks_["sub"].variables["n"] = {.type = VariableType::integer, .external = true};
  Step self{.id = "call", .kind = StepKind::playbook};
  self.playbook = "self";
  playbooks_["self"] = playbook_of({self}, "self");
  struct Case {
    std::string name;
    std::map<std::string, std::string, std::less<>> with;
    std::string expected;
  };
  for (const Case& c : {Case{"none", {}, "there is no playbook 'none'"},
                        Case{"sub", {{"n", "many"}}, "'n': it is no integer"},
                        Case{"sub", {{"m", "1"}}, "the playbook 'sub' has no variable 'm'"},
                        Case{"sub", {{"n", "${nobody}"}}, "'n': nobody has no value"},
                        Case{"self", {}, "run 2 of 'self': failed"}}) {
    SCOPED_TRACE(c.expected);
    store_ = FlowStore();
    book_ = RunBook(means_, {});
    Step call{.id = "call", .kind = StepKind::playbook};
    call.playbook = c.name;
    call.with = c.with;
    begin(playbook_of({call}));
    EXPECT_EQ(book_.find(1)->steps.at("call").why, c.expected);
    EXPECT_EQ(run_state(), "failed");
  }
  EXPECT_EQ(book_.find(9), nullptr) << "as deep as playbooks may call each other";
  EXPECT_NE(book_.find(8), nullptr);
}

}  // namespace
}  // namespace mailwarden::respond::flow
