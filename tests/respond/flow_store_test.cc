// Runs of playbooks as they are stored, and what bounds them.
#include <gmock/gmock.h>

#include "respond/flow_json.h"
#include "tests/respond/flow_fixture.h"

namespace mailwarden::respond::flow {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

TEST_F(FlowRun, EndlessLoopsEndWithTheRun) {
  Step outer{.id = "outer", .kind = StepKind::while_condition};
  outer.condition = "true";
  outer.then = "inner";
  outer.rounds_max = 1000;
  outer.go_on = true;
  Step inner = outer;
  inner.id = "inner";
  inner.then = "check";
  Step check{.id = "check", .kind = StepKind::if_condition};
  check.condition = "false";
  begin(playbook_of({outer, inner, check}));
  EXPECT_EQ(run_state(), "failed");
  EXPECT_THAT(last_.changes.back().why, HasSubstr("more than 5000 steps"));
}

TEST_F(FlowRun, LongResultsAreCutAndWhatDoesNotFitAVariableFailsTheStep) {
  Step a = http("a");
  a.set = {{"text", "body"}};
  a.undo = undo_of("a");
  Playbook playbook = playbook_of({a});
  playbook.variables["text"] = {};
  begin(playbook);
  settle(json::Object{{"body", std::string(RunLimits::result_bytes_max, 'x')}});
  EXPECT_EQ(state("a"), "failed");
  EXPECT_LE(json::to_text(last_.changes[0].result).size(), RunLimits::result_bytes_max + 100);
  EXPECT_EQ(book_.find(1)->undos.size(), 1U) << "its effect is there and can be taken back";
}

TEST_F(FlowRun, MembersOfAnAnswerAreFound) {
  Step a = http("a");
  a.set = {{"id", "body.ticket.id"}};
  Playbook playbook = playbook_of({a});
  playbook.variables["id"] = {.type = VariableType::integer};
  begin(playbook);
  settle(json::Object{{"body", R"({"ticket":{"id":12}})"}});
  EXPECT_EQ(value("id"), json::Value(12));
}

// Ids that end like keys do not make two keys one.
TEST_F(FlowRun, KeysOfTwoStepsNeverAgree) {
  std::vector<Step> steps{http("a"), http("a-2"), http("a-undo"), http("a--2"), http("a-2-undo")};
  begin(playbook_of(steps));
  std::set<std::string> all;
  for (const Step& step : steps) {
    for (const std::int64_t visit : {1, 2, 3}) {
      for (const bool is_undo : {false, true}) {
        EXPECT_TRUE(all.insert(step_key(*book_.find(1),
                                        {.step = step.id, .is_undo = is_undo, .visit = visit}))
                        .second);
      }
    }
  }
}

TEST(FlowJson, APlaybookComesBackAsItWas) {
  Step a = command("a", "b");
  a.name = "n";
  a.on_failure = "c";
  a.go_on = true;
  a.delay = 3s;
  a.approval = "Really?";
  a.repeatable = true;
  a.probe = Probe{.operation = undo_of("p"), .holds = "exit == 0"};
  a.undo = undo_of("a");
  a.retry = {.tries = 4, .pause = 2s, .pause_max = 9s};
  a.rate = {.times = 2, .per = 1h};
  a.set = {{"n", "exit"}};
  a.cacao = {{"x", 1}};
  Step b{.id = "b", .kind = StepKind::switch_condition, .next = "d"};
  b.condition = "t";
  b.cases = {{"x", "c"}};
  b.default_case = "c";
  Step c{.id = "c", .kind = StepKind::while_condition};
  c.then = "e";
  c.rounds_max = 7;
  Step d{.id = "d", .kind = StepKind::playbook};
  d.playbook = "q";
  d.with = {{"v", "w"}};
  Step e{.id = "e", .kind = StepKind::approval};
  e.text = "t";
  e.within = 1h;
  Playbook playbook = playbook_of({a, b, c, d, e});
  playbook.when = When{.rules = {"r"}, .types = {"t"}, .severity_from = incident::Severity::high};
  playbook.on_failure = "e";
  playbook.undo_on_failure = true;
  playbook.rate = {.times = 1, .per = 1s};
  playbook.variables["n"] = {.type = VariableType::list,
                             .meaning = "m",
                             .value = json::Array{"x"},
                             .external = true,
                             .from = "incident.entity"};
  const auto text = json::to_text(to_json(playbook));
  const auto back = playbook_from_json(json::parse(text).value());
  ASSERT_TRUE(back) << back.error().what;
  EXPECT_EQ(*back, playbook);
}

TEST_F(FlowRun, ARunComesBackAsItWas) {
  Step lock = command("lock");
  lock.approval = "Really?";
  lock.within = 1h;
  begin(playbook_of({lock}));
  const json::Object stored = to_stored_json(*book_.find(1));
  const auto back = run_from_json(stored);
  ASSERT_TRUE(back) << back.error().what;
  EXPECT_EQ(to_stored_json(*back), stored);
  EXPECT_EQ(back->steps, book_.find(1)->steps);
}

// A row as the daemon wrote it before playbooks had branches; an account's name looks like a
// variable.
TEST_F(FlowRun, ARunOfAnEarlierVersionGoesOn) {
  const std::string body =
      R"({"changed":"2026-11-24T02:20:01.000000Z","dry_run":false,"incident":7,"number":3,)"
      R"("playbook":"p","started":"2026-11-24T02:20:01.000000Z","state":"waits_for_person",)"
      R"("steps":[{"approved":false,"does":"tell s: see","id":"tell","kind":"notify",)"
      R"("result":{},"state":"done","text":"see","to":["s"],"who":"mailwarden","why":""},)"
      R"({"approval":"Really?","approved":false,"command":["/bin/lock","${x}"],"does":"run",)"
      R"("id":"lock","kind":"command","repeatable":true,"result":{},"state":"needs_approval",)"
      R"("time_out_us":5000000,"tries_max":3,"who":"mailwarden","why":"Really?"},)"
      R"({"approved":false,"does":"Ask","id":"ask","kind":"manual","result":{},)"
      R"("state":"waiting","text":"Ask ${x}","who":"","why":""}],"title":"T","version":"v"})";
  ASSERT_TRUE(store_.database().run(
      "INSERT INTO playbook_run (number, playbook, incident, state, body, root)"
      " VALUES (3, 'p', 7, 'waits_for_person', $1, 3)",
      {std::string_view(body)}));
  restart();
  EXPECT_THAT(words(last_), IsEmpty());
  ASSERT_TRUE(act({.kind = Kind::approve, .run = 3, .step = "lock", .who = "ann"}));
  EXPECT_EQ(keys(last_), Words{"run-3-lock"});
  EXPECT_EQ(last_.effects[0].operation.command, (Words{"/bin/lock", "${x}"}));
  EXPECT_EQ(last_.effects[0].operation.time_out, 5s);
  restart();
  EXPECT_EQ(keys(last_), Words{"run-3-lock"});
  settle_good();
  EXPECT_EQ(words(last_),
            (Words{"lock:intended>done", "ask:waiting>needs_person", ":running>waits_for_person"}));
  EXPECT_EQ(book_.find(3)->steps.at("ask").why, "Ask ${x}");
  begin(playbook_of({http("a")}));
  EXPECT_THAT(last_.changes, IsEmpty()) << "it had its run on the incident";
}

TEST_F(FlowRun, ADamagedRowIsSaid) {
  begin(playbook_of({http("a")}));
  for (const char* body : {"{\"number\":1}", "{\"format\":2,\"number\":1}", "[]"}) {
    ASSERT_TRUE(
        store_.database().run("UPDATE playbook_run SET body = $1", {std::string_view(body)}));
    const auto stored = load_stored(store_.database(), now_);
    ASSERT_FALSE(stored) << body;
    EXPECT_EQ(stored.error().code, Code::corrupt);
  }
}

}  // namespace
}  // namespace mailwarden::respond::flow
