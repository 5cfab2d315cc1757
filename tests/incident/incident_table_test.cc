#include "incident/incident_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/db/store.h"

namespace mailwarden::incident {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr Timestamp stored_at{1'800'000'000'000'000};
constexpr Duration second{1'000'000};

// Every field differs from its default, and the texts hold what SQL and JSON escape.
Incident full(std::int64_t number) {
  return {.number = number,
          .title = "it's a \"title\"; DROP TABLE incident -- \n\x01 \xC3\xA9",
          .level = detect::Level::critical,
          .entity = {"account", "alice\\'; --"},
          .state = State::recovering,
          .severity = Severity::high,
          .row = "a row",
          .because = {"hosts=3", "stolen"},
          .facts = {{"hosts", 3}, {"large", INT64_MAX}, {"none", 0}},
          .opened = stored_at + Duration(1),
          .changed = stored_at + Duration(2),
          .first_event = stored_at - Duration(3),
          .last_event = stored_at - Duration(2),
          .detections = 12,
          .rules = {"r1", "r2"},
          .assignee = "carol",
          .changes = 9,
          .graded = stored_at + Duration(4),
          .acknowledged = stored_at + Duration(5),
          .acknowledged_by = "carol's \"deputy\"",
          .contained = stored_at + Duration(6),
          .resolved = stored_at + Duration(7),
          .deadlines = {{"acknowledge", {stored_at + Duration(8), true}}, {"contain", {stored_at}}},
          .merged_into = 12,
          .absorbed = {3, 5},
          .others = {{"account", "dave"}, {"address", "2001:db8::1"}},
          .narrowed = {{"host", "mail1"}, {"campaign", "spring"}},
          .gathered = {7, 9},
          .named = {{"account", "erin"}},
          .related = {{4, "the same account, by 'x'"}}};
}

Incident plain(std::int64_t number, State state, Severity severity) {
  return {.number = number,
          .state = state,
          .severity = severity,
          .opened = stored_at,
          .changed = stored_at};
}

std::vector<std::int64_t> numbers(const Result<std::vector<Incident>>& incidents) {
  std::vector<std::int64_t> found;
  for (const Incident& incident : incidents.value()) found.push_back(incident.number);
  return found;
}

class IncidentTableTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(db::migrate(*database_, migrations(), stored_at)); }
  void store(const Incident& incident) { ASSERT_TRUE(store_incident(*database_, incident)); }

  std::unique_ptr<db::Database> database_ = fresh_store();
};

TEST_F(IncidentTableTest, AnIncidentComesBackAsItWas) {
  store(full(1));
  const auto loaded = load_incident(*database_, 1);
  ASSERT_TRUE(loaded) << loaded.error().what;
  EXPECT_EQ(*loaded, full(1));
}

TEST_F(IncidentTableTest, EveryStateSeverityAndLevelComesBack) {
  for (int state = 0; state <= static_cast<int>(State::merged); ++state) {
    for (int other = 0; other <= 4; ++other) {
      Incident incident =
          plain(1, static_cast<State>(state), static_cast<Severity>(std::min(other, 3)));
      incident.level = static_cast<detect::Level>(other);
      store(incident);
      EXPECT_EQ(load_incident(*database_, 1).value(), incident);
    }
  }
}

TEST_F(IncidentTableTest, StoringAgainKeepsTheNewestStanding) {
  store(full(1));
  Incident next = full(1);
  next.state = State::dismissed;
  next.severity = Severity::low;
  next.changed = stored_at + second;
  next.detections = 13;
  store(next);
  EXPECT_EQ(load_incident(*database_, 1).value(), next);
  EXPECT_EQ(count_incidents(*database_)->total, 1);
  EXPECT_EQ(count_incidents(*database_)->open, 0);
  IncidentQuery dismissed;
  dismissed.state = State::dismissed;
  EXPECT_THAT(numbers(query_incidents(*database_, dismissed)), ElementsAre(1));
}

