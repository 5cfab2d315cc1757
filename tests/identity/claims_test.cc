// What a token claims, and whether that is what was expected.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "identity/token.h"
#include "tests/identity/token_maker.h"

namespace mailwarden::identity {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

// The claims alone: whose signature they bear is told in signature_test.cc.
std::string judge(const json::Object& changed, const Expectations& expected, Timestamp now = noon) {
  const auto claims = read_claims(payload_with(changed));
  if (!claims) return claims.error().what;
  const auto good = check_claims(*claims, expected, now);
  return good ? "" : good.error().what;
}

Expectations ours() {
  return google("app.example", "example.com");
}

json::Value all_or_nothing(bool all) {
  return all ? json::Value(json::Array{"pwd", "mfa"}) : json::Value();
}

TEST(Claims, AreReadWhole) {
  const auto claims = read_claims(payload_with({{"nbf", noon_seconds - 1},
                                                {"jti", "id-1"},
                                                {"name", "Ada"},
                                                {"acr", "2"},
                                                {"amr", json::Array{"pwd", "mfa", "hwk"}},
                                                {"auth_time", noon_seconds - 60}}));
  ASSERT_TRUE(claims) << claims.error().what;
  EXPECT_EQ(*claims, (Claims{.issuer = "https://accounts.google.com",
                             .subject = "110169484474386276334",
                             .audience = {"app.example"},
                             .issued_at = noon,
                             .expires = noon + hours(1),
                             .not_before = noon - seconds(1),
                             .token_id = "id-1",
                             .authorized_party = "app.example",
                             .nonce = "n-0S6_WzA2Mj",
                             .hosted_domain = "example.com",
                             .email = "ada@example.com",
                             .email_verified = true,
                             .name = "Ada",
                             .methods = std::vector<std::string>{"pwd", "mfa", "hwk"},
                             .context = "2",
                             .authenticated_at = noon - minutes(1)}));
}

// A second factor is believed from what a token says, never from what it leaves out.
TEST(Claims, ThatAreLeftOutAreAbsentAndNotFalse) {
  const auto claims = read_claims(
      R"({"iss":"https://id.example","sub":"s","aud":["a"],"iat":1800000000,"exp":1800003600})");
  ASSERT_TRUE(claims) << claims.error().what;
  EXPECT_EQ(*claims, (Claims{.issuer = "https://id.example",
                             .subject = "s",
                             .audience = {"a"},
                             .issued_at = noon,
                             .expires = noon + hours(1)}));
  EXPECT_EQ(claims->methods, std::nullopt);
  EXPECT_EQ(claims->authenticated_at, std::nullopt);
  EXPECT_EQ(claims->email_verified, std::nullopt);
  EXPECT_EQ(claims->hosted_domain, std::nullopt);
}

TEST(Claims, AnEmptyListOfMethodsIsNotAnAbsentOne) {
  const auto claims = read_claims(payload_with({{"amr", json::Array{}}}));
  ASSERT_TRUE(claims);
  ASSERT_TRUE(claims->methods);
  EXPECT_THAT(*claims->methods, IsEmpty());
}

TEST(Claims, EmailIsVerifiedWhereTheIssuerSaysSoEvenInWords) {
  const auto verified = [](json::Value value) {
    return read_claims(payload_with({{"email_verified", std::move(value)}})).value().email_verified;
  };
  EXPECT_EQ(verified(true), true);
  EXPECT_EQ(verified(false), false);
  EXPECT_EQ(verified("true"), true);
  EXPECT_EQ(verified("false"), false);
}

TEST(Claims, AnAudienceMayStandAloneOrInAList) {
  EXPECT_THAT(read_claims(payload_with({{"aud", "a"}}))->audience, ElementsAre("a"));
  EXPECT_THAT(read_claims(payload_with({{"aud", json::Array{"a", "b"}}}))->audience,
              ElementsAre("a", "b"));
  EXPECT_THAT(read_claims(payload_with({{"aud", json::Array{}}}))->audience, IsEmpty());
}

TEST(Claims, TimesMayHaveFractions) {
  const auto expires = [](json::Value value) {
    return read_claims(payload_with({{"exp", std::move(value)}})).value().expires;
  };
  EXPECT_EQ(expires(1800000000.25), noon + microseconds(250'000));
  EXPECT_EQ(expires(1.8e9), noon);
  EXPECT_EQ(expires(0), Timestamp{0});
  EXPECT_EQ(expires(std::int64_t{253'402'300'799}), Timestamp{253'402'300'799'000'000});
}

struct Unread {
  const char* name;
  std::string payload;
  const char* reason;  // behind "token: "
  Code code = Code::invalid;
};

class UnreadClaims : public testing::TestWithParam<Unread> {};

TEST_P(UnreadClaims, AreRefused) {
  const auto claims = read_claims(GetParam().payload);
  ASSERT_FALSE(claims);
  EXPECT_EQ(claims.error().what, std::string("token: ") + GetParam().reason);
  EXPECT_EQ(claims.error().code, GetParam().code);
}

constexpr const char* no_object =
    "the payload is not an object of JSON with members of one name each";
constexpr const char* no_exp = "the claim 'exp' is not a time in seconds since 1970";

INSTANTIATE_TEST_SUITE_P(
    Texts, UnreadClaims,
    testing::Values(Unread{"Empty", "", no_object}, Unread{"Text", "foo", no_object},
                    Unread{"List", "[]", no_object}, Unread{"Null", "null", no_object},
                    Unread{"DoubledIssuer", R"({"iss":"a","sub":"s","iss":"b"})", no_object},
                    Unread{"DoubledAudience", R"({"aud":"a","aud":["a"]})", no_object},
                    Unread{"DoubledByEscape", R"({"exp":1,"e\u0078p":9})", no_object},
                    Unread{"DoubledDeepInside", R"({"x":{"y":[{"z":1,"z":2}]}})", no_object},
                    Unread{"NotUtf8", "{\"iss\":\"\xC3\x28\"}", no_object},
                    Unread{"MoreBehind", payload_with() + "{}", no_object},
                    Unread{"TooDeep",
                           R"({"x":)" + std::string(16, '[') + std::string(16, ']') + "}",
                           no_object},
                    Unread{"HugeNumber", R"({"exp":1e999})", no_object}),
    [](const auto& tested) { return tested.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Members, UnreadClaims,
    testing::Values(
        Unread{"NoIssuer", payload_with({{"iss", {}}}), "the claim 'iss' is missing"},
        Unread{"NoSubject", payload_with({{"sub", {}}}), "the claim 'sub' is missing"},
        Unread{"EmptySubject", payload_with({{"sub", ""}}), "the claim 'sub' is empty"},
        Unread{"NoAudience", payload_with({{"aud", {}}}), "the claim 'aud' is missing"},
        Unread{"NoBeginning", payload_with({{"iat", {}}}), "the claim 'iat' is missing"},
        Unread{"NoExpiry", payload_with({{"exp", {}}}), "the claim 'exp' is missing"},
        Unread{"IssuerIsAList", payload_with({{"iss", json::Array{"a"}}}),
               "the claim 'iss' is not a text"},
        Unread{"SubjectIsANumber", payload_with({{"sub", 7}}), "the claim 'sub' is not a text"},
        Unread{"AudienceIsANumber", payload_with({{"aud", 7}}),
               "the claim 'aud' is not a list of texts"},
        Unread{"AudienceHoldsANumber", payload_with({{"aud", json::Array{"a", 7}}}),
               "the claim 'aud' is not a text"},
        Unread{"AudienceHoldsAList", payload_with({{"aud", json::Array{json::Array{"a"}}}}),
               "the claim 'aud' is not a text"},
        Unread{"TooManyAudiences", payload_with({{"aud", json::Array(65, "a")}}),
               "the claim 'aud' has more than 64 entries", Code::full},
        Unread{"SubjectTooLong", payload_with({{"sub", std::string(2049, 's')}}),
               "the claim 'sub' has more than 2048 bytes", Code::full},
        Unread{"NullIsNotAbsent", R"({"iss":"a","sub":"s","aud":"a","iat":1,"exp":2,"hd":null})",
               "the claim 'hd' is not a text"},
        Unread{"MethodsAreAText", payload_with({{"amr", "mfa"}}),
               "the claim 'amr' is not a list of texts"},
        Unread{"MethodsHoldATruth", payload_with({{"amr", json::Array{true}}}),
               "the claim 'amr' is not a text"},
        Unread{"TooManyMethods", payload_with({{"amr", json::Array(65, "mfa")}}),
               "the claim 'amr' has more than 64 entries", Code::full},
        Unread{"VerifiedIsANumber", payload_with({{"email_verified", 1}}),
               "the claim 'email_verified' is not true or false"},
        Unread{"VerifiedIsYes", payload_with({{"email_verified", "yes"}}),
               "the claim 'email_verified' is not true or false"}),
    [](const auto& tested) { return tested.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Times, UnreadClaims,
    testing::Values(
        Unread{"AsText", payload_with({{"exp", "1800003600"}}), no_exp},
        Unread{"AsDate", payload_with({{"exp", "2027-01-15T08:00:00Z"}}), no_exp},
        Unread{"AsTruth", payload_with({{"exp", true}}), no_exp},
        Unread{"Negative", payload_with({{"exp", -1}}), no_exp},
        Unread{"NegativeFraction", payload_with({{"exp", -0.5}}), no_exp},
        Unread{"BeyondTheYear9999", payload_with({{"exp", std::int64_t{253'402'300'800}}}), no_exp},
        Unread{"InMilliseconds", payload_with({{"exp", noon_seconds * 1000}}), no_exp},
        Unread{"Of63Bits", payload_with({{"exp", std::int64_t{INT64_MAX}}}), no_exp},
        Unread{"Of64Bits", R"({"iss":"a","sub":"s","aud":"a","iat":1,"exp":18446744073709551615})",
               no_exp},
        Unread{"OfManyDigits",
               R"({"iss":"a","sub":"s","aud":"a","iat":1,"exp":9)" + std::string(300, '9') + "}",
               no_exp},
        Unread{"HugeFraction", payload_with({{"exp", 1e300}}), no_exp},
        Unread{"BeginningIsAText", payload_with({{"nbf", "1"}}),
               "the claim 'nbf' is not a time in seconds since 1970"},
        Unread{"IssueIsNegative", payload_with({{"iat", -1}}),
               "the claim 'iat' is not a time in seconds since 1970"},
        Unread{"SignInIsHuge", payload_with({{"auth_time", 1e18}}),
               "the claim 'auth_time' is not a time in seconds since 1970"}),
    [](const auto& tested) { return tested.param.name; });

struct Claimed {
  const char* name;
  json::Object changed;
  std::string reason;  // behind "token: "; "" where it is as expected
};

class OfGoogle : public testing::TestWithParam<Claimed> {};

TEST_P(OfGoogle, IsHeldAgainstWhatIsExpected) {
  const std::string reason = GetParam().reason;
  EXPECT_EQ(judge(GetParam().changed, ours()), reason.empty() ? "" : "token: " + reason);
}

constexpr const char* other_issuer = "it is of another issuer";
constexpr const char* other_audience = "it is for another audience";
constexpr const char* untrusted = "it is also for an audience that is not trusted";
constexpr const char* other_party = "it was issued to another party";
constexpr const char* other_domain = "it is of another domain";

INSTANTIATE_TEST_SUITE_P(
    , OfGoogle,
    testing::Values(
        Claimed{"AsUsual", {}, ""}, Claimed{"OtherSpelling", {{"iss", "accounts.google.com"}}, ""},
        Claimed{"OtherIssuer", {{"iss", "https://evil.example"}}, other_issuer},
        Claimed{"SlashBehind", {{"iss", "https://accounts.google.com/"}}, other_issuer},
        Claimed{"PlainHttp", {{"iss", "http://accounts.google.com"}}, other_issuer},
        Claimed{"UpperCase", {{"iss", "https://Accounts.google.com"}}, other_issuer},
        Claimed{
            "NulBehind", {{"iss", std::string("https://accounts.google.com\0", 28)}}, other_issuer},
        Claimed{"IssuerEmpty", {{"iss", ""}}, other_issuer},
        Claimed{"OtherAudience", {{"aud", "other.example"}}, other_audience},
        Claimed{"AudienceInUpperCase", {{"aud", "App.example"}}, other_audience},
        Claimed{"AudienceEmpty", {{"aud", ""}}, other_audience},
        Claimed{"NoAudience", {{"aud", json::Array{}}}, other_audience},
        Claimed{"AudienceInAList", {{"aud", json::Array{"app.example"}}}, ""},
        Claimed{"AudienceTwice", {{"aud", json::Array{"app.example", "app.example"}}}, ""},
        Claimed{"AudiencesOfOthers", {{"aud", json::Array{"a", "b"}}}, other_audience},
        Claimed{"AudienceBesideAnUntrusted",
                {{"aud", json::Array{"app.example", "evil.example"}}},
                untrusted},
        Claimed{"PartyMissing", {{"azp", {}}}, ""},
        Claimed{"OtherParty", {{"azp", "other.example"}}, other_party},
        Claimed{"PartyEmpty", {{"azp", ""}}, other_party},
        Claimed{"DomainInUpperCase", {{"hd", "Example.COM"}}, ""},
        Claimed{"DomainMissing", {{"hd", {}}}, "it is of an account outside any hosted domain"},
        // The domain of an address says nothing: anybody may hold an account with a foreign
        // address.
        Claimed{"AddressOfTheDomainAlone",
                {{"hd", {}}, {"email", "mallory@example.com"}},
                "it is of an account outside any hosted domain"},
        Claimed{"OtherDomain", {{"hd", "evil.example"}}, other_domain},
        Claimed{"DomainBelow", {{"hd", "sub.example.com"}}, other_domain},
        Claimed{"DomainAround", {{"hd", "com"}}, other_domain},
        Claimed{"DomainEmpty", {{"hd", ""}}, other_domain},
        Claimed{"WithMethods", {{"amr", all_or_nothing(true)}}, ""},
        Claimed{"WithoutMethods", {{"amr", all_or_nothing(false)}}, ""}),
    [](const auto& tested) { return tested.param.name; });

TEST(Expected, SeveralAudiencesNeedAPartyThatIsKnown) {
  Expectations expected = ours();
  expected.other_audiences = {"api.example"};
  const json::Value both = json::Array{"app.example", "api.example"};
  EXPECT_EQ(judge({{"aud", both}}, expected), "");
  EXPECT_EQ(judge({{"aud", both}, {"azp", {}}}, expected),
            "token: it is for several audiences and does not say to whom it was issued");
  EXPECT_EQ(judge({{"aud", both}, {"azp", "api.example"}}, expected),
            "token: it was issued to another party");
  EXPECT_EQ(judge({{"aud", "api.example"}}, expected), "token: it is for another audience");
}

// An application on a telephone gets tokens for the server that it speaks to.
TEST(Expected, PartiesMayBeOthersThanTheAudiences) {
  Expectations expected = ours();
  expected.authorized_parties = {"android.example"};
  EXPECT_EQ(judge({{"azp", "android.example"}}, expected), "");
  EXPECT_EQ(judge({{"azp", "app.example"}}, expected), "token: it was issued to another party");
}

TEST(Expected, WithoutADomainAnyAccountWillDo) {
  const Expectations expected = google("app.example", "");
  EXPECT_EQ(judge({}, expected), "");
  EXPECT_EQ(judge({{"hd", {}}}, expected), "");
}

TEST(Expected, NothingExpectedBelievesNothing) {
  EXPECT_EQ(judge({}, Expectations{}), "token: it is of another issuer");
  EXPECT_EQ(judge({}, Expectations{.issuers = {"https://accounts.google.com"}}),
            "token: it is for another audience");
}

TEST(Expected, TheNonceIsThatOfTheSignIn) {
  Expectations expected = ours();
  EXPECT_EQ(judge({{"nonce", "whatever"}}, expected), "");
  expected.nonce = "n-0S6_WzA2Mj";
  EXPECT_EQ(judge({}, expected), "");
  EXPECT_EQ(judge({{"nonce", {}}}, expected), "token: it is not of this sign-in");
  EXPECT_EQ(judge({{"nonce", "n-0S6_WzA2MJ"}}, expected), "token: it is not of this sign-in");
  EXPECT_EQ(judge({{"nonce", ""}}, expected), "token: it is not of this sign-in");
  expected.nonce = "";
  EXPECT_EQ(judge({{"nonce", {}}}, expected), "token: it is not of this sign-in");
}

struct Moment {
  const char* name;
  json::Object changed;
  Timestamp now;
  std::string reason;
};

class AtAMoment : public testing::TestWithParam<Moment> {};

TEST_P(AtAMoment, IsGoodOrNot) {
  const std::string reason = GetParam().reason;
  EXPECT_EQ(judge(GetParam().changed, ours(), GetParam().now),
            reason.empty() ? "" : "token: " + reason);
}

constexpr Duration skew = minutes(1);
constexpr const char* expired = "it has expired";
constexpr const char* too_early = "it is not yet valid";
constexpr const char* from_the_future = "it was issued in the future";
constexpr const char* too_old = "it was issued too long ago";

INSTANTIATE_TEST_SUITE_P(
    , AtAMoment,
    testing::Values(
        Moment{"AtItsIssue", {}, noon, ""}, Moment{"AtItsExpiry", {}, noon + hours(1), ""},
        Moment{"JustInsideTheSkew", {}, noon + hours(1) + skew - tick, ""},
        Moment{"AtTheEndOfTheSkew", {}, noon + hours(1) + skew, expired},
        Moment{"LongExpired", {}, noon + hours(100), expired},
        Moment{"BornExpired", {{"exp", noon_seconds - 61}}, noon, expired},
        Moment{"ExpiredIn1970", {{"exp", 0}}, noon, expired},
        Moment{"IssuedLaterWithinTheSkew", {}, noon - skew, ""},
        Moment{"IssuedLaterThanTheSkew", {}, noon - skew - tick, from_the_future},
        Moment{"BeginsWithinTheSkew", {{"nbf", noon_seconds + 60}}, noon, ""},
        Moment{"BeginsBehindTheSkew", {{"nbf", noon_seconds + 60}}, noon - tick, too_early},
        Moment{"BeganLongAgo", {{"nbf", 0}}, noon, ""},
        Moment{
            "OfTheGreatestAge", {{"exp", noon_seconds + 1'000'000}}, noon + hours(24) + skew, ""},
        Moment{
            "TooOld", {{"exp", noon_seconds + 1'000'000}}, noon + hours(24) + skew + tick, too_old},
        Moment{"IssuedIn1970", {{"iat", 0}}, noon, too_old},
        Moment{"GoodUntil9999", {{"exp", std::int64_t{253'402'300'799}}}, noon, ""},
        Moment{"SignedInWithinTheSkew", {{"auth_time", noon_seconds + 60}}, noon, ""},
        Moment{"SignedInTomorrow",
               {{"auth_time", noon_seconds + 61}},
               noon,
               "it tells of a sign-in in the future"},
        Moment{"SignedInLongAgo", {{"auth_time", 1}}, noon, ""}),
    [](const auto& tested) { return tested.param.name; });

TEST(Expected, WithoutASkewTheExpiryIsTheEnd) {
  Expectations expected = ours();
  expected.skew = Duration::zero();
  EXPECT_EQ(judge({}, expected, noon + hours(1) - tick), "");
  EXPECT_EQ(judge({}, expected, noon + hours(1)), "token: it has expired");
  EXPECT_EQ(judge({}, expected, noon), "");
  EXPECT_EQ(judge({}, expected, noon - tick), "token: it was issued in the future");
}

}  // namespace
}  // namespace mailwarden::identity
