// Types and their tasks, roles, duties, splitting, reviews, and what has to be done before closing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "incident/incident.h"
#include "incident/notice.h"
#include "incident/report.h"
#include "tests/incident/kinds.h"

namespace mailwarden::incident {
namespace {

using std::chrono::hours;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr Timestamp found_at{1'800'000'000'000'000};
const std::string hash(64, 'a');

constexpr std::string_view work_table_text = R"(
facts:
  stolen: {kind: truth}
  hosts: {kind: count}
  late: {kind: truth}
rows:
  - {name: data went, severity: 2, all_of: {stolen: true}}
  - {name: a host, severity: 1, all_of: {hosts: 1}}
)";

constexpr std::string_view procedure_text = R"(
types:
  - name: leak
    title: Data left
    facts: [stolen]
    tasks:
      - {phase: analysis, task: which data, within: 8h}
      - {phase: eradication, task: close the way}
  - {name: outage, title: Something is down, facts: [late, hosts],
     tasks: [{phase: recovery, task: bring it back}]}
  - {name: theft, title: Something is gone, tasks: [{phase: analysis, task: what was on it}]}
duties:
  - {name: authority, as: controller, to: the authority, within: 72h, facts: [stolen],
     source: GDPR Article 33(1)}
  - {name: people, as: controller, to: the people, within: 48h, facts: [stolen, late],
     severity_from: 2}
contact: privacy@example.com
)";

class WorkTest : public testing::Test {
 protected:
  WorkTest() { book_.use(std::make_shared<const Procedure>(procedure_)); }