TEST_F(IncidentTableTest, AnEmptyStoreHasNothing) {
  EXPECT_EQ(last_incident_number(*database_).value(), 0);
  EXPECT_EQ(load_incident(*database_, 1).error().code, Code::not_found);
  EXPECT_THAT(load_open_incidents(*database_).value(), IsEmpty());
  EXPECT_THAT(load_changes(*database_, 1).value(), IsEmpty());
  EXPECT_THAT(query_incidents(*database_, {}).value(), IsEmpty());
  EXPECT_EQ(count_incidents(*database_)->total, 0);
}

TEST_F(IncidentTableTest, OnlyWhatIsNotOverIsOpen) {
  for (int state = 0; state <= static_cast<int>(State::merged); ++state) {
    store(plain(state + 1, static_cast<State>(state), Severity::low));
  }
  EXPECT_THAT(numbers(load_open_incidents(*database_)), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_EQ(last_incident_number(*database_).value(), 9);
  EXPECT_EQ(count_incidents(*database_)->total, 9);
  EXPECT_EQ(count_incidents(*database_)->open, 6);
}

TEST_F(IncidentTableTest, ABookGoesOnWithWhatWasStored) {
  store(full(1));
  IncidentBook book(load_open_incidents(*database_).value(),
                    last_incident_number(*database_).value());
  ASSERT_NE(book.find(1), nullptr);
  EXPECT_EQ(*book.find(1), full(1));
}

TEST_F(IncidentTableTest, QueriesTakeNewestFirstAndFilter) {
  for (std::int64_t number = 1; number <= 8; ++number) {
    store(plain(number, number % 2 == 0 ? State::analysing : State::detected,
                number <= 4 ? Severity::low : Severity::extreme));
  }
  EXPECT_THAT(numbers(query_incidents(*database_, {})), ElementsAre(8, 7, 6, 5, 4, 3, 2, 1));
  EXPECT_THAT(numbers(query_incidents(*database_, {.before = 5, .limit = 2})), ElementsAre(4, 3));
  EXPECT_THAT(numbers(query_incidents(*database_, {.severity = Severity::low})),
              ElementsAre(4, 3, 2, 1));
  EXPECT_THAT(numbers(query_incidents(*database_, {.state = State::analysing})),
              ElementsAre(8, 6, 4, 2));
  EXPECT_THAT(
      numbers(query_incidents(
          *database_, {.before = 8, .severity = Severity::extreme, .state = State::analysing})),
      ElementsAre(6));
}

TEST_F(IncidentTableTest, SimilarOnesAreOthersAboutTheSame) {
  const auto about = [](std::int64_t number, const std::string& kind, const std::string& name) {
    Incident incident = plain(number, State::closed, Severity::low);
    incident.entity = {kind, name};
    return incident;
  };
  for (const std::int64_t number : {1, 3, 4}) store(about(number, "account", "alice"));
  store(about(2, "account", "bob"));
  store(about(5, "address", "alice"));
  EXPECT_THAT(numbers(load_similar(*database_, about(3, "account", "alice"), 10)),
              ElementsAre(4, 1));
  EXPECT_THAT(numbers(load_similar(*database_, about(3, "account", "alice"), 1)), ElementsAre(4));
  EXPECT_THAT(numbers(load_similar(*database_, about(6, "account", "carol"), 10)), IsEmpty());
}

// As an older version wrote it.
TEST_F(IncidentTableTest, WhatAnOlderVersionDidNotKnowIsAbsent) {
  json::Object body = to_json(plain(1, State::analysing, Severity::high));
  for (const char* name : {"absorbed", "acknowledged", "acknowledged_by", "contained", "deadlines",
                           "graded", "merged_into", "others", "resolved"}) {
    ASSERT_EQ(body.erase(name), 1U) << name;
  }
  store(plain(1, State::analysing, Severity::high));
  ASSERT_TRUE(database_->run("UPDATE incident SET body = $1", {json::to_text(std::move(body))}));
  EXPECT_EQ(load_incident(*database_, 1).value(), plain(1, State::analysing, Severity::high));
}

TEST_F(IncidentTableTest, AQueryAnswersAtMostItsLimit) {
  for (std::int64_t number = 1; number <= IncidentQuery::limit_max + 1; ++number) {
    store(plain(number, State::detected, Severity::low));
  }
  const auto answered = [&](std::int64_t limit) {
    return static_cast<std::int64_t>(query_incidents(*database_, {.limit = limit})->size());
  };
  EXPECT_EQ(answered(100), 100);
  EXPECT_EQ(answered(INT64_MAX), IncidentQuery::limit_max);
  EXPECT_LE(answered(-1), 1);  // never the whole table
}

Change change(std::int64_t incident, std::int64_t sequence, Timestamp when) {
  return {.incident = incident,
          .sequence = sequence,
          .when = when,
          .kind = "state_changed",
          .before = {{"state", "detected"}},
          .after = {{"number", INT64_MAX}, {"state", "it's \"new\""}},
          .why = "line one\nline two",
          .who = "bob"};
}

void expect_same(const ChangeRow& row, std::int64_t entry, const Change& expected) {
  EXPECT_EQ(row.entry, entry);
  EXPECT_EQ(row.change.incident, expected.incident);
  EXPECT_EQ(row.change.sequence, expected.sequence);
  EXPECT_EQ(row.change.when, expected.when);
  EXPECT_EQ(row.change.kind, expected.kind);
  EXPECT_EQ(row.change.before, expected.before);
  EXPECT_EQ(row.change.after, expected.after);
  EXPECT_EQ(row.change.why, expected.why);
  EXPECT_EQ(row.change.who, expected.who);
}

TEST_F(IncidentTableTest, ChangesComeBackInTheirOrder) {
  ASSERT_TRUE(store_change(*database_, {.entry = 5, .change = change(1, 2, stored_at + second)}));
  ASSERT_TRUE(store_change(*database_, {.entry = 4, .change = change(1, 1, stored_at)}));
  ASSERT_TRUE(store_change(*database_, {.entry = 3, .change = change(2, 1, stored_at)}));
  const auto changes = load_changes(*database_, 1);
  ASSERT_TRUE(changes);
  ASSERT_EQ(changes->size(), 2U);
  expect_same(changes->at(0), 4, change(1, 1, stored_at));
  expect_same(changes->at(1), 5, change(1, 2, stored_at + second));
}

TEST_F(IncidentTableTest, ASequenceIsGivenOnce) {
  ASSERT_TRUE(store_change(*database_, {.entry = 1, .change = change(1, 1, stored_at)}));
  EXPECT_EQ(store_change(*database_, {.entry = 2, .change = change(1, 1, stored_at)}).error().code,
            Code::conflict);
}

TEST_F(IncidentTableTest, ChangesOfARangeOfEntriesHoldItsBeginAndNotItsEnd) {
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(store_change(
        *database_, {.entry = 10 + i, .change = change(4 - i, 1, stored_at + i * second)}));
  }
  const auto changes = load_changes(*database_, {.first = 11, .end = 13});
  ASSERT_TRUE(changes);
  ASSERT_EQ(changes->size(), 2U);
  expect_same(changes->at(0), 11, change(3, 1, stored_at + second));
  expect_same(changes->at(1), 12, change(2, 1, stored_at + 2 * second));
}

TEST_F(IncidentTableTest, ADamagedRowIsCorrupt) {
  store(full(1));
  for (const std::string_view body : {"", "{", "[]", "{}", R"({"state":"unheard of"})", "\xFF"}) {
    ASSERT_TRUE(database_->run("UPDATE incident SET body = $1", {body}));
    EXPECT_EQ(load_incident(*database_, 1).error().code, Code::corrupt) << body;
    EXPECT_EQ(load_open_incidents(*database_).error().code, Code::corrupt) << body;
    EXPECT_EQ(query_incidents(*database_, {}).error().code, Code::corrupt) << body;
  }
  ASSERT_TRUE(store_change(*database_, {.entry = 1, .change = change(1, 1, stored_at)}));
  ASSERT_TRUE(database_->execute("UPDATE incident_change SET body = '{'"));
  EXPECT_EQ(load_changes(*database_, 1).error().code, Code::corrupt);
}

}  // namespace
}  // namespace mailwarden::incident
