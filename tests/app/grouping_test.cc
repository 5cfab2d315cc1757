// Detections that wait for others, over restarts and in the ledger: on SQLite, and on PostgreSQL
// where ctest has started one.
#include <gmock/gmock.h>

#include "incident/incident_table.h"
#include "incident/waiting_table.h"
#include "report/verify_store.h"
#include "tests/app/core_fixture.h"

namespace mailwarden::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class CoreGrouping : public CoreTest {
 protected:
  CoreGrouping() {
    group_by(
        "rules: [{name: guessing, for: {rules: [test_line]}, by: [address], within: 1h,"
        " threshold: 3}]\n");
    std::filesystem::remove(folder_.path("policies/playbooks/p.yaml"));
  }

  void group_by(const std::string& text) {
    write_file(folder_.path("policies/grouping.yaml"), text);
  }
  WorkedBatch from(std::uint64_t ticket, const std::vector<std::string>& addresses) {
    std::vector<std::string> lines;
    for (const std::string& address : addresses) {
      lines.push_back("Failed password for root from " + address + " port 1 ssh2");
    }
    return batch_of(ticket, lines);
  }
  std::vector<std::string> waiting() {
    return rows(*store_, "SELECT number, rule FROM waiting_detection ORDER BY number");
  }
  void verify() {
    const auto verdict = report::verify_store(
        *store_, {.key = ledger::VerifierKey{"example.com/test", signer_->public_key()}});
    ASSERT_TRUE(verdict) << verdict.error().what;
    EXPECT_TRUE(verdict->good()) << ledger::to_words(*verdict);
  }

  std::unique_ptr<db::Database> store_ = fresh_store();
};

TEST_F(CoreGrouping, WhatWaitsIsStoredAndTheThirdOpensBehindARestart) {
  {
    const auto core = open(*store_);
    core->take(from(0, {"192.0.2.7", "192.0.2.8", "192.0.2.7"}));
    ASSERT_TRUE(core->write());
    EXPECT_THAT(core->take_outgoing(), IsEmpty());
  }
  EXPECT_THAT(waiting(), ElementsAre("1|guessing|", "2|guessing|", "3|guessing|"));
  EXPECT_THAT(rows(*store_, "SELECT incident FROM detection"), ElementsAre("0|", "0|", "0|"));
  const auto groups = incident::waiting_groups(*store_);
  ASSERT_TRUE(groups) << groups.error().what;
  ASSERT_THAT(*groups, SizeIs(2));
  EXPECT_EQ((*groups)[0].integer("count"), 2);
  EXPECT_EQ((*groups)[0].integer("threshold"), 3);
  EXPECT_EQ((*groups)[0]["common"].as_array()->front().text("name"), "192.0.2.7");
  {
    const auto core = open(*store_);
    core->take(from(1, {"192.0.2.7"}));
    core->seal();
    ASSERT_TRUE(core->write());
    EXPECT_THAT(core->take_outgoing(), SizeIs(1));
  }
  EXPECT_THAT(waiting(), ElementsAre("2|guessing|"));
  const auto incident = incident::load_incident(*store_, 1);
  ASSERT_TRUE(incident) << incident.error().what;
  EXPECT_EQ(incident->detections, 3);
  EXPECT_THAT(incident->gathered, ElementsAre(1, 3));
  EXPECT_THAT(rows(*store_, "SELECT record FROM ledger_entry WHERE record LIKE '%\"waits\"%'"),
              SizeIs(3));
  verify();
}

TEST_F(CoreGrouping, ATableThatSaysOtherwiseIsFound) {
  {
    const auto core = open(*store_);
    core->take(from(0, {"192.0.2.7"}));
    core->seal();
    ASSERT_TRUE(core->write());
  }
  verify();
  ASSERT_TRUE(store_->run("UPDATE waiting_detection SET ends = ends + 1", {}));
  const auto verdict = report::verify_store(
      *store_, {.key = ledger::VerifierKey{"example.com/test", signer_->public_key()}});
  ASSERT_TRUE(verdict);
  EXPECT_THAT(ledger::to_words(*verdict), HasSubstr("waiting_detection 1"));
}

