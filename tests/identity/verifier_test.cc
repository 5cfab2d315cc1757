#include "identity/verifier.h"

#include <atomic>
#include <mutex>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/identity/token_maker.h"

namespace mailwarden::identity {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;

// An issuer's server: what it answers now, and how often it was asked.
struct IssuerServer {
  std::mutex mutex;
  Result<KeyDocument> answer = fail(Code::unavailable, "nobody answers");
  int asked = 0;

  void publish(const std::vector<json::Object>& keys, std::optional<Duration> fresh_for = {}) {
    const std::lock_guard lock(mutex);
    answer = KeyDocument{key_set_text(keys), fresh_for};
  }
  void fall_silent() {
    const std::lock_guard lock(mutex);
    answer = fail(Code::unavailable, "nobody answers");
  }
  void say(std::string text) {
    const std::lock_guard lock(mutex);
    answer = KeyDocument{std::move(text), {}};
  }
  KeySource source() {
    return [this] {
      const std::lock_guard lock(mutex);
      ++asked;
      return answer;
    };
  }
};

Issuer issuer(const std::string& name, Expectations expected, IssuerServer& server) {
  return {.name = name, .expected = std::move(expected), .keys = server.source()};
}

class VerifierTest : public testing::Test {
 protected:
  void SetUp() override {
    google_.publish({jwk(p256_key(), "k1")});
    other_.publish({jwk(second_, "k1")});
    make({});
  }

  void make(const VerifierOptions& options) {
    std::vector<Issuer> issuers;
    issuers.push_back(issuer("google", identity::google("app.example", "example.com"), google_));
    issuers.push_back(
        issuer("other", {.issuers = {"https://id.example"}, .audiences = {"app.example"}}, other_));
    verifier_ = Verifier::make(std::move(issuers), options).value();
  }

  // "" where the token is believed.
  std::string judge(const std::string& token, Timestamp now = noon,
                    const std::optional<std::string>& nonce = {}) {
    const auto claims = verifier_->verify(token, now, nonce);
    return claims ? "" : std::string(to_string(claims.error().code)) + " " + claims.error().what;
  }

  // Long-lived, for tests that let time pass.
  static std::string lasting(const PrivateKey& key, const std::string& id) {
    return good_token(key, id, {{"exp", noon_seconds + 30 * 24 * 3600}});
  }

