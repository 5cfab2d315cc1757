// What is known of people, and what decisions make of it as time passes.
#include "app/access.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/entropy.h"
#include "tests/db/store.h"
#include "tests/identity/people_maker.h"
#include "tests/temporary.h"

namespace mailwarden::app {
namespace {

using identity::directory;
using identity::people;
using identity::user_json;
using identity::users_page;
using std::chrono::hours;
using testing::HasSubstr;

const std::string in_order = R"("suspended":false,"archived":false)";

class AccessTest : public testing::Test {
 protected:
  AccessTest() {
    write_file(folder_.path("systems.json"),
               R"([{"uid": {"type": "Group", "id": "staff"}, "attrs": {}, "parents": []},
                   {"uid": {"type": "Group", "id": "team@example.com"}, "attrs": {},
                    "parents": [{"type": "Group", "id": "staff"}]},
                   {"uid": {"type": "Group", "id": "all@example.com"}, "attrs": {},
                    "parents": [{"type": "Group", "id": "team@example.com"}]},
                   {"uid": {"type": "System", "id": "wiki"},
                    "attrs": {"personal_data": false, "purposes": []}, "parents": []}])");
    config_.rules = {source_folder() + "/rules/sigma"};
    config_.policies = source_folder() + "/policies";
    config_.entities = {folder_.path("systems.json")};
    config_.people = {{.name = "directory", .limit = hours(24)},
                      {.name = "personnel", .limit = hours(24 * 7)}};
    auto policies = load_policies(config_);
    EXPECT_TRUE(policies) << policies.error().what;
    identity::PeopleBookOptions people;
    for (const auto& source : config_.people) {
      people.ages.of_source.emplace(source.name, source.limit);
    }
    auto core = Core::open(
        {.origin = "example.com/test", .people = people},
        {.database = *database_, .clock = clock_, .entropy = entropy_, .signer = *signer_},
        *policies);
    EXPECT_TRUE(core) << core.error().what;
    core_ = *std::move(core);
    access_ = Access::start(config_, clock_, entropy_, log_, core_->grants(), [] {}).value();
    access_->use(core_->policies(), *core_, clock_.now());
  }

  void tell_directory(const std::string& user) {
    const Timestamp now = clock_.now();
    const std::string pages =
        users_page({user_json("1", "ada@example.com", user)}) + "\n" +
        identity::groups_page({identity::group_json("g", "team@example.com")}) + "\n" +
        identity::members_page("g", {identity::member_json("1", "ada@example.com")});
    ASSERT_TRUE(core_->take(identity::Told(directory(pages, now))));
  }
  void tell_personnel(const std::string& until = "") {
    ASSERT_TRUE(core_->take(identity::Told(people(
        "id,email,employed_from,employed_until\n7,ada@example.com,2024-02-01," + until + "\n",
        clock_.now()))));
  }
  void pass(Duration time) {
    clock_.advance(time);
    access_->refresh(*core_, clock_.now(), false);
  }
  std::string why() {
    const auto verdict = access_->arbiter().decide({.point = "authzen",
                                                    .principal = {"User", "ada@example.com"},
                                                    .action = {"Action", "read"},
                                                    .resource = {"System", "wiki"},
                                                    .context = {}});
    return std::string(policy::to_string(verdict.decision.why));
  }

  const TemporaryFolder folder_;
  config::Config config_;
  ManualClock clock_{identity::morning};
  crypto::SystemEntropy entropy_;
  Log log_{LogLevel::error};
  std::optional<crypto::Signer> signer_ =
      crypto::Signer::create(folder_.path("key"), entropy_).value();
  std::unique_ptr<db::Database> database_ = fresh_store();
  std::unique_ptr<Core> core_;
  std::unique_ptr<Access> access_;
};

TEST_F(AccessTest, WhatIsToldCountsASecondLater) {
  EXPECT_EQ(why(), "forbidden");
  tell_directory(in_order);
  tell_personnel();
  access_->refresh(*core_, clock_.now(), false);
  EXPECT_EQ(why(), "forbidden") << "it was made anew this moment";
  pass(std::chrono::seconds(1));
  EXPECT_EQ(why(), "permitted");
  tell_directory(R"("suspended":true,"archived":false)");
  pass(std::chrono::seconds(1));
  EXPECT_EQ(why(), "forbidden");
}

TEST_F(AccessTest, WithHurryItCountsAtOnce) {
  tell_directory(in_order);
  tell_personnel();
  access_->refresh(*core_, clock_.now(), true);
  EXPECT_EQ(why(), "permitted");
}

TEST_F(AccessTest, AFactThatGrowsTooOldEndsByItself) {
  tell_directory(in_order);
  tell_personnel();
  pass(hours(24) - Duration(1));
  EXPECT_EQ(why(), "permitted");
  pass(Duration(1));
  EXPECT_EQ(why(), "forbidden") << "nobody has told of the account for a day";
}

TEST_F(AccessTest, AnEmploymentEndsByItself) {
  tell_personnel("2026-11-24");
  tell_directory(in_order);
  pass(hours(15));
  EXPECT_EQ(why(), "permitted") << "the last day";
  tell_directory(in_order);
  pass(hours(1));
  EXPECT_EQ(why(), "forbidden");
}

TEST_F(AccessTest, AnEventTakesSomebodyOutToo) {
  tell_directory(in_order);
  tell_personnel();
  pass(std::chrono::seconds(1));
  EXPECT_EQ(why(), "permitted");
  WorkedBatch batch;
  batch.observations.push_back({.origin = {"event:workspace", clock_.now()},
                                .provider = "google",
                                .actor = "",
                                .subject = "ada@example.com",
                                .suspended = true});
  core_->take(std::move(batch));
  pass(std::chrono::seconds(1));
  EXPECT_EQ(why(), "forbidden");
}

TEST_F(AccessTest, WhatWasToldIsThereBehindAStart) {
  tell_directory(in_order);
  tell_personnel();
  ASSERT_TRUE(core_->write());
  const auto again =
      Core::open({.origin = "example.com/test", .people = core_->people().options()},
                 {.database = *database_, .clock = clock_, .entropy = entropy_, .signer = *signer_},
                 load_policies(config_).value());
  ASSERT_TRUE(again) << again.error().what;
  access_->use((*again)->policies(), **again, clock_.now());
  EXPECT_EQ(why(), "permitted");
}

// A circle that neither the file nor the directory has alone.
TEST_F(AccessTest, WhatCannotBeBroughtTogetherLetsNobodyIn) {
  tell_directory(in_order);
  tell_personnel();
  pass(std::chrono::seconds(1));
  EXPECT_EQ(why(), "permitted");
  const std::string pages =
      users_page({user_json("1", "ada@example.com", in_order)}) + "\n" +
      identity::groups_page({identity::group_json("g", "team@example.com"),
                             identity::group_json("a", "all@example.com")}) +
      "\n" + identity::members_page("a", {identity::member_json("g", "team@example.com", "GROUP")});
  ASSERT_TRUE(core_->take(identity::Told(directory(pages, clock_.now()))));
  pass(std::chrono::seconds(1));
  EXPECT_EQ(why(), "invalid_request");
  tell_directory(in_order);
  pass(std::chrono::seconds(1));
  EXPECT_EQ(why(), "permitted") << "and it is tried again";
}

}  // namespace
}  // namespace mailwarden::app
