// A playbook with branches beside each other, a loop, another try, a probe and undo, over a core
// that dies at each place where it can: on SQLite, and on PostgreSQL where ctest has started one.
#include "respond/flow_run_table.h"
#include "tests/app/core_fixture.h"

namespace mailwarden::app {
namespace {

namespace flow = respond::flow;

constexpr const char* playbook_text = R"(
name: p
title: Everything at once
when: {rules: [test_line]}
undo_on_failure: true
variables:
  left: {type: integer, value: 2, meaning: rounds that are left}
steps:
  - id: both
    parallel:
      - - id: a
          http: POST
          url: "http://h.example/a"
          retry: {tries: 3, pause: 1s}
          undo: {http: POST, url: "http://h.example/undo-a"}
      - - id: b
          command: [/bin/true, "${incident.entity}"]
          probe: {command: [/bin/true], holds: exit == 0}
          undo: {command: [/bin/true, undo]}
        - {id: pause, wait: 10m}
  - id: again
    while: left > 0
    at_most: 5
    do: [{id: count, http: POST, url: "http://h.example/count", set: {left: status}}]
  - {id: last, command: [/bin/true, last]}
)";

// What is outside, and does not die.
class Outside {
 public:
  Result<json::Object> answer(const flow::Effect& effect) {
    if (effect.kind == flow::Effect::Kind::probe) {
      const bool is_there = times_["run-1-b"] > 0 && times_["run-1-b-undo"] == 0;
      return json::Object{{"exit", is_there ? 0 : 1}};
    }
    if (effect.key == "run-1-last") return fail(Code::denied, "refused");
    if (effect.key == "run-1-a" && effect.tries == 1) return fail(Code::unavailable, "not now");
    int& times = times_[effect.key];
    const bool knows_key = effect.operation.kind == flow::StepKind::http;
    if (!knows_key || times == 0) ++times;
    return json::Object{{"status", effect.key == "run-1-count" ? 1 : 0}};
  }
  const std::map<std::string, int>& times() const { return times_; }

 private:
  std::map<std::string, int> times_;
};

class PlaybookCrash : public CoreTest {
 protected:
  PlaybookCrash() { write_file(folder_.path("policies/playbooks/p.yaml"), playbook_text); }

  // Whether the core dies here.
  bool edge() { return edge_++ == crash_at_; }

  void crash() {
    effects_.clear();
    core_ = open(*database_);
    store();
  }

  void store() {
    if (edge()) return crash();
    ASSERT_TRUE(core_->write());
    if (edge()) return crash();
    for (const Outgoing& one : core_->take_outgoing()) {
      if (const auto* effect = std::get_if<flow::Effect>(&one)) effects_.push_back(*effect);
    }
  }

  void work() {
    const auto runs = flow::query_runs(*database_, {.number = 1}).value();
    if (runs.empty()) {
      core_->take(batch(0, 1));
      return store();
    }
    if (!effects_.empty()) {
      const flow::Effect effect = effects_.front();
      effects_.erase(effects_.begin());
      auto answer = outside_.answer(effect);
      if (edge()) return crash();
      core_->settle(flow::outcome_of(effect, std::move(answer)));
      return store();
    }
    if (runs[0].steps.at("last").state == flow::StepState::unknown) {
      ASSERT_TRUE(core_->act(flow::RunAct{.kind = flow::RunAct::Kind::failed,
                                          .run = 1,
                                          .step = "last",
                                          .who = "ann",
                                          .why = "it did not"}));
      return store();
    }
    ASSERT_TRUE(core_->next_due())
        << "it stands still: " << json::to_text(json::Value(flow::to_json(runs[0])));
    clock_.set(std::max(clock_.now(), *core_->next_due()));
    core_->tick();
    store();
  }

  // How many edges there were.
  std::int64_t go(std::int64_t crash_at) {
    crash_at_ = crash_at;
    edge_ = 0;
    outside_ = {};
    effects_.clear();
    entropy_ = SeededEntropy();
    clock_.set(start);
    core_.reset();
    database_ = fresh_store();
    core_ = open(*database_);
    for (int turn = 0; turn < 200; ++turn) {
      work();
      if (HasFatalFailure()) return edge_;
      const auto runs = flow::query_runs(*database_, {.number = 1}).value();
      if (!runs.empty() && flow::is_over(runs[0].state)) return edge_;
    }
    ADD_FAILURE() << "it does not end";
    return edge_;
  }

  std::unique_ptr<db::Database> database_;
  std::unique_ptr<Core> core_;
  Outside outside_;
  std::vector<flow::Effect> effects_;
  std::int64_t edge_ = 0;
  std::int64_t crash_at_ = -1;
};

TEST_F(PlaybookCrash, ComesToTheSameWhereverTheCoreDies) {
  const std::map<std::string, int> expected{{"run-1-a", 1},     {"run-1-a-undo", 1},
                                            {"run-1-b", 1},     {"run-1-b-undo", 1},
                                            {"run-1-count", 1}, {"run-1-count-2", 1}};
  const std::int64_t edges = go(-1);
  ASSERT_FALSE(HasFailure());
  EXPECT_EQ(outside_.times(), expected);
  for (std::int64_t at = 0; at < edges; ++at) {
    SCOPED_TRACE(at);
    go(at);
    EXPECT_EQ(outside_.times(), expected);
    const auto run = flow::query_runs(*database_, {.number = 1}).value().at(0);
    EXPECT_EQ(run.state, flow::RunState::failed);
    EXPECT_EQ(run.steps.at("a").state, flow::StepState::undone);
    EXPECT_EQ(run.steps.at("b").state, flow::StepState::undone);
    ASSERT_FALSE(HasFailure());
  }
  std::printf("%lld edges\n", static_cast<long long>(edges));
  EXPECT_GE(edges, 30);
}

}  // namespace
}  // namespace mailwarden::app
