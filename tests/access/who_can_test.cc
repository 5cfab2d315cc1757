// Grants and the shipped policies together.
#include "access/who_can.h"

#include <gmock/gmock.h>

#include "tests/access/grants.h"
#include "tests/access/shipped.h"

namespace mailwarden::access {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class WhoCan : public GrantsTest {
 protected:
  const policy::Entities& known() const { return point_->authorizer().entities(); }

  // As if everybody had signed in an hour ago as the policies ask.
  Inquiry inquiry() {
    view_ = book_->view();
    return {.point = *point_,
            .view = *view_,
            .context =
                [this](const Question&) {
                  return json::Object{{"now", datetime_text(now())},
                                      {"token", good_token(now() - hour)}};
                },
            .now = now()};
  }

  // "ada read by-grant 1", of all that is allowed.
  std::vector<std::string> who(const std::string& action, const std::string& system) {
    return told(
        who_can(inquiry(), {"Action", action}, {"System", system}, entities_of(known(), "User")));
  }
  std::vector<std::string> what(const Actor& person) {
    return told(what_can(inquiry(), {"User", person.who},
                         actions_of(*point_->loaded().schema, "User", "System"),
                         entities_of(known(), "System")));
  }
  static std::vector<std::string> told(const Result<Findings>& findings) {
    EXPECT_TRUE(findings) << findings.error().what;
    EXPECT_THAT(findings->problems, IsEmpty());
    std::vector<std::string> lines;
    for (const Allowed& one : findings->allowed) {
      std::string line = one.question.person.id.substr(0, 3) + " " + one.question.action.id + " " +
                         one.question.system.id;
      for (const std::string& policy : one.policies) line += " " + policy;
      if (one.grant) line += " " + std::to_string(one.grant->value);
      lines.push_back(std::move(line));
    }
    return lines;
  }

  std::shared_ptr<const policy::DecisionPoint> point_ = shipped_point();
  std::shared_ptr<const GrantView> view_;
};

TEST_F(WhoCan, WithoutGrantsNobodyReadsPersonalData) {
  EXPECT_THAT(who("read", "campaign-db"), IsEmpty());
  EXPECT_THAT(who("read", "wiki"),
              ElementsAre("ada read wiki no-personal-data", "bob read wiki no-personal-data",
                          "dan read wiki no-personal-data"));
}

TEST_F(WhoCan, AGrantOpensWhatPoliciesSayUntilItsEnd) {
  const Grant grant = approved();
  approved(eve);  // who has left
  EXPECT_THAT(who("read", "campaign-db"), ElementsAre("ada read campaign-db by-grant 1"));
  EXPECT_THAT(who("write", "campaign-db"), IsEmpty());
  must(book_->end(deed(grant, bob), rules_, now()));
  EXPECT_THAT(who("read", "campaign-db"), IsEmpty());
}

TEST_F(WhoCan, WhoBreaksTheGlassIsInWithoutApproval) {
  broken();
  EXPECT_THAT(who("read", "campaign-db"), ElementsAre("dan read campaign-db break-glass 1"));
  clock_.advance(hour);
  EXPECT_THAT(who("read", "campaign-db"), IsEmpty());
}

TEST_F(WhoCan, ARequestThatNobodyHasApprovedOpensNothing) {
  requested();
  EXPECT_THAT(who("read", "campaign-db"), IsEmpty());
}

TEST_F(WhoCan, OfTwoGrantsTheOneWhosePurposeFitsDecides) {
  GrantRequest request = ask(ada);
  request.purpose = "legal_duty";  // which the data is not kept for
  request.duration = 20 * hour;
  const Grant legal = requested(ada, &request);
  must(book_->approve(deed(legal, bob), rules_, now()));
  must(book_->approve(deed(legal, cid), rules_, now()));
  EXPECT_THAT(who("read", "campaign-db"), IsEmpty());
  approved();
  EXPECT_THAT(who("read", "campaign-db"), ElementsAre("ada read campaign-db by-grant 2"));
}

TEST_F(WhoCan, WhatAPersonCan) {
  EXPECT_THAT(what(eve), IsEmpty());
  approved();
  EXPECT_THAT(what(ada),
              ElementsAre("ada list campaign-db by-grant 1", "ada read campaign-db by-grant 1",
                          "ada export wiki no-personal-data", "ada list wiki no-personal-data",
                          "ada read wiki no-personal-data", "ada write wiki no-personal-data"));
}

TEST_F(WhoCan, TheDecisionSaysWithWhichGrant) {
  const Grant grant = approved();
  Scratch scratch;
  const Inquiry asked = inquiry();
  Question question{{"User", ada.who}, {"Action", "read"}, {"System", "campaign-db"}};
  const auto decide = [&] {
    return decide_with_grants(*point_, *view_, question, asked.context(question), now(), scratch);
  };
  EXPECT_EQ(decide().grant->id, grant.id);
  question.action.id = "write";
  EXPECT_FALSE(decide().decision.is_allowed);
  EXPECT_NE(decide().grant, nullptr) << "it was denied with the grant";
  question.system.id = "wiki";
  EXPECT_TRUE(decide().decision.is_allowed);
  EXPECT_EQ(decide().grant, nullptr) << "it needs none";
}

TEST_F(WhoCan, WhatCannotBeDecidedIsTold) {
  Inquiry asked = inquiry();
  asked.context = [](const Question&) { return json::Object{{"now", "yesterday"}}; };
  asked.options.problems_max = 2;
  const auto people = entities_of(known(), "User");
  const auto findings = who_can(asked, {"Action", "read"}, {"System", "wiki"}, people);
  ASSERT_TRUE(findings);
  EXPECT_THAT(findings->allowed, IsEmpty());
  ASSERT_EQ(findings->problems.size(), 2U);
  EXPECT_THAT(findings->problems[0], HasSubstr("User::\"ada@example.com\""));
  EXPECT_THAT(findings->problems[0], HasSubstr("now"));
  asked.options.decisions_max = 3;
  EXPECT_EQ(who_can(asked, {"Action", "read"}, {"System", "wiki"}, people).error().code,
            Code::full);
}

TEST_F(WhoCan, AnActorHasAllGroupsAboveThem) {
  EXPECT_THAT(actor_of(known(), ada.who).groups,
              testing::UnorderedElementsAre("engineers", "staff"));
  EXPECT_THAT(actor_of(known(), "nobody@example.com").groups, IsEmpty());
  EXPECT_FALSE(actor_of(known(), "mailwarden").is_daemon);
}

// --- the context ---

TEST_F(WhoCan, TheContextIsTheSchemasGrant) {
  const Grant grant = approved();
  EXPECT_EQ(json::to_text(context_of(grant)),
            R"({"approved_by":{"id":"bob@example.com","type":"User"},"break_glass":false,)"
            R"("purpose":{"id":"support","type":"Purpose"},"ticket":"T-1024",)"
            R"("until":")" +
                datetime_text(start + 4 * hour) + R"("})");
  EXPECT_FALSE(context_of(broken()).contains("approved_by"));
  EXPECT_EQ(datetime_text({0}), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(datetime_text({1'999}), "1970-01-01T00:00:00.001Z");
}

TEST_F(WhoCan, OneApprovalOfTwoIsNoneInTheContext) {
  GrantRequest request = ask(ada);
  request.purpose = "legal_duty";
  const Grant legal = requested(ada, &request);
  const Grant half = must(book_->approve(deed(legal, bob), rules_, now())).after;
  EXPECT_FALSE(context_of(half).contains("approved_by"));
}

}  // namespace
}  // namespace mailwarden::access
