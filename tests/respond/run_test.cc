// Runs of playbooks: from step to step, over approvals, failures and the end of the daemon.
#include "respond/run.h"

#include <gtest/gtest.h>

#include "respond/run_table.h"
#include "tests/db/store.h"

namespace mailwarden::respond {
namespace {

constexpr Timestamp now{1'000'000};
const std::vector<std::string> commands{"/bin/true"};

std::vector<Playbook> playbooks_of(const std::string& steps, bool dry_run = false) {
  const std::vector<PlaybookText> texts{
      {"p.yaml", std::string("name: p\ntitle: T\nwhen: {rules: [a]}\ndry_run: ") +
                     (dry_run ? "true" : "false") + "\nsteps:\n" + steps}};
  auto playbooks = parse_playbooks(texts);
  EXPECT_TRUE(playbooks) << playbooks.error().what;
  return *playbooks;
}

incident::Incident some_incident() {
  return {.number = 7, .title = "t", .entity = {"account", "eve"}, .rules = {"a"}};
}

constexpr const char* lock_then_ask = R"(
  - {id: lock, command: [/bin/true], approval: "Really?"}
  - {id: ask, manual: Ask}
)";

// "lock:waiting>needs_approval"
std::vector<std::string> words(const RunBook::Moves& moves) {
  std::vector<std::string> all;
  for (const StepChange& change : moves.changes) {
    all.push_back(change.step + ":" + change.before + ">" + change.after);
  }
  return all;
}

using Words = std::vector<std::string>;

RunBook empty_book() {
  return RunBook({}, {}, 0);
}

TEST(Run, WaitsForApprovalThenIntendsThenGoesOn) {
  RunBook book = empty_book();
  const auto started = book.start_due(playbooks_of(lock_then_ask), some_incident(), commands, now);
  EXPECT_EQ(words(started),
            (Words{":>running", "lock:waiting>needs_approval", ":running>waits_for_person"}));
  EXPECT_TRUE(started.effects.empty()) << "nothing is done without the approval";
  const auto approved =
      book.act({.kind = RunAct::Kind::approve, .run = 1, .step = "lock", .who = "ann"}, now);
  ASSERT_TRUE(approved) << approved.error().what;
  EXPECT_EQ(words(*approved), (Words{"lock:needs_approval>waiting", "lock:waiting>intended",
                                     ":waits_for_person>running"}));
  EXPECT_EQ(approved->changes[0].who, "ann");
  ASSERT_EQ(approved->effects.size(), 1U);
  EXPECT_EQ(approved->effects[0].key, "run-1-lock");
  const auto settled =
      book.settle({.run = 1, .step = "lock", .good = true, .result = {{"exit", 0}}}, now);
  EXPECT_EQ(words(settled),
            (Words{"lock:intended>done", "ask:waiting>needs_person", ":running>waits_for_person"}));
  const auto done = book.act(
      {.kind = RunAct::Kind::done, .run = 1, .step = "ask", .who = "ann", .why = "asked"}, now);
  ASSERT_TRUE(done);
  EXPECT_EQ(words(*done), (Words{"ask:needs_person>done", ":waits_for_person>done"}));
}

TEST(Run, StartsOncePerPlaybookAndIncident) {
  RunBook book = empty_book();
  const auto playbooks = playbooks_of("  - {id: ask, manual: Ask}\n");
  EXPECT_FALSE(book.start_due(playbooks, some_incident(), commands, now).changes.empty());
  EXPECT_TRUE(book.start_due(playbooks, some_incident(), commands, now).changes.empty());
  incident::Incident other = some_incident();
  other.number = 8;
  EXPECT_FALSE(book.start_due(playbooks, other, commands, now).changes.empty());
}

TEST(Run, ARejectedStepIsSkipped) {
  RunBook book = empty_book();
  book.start_due(playbooks_of(lock_then_ask), some_incident(), commands, now);
  const auto moves = book.act(
      {.kind = RunAct::Kind::reject, .run = 1, .step = "lock", .who = "ann", .why = "no"}, now);
  ASSERT_TRUE(moves);
  EXPECT_EQ(words(*moves), (Words{"lock:needs_approval>skipped", "ask:waiting>needs_person"}));
  EXPECT_TRUE(moves->effects.empty());
}

TEST(Run, AFailedStepEndsTheRunUnlessItSaysToGoOn) {
  for (const bool go_on : {false, true}) {
    RunBook book = empty_book();
    const std::string steps = std::string("  - {id: a, command: [/bin/true], go_on: ") +
                              (go_on ? "true" : "false") + "}\n  - {id: b, manual: m}\n";
    book.start_due(playbooks_of(steps), some_incident(), commands, now);
    const auto moves = book.settle({.run = 1, .step = "a", .good = false, .why = "x"}, now);
    EXPECT_EQ(words(moves), go_on ? (Words{"a:intended>failed", "b:waiting>needs_person",
                                           ":running>waits_for_person"})
                                  : (Words{"a:intended>failed", ":running>failed"}));
  }
}

TEST(Run, ADryRunDoesNothingAndSaysWhatItWould) {
  RunBook book = empty_book();
  const auto moves = book.start_due(
      playbooks_of("  - {id: a, command: [/bin/true, x]}\n  - {id: b, notify: [s], text: t}\n",
                   true),
      some_incident(), commands, now);
  EXPECT_EQ(words(moves),
            (Words{":>running", "a:waiting>done", "b:waiting>done", ":running>done"}));
  EXPECT_TRUE(moves.effects.empty());
  EXPECT_EQ(json::Value(moves.changes[1].result).text("would"), "run /bin/true x");
}

TEST(Run, TellingIsDoneAtOnceAndLeftToTheOutbox) {
  RunBook book = empty_book();
  const auto moves =
      book.start_due(playbooks_of("  - {id: b, notify: [s], text: t}\n"), some_incident(), {}, now);
  ASSERT_EQ(moves.effects.size(), 1U);
  EXPECT_EQ(moves.effects[0].step.kind, StepKind::notify);
  EXPECT_EQ(moves.effects[0].key, "run-1-b");
  EXPECT_EQ(words(moves), (Words{":>running", "b:waiting>done", ":running>done"}));
}

TEST(Run, ActsThatDoNotFitAreRefused) {
  RunBook book = empty_book();
  book.start_due(playbooks_of(lock_then_ask), some_incident(), commands, now);
  using Kind = RunAct::Kind;
  struct Case {
    const char* name;
    RunAct act;
    Code expected;
  };
  const std::vector<Case> cases{
      {"nobody named", {.kind = Kind::approve, .run = 1, .step = "lock"}, Code::denied},
      {"no reason", {.kind = Kind::reject, .run = 1, .step = "lock", .who = "ann"}, Code::denied},
      {"no such run",
       {.kind = Kind::approve, .run = 2, .step = "lock", .who = "ann"},
       Code::not_found},
      {"no such step",
       {.kind = Kind::approve, .run = 1, .step = "x", .who = "ann"},
       Code::not_found},
      {"not its turn",
       {.kind = Kind::done, .run = 1, .step = "ask", .who = "ann", .why = "w"},
       Code::conflict},
      {"needs approval first",
       {.kind = Kind::done, .run = 1, .step = "lock", .who = "ann", .why = "w"},
       Code::conflict},
      {"nothing unknown",
       {.kind = Kind::again, .run = 1, .step = "lock", .who = "ann", .why = "w"},
       Code::conflict},
      {"an endless reason",
       {.kind = Kind::approve,
        .run = 1,
        .step = "lock",
        .who = "ann",
        .why = std::string(RunBook::reason_bytes_max + 1, 'x')},
       Code::invalid}};
  for (const Case& c : cases) {
    const auto moves = book.act(c.act, now);
    ASSERT_FALSE(moves) << c.name;
    EXPECT_EQ(moves.error().code, c.expected) << c.name;
  }
}

// The store of a daemon that was killed, and the book of the next one.
class RunStore : public testing::Test {
 protected:
  RunStore() { EXPECT_TRUE(db::migrate(*database_, migrations(), now)); }

