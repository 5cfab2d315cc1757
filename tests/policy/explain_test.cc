// Why a request is denied, and that what would allow it does: each change told is made by hand in
// the entities and the context, and decided anew.
#include "policy/explain.h"

#include <gtest/gtest.h>

#include "tests/policy/given.h"
#include "tests/policy/make_change.h"

namespace mailwarden::policy {
namespace {

constexpr const char* house_schema = R"(
  entity User in [Group] {
    active: Bool, trained?: Bool, trained_until?: datetime, of?: {country: String},
    roles: Set<String>
  };
  entity Group in [Group];
  entity Doc { secret: Bool };
  entity Purpose enum ["billing", "support"];
  type Grant = {purpose: Purpose, until: datetime, ticket?: String};
  action read appliesTo {
    principal: User, resource: Doc,
    context: {now: datetime, mfa: Bool, age?: Long, auth?: datetime, grant?: Grant,
              source?: ipaddr, deep: {er: {flag: Bool}}}
  };
)";

constexpr const char* people_of_house = R"([
  {"uid":{"type":"User","id":"ada"},"attrs":{"active":true,"roles":[]},
   "parents":[{"type":"Group","id":"staff"}]},
  {"uid":{"type":"Group","id":"staff"},"attrs":{},"parents":[]},
  {"uid":{"type":"Group","id":"doctors"},"attrs":{},"parents":[{"type":"Group","id":"trusted"}]},
  {"uid":{"type":"Group","id":"trusted"},"attrs":{},"parents":[]},
  {"uid":{"type":"Doc","id":"d"},"attrs":{"secret":true},"parents":[]}])";

constexpr const char* usual =
    R"({"now":"2026-11-28T12:00:00Z","mfa":false,"deep":{"er":{"flag":false}}})";

// A request and what is known, as JSON that changes can be made to.
struct Case {
  std::string policies;
  json::Value entities = must(json::parse(people_of_house));
  json::Value context = must(json::parse(usual));
  std::shared_ptr<const Schema> known = schema(house_schema);

  DecisionPoint point() const { return decision_point(policies, json::to_text(entities), known); }
  Request request() const {
    return policy::request(R"(User::"ada")", R"(Action::"read")", R"(Doc::"d")",
                           json::to_text(context), known.get());
  }
};

Decision decide(const Case& one) {
  Authorizer::Scratch scratch;
  return one.point().decide(one.request(), scratch);
}

Explanation explained(const Case& one, const ExplainOptions& options = {}) {
  const DecisionPoint point = one.point();
  const Request request = one.request();
  Authorizer::Scratch scratch;
  return explain(point, request, point.decide(request, scratch), options);
}

// Every way allows, and none of its changes could be spared.
void expect_ways_hold(const Case& one, const Explanation& explanation, const std::string& name) {
  for (const Way& way : explanation.ways) {
    for (std::size_t without = 0; without <= way.changes.size(); ++without) {
      Case changed = one;
      std::string all;
      for (std::size_t at = 0; at < way.changes.size(); ++at) {
        if (at == without) continue;
        make_change(way.changes[at], changed.entities.as_array()->front(), changed.context);
        all += way.changes[at].text() + "; ";
      }
      const Decision decision = decide(changed);
      EXPECT_EQ(decision.is_allowed, without == way.changes.size())
          << name << ": " << all << decision.invalid;
      if (!decision.is_allowed || without < way.changes.size()) continue;
      EXPECT_EQ(decision.policies, std::vector<std::string>{way.policy}) << name;
    }
  }
}

struct ToldWays {
  const char* name;
  std::string policies;
  std::vector<std::vector<std::string>> ways;  // the places and values that change
};

std::string short_text(const Change& change) {
  const std::string what = change.kind == Change::Kind::join     ? " in "
                           : change.kind == Change::Kind::remove ? " removed"
                                                                 : " = ";
  return change.path + what + change.value;
}

