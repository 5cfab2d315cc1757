#include "ingest/event_query.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "event/event_json.h"
#include "tests/db/recording.h"
#include "tests/db/store.h"

namespace mailwarden::ingest {
namespace {

constexpr std::int64_t hour = 3'600'000'000;

// Batches of three streams with few names in them, and times that go to and fro.
class EventQueryTest : public testing::Test {
 protected:
  EventQueryTest() { EXPECT_TRUE(db::migrate(*database_, migrations(), {})); }

  void fill(int batches) {
    std::mt19937 random(4);
    for (int batch = 0; batch < batches; ++batch) {
      add_batch(random, batch);
      // Two merged runs, and single ones behind them.
      if (batch == batches / 3 || batch == batches / 2) {
        EXPECT_TRUE(merge_entities(*database_));
      }
    }
  }

  void add_batch(std::mt19937& random, int batch) {
    NewEvents rows;
    EntityGatherer entities(nullptr);
    EventBatchRow row{.entry = batch * 3LL,
                      .stream = 1 + batch % 3,
                      .first = std::ssize(events_) + 1,
                      .count = 1 + static_cast<std::int64_t>(random() % 9),
                      .earliest = {INT64_MAX},
                      .latest = {INT64_MIN}};
    for (std::int64_t i = 0; i < row.count; ++i) {
      Event event = random_event(random, row.stream, batch);
      append_json(rows.records, event);
      rows.rows.push_back({.id = event.id, .time = event.time, .end = rows.records.size()});
      rows.salts.emplace_back();
      entities.add(event);
      row.earliest = std::min(row.earliest, event.time);
      row.latest = std::max(row.latest, event.time);
      events_.push_back(std::move(event));
    }
    EXPECT_TRUE(store_events(*database_, row.first, rows));
    EXPECT_TRUE(store_batch(*database_, row));
    EXPECT_TRUE(store_entities(*database_, row.first, entities.take().value()));
  }

  Event random_event(std::mt19937& random, std::int64_t stream, int batch) {
    Event event{.id = {.stream = stream, .position = std::ssize(events_) * 10},
                .time = {batch * hour + static_cast<std::int64_t>(random() % 20) * hour / 4}};
    const auto some = [&random](const std::string& name) {
      const auto which = random() % 6;
      return which == 0 ? std::string()
                        : (which == 1 ? "RARE" : "") + name + std::to_string(which % 3);
    };
    event.ocsf.actor_user = some("actor");
    event.ocsf.user = random() % 4 == 0 ? event.ocsf.actor_user : some("User");
    event.ocsf.src_ip = some("192.0.2.");
    return event;
  }

  // What a look at every event answers.
  std::vector<std::int64_t> plainly(const EventQuery& query) const {
    std::vector<std::int64_t> numbers;
    for (std::int64_t number = std::ssize(events_); number > 0; --number) {
      const Event& event = events_[static_cast<std::size_t>(number - 1)];
      const bool wanted =
          number < query.before.value_or(INT64_MAX) &&
          (!query.stream || event.id.stream == *query.stream) &&
          (query.account.empty() || names(event, EntityKind::account, query.account)) &&
          (query.address.empty() || names(event, EntityKind::address, query.address)) &&
          event.time >= query.from.value_or(Timestamp{INT64_MIN}) &&
          event.time < query.until.value_or(Timestamp{INT64_MAX});
      if (wanted && std::ssize(numbers) < query.limit) numbers.push_back(number);
    }
    return numbers;
  }
  std::vector<std::int64_t> found(db::Database& database, const EventQuery& query) {
    const auto rows = query_events(database, query);
    EXPECT_TRUE(rows) << rows.error().what;
    std::vector<std::int64_t> numbers;
    for (const EventRow& row : *rows) numbers.push_back(row.number);
    return numbers;
  }