// The same lines in other batches, with a process that ends behind each, or before it could write.
TEST_F(CoreGrouping, BatchesRestartsAndLostWritesDecideTheSame) {
  std::vector<std::string> lines;
  for (int i = 0; i < 60; ++i) lines.push_back("192.0.2." + std::to_string(i * i % 11));
  const auto decided = [&](std::size_t size, bool restarts) {
    store_ = fresh_store();
    auto core = open(*store_);
    std::uint64_t ticket = 0;
    for (std::size_t first = 0; first < lines.size(); first += size, ++ticket) {
      const std::vector<std::string> part(
          lines.begin() + static_cast<std::ptrdiff_t>(first),
          lines.begin() + static_cast<std::ptrdiff_t>(std::min(lines.size(), first + size)));
      if (restarts) {
        core->take(from(ticket, part));
        core = open(*store_);  // what was taken is lost, and comes again
      }
      core->take(from(ticket, part));
      EXPECT_TRUE(core->write());
      if (restarts) core = open(*store_);
    }
    EXPECT_TRUE(core->write());
    auto found = rows(*store_,
                      "SELECT number, incident, entity_name FROM detection"
                      " ORDER BY number");
    for (auto& row : waiting()) found.push_back(std::move(row));
    const auto incidents = incident::load_open_incidents(*store_);
    EXPECT_TRUE(incidents);
    for (const incident::Incident& one : *incidents) {
      found.push_back(json::to_text(json::Array(one.gathered.begin(), one.gathered.end())) +
                      std::to_string(one.detections));
    }
    verify();
    return found;
  };
  const auto expected = decided(60, false);
  EXPECT_THAT(expected, testing::Contains(HasSubstr("[1,")));
  for (const std::size_t size : {1U, 7U, 25U}) {
    EXPECT_EQ(decided(size, false), expected) << size;
    EXPECT_EQ(decided(size, true), expected) << size;
  }
}

TEST_F(CoreGrouping, RulesThatAreReadAnewJudgeWhatWaits) {
  const auto core = open(*store_);
  core->take(from(0, {"192.0.2.7", "192.0.2.7"}));
  group_by("rules: [{name: guessing, by: [address], within: 1h, threshold: 2}]\n");
  core->use(policies());
  ASSERT_TRUE(core->write());
  EXPECT_THAT(waiting(), IsEmpty());
  EXPECT_THAT(incident::load_incident(*store_, 1)->gathered, ElementsAre(1, 2));
}

TEST_F(CoreGrouping, RulesThatChangedWhileNobodyWasHereJudgeWhatWaits) {
  {
    const auto core = open(*store_);
    core->take(from(0, {"192.0.2.7", "192.0.2.7"}));
    ASSERT_TRUE(core->write());
  }
  std::filesystem::remove(folder_.path("policies/grouping.yaml"));
  const auto core = open(*store_);
  ASSERT_TRUE(core->write());
  EXPECT_THAT(core->take_outgoing(), SizeIs(1));
  EXPECT_THAT(waiting(), IsEmpty());
  EXPECT_EQ(incident::load_incident(*store_, 1)->detections, 2);
}

TEST_F(CoreGrouping, WhatWaitedTooLongIsTakenOutOfTheTable) {
  const auto core = open(*store_);
  core->take(from(0, {"192.0.2.7"}));
  ASSERT_TRUE(core->write());
  clock_.set(start + std::chrono::hours(26));
  core->tick();
  core->seal();
  ASSERT_TRUE(core->write());
  EXPECT_THAT(waiting(), IsEmpty());
  verify();
}

TEST_F(CoreGrouping, WhatAPersonReportsIsHeardAtOnce) {
  group_by(
      "at_once: {level: critical, severity: 3}\n"
      "rules: [{name: all, by: [about], within: 1h, threshold: 3}]\n");
  const auto core = open(*store_);
  const auto changes = core->act(incident::Report{.title = "A laptop is gone", .who = "ann"});
  ASSERT_TRUE(changes) << changes.error().what;
  EXPECT_THAT(*changes, SizeIs(1));
}

TEST_F(CoreGrouping, MistakesAreToldWithThoseOfOtherFiles) {
  group_by("rules: [{name: a, for: {rules: [no_such_rule]}, by: [address]}]\n");
  write_file(folder_.path("policies/routes.yaml"), "colour: red\n");
  const auto loaded = load_policies(config_);
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().what, HasSubstr("grouping.yaml, line 1: there is no rule"));
  EXPECT_THAT(loaded.error().what, HasSubstr("routes.yaml, line 1"));
}

}  // namespace
}  // namespace mailwarden::app
