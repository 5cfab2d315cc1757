// Acknowledgement, deadlines and merging.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "incident/incident.h"
#include "tests/incident/kinds.h"

namespace mailwarden::incident {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr Timestamp opened_at{1'800'000'000'000'000};

constexpr std::string_view acts_table_text = R"(
facts:
  stolen: {kind: truth}
  hosts: {kind: count}
rows:
  - {name: data went far, severity: 3, all_of: {stolen: true, hosts: 5}}
  - {name: data went, severity: 2, all_of: {stolen: true}}
  - {name: a host, severity: 1, all_of: {hosts: 1}}
service_levels:
  - {severity: 3, acknowledge: 5m, contain: 1h, resolve: 1d}
  - {severity: 2, acknowledge: 10m, contain: 2h, resolve: 2d}
  - {severity: 1, acknowledge: 1h, resolve: 4d}
)";

class IncidentActsTest : public testing::Test {
 protected:
  std::int64_t open(const std::string& account, std::map<std::string, std::int64_t> facts,
                    const std::string& rule = "r1", detect::Level level = detect::Level::medium) {
    return book_
        .apply({.rule_id = rule,
                .title = "title of " + rule,
                .level = level,
                .time = {1'790'000'000'000'000},
                .entity = {"account", account},
                .facts = std::move(facts)},
               table_, now_)
        .incident;
  }
  Result<std::vector<Change>> act(Act::Kind kind, std::int64_t number, const std::string& value) {
    return book_.act(
        {.kind = kind, .incident = number, .value = value, .why = "because", .who = "bob"}, table_,
        now_);
  }
  // What was missed at that time, as "2 contain".
  std::vector<std::string> missed_at(Duration since_start) {
    std::vector<std::string> missed;
    for (const Change& change : book_.tick(opened_at + since_start)) {
      EXPECT_EQ(change.kind, "deadline_missed");
      EXPECT_EQ(change.who, "mailwarden");
      EXPECT_EQ(change.when, opened_at + since_start);
      missed.push_back(std::to_string(change.incident) + " " +
                       change.after.find("deadline")->second.as_string()->c_str());
    }
    return missed;
  }
  const Incident& at(std::int64_t number) { return *book_.find(number); }

  SeverityTable table_ = SeverityTable::parse(acts_table_text, "t.yaml").value();
  IncidentBook book_{{}, 0};
  Timestamp now_ = opened_at;
};

TEST_F(IncidentActsTest, EachDeadlineIsMissedOnceAndAtItsTime) {
  open("alice", {{"stolen", 1}});
  EXPECT_THAT(missed_at(minutes(10) - Duration(1)), IsEmpty());
  EXPECT_THAT(missed_at(minutes(10)), ElementsAre("1 acknowledge"));
  EXPECT_THAT(missed_at(minutes(11)), IsEmpty());
  EXPECT_THAT(missed_at(hours(2) - Duration(1)), IsEmpty());
  EXPECT_THAT(missed_at(hours(48)), ElementsAre("1 contain", "1 resolve"));
  EXPECT_THAT(missed_at(hours(1000)), IsEmpty());
}

TEST_F(IncidentActsTest, WhatWasPassedWhileNobodyLookedIsMissedThen) {
  open("alice", {{"hosts", 1}});
  open("bob", {{"stolen", 1}});
  open("carol", {});
  EXPECT_THAT(missed_at(hours(500)),
              ElementsAre("1 acknowledge", "1 resolve", "2 acknowledge", "2 contain", "2 resolve"));
}

TEST_F(IncidentActsTest, WhatIsMetIsNotMissed) {
  open("alice", {{"stolen", 1}});
  now_ = opened_at + minutes(9);
  const auto acknowledged = act(Act::Kind::acknowledge, 1, "");
  ASSERT_TRUE(acknowledged) << acknowledged.error().what;
  EXPECT_THAT(kinds(*acknowledged), ElementsAre("acknowledged"));
  EXPECT_EQ(at(1).acknowledged, now_);
  EXPECT_EQ(at(1).acknowledged_by, "bob");
  ASSERT_TRUE(act(Act::Kind::move, 1, "analysing"));
  ASSERT_TRUE(act(Act::Kind::move, 1, "contained"));
  EXPECT_EQ(at(1).contained, now_);
  EXPECT_THAT(missed_at(hours(47)), IsEmpty());
  now_ = opened_at + hours(47);
  ASSERT_TRUE(act(Act::Kind::move, 1, "post_incident"));
  EXPECT_EQ(at(1).resolved, now_);
  EXPECT_THAT(missed_at(hours(100)), IsEmpty());
}

TEST_F(IncidentActsTest, AnAcknowledgementIsGivenOnce) {
  open("alice", {});
  ASSERT_TRUE(act(Act::Kind::acknowledge, 1, ""));
  const auto again = act(Act::Kind::acknowledge, 1, "");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::conflict);
  EXPECT_THAT(again.error().what, HasSubstr("acknowledged by bob"));
}

TEST_F(IncidentActsTest, WhoMovesAnIncidentHasSeenIt) {
  open("alice", {{"stolen", 1}});
  const auto moved = act(Act::Kind::move, 1, "analysing");
  ASSERT_TRUE(moved);
  EXPECT_EQ(moved->front().after.at("acknowledged_by"), json::Value("bob"));
  EXPECT_EQ(at(1).acknowledged, now_);
  EXPECT_THAT(missed_at(hours(2)), ElementsAre("1 contain"));
}

TEST_F(IncidentActsTest, AnIncidentThatFallsBackIsNotContained) {
  open("alice", {{"stolen", 1}});
  ASSERT_TRUE(act(Act::Kind::move, 1, "analysing"));
  ASSERT_TRUE(act(Act::Kind::move, 1, "contained"));
  EXPECT_THAT(missed_at(hours(2)), IsEmpty());
  ASSERT_TRUE(act(Act::Kind::move, 1, "analysing"));
  EXPECT_EQ(at(1).contained, Timestamp());
  EXPECT_THAT(missed_at(hours(2)), ElementsAre("1 contain"));
}

// By a detection: nobody has seen what it says.
TEST_F(IncidentActsTest, ARaiseAsksForAnotherAcknowledgementAndNeverForMoreTime) {
  open("alice", {{"hosts", 1}});
  now_ = opened_at + minutes(30);
  ASSERT_TRUE(act(Act::Kind::acknowledge, 1, ""));
  now_ = opened_at + hours(80);
  open("alice", {{"stolen", 1}}, "r2");
  EXPECT_EQ(at(1).severity, Severity::high);
  EXPECT_EQ(at(1).acknowledged, Timestamp());
  EXPECT_EQ(at(1).deadlines.at("acknowledge").due, now_ + minutes(10));
  EXPECT_EQ(at(1).deadlines.at("contain").due, now_ + hours(2));
  // Two days from now would be later than the four days from the beginning.
  EXPECT_EQ(at(1).deadlines.at("resolve").due, opened_at + hours(96));
}

TEST_F(IncidentActsTest, ARaiseToASeverityWithoutPromiseLeavesNoAcknowledgementDue) {
  table_ = SeverityTable::parse(R"(
facts: {stolen: {kind: truth}, hosts: {kind: count}}
rows:
  - {name: data went, severity: 2, all_of: {stolen: true}}
  - {name: a host, severity: 1, all_of: {hosts: 1}}
service_levels: [{severity: 1, acknowledge: 1h, resolve: 4d}]
)",
                                "t.yaml")
               .value();
  open("alice", {{"hosts", 1}});
  ASSERT_TRUE(act(Act::Kind::acknowledge, 1, ""));
  now_ = opened_at + hours(2);
  open("alice", {{"stolen", 1}}, "r2");
  EXPECT_THAT(missed_at(hours(3)), IsEmpty());
  EXPECT_EQ(at(1).deadlines,
            (std::map<std::string, Deadline, std::less<>>{{"resolve", {opened_at + hours(96)}}}));
}

