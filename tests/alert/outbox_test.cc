// Alerts in the store: kept until settled, each key once.
#include "alert/outbox.h"

#include <gtest/gtest.h>

#include "tests/db/store.h"

namespace mailwarden::alert {
namespace {

std::unique_ptr<db::Database> store() {
  auto database = fresh_store();
  EXPECT_TRUE(db::migrate(*database, migrations(), {0}));
  return database;
}

AlertRow row_of(std::int64_t entry, const std::string& key) {
  return {.entry = entry,
          .alert = {.key = key,
                    .receiver = "spool",
                    .incident = 7,
                    .time = {entry * 1'000'000},
                    .subject = "s",
                    .event = {{"id", key}}}};
}

std::vector<std::string> keys_of(const std::vector<AlertRow>& rows) {
  std::vector<std::string> keys;
  for (const AlertRow& row : rows) keys.push_back(row.alert.key);
  return keys;
}

TEST(Outbox, WhatIsPendingComesBackInOrderUntilItIsSettled) {
  const auto database = store();
  for (const auto& row : {row_of(1, "a"), row_of(2, "b"), row_of(3, "c")}) {
    ASSERT_TRUE(store_alert(*database, row));
  }
  ASSERT_TRUE(store_outcome(
      *database, nullptr, {.key = "b", .standing = Standing::delivered, .tries = 2}, {9'000'000}));
  ASSERT_TRUE(store_outcome(
      *database, nullptr,
      {.key = "c", .standing = Standing::pending, .tries = 1, .trouble = "no route"}, {9'000'000}));
  const auto pending = load_pending(*database).value();
  EXPECT_EQ(keys_of(pending), (std::vector<std::string>{"a", "c"}));
  EXPECT_EQ(pending[1].trouble, "no route");
  EXPECT_EQ(pending[0].alert.event, json::Object({{"id", "a"}}));
  const auto delivered = query_alerts(*database, {.standing = Standing::delivered}).value();
  ASSERT_EQ(keys_of(delivered), (std::vector<std::string>{"b"}));
  EXPECT_EQ(delivered[0].tries, 2);
  EXPECT_EQ(delivered[0].settled.us, 9'000'000);
}

TEST(Outbox, AKeyStandsOnce) {
  const auto database = store();
  ASSERT_TRUE(store_alert(*database, row_of(1, "a")));
  const auto again = store_alert(*database, row_of(2, "a"));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::conflict);
}

TEST(Outbox, PagesAndPeriods) {
  const auto database = store();
  for (int i = 1; i <= 5; ++i) {
    ASSERT_TRUE(store_alert(*database, row_of(i, "k" + std::to_string(i))));
  }
  EXPECT_EQ(keys_of(query_alerts(*database, {.before = 4, .limit = 2}).value()),
            (std::vector<std::string>{"k3", "k2"}));
  EXPECT_EQ(keys_of(load_alerts(*database, {.first = 2, .end = 4}).value()),
            (std::vector<std::string>{"k2", "k3"}));
}

TEST(Outbox, ADamagedRowIsSaid) {
  const auto database = store();
  ASSERT_TRUE(store_alert(*database, row_of(1, "a")));
  ASSERT_TRUE(database->execute("UPDATE alert SET event = 'x'"));
  const auto read = load_pending(*database);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Code::corrupt);
}

}  // namespace
}  // namespace mailwarden::alert
