// The core as a plain loop: a set clock, seeded randomness and a store that may refuse.
#include <algorithm>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "incident/incident_table.h"
#include "ledger/verify.h"
#include "report/check_rows.h"
#include "respond/flow_run_table.h"
#include "tests/app/core_fixture.h"
#include "tests/db/forwarding.h"

namespace mailwarden::app {
namespace {

TEST_F(CoreTest, NothingLeavesBeforeItsCauseIsDurable) {
  const auto database = fresh_store();
  const auto core = open(*database);
  core->take(batch(0, 1));
  EXPECT_TRUE(core->take_outgoing().empty());
  ASSERT_TRUE(core->write());
  EXPECT_EQ(keys(core->take_outgoing()),
            (std::vector<std::string>{"example.com-test.incident-1-1.spool",
                                      "example.com-test.run-1-tell.spool", "run-1-act"}));
  EXPECT_TRUE(core->take_outgoing().empty());
}

TEST_F(CoreTest, AStoreThatRefusesDelaysAndChangesNothing) {
  entropy_ = SeededEntropy();
  const auto reference = fresh_store();
  {
    const auto core = open(*reference);
    for (std::uint64_t i = 0; i < 4; ++i) core->take(batch(i, 20));
    ASSERT_TRUE(core->write());
  }
  entropy_ = SeededEntropy();
  const std::string path = folder_.path("m.db");
  const auto database = db::open_sqlite(path, {.busy_timeout = {}}).value();
  const auto core = open(*database);
  ASSERT_TRUE(core->write());
  const auto lock = db::open_sqlite(path).value();
  ASSERT_TRUE(lock->begin());
  for (std::uint64_t i = 0; i < 4; ++i) {
    core->take(batch(i, 20));
    const auto written = core->write();
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().code, Code::unavailable);
    EXPECT_TRUE(core->take_outgoing().empty());
  }
  lock->rollback();
  ASSERT_TRUE(core->write());
  EXPECT_EQ(all(*database), all(*reference));
}

// As when the answer to a commit is lost: the next transaction learns that it held, or begins.
class DoubtfulDatabase final : public ForwardingDatabase {
 public:
  using ForwardingDatabase::ForwardingDatabase;

  void lose_answer(bool held) {
    loses_ = true;
    held_ = held;
  }

  Result<void> begin() override {
    if (std::exchange(told_later_, false)) return fail(Code::conflict, "it is in the store");
    return store_.begin();
  }
  Result<void> commit() override {
    if (!std::exchange(loses_, false)) return store_.commit();
    if (held_) {
      EXPECT_TRUE(store_.commit());
    } else {
      store_.rollback();
    }
    told_later_ = held_;
    return fail(Code::unavailable, "the connection was lost");
  }
  void rollback() override {
    if (!told_later_) store_.rollback();
  }