TEST_F(IncidentActsTest, WhoRaisesAnIncidentHasSeenIt) {
  open("alice", {{"hosts", 1}});
  const auto raised = act(Act::Kind::assert_fact, 1, "stolen");
  ASSERT_TRUE(raised);
  EXPECT_THAT(kinds(*raised), ElementsAre("facts_changed", "severity_raised"));
  EXPECT_EQ(at(1).acknowledged_by, "bob");
  EXPECT_THAT(missed_at(minutes(30)), IsEmpty());
}

TEST_F(IncidentActsTest, ALoweredSeverityHasItsOwnDeadlinesFromTheSameBeginning) {
  open("alice", {{"stolen", 1}});
  now_ = opened_at + minutes(9);
  ASSERT_TRUE(act(Act::Kind::lower_severity, 1, "1"));
  EXPECT_EQ(at(1).deadlines,
            (std::map<std::string, Deadline, std::less<>>{{"acknowledge", {opened_at + hours(1)}},
                                                          {"resolve", {opened_at + hours(96)}}}));
  EXPECT_THAT(missed_at(minutes(59)), IsEmpty());
  EXPECT_THAT(missed_at(hours(1)), ElementsAre("1 acknowledge"));
}

TEST_F(IncidentActsTest, AnIncidentThatIsOverMissesNothing) {
  open("alice", {{"stolen", 1}});
  ASSERT_TRUE(act(Act::Kind::move, 1, "dismissed"));
  EXPECT_THAT(missed_at(hours(1000)), IsEmpty());
}

