// What runs of playbooks ask people, and what people order.
#include <gmock/gmock.h>

#include "tests/respond/flow_fixture.h"

namespace mailwarden::respond::flow {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

TEST_F(FlowRun, WhatNobodyKnowsAPersonSays) {
  struct Case {
    Kind kind;
    Words expected;
  };
  for (const Case& c : {Case{Kind::done, {"a:unknown>done", ":waits_for_person>done"}},
                        Case{Kind::failed, {"a:unknown>failed", ":waits_for_person>failed"}},
                        Case{Kind::again, {"a:unknown>intended", ":waits_for_person>running"}}}) {
    SCOPED_TRACE(to_string(c.kind));
    store_ = FlowStore();
    book_ = RunBook(means_, {});
    begin(playbook_of({command("a")}));
    restart();
    EXPECT_EQ(words(last_), (Words{"a:intended>unknown", ":running>waits_for_person"}));
    EXPECT_THAT(effects_, IsEmpty()) << "it is not done a second time unasked";
    ASSERT_TRUE(act(c.kind, "a"));
    EXPECT_EQ(words(last_), c.expected);
    EXPECT_EQ(last_.changes[0].who, "ann");
    EXPECT_EQ(last_.effects.size(), c.kind == Kind::again ? 1U : 0U);
  }
}

TEST_F(FlowRun, NothingIsDoneBeforeItsApprovalWhichShowsThePlan) {
  Step lock = command("lock", "tell");
  lock.approval = "Really, ${incident.entity}?";
  lock.operation.command.push_back("${incident.entity}");
  lock.undo = undo_of("${incident.entity}");
  begin(playbook_of({lock, http("tell")}));
  EXPECT_EQ(words(last_),
            (Words{":>running", "lock:waiting>needs_approval", ":running>waits_for_person"}));
  EXPECT_THAT(effects_, IsEmpty());
  const Standing& standing = book_.find(1)->steps.at("lock");
  EXPECT_EQ(standing.why, "Really, eve?");
  const json::Value plan = standing.plan;
  EXPECT_EQ(plan.text("does"), "run /bin/lock eve");
  EXPECT_EQ(plan.text("undo"), "POST http://h/undo-eve");
  EXPECT_EQ(plan["if_approved"].as_array()->size(), 2U);
  EXPECT_EQ(plan["if_rejected"].as_array()->at(0).text("id"), "tell");
  restart();
  ASSERT_TRUE(act(Kind::approve, "lock"));
  EXPECT_EQ(words(last_), (Words{"lock:needs_approval>waiting", "lock:waiting>intended",
                                 ":waits_for_person>running"}));
  EXPECT_EQ(last_.effects[0].operation.command, (Words{"/bin/lock", "eve"}));
}

TEST_F(FlowRun, AStepThatIsNotAllowedIsSkippedAndAQuestionAnsweredWithNoHasFailed) {
  Step lock = command("lock", "q");
  lock.approval = "Really?";
  Step question{.id = "q", .kind = StepKind::approval, .next = "yes", .on_failure = "no"};
  question.text = "Go on?";
  begin(playbook_of({lock, question, command("yes"), command("no")}));
  ASSERT_TRUE(act(Kind::reject, "lock"));
  EXPECT_EQ(words(last_), (Words{"lock:needs_approval>skipped", "q:waiting>needs_approval"}));
  ASSERT_TRUE(act(Kind::reject, "q"));
  EXPECT_EQ(words(last_),
            (Words{"q:needs_approval>failed", "no:waiting>intended", ":waits_for_person>running"}));
}

TEST_F(FlowRun, WhoDoesNotAnswerInTimeHasFailedTheStep) {
  Step question{.id = "q", .kind = StepKind::approval};
  question.text = "Go on?";
  question.within = 1h;
  begin(playbook_of({question}));
  restart();
  pass(1h);
  EXPECT_EQ(words(last_), (Words{"q:needs_approval>failed", ":waits_for_person>failed"}));
  EXPECT_THAT(book_.find(1)->steps.at("q").why, HasSubstr("nobody answered within 1 h"));
}

TEST_F(FlowRun, APersonsAnswerIsAVariablesIfItIsOfItsType) {
  Step question{.id = "q", .kind = StepKind::manual, .next = "a"};
  question.text = "How many?";
  question.set = {{"n", "answer"}};
  Step a = command("a");
  a.operation.command.push_back("${n}");
  Playbook playbook = playbook_of({question, a});
  playbook.variables["n"] = {.type = VariableType::integer};
  begin(playbook);
  EXPECT_EQ(act(Kind::done, "q").error().code, Code::invalid) << "an answer is needed";
  EXPECT_EQ(act(Kind::done, "q", "many").error().code, Code::invalid);
  EXPECT_EQ(state("q"), "needs_person") << "who was wrong may answer again";
  ASSERT_TRUE(act(Kind::done, "q", "3"));
  EXPECT_EQ(last_.effects.at(0).operation.command, (Words{"/bin/a", "3"}));
}

TEST_F(FlowRun, WhatMustNotBeDoneAsItStandsIsAPersons) {
  Step a = command("a");
  a.operation.command.push_back("${incident.entity}");
  a.approval = "Really?";
  incident::Incident incident = some_incident();
  incident.entity.name = "--force";
  const std::vector<Playbook> one{playbook_of({a})};
  take(book_.start_due(one, incident, now_));
  EXPECT_EQ(words(last_).at(1), "a:waiting>needs_person");
  EXPECT_THAT(book_.find(1)->steps.at("a").why, HasSubstr("By hand, since it would read as an"));
  ASSERT_TRUE(act(Kind::done, "a"));
  EXPECT_EQ(run_state(), "done");
}

TEST_F(FlowRun, ARateThatIsUsedUpAsksAPersonAlsoBehindARestart) {
  Step a = http("a");
  a.rate = {.times = 2, .per = 1h};
  const Playbook playbook = playbook_of({a});
  for (int i = 0; i < 2; ++i) {
    begin(playbook);
    settle_good();
  }
  book_.forget_ended();
  EXPECT_EQ(book_.find(1), nullptr);
  restart();
  begin(playbook);
  EXPECT_EQ(words(last_).at(1), "a:waiting>needs_approval");
  EXPECT_EQ(book_.find(3)->steps.at("a").why, "2 within 1 h are used up");
  now_ = now_ + 1h;
  begin(playbook);
  EXPECT_EQ(words(last_).at(1), "a:waiting>intended") << "an hour later two more may be";
}

TEST_F(FlowRun, ARateOfRunsHoldsTheNextUntilAPersonLetsItBegin) {
  Playbook playbook = playbook_of({http("a")});
  playbook.rate = {.times = 1, .per = 1h};
  begin(playbook);
  begin(playbook);
  EXPECT_EQ(words(last_), (Words{":>running", ":running>waits_for_person"}));
  restart();
  EXPECT_EQ(act({.kind = Kind::approve, .run = 1, .who = "ann"}).error().code, Code::conflict);
  ASSERT_TRUE(act({.kind = Kind::approve, .run = 2, .who = "ann"}));
  EXPECT_EQ(words(last_).at(1), "a:waiting>intended");
  begin(playbook);
  ASSERT_TRUE(act({.kind = Kind::reject, .run = 3, .who = "ann", .why = "w"}));
  EXPECT_EQ(run_state(3), "cancelled");
}

TEST_F(FlowRun, ADryRunGoesThroughAllOfItAndDoesNothing) {
  Step lock = command("lock", "choice");
  lock.approval = "Really?";
  lock.operation.command.push_back("${incident.entity}");
  lock.set = {{"n", "exit"}};
  lock.delay = 1h;
  Step choice{.id = "choice", .kind = StepKind::if_condition, .next = "loop"};
  choice.condition = "n < 1";
  choice.then = "yes";
  choice.otherwise = "no";
  Step loop{.id = "loop", .kind = StepKind::while_condition, .next = "ask"};
  loop.condition = "true";
  loop.then = "again";
  loop.rounds_max = 100;
  Step question{.id = "ask", .kind = StepKind::manual, .next = "last"};
  question.text = "Sure?";
  Step last = command("last");
  last.operation.command.push_back("${n}");
  Playbook playbook =
      playbook_of({lock, choice, http("yes"), http("no"), loop, http("again"), question, last});
  playbook.variables["n"] = {.type = VariableType::integer, .value = 5};
  playbook.dry_run = true;
  begin(playbook);
  EXPECT_THAT(last_.effects, IsEmpty());
  EXPECT_EQ(run_state(), "done");
  const flow::Run& run = *book_.find(1);
  const auto would = [&](const char* step) {
    return json::Value(run.steps.at(step).result).text("would");
  };
  EXPECT_EQ(would("lock"), "run /bin/lock eve");
  EXPECT_EQ(json::Value(run.steps.at("lock").result).text("would_ask"), "Really?");
  EXPECT_EQ(would("yes"), "POST http://h/yes") << "what depends on an effect takes 'then'";
  EXPECT_EQ(state("no"), "waiting");
  EXPECT_EQ(run.steps.at("again").visit, 1);
  EXPECT_EQ(would("ask"), "ask: Sure?");
  EXPECT_EQ(json::Value(run.steps.at("last").result).text("depends"), "n has no value");
}

TEST_F(FlowRun, ARunIsStartedByHandWithItsValues) {
  Step a = command("a");
  a.operation.command.push_back("${n}");
  playbooks_["p"] = playbook_of({a});
  playbooks_["p"].variables["n"] = {.type = VariableType::integer, .external = true};
  playbooks_["p"].variables["m"] = {.type = VariableType::integer, .value = 1};
  const incident::Incident incident = some_incident();
  const StartOrder good{.playbook = "p", .values = {{"n", "3"}}, .who = "ann", .why = "w"};
  StartOrder order = good;
  const auto changed = [&](auto change) {
    order = good;
    change(order);
    return book_.start(order, now_).error().code;
  };
  EXPECT_EQ(changed([](auto& o) { o.who = ""; }), Code::denied);
  EXPECT_EQ(changed([](auto& o) { o.why = ""; }), Code::denied);
  EXPECT_EQ(changed([](auto& o) { o.playbook = "q"; }), Code::not_found);
  EXPECT_EQ(changed([](auto& o) { o.values = {}; }), Code::invalid);
  EXPECT_EQ(changed([](auto& o) { o.values["m"] = 2; }), Code::invalid) << "not external";
  EXPECT_EQ(changed([](auto& o) { o.values["n"] = "x"; }), Code::invalid);
  for (int i = 0; i < 2; ++i) {
    order = good;
    order.incident = &incident;
    auto started = book_.start(order, now_);
    ASSERT_TRUE(started) << started.error().what;
    take(std::move(started->moves));
    EXPECT_EQ(last_.effects.at(0).operation.command, (Words{"/bin/a", "3"}));
    EXPECT_EQ(last_.changes.at(0).who, "ann");
  }
  restart();
  EXPECT_EQ(book_.find(2)->cause, Cause::hand);
}

TEST_F(FlowRun, ActsThatDoNotFitAreRefused) {
  Step lock = command("lock", "ask");
  lock.approval = "Really?";
  begin(playbook_of({lock, {.id = "ask", .kind = StepKind::manual}}));
  struct Case {
    const char* name;
    RunAct act;
    Code expected;
  };
  const std::vector<Case> cases{
      {"nobody named", {.kind = Kind::approve, .run = 1, .step = "lock"}, Code::denied},
      {"no reason", {.kind = Kind::reject, .run = 1, .step = "lock", .who = "a"}, Code::denied},
      {"no such run",
       {.kind = Kind::approve, .run = 2, .step = "lock", .who = "a"},
       Code::not_found},
      {"no such step", {.kind = Kind::approve, .run = 1, .step = "x", .who = "a"}, Code::not_found},
      {"not its turn",
       {.kind = Kind::done, .run = 1, .step = "ask", .who = "a", .why = "w"},
       Code::conflict},
      {"needs approval first",
       {.kind = Kind::done, .run = 1, .step = "lock", .who = "a", .why = "w"},
       Code::conflict},
      {"nothing unknown",
       {.kind = Kind::again, .run = 1, .step = "lock", .who = "a", .why = "w"},
       Code::conflict},
      {"nothing done",
       {.kind = Kind::undo, .run = 1, .step = "lock", .who = "a", .why = "w"},
       Code::conflict},
      {"no step named", {.kind = Kind::done, .run = 1, .who = "a", .why = "w"}, Code::invalid},
      {"an endless reason",
       {.kind = Kind::approve,
        .run = 1,
        .step = "lock",
        .who = "a",
        .why = std::string(RunLimits::reason_bytes_max + 1, 'x')},
       Code::invalid}};
  for (const Case& c : cases) {
    const auto done = act(c.act);
    ASSERT_FALSE(done) << c.name;
    EXPECT_EQ(done.error().code, c.expected) << c.name;
  }
}

}  // namespace
}  // namespace mailwarden::respond::flow
