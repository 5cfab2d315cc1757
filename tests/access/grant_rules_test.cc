#include "access/grant_rules.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policy/load_policies.h"
#include "tests/temporary.h"

namespace mailwarden::access {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view good = R"(
purposes:
  - {purpose: support, duration_max: 8h}
  - {purpose: legal_duty, duration_max: 1d, approvals: 2}
tickets: ["T-"]
reason_words_min: 4
requests_open_max: 2
wait_max: 3h
approvers: [administrators, security]
on_behalf: [leads]
break_glass: {groups: [on-call], duration_max: 30m, review_within: 2d}
)";

policy::Schema shipped_schema() {
  return policy::read_schema(source_folder() + "/policies/access/access.cedarschema").value();
}

TEST(GrantRules, ReadsEverything) {
  const auto rules = parse_grant_rules(good, "grants.yaml");
  ASSERT_TRUE(rules) << rules.error().what;
  using std::chrono::hours;
  EXPECT_EQ(*rules,
            (GrantRules{
                .purposes = {{"support", hours(8), 1}, {"legal_duty", hours(24), 2}},
                .ticket_prefixes = {"T-"},
                .reason_words_min = 4,
                .requests_open_max = 2,
                .wait_max = hours(3),
                .approvers = {"administrators", "security"},
                .on_behalf = {"leads"},
                .break_glass = BreakGlassRule{{"on-call"}, std::chrono::minutes(30), hours(48)}}));
  EXPECT_EQ(rules->purpose("legal_duty")->approvals, 2);
  EXPECT_EQ(rules->purpose("sale"), nullptr);
}

TEST(GrantRules, TheShippedOnesFitTheShippedSchema) {
  const policy::Schema schema = shipped_schema();
  const auto rules = parse_grant_rules(read_file(source_folder() + "/policies/access/grants.yaml"),
                                       "grants.yaml", &schema);
  ASSERT_TRUE(rules) << rules.error().what;
  EXPECT_TRUE(rules->break_glass);
  EXPECT_FALSE(rules->purposes.empty());
}

struct Wrong {
  const char* name;
  std::string from;  // what of `good` is replaced
  std::string to;
  std::string told;
};

class GrantRulesMistakes : public testing::TestWithParam<Wrong> {};

TEST_P(GrantRulesMistakes, AreToldWithTheirLine) {
  const Wrong& row = GetParam();
  std::string text(good);
  const std::size_t at = text.find(row.from);
  ASSERT_NE(at, std::string::npos);
  text.replace(at, row.from.size(), row.to);
  const policy::Schema schema = shipped_schema();
  const auto rules = parse_grant_rules(text, "grants.yaml", &schema);
  ASSERT_FALSE(rules);
  EXPECT_EQ(rules.error().code, Code::invalid);
  EXPECT_THAT(rules.error().what, HasSubstr(row.told));
  EXPECT_THAT(rules.error().what, HasSubstr("grants.yaml, line "));
  EXPECT_EQ(std::ranges::count(rules.error().what, '\n'), 0) << rules.error().what;
}

INSTANTIATE_TEST_SUITE_P(
    Cases, GrantRulesMistakes,
    testing::Values(
        Wrong{"NoPurposeOfTheSchema", "support,", "sale,", "the schema has no Purpose 'sale'"},
        Wrong{"PurposeTwice", "legal_duty,", "support,", "'support' stands twice"},
        Wrong{"NoDuration", ", duration_max: 8h", "", "'duration_max' must be there"},
        Wrong{"NoEnd", "8h", "0h", "'duration_max': must not be zero"},
        Wrong{"TooLong", "8h", "32d", "'duration_max' must be at most 31 d"},
        Wrong{"Overflow", "8h", "99999999999999999999d", "'duration_max'"},
        Wrong{"ThreeApprovals", "approvals: 2", "approvals: 3", "a number from 1 to 2"},
        Wrong{"NoApproval", "approvals: 2", "approvals: 0", "a number from 1 to 2"},
        Wrong{"NoPurposes",
              "purposes:\n  - {purpose: support, duration_max: 8h}\n"
              "  - {purpose: legal_duty, duration_max: 1d, approvals: 2}",
              "purposes: []", "'purposes' must be a list"},
        Wrong{"NoApprovers", "approvers: [administrators, security]", "", "'approvers' must be"},
        Wrong{"NobodyApproves", "[administrators, security]", "[]", "'approvers' must be a list"},
        Wrong{"EmptyGroup", "[leads]", "['']", "'on_behalf' has an empty item"},
        Wrong{"GroupTwice", "[leads]", "[leads, leads]", "'leads' stands twice"},
        Wrong{"PrefixEndsInDigit", "\"T-\"", "\"T1\"", "cannot begin with 'T1'"},
        Wrong{"EmptyPrefix", "\"T-\"", "\"\"", "an empty item"},
        Wrong{"NoWords", "reason_words_min: 4", "reason_words_min: 0", "from 1 to 50"},
        Wrong{"ManyRequests", "open_max: 2", "open_max: 1001", "from 1 to 1000"},
        Wrong{"NoWait", "wait_max: 3h", "", "'wait_max' must be there"},
        Wrong{"GlassWithoutReview", ", review_within: 2d", "", "'review_within' must be there"},
        Wrong{"GlassOfNobody", "[on-call]", "[]", "'groups' must be a list"},
        Wrong{"Unknown", "wait_max", "wiat_max: 3h\nwait_max", "'wiat_max' is not known"},
        Wrong{"NoYaml", "tickets: [", "tickets: [[", "line "},
        Wrong{"TwoDocuments", "break_glass:", "---\nbreak_glass:", "expected one document"}),
    [](const auto& info) { return std::string(info.param.name); });

// One mistake may lead to a second, so that those of one line are not counted above; here all are.
TEST(GrantRules, AllMistakesAreToldTogether) {
  const auto rules = parse_grant_rules(
      "purposes: [{purpose: a, duration_max: 99d}, {purpose: a, duration_max: 1h}]\n"
      "tickets: [T1]\nwait_max: soon\napprovers: []\nwhat: 1\n",
      "g.yaml");
  ASSERT_FALSE(rules);
  for (const char* told :
       {"31 d", "'a' stands twice", "'T1'", "'wait_max'", "'approvers'", "'what' is not known"}) {
    EXPECT_THAT(rules.error().what, HasSubstr(told));
  }
}

TEST(GrantRules, NothingIsNoRules) {
  for (const char* text : {"", "[]", "a", "---\n---\n"}) {
    EXPECT_FALSE(parse_grant_rules(text, "g.yaml")) << text;
  }
}

}  // namespace
}  // namespace mailwarden::access
