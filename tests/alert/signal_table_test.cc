// Signals, silences, groups and storms come back as they were stored.
#include "alert/signal_table.h"

#include <gtest/gtest.h>

#include "tests/db/store.h"

namespace mailwarden::alert {
namespace {

constexpr Timestamp stored_at{1'800'000'000'000'000};

std::unique_ptr<db::Database> fresh() {
  auto database = fresh_store();
  EXPECT_TRUE(db::migrate(*database, signal_migrations(), {0}));
  return database;
}

Signal stored_signal(std::int64_t number) {
  return {.number = number,
          .labels = {{"alertname", "Disk"}, {"n", std::to_string(number)}},
          .annotations = {{"summary", "\"full\"\n"}},
          .generator = "http://p/",
          .starts = stored_at,
          .ends = stored_at + std::chrono::hours(1),
          .by_timeout = true,
          .updated = stored_at,
          .over = false,
          .told = {{7, Signal::Told::muted}, {8, Signal::Told::firing}}};
}

Silence stored_silence(const std::string& id) {
  Silence silence{.id = id,
                  .starts = stored_at,
                  .ends = stored_at + std::chrono::hours(1),
                  .updated = stored_at,
                  .author = "ada",
                  .comment = "a new disk"};
  silence.matchers.push_back(LabelMatcher::parse("a!~\"b|c\"").value());
  return silence;
}

Group group_of(std::int64_t number) {
  Group group{.number = number,
              .route = "r",
              .labels = {{"a", "b"}},
              .begun = stored_at,
              .due = stored_at + std::chrono::minutes(1),
              .flushes = 3,
              .notified = stored_at,
              .incidents = {},
              .left_out = 5};
  group.incidents[9] = {.labels = {{"severity", "2"}},
                        .changes = 4,
                        .is_open = false,
                        .told = true,
                        .opened_grave = true};
  return group;
}

TEST(SignalTable, GivesBackWhatWasStored) {
  const auto database = fresh();
  const Storm storm{.number = 1,
                    .route = "r",
                    .receiver = "pager",
                    .begun = stored_at,
                    .ends = stored_at + std::chrono::minutes(1),
                    .notices = 12,
                    .incidents = {3, 5},
                    .gravest = 2,
                    .gravest_subject = "g",
                    .first_subject = "f",
                    .last = stored_at,
                    .last_subject = "l"};
  for (int times = 0; times < 2; ++times) {
    for (const std::int64_t number : {1, 2}) {
      ASSERT_TRUE(store(*database, stored_signal(number)));
      ASSERT_TRUE(store(*database, group_of(number)));
    }
    ASSERT_TRUE(store(*database, stored_silence("one")));
    ASSERT_TRUE(store(*database, storm));
  }
  auto stored = load_signals(*database);
  ASSERT_TRUE(stored) << stored.error().what;
  EXPECT_EQ(stored->signals, (std::vector{stored_signal(1), stored_signal(2)}));
  EXPECT_EQ(stored->groups, (std::vector{group_of(1), group_of(2)}));
  EXPECT_EQ(stored->silences, std::vector{stored_silence("one")});
  EXPECT_EQ(stored->storms, std::vector{storm});

  ASSERT_TRUE(remove(*database, "signal", 1));
  ASSERT_TRUE(remove(*database, "alert_group", 2));
  ASSERT_TRUE(remove(*database, "alert_storm", 1));
  ASSERT_TRUE(remove_silence(*database, "one"));
  stored = load_signals(*database);
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->signals, std::vector{stored_signal(2)});
  EXPECT_EQ(stored->groups, std::vector{group_of(1)});
  EXPECT_TRUE(stored->silences.empty());
  EXPECT_TRUE(stored->storms.empty());
}

TEST(SignalTable, SaysWhatIsDamaged) {
  for (const char* const body : {"", "{}", "[]", "{\"number\":1}", "\xff"}) {
    for (const char* const table : {"signal", "alert_group", "alert_storm", "silence"}) {
      const auto database = fresh();
      const std::string key = std::string(table) == "silence" ? "id" : "number";
      ASSERT_TRUE(database->run(
          "INSERT INTO " + std::string(table) + " (" + key + ", body) VALUES ('1', $1)",
          {std::string_view(body)}));
      const auto stored = load_signals(*database);
      ASSERT_FALSE(stored) << table << " " << body;
      EXPECT_EQ(stored.error().code, Code::corrupt) << table << " " << body;
    }
  }
}

}  // namespace
}  // namespace mailwarden::alert
