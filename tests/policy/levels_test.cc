// How far policies follow entities from a request (RFC 76; Cedar 4.5, "Level validation").
#include <gtest/gtest.h>

#include "policy/validate.h"
#include "tests/policy/given.h"

namespace mailwarden::policy {
namespace {

constexpr std::size_t never = 99;

struct Leveled {
  const char* name;
  const char* policy;
  std::size_t least;  // the least level at which it passes; `never` where none is enough
};

std::string when(const std::string& body) {
  return "permit(principal is User, action, resource) when { " + body + " };";
}

TEST(Levels, TheLeastLevelOfEachExpression) {
  const auto known = schema(R"(
    entity User in [Group] { manager: User, age: Long, flag: Bool, box: {who: User} } tags User;
    entity Group;
    entity Doc { owner: User, readers: Group };
    action read appliesTo {
      principal: User, resource: Doc,
      context: {admin: User, building: {location: Long, head: User}}
    };
  )");
  const std::vector<Leveled> cases{
      {"nothing", "true", 0},
      {"equality follows nothing", "principal == resource.owner", 1},
      {"equality of the request's entities", "principal == User::\"a\"", 0},
      {"what stands in the context", "context.building.location == 1", 0},
      {"an entity in the context", "context.admin == principal", 0},
      {"an attribute of one", "context.admin.age == 1", 1},
      {"an attribute of one deeper in the context", "context.building.head.age == 1", 1},
      {"an attribute", "principal.age == 1", 1},
      {"has", "principal has age", 1},
      {"in", "principal in Group::\"x\"", 1},
      {"in, whose right side is not followed", "principal in resource.readers", 1},
      {"two steps", "resource.owner.age == 1", 2},
      {"three steps", "resource.owner.manager.age == 1", 3},
      {"three steps to compare", "principal.manager.manager.manager == principal", 3},
      {"through a record", "principal.box.who.age == 1", 2},
      {"in of an attribute", "resource.owner in Group::\"x\"", 2},
      {"hasTag", "principal.hasTag(\"t\")", 1},
      {"getTag", "principal.hasTag(\"t\") && principal.getTag(\"t\") == principal", 1},
      {"beyond a tag", "principal.hasTag(\"t\") && principal.getTag(\"t\").age == 1", 2},
      {"the farther branch counts",
       "(if principal.flag then principal.manager else principal).age "
       "== 1",
       2},
      {"the condition of a branch counts", "if resource.owner.flag then true else false", 2},
      {"a record's member that is followed", "{a: principal, b: 1}.a.age == 1", 1},
      {"a record's member that is not", "{a: principal, b: resource.owner.age}.a.age == 1", 2},
      {"a literal is not fetched", "User::\"a\".age == 1", never},
      {"a literal in a group", "User::\"a\" in Group::\"x\"", never},
      {"a literal that is compared", "User::\"a\" == principal", 0},
      {"a literal in a branch that is followed",
       "(if principal.flag then User::\"a\" else principal).age == 1", never},
      {"what is never evaluated", "false && resource.owner.age == 1", 0},
      {"the action of the request", "action in [Action::\"read\"]", 1}};
  for (const Leveled& one : cases) {
    const auto written = policies(when(one.policy));
    ASSERT_TRUE(validate(*written, *known).passed()) << one.name;
    for (std::size_t level = 0; level < 6; ++level) {
      const Findings findings = validate(*written, *known, {.level = level});
      EXPECT_EQ(findings.passed(), level >= one.least) << one.name << " at level " << level;
      for (const Finding& found : findings.errors) EXPECT_EQ(found.kind, Finding::Kind::level);
    }
  }
}

TEST(Levels, ScopesThatAskForAncestorsNeedLevelOne) {
  const auto known = schema(R"(
    entity User in [Group];
    entity Group;
    entity Doc in [Group];
    action all;
    action read in [all] appliesTo {principal: User, resource: Doc};
  )");
  const std::vector<std::pair<const char*, std::size_t>> cases{
      {"principal, action, resource", 0},
      {"principal == User::\"a\", action == Action::\"read\", resource is Doc", 0},
      {"principal in Group::\"g\", action, resource", 1},
      {"principal is User in Group::\"g\", action, resource", 1},
      {"principal, action in Action::\"all\", resource", 1},
      {"principal, action in [Action::\"read\"], resource", 1},
      {"principal, action, resource in Group::\"g\"", 1},
      {"principal in ?principal, action, resource", 1},
      {"principal == ?principal, action, resource", 0}};
  for (const auto& [scope, least] : cases) {
    const auto written = policies("permit(" + std::string(scope) + ");");
    EXPECT_EQ(validate(*written, *known, {.level = 0}).passed(), least == 0) << scope;
    EXPECT_TRUE(validate(*written, *known, {.level = 1}).passed()) << scope;
  }
}

}  // namespace
}  // namespace mailwarden::policy
