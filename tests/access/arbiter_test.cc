#include "access/arbiter.h"

#include <gmock/gmock.h>

#include "crypto/entropy.h"
#include "tests/access/grants.h"
#include "tests/access/shipped.h"

namespace mailwarden::access {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ArbiterTest : public GrantsTest {
 protected:
  ArbiterTest() { arbiter_.use({.point = shipped_point(), .origins = nullptr}); }

  // A token is its bearer's name.
  Result<identity::Claims> verify(std::string_view token) const {
    if (token == "forged") return fail(Code::denied, "the signature is wrong");
    return identity::Claims{.issuer = "https://accounts.google.com",
                            .subject = "1",
                            .hosted_domain = "example.com",
                            .email = std::string(token),
                            .email_verified = token != "eve@example.com",
                            .methods = std::vector<std::string>{"mfa"},
                            .authenticated_at = now()};
  }

  Verdict decide(const std::string& person, const std::string& system,
                 const json::Object& context = {}) {
    return arbiter_.decide({.point = "authzen",
                            .asked_by = "CN=gate",
                            .principal = {"User", person},
                            .action = {"Action", "read"},
                            .resource = {"System", system},
                            .context = context});
  }
  Verdict decide(const Actor& person, const std::string& system) {
    return decide(person.who, system, {{"token", person.who}});
  }