TEST(Explain, TheSmallestChangesThatAllow) {
  const std::string permit = "permit(principal, action, resource)";
  const std::string forbid =
      "permit(principal, action, resource); forbid(principal, action, resource)";
  const std::vector<ToldWays> cases{
      {"a truth", permit + " when { context.mfa };", {{"context.mfa = true"}}},
      {"a truth of the principal",
       permit + " unless { principal.active };",
       {{"principal.active = false"}}},
      {"a forbid", forbid + " unless { context.mfa };", {{"context.mfa = true"}}},
      {"a nested record",
       permit + " when { context.deep.er.flag };",
       {{"context.deep.er.flag = true"}}},
      {"a group",
       "permit(principal in Group::\"doctors\", action, resource);",
       {{"principal in Group::\"doctors\""}}},
      {"a group in a condition",
       permit + " when { principal in Group::\"trusted\" };",
       {{"principal in Group::\"trusted\""}}},
      {"a group and a fact",
       "permit(principal in Group::\"doctors\", action, resource) when { context.mfa };",
       {{"principal in Group::\"doctors\"", "context.mfa = true"}}},
      {"an optional attribute",
       permit + " when { principal has trained && principal.trained };",
       {{"principal.trained = true"}}},
      {"an attribute that must not be there, which it is not",
       permit + " unless { principal has trained };",
       {}},
      {"a number below",
       permit + " when { context has age && context.age < -5 };",
       {{"context.age = -6"}}},
      {"a number that may be equal",
       permit + " when { context has age && 7 <= context.age };",
       {{"context.age = 7"}}},
      {"a text",
       permit + " when { principal has of && principal.of.country == \"CH\" };",
       {{"principal.of = {\"country\": \"CH\"}"}}},
      {"a pattern",
       permit + " when { principal has of && principal.of.country like \"C*\" };",
       {{"principal.of = {\"country\": \"C\"}"}}},
      {"an address",
       permit + " when { context has source && "
                "context.source.isInRange(ip(\"10.0.0.0/8\")) };",
       {{"context.source = ip(\"10.0.0.0/8\")"}}},
      {"a time since",
       permit + " when { context has auth && "
                "context.now.durationSince(context.auth) < duration(\"12h\") };",
       {{"context.auth = datetime(\"2026-11-28T00:00:00.001Z\")"}}},
      {"a set that must hold something",
       permit + " when { principal.roles.contains(\"nurse\") };",
       {{"principal.roles = [\"nurse\"]"}}},
      {"one of two",
       permit + " when { context.mfa || context.deep.er.flag };",
       {{"context.mfa = true"}, {"context.deep.er.flag = true"}}},
      {"two of two",
       permit + " when { context.mfa && context.deep.er.flag };",
       {{"context.mfa = true", "context.deep.er.flag = true"}}},
      {"the shorter of two permits",
       "permit(principal, action, resource) when { context.mfa && context.deep.er.flag };"
       "permit(principal in Group::\"staff\", action, resource) when { !principal.active };",
       {{"principal.active = false"}}},
      {"a forbid behind a permit",
       "permit(principal, action, resource) when { context.mfa };"
       "forbid(principal, action, resource) when { principal.active };",
       {{"principal.active = false", "context.mfa = true"}}},
      {"an enumerated purpose",
       permit + " when { context has grant && context.grant.purpose == Purpose::\"support\" };",
       {{"context.grant = {\"purpose\": Purpose::\"support\", \"until\": "
         "datetime(\"1970-01-01T00:00:00.000Z\")}"}}},
      {"a grant that holds on",
       permit + " when { context has grant && "
                "context.now < context.grant.until };",
       {{"context.grant = {\"purpose\": Purpose::\"billing\", \"until\": "
         "datetime(\"2026-11-28T12:00:00.001Z\")}"}}},
      {"what the resource is cannot be changed", permit + " unless { resource.secret };", {}},
      {"another principal is none", "permit(principal == User::\"eve\", action, resource);", {}},
      {"what is fixed", permit + " when { context.now < datetime(\"2026-01-01\") };", {}},
      {"what can never be", permit + " when { context.mfa && !context.mfa };", {}},
      {"nothing", "", {}}};
  for (const ToldWays& told : cases) {
    const Case one{.policies = told.policies};
    const bool is_allowed = decide(one).is_allowed;
    const Explanation explanation = explained(one);
    if (is_allowed) {
      EXPECT_TRUE(explanation.ways.empty()) << told.name;
      continue;
    }
    std::set<std::set<std::string>> found;
    for (const Way& way : explanation.ways) {
      std::set<std::string> changes;
      for (const Change& change : way.changes) changes.insert(short_text(change));
      found.insert(changes);
    }
    std::set<std::set<std::string>> wanted;
    for (const auto& way : told.ways) wanted.insert({way.begin(), way.end()});
    EXPECT_EQ(found, wanted) << told.name;
    EXPECT_TRUE(explanation.searched_all) << told.name;
    expect_ways_hold(one, explanation, told.name);
  }
}

