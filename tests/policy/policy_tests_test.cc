// Tests of access policies, and the access policies that are shipped.
#include "policy/policy_tests.h"

#include <gtest/gtest.h>

#include "tests/policy/given.h"
#include "tests/temporary.h"

namespace mailwarden::policy {
namespace {

TEST(PolicyTests, TheAccessPoliciesKeepTheirClaims) {
  const auto made =
      test_policies({.paths = {source_folder() + "/policies/access"}, .needs_schema = true});
  ASSERT_TRUE(made) << made.error().what;
  EXPECT_EQ(made->failures, std::vector<std::string>());
  EXPECT_GT(made->policies, 10U);
  EXPECT_GT(made->cases, made->policies);
}

class OwnTests : public testing::Test {
 protected:
  void SetUp() override {
    write_file(folder_.path("a.cedarschema"),
               "entity User in [Group] {active: Bool}; entity Group; entity Doc;"
               "action read, write appliesTo {principal: User, resource: Doc,"
               " context: {mfa?: Bool, note?: String}};");
    write_file(folder_.path("a.cedar"),
               "@id(\"readers\") permit(principal in Group::\"staff\", action == Action::\"read\","
               " resource) when { context has mfa && context.mfa };\n"
               "@id(\"leavers\") forbid(principal, action, resource) "
               "unless { principal.active };");
  }

  // Of cases behind a usual request that is allowed.
  Result<PolicyTests> run(const std::string& cases) const {
    write_file(folder_.path("a.test.yml"), R"(
entities:
  - {uid: {type: User, id: ada}, attrs: {active: true}, parents: [{type: Group, id: staff}]}
  - {uid: {type: User, id: eve}, attrs: {active: true}, parents: []}
request:
  principal: 'User::"ada"'
  action: 'Action::"read"'
  resource: 'Doc::"d"'
  context: {mfa: true, note: x}
cases:
)" + cases);
    return test_policies({.paths = {folder_.path()}});
  }
  std::vector<std::string> failures(const std::string& cases) const {
    return must(run(cases)).failures;
  }

  TemporaryFolder folder_;
};

constexpr const char* all_policies =
    "  - {name: as usual, expect: allow, policies: [readers]}\n"
    "  - {name: who left, facts: {'User::\"ada\"': {active: false}}, expect: deny,\n"
    "     policies: [leavers], why: forbidden, way: principal.active must be true}\n";

TEST_F(OwnTests, CasesThatHold) {
  const PolicyTests made = must(run(
      std::string(all_policies) +
      "  - {name: another, principal: 'User::\"eve\"', expect: deny, why: not_permitted,\n"
      "     way: must be in Group}\n"
      "  - {name: another action, action: 'Action::\"write\"', expect: deny, why: not_permitted}\n"
      "  - {name: without a factor, context: {mfa: false}, expect: deny, way: context.mfa}\n"
      "  - {name: without a fact, context: {mfa: null}, expect: deny, way: context.mfa}\n"
      "  - {name: another doc, resource: 'Doc::\"e\"', context: {note: null}, expect: allow}\n"));
  EXPECT_EQ(made.failures, std::vector<std::string>());
  EXPECT_EQ(made.policies, 2U);
  EXPECT_EQ(made.cases, 7U);
}

struct Failing {
  const char* name;
  std::string cases;
  const char* says;
};

TEST_F(OwnTests, CasesThatDoNotHold) {
  const std::vector<Failing> cases{
      {"another decision", "  - {name: one, expect: deny}\n", "'one': it is permitted readers"},
      {"another decision, with what would change it",
       "  - {name: one, context: {mfa: false}, expect: allow}\n",
       "allowed by 'readers' if context.mfa must be true (it is false)"},
      {"another policy", "  - {name: one, expect: allow, policies: [leavers]}\n",
       "decided by readers"},
      {"a policy too many", "  - {name: one, expect: allow, policies: [readers, leavers]}\n",
       "decided by readers"},
      {"another reason",
       "  - {name: one, action: 'Action::\"write\"', expect: deny, why: forbidden}\n",
       "it is not_permitted, not forbidden"},
      {"another way", "  - {name: one, context: {mfa: false}, expect: deny, way: principal.age}\n",
       "no way to be allowed tells of 'principal.age'"},
      {"a request that is none", "  - {name: one, principal: ada, expect: allow}\n", "principal: "},
      {"a context that does not fit", "  - {name: one, context: {mfa: 1}, expect: allow}\n",
       "it is invalid_request"},
      {"facts of nobody", "  - {name: one, facts: {'User::\"x\"': {}}, expect: allow}\n",
       "there is no User::\"x\""},
      {"facts that do not fit",
       "  - {name: one, facts: {'User::\"ada\"': {active: 1}}, expect: allow}\n", "is no Bool"}};
  for (const Failing& one : cases) {
    const auto found = failures(all_policies + one.cases);
    ASSERT_EQ(found.size(), 1U) << one.name;
    EXPECT_NE(found[0].find(one.says), std::string::npos) << one.name << ": " << found[0];
    EXPECT_NE(found[0].find("a.test.yml, line 14"), std::string::npos)
        << one.name << ": " << found[0];
  }
}

TEST_F(OwnTests, APolicyThatNoCaseIsDecidedByIsAFailure) {
  const auto found = failures("  - {name: as usual, expect: allow}\n");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0], "policy 'leavers': no case is decided by it");
}

TEST_F(OwnTests, FilesThatAreNone) {
  for (const char* cases :
       {"  - {name: one}\n", "  - {name: one, expect: maybe}\n",
        "  - {name: one, expect: allow, foo: 1}\n", "  - 1\n", "  - {name: [, expect: allow}\n"}) {
    const auto made = run(cases);
    ASSERT_FALSE(made) << cases;
    EXPECT_EQ(made.error().code, Code::invalid) << cases;
    EXPECT_NE(made.error().what.find("a.test.yml"), std::string::npos) << made.error().what;
  }
  write_file(folder_.path("a.cedar"), "permit");
  EXPECT_FALSE(run(all_policies));
}

}  // namespace
}  // namespace mailwarden::policy