  PrivateKey second_ = PrivateKey::on_curve();
  IssuerServer google_;
  IssuerServer other_;
  std::unique_ptr<Verifier> verifier_;
};

constexpr const char* denied_unknown_key = "denied token: the issuer's key set has no such key";
constexpr const char* silent = "unavailable google: key set: nobody answers";

TEST_F(VerifierTest, AsksTheServerOfTheIssuerAndNoOther) {
  EXPECT_EQ(judge(good_token(p256_key(), "k1")), "");
  EXPECT_EQ(google_.asked, 1);
  EXPECT_EQ(other_.asked, 0);
  EXPECT_EQ(judge(good_token(second_, "k1", {{"iss", "https://id.example"}, {"hd", {}}})), "");
  EXPECT_EQ(other_.asked, 1);
}

// Else one issuer could speak of the other's people.
TEST_F(VerifierTest, AKeyOfOneIssuerSignsNothingForAnother) {
  EXPECT_EQ(judge(good_token(second_, "k1")), "denied token: the signature is wrong");
  EXPECT_EQ(judge(good_token(p256_key(), "k1", {{"iss", "https://id.example"}})),
            "denied token: the signature is wrong");
}

TEST_F(VerifierTest, AnUnknownIssuerCostsNoRequest) {
  EXPECT_EQ(judge(good_token(p256_key(), "k1", {{"iss", "https://evil.example"}})),
            "denied token: it is of an issuer that is not known");
  EXPECT_EQ(judge("foo"), "invalid token: not three parts with dots between");
  EXPECT_EQ(judge(std::string(16 * 1024 + 1, 'x')),
            "full token: it has 16385 bytes; at most 16384 are read");
  EXPECT_EQ(google_.asked + other_.asked, 0);
}

TEST_F(VerifierTest, RemembersWhatItHasVerified) {
  const std::string token = good_token(p256_key(), "k1");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(judge(token), "");
  EXPECT_EQ(verifier_->verified(), 1U);
  EXPECT_EQ(verifier_->verify(token, noon)->email, "ada@example.com");
}

TEST_F(VerifierTest, RemembersNothingThatItRefused) {
  EXPECT_NE(judge(good_token(p256_key(), "k1", {{"aud", "other"}})), "");
  EXPECT_NE(judge(good_token(second_, "k1")), "");
  EXPECT_NE(judge(good_token(p256_key(), "k1"), noon + hours(2)), "");
  EXPECT_EQ(verifier_->verified(), 0U);
}

TEST_F(VerifierTest, ARememberedTokenExpiresAllTheSame) {
  const std::string token = good_token(p256_key(), "k1");
  EXPECT_EQ(judge(token), "");
  EXPECT_EQ(judge(token, noon + hours(1) + minutes(1) - tick), "");
  EXPECT_EQ(judge(token, noon + hours(1) + minutes(1)), "denied token: it has expired");
  EXPECT_EQ(verifier_->verified(), 0U);
}

TEST_F(VerifierTest, ARememberedTokenIsHeldAgainstItsNonceEachTime) {
  const std::string token = good_token(p256_key(), "k1");
  EXPECT_EQ(judge(token), "");
  EXPECT_EQ(judge(token, noon, "n-0S6_WzA2Mj"), "");
  EXPECT_EQ(judge(token, noon, "another"), "denied token: it is not of this sign-in");
  EXPECT_EQ(judge(token), "");
}

TEST_F(VerifierTest, RemembersNoMoreThanTheLimit) {
  make({.verified_max = 2});
  for (const char* id : {"1", "2", "3"}) {
    EXPECT_EQ(judge(good_token(p256_key(), "k1", {{"jti", id}})), "");
  }
  EXPECT_EQ(verifier_->verified(), 2U);
}

TEST_F(VerifierTest, ARememberedTokenFallsWithItsKey) {
  const std::string token = lasting(p256_key(), "k1");
  EXPECT_EQ(judge(token), "");
  google_.publish({jwk(second_, "k2")});
  EXPECT_EQ(judge(token, noon + hours(1) - tick), "") << "the set is still fresh";
  EXPECT_EQ(judge(token, noon + hours(1)), denied_unknown_key);
  EXPECT_EQ(verifier_->verified(), 0U);
}

TEST_F(VerifierTest, ARememberedTokenFallsWhereItsKeysIdIsGivenToAnother) {
  const std::string token = lasting(p256_key(), "k1");
  EXPECT_EQ(judge(token), "");
  google_.publish({jwk(second_, "k1")});
  EXPECT_EQ(judge(token, noon + hours(1)), "denied token: the signature is wrong");
}

TEST_F(VerifierTest, ARememberedTokenStaysWhereItsKeyStays) {
  const std::string token = lasting(p256_key(), "k1");
  EXPECT_EQ(judge(token), "");
  google_.publish({jwk(second_, "k2"), jwk(p256_key(), "k1")});
  EXPECT_EQ(judge(token, noon + hours(1)), "");
  EXPECT_EQ(google_.asked, 2);
  EXPECT_EQ(verifier_->verified(), 1U);
}

TEST_F(VerifierTest, KeysAreFetchedAnewWhenTheirTimeIsUp) {
  const std::string token = lasting(p256_key(), "k1");
  google_.publish({jwk(p256_key(), "k1")}, hours(2));
  EXPECT_EQ(judge(token), "");
  EXPECT_EQ(judge(token, noon + hours(2) - tick), "");
  EXPECT_EQ(google_.asked, 1);
  EXPECT_EQ(judge(token, noon + hours(2)), "");
  EXPECT_EQ(google_.asked, 2);
}

TEST_F(VerifierTest, WhatTheServerSaysOfFreshnessHasBounds) {
  const std::string token = lasting(p256_key(), "k1");
  google_.publish({jwk(p256_key(), "k1")}, Duration::zero());
  EXPECT_EQ(judge(token), "");
  EXPECT_EQ(judge(token, noon + minutes(5) - tick), "");
  EXPECT_EQ(google_.asked, 1);
  google_.publish({jwk(p256_key(), "k1")}, hours(10'000));
  EXPECT_EQ(judge(token, noon + minutes(5)), "");
  EXPECT_EQ(google_.asked, 2);
  const Timestamp fetched = noon + minutes(5);
  EXPECT_EQ(judge(token, fetched + hours(23)), "");
  EXPECT_EQ(google_.asked, 2);
  EXPECT_EQ(verifier_->states()[0].keys.fresh_until, fetched + hours(24));
}

TEST_F(VerifierTest, AnUnknownKeyIsAskedForAtOnceAndThenInTurns) {
  EXPECT_EQ(judge(lasting(p256_key(), "k1")), "");
  google_.publish({jwk(p256_key(), "k1"), jwk(second_, "k2")});
  const std::string turned = lasting(second_, "k2");
  EXPECT_EQ(judge(turned, noon + minutes(1) - tick), denied_unknown_key)
      << "it was asked a moment ago";
  EXPECT_EQ(google_.asked, 1);
  EXPECT_EQ(judge(turned, noon + minutes(1)), "");
  EXPECT_EQ(google_.asked, 2);
}

// Anybody can write a token with an unknown key.
TEST_F(VerifierTest, AFloodOfUnknownKeysAsksOnceAMinute) {
  EXPECT_EQ(judge(lasting(p256_key(), "k1")), "");
  for (int second = 0; second < 600; ++second) {
    const std::string token = lasting(second_, "x" + std::to_string(second));
    EXPECT_EQ(judge(token, noon + seconds(second)), denied_unknown_key);
  }
  EXPECT_EQ(google_.asked, 10);
  EXPECT_EQ(other_.asked, 0);
}

TEST_F(VerifierTest, AFloodOfUnknownKeysAsksASilentServerOnceAMinuteToo) {
  EXPECT_EQ(judge(lasting(p256_key(), "k1")), "");
  google_.fall_silent();
  for (int second = 60; second < 660; ++second) {
    EXPECT_EQ(judge(lasting(second_, "x"), noon + seconds(second)), silent);
  }
  EXPECT_EQ(google_.asked, 11);
  EXPECT_EQ(judge(lasting(p256_key(), "k1"), noon + seconds(660)), "") << "known keys still serve";
}

TEST_F(VerifierTest, OldKeysServeForAWhileWhereTheServerIsSilent) {
  const std::string token = lasting(p256_key(), "k1");
  EXPECT_EQ(judge(token), "");
  google_.fall_silent();
  EXPECT_EQ(judge(token, noon + hours(1)), "");
  EXPECT_EQ(judge(lasting(p256_key(), "k1"), noon + hours(13) - tick), "");
  EXPECT_EQ(judge(token, noon + hours(13)), silent);
  EXPECT_EQ(judge(lasting(p256_key(), "k1"), noon + hours(13)), silent);
  google_.publish({jwk(p256_key(), "k1")});
  EXPECT_EQ(judge(token, noon + hours(13) + seconds(15)), "");
}

TEST_F(VerifierTest, OldKeysServeForAWhileWhereTheServerTalksNonsense) {
  const std::string token = lasting(p256_key(), "k1");
  EXPECT_EQ(judge(token), "");
  google_.say("<html>maintenance</html>");
  EXPECT_EQ(judge(token, noon + hours(1)), "");
  EXPECT_THAT(judge(token, noon + hours(13)), HasSubstr("unavailable google: key set: key set: "));
}

// An empty set is an answer: the issuer has taken its keys back.
TEST_F(VerifierTest, AnEmptySetTakesTheKeysAway) {
  const std::string token = lasting(p256_key(), "k1");
  EXPECT_EQ(judge(token), "");
  google_.publish({});
  EXPECT_EQ(judge(token, noon + hours(1)), denied_unknown_key);
}

TEST_F(VerifierTest, ASilentServerIsNotAskedAgainForEachToken) {
  google_.fall_silent();
  for (int i = 0; i < 100; ++i) EXPECT_EQ(judge(good_token(p256_key(), "k1")), silent);
  EXPECT_EQ(google_.asked, 1);
  EXPECT_EQ(judge(good_token(p256_key(), "k1"), noon + seconds(15) - tick), silent);
  EXPECT_EQ(google_.asked, 1);
  google_.publish({jwk(p256_key(), "k1")});
  EXPECT_EQ(judge(good_token(p256_key(), "k1"), noon + seconds(15)), "");
  EXPECT_EQ(google_.asked, 2);
}

TEST_F(VerifierTest, AClockThatIsSetBackMakesKeysOld) {
  const std::string token = good_token(p256_key(), "k1");
  EXPECT_EQ(judge(token, noon + minutes(30)), "");
  EXPECT_EQ(judge(token, noon), "");
  EXPECT_EQ(google_.asked, 2);
  EXPECT_EQ(judge(token, noon + tick), "");
  EXPECT_EQ(google_.asked, 2);
}

TEST_F(VerifierTest, TellsTheStateOfEachIssuer) {
  json::Object weak = jwk(second_, "weak");
  weak["use"] = "enc";
  google_.publish({jwk(p256_key(), "k1"), weak});
  other_.fall_silent();
  EXPECT_EQ(judge(good_token(p256_key(), "k1")), "");
  EXPECT_NE(judge(good_token(second_, "k1", {{"iss", "https://id.example"}})), "");
  const auto states = verifier_->states();
  ASSERT_EQ(states.size(), 2U);
  EXPECT_EQ(states[0].name, "google");
  EXPECT_EQ(states[0].keys.keys->keys().size(), 1U);
  EXPECT_EQ(states[0].keys.keys->skipped().at(0).name, "weak");
  EXPECT_EQ(states[0].keys.fetched_at, noon);
  EXPECT_EQ(states[0].keys.failure, "");
  EXPECT_EQ(states[1].keys.keys, nullptr);
  EXPECT_EQ(states[1].keys.failure, "nobody answers");
  EXPECT_EQ(states[1].keys.fetches, 1U);
}

TEST_F(VerifierTest, AnAccessTokenIsOneOnlyWhereItIsExpected) {
  const std::string token =
      token_of(p256_key(), R"({"alg":"ES256","kid":"k1","typ":"at+jwt"})", payload_with());
  EXPECT_EQ(judge(token), "denied token: it is a token of another type");
}

TEST_F(VerifierTest, SeveralThreadsAskTheServerOnce) {
  const std::string token = good_token(p256_key(), "k1");
  std::atomic<int> believed = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        for (int k = 0; k < 50; ++k) believed += verifier_->verify(token, noon).has_value();
      });
    }
  }
  EXPECT_EQ(believed, 400);
  EXPECT_EQ(google_.asked, 1);
}

