// Decisions of a store held against other policies.
#include "access/recorded.h"

#include <gmock/gmock.h>

#include "access/decision_record.h"
#include "policy/entity_json.h"
#include "tests/access/grants.h"
#include "tests/access/shipped.h"
#include "tests/db/store.h"

namespace mailwarden::access {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

constexpr const char* schema =
    "entity Group; entity User in [Group] {active?: Bool}; entity System;"
    "action read appliesTo {principal: User, resource: System, "
    "context: {mfa?: Bool}};";
constexpr const char* by_group =
    "permit (principal in Group::\"staff\", action, resource) when { context has mfa && "
    "context.mfa };"
    "forbid (principal, action, resource) unless { principal has active && principal.active };";

class RecordedTest : public testing::Test {
 protected:
  RecordedTest() { EXPECT_TRUE(db::migrate(*database_, decision_migrations(), start)); }

  policy::Loaded loaded(const std::string& policies) {
    const std::string path = folder_.path(std::to_string(++count_));
    std::filesystem::create_directory(path);
    write_file(path + "/p.cedar", policies);
    write_file(path + "/s.cedarschema", schema);
    auto loaded = policy::load_policies({.paths = {path}, .needs_schema = true});
    EXPECT_TRUE(loaded) << loaded.error().what;
    return *std::move(loaded);
  }

  // Somebody who was active or not, in those groups then; allowed as said.
  void decided(const std::string& person, bool is_active, std::vector<std::string> groups,
               bool was_allowed, Timestamp when = start) {
    DecisionRecord record{.id = "d" + std::to_string(++entry_), .when = when, .point = "authzen"};
    record.principal = {"User", person};
    record.action = {"Action", "read"};
    record.resource = {"System", "wiki"};
    record.context = {{"mfa", true}};
    record.facts = json::Object{{"active", is_active}};
    for (const std::string& group : groups) record.groups.push_back({"Group", group});
    record.decision.is_allowed = was_allowed;
    store(record);
  }
  // Denied to somebody of whom nothing was known.
  void decided_of_nobody(const std::string& person, const std::string& action) {
    DecisionRecord record{.id = "x", .when = start, .point = "authzen"};
    record.principal = {"User", person};
    record.action = {"Action", action};
    record.resource = {"System", "wiki"};
    store(record);
  }
  void store(const DecisionRecord& record) {
    ASSERT_TRUE(store_decision(
        *database_, {.entry = entry_, .record = record, .body = json::to_text(to_record(record))}));
  }

  Recasting recast_to(const std::string& policies, const RecordedPeriod& period = {}) {
    auto made = recast({.database = *database_,
                        .period = period,
                        .before = loaded(by_group),
                        .after = loaded(policies),
                        .entities = {{"e.json", R"([{"uid": {"type": "System", "id": "wiki"},
                                      "attrs": {}, "parents": []}])"}}});
    EXPECT_TRUE(made) << made.error().what;
    return made ? *std::move(made) : Recasting();
  }

  const TemporaryFolder folder_;
  int count_ = 0;
  std::int64_t entry_ = 0;
  std::unique_ptr<db::Database> database_ = fresh_store();
};

TEST_F(RecordedTest, TheSamePoliciesChangeNothing) {
  decided("ada", true, {"staff"}, true);
  decided("bob", true, {}, false);
  const Recasting same = recast_to(by_group);
  EXPECT_EQ(same.requests, 2);
  EXPECT_EQ(same.changed, 0);
  EXPECT_EQ(same.differ_from_record, 0);
}

TEST_F(RecordedTest, EachRequestIsHeldAgainstTheFactsOfItsTime) {
  decided("ada", true, {"staff"}, true);
  decided("ada", true, {"staff"}, true, start + minute);
  decided("ada", false, {"staff"}, false, start + hour);  // who has left then
  decided("ada", true, {"guests"}, false, start + 2 * hour);
  const Recasting guests = recast_to(
      "permit (principal in Group::\"guests\", action, resource);"
      "forbid (principal, action, resource) unless { principal has active && principal.active };");
  EXPECT_EQ(guests.requests, 4);
  EXPECT_EQ(guests.differ_from_record, 0) << "the old policies decide as it was recorded";
  EXPECT_EQ(guests.changed, 3);
  ASSERT_THAT(guests.changes, SizeIs(2));
  const AccessChange& allowed = guests.changes[1];
  const AccessChange& denied = guests.changes[0];
  EXPECT_FALSE(denied.after.is_allowed);
  EXPECT_EQ(denied.requests, 2);
  EXPECT_EQ(denied.first.id, "d1");
  EXPECT_EQ(denied.last, start + minute);
  EXPECT_TRUE(allowed.after.is_allowed);
  EXPECT_EQ(allowed.first.id, "d4");
}

TEST_F(RecordedTest, OnlyThePeriodCounts) {
  decided("ada", true, {"staff"}, true);
  decided("ada", true, {"staff"}, true, start + hour);
  const Recasting none = recast_to("forbid (principal, action, resource);",
                                   {.from = start + minute, .until = start + hour + second});
  EXPECT_EQ(none.requests, 1);
  EXPECT_EQ(none.changed, 1);
  EXPECT_EQ(recast_to(by_group, {.until = start}).requests, 0);
}

TEST_F(RecordedTest, WhatWasDecidedOtherwiseIsTold) {
  decided("ada", true, {"staff"}, false);
  EXPECT_EQ(recast_to(by_group).differ_from_record, 1);
}

TEST_F(RecordedTest, WhomNobodyKnewIsUnknownAgain) {
  decided_of_nobody("who", "read");
  const Recasting open = recast_to("permit (principal, action, resource);");
  EXPECT_EQ(open.requests, 1);
  EXPECT_EQ(open.changed, 1);
}

TEST_F(RecordedTest, WhatFitsTheSchemaNoMoreIsCounted) {
  decided_of_nobody("ada", "fly");
  EXPECT_EQ(recast_to(by_group).not_decidable, 1);
}

TEST_F(RecordedTest, ADamagedRecordIsTold) {
  decided("ada", true, {}, false);
  ASSERT_TRUE(database_->run("UPDATE decision SET body = '{}'", {}));
  const auto made = recast({.database = *database_,
                            .period = {},
                            .before = loaded(by_group),
                            .after = loaded(by_group),
                            .entities = {}});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Code::corrupt);
}

}  // namespace
}  // namespace mailwarden::access
