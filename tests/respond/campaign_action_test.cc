// A campaign of a mail core whose tables are not ours.
#include <cstdlib>

#include "db/open.h"
#include "tests/respond/effects.h"

namespace mailwarden::respond {
namespace {

class Campaigns : public testing::Test {
 protected:
  void SetUp() override {
    const char* const url = std::getenv("MAILWARDEN_POSTGRES");
    if (url == nullptr) GTEST_SKIP() << "there is no PostgreSQL";
    table_ = "core_campaign_" + std::to_string(::getpid());
    database_ = db::open_url(url).value();
    ASSERT_TRUE(database_->execute(
        "CREATE TABLE " + table_ + " (id BIGINT PRIMARY KEY, state TEXT NOT NULL, stops BIGINT);" +
        "INSERT INTO " + table_ + " VALUES (7, 'running', 0), (8, 'running', 0)"));
    settings_.campaigns = CampaignEffects{
        .url = url,
        .stop = "UPDATE " + table_ + " SET state = 'stopped', stops = stops + 1 WHERE id = $1",
        .resume = "UPDATE " + table_ + " SET state = 'running' WHERE id = $1",
        .stopped = "SELECT state = 'stopped' FROM " + table_ + " WHERE id = $1"};
  }
  void TearDown() override {
    if (database_) {
      EXPECT_TRUE(database_->execute("DROP TABLE " + table_));
    }
  }

  Result<json::Object> perform(const std::string& action, const std::string& campaign) const {
    return perform_action(call(action, {{"campaign", campaign}}), settings_);
  }
  bool is_stopped(const std::string& campaign) const {
    const auto answer = probe_action(call("stop_campaign", {{"campaign", campaign}}), settings_);
    EXPECT_TRUE(answer) << answer.error().what;
    return answer.value_or(false);
  }

  EffectSettings settings_;
  std::string table_;
  std::unique_ptr<db::Database> database_;
};

TEST_F(Campaigns, OneIsStoppedOnceAndResumed) {
  EXPECT_FALSE(is_stopped("7"));
  for (const int count : {1, 0}) {
    const auto done = perform("stop_campaign", "7");
    ASSERT_TRUE(done) << done.error().what;
    EXPECT_EQ(json::Value(*done).integer("count"), count);
    EXPECT_TRUE(is_stopped("7"));
  }
  EXPECT_EQ(database_->integer("SELECT stops FROM " + table_ + " WHERE id = 7").value(), 1);
  EXPECT_FALSE(is_stopped("8"));
  const auto done = perform("resume_campaign", "7");
  ASSERT_TRUE(done) << done.error().what;
  EXPECT_FALSE(is_stopped("7"));
  EXPECT_TRUE(probe_action(call("resume_campaign", {{"campaign", "7"}}), settings_).value());
}

TEST_F(Campaigns, WhatCannotBeStoppedIsSaid) {
  struct Case {
    const char* name;
    std::string campaign;
    std::string stop;
    const char* says;
  };
  for (const Case& c : {Case{"no such campaign", "9", "", "has no campaign '9'"},
                        Case{"no id", "7 OR true", "", "invalid input syntax"},
                        Case{"a statement without effect", "7",
                             "UPDATE " + table_ + " SET stops = 1 WHERE id = $1", "is not stopped"},
                        Case{"a statement that is none", "7", "STOP $1", "syntax error"}}) {
    SCOPED_TRACE(c.name);
    EffectSettings settings = settings_;
    if (!c.stop.empty()) settings.campaigns->stop = c.stop;
    const auto done = perform_action(call("stop_campaign", {{"campaign", c.campaign}}), settings);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, Code::denied);
    EXPECT_NE(done.error().what.find(c.says), std::string::npos) << done.error().what;
  }
  EXPECT_FALSE(is_stopped("7"));
  EXPECT_FALSE(is_stopped("8"));
}

TEST(Campaign, ADatabaseThatIsAwayIsTriedAgain) {
  EffectSettings settings;
  settings.campaigns = CampaignEffects{.url = "postgresql://nobody@/none?host=/nonexistent",
                                       .stop = "SELECT $1",
                                       .resume = "SELECT $1",
                                       .stopped = "SELECT $1"};
  const auto done = perform_action(call("stop_campaign", {{"campaign", "7"}}), settings);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::unavailable) << done.error().what;
}

}  // namespace
}  // namespace mailwarden::respond