// Keys turn and tokens come while threads ask: nothing tears, and each answer is one of the two.
TEST_F(VerifierTest, SeveralThreadsSeeKeysTurn) {
  const std::string old_token = lasting(p256_key(), "k1");
  const std::string new_token = lasting(second_, "k2");
  std::atomic<int> wrong = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&, i] {
        for (int minute = 0; minute < 300; ++minute) {
          const auto& token = (minute + i) % 2 == 0 ? old_token : new_token;
          const auto claims = verifier_->verify(token, noon + minutes(minute));
          if (!claims && claims.error().code != Code::denied) ++wrong;
          static_cast<void>(verifier_->states());
        }
      });
    }
    threads.emplace_back([&] {
      for (int turn = 0; turn < 100; ++turn) {
        google_.publish({turn % 2 == 0 ? jwk(second_, "k2") : jwk(p256_key(), "k1")});
      }
    });
  }
  EXPECT_EQ(wrong, 0);
}

TEST(KeyCache, WhoeverSawAnOldSetGetsTheNewOneWithoutARequest) {
  int asked = 0;
  KeyCache cache(
      [&] {
        ++asked;
        return KeyDocument{key_set_text({jwk(p256_key(), "k" + std::to_string(asked))}), {}};
      },
      {});
  const auto old_set = cache.current(noon).value();
  const auto new_set = cache.beyond(old_set, noon + minutes(1)).value();
  EXPECT_NE(old_set, new_set);
  EXPECT_EQ(cache.beyond(old_set, noon + minutes(2)).value(), new_set);
  EXPECT_EQ(asked, 2);
  EXPECT_NE(cache.beyond(new_set, noon + minutes(2)).value(), new_set);
  EXPECT_EQ(asked, 3);
}

