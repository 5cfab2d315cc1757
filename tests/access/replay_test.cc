// Events that are accesses, and policies held against them.
#include "access/replay.h"

#include <gmock/gmock.h>

#include "access/arbiter.h"
#include "crypto/entropy.h"
#include "tests/access/grants.h"
#include "tests/access/shipped.h"
#include "tests/db/store.h"

namespace mailwarden::access {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const std::string rule_text = R"(
title: A sign-in to the campaign database
id: r1
logsource: {product: linux, service: sshd}
detection: {selection: {event: login_accepted}, condition: selection}
mailwarden:
  access: {person: "{user.name}@Example.com", action: "{act}", system: campaign-db}
  facts: {data_compromised: true}
)";

Event event_of(const std::string& user, Timestamp time, std::int64_t position = 1) {
  Event event{.id = {.stream = 7, .position = position},
              .time = time,
              .logsource = {.product = "linux", .service = "sshd"}};
  event.fields.add("event", "login_accepted");
  event.fields.add("act", "read");
  event.ocsf.user = user;
  event.ocsf.src_ip = "192.0.2.7";
  return event;
}

Accesses accesses(const std::string& text) {
  auto made = Accesses::make(detect::parse_rules(text, "a.yml"));
  EXPECT_TRUE(made) << made.error().what;
  return made ? *std::move(made) : Accesses();
}

std::vector<SeenAccess> read(const Accesses& rules, const Event& event) {
  detect::MatchScratch scratch;
  return rules.read(event, scratch);
}

TEST(Accesses, AreWhatTheirRulesSayOfAnEvent) {
  const auto seen = read(accesses(rule_text), event_of("ada", start));
  ASSERT_THAT(seen, SizeIs(1));
  EXPECT_EQ(seen[0].principal, (policy::EntityUid{"User", "ada@example.com"}));
  EXPECT_EQ(seen[0].action, (policy::EntityUid{"Action", "read"}));
  EXPECT_EQ(seen[0].system, (policy::EntityUid{"System", "campaign-db"}));
  EXPECT_EQ(seen[0].source, "192.0.2.7");
  EXPECT_EQ(seen[0].time, start);
  Event other = event_of("ada", start);
  other.logsource.service = "cron";
  EXPECT_THAT(read(accesses(rule_text), other), IsEmpty());
  EXPECT_THAT(read(Accesses(), event_of("ada", start)), IsEmpty());
}

TEST(Accesses, WhomAnEventDoesNotNameNobodyIs) {
  const auto seen = read(accesses(rule_text), event_of("", start));
  ASSERT_THAT(seen, SizeIs(1));
  EXPECT_EQ(seen[0].principal.id, "");
  EXPECT_EQ(fill("a {none} b", event_of("ada", start)), "");
  EXPECT_EQ(fill("{user.name}{user.name} {", event_of("ada", start)), "adaada {");
}

TEST(Accesses, AProgramIsAService) {
  std::string text = rule_text;
  text.replace(text.find("person: \"{user.name}@Example.com\""),
               std::string_view("person: \"{user.name}@Example.com\"").size(), "service: sender");
  EXPECT_EQ(read(accesses(text), event_of("ada", start))[0].principal,
            (policy::EntityUid{"Service", "sender"}));
}

TEST(Accesses, MistakesAreTold) {
  const auto wrong = [](const std::string& own) {
    const auto made = Accesses::make(
        detect::parse_rules("title: T\nid: r\nlogsource: {product: linux}\n"
                            "detection: {selection: {a: b}, condition: selection}\n" +
                                own,
                            "a.yml"));
    return made ? "none" : made.error().what;
  };
  EXPECT_THAT(wrong(""), HasSubstr("a.yml, line 1: the rule does not say whose access"));
  EXPECT_THAT(wrong("mailwarden: {access: {person: a, action: read}}"),
              HasSubstr("names an 'action' and a 'system'"));
  EXPECT_THAT(wrong("mailwarden: {access: {person: a, service: b, action: read, system: s}}"),
              HasSubstr("either a 'person' or a 'service'"));
  EXPECT_THAT(wrong("mailwarden: {access: {person: a, colour: read, system: s}}"),
              HasSubstr("'access' takes 'person' or 'service'"));
}

// --- sign-ins ---

DecisionRecord decision_with(const json::Object& token, const std::string& person,
                             Timestamp when = start) {
  DecisionRecord record{.id = "d", .when = when, .point = "check"};
  record.principal = {"User", person};
  record.action = {"Action", "read"};
  record.resource = {"System", "wiki"};
  record.context["token"] = token;
  record.believed_token = token;
  return record;
}

