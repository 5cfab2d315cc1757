#include "incident/incident.h"

#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/incident/kinds.h"

namespace mailwarden::incident {
namespace {

using std::chrono::hours;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr Timestamp now{1'800'000'000'000'000};
constexpr Timestamp event{1'790'000'000'000'000};
constexpr Duration instant{1};
const detect::Entity alice{"account", "alice"};

constexpr std::string_view table_text = R"(
facts:
  stolen: {kind: truth}
  seen: {kind: truth}
  hosts: {kind: count}
  services: {kind: words, words: [none, degraded, down]}
rows:
  - {name: everything, severity: 3, all_of: {stolen: true, hosts: 5}}
  - {name: data went, severity: 2, all_of: {stolen: true}}
  - {name: several hosts, severity: 1, all_of: {hosts: 3}}
service_levels:
  - {severity: 3, acknowledge: 5m, contain: 1h, resolve: 1d}
  - {severity: 2, acknowledge: 10m, contain: 2h, resolve: 2d}
  - {severity: 1, acknowledge: 1h, resolve: 4d}
)";

using Worths = std::map<std::string, std::int64_t>;

detect::Detection detection(const std::string& rule, Timestamp time, Worths facts = {},
                            detect::Level level = detect::Level::medium) {
  return {.rule_id = rule,
          .title = "title of " + rule,
          .level = level,
          .time = time,
          .entity = alice,
          .facts = std::move(facts)};
}

class IncidentBookTest : public testing::Test {
 protected:
  IncidentBook::Applied apply(const detect::Detection& detection, Timestamp at = now) {
    return book_.apply(detection, table_, at);
  }
  Result<std::vector<Change>> act(Act::Kind kind, const std::string& value,
                                  const std::string& why = "because", std::int64_t number = 1,
                                  const std::string& who = "bob") {
    return book_.act({.kind = kind, .incident = number, .value = value, .why = why, .who = who},
                     table_, now + instant);
  }
  const Incident& incident(std::int64_t number = 1) { return *book_.find(number); }

  SeverityTable table_ = SeverityTable::parse(table_text, "t.yaml").value();
  IncidentBook book_{{}, 0};
};

TEST_F(IncidentBookTest, TheFirstDetectionOpensAnIncident) {
  const auto applied = apply(detection("r1", event, {{"hosts", 3}}, detect::Level::high));
  EXPECT_EQ(applied.incident, 1);
  ASSERT_EQ(applied.changes.size(), 1U);
  const Change& change = applied.changes[0];
  EXPECT_EQ(change.kind, "opened");
  EXPECT_EQ(change.incident, 1);
  EXPECT_EQ(change.sequence, 1);
  EXPECT_EQ(change.when, now);
  EXPECT_EQ(change.who, "mailwarden");
  EXPECT_THAT(change.why, HasSubstr("title of r1"));
  EXPECT_THAT(change.why, HasSubstr("several hosts"));
  EXPECT_THAT(change.why, HasSubstr("hosts=3"));
  const Incident expected{
      .number = 1,
      .title = "title of r1",
      .level = detect::Level::high,
      .entity = alice,
      .state = State::detected,
      .severity = Severity::medium,
      .row = "several hosts",
      .because = {"hosts=3"},
      .facts = {{"hosts", 3}},
      .opened = now,
      .changed = now,
      .first_event = event,
      .last_event = event,
      .detections = 1,
      .rules = {"r1"},
      .changes = 1,
      .graded = now,
      .deadlines = {{"acknowledge", {now + hours(1)}}, {"resolve", {now + hours(96)}}},
      .named = {alice}};
  EXPECT_EQ(incident(), expected);
}

TEST_F(IncidentBookTest, NumbersGoOnAfterTheGreatestEverGiven) {
  IncidentBook book({}, 41);
  EXPECT_EQ(book.apply(detection("r1", event), table_, now).incident, 42);
  EXPECT_EQ(book.find(41), nullptr);
}

TEST_F(IncidentBookTest, ALowLevelOpensNothingButJoins) {
  const auto alone = apply(detection("r1", event, {}, detect::Level::low));
  EXPECT_EQ(alone.incident, 0);
  EXPECT_THAT(alone.changes, IsEmpty());
  EXPECT_EQ(apply(detection("r2", event)).incident, 1);
  EXPECT_EQ(apply(detection("r1", event, {}, detect::Level::low)).incident, 1);
  EXPECT_EQ(incident().detections, 2);
}

struct Near {
  std::string name;
  Duration offset;  // from the first event
  std::int64_t incident;
};

class GroupingWindow : public IncidentBookTest, public testing::WithParamInterface<Near> {};

TEST_P(GroupingWindow, JoinsEventsWithinFourHours) {
  apply(detection("r1", event));
  EXPECT_EQ(apply(detection("r1", event + GetParam().offset)).incident, GetParam().incident);
}

INSTANTIATE_TEST_SUITE_P(, GroupingWindow,
                         testing::Values(Near{"TheSameMoment", {}, 1},
                                         Near{"JustInside", hours(4) - instant, 1},
                                         Near{"JustOutside", hours(4) + instant, 2},
                                         Near{"EarlierInside", instant - hours(4), 1},
                                         Near{"EarlierOutside", -hours(4) - instant, 2}),
                         [](const auto& tested) { return tested.param.name; });

TEST_F(IncidentBookTest, TheWindowMovesWithTheEvents) {
  for (int i = 0; i < 4; ++i) EXPECT_EQ(apply(detection("r1", event + i * hours(3))).incident, 1);
  EXPECT_EQ(incident().first_event, event);
  EXPECT_EQ(incident().last_event, event + hours(9));
  EXPECT_EQ(apply(detection("r1", event - hours(3))).incident, 1);
  EXPECT_EQ(incident().first_event, event - hours(3));
  EXPECT_EQ(incident().last_event, event + hours(9));
}

TEST_F(IncidentBookTest, EveryEntityHasItsOwnIncident) {
  auto other = detection("r1", event);
  other.entity = {"address", "alice"};
  EXPECT_EQ(apply(detection("r1", event)).incident, 1);
  EXPECT_EQ(apply(other).incident, 2);
  EXPECT_EQ(apply(detection("r1", event)).incident, 1);
}

TEST_F(IncidentBookTest, WhatIsAboutNobodyIsGroupedByItsRule) {
  auto first = detection("r1", event);
  first.entity = {};
  auto second = detection("r2", event);
  second.entity = {};
  EXPECT_EQ(apply(first).incident, 1);
  EXPECT_EQ(apply(second).incident, 2);
  EXPECT_EQ(apply(first).incident, 1);
}

TEST_F(IncidentBookTest, AnotherRuleJoinsOnceAndTheGravestGivesTheTitle) {
  apply(detection("r1", event));
  const auto graver = apply(detection("r2", event, {}, detect::Level::critical));
  EXPECT_THAT(kinds(graver.changes), ElementsAre("rule_joined"));
  EXPECT_EQ(graver.changes[0].sequence, 2);
  EXPECT_EQ(incident().title, "title of r2");
  EXPECT_EQ(incident().level, detect::Level::critical);
  const auto milder = apply(detection("r3", event, {}, detect::Level::high));
  EXPECT_THAT(kinds(milder.changes), ElementsAre("rule_joined"));
  EXPECT_EQ(incident().title, "title of r2");
  EXPECT_THAT(incident().rules, ElementsAre("r1", "r2", "r3"));
  EXPECT_THAT(apply(detection("r2", event)).changes,
              testing::Not(testing::Contains(testing::Field(&Change::kind, "rule_joined"))));
}

TEST_F(IncidentBookTest, ChangesGrowWithTheLogarithmOfTheDetections) {
  apply(detection("r1", event));
  std::vector<std::int64_t> doubled;
  for (int i = 2; i <= 1000; ++i) {
    for (const Change& change : apply(detection("r1", event)).changes) {
      EXPECT_EQ(change.kind, "detections_doubled");
      doubled.push_back(incident().detections);
    }
  }
  EXPECT_THAT(doubled, ElementsAre(2, 4, 8, 16, 32, 64, 128, 256, 512));
  EXPECT_EQ(incident().detections, 1000);
  EXPECT_EQ(incident().changes, 10);
}

TEST_F(IncidentBookTest, RaisedFactsRaiseTheSeverity) {
  apply(detection("r1", event, {{"hosts", 1}}));
  EXPECT_EQ(incident().severity, Severity::low);
  const auto applied = apply(detection("r2", event, {{"stolen", 1}}), now + hours(1));
  EXPECT_THAT(kinds(applied.changes),
              ElementsAre("rule_joined", "facts_changed", "severity_raised"));
  EXPECT_EQ(applied.changes[1].before, (json::Object{{"facts", json::Object{{"hosts", 1}}}}));
  EXPECT_EQ(applied.changes[1].after,
            (json::Object{{"facts", json::Object{{"hosts", 1}, {"stolen", 1}}}}));
  EXPECT_EQ(applied.changes[2].before, (json::Object{{"severity", 0}}));
  EXPECT_EQ(applied.changes[2].after, (json::Object{{"severity", 2}}));
  EXPECT_THAT(applied.changes[2].why, HasSubstr("data went"));
  EXPECT_EQ(incident().severity, Severity::high);
  EXPECT_EQ(incident().row, "data went");
  EXPECT_THAT(incident().because, ElementsAre("stolen"));
  EXPECT_EQ(incident().changed, now + hours(1));
}

TEST_F(IncidentBookTest, AFactNeverShrinks) {
  apply(detection("r1", event, {{"hosts", 4}}));
  EXPECT_THAT(apply(detection("r2", event, {{"hosts", 2}})).changes.size(), 1U);
  EXPECT_EQ(incident().facts, (Facts{{"hosts", 4}}));
  EXPECT_EQ(incident().severity, Severity::medium);
  apply(detection("r2", event, {{"hosts", 6}}));
  EXPECT_EQ(incident().facts, (Facts{{"hosts", 6}}));
}

// From the manual page of the module; the last three rows are over.
TEST(State, FollowsTheManualPage) {
  constexpr std::array<std::string_view, 9> names{"detected",    "analysing",  "contained",
                                                  "eradicating", "recovering", "post_incident",
                                                  "closed",      "dismissed",  "merged"};
  // y: may follow, n: may not, in the order of `names`.
  constexpr std::array<std::string_view, 9> may{"nynnnnnyy", "nnyyyynyy", "nynyyynyy",
                                                "nynnyynyy", "nynnnynyy", "nnnnnnyyy",
                                                "nnnnnnnnn", "nnnnnnnnn", "nnnnnnnnn"};
  for (std::size_t from = 0; from < names.size(); ++from) {
    const auto state = parse_state(names[from]);
    ASSERT_TRUE(state) << names[from];
    EXPECT_EQ(to_string(*state), names[from]);
    EXPECT_EQ(is_over(*state), from >= 6) << names[from];
    for (std::size_t to = 0; to < names.size(); ++to) {
      EXPECT_EQ(may_follow(*state, *parse_state(names[to])), may[from][to] == 'y')
          << names[from] << " to " << names[to];
    }
  }
  EXPECT_FALSE(parse_state("Closed"));
  EXPECT_FALSE(parse_state(""));
}

// Every pair of states through act(): the book must agree with may_follow() and tell what it did.
// Merging has an act of its own.
TEST_F(IncidentBookTest, EveryMoveIsAllowedOrRefusedWithoutATrace) {
  for (int from = 0; from <= static_cast<int>(State::merged); ++from) {
    for (int to = 0; to <= static_cast<int>(State::dismissed); ++to) {
      const State begin = static_cast<State>(from);
      const State end = static_cast<State>(to);
      SCOPED_TRACE(std::string(to_string(begin)) + " to " + std::string(to_string(end)));
      const Incident kept{
          .number = 1, .entity = alice, .state = begin, .changes = 7, .acknowledged = now};
      IncidentBook book({kept}, 1);
      const auto changes = book.act({.kind = Act::Kind::move,
                                     .incident = 1,
                                     .value = std::string(to_string(end)),
                                     .why = "a reason",
                                     .who = "bob"},
                                    table_, now);
      if (!may_follow(begin, end)) {
        ASSERT_FALSE(changes);
        EXPECT_EQ(changes.error().code, is_over(begin) ? Code::not_found : Code::conflict);
        EXPECT_EQ(*book.find(1), kept);
        continue;
      }
      ASSERT_TRUE(changes) << changes.error().what;
      ASSERT_EQ(changes->size(), 1U);
      const Change& change = changes->front();
      EXPECT_EQ(change.kind, "state_changed");
      EXPECT_EQ(change.sequence, 8);
      EXPECT_EQ(change.before, (json::Object{{"state", to_string(begin)}}));
      EXPECT_EQ(change.after, (json::Object{{"state", to_string(end)}}));
      EXPECT_EQ(change.why, "a reason");
      EXPECT_EQ(change.who, "bob");
      EXPECT_EQ(book.find(1)->state, end);
    }
  }
}

TEST_F(IncidentBookTest, AnIncidentThatIsOverStaysOverAndANewOneOpens) {
  for (const std::string end : {"dismissed", "closed"}) {
    SCOPED_TRACE(end);
    const std::int64_t number = apply(detection("r1", event)).incident;
    if (end == "closed") {
      for (const std::string state : {"analysing", "post_incident"}) {
        ASSERT_TRUE(act(Act::Kind::move, state, "because", number));
      }
    }
    ASSERT_TRUE(act(Act::Kind::move, end, "because", number));
    const Incident over = incident(number);
    EXPECT_EQ(apply(detection("r1", event)).incident, number + 1);
    for (const Act::Kind kind : {Act::Kind::move, Act::Kind::assign, Act::Kind::note}) {
      EXPECT_FALSE(act(kind, "analysing", "because", number));
    }
    EXPECT_EQ(incident(number), over);
    ASSERT_TRUE(act(Act::Kind::move, "dismissed", "because", number + 1));
  }
}

TEST_F(IncidentBookTest, OpenIncidentsAreTakenUpAfterARestart) {
  apply(detection("r1", event));
  IncidentBook next({incident()}, 1);
  const auto applied = next.apply(detection("r2", event), table_, now);
  EXPECT_EQ(applied.incident, 1);
  EXPECT_THAT(kinds(applied.changes), ElementsAre("rule_joined"));
  EXPECT_EQ(applied.changes[0].sequence, 2);
}

TEST_F(IncidentBookTest, APersonAssertsFacts) {
  apply(detection("r1", event));
  const auto truth = act(Act::Kind::assert_fact, "stolen", "the file was found");
  ASSERT_TRUE(truth) << truth.error().what;
  EXPECT_THAT(kinds(*truth), ElementsAre("facts_changed", "severity_raised"));
  EXPECT_EQ((*truth)[0].why, "the file was found");
  for (const Change& change : *truth) EXPECT_EQ(change.who, "bob");
  EXPECT_EQ(incident().severity, Severity::high);
  ASSERT_TRUE(act(Act::Kind::assert_fact, "services=degraded"));
  ASSERT_TRUE(act(Act::Kind::assert_fact, "hosts=5"));
  EXPECT_EQ(incident().facts, (Facts{{"hosts", 5}, {"services", 1}, {"stolen", 1}}));
  EXPECT_EQ(incident().severity, Severity::extreme);
}

TEST_F(IncidentBookTest, APersonLowersASeverityAndTheReasonIsKept) {
  apply(detection("r1", event, {{"stolen", 1}}));
  const auto lowered = act(Act::Kind::lower_severity, "1", "the data was public already");
  ASSERT_TRUE(lowered) << lowered.error().what;
  ASSERT_THAT(kinds(*lowered), ElementsAre("severity_lowered"));
  EXPECT_EQ(lowered->front().before, (json::Object{{"severity", 2}}));
  EXPECT_EQ(lowered->front().after, (json::Object{{"severity", 1}}));
  EXPECT_EQ(lowered->front().why, "the data was public already");
  EXPECT_EQ(lowered->front().who, "bob");
  EXPECT_EQ(incident().severity, Severity::medium);
  // The same facts once more say nothing new.
  apply(detection("r1", event, {{"stolen", 1}}));
  EXPECT_EQ(incident().severity, Severity::medium);
  // What was not known then may raise it again.
  apply(detection("r1", event, {{"hosts", 5}}));
  EXPECT_EQ(incident().severity, Severity::extreme);
}

TEST_F(IncidentBookTest, AFactThatSaysNoMoreThanWasOverruledRaisesNothing) {
  apply(detection("r1", event, {{"stolen", 1}}));
  ASSERT_TRUE(act(Act::Kind::lower_severity, "0", "the data was public already"));
  apply(detection("r1", event, {{"seen", 1}}));
  EXPECT_EQ(incident().severity, Severity::low);
  apply(detection("r1", event, {{"hosts", 3}}));
  EXPECT_EQ(incident().severity, Severity::low) << "medium is less than what was overruled";
}

TEST_F(IncidentBookTest, APersonAssignsAndNotes) {
  apply(detection("r1", event));
  const auto assigned = act(Act::Kind::assign, "carol", "she is on duty");
  ASSERT_TRUE(assigned);
  ASSERT_THAT(kinds(*assigned), ElementsAre("assigned"));
  EXPECT_EQ(assigned->front().before, (json::Object{{"assignee", ""}}));
  EXPECT_EQ(assigned->front().after, (json::Object{{"assignee", "carol"}}));
  EXPECT_EQ(incident().assignee, "carol");
  const auto noted = act(Act::Kind::note, "", "asked the user; no answer yet");
  ASSERT_TRUE(noted);
  ASSERT_THAT(kinds(*noted), ElementsAre("noted"));
  EXPECT_EQ(noted->front().why, "asked the user; no answer yet");
  EXPECT_EQ(noted->front().sequence, 3);
  EXPECT_EQ(incident().changes, 3);
  EXPECT_EQ(incident().changed, now + instant);
}

struct Refused {
  std::string name;
  Act act;
  Code code;
};

class RefusedAct : public IncidentBookTest, public testing::WithParamInterface<Refused> {};

TEST_P(RefusedAct, LeavesTheIncidentAsItWas) {
  apply(detection("r1", event, {{"hosts", 3}}));
  const Incident before = incident();
  const auto done = book_.act(GetParam().act, table_, now + hours(1));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, GetParam().code) << done.error().what;
  EXPECT_EQ(incident(), before);
}

using Kind = Act::Kind;

INSTANTIATE_TEST_SUITE_P(
    , RefusedAct,
    testing::Values(
        Refused{"AnUnknownIncident", {Kind::note, 2, "", "why", "bob"}, Code::not_found},
        Refused{"ANoteByNobody", {Kind::note, 1, "", "why", ""}, Code::denied},
        Refused{"AMoveByNobody", {Kind::move, 1, "analysing", "why", ""}, Code::denied},
        Refused{"LoweringByNobody", {Kind::lower_severity, 1, "0", "why", ""}, Code::denied},
        Refused{"LoweringWithoutReason", {Kind::lower_severity, 1, "0", "", "bob"}, Code::denied},
        Refused{"AReasonTooLong",
                {Kind::lower_severity, 1, "0", std::string(4097, 'x'), "bob"},
                Code::denied},
        Refused{"LoweringToTheSame", {Kind::lower_severity, 1, "1", "why", "bob"}, Code::invalid},
        Refused{"LoweringUpwards", {Kind::lower_severity, 1, "2", "why", "bob"}, Code::invalid},
        Refused{"LoweringBelowAll", {Kind::lower_severity, 1, "-1", "why", "bob"}, Code::invalid},
        Refused{"LoweringToAWord", {Kind::lower_severity, 1, "Low", "why", "bob"}, Code::invalid},
        Refused{"AnUnknownState", {Kind::move, 1, "finished", "why", "bob"}, Code::invalid},
        Refused{"AnUnknownFact", {Kind::assert_fact, 1, "none=1", "why", "bob"}, Code::invalid},
        Refused{"NoFact", {Kind::assert_fact, 1, "", "why", "bob"}, Code::invalid},
        Refused{"AnUnknownWord", {Kind::assert_fact, 1, "services=2", "why", "bob"}, Code::invalid},
        Refused{"ANegativeCount", {Kind::assert_fact, 1, "hosts=-1", "why", "bob"}, Code::invalid},
        Refused{"ACountWithoutOne", {Kind::assert_fact, 1, "hosts", "why", "bob"}, Code::invalid}),
    [](const auto& tested) { return tested.param.name; });

TEST_F(IncidentBookTest, AReasonOfTheGreatestLengthIsTaken) {
  apply(detection("r1", event));
  EXPECT_TRUE(act(Act::Kind::note, "", std::string(4096, 'x')));
}

}  // namespace
}  // namespace mailwarden::incident