// While one thread waits for a slow server, the others go on with what they have.
TEST(KeyCache, OthersGoOnWithTheOldSetWhileOneFetches) {
  std::mutex gate;
  const KeyDocument document{key_set_text({jwk(p256_key(), "k")}), {}};
  std::atomic<int> asked = 0;
  KeyCache cache(
      [&]() -> Result<KeyDocument> {
        ++asked;
        const std::lock_guard wait(gate);
        return document;
      },
      {});
  ASSERT_TRUE(cache.current(noon));
  std::unique_lock closed(gate);
  std::jthread fetching([&] { EXPECT_TRUE(cache.current(noon + hours(1))); });
  while (asked < 2) std::this_thread::yield();
  EXPECT_TRUE(cache.current(noon + hours(1))) << "this would wait for ever";
  closed.unlock();
  fetching.join();
  EXPECT_EQ(asked, 2);
}

struct WrongIssuers {
  const char* name;
  std::vector<Issuer> issuers;
  const char* reason;
};

class WrongSettings : public testing::TestWithParam<WrongIssuers> {};

TEST_P(WrongSettings, AreToldTogether) {
  const auto verifier = Verifier::make(GetParam().issuers);
  ASSERT_FALSE(verifier);
  EXPECT_EQ(verifier.error().code, Code::invalid);
  EXPECT_EQ(verifier.error().what, GetParam().reason);
}