  std::vector<EventQuery> random_queries(int count) const {
    std::mt19937 random(9);
    std::vector<EventQuery> queries;
    const std::int64_t span = 40 * hour;
    for (int i = 0; i < count; ++i) {
      EventQuery query{.limit = 1 + static_cast<std::int64_t>(random() % 30)};
      if (random() % 2 == 0) query.before = static_cast<std::int64_t>(random() % 220);
      if (random() % 4 == 0) query.stream = 1 + static_cast<std::int64_t>(random() % 4);
      if (random() % 2 == 0)
        query.account = std::array{"user0", "ACTOR1", "rareuser1", "nobody"}[random() % 4];
      if (random() % 3 == 0)
        query.address = std::array{"192.0.2.1", "192.0.2.2", "rare192.0.2.1"}[random() % 3];
      if (random() % 2 == 0) query.from = Timestamp{static_cast<std::int64_t>(random() % span)};
      if (random() % 2 == 0) query.until = Timestamp{static_cast<std::int64_t>(random() % span)};
      queries.push_back(query);
    }
    return queries;
  }

  std::vector<EventRange> batches() {
    std::vector<EventRange> all;
    const auto rows = database_->query("SELECT first, count FROM event_batch ORDER BY first");
    while ((*rows)->step().value()) {
      all.push_back({(*rows)->integer(0), (*rows)->integer(0) + (*rows)->integer(1)});
    }
    return all;
  }