  std::vector<Change> detect(const std::string& account,
                             std::map<std::string, std::int64_t> facts) {
    return book_
        .apply({.rule_id = "r1",
                .title = "found",
                .level = detect::Level::medium,
                .time = {1'799'990'000'000'000},
                .entity = {"account", account},
                .facts = std::move(facts)},
               table_, now_)
        .changes;
  }
  Result<std::vector<Change>> act(Act::Kind kind, const std::string& value,
                                  std::map<std::string, std::string, std::less<>> with = {},
                                  std::int64_t number = 1) {
    return book_.act({.kind = kind,
                      .incident = number,
                      .value = value,
                      .why = "because",
                      .who = "bob",
                      .with = std::move(with)},
                     table_, now_);
  }
  std::string refusal(Act::Kind kind, const std::string& value,
                      std::map<std::string, std::string, std::less<>> with = {}) {
    const auto changes = act(kind, value, std::move(with));
    return changes ? "" : changes.error().what;
  }
  void move_to_the_look_back(std::int64_t number = 1) {
    ASSERT_TRUE(act(Act::Kind::move, "analysing", {}, number));
    ASSERT_TRUE(act(Act::Kind::move, "post_incident", {}, number));
  }
  const Incident& at(std::int64_t number) { return *book_.find(number); }

  SeverityTable table_ = SeverityTable::parse(work_table_text, "t.yaml").value();
  Procedure procedure_ = Procedure::parse(procedure_text, "p.yaml", table_).value();
  IncidentBook book_{{}, 0};
  Timestamp now_ = found_at;
};

TEST_F(WorkTest, TheFirstTypeThatFitsBringsItsTasks) {
  const auto changes = detect("alice", {{"stolen", 1}, {"late", 1}});
  EXPECT_THAT(kinds(changes), ElementsAre("opened", "typed", "duty_begun", "duty_begun"));
  EXPECT_EQ(at(1).type, "leak");
  ASSERT_THAT(at(1).tasks, SizeIs(2));
  EXPECT_EQ(at(1).tasks[0], (Task{.number = 1,
                                  .phase = Phase::analysis,
                                  .title = "which data",
                                  .due = found_at + hours(8)}));
  EXPECT_EQ(at(1).tasks[1],
            (Task{.number = 2, .phase = Phase::eradication, .title = "close the way"}));
}

TEST_F(WorkTest, AFactThatIsNotOneGivesNoType) {
  detect("alice", {{"late", 0}});
  EXPECT_EQ(at(1).type, "");
  EXPECT_THAT(at(1).duties, IsEmpty());
  // One that comes later does.
  ASSERT_TRUE(act(Act::Kind::assert_fact, "hosts=2"));
  EXPECT_EQ(at(1).type, "outage");
}

TEST_F(WorkTest, ATypeOnceGivenIsAPersonsToChange) {
  detect("alice", {{"late", 1}});
  ASSERT_EQ(at(1).type, "outage");
  ASSERT_TRUE(act(Act::Kind::assert_fact, "stolen"));
  EXPECT_EQ(at(1).type, "outage");
  ASSERT_TRUE(act(Act::Kind::set_type, "leak"));
  EXPECT_EQ(at(1).type, "leak");
  EXPECT_THAT(at(1).tasks, SizeIs(3));
  EXPECT_EQ(at(1).tasks.back().number, 3);
  // What is known already is not added again.
  ASSERT_TRUE(act(Act::Kind::set_type, "outage"));
  EXPECT_THAT(at(1).tasks, SizeIs(3));
  EXPECT_THAT(refusal(Act::Kind::set_type, "outage"), HasSubstr("of that type already"));
  EXPECT_THAT(refusal(Act::Kind::set_type, "fire"), HasSubstr("there are leak, outage, theft"));
}

TEST_F(WorkTest, ADutyBeginsOnceItsFactsAndItsSeverityHold) {
  detect("alice", {{"late", 1}});
  EXPECT_THAT(at(1).duties, IsEmpty());
  now_ = found_at + hours(5);
  ASSERT_TRUE(act(Act::Kind::assert_fact, "stolen"));
  ASSERT_THAT(at(1).duties, SizeIs(2));
  EXPECT_EQ(at(1).duties.at("authority").aware, found_at + hours(5));
  EXPECT_EQ(at(1).duties.at("authority").due, found_at + hours(77));
  EXPECT_EQ(at(1).duties.at("people").due, found_at + hours(53));
}

TEST_F(WorkTest, AClockThatPassesIsToldOnce) {
  detect("alice", {{"stolen", 1}});
  const auto told = [&](Timestamp at) {
    std::vector<std::string> deadlines;
    for (const Change& change : book_.tick(at)) {
      EXPECT_EQ(change.kind, "deadline_missed");
      deadlines.push_back(*change.after.find("deadline")->second.as_string());
    }
    return deadlines;
  };
  EXPECT_THAT(told(found_at + hours(8) - Duration(1)), IsEmpty());
  EXPECT_THAT(told(found_at + hours(8)), ElementsAre("task 1"));
  EXPECT_THAT(told(found_at + hours(48)), ElementsAre("duty people"));
  EXPECT_THAT(told(found_at + hours(72)), ElementsAre("duty authority"));
  EXPECT_THAT(told(found_at + hours(1000)), IsEmpty());
  EXPECT_TRUE(at(1).duties.at("authority").missed);
}

TEST_F(WorkTest, TheFirstNoticeStopsTheClockAndTheLastMeetsTheDuty) {
  detect("alice", {{"stolen", 1}});
  now_ = found_at + hours(10);
  ASSERT_TRUE(
      act(Act::Kind::send_notice, "authority",
          {{"to", "the authority of Berlin"}, {"how", "portal, 2026-17"}, {"sha256", hash}}));
  EXPECT_EQ(at(1).duties.at("authority").state, Duty::State::pending);
  for (const Change& change : book_.tick(found_at + hours(100))) {
    EXPECT_NE(*change.after.find("deadline")->second.as_string(), "duty authority");
  }
  now_ = found_at + hours(200);
  ASSERT_TRUE(act(Act::Kind::send_notice, "authority",
                  {{"to", "the authority of Berlin"}, {"sha256", hash}, {"last", "true"}}));
  const Duty& duty = at(1).duties.at("authority");
  EXPECT_EQ(duty.state, Duty::State::met);
  ASSERT_THAT(duty.notices, SizeIs(2));
  EXPECT_EQ(duty.notices[0], (Notice{.sent = found_at + hours(10),
                                     .to = "the authority of Berlin",
                                     .how = "portal, 2026-17",
                                     .sha256 = hash,
                                     .is_last = false,
                                     .who = "bob"}));
  EXPECT_FALSE(duty.missed);
}

TEST_F(WorkTest, NoticesThatAreWrongAreRefused) {
  detect("alice", {{"stolen", 1}});
  const auto notice = Act::Kind::send_notice;
  EXPECT_THAT(refusal(notice, "king", {{"to", "x"}, {"sha256", hash}}),
              HasSubstr("no duty 'king'"));
  EXPECT_THAT(refusal(notice, "authority", {{"sha256", hash}}), HasSubstr("who was notified"));
  EXPECT_THAT(refusal(notice, "authority", {{"to", "x"}, {"sha256", "abc"}}),
              HasSubstr("64 digits"));
  EXPECT_THAT(refusal(notice, "authority",
                      {{"to", "x"}, {"sha256", hash}, {"sent", "2100-01-01T00:00:00Z"}}),
              HasSubstr("ahead of now"));
  EXPECT_THAT(refusal(notice, "authority", {{"to", "x"}, {"sha256", hash}, {"colour", "red"}}),
              HasSubstr("'colour' is not known here"));
  EXPECT_THAT(at(1).duties.at("authority").notices, IsEmpty());
}

TEST_F(WorkTest, AwarenessIsSetBackNeverOn) {
  detect("alice", {{"stolen", 1}});
  EXPECT_THAT(
      refusal(Act::Kind::tell_aware, "authority", {{"since", to_rfc3339(found_at + hours(1))}}),
      HasSubstr("must be a time before"));
  ASSERT_TRUE(
      act(Act::Kind::tell_aware, "authority", {{"since", to_rfc3339(found_at - hours(2))}}));
  EXPECT_EQ(at(1).duties.at("authority").aware, found_at - hours(2));
  EXPECT_EQ(at(1).duties.at("authority").due, found_at + hours(70));
}

TEST_F(WorkTest, TasksAreAddedChangedAndEnded) {
  detect("alice", {});
  ASSERT_TRUE(
      act(Act::Kind::add_task, "call the bank",
          {{"phase", "containment"}, {"owner", "ann"}, {"due", to_rfc3339(found_at + hours(1))}}));
  ASSERT_TRUE(act(Act::Kind::change_task, "1", {{"owner", "ben"}}));
  EXPECT_EQ(at(1).tasks[0].owner, "ben");
  EXPECT_EQ(at(1).tasks[0].due, found_at + hours(1));
  now_ = found_at + hours(3);
  EXPECT_THAT(book_.tick(now_), SizeIs(1));
  // Another date is told of anew.
  ASSERT_TRUE(act(Act::Kind::change_task, "1", {{"due", to_rfc3339(found_at + hours(5))}}));
  EXPECT_THAT(book_.tick(found_at + hours(5)), SizeIs(1));
  ASSERT_TRUE(act(Act::Kind::end_task, "1"));
  EXPECT_EQ(at(1).tasks[0].state, Task::State::done);
  EXPECT_EQ(at(1).tasks[0].result, "because");
  EXPECT_EQ(at(1).tasks[0].ended_by, "bob");
  EXPECT_EQ(at(1).tasks[0].ended, now_);
  EXPECT_THAT(refusal(Act::Kind::end_task, "1"), HasSubstr("is done already"));
  EXPECT_THAT(refusal(Act::Kind::end_task, "7"), HasSubstr("no task 7"));
  EXPECT_THAT(refusal(Act::Kind::add_task, "x", {{"phase", "party"}}),
              HasSubstr("analysis, containment, eradication, recovery, improvement"));
  EXPECT_THAT(refusal(Act::Kind::add_task, "x", {{"due", "tomorrow"}}), HasSubstr("'due'"));
}

TEST_F(WorkTest, TasksHaveALimit) {
  detect("alice", {});
  for (std::size_t i = 0; i < WorkLimits::tasks_max; ++i) {
    ASSERT_TRUE(act(Act::Kind::add_task, "task " + std::to_string(i)));
  }
  EXPECT_THAT(refusal(Act::Kind::add_task, "one more"), HasSubstr("as many tasks"));
}

TEST_F(WorkTest, RolesAreGivenAndTakenAway) {
  detect("alice", {});
  ASSERT_TRUE(act(Act::Kind::assign_role, "lead=ann"));
  EXPECT_EQ(at(1).roles.at("lead"), "ann");
  ASSERT_TRUE(act(Act::Kind::assign_role, "lead="));
  EXPECT_THAT(at(1).roles, IsEmpty());
  EXPECT_THAT(refusal(Act::Kind::assign_role, "king=ann"), HasSubstr("lead="));
}

TEST_F(WorkTest, ASevereOneClosesWhenAllIsDone) {
  detect("alice", {{"stolen", 1}});
  move_to_the_look_back();
  const std::string why = refusal(Act::Kind::move, "closed");
  for (const char* obstacle :
       {"task 1 of the analysis is open: which data", "task 2 of the eradication is open",
        "the duty 'authority' is neither met nor waived", "nothing of causes",
        "nothing of went_well", "nothing of lessons", "no improvement"}) {
    EXPECT_THAT(why, HasSubstr(obstacle));
  }
  ASSERT_TRUE(act(Act::Kind::end_task, "1"));
  ASSERT_TRUE(act(Act::Kind::end_task, "2", {{"state", "dropped"}}));
  ASSERT_TRUE(act(Act::Kind::waive_duty, "authority"));
  ASSERT_TRUE(
      act(Act::Kind::send_notice, "people", {{"to", "all"}, {"sha256", hash}, {"last", "true"}}));
  for (const std::string_view part : review_parts) {
    ASSERT_TRUE(act(Act::Kind::remark, std::string(part)));
  }
  ASSERT_TRUE(act(Act::Kind::add_task, "train everybody", {{"phase", "improvement"}}));
  EXPECT_THAT(refusal(Act::Kind::move, "closed"),
              AllOf(HasSubstr("task 3 of the improvement is open"),
                    HasSubstr("improvement 3 has no owner or no date"), Not(HasSubstr("causes"))));
  ASSERT_TRUE(act(Act::Kind::change_task, "3",
                  {{"owner", "ann"}, {"due", to_rfc3339(found_at + hours(700))}}));
  ASSERT_TRUE(act(Act::Kind::end_task, "3"));
  EXPECT_EQ(refusal(Act::Kind::move, "closed"), "");
  EXPECT_EQ(at(1).state, State::closed);
}

TEST_F(WorkTest, ALighterOneNeedsNoReview) {
  detect("alice", {});
  move_to_the_look_back();
  EXPECT_EQ(refusal(Act::Kind::move, "closed"), "");
}

// Otherwise whoever lowers a severity would be rid of the review.
TEST_F(WorkTest, ALoweredOneStillNeedsIts) {
  detect("alice", {{"stolen", 1}});
  ASSERT_TRUE(act(Act::Kind::lower_severity, "0"));
  move_to_the_look_back();
  EXPECT_THAT(refusal(Act::Kind::move, "closed"), HasSubstr("nothing of causes"));
}

TEST_F(WorkTest, DutiesOutliveADismissal) {
  detect("alice", {{"stolen", 1}});
  EXPECT_THAT(refusal(Act::Kind::move, "dismissed"), HasSubstr("the duty 'authority'"));
  ASSERT_TRUE(act(Act::Kind::waive_duty, "authority"));
  ASSERT_TRUE(act(Act::Kind::waive_duty, "people"));
  EXPECT_EQ(refusal(Act::Kind::move, "dismissed"), "");
}

TEST_F(WorkTest, WhatIsMergedTakesItsWorkAlong) {
  detect("alice", {{"stolen", 1}});
  now_ = found_at + hours(3);
  detect("bob", {{"stolen", 1}});
  ASSERT_TRUE(act(Act::Kind::add_task, "only here"));
  ASSERT_TRUE(act(Act::Kind::assign_role, "lead=ann"));
  ASSERT_TRUE(act(Act::Kind::remark, "causes"));
  ASSERT_TRUE(act(Act::Kind::merge, "2"));
  const Incident& into = at(2);
  ASSERT_THAT(into.tasks, SizeIs(3));
  EXPECT_EQ(into.tasks[2].title, "only here");
  EXPECT_EQ(into.tasks[2].number, 3);
  EXPECT_EQ(into.roles.at("lead"), "ann");
  EXPECT_THAT(into.remarks.at("causes"), SizeIs(1));
  // Whoever knew of the one knew of both.
  EXPECT_EQ(into.duties.at("authority").aware, found_at);
  EXPECT_EQ(into.duties.at("authority").due, found_at + hours(72));
}

TEST_F(WorkTest, WhatWasMergedIsSplitOffAgain) {
  detect("alice", {{"hosts", 3}});
  detect("bob", {{"stolen", 1}});
  ASSERT_TRUE(act(Act::Kind::merge, "2"));
  EXPECT_THAT(at(2).others, SizeIs(1));
  const auto changes = act(Act::Kind::split, "account:alice", {{"facts", "hosts"}}, 2);
  ASSERT_TRUE(changes) << changes.error().what;
  EXPECT_THAT(kinds(*changes), ElementsAre("split", "opened", "typed"));
  EXPECT_THAT(at(2).others, IsEmpty());
  const Incident& fresh = at(3);
  EXPECT_EQ(fresh.entity, (detect::Entity{"account", "alice"}));
  EXPECT_EQ(fresh.split_from, 2);
  EXPECT_EQ(fresh.severity, Severity::medium);
  EXPECT_EQ(fresh.type, "outage");
  // What comes for it now joins it.
  detect("alice", {});
  EXPECT_EQ(at(3).detections, 1);
  EXPECT_EQ(at(2).detections, 2);
  EXPECT_FALSE(act(Act::Kind::split, "account:alice", {}, 2));
  EXPECT_FALSE(act(Act::Kind::split, "account:carol", {}, 3));
}

TEST_F(WorkTest, EvidenceIsKeptWithEverybodyWhoHadIt) {
  detect("alice", {});
  ASSERT_TRUE(act(Act::Kind::add_evidence, "the disk of web1",
                  {{"sha256", hash}, {"bytes", "512"}, {"where", "safe 3"}}));
  now_ = found_at + hours(1);
  ASSERT_TRUE(act(Act::Kind::hand_over, "1", {{"to", "the police"}, {"where", "the police"}}));
  now_ = found_at + hours(2);
  ASSERT_TRUE(act(Act::Kind::hand_over, "1", {{"to", "ann"}}));
  ASSERT_THAT(at(1).evidence, SizeIs(1));
  const Evidence& evidence = at(1).evidence[0];
  EXPECT_EQ(evidence.taken, found_at);
  EXPECT_EQ(evidence.taken_by, "bob");
  EXPECT_EQ(evidence.holder, "ann");
  EXPECT_EQ(evidence.where, "the police");
  EXPECT_THAT(
      evidence.custody,
      ElementsAre(
          Handover{
              .from = "bob", .to = "the police", .when = found_at + hours(1), .why = "because"},
          Handover{
              .from = "the police", .to = "ann", .when = found_at + hours(2), .why = "because"}));
  const auto add = Act::Kind::add_evidence;
  EXPECT_THAT(refusal(add, "x", {{"sha256", "0"}, {"bytes", "1"}, {"where", "y"}}),
              HasSubstr("64"));
  EXPECT_THAT(refusal(add, "x", {{"sha256", hash}, {"where", "y"}}), HasSubstr("'bytes'"));
  EXPECT_THAT(refusal(add, "x", {{"sha256", hash}, {"bytes", "1"}}), HasSubstr("'where'"));
  EXPECT_THAT(refusal(Act::Kind::hand_over, "2", {{"to", "ann"}}), HasSubstr("no evidence 2"));
}

TEST_F(WorkTest, IsTheSameBehindItsJson) {
  detect("alice", {{"stolen", 1}});
  ASSERT_TRUE(act(Act::Kind::add_evidence, "the disk of web1",
                  {{"sha256", hash}, {"bytes", "512"}, {"where", "safe 3"}}));
  ASSERT_TRUE(act(Act::Kind::hand_over, "1", {{"to", "ann"}}));
  ASSERT_TRUE(
      act(Act::Kind::send_notice, "people", {{"to", "all"}, {"how", "mail"}, {"sha256", hash}}));
  ASSERT_TRUE(act(Act::Kind::waive_duty, "authority"));
  ASSERT_TRUE(act(Act::Kind::end_task, "1"));
  ASSERT_TRUE(act(Act::Kind::assign_role, "legal=ann"));
  ASSERT_TRUE(act(Act::Kind::remark, "lessons"));
  book_.tick(found_at + hours(9));
  const auto read = incident_from_json(1, json::Value(to_json(at(1))));
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(*read, at(1));
}

TEST_F(WorkTest, EveryKindOfChangeIsListed) {
  std::vector<Change> all = detect("alice", {{"stolen", 1}});
  const auto take = [&](const Result<std::vector<Change>>& changes) {
    ASSERT_TRUE(changes) << changes.error().what;
    all.insert(all.end(), changes->begin(), changes->end());
  };
  take(act(Act::Kind::assign_role, "legal=ann"));
  take(act(Act::Kind::add_task, "x"));
  take(act(Act::Kind::change_task, "3", {{"owner", "ann"}}));
  take(act(Act::Kind::end_task, "3"));
  take(act(Act::Kind::remark, "lessons"));
  take(act(Act::Kind::tell_aware, "people", {{"since", to_rfc3339(found_at - hours(2))}}));
  take(act(Act::Kind::add_evidence, "x", {{"sha256", hash}, {"bytes", "1"}, {"where", "y"}}));
  take(act(Act::Kind::hand_over, "1", {{"to", "ann"}}));
  take(act(Act::Kind::waive_duty, "people"));
  take(act(Act::Kind::send_notice, "authority", {{"to", "all"}, {"sha256", hash}}));
  for (const Change& change : all) {
    EXPECT_TRUE(std::ranges::find(change_kinds, change.kind) != change_kinds.end()) << change.kind;
  }
}

TEST_F(WorkTest, ANoticeHasItsFourPartsAndSaysWhatIsMissing) {
  detect("alice", {{"stolen", 1}});
  const DutyRule& duty = *procedure_.find_duty("authority");
  const std::string first = draft_notice(at(1), duty, procedure_, {}, found_at + hours(1));
  EXPECT_THAT(first, AllOf(HasSubstr("to the authority"), HasSubstr("GDPR Article 33(1)"),
                           HasSubstr("1. Nature of the breach\n  found\n"),
                           HasSubstr("2. Contact for more information\n  privacy@example.com\n"),
                           HasSubstr("3. Likely consequences\n  Not known yet; this follows"),
                           HasSubstr("4. Measures taken or proposed\n  Not known yet"),
                           Not(HasSubstr("is late"))));
  ASSERT_TRUE(act(Act::Kind::remark, "consequences"));
  ASSERT_TRUE(act(Act::Kind::end_task, "1"));
  const std::string later = draft_notice(at(1), duty, procedure_, {}, found_at + hours(80));
  EXPECT_THAT(later, AllOf(HasSubstr("3. Likely consequences\n  because\n"),
                           HasSubstr("which data (2027-01-15): because"), HasSubstr("is late")));
}

TEST_F(WorkTest, AReportIsADetectionOfItsOwn) {
  const auto read = [&](const Report& report) {
    return to_detection(report, table_, procedure_, found_at);
  };
  const auto found = read({.title = "My laptop is gone",
                           .what = "Left it on the train",
                           .type = "theft",
                           .entity = "account:alice",
                           .facts = {"stolen", "hosts=2"},
                           .who = "alice"});
  ASSERT_TRUE(found) << found.error().what;
  EXPECT_EQ(found->entity, (detect::Entity{"account", "alice"}));
  EXPECT_EQ(found->facts, (std::map<std::string, std::int64_t>{{"hosts", 2}, {"stolen", 1}}));
  EXPECT_EQ(found->level, detect::Level::critical);
  // Without an entity each report is its own.
  const auto one = read({.title = "x", .who = "alice"});
  const auto other =
      to_detection({.title = "x", .who = "alice"}, table_, procedure_, found_at + Duration(1));
  ASSERT_TRUE(one && other);
  EXPECT_NE(one->entity, other->entity);

  EXPECT_FALSE(read({.title = "x"}));
  EXPECT_FALSE(read({.who = "alice"}));
  EXPECT_FALSE(read({.title = "x", .type = "fire", .who = "alice"}));
  EXPECT_FALSE(read({.title = "x", .entity = "alice", .who = "alice"}));
  EXPECT_FALSE(read({.title = "x", .facts = {"unheard"}, .who = "alice"}));
  EXPECT_FALSE(
      read({.title = "x", .what = std::string(Report::text_bytes_max + 1, 'x'), .who = "alice"}));
}

}  // namespace
}  // namespace mailwarden::incident