TEST(SignIns, TheLastOneBeforeCounts) {
  SignIns known;
  known.learn(decision_with(good_token(start + 2 * hour), "ada@example.com", start + 3 * hour));
  known.learn(decision_with(good_token(start), "ada@example.com", start + hour));
  const auto auth_time = [&](Timestamp at, const char* person = "ada@example.com") {
    return known.at(person, at).text("auth_time");
  };
  EXPECT_EQ(auth_time(start + 3 * hour), datetime_text(start + 2 * hour));
  EXPECT_EQ(auth_time(start + hour), datetime_text(start));
  EXPECT_EQ(auth_time(start - SignIns::slack), datetime_text(start));
  EXPECT_EQ(auth_time(start - SignIns::slack - second), "") << "before any";
  EXPECT_EQ(auth_time(start, "bob@example.com"), "");
}

// Whoever asks can say anything in the context.
TEST(SignIns, WhatWasNotBelievedTellsNothing) {
  SignIns known;
  DecisionRecord said = decision_with(good_token(start), "ada@example.com");
  said.believed_token.reset();
  known.learn(said);
  known.learn(decision_with(good_token(start + hour), "ada@example.com"));
  DecisionRecord service = decision_with(good_token(start), "sender");
  service.principal.type = "Service";
  known.learn(service);
  EXPECT_TRUE(known.at("ada@example.com", start + 2 * hour).is_null())
      << "neither what was only said nor what is to come";
  EXPECT_TRUE(known.at("sender", start).is_null());
}

TEST(SignIns, KeepTheLastFewOfEach) {
  SignIns known;
  for (int i = 0; i < 20; ++i) {
    known.learn(decision_with(good_token(start + i * hour), "ada@example.com", start + i * hour));
  }
  EXPECT_TRUE(known.at("ada@example.com", start + 11 * hour).is_null());
  EXPECT_FALSE(known.at("ada@example.com", start + 12 * hour).is_null());
}

TEST(SignIns, WhatIsKnownAlreadyIsNoNews) {
  SignIns known;
  EXPECT_TRUE(known.learn(decision_with(good_token(start), "ada@example.com")));
  EXPECT_FALSE(known.learn(decision_with(good_token(start), "ada@example.com", start + hour)));
  json::Object by_key = good_token(start);
  by_key["security_key"] = true;
  EXPECT_TRUE(known.learn(decision_with(by_key, "ada@example.com")));
  json::Object without = good_token(start);
  without.erase("auth_time");
  EXPECT_FALSE(known.learn(decision_with(without, "bob@example.com")));
}

TEST(SignIns, AreKnownAgainBehindAStart) {
  const auto database = fresh_store();
  ASSERT_TRUE(db::migrate(*database, sign_in_migrations(), start));
  SignIns known;
  const auto learn = [&](const std::string& person, Timestamp time) {
    const auto news = known.learn(decision_with(good_token(time), person, time));
    ASSERT_TRUE(news);
    ASSERT_TRUE(store(*database, *news));
    ASSERT_TRUE(store(*database, *news)) << "the same row again changes nothing";
  };
  learn("old@example.com", start - SignIns::horizon - second);
  for (int i = 0; i < 100; ++i) learn("ada@example.com", start - i * hour);
  for (int i = 1; i <= 30; ++i) learn("ada@example.com", start + i * hour);
  const auto again = SignIns::load(*database, start);
  ASSERT_TRUE(again) << again.error().what;
  for (const Timestamp at : {start + 23 * hour, start + 24 * hour, start + 40 * hour}) {
    EXPECT_EQ(again->at("ada@example.com", at), known.at("ada@example.com", at));
  }
  EXPECT_FALSE(again->at("ada@example.com", start + 30 * hour).is_null());
  EXPECT_TRUE(again->at("old@example.com", start).is_null());
  const auto rows = database->query("SELECT count(*) FROM sign_in WHERE person = $1",
                                    {std::string_view("ada@example.com")});
  ASSERT_TRUE((*rows)->step().value());
  EXPECT_LE((*rows)->integer(0), 50) << "what is too old is removed";
}

// --- replay ---

class ReplayTest : public GrantsTest {
 protected:
  std::vector<DecisionRecord> judge(const std::vector<Event>& events) {
    seen_.clear();
    for (const Event& event : events) {
      for (SeenAccess& access : read(rules_of_accesses_, event)) seen_.push_back(access);
    }
    Replay replay({.in_force = {.point = point_, .origins = nullptr},
                   .sign_ins = sign_ins_,
                   .grants = book_->view(),
                   .database = *database_,
                   .entropy = entropy_});
    auto judged = replay.judge(seen_);
    EXPECT_TRUE(judged) << judged.error().what;
    return judged ? *std::move(judged) : std::vector<DecisionRecord>();
  }
  std::string verdict(const std::string& user, Timestamp at) {
    const auto judged = judge({event_of(user, at)});
    EXPECT_THAT(judged, SizeIs(1));
    return std::string(policy::to_string(judged[0].decision.why));
  }
  void signed_in(const Actor& person, Timestamp at) {
    sign_ins_.learn(decision_with(good_token(at), person.who));
  }