// As from a store: neither another policy nor a restart moves what is due.
TEST_F(IncidentActsTest, DeadlinesOutliveARestart) {
  open("alice", {{"stolen", 1}});
  EXPECT_THAT(missed_at(minutes(10)), ElementsAre("1 acknowledge"));
  book_ = IncidentBook({at(1)}, 1);
  EXPECT_THAT(missed_at(hours(2) - Duration(1)), IsEmpty());
  EXPECT_THAT(missed_at(hours(2)), ElementsAre("1 contain"));
}

TEST_F(IncidentActsTest, MergingTakesOverWhatIsKnown) {
  open("alice", {{"stolen", 1}});
  open("mallory", {{"hosts", 5}}, "r2", detect::Level::high);
  open("mallory", {}, "r3");
  const auto merged = act(Act::Kind::merge, 2, "1");
  ASSERT_TRUE(merged) << merged.error().what;
  EXPECT_THAT(kinds(*merged),
              ElementsAre("state_changed", "absorbed", "facts_changed", "severity_raised"));
  EXPECT_EQ((*merged)[0].incident, 2);
  EXPECT_EQ((*merged)[1].incident, 1);
  for (const Change& change : *merged) EXPECT_EQ(change.who, "bob");
  EXPECT_EQ(at(2).state, State::merged);
  EXPECT_EQ(at(2).merged_into, 1);
  EXPECT_EQ(at(1).absorbed, std::set<std::int64_t>{2});
  EXPECT_EQ(at(1).severity, Severity::extreme);
  EXPECT_EQ(at(1).title, "title of r2");
  EXPECT_EQ(at(1).level, detect::Level::high);
  EXPECT_EQ(at(1).detections, 3);
  EXPECT_EQ(at(1).rules, (std::set<std::string>{"r1", "r2", "r3"}));
  EXPECT_EQ(at(1).facts, (Facts{{"hosts", 5}, {"stolen", 1}}));
}

TEST_F(IncidentActsTest, WhatComesLaterJoinsTheOneMergedInto) {
  open("alice", {});
  open("bob", {});
  open("carol", {});
  ASSERT_TRUE(act(Act::Kind::merge, 3, "2"));
  ASSERT_TRUE(act(Act::Kind::merge, 2, "1"));
  EXPECT_EQ(at(1).absorbed, (std::set<std::int64_t>{2, 3}));
  for (const char* account : {"alice", "bob", "carol"}) EXPECT_EQ(open(account, {}), 1) << account;
  book_ = IncidentBook({at(1)}, 3);
  EXPECT_EQ(open("carol", {}), 1);
  ASSERT_TRUE(act(Act::Kind::move, 1, "dismissed"));
  EXPECT_EQ(open("carol", {}), 4);
  EXPECT_EQ(open("bob", {}), 5);
}

TEST_F(IncidentActsTest, MergesThatMakeNoSenseAreRefusedWithoutATrace) {
  open("alice", {});
  open("bob", {});
  open("carol", {});
  ASSERT_TRUE(act(Act::Kind::move, 3, "dismissed"));
  const Incident before = at(1);
  for (const auto& [value, code] :
       std::vector<std::pair<std::string, Code>>{{"1", Code::invalid},
                                                 {"3", Code::not_found},
                                                 {"9", Code::not_found},
                                                 {"two", Code::not_found},
                                                 {"", Code::not_found}}) {
    const auto merged = act(Act::Kind::merge, 1, value);
    ASSERT_FALSE(merged) << value;
    EXPECT_EQ(merged.error().code, code) << value;
  }
  EXPECT_EQ(act(Act::Kind::move, 1, "merged").error().code, Code::invalid);
  EXPECT_EQ(at(1), before);
}

}  // namespace
}  // namespace mailwarden::incident