  crypto::SystemEntropy entropy_;
  bool is_kept_ = true;
  std::vector<std::pair<DecisionRecord, bool>> kept_;
  Arbiter arbiter_{{.clock = clock_,
                    .entropy = entropy_,
                    .verify = [this](std::string_view token, Timestamp) { return verify(token); },
                    .grants = [this] { return book_->view(); },
                    .keep =
                        [this](std::unique_ptr<Undertaken> undertaken, bool durable) {
                          add_facts(undertaken->record, *undertaken->in_force);
                          kept_.emplace_back(std::move(undertaken->record), durable);
                          return is_kept_;
                        }}};
};

TEST_F(ArbiterTest, BringsTogetherTokenGrantAndTime) {
  EXPECT_EQ(decide(ada, "campaign-db").decision.why, policy::Decision::Why::not_permitted);
  const Grant grant = approved();
  const Verdict verdict = decide(ada, "campaign-db");
  EXPECT_TRUE(verdict.is_allowed) << verdict.decision.invalid;
  const DecisionRecord& record = kept_.back().first;
  EXPECT_EQ(record.id, verdict.id);
  EXPECT_EQ(record.when, now());
  EXPECT_EQ(record.point, "authzen");
  EXPECT_EQ(record.asked_by, "CN=gate");
  EXPECT_EQ(record.context.at("grant").text("ticket"), grant.ticket);
  EXPECT_EQ(record.context.at("token").text("issuer"), "https://accounts.google.com");
  EXPECT_THAT(record.groups, testing::UnorderedElementsAre(policy::EntityUid{"Group", "engineers"},
                                                           policy::EntityUid{"Group", "staff"}));
  clock_.advance(5 * hour);
  EXPECT_FALSE(decide(ada, "campaign-db").is_allowed);
}

TEST_F(ArbiterTest, OfSeveralGrantsOneMustFit) {
  GrantRequest request = ask(ada);
  request.purpose = "legal_duty";  // which the data is not kept for, and which lasts longer
  request.duration = 20 * hour;
  const Grant legal = requested(ada, &request);
  must(book_->approve(deed(legal, bob), rules_, now()));
  must(book_->approve(deed(legal, cid), rules_, now()));
  EXPECT_EQ(decide(ada, "campaign-db").decision.why, policy::Decision::Why::forbidden);
  approved();
  EXPECT_TRUE(decide(ada, "campaign-db").is_allowed);
}

TEST_F(ArbiterTest, ATokenIsItsBearersAlone) {
  approved();
  const Verdict verdict = decide(ada.who, "campaign-db", {{"token", bob.who}});
  EXPECT_FALSE(verdict.is_allowed);
  EXPECT_EQ(verdict.token_trouble, "the token is not that of User::\"ada@example.com\"");
  EXPECT_FALSE(kept_.back().first.context.contains("token"));
  EXPECT_THAT(decide("eve@example.com", "wiki", {{"token", "eve@example.com"}}).token_trouble,
              HasSubstr("not that of"))
      << "an address that nobody has verified";
  EXPECT_EQ(decide(ada.who, "wiki", {{"token", "forged"}}).token_trouble, "the signature is wrong");
}

TEST_F(ArbiterTest, WhatIsSaidOfTimeGrantAndTokenIsNotBelieved) {
  const json::Object said{{"now", "2000-01-01T00:00:00Z"},
                          {"token", good_token(now())},
                          {"grant", json::Object{{"purpose", "support"}}}};
  EXPECT_FALSE(decide(ada.who, "campaign-db", said).is_allowed);
  const json::Object& context = kept_.back().first.context;
  EXPECT_EQ(context.at("now"), json::Value(datetime_text(now())));
  EXPECT_FALSE(context.contains("token"));
  EXPECT_FALSE(context.contains("grant"));
}

TEST_F(ArbiterTest, WithoutPoliciesNobodyMayDoAnything) {
  arbiter_.use({});
  const Verdict verdict = decide(bob, "wiki");
  EXPECT_FALSE(verdict.is_allowed);
  EXPECT_EQ(verdict.decision.invalid, "no access policies are in force");
  EXPECT_EQ(kept_.size(), 1U) << "and that is a record too";
}

TEST_F(ArbiterTest, WhatMustBeRecordedAndIsNotIsDenied) {
  GrantRequest request = ask(ada, "payroll");
  const Grant grant = requested(ada, &request);
  must(book_->approve(deed(grant, bob), rules_, now()));
  EXPECT_TRUE(decide(ada, "payroll").is_allowed);
  EXPECT_TRUE(kept_.back().second) << "it waits for the record";
  is_kept_ = false;
  const Verdict verdict = decide(ada, "payroll");
  EXPECT_FALSE(verdict.is_allowed);
  EXPECT_FALSE(verdict.decision.is_allowed);
  const DecisionRecord& tried = kept_[kept_.size() - 2].first;
  const DecisionRecord& kept = kept_.back().first;
  EXPECT_EQ(verdict.decision.invalid, "decision " + tried.id +
                                          " could not be recorded in time, which this system "
                                          "asks for");
  EXPECT_TRUE(tried.decision.is_allowed);
  EXPECT_FALSE(kept.decision.is_allowed);
  EXPECT_EQ(kept.id, verdict.id) << "what was answered is the record of that id";
  EXPECT_NE(kept.id, tried.id) << "which may be stored later";
  EXPECT_TRUE(decide(ada, "wiki").is_allowed) << "which does not ask for it";
  EXPECT_FALSE(kept_.back().second);
  EXPECT_FALSE(decide(bob, "payroll").is_allowed);
  EXPECT_FALSE(kept_.back().second) << "a denial waits for nothing";
}

// An action that the schema does not have takes what was said along, and believes none of it.
TEST_F(ArbiterTest, OnlyATokenThatWasVerifiedIsBelieved) {
  arbiter_.decide({.point = "authzen",
                   .principal = {"User", ada.who},
                   .action = {"Action", "nonsense"},
                   .resource = {"System", "wiki"},
                   .context = {{"token", good_token(now())}}});
  EXPECT_FALSE(kept_.back().first.believed_token);
  decide(ada.who, "wiki", {{"token", good_token(now())}});
  EXPECT_FALSE(kept_.back().first.believed_token);
  decide(ada.who, "wiki", {{"token", bob.who}});
  EXPECT_FALSE(kept_.back().first.believed_token);
  decide(ada, "wiki");
  ASSERT_TRUE(kept_.back().first.believed_token);
  EXPECT_EQ(kept_.back().first.believed_token->text("auth_time"), datetime_text(now()));
}

TEST_F(ArbiterTest, WhatIsKnownIsNotReliedOnBeyondItsTime) {
  arbiter_.use({.point = shipped_point(), .origins = nullptr, .until = now() + minute});
  EXPECT_TRUE(decide(bob, "wiki").is_allowed);
  clock_.advance(minute + InForce::slack - Duration(1));
  EXPECT_TRUE(decide(bob, "wiki").is_allowed) << "something newer is on its way";
  clock_.advance(Duration(1));
  EXPECT_FALSE(decide(bob, "wiki").is_allowed);
  EXPECT_THAT(decide(bob, "wiki").decision.invalid, HasSubstr("not been brought up to date"));
}

}  // namespace
}  // namespace mailwarden::access