  Accesses rules_of_accesses_ = accesses(rule_text);
  std::shared_ptr<const policy::DecisionPoint> point_ = shipped_point();
  SignIns sign_ins_;
  crypto::SystemEntropy entropy_;
  std::vector<SeenAccess> seen_;
};

TEST_F(ReplayTest, AnAccessUnderAGrantAfterASignInIsInOrder) {
  signed_in(ada, now());
  approved();
  clock_.advance(hour);
  EXPECT_EQ(verdict("ada", now()), "permitted");
  EXPECT_EQ(verdict("bob", now()), "forbidden") << "who signed in nowhere";
}

TEST_F(ReplayTest, WhatPolicyDeniesIsExplained) {
  signed_in(ada, now());
  const auto judged = judge({event_of("ada", now())});
  ASSERT_THAT(judged, SizeIs(1));
  EXPECT_FALSE(judged[0].decision.is_allowed);
  EXPECT_EQ(judged[0].point, "replay");
  EXPECT_EQ(judged[0].when, now());
  const detect::Detection found = denied_access(judged[0], seen_[0]);
  EXPECT_EQ(found.rule_id, "access-denied-by-policy");
  EXPECT_EQ(found.entity, (detect::Entity{"account", "ada@example.com"}));
  EXPECT_EQ(found.event, seen_[0].event);
  EXPECT_EQ(found.facts, (std::map<std::string, std::int64_t>{{"data_compromised", 1},
                                                              {"unpermitted_access", 1}}));
  std::string because;
  for (const detect::Because& one : found.because) because += one.field + "=" + one.value + "\n";
  EXPECT_THAT(because, HasSubstr("why=not_permitted\n"));
  EXPECT_THAT(because, HasSubstr("would be allowed if=a grant with purpose for this system"));
}

TEST_F(ReplayTest, AGrantCountsForItsTimeAlone) {
  signed_in(ada, now());
  const Timestamp before = now() - minute;
  const Grant grant = approved();
  const Timestamp during = now() + hour;
  clock_.advance(2 * hour);
  must(book_->end(deed(grant, bob), rules_, now()));
  const Timestamp after = now() + minute;
  clock_.advance(hour);
  EXPECT_EQ(verdict("ada", before), "forbidden") << "and not signed in either";
  EXPECT_EQ(verdict("ada", during), "permitted") << "the line was read after the grant had ended";
  EXPECT_EQ(verdict("ada", after), "not_permitted");
}

TEST_F(ReplayTest, AGrantThatRanOutIsHeldToItsEnd) {
  signed_in(ada, now());
  approved();  // for four hours
  const Timestamp granted = now();
  clock_.advance(5 * hour);
  expire();
  EXPECT_EQ(verdict("ada", granted + 4 * hour - second), "permitted");
  EXPECT_EQ(verdict("ada", granted + 4 * hour), "not_permitted");
}

TEST_F(ReplayTest, WhoHasLeftAndWhoIsUnknownMayNot) {
  signed_in(eve, now());
  EXPECT_EQ(verdict("eve", now()), "forbidden");
  EXPECT_EQ(verdict("mallory", now()), "forbidden");
  EXPECT_EQ(verdict("", now()), "forbidden") << "the event names nobody";
  EXPECT_EQ(denied_access(judge({event_of("", now())})[0], seen_[0]).entity, detect::Entity());
}

TEST_F(ReplayTest, WhatIsAlikeIsOneDecision) {
  signed_in(ada, now());
  std::vector<Event> events;
  for (int i = 0; i < 100; ++i) events.push_back(event_of(i % 10 == 9 ? "eve" : "ada", now(), i));
  const auto judged = judge(events);
  ASSERT_THAT(judged, SizeIs(2));
  EXPECT_EQ(judged[0].replayed->count, 90);
  EXPECT_THAT(judged[0].replayed->events, SizeIs(Replayed::events_max));
  EXPECT_EQ(judged[0].replayed->events[0], seen_[0].event);
  EXPECT_EQ(judged[1].replayed->count, 10);
  EXPECT_NE(judged[0].id, judged[1].id);
  const json::Object record = to_record(judged[1]);
  EXPECT_EQ(record.at("replayed").integer("count"), 10);
  EXPECT_EQ(record.at("replayed").text("rule"), "r1");
}

TEST_F(ReplayTest, AStoreThatCannotBeReadIsTold) {
  ASSERT_TRUE(database_->run("DROP TABLE grants", {}));
  signed_in(ada, now());
  seen_ = read(rules_of_accesses_, event_of("ada", now()));
  Replay replay({.in_force = {.point = point_, .origins = nullptr},
                 .sign_ins = sign_ins_,
                 .grants = book_->view(),
                 .database = *database_,
                 .entropy = entropy_});
  EXPECT_FALSE(replay.judge(seen_));
}

}  // namespace
}  // namespace mailwarden::access