TEST(Explain, WhatMustNotBeThereIsTakenAway) {
  Case one{.policies = "permit(principal, action, resource) unless { context has age };"};
  (*one.context.as_object())["age"] = 3;
  const Explanation explanation = explained(one);
  ASSERT_EQ(explanation.ways.size(), 1U);
  ASSERT_EQ(explanation.ways[0].changes.size(), 1U);
  const Change& change = explanation.ways[0].changes[0];
  EXPECT_EQ(change.kind, Change::Kind::remove);
  EXPECT_EQ(change.text(), "context.age must not be there (it is 3)");
  expect_ways_hold(one, explanation, "removed");
  // What a schema requires cannot be taken away.
  const Case other{.policies =
                       "permit(principal, action, resource) "
                       "when { principal has active && false };"};
  EXPECT_TRUE(explained(other).ways.empty());
}

TEST(Explain, TheClausesAndWhatTheySaw) {
  const Case one{.policies =
                     "@needs(\"a doctor's badge\")\n"
                     "permit(principal in Group::\"doctors\", action, resource is Doc)\n"
                     "when { resource.secret && context has age && context.age < 5 }\n"
                     "unless { context.mfa || !principal.active };"};
  const Explanation explanation = explained(one);
  ASSERT_EQ(explanation.policies.size(), 1U);
  const PolicyExplanation& told = explanation.policies[0];
  EXPECT_EQ(told.id, "policy0");
  EXPECT_EQ(told.effect, Effect::permit);
  EXPECT_EQ(told.needs, "a doctor's badge");
  struct Expected {
    std::string text;
    bool wanted;
    bool holds;
    std::vector<std::pair<std::string, std::string>> saw;
  };
  const std::vector<Expected> clauses{
      {"principal in Group::\"doctors\"", true, false, {{"principal", "User::\"ada\""}}},
      {"resource is Doc", true, true, {{"resource", "Doc::\"d\""}}},
      {"resource.secret", true, true, {{"resource.secret", "true"}}},
      {"context has age", true, false, {}},
      {"context.age < 5", true, false, {}},
      {"context.mfa", false, true, {{"context.mfa", "false"}}},
      {"principal.active", true, true, {{"principal.active", "true"}}}};
  ASSERT_EQ(told.clauses.size(), clauses.size());
  for (std::size_t at = 0; at < clauses.size(); ++at) {
    EXPECT_EQ(told.clauses[at].text, clauses[at].text);
    EXPECT_EQ(told.clauses[at].wanted, clauses[at].wanted) << clauses[at].text;
    EXPECT_EQ(told.clauses[at].holds, clauses[at].holds) << clauses[at].text;
    EXPECT_EQ(told.clauses[at].saw, clauses[at].saw) << clauses[at].text;
  }
  EXPECT_EQ(told.clauses[4].error, "'context.age' is not there");
  EXPECT_EQ(told.clauses[3].error, "");
}

TEST(Explain, ForbiddenAndNotPermittedAreToldApart) {
  const Case forbidden{.policies =
                           "@id(\"p\") permit(principal, action, resource);\n"
                           "forbid(principal, action, resource) unless { context.mfa };\n"
                           "forbid(principal, action, resource) when { context.mfa };"};
  EXPECT_EQ(decide(forbidden).why, Decision::Why::forbidden);
  const Explanation by_forbid = explained(forbidden);
  ASSERT_EQ(by_forbid.policies.size(), 1U);
  EXPECT_EQ(by_forbid.policies[0].id, "policy1");
  EXPECT_EQ(by_forbid.policies[0].effect, Effect::forbid);

  const Case open{.policies =
                      "permit(principal, action, resource) when { context.mfa };\n"
                      "permit(principal == User::\"eve\", action, resource);\n"
                      "permit(principal, action, resource is User);\n"
                      "forbid(principal, action, resource) when { context.mfa };"};
  EXPECT_EQ(decide(open).why, Decision::Why::not_permitted);
  const Explanation by_none = explained(open);
  // Those that this principal cannot meet, or that are of other resources, are not told.
  ASSERT_EQ(by_none.policies.size(), 1U);
  EXPECT_EQ(by_none.policies[0].id, "policy0");
}