Issuer changed(const std::string& name, void (*change)(Issuer&)) {
  Issuer issuer{.name = name,
                .expected = {.issuers = {"https://" + name}, .audiences = {"app"}},
                .keys = [] { return Result<KeyDocument>(KeyDocument{}); }};
  change(issuer);
  return issuer;
}

INSTANTIATE_TEST_SUITE_P(
    , WrongSettings,
    testing::Values(
        WrongIssuers{"NoSource",
                     {changed("a", [](Issuer& i) { i.keys = nullptr; })},
                     "issuer 'a' has no source of keys"},
        WrongIssuers{"NoSpelling",
                     {changed("a", [](Issuer& i) { i.expected.issuers.clear(); })},
                     "issuer 'a' does not say how it names itself"},
        WrongIssuers{"TwoOfOneSpelling",
                     {changed("a", [](Issuer&) {}),
                      changed("b", [](Issuer& i) { i.expected.issuers = {"https://a"}; })},
                     "issuer 'b' names itself 'https://a', which is nothing or stands twice"},
        WrongIssuers{"NoAudience",
                     {changed("a", [](Issuer& i) { i.expected.audiences.clear(); })},
                     "issuer 'a' has no audience or an empty one"},
        WrongIssuers{"SkewTooLong",
                     {changed("a", [](Issuer& i) { i.expected.skew = minutes(11); })},
                     "issuer 'a' has a skew outside 0 to 10 min"},
        WrongIssuers{"SkewNegative",
                     {changed("a", [](Issuer& i) { i.expected.skew = seconds(-1); })},
                     "issuer 'a' has a skew outside 0 to 10 min"},
        WrongIssuers{"TwoMistakes",
                     {changed("a", [](Issuer& i) { i.name.clear(); }),
                      changed("b", [](Issuer& i) { i.expected.audiences = {""}; })},
                     "issuer '' has no name or that of another; issuer 'b' has no audience or an "
                     "empty one"}),
    [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace mailwarden::identity