 private:
  bool loses_ = false;
  bool held_ = false;
  bool told_later_ = false;
};

TEST_F(CoreTest, ACommitInDoubtIsNotWrittenTwiceAndNotForgotten) {
  entropy_ = SeededEntropy();
  const auto reference = fresh_store();
  std::vector<std::string> expected;
  {
    const auto core = open(*reference);
    ASSERT_TRUE(core->write());
    for (std::uint64_t i = 0; i < 4; ++i) core->take(batch(i, 20));
    ASSERT_TRUE(core->write());
    expected = keys(core->take_outgoing());
  }
  for (const bool held : {true, false}) {
    entropy_ = SeededEntropy();
    const auto store = fresh_store();
    DoubtfulDatabase database(*store);
    const auto core = open(database);
    ASSERT_TRUE(core->write());
    for (std::uint64_t i = 0; i < 4; ++i) {
      core->take(batch(i, 20));
      if (i != 1) continue;
      database.lose_answer(held);
      EXPECT_EQ(core->write().error().code, Code::unavailable);
      EXPECT_TRUE(core->take_outgoing().empty());
    }
    const auto written = core->write();
    ASSERT_TRUE(written) << written.error().what;
    EXPECT_EQ(keys(core->take_outgoing()), expected);
    EXPECT_EQ(all(*store), all(*reference)) << held;
  }
}

// A stop behind every step, and each time a new core over what was stored: the ledger has the same
// bytes in the end.
TEST_F(CoreTest, RestartsDecideTheSame) {
  write_file(folder_.path("policies/playbooks/p.yaml"),
             "name: p\ntitle: T\nwhen: {rules: [test_line]}\nsteps:\n"
             "  - {id: tell, notify: [spool], text: t}\n"
             "  - {id: act, command: [/bin/true], repeatable: true}\n");
  const auto run = [&](bool restart) {
    entropy_ = SeededEntropy();
    clock_.set(start);
    const auto database = fresh_store();
    auto core = open(*database);
    std::set<std::string> left;
    for (std::uint64_t i = 0; i < 12; ++i) {
      clock_.set(start + std::chrono::minutes(i));
      core->take(batch(i, 3));
      EXPECT_TRUE(core->write());
      for (const std::string& key : keys(core->take_outgoing())) left.insert(key);
      if (i == 4) {
        EXPECT_TRUE(core->act(incident::Act{.kind = incident::Act::Kind::move,
                                            .incident = 1,
                                            .value = "analysing",
                                            .why = "looking",
                                            .who = "ann"}));
      }
      core->settle(success(1, "act"));
      EXPECT_TRUE(core->write());
      if (restart) core = open(*database);
      for (const std::string& key : keys(core->take_outgoing())) left.insert(key);
    }
    auto found = all(*database);
    found["left"] = {left.begin(), left.end()};
    return found;
  };
  const auto undisturbed = run(false);
  EXPECT_EQ(undisturbed.at("incidents").size(), 3U);
  EXPECT_EQ(undisturbed.at("runs").size(), 3U);
  const auto restarted = run(true);
  for (const auto& [table, rows] : undisturbed) EXPECT_EQ(restarted.at(table), rows) << table;
}

TEST_F(CoreTest, AnAlertThatWasNotSettledIsLetOutAgainAfterARestart) {
  const auto database = fresh_store();
  auto core = open(*database);
  core->take(batch(0, 1));
  ASSERT_TRUE(core->write());
  const auto first = keys(core->take_outgoing());
  core->settle(alert::Outcome{.key = "example.com-test.incident-1-1.spool",
                              .standing = alert::Standing::delivered,
                              .tries = 1},
               "spool");
  ASSERT_TRUE(core->write());
  core = open(*database);
  ASSERT_TRUE(core->write());
  // The delivered one is not; the command, which must not be repeated, waits for a person.
  EXPECT_EQ(keys(core->take_outgoing()),
            (std::vector<std::string>{"example.com-test.run-1-tell.spool"}));
  const auto runs = respond::flow::query_runs(*database, {.number = 1}).value();
  EXPECT_EQ(runs.at(0).steps.at("act").state, respond::flow::StepState::unknown);
}

TEST_F(CoreTest, ActsOnIncidentsAndRunsAreProvedAndRefusalsChangeNothing) {
  const auto database = fresh_store();
  const auto core = open(*database);
  core->take(batch(0, 1));
  core->settle(success(1, "act"));
  const auto done = core->act(respond::flow::RunAct{.kind = respond::flow::RunAct::Kind::done,
                                                    .run = 1,
                                                    .step = "ask",
                                                    .who = "ann",
                                                    .why = "it was me"});
  ASSERT_TRUE(done) << done.error().what;
  EXPECT_EQ(done->state, respond::flow::RunState::done);
  ASSERT_TRUE(core->write());
  const std::int64_t size = core->ledger().size();
  EXPECT_FALSE(core->act(respond::flow::RunAct{.run = 1, .step = "ask", .who = "ann"}));
  EXPECT_FALSE(core->act(incident::Act{.incident = 99, .why = "w", .who = "ann"}));
  EXPECT_EQ(core->ledger().size(), size);
  EXPECT_FALSE(core->has_pending());
}

// The shipped policy gives three days to acknowledge what has severity 0.
TEST_F(CoreTest, ADeadlineIsMissedOnceHoweverOftenTheDaemonStarts) {
  write_file(folder_.path("policies/routes.yaml"),
             "receivers: [{name: spool, kind: folder, folder: s}]\n"
             "routes: [{changes: [deadline_missed], to: [spool]}]\n");
  const auto database = fresh_store();
  auto core = open(*database);
  core->take(batch(0, 1));
  ASSERT_TRUE(core->write());
  static_cast<void>(core->take_outgoing());
  clock_.set(start + std::chrono::hours(72) - Duration(1));
  core->tick();
  EXPECT_FALSE(core->has_pending());
  core = open(*database);
  ASSERT_TRUE(core->write());
  static_cast<void>(core->take_outgoing());
  clock_.set(start + std::chrono::hours(72));
  core->tick();
  ASSERT_TRUE(core->write());
  // The incident's changes are: opened, severity and facts stand in that, deadline_missed.
  EXPECT_EQ(keys(core->take_outgoing()),
            (std::vector<std::string>{"example.com-test.incident-1-2.spool"}));
  core = open(*database);
  clock_.set(start + std::chrono::hours(2000));
  core->tick();
  const auto changes = incident::load_changes(*database, 1).value();
  ASSERT_EQ(changes.size(), 2U);
  EXPECT_EQ(changes[1].change.kind, "deadline_missed");
  EXPECT_EQ(changes[1].change.when, start + std::chrono::hours(72));
  EXPECT_EQ(incident::load_incident(*database, 1)->deadlines.at("acknowledge").missed, true);
}

TEST_F(CoreTest, AMergeIsStoredOfBothIncidents) {
  const auto database = fresh_store();
  const auto core = open(*database);
  core->take(batch(0, 1));
  core->take(batch(1, 1));
  const auto merged = core->act(incident::Act{.kind = incident::Act::Kind::merge,
                                              .incident = 2,
                                              .value = "1",
                                              .why = "the same",
                                              .who = "ann"});
  ASSERT_TRUE(merged) << merged.error().what;
  core->seal();
  ASSERT_TRUE(core->write());
  EXPECT_EQ(incident::load_incident(*database, 2)->merged_into, 1);
  EXPECT_EQ(incident::load_incident(*database, 1)->absorbed, std::set<std::int64_t>{2});
  EXPECT_EQ(incident::load_changes(*database, 1)->back().change.kind, "absorbed");
  const report::Checks checks = report::all_checks(*database);
  const auto verdict =
      ledger::verify(*database, {.key = {.name = "example.com/test", .key = signer_->public_key()},
                                 .check_record = checks.record,
                                 .check_end = checks.end});
  ASSERT_TRUE(verdict) << verdict.error().what;
  EXPECT_TRUE(verdict->good());
}

TEST_F(CoreTest, TheLedgerOfASealedStoreIsGood) {
  const auto database = fresh_store();
  const auto core = open(*database);
  for (std::uint64_t i = 0; i < 5; ++i) core->take(batch(i, 7));
  core->snapshot();
  core->seal();
  ASSERT_TRUE(core->write());
  EXPECT_EQ(core->take_notes().size(), 1U);
  core->seal();
  EXPECT_FALSE(core->has_pending()) << "nothing new to seal";
  const auto verdict = ledger::verify(
      *database, {.key = {.name = "example.com/test", .key = signer_->public_key()}});
  ASSERT_TRUE(verdict) << verdict.error().what;
  EXPECT_TRUE(verdict->failures.empty());
  EXPECT_EQ(rows(*database, "SELECT COUNT(*) FROM event"), (std::vector<std::string>{"35|"}));
}

TEST_F(CoreTest, TheNewestCheckpointLeavesAgainAfterARestart) {
  const auto database = db::open_sqlite(":memory:").value();
  auto core = open(*database);
  EXPECT_TRUE(core->take_notes().empty());
  core->take(batch(0, 1));
  core->seal();
  ASSERT_TRUE(core->write());
  // Killed before anybody took it.
  core = open(*database);
  const auto notes = core->take_notes();
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_EQ(notes[0], ledger::last_checkpoint(*database).value());
  const auto size = ledger::parse_checkpoint(notes[0])->size;
  core->cosign(size, "\xE2\x80\x94 w AAAAAAAA\n");
  ASSERT_TRUE(core->write());
  ASSERT_EQ(core->take_notes(), std::vector{ledger::last_checkpoint(*database).value()})
      << "and with each cosignature";
}

// At most one in its interval, and none while one waits, over restarts too.
TEST_F(CoreTest, CheckpointsAreSentToTheirReceiversInTime) {
  const auto database = db::open_sqlite(":memory:").value();
  checkpoint_receivers_ = {{.name = "spool", .interval = std::chrono::hours(1)}};
  auto core = open(*database);
  std::uint64_t ticket = 0;
  const auto sent = [&] {
    core->take(batch(ticket++, 1));
    core->seal();
    EXPECT_TRUE(core->write());
    std::vector<alert::Alert> found;
    for (const Outgoing& one : core->take_outgoing()) {
      const auto* const alert = std::get_if<alert::Alert>(&one);
      if (alert != nullptr && alert->incident == 0) found.push_back(*alert);
    }
    return found;
  };
  const auto settle = [&](const std::string& key, alert::Standing standing) {
    core->settle({.key = key, .standing = standing, .tries = 1}, "spool");
  };
  const auto first = sent();
  ASSERT_EQ(first.size(), 1U);
  const json::Value event(first[0].event);
  EXPECT_EQ(event["data"].text("note"), core->take_notes().back());
  clock_.advance(std::chrono::hours(2));
  EXPECT_TRUE(sent().empty()) << "the first one waits";
  settle(first[0].key, alert::Standing::pending);
  EXPECT_TRUE(sent().empty()) << "and is tried again";
  core = open(*database);
  const auto again = core->take_outgoing();
  EXPECT_EQ(std::ranges::count(keys(again), first[0].key), 1) << "under the same key";
  EXPECT_TRUE(sent().empty()) << "over a restart";
  settle(first[0].key, alert::Standing::delivered);
  const auto second = sent();
  ASSERT_EQ(second.size(), 1U);
  EXPECT_NE(second[0].key, first[0].key);
  settle(second[0].key, alert::Standing::failed);
  EXPECT_TRUE(sent().empty()) << "an hour has not passed";
  core = open(*database);
  EXPECT_TRUE(sent().empty()) << "over a restart";
  clock_.advance(std::chrono::hours(1));
  EXPECT_EQ(sent().size(), 1U);
  const auto verdict = ledger::verify(
      *database, {.key = {.name = "example.com/test", .key = signer_->public_key()}});
  EXPECT_TRUE(verdict->good()) << ledger::to_words(*verdict);
}

TEST_F(CoreTest, ACheckpointReceiverThatNoRouteNamesIsRefused) {
  config_.checkpoint_receivers = {{.name = "nobody"}};
  const auto loaded = load_policies(config_);
  ASSERT_FALSE(loaded);
  EXPECT_NE(loaded.error().what.find("there is no receiver 'nobody'"), std::string::npos);
}

TEST_F(CoreTest, NewPoliciesAreRecordedOnceAndOldOnesNotAgain) {
  const auto database = fresh_store();
  const auto core = open(*database);
  ASSERT_TRUE(core->write());
  core->use(policies());
  EXPECT_FALSE(core->has_pending()) << "the same policies";
  write_file(folder_.path("rules/more.yml"),
             "title: More\nname: more\nlogsource: {product: linux}\nlevel: low\ndetection:\n"
             "  s: {event: x}\n  condition: s\n");
  core->use(policies());
  ASSERT_TRUE(core->write());
  EXPECT_EQ(rows(*database, "SELECT COUNT(*) FROM ledger_entry WHERE kind = 'policies'"),
            (std::vector<std::string>{"2|"}));
}

TEST_F(CoreTest, PipelinesChangeTheRulesAndTheVersion) {
  const std::string before = policies()->version;
  config_.pipelines = {folder_.path("p.yaml")};
  write_file(config_.pipelines[0],
             "transformations: [{type: add_condition, conditions: {program: '%'}}]\n");
  const auto changed = policies();
  EXPECT_NE(changed->version, before);
  ASSERT_FALSE(changed->rules.rules().empty());
  EXPECT_EQ(changed->rules.rules()[0].selections.back().name, "_added");
  write_file(config_.pipelines[0], "transformations: [{type: tea}]\n");
  const auto refused = load_policies(config_);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().what.find("p.yaml, line 1: there is no transformation 'tea'"),
            std::string::npos);
}

