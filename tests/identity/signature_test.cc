// Everything about a token that is judged before anybody asks what it claims.
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "identity/token.h"
#include "tests/identity/token_maker.h"

namespace mailwarden::identity {
namespace {

using testing::HasSubstr;
using testing::Not;

const KeySet& keys() {
  static const KeySet set =
      KeySet::parse(key_set_text({jwk(rsa_key(), "r"), jwk(p256_key(), "e")})).value();
  return set;
}

Expectations expected() {
  return google("app.example", "example.com");
}

Result<Claims> verify(std::string_view token) {
  return identity::verify(token, keys(), expected(), noon);
}

std::string with_header(const PrivateKey& key, std::string_view header) {
  return token_of(key, header, payload_with());
}
// The usual header and payload, and whatever signature.
std::string with_signature(const std::string& signature) {
  return signed_text(R"({"alg":"ES256","kid":"e"})", payload_with()) + "." +
         json::to_base64url(signature);
}
std::string es256_signature() {
  return p256_key().token_signature(signed_text(R"({"alg":"ES256","kid":"e"})", payload_with()));
}
std::string unsigned_token(const std::string& algorithm) {
  return signed_text(R"({"alg":")" + algorithm + R"("})", payload_with()) + ".";
}

// What is published: an attacker has it and may try it as a secret.
std::string public_rsa_text() {
  return json::to_text(jwk(rsa_key(), "r"));
}
std::string public_rsa_pem() {
  return "-----BEGIN PUBLIC KEY-----\n" + json::to_base64(rsa_key().number(OSSL_PKEY_PARAM_RSA_N)) +
         "\n-----END PUBLIC KEY-----\n";
}
std::string by_hmac(const std::string& secret, const std::string& id) {
  const std::string text = signed_text(R"({"alg":"HS256","kid":")" + id + R"("})", payload_with());
  return text + "." + json::to_base64url(crypto::hmac(secret, text));
}
// A signature of one key under the header of another algorithm.
std::string swapped(const PrivateKey& key, const char* algorithm, const char* id) {
  return with_header(key, R"({"alg":")" + std::string(algorithm) + R"(","kid":")" + id + R"("})");
}

// Made when it is wanted: a key of RSA takes a while.
struct RefusedCase {
  const char* name;
  std::function<std::string()> token;
  Code code;
  const char* reason;  // all of the sentence behind "token: "
};

class RefusedToken : public testing::TestWithParam<RefusedCase> {};

TEST_P(RefusedToken, SaysWhyAndRepeatsNothing) {
  const auto claims = verify(GetParam().token());
  ASSERT_FALSE(claims);
  EXPECT_EQ(claims.error().what, std::string("token: ") + GetParam().reason);
  EXPECT_EQ(claims.error().code, GetParam().code);
}

constexpr const char* other_algorithm = "the algorithm is neither RS256 nor ES256";
constexpr const char* not_signed = "it is not signed";
constexpr const char* wrong_signature = "the signature is wrong";
constexpr const char* wrong_parts = "not three parts with dots between";
constexpr const char* wrong_text = "a part is not base64url without padding";
constexpr const char* wrong_header =
    "the header is not an object of JSON with members of one name each";
constexpr const char* unknown_key = "the issuer's key set has no such key";
constexpr const char* wrong_key = "the key that is named is not for this algorithm";

std::vector<RefusedCase> algorithms() {
  std::vector<RefusedCase> cases;
  const char* const names[] = {"None",  "NoneUpper", "NoneMixed", "NoneOdd", "NonePadded", "Empty",
                               "Lower", "Hs256",     "Hs512",     "Rs384",   "Rs512",      "Ps256",
                               "Es384", "Es512",     "Es256k",    "Eddsa",   "Blank",      "Nul"};
  const char* const spellings[] = {"none",  "NONE",  "None",   "nOnE",  " none",  "",
                                   "rs256", "HS256", "HS512",  "RS384", "RS512",  "PS256",
                                   "ES384", "ES512", "ES256K", "EdDSA", "RS256 ", "RS256\\u0000"};
  for (std::size_t i = 0; i < std::size(names); ++i) {
    const std::string header = R"({"alg":")" + std::string(spellings[i]) + R"(","kid":"r"})";
    cases.push_back({names[i], [header] { return with_header(rsa_key(), header); }, Code::denied,
                     other_algorithm});
  }
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Algorithms, RefusedToken, testing::ValuesIn(algorithms()),
                         [](const auto& tested) { return tested.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Confusions, RefusedToken,
    testing::Values(
        RefusedCase{"NoneWithoutSignature", [] { return unsigned_token("none"); }, Code::denied,
                    not_signed},
        RefusedCase{"Es256WithoutSignature", [] { return unsigned_token("ES256"); }, Code::denied,
                    not_signed},
        RefusedCase{"Rs256WithoutSignature", [] { return unsigned_token("RS256"); }, Code::denied,
                    not_signed},
        RefusedCase{"Hs256WithThePublicKeyAsJwk", [] { return by_hmac(public_rsa_text(), "r"); },
                    Code::denied, other_algorithm},
        RefusedCase{"Hs256WithThePublicKeyAsPem", [] { return by_hmac(public_rsa_pem(), "r"); },
                    Code::denied, other_algorithm},
        RefusedCase{"Hs256WithTheModulus",
                    [] { return by_hmac(rsa_key().number(OSSL_PKEY_PARAM_RSA_N), "r"); },
                    Code::denied, other_algorithm},
        RefusedCase{"Hs256WithNoSecret", [] { return by_hmac("", "e"); }, Code::denied,
                    other_algorithm},
        RefusedCase{"Rs256OfTheP256Key", [] { return swapped(rsa_key(), "RS256", "e"); },
                    Code::denied, wrong_key},
        RefusedCase{"Es256OfTheRsaKey", [] { return swapped(p256_key(), "ES256", "r"); },
                    Code::denied, wrong_key},
        RefusedCase{"Rs256SignedByP256", [] { return swapped(p256_key(), "RS256", "r"); },
                    Code::denied, wrong_signature},
        RefusedCase{"Es256SignedByRsa", [] { return swapped(rsa_key(), "ES256", "e"); },
                    Code::denied, wrong_signature},
        RefusedCase{"Rs256ByAnotherKey", [] { return swapped(PrivateKey::rsa(), "RS256", "r"); },
                    Code::denied, wrong_signature},
        RefusedCase{"Es256ByAnotherKey",
                    [] { return swapped(PrivateKey::on_curve(), "ES256", "e"); }, Code::denied,
                    wrong_signature},
        RefusedCase{"KeyThatTheHeaderBrings",
                    [] {
                      const PrivateKey own = PrivateKey::on_curve();
                      return with_header(
                          own, json::to_text(json::Object{
                                   {"alg", "ES256"}, {"kid", "e"}, {"jwk", jwk(own, "e")}}));
                    },
                    Code::denied, wrong_signature}),
    [](const auto& tested) { return tested.param.name; });

std::string named(const std::string& id) {
  return with_header(p256_key(), R"({"alg":"ES256","kid":)" + id + "}");
}

INSTANTIATE_TEST_SUITE_P(
    KeyIds, RefusedToken,
    testing::Values(
        RefusedCase{"Unknown", [] { return named(R"("x")"); }, Code::not_found, unknown_key},
        RefusedCase{"Empty", [] { return named(R"("")"); }, Code::not_found, unknown_key},
        RefusedCase{"Path", [] { return named(R"("../../../dev/null")"); }, Code::not_found,
                    unknown_key},
        RefusedCase{"PathToTheKey", [] { return named(R"("./e")"); }, Code::not_found, unknown_key},
        RefusedCase{"Url", [] { return named(R"("https://evil.example/e")"); }, Code::not_found,
                    unknown_key},
        RefusedCase{"Query", [] { return named(R"("x' UNION SELECT 'e")"); }, Code::not_found,
                    unknown_key},
        RefusedCase{"NulBehind", [] { return named(R"("e\u0000")"); }, Code::not_found,
                    unknown_key},
        RefusedCase{"OtherCase", [] { return named(R"("E")"); }, Code::not_found, unknown_key},
        RefusedCase{"BlankBehind", [] { return named(R"("e ")"); }, Code::not_found, unknown_key},
        RefusedCase{"Number", [] { return named("7"); }, Code::invalid,
                    "the header's 'kid' is not a text of at most 2048 bytes"},
        RefusedCase{"Null", [] { return named("null"); }, Code::invalid,
                    "the header's 'kid' is not a text of at most 2048 bytes"},
        RefusedCase{"List", [] { return named(R"(["e"])"); }, Code::invalid,
                    "the header's 'kid' is not a text of at most 2048 bytes"},
        RefusedCase{"TooLong", [] { return named("\"" + std::string(2049, 'e') + "\""); },
                    Code::invalid, "the header's 'kid' is not a text of at most 2048 bytes"}),
    [](const auto& tested) { return tested.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Headers, RefusedToken,
    testing::Values(
        RefusedCase{
            "AlgorithmTwice",
            [] { return with_header(p256_key(), R"({"alg":"none","alg":"ES256","kid":"e"})"); },
            Code::invalid, wrong_header},
        RefusedCase{
            "KeyTwice",
            [] { return with_header(p256_key(), R"({"alg":"ES256","kid":"x","kid":"e"})"); },
            Code::invalid, wrong_header},
        RefusedCase{"TwiceByEscape",
                    [] {
                      return with_header(p256_key(),
                                         R"({"alg":"ES256","kid":"e","\u0061lg":"ES256"})");
                    },
                    Code::invalid, wrong_header},
        RefusedCase{"NoAlgorithm", [] { return with_header(p256_key(), R"({"kid":"e"})"); },
                    Code::invalid, "the header names no algorithm"},
        RefusedCase{"AlgorithmIsNoText",
                    [] { return with_header(p256_key(), R"({"alg":["ES256"],"kid":"e"})"); },
                    Code::invalid, "the header names no algorithm"},
        RefusedCase{"AlgorithmIsNull",
                    [] { return with_header(p256_key(), R"({"alg":null,"kid":"e"})"); },
                    Code::invalid, "the header names no algorithm"},
        RefusedCase{"MemberInUpperCase",
                    [] { return with_header(p256_key(), R"({"ALG":"ES256","kid":"e"})"); },
                    Code::invalid, "the header names no algorithm"},
        RefusedCase{"Critical",
                    [] {
                      return with_header(p256_key(),
                                         R"({"alg":"ES256","kid":"e","crit":["exp"],"exp":1})");
                    },
                    Code::invalid, "the header has 'crit', and no extension is known here"},
        RefusedCase{
            "CriticalEmpty",
            [] { return with_header(p256_key(), R"({"alg":"ES256","kid":"e","crit":[]})"); },
            Code::invalid, "the header has 'crit', and no extension is known here"},
        RefusedCase{
            "PayloadAsItIs",
            [] { return with_header(p256_key(), R"({"alg":"ES256","kid":"e","b64":false})"); },
            Code::invalid, "the header has 'b64', and no extension is known here"},
        RefusedCase{
            "AccessToken",
            [] { return with_header(p256_key(), R"({"alg":"ES256","kid":"e","typ":"at+jwt"})"); },
            Code::denied, "it is a token of another type"},
        RefusedCase{"LogoutToken",
                    [] {
                      return with_header(p256_key(),
                                         R"({"alg":"ES256","kid":"e","typ":"logout+jwt"})");
                    },
                    Code::denied, "it is a token of another type"},
        RefusedCase{"TypeIsNoText",
                    [] { return with_header(p256_key(), R"({"alg":"ES256","kid":"e","typ":1})"); },
                    Code::invalid, "the header's 'typ' is not a text of at most 2048 bytes"},
        RefusedCase{"List",
                    [] { return with_header(p256_key(), R"([{"alg":"ES256","kid":"e"}])"); },
                    Code::invalid, wrong_header},
        RefusedCase{"Text", [] { return with_header(p256_key(), R"("ES256")"); }, Code::invalid,
                    wrong_header},
        RefusedCase{"NotJson", [] { return with_header(p256_key(), "alg: ES256"); }, Code::invalid,
                    wrong_header},
        RefusedCase{"MoreBehind",
                    [] { return with_header(p256_key(), R"({"alg":"ES256","kid":"e"}{})"); },
                    Code::invalid, wrong_header},
        RefusedCase{"NotUtf8",
                    [] {
                      return with_header(p256_key(),
                                         "{\"alg\":\"ES256\",\"kid\":\"e\",\"x\":\"\xFF\"}");
                    },
                    Code::invalid, wrong_header},
        RefusedCase{"Empty", [] { return with_header(p256_key(), ""); }, Code::invalid,
                    wrong_header},
        RefusedCase{"TooLong",
                    [] {
                      return with_header(p256_key(), R"({"alg":"ES256","kid":"e","x":")" +
                                                         std::string(4096, 'x') + "\"}");
                    },
                    Code::full, "the header has more than 4096 bytes"},
        RefusedCase{"TooDeep",
                    [] {
                      return with_header(p256_key(), R"({"alg":"ES256","kid":"e","x":)" +
                                                         std::string(16, '[') +
                                                         std::string(16, ']') + "}");
                    },
                    Code::invalid, wrong_header}),
    [](const auto& tested) { return tested.param.name; });

std::string good() {
  return good_token(p256_key(), "e");
}
std::string part(std::size_t index) {
  std::string rest = good();
  for (; index > 0; --index) rest = rest.substr(rest.find('.') + 1);
  return rest.substr(0, rest.find('.'));
}
// The last digit with a bit that no byte uses: 64 bytes end in a digit with four of them.
std::string with_stray_bit() {
  std::string token = good();
  token.back() = static_cast<char>(token.back() + 1);
  return token;
}

INSTANTIATE_TEST_SUITE_P(
    Forms, RefusedToken,
    testing::Values(
        RefusedCase{"Nothing", [] { return std::string(""); }, Code::invalid, wrong_parts},
        RefusedCase{"OnePart", [] { return part(0); }, Code::invalid, wrong_parts},
        RefusedCase{"TwoParts", [] { return part(0) + "." + part(1); }, Code::invalid, wrong_parts},
        RefusedCase{"FourParts", [] { return good() + "." + part(2); }, Code::invalid, wrong_parts},
        RefusedCase{"DotBehind", [] { return good() + "."; }, Code::invalid, wrong_parts},
        RefusedCase{"DotBefore", [] { return "." + good(); }, Code::invalid, wrong_parts},
        RefusedCase{
            "Encrypted",
            [] { return part(0) + "." + part(1) + "." + part(1) + "." + part(1) + "." + part(2); },
            Code::invalid, wrong_parts},
        RefusedCase{"TwoTokens", [] { return good() + good(); }, Code::invalid, wrong_parts},
        RefusedCase{"DotsAlone", [] { return std::string(".."); }, Code::denied, not_signed},
        RefusedCase{"AsJson", [] { return std::string(R"({"payload":"e30","signatures":[]})"); },
                    Code::invalid, wrong_parts},
        RefusedCase{"EmptySignature", [] { return part(0) + "." + part(1) + "."; }, Code::denied,
                    not_signed},
        RefusedCase{"EmptyPayload", [] { return part(0) + ".." + part(2); }, Code::denied,
                    wrong_signature},
        RefusedCase{"EmptyHeader", [] { return "." + part(1) + "." + part(2); }, Code::invalid,
                    wrong_header},
        RefusedCase{"PaddedSignature", [] { return good() + "=="; }, Code::invalid, wrong_text},
        RefusedCase{"PaddedHeader", [] { return part(0) + "=." + part(1) + "." + part(2); },
                    Code::invalid, wrong_text},
        RefusedCase{"StrayBitInSignature", [] { return with_stray_bit(); }, Code::invalid,
                    wrong_text},
        RefusedCase{"OrdinaryBase64",
                    [] { return part(0) + "." + part(1) + "." + "+" + part(2).substr(1); },
                    Code::invalid, wrong_text},
        RefusedCase{"BlankBefore", [] { return " " + good(); }, Code::invalid, wrong_text},
        RefusedCase{"BlankBehind", [] { return good() + " "; }, Code::invalid, wrong_text},
        RefusedCase{"LineFeedBehind", [] { return good() + "\n"; }, Code::invalid, wrong_text},
        RefusedCase{"BlankInside", [] { return part(0) + ". " + part(1) + "." + part(2); },
                    Code::invalid, wrong_text},
        RefusedCase{"NulBehind", [] { return good() + '\0'; }, Code::invalid, wrong_text},
        RefusedCase{"Bearer", [] { return "Bearer " + good(); }, Code::invalid, wrong_text},
        RefusedCase{"HeaderOfAnother",
                    [] {
                      return json::to_base64url(R"({"alg":"ES256","kid":"e"})") + "." + part(1) +
                             "." + part(2);
                    },
                    Code::denied, wrong_signature},
        RefusedCase{"PayloadOfAnother",
                    [] {
                      return part(0) + "." + json::to_base64url(payload_with({{"sub", "1"}})) +
                             "." + part(2);
                    },
                    Code::denied, wrong_signature},
        RefusedCase{"Oversized", [] { return std::string(16 * 1024 + 1, 'a'); }, Code::full,
                    "it has 16385 bytes; at most 16384 are read"}),
    [](const auto& tested) { return tested.param.name; });

const std::string zero(32, '\0');
const std::string one = std::string(31, '\0') + '\x01';

INSTANTIATE_TEST_SUITE_P(
    Signatures, RefusedToken,
    testing::Values(
        RefusedCase{"AsDer",
                    [] {
                      return with_signature(p256_key().sign(
                          signed_text(R"({"alg":"ES256","kid":"e"})", payload_with())));
                    },
                    Code::denied, wrong_signature},
        RefusedCase{"RIsZero", [] { return with_signature(zero + es256_signature().substr(32)); },
                    Code::denied, wrong_signature},
        RefusedCase{"SIsZero",
                    [] { return with_signature(es256_signature().substr(0, 32) + zero); },
                    Code::denied, wrong_signature},
        RefusedCase{"BothAreZero", [] { return with_signature(zero + zero); }, Code::denied,
                    wrong_signature},
        RefusedCase{"BothAreOne", [] { return with_signature(one + one); }, Code::denied,
                    wrong_signature},
        RefusedCase{"Of63Bytes", [] { return with_signature(es256_signature().substr(0, 63)); },
                    Code::denied, wrong_signature},
        RefusedCase{"Of65Bytes", [] { return with_signature(es256_signature() + '\0'); },
                    Code::denied, wrong_signature},
        RefusedCase{"Of132Bytes", [] { return with_signature(zero + zero + es256_signature()); },
                    Code::denied, wrong_signature},
        RefusedCase{"OneByte", [] { return with_signature("x"); }, Code::denied, wrong_signature}),
    [](const auto& tested) { return tested.param.name; });

TEST(Token, OfEitherAlgorithmIsBelieved) {
  for (const auto& token : {good_token(rsa_key(), "r"), good_token(p256_key(), "e")}) {
    const auto claims = verify(token);
    ASSERT_TRUE(claims) << claims.error().what;
    EXPECT_EQ(claims->subject, "110169484474386276334");
  }
}

TEST(Token, WithoutAKeyIdIsOfTheOnlyKeyOfItsAlgorithm) {
  EXPECT_TRUE(verify(good_token(rsa_key(), "")));
  EXPECT_TRUE(verify(good_token(p256_key(), "")));
  const KeySet two =
      KeySet::parse(key_set_text({jwk(p256_key(), "e"), jwk(PrivateKey::on_curve(), "f")})).value();
  const auto claims = identity::verify(good_token(p256_key(), ""), two, expected(), noon);
  ASSERT_FALSE(claims);
  EXPECT_EQ(
      claims.error(),
      (Error{Code::denied, "token: no key is named, and not exactly one is for this algorithm"}));
}

TEST(Token, OfTheLimitIsRead) {
  // A claim that nobody knows fills the token up.
  const std::string short_one = good_token(p256_key(), "e", {{"x", ""}});
  const std::string token = good_token(
      p256_key(), "e", {{"x", std::string((16 * 1024 - short_one.size()) / 4 * 3, 'x')}});
  ASSERT_GT(token.size(), 16 * 1024 - 4U);
  ASSERT_LE(token.size(), 16 * 1024U);
  EXPECT_TRUE(verify(token));
}

TEST(Token, MayNameItsTypeInAnyCaseAndInFull) {
  for (const char* type : {"JWT", "jwt", "application/jwt", "Application/JWT"}) {
    const std::string header = R"({"alg":"ES256","kid":"e","typ":")" + std::string(type) + R"("})";
    EXPECT_TRUE(verify(with_header(p256_key(), header))) << type;
  }
}

// RFC 9068, section 4: an identity token is no access token, nor the other way round.
TEST(Token, ForAccessMustSayThatItIs) {
  Expectations access = expected();
  access.type = TokenType::access;
  const auto judged = [&](const std::string& type) {
    const std::string header = R"({"alg":"ES256","kid":"e")" + type + "}";
    const auto claims = identity::verify(with_header(p256_key(), header), keys(), access, noon);
    return claims ? "" : claims.error().what;
  };
  EXPECT_EQ(judged(R"(,"typ":"at+jwt")"), "");
  EXPECT_EQ(judged(R"(,"typ":"application/at+JWT")"), "");
  EXPECT_EQ(judged(R"(,"typ":"JWT")"), "token: it is a token of another type");
  EXPECT_EQ(judged(""), "token: it is a token of another type");
}

// What a token says is somebody's, and errors end up in logs.
TEST(Token, IsNeverRepeatedInAnError) {
  const std::string word = "s3cr3tw0rd";
  const std::string in_payload = R"({"s3cr3tw0rd":1,"s3cr3tw0rd":2})";
  for (const std::string& token :
       {with_header(p256_key(), R"({"alg":"ES256","s3cr3tw0rd":1,"s3cr3tw0rd":2})"),
        with_header(p256_key(), R"({"alg":"s3cr3tw0rd"})"),
        with_header(p256_key(), R"({"alg":"ES256","kid":"s3cr3tw0rd"})"),
        with_header(p256_key(), R"({"alg":"ES256" s3cr3tw0rd})"),
        with_header(p256_key(), R"({"alg":"ES256","kid":"e","typ":"s3cr3tw0rd"})"),
        token_of(p256_key(), header_of(p256_key(), "e"), in_payload),
        good_token(p256_key(), "e", {{"iss", word}}), good_token(p256_key(), "e", {{"aud", word}}),
        good_token(p256_key(), "e", {{"hd", word}}), good_token(p256_key(), "e", {{"azp", word}}),
        good_token(p256_key(), "e", {{"exp", word}}),
        good_token(p256_key(), "e", {{"email_verified", word}}), word}) {
    const auto claims = verify(token);
    ASSERT_FALSE(claims);
    EXPECT_THAT(claims.error().what, Not(HasSubstr(word)));
  }
}

}  // namespace
}  // namespace mailwarden::identity
