// What people do about incidents, as the core keeps it: reports, tasks, duties, closing.
#include <gmock/gmock.h>

#include "incident/incident_table.h"
#include "tests/app/core_fixture.h"

namespace mailwarden::app {
namespace {

using std::chrono::hours;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

class HandlingTest : public CoreTest {
 protected:
  HandlingTest() {
    std::filesystem::copy(source_folder() + "/policies/incidents.yaml",
                          folder_.path("policies/incidents.yaml"));
    write_file(folder_.path("policies/routes.yaml"),
               "receivers: [{name: spool, kind: folder, folder: s}]\n"
               "routes: [{changes: [opened, duty_begun, deadline_missed], to: [spool]}]\n");
  }

  static std::vector<std::string> kinds(const std::vector<incident::Change>& changes) {
    std::vector<std::string> found;
    for (const incident::Change& change : changes) found.push_back(change.kind);
    return found;
  }
  static std::vector<std::string> subjects(const std::vector<Outgoing>& outgoing) {
    std::vector<std::string> found;
    for (const Outgoing& one : outgoing) {
      if (const auto* alert = std::get_if<alert::Alert>(&one)) found.push_back(alert->subject);
    }
    return found;
  }

  const incident::Report leak_{.title = "A list of customers is on a web page",
                               .what = "Seen at 10:00 by a customer",
                               .type = "data_exposure",
                               .entity = "resource:web",
                               .facts = {"data_compromised", "data_published"},
                               .who = "ann"};
};

TEST_F(HandlingTest, AReportOpensAnIncidentAtOnceAndTellsPeople) {
  const auto database = db::open_sqlite(":memory:").value();
  auto core = open(*database);
  const auto changes = core->act(leak_);
  ASSERT_TRUE(changes) << changes.error().what;
  EXPECT_THAT(kinds(*changes),
              ElementsAre("opened", "typed", "duty_begun", "duty_begun", "duty_begun"));
  for (const incident::Change& change : *changes) {
    EXPECT_EQ(change.who, "ann");
    EXPECT_EQ(change.when, start);
  }
  ASSERT_TRUE(core->write());
  EXPECT_THAT(subjects(core->take_outgoing()), SizeIs(4));
  // The report itself is a detection, with what was said.
  EXPECT_THAT(rows(*database, "SELECT record FROM ledger_entry"),
              Contains(HasSubstr("Seen at 10:00 by a customer")));
}

TEST_F(HandlingTest, ATypeThatFactsDoNotSayIsTheReporters) {
  const auto database = db::open_sqlite(":memory:").value();
  auto core = open(*database);
  const auto changes =
      core->act({.title = "A laptop is gone", .type = "lost_device", .who = "ann"});
  ASSERT_TRUE(changes) << changes.error().what;
  EXPECT_THAT(kinds(*changes), ElementsAre("opened", "typed"));
  const auto again = core->act({.title = "x", .type = "no_such_type", .who = "ann"});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::invalid);
}

TEST_F(HandlingTest, ARouteOfATypeTellsOfItAtTheOpeningAlready) {
  const std::string file = folder_.path("policies/routes.yaml");
  const std::string receivers = "receivers: [{name: spool, kind: folder, folder: s}]\nroutes:\n";
  write_file(file, receivers + "- {changes: [opened], types: [data_exposure], to: [spool]}\n");
  const auto database = db::open_sqlite(":memory:").value();
  auto core = open(*database);
  ASSERT_TRUE(core->act({.title = "A laptop is gone", .type = "lost_device", .who = "ann"}));
  ASSERT_TRUE(core->act(leak_));
  ASSERT_TRUE(core->write());
  EXPECT_THAT(subjects(core->take_outgoing()), ElementsAre(HasSubstr("A list of customers")));

  write_file(file, receivers + "- {changes: [opened], types: [leak], to: [spool]}\n");
  const auto wrong = load_policies(config_);
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().what,
              HasSubstr("routes.yaml, line 3: there is no type 'leak' in incidents.yaml"));
}

TEST_F(HandlingTest, ADutyIsMissedOverARestartAndTold) {
  const auto database = db::open_sqlite(":memory:").value();
  {
    auto core = open(*database);
    ASSERT_TRUE(core->act(leak_));
    ASSERT_TRUE(core->write());
  }
  clock_.set(start + hours(73));
  auto core = open(*database);
  ASSERT_TRUE(core->write());
  core->take_outgoing();
  core->tick();
  ASSERT_TRUE(core->write());
  // Its three duties, two tasks with dates of a day and three of hours, and the service level.
  const auto stored = incident::load_incident(*database, 1);
  ASSERT_TRUE(stored) << stored.error().what;
  EXPECT_TRUE(stored->duties.at("authority").missed);
  EXPECT_THAT(rows(*database, "SELECT body FROM incident_change"),
              Contains(HasSubstr("duty authority")));
  // Each is told once.
  core->take_outgoing();
  core->tick();
  EXPECT_FALSE(core->has_pending());
}

TEST_F(HandlingTest, NothingClosesWhileAPlaybookIsAtWork) {
  const auto database = db::open_sqlite(":memory:").value();
  auto core = open(*database);
  core->take(batch(0, 1));
  using Act = incident::Act;
  const auto move = [&](const std::string& state) {
    return core->act(
        {.kind = Act::Kind::move, .incident = 1, .value = state, .why = "because", .who = "ann"});
  };
  ASSERT_TRUE(move("analysing"));
  ASSERT_TRUE(move("post_incident"));
  const auto refused = move("closed");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::conflict);
  EXPECT_THAT(refused.error().what, HasSubstr("run 1"));
  ASSERT_TRUE(core->act(respond::flow::RunAct{.kind = respond::flow::RunAct::Kind::cancel,
                                              .run = 1,
                                              .who = "ann",
                                              .why = "nothing to do"}));
  ASSERT_TRUE(core->write());
  // The step at work comes to its end first.
  for (const Outgoing& one : core->take_outgoing()) {
    if (const auto* effect = std::get_if<respond::flow::Effect>(&one)) {
      core->settle(respond::flow::Outcome{.run = effect->run,
                                          .step = effect->step,
                                          .visit = effect->visit,
                                          .tries = effect->tries,
                                          .answer = json::Object{{"exit", 0}}});
    }
  }
  const auto closed = move("closed");
  EXPECT_TRUE(closed) << closed.error().what;
}

TEST_F(HandlingTest, AStoreWithAllOfItIsWhole) {
  const auto database = db::open_sqlite(":memory:").value();
  auto core = open(*database);
  ASSERT_TRUE(core->act(leak_));
  ASSERT_TRUE(core->act({.kind = incident::Act::Kind::add_task,
                         .incident = 1,
                         .value = "call the host",
                         .why = "because",
                         .who = "ann"}));
  core->seal();
  ASSERT_TRUE(core->write());
  EXPECT_THAT(rows(*database, "SELECT COUNT(*) FROM ledger_entry WHERE record LIKE '%task_added%'"),
              ElementsAre("1|"));
}

}  // namespace
}  // namespace mailwarden::app
