// What is safer than Cedar's own answer: a forbid that fails denies, and so does a request that
// does not fit the schema.
#include <gtest/gtest.h>

#include "policy/explain.h"
#include "policy/load_policies.h"
#include "tests/policy/given.h"
#include "tests/temporary.h"

namespace mailwarden::policy {
namespace {

using Why = Decision::Why;

// Cedar's core takes a failing forbid for one that is not there, and allows.
constexpr const char* fail_open =
    "permit(principal, action, resource);\n"
    "forbid(principal, action, resource) when { context.mfa == false };\n";

Request ask(std::string_view context = "{}") {
  return request(R"(User::"ada")", R"(Action::"read")", R"(Doc::"d")", context);
}

Decision decided(const DecisionPoint& point, const Request& request) {
  Authorizer::Scratch scratch;
  return point.decide(request, scratch);
}

TEST(DecisionPoint, AForbidThatFailsDeniesAndRaisesAnAlarm) {
  const auto written = policies(fail_open);
  const auto known = entities("[]");
  const Answer core = authorize(*written, *known, ask());
  EXPECT_TRUE(core.is_allowed);
  ASSERT_EQ(core.errors.size(), 1U);
  EXPECT_EQ(core.errors[0].policy, 1U);

  const DecisionPoint point({.policies = written}, known);
  const Decision decision = decided(point, ask());
  EXPECT_FALSE(decision.is_allowed);
  EXPECT_EQ(decision.why, Why::failed_forbid);
  EXPECT_TRUE(decision.raises_alarm());
  EXPECT_EQ(decision.policies, std::vector<std::string>{"policy1"});
  ASSERT_EQ(decision.failed.size(), 1U);
  EXPECT_EQ(decision.failed[0].policy, "policy1");
  EXPECT_EQ(decision.failed[0].effect, Effect::forbid);
  EXPECT_NE(decision.failed[0].what.find("'context.mfa' is not there"), std::string::npos);
}

TEST(DecisionPoint, WithTheFactItDecidesAsCedar) {
  const DecisionPoint point = decision_point(fail_open, "[]");
  const Decision with = decided(point, ask(R"({"mfa": true})"));
  EXPECT_TRUE(with.is_allowed);
  EXPECT_EQ(with.why, Why::permitted);
  EXPECT_EQ(with.policies, std::vector<std::string>{"policy0"});
  EXPECT_FALSE(with.raises_alarm());
  const Decision without = decided(point, ask(R"({"mfa": false})"));
  EXPECT_FALSE(without.is_allowed);
  EXPECT_EQ(without.why, Why::forbidden);
  EXPECT_EQ(without.policies, std::vector<std::string>{"policy1"});
}

struct DecidedCase {
  const char* name;
  const char* policies;
  Why why;
  std::vector<std::string> decided_by;
  bool alarm;
};

TEST(DecisionPoint, EachReasonAndItsAlarm) {
  const std::vector<DecidedCase> cases{
      {"nothing", "", Why::not_permitted, {}, false},
      {"a permit that fails",
       "permit(principal, action, resource) when { context.gone };",
       Why::not_permitted,
       {},
       false},
      {"a permit beside one that fails",
       "permit(principal, action, resource); permit(principal, action, resource) when "
       "{ context.gone };",
       Why::permitted,
       {"policy0"},
       false},
      {"a forbid that holds beside one that fails",
       "permit(principal, action, resource); forbid(principal, action, resource); "
       "forbid(principal, action, resource) when { context.gone };",
       Why::forbidden,
       {"policy1"},
       true},
      {"a forbid that fails where nothing permits",
       "forbid(principal, action, resource) when { context.gone };",
       Why::failed_forbid,
       {"policy0"},
       true},
      {"two forbids that fail and a permit that does",
       "permit(principal, action, resource) when { context.gone }; "
       "forbid(principal, action, resource) when { context.gone }; "
       "permit(principal, action, resource); "
       "forbid(principal, action, resource) when { 1 };",
       Why::failed_forbid,
       {"policy1", "policy3"},
       true},
      {"a forbid whose scope does not hold cannot fail",
       "permit(principal, action, resource); "
       "forbid(principal == User::\"eve\", action, resource) when { context.gone };",
       Why::permitted,
       {"policy0"},
       false}};
  for (const DecidedCase& one : cases) {
    const Decision decision = decided(decision_point(one.policies, "[]"), ask());
    EXPECT_EQ(decision.why, one.why) << one.name;
    EXPECT_EQ(decision.is_allowed, one.why == Why::permitted) << one.name;
    EXPECT_EQ(decision.policies, one.decided_by) << one.name;
    EXPECT_EQ(decision.raises_alarm(), one.alarm) << one.name;
  }
}

std::string schema_with(const std::string& context) {
  return "entity User; entity Doc; action read appliesTo {principal: User, resource: Doc, "
         "context: {" +
         context + "}};";
}

TEST(DecisionPoint, ASchemaSeesTheMistakeBeforeItIsInForce) {
  const TemporaryFolder folder;
  write_file(folder.path("a.cedar"), fail_open);
  write_file(folder.path("a.cedarschema"), schema_with("mfa?: Bool"));
  const auto optional = load_policies({.paths = {folder.path()}});
  ASSERT_FALSE(optional);
  EXPECT_NE(optional.error().what.find("'context.mfa' may not be there"), std::string::npos)
      << optional.error().what;

  write_file(folder.path("a.cedarschema"), schema_with("mfa: Bool"));
  const auto required = load_policies({.paths = {folder.path()}});
  ASSERT_TRUE(required) << required.error().what;
  const DecisionPoint point(*required, entities("[]", required->schema.get()));
  const Decision decision = decided(point, ask());
  EXPECT_FALSE(decision.is_allowed);
  EXPECT_EQ(decision.why, Why::invalid_request);
  EXPECT_EQ(decision.invalid, "context: 'mfa' is missing");
  EXPECT_TRUE(decision.policies.empty());
  EXPECT_FALSE(decision.raises_alarm());
  EXPECT_TRUE(decided(point, ask(R"({"mfa": true})")).is_allowed);
}

TEST(DecisionPoint, AScratchServesSeveralPoints) {
  const DecisionPoint one =
      decision_point("permit(principal, action, resource) when {context.a};", "[]");
  const DecisionPoint other =
      decision_point("permit(principal, action, resource) when {!context.a};", "[]");
  Authorizer::Scratch scratch;
  const Request asked = ask(R"({"a": true})");
  for (int turn = 0; turn < 3; ++turn) {
    EXPECT_TRUE(one.decide(asked, scratch).is_allowed);
    EXPECT_FALSE(other.decide(asked, scratch).is_allowed);
  }
}

TEST(DecisionPoint, DecisionsAsJson) {
  const DecisionPoint point = decision_point(fail_open, "[]");
  EXPECT_EQ(json::to_text(to_json(decided(point, ask(R"({"mfa": true})")))),
            R"({"alarm":false,"decision":"allow","errors":[],"reasons":["policy0"],)"
            R"("why":"permitted"})");
  EXPECT_EQ(json::to_text(to_json(decided(point, ask()))),
            R"({"alarm":true,"decision":"deny","errors":[{"effect":"forbid",)"
            R"("error":"'context.mfa' is not there","policy":"policy1"}],"reasons":["policy1"],)"
            R"("why":"failed_forbid"})");
}

}  // namespace
}  // namespace mailwarden::policy