// The run keeps the playbook, which the policies of the second process do not have.
TEST_F(CoreTest, ARunByHandWaitsForItsTimeAndIsTakenBackWhenItIsOver) {
  using respond::flow::StepKind;
  const auto loaded = std::const_pointer_cast<Policies>(policies());
  const respond::flow::Operation operation{.kind = StepKind::command, .command = {"/bin/true"}};
  respond::flow::Playbook hand{.name = "hand", .title = "T", .start = "pause"};
  hand.order = {"pause", "act"};
  hand.steps["pause"] = {.id = "pause", .kind = StepKind::wait, .next = "act"};
  hand.steps["pause"].wait = std::chrono::minutes(10);
  hand.steps["act"] = {.id = "act", .kind = StepKind::command, .operation = operation};
  hand.steps["act"].undo = operation;
  loaded->playbooks.push_back(std::move(hand));
  const auto database = fresh_store();
  auto core = open(*database);
  core->take(batch(0, 1));
  core->use(loaded);
  const respond::flow::StartOrder order{.playbook = "hand", .who = "ann", .why = "to see"};
  EXPECT_EQ(core->start(order, 99).error().code, Code::not_found);
  const auto started = core->start(order, 1);
  ASSERT_TRUE(started) << started.error().what;
  EXPECT_EQ(started->number, 2);
  ASSERT_TRUE(core->write());
  core = open(*database);
  ASSERT_TRUE(core->write());
  core->take_outgoing();
  EXPECT_EQ(core->next_due(), start + std::chrono::minutes(10));
  clock_.set(start + std::chrono::minutes(10));
  core->tick();
  ASSERT_TRUE(core->write());
  EXPECT_EQ(keys(core->take_outgoing()), std::vector<std::string>{"run-2-act"});
  core->settle(success(2, "act"));
  ASSERT_TRUE(core->write());
  const auto undone = core->act(respond::flow::RunAct{
      .kind = respond::flow::RunAct::Kind::undo, .run = 2, .who = "ann", .why = "wrong"});
  ASSERT_TRUE(undone) << undone.error().what;
  EXPECT_EQ(undone->state, respond::flow::RunState::undoing);
  ASSERT_TRUE(core->write());
  EXPECT_EQ(keys(core->take_outgoing()), std::vector<std::string>{"run-2-act-undo"});
}

TEST_F(CoreTest, APlaybookOfUnknownRulesOrReceiversIsRefusedWithBoth) {
  write_file(folder_.path("policies/playbooks/q.yaml"),
             "name: q\ntitle: T\nwhen: {rules: [no_rule]}\nsteps:\n"
             "  - {id: tell, notify: [nobody], text: t}\n");
  const auto loaded = load_policies(config_);
  ASSERT_FALSE(loaded);
  EXPECT_NE(loaded.error().what.find("q.yaml: there is no rule 'no_rule'"), std::string::npos);
  EXPECT_NE(loaded.error().what.find("step 'tell': there is no receiver 'nobody'"),
            std::string::npos);
}

}  // namespace
}  // namespace mailwarden::app