  std::unique_ptr<db::Database> database_ = fresh_store();
  std::vector<Event> events_;
};

TEST_F(EventQueryTest, AnswersAsALookAtEveryEventDoes) {
  fill(40);
  std::size_t rows = 0;
  for (const EventQuery& query : random_queries(600)) {
    const auto expected = plainly(query);
    rows += expected.size();
    ASSERT_EQ(found(*database_, query), expected) << "account " << query.account << ", address "
                                                  << query.address << ", limit " << query.limit;
  }
  EXPECT_GT(rows, 2000U);
}

TEST_F(EventQueryTest, PagesFollowOneAnother) {
  fill(40);
  const EventQuery all{.account = "user0", .limit = EventQuery::limit_max};
  EventQuery query{.account = "user0", .limit = 7};
  std::vector<std::int64_t> together;
  while (true) {
    const auto page = found(*database_, query);
    together.insert(together.end(), page.begin(), page.end());
    if (std::ssize(page) < query.limit) break;
    query.before = page.back();
  }
  EXPECT_GT(together.size(), 20U);
  EXPECT_EQ(together, plainly(all));
}

TEST_F(EventQueryTest, NamesOfOneNumberAreToldApart) {
  EXPECT_EQ(entity_number(EntityKind::account, "Alice", nullptr).value(),
            entity_number(EntityKind::account, "alice", nullptr).value());
  EXPECT_NE(entity_number(EntityKind::account, "alice", nullptr).value(),
            entity_number(EntityKind::address, "alice", nullptr).value());
  fill(5);
  // As if another name had the number of everybody.
  std::vector<EntityPlace> places;
  for (std::int64_t i = 0; i < std::ssize(events_); ++i) {
    places.push_back(
        {.entity = entity_number(EntityKind::account, "other", nullptr).value(), .event = i});
  }
  ASSERT_TRUE(database_->execute("DELETE FROM event_entity"));
  ASSERT_TRUE(store_entities(*database_, 1, places));
  EXPECT_TRUE(found(*database_, {.account = "other"}).empty());
}

TEST_F(EventQueryTest, MergingChangesNoAnswer) {
  fill(40);
  ASSERT_TRUE(merge_entities(*database_));
  EXPECT_EQ(database_->integer("SELECT COUNT(*) FROM event_entity WHERE level = 0").value(), 0);
  for (const EventQuery& query : random_queries(200)) {
    ASSERT_EQ(found(*database_, query), plainly(query));
  }
}

TEST_F(EventQueryTest, MergingBetweenTwoLooksTellsNothingTwice) {
  fill(40);
  const std::int64_t entity = entity_number(EntityKind::account, "user0", nullptr).value();
  EntitySearch search(*database_, {entity}, {});
  std::vector<std::int64_t> events;
  for (int run = 0;; ++run) {
    const auto more = search.next().value();
    if (!more) break;
    events.insert(events.end(), more->begin(), more->end());
    if (run == 3) {
      ASSERT_TRUE(merge_entities(*database_));
    }
  }
  EXPECT_EQ(events, plainly({.account = "user0", .limit = EventQuery::limit_max}));
}

TEST_F(EventQueryTest, WhatAnOlderVersionStoredIsIndexed) {
  fill(600);
  ASSERT_TRUE(database_->execute("DELETE FROM event_entity; UPDATE event_batch SET indexed = 0"));
  ASSERT_TRUE(complete_entities(*database_));
  ASSERT_TRUE(complete_entities(*database_));
  EXPECT_EQ(database_->integer("SELECT COUNT(*) FROM event_batch WHERE indexed = 0").value(), 0);
  for (const EventQuery& query : random_queries(100)) {
    ASSERT_EQ(found(*database_, query), plainly(query));
  }
}

TEST_F(EventQueryTest, WhatIsForgottenIsInNoRun) {
  fill(40);
  // Every third: out of single runs as a whole, and out of merged ones.
  const std::vector<EventRange> all = batches();
  std::vector<EventRange> gone;
  for (std::size_t i = 0; i < all.size(); i += 3) gone.push_back(all[i]);
  ASSERT_TRUE(forget_entities(*database_, gone));
  const auto forgotten = [&gone](std::int64_t number) {
    return std::ranges::any_of(
        gone, [number](const EventRange& r) { return number >= r.first && number < r.end; });
  };
  for (EventQuery query : random_queries(200)) {
    if (query.account.empty() && query.address.empty()) continue;
    query.limit = EventQuery::limit_max;
    auto expected = plainly(query);
    std::erase_if(expected, forgotten);
    ASSERT_EQ(found(*database_, query), expected);
  }
  ASSERT_TRUE(forget_entities(*database_, all));
  EXPECT_EQ(database_->integer("SELECT COUNT(*) FROM event_entity").value(), 0);
}

// What the database means to do for a question, with the tables that it would read from end to end.
std::vector<std::string> plan_of(db::Database& database, const std::string& sql) {
  std::string text = sql;
  if (is_on_postgres()) {
    // PostgreSQL 15 plans no text with parameters; any value will do.
    for (std::size_t at; (at = text.find('$')) != text.npos;) {
      text.replace(at, text.find_first_not_of("0123456789", at + 1) - at, "7");
    }
  }
  const auto rows = database.query((is_on_postgres() ? "EXPLAIN " : "EXPLAIN QUERY PLAN ") + text);
  EXPECT_TRUE(rows) << rows.error().what;
  std::vector<std::string> lines;
  while (true) {
    const auto more = (*rows)->step();
    EXPECT_TRUE(more) << more.error().what;
    if (!more || !*more) return lines;
    lines.emplace_back((*rows)->text(is_on_postgres() ? 0 : 3));
  }
}

TEST_F(EventQueryTest, NoQuestionReadsATableFromEndToEnd) {
  fill(40);
  // Small tables are read whole whatever indexes they have, unless that is made to look dear.
  if (is_on_postgres()) {
    // ANALYZE alone would lock what other tests make and drop on that server meanwhile.
    constexpr const char* analyze_own_tables = R"sql(
DO $$ DECLARE one text; BEGIN
  FOR one IN SELECT tablename FROM pg_tables WHERE schemaname = current_schema() LOOP
    EXECUTE format('ANALYZE %I', one);
  END LOOP;
END $$)sql";
    ASSERT_TRUE(database_->execute(analyze_own_tables));
    ASSERT_TRUE(database_->execute("SET enable_seqscan = off"));
  }
  RecordingDatabase recording(*database_);
  for (const EventQuery& query : random_queries(100)) static_cast<void>(found(recording, query));
  static_cast<void>(load_event(recording, {1, 2}));
  static_cast<void>(load_batch(recording, 3));
  static_cast<void>(load_batch_of(recording, 3));
  static_cast<void>(last_event_number(recording));
  EXPECT_GE(recording.asked().size(), 8U);
  for (const std::string& sql : recording.asked()) {
    for (const std::string& line : plan_of(*database_, sql)) {
      EXPECT_FALSE(line.contains("Seq Scan on event")) << sql << "\n" << line;
      const bool scans = line.starts_with("SCAN event") && !line.contains("INDEX");
      EXPECT_FALSE(scans) << sql << "\n" << line;
    }
  }
  // A question without an index to it shows in the same way.
  const auto whole = plan_of(*database_, "SELECT number FROM event WHERE time > 3");
  EXPECT_THAT(whole, testing::Contains(testing::ContainsRegex("(SCAN|Seq Scan on) event")));
}

}  // namespace
}  // namespace mailwarden::ingest