TEST(Explain, AnAllowedRequestIsToldByItsPermits) {
  const Case one{.policies = "permit(principal, action, resource) when { principal.active };"};
  const Explanation explanation = explained(one);
  ASSERT_EQ(explanation.policies.size(), 1U);
  EXPECT_TRUE(explanation.policies[0].clauses[0].holds);
  EXPECT_TRUE(explanation.ways.empty());
}

TEST(Explain, AnInvalidRequestIsNotExplained) {
  Case one{.policies = "permit(principal, action, resource) when { context.mfa };"};
  one.context.as_object()->erase("mfa");
  const Explanation explanation = explained(one);
  EXPECT_TRUE(explanation.policies.empty());
  EXPECT_TRUE(explanation.ways.empty());
}

TEST(Explain, SentencesOfChanges) {
  const Change set{.path = "context.mfa", .now = "false", .value = "true", .clause = "context.mfa"};
  EXPECT_EQ(set.text(), "context.mfa must be true (it is false)");
  const Change absent{.path = "context.age", .value = "4", .clause = "context.age < 5"};
  EXPECT_EQ(absent.text(), "context.age must be there, such as 4");
  const Change compared{
      .path = "context.age", .now = "7", .value = "4", .clause = "context.age < 5"};
  EXPECT_EQ(compared.text(), "context.age must be such that context.age < 5, as with 4 (it is 7)");
  const Change gone{.kind = Change::Kind::remove, .path = "principal.left", .now = "true"};
  EXPECT_EQ(gone.text(), "principal.left must not be there (it is true)");
  const Change join{.kind = Change::Kind::join, .path = "principal", .value = "Group::\"staff\""};
  EXPECT_EQ(join.text(), "the principal must be in Group::\"staff\"");
}

TEST(Explain, LimitsAreSaid) {
  const Case one{.policies =
                     "permit(principal, action, resource) "
                     "when { context.mfa && context.deep.er.flag };"};
  EXPECT_EQ(explained(one).ways.size(), 1U);
  EXPECT_TRUE(explained(one).searched_all);
  // The request as it is, one change, and the second one.
  EXPECT_EQ(explained(one, {.decisions_max = 3}).ways.size(), 1U);
  const Explanation few = explained(one, {.decisions_max = 2});
  EXPECT_TRUE(few.ways.empty());
  EXPECT_FALSE(few.searched_all);
  const Explanation small = explained(one, {.changes_max = 1});
  EXPECT_TRUE(small.ways.empty());
  EXPECT_FALSE(small.searched_all);
  const Case two{.policies =
                     "permit(principal, action, resource) "
                     "when { context.mfa || context.deep.er.flag };"};
  EXPECT_EQ(explained(two, {.ways_max = 1}).ways.size(), 1U);
  const Case three{.policies =
                       "permit(principal, action, resource) when { context.mfa };"
                       "permit(principal, action, resource) when { false };"};
  EXPECT_EQ(explained(three).policies.size(), 2U);
  EXPECT_EQ(explained(three, {.policies_max = 1}).policies.size(), 1U);
  EXPECT_TRUE(explained(three, {.fixed = {"context.mfa"}}).ways.empty());
}

TEST(Explain, AGroupThatTheSchemaForbidsIsNoWay) {
  // Only users may be in it; bots are looked at by the same policy.
  const auto known = schema(R"(
    entity User in [Group]; entity Bot; entity Group; entity Doc;
    action read appliesTo {principal: [User, Bot], resource: Doc};
  )");
  const DecisionPoint point = decision_point(
      "permit(principal in Group::\"staff\", action, resource);"
      "permit(principal, action, resource) when { principal in Group::\"staff\" };",
      R"([{"uid":{"type":"Group","id":"staff"},"attrs":{},"parents":[]}])", known);
  const auto ways = [&](const char* principal) {
    const Request asked = request(principal, R"(Action::"read")", R"(Doc::"d")");
    Authorizer::Scratch scratch;
    return explain(point, asked, point.decide(asked, scratch)).ways.size();
  };
  EXPECT_EQ(ways(R"(User::"u")"), 1U);
  EXPECT_EQ(ways(R"(Bot::"b")"), 0U);
}

}  // namespace
}  // namespace mailwarden::policy