  void store(const RunBook& book, const RunBook::Moves& moves) {
    for (const StepChange& change : moves.changes) {
      const respond::Run& run = *book.find(change.run);
      ASSERT_TRUE(store_move(*database_, {.entry = ++entry_,
                                          .run = change.run,
                                          .when = change.when,
                                          .record = to_record(change, run)}));
      ASSERT_TRUE(store_run(*database_, run));
    }
  }
  RunBook load() {
    auto standing = load_standing(*database_).value();
    return RunBook(std::move(standing.open), std::move(standing.started), standing.last_number);
  }

  std::unique_ptr<db::Database> database_ = fresh_store();
  std::int64_t entry_ = 0;
};

TEST_F(RunStore, AnIntentThatMayBeRepeatedIsAskedForAgain) {
  RunBook before = empty_book();
  store(before,
        before.start_due(playbooks_of("  - {id: a, command: [/bin/true], repeatable: true}\n"),
                         some_incident(), commands, now));
  RunBook after = load();
  const auto moves = after.resume(now);
  EXPECT_TRUE(moves.changes.empty());
  ASSERT_EQ(moves.effects.size(), 1U);
  EXPECT_EQ(moves.effects[0].key, "run-1-a") << "the same key as before";
}

TEST_F(RunStore, AnIntentThatMayNotIsUnknownAndAPersonSays) {
  RunBook before = empty_book();
  store(before, before.start_due(playbooks_of("  - {id: a, command: [/bin/true]}\n"),
                                 some_incident(), commands, now));
  RunBook after = load();
  const auto moves = after.resume(now);
  EXPECT_EQ(words(moves), (Words{"a:intended>unknown", ":running>waits_for_person"}));
  EXPECT_TRUE(moves.effects.empty()) << "it is not run a second time unasked";
  const auto again = after.act(
      {.kind = RunAct::Kind::again, .run = 1, .step = "a", .who = "ann", .why = "it did not run"},
      now);
  ASSERT_TRUE(again) << again.error().what;
  EXPECT_EQ(again->effects.size(), 1U);
}

TEST_F(RunStore, WhatWasApprovedStaysApprovedAndTheRunIsNotStartedAgain) {
  RunBook before = empty_book();
  const auto playbooks = playbooks_of(lock_then_ask);
  store(before, before.start_due(playbooks, some_incident(), commands, now));
  RunBook after = load();
  EXPECT_TRUE(after.resume(now).changes.empty());
  EXPECT_TRUE(after.start_due(playbooks, some_incident(), commands, now).changes.empty());
  const auto moves =
      after.act({.kind = RunAct::Kind::approve, .run = 1, .step = "lock", .who = "ann"}, now);
  ASSERT_TRUE(moves);
  store(after, *moves);
  RunBook third = load();
  EXPECT_EQ(words(third.resume(now)),
            (Words{"lock:intended>unknown", ":running>waits_for_person"}));
  const auto runs = query_runs(*database_, {.incident = 7}).value();
  ASSERT_EQ(runs.size(), 1U);
  EXPECT_TRUE(runs[0].steps[0].approved);
  EXPECT_EQ(load_moves(*database_, 1).value().size(), 6U);
}

TEST_F(RunStore, AnEndedRunIsNotOpenButStillCounted) {
  RunBook before = empty_book();
  const auto playbooks = playbooks_of("  - {id: b, notify: [s], text: t}\n");
  store(before, before.start_due(playbooks, some_incident(), commands, now));
  const auto standing = load_standing(*database_).value();
  EXPECT_TRUE(standing.open.empty());
  EXPECT_EQ(standing.last_number, 1);
  EXPECT_TRUE(standing.started.contains({"p", 7}));
}

TEST_F(RunStore, ADamagedRowIsSaid) {
  RunBook before = empty_book();
  store(before, before.start_due(playbooks_of(lock_then_ask), some_incident(), commands, now));
  ASSERT_TRUE(database_->execute("UPDATE playbook_run SET body = '{\"number\":1}'"));
  const auto standing = load_standing(*database_);
  ASSERT_FALSE(standing);
  EXPECT_EQ(standing.error().code, Code::corrupt);
}

}  // namespace
}  // namespace mailwarden::respond
