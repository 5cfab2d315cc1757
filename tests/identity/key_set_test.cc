#include "identity/key_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/identity/token_maker.h"

namespace mailwarden::identity {
namespace {

using crypto::SignatureScheme;
using testing::HasSubstr;

constexpr auto rs256 = SignatureScheme::rsa_pkcs1_sha256;
constexpr auto es256 = SignatureScheme::ecdsa_p256_sha256;

KeySet parse(const std::vector<json::Object>& keys) {
  auto set = KeySet::parse(key_set_text(keys));
  EXPECT_TRUE(set) << set.error().what;
  return set ? *std::move(set) : KeySet();
}

json::Object with(json::Object key, const std::string& name, json::Value value) {
  key[name] = std::move(value);
  return key;
}
json::Object without(json::Object key, const std::string& name) {
  key.erase(name);
  return key;
}
json::Object p256() {
  return jwk(p256_key(), "k");
}
// Of RFC 7638, section 3.1.
const std::string modulus =
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECP"
    "ebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY"
    "368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0f"
    "M4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
json::Object rsa(const std::string& id = "k") {
  return {{"kty", "RSA"}, {"n", modulus}, {"e", "AQAB"}, {"kid", id}};
}

TEST(KeySet, GivesTheKeyOfAnIdAndAScheme) {
  const KeySet set = parse({rsa("r"), jwk(p256_key(), "e")});
  EXPECT_EQ(set.keys().size(), 2U);
  EXPECT_TRUE(set.skipped().empty());
  EXPECT_EQ(set.choose("r", rs256).value()->id, "r");
  EXPECT_EQ(set.choose("e", es256).value()->id, "e");
  EXPECT_EQ(set.choose("r", es256).error().code, Code::denied);
  EXPECT_EQ(set.choose("e", rs256).error().code, Code::denied);
  EXPECT_EQ(set.choose("x", rs256).error().code, Code::not_found);
  EXPECT_EQ(set.choose("", rs256).error().code, Code::not_found);
  EXPECT_EQ(set.choose("R", rs256).error().code, Code::not_found);
}

TEST(KeySet, GivesTheOnlyKeyOfASchemeWithoutAnId) {
  const KeySet both = parse({rsa("r"), jwk(p256_key())});
  EXPECT_EQ(both.choose({}, rs256).value()->id, "r");
  EXPECT_EQ(both.choose({}, es256).value()->id, std::nullopt);
  const KeySet two = parse({jwk(p256_key(), "a"), jwk(PrivateKey::on_curve(), "b")});
  EXPECT_EQ(two.choose({}, es256).error().code, Code::denied);
  EXPECT_EQ(two.choose({}, rs256).error().code, Code::denied);
  EXPECT_EQ(parse({}).choose({}, rs256).error().code, Code::not_found);
}

TEST(KeySet, AKeyWithoutAnIdIsNotThatOfAnId) {
  const KeySet set = parse({jwk(p256_key())});
  EXPECT_EQ(set.choose("k", es256).error().code, Code::not_found);
  EXPECT_EQ(set.choose("", es256).error().code, Code::not_found);
}

TEST(KeySet, KnowsTheThumbprintOfTheStandard) {
  const KeySet set = parse({rsa()});
  ASSERT_EQ(set.keys().size(), 1U);
  const crypto::Digest& print = set.keys()[0].thumbprint;
  EXPECT_EQ(json::to_base64url({reinterpret_cast<const char*>(print.data()), print.size()}),
            "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

struct Purpose {
  const char* name;
  json::Object key;
  const char* reason;  // "" where the key is kept
};

class OneKey : public testing::TestWithParam<Purpose> {};

TEST_P(OneKey, IsKeptOrLeftOutWithItsReason) {
  const KeySet set = parse({GetParam().key, jwk(PrivateKey::on_curve(), "other")});
  const std::string reason = set.skipped().empty() ? "" : set.skipped()[0].reason;
  EXPECT_EQ(reason, GetParam().reason);
  EXPECT_EQ(set.keys().size(), reason.empty() ? 2U : 1U);
  EXPECT_TRUE(set.choose("other", es256)) << "the others are kept";
}

constexpr const char* secret = "it holds private or symmetric numbers, which no key set may show";
constexpr const char* operations = "its operations are not those of verifying alone";
constexpr const char* not_rs256 = "its algorithm is not RS256";
constexpr const char* not_es256 = "its algorithm is not ES256";

INSTANTIATE_TEST_SUITE_P(
    Purposes, OneKey,
    testing::Values(
        Purpose{"Plain", p256(), ""}, Purpose{"ForSignatures", with(p256(), "use", "sig"), ""},
        Purpose{"ForEncryption", with(p256(), "use", "enc"), "its use is not signatures"},
        Purpose{"ForNothingKnown", with(p256(), "use", "SIG"), "its use is not signatures"},
        Purpose{"UseIsNoText", with(p256(), "use", 1), "its use is not signatures"},
        Purpose{"Verifies", with(p256(), "key_ops", json::Array{"verify"}), ""},
        Purpose{"SignsAndVerifies", with(p256(), "key_ops", json::Array{"sign", "verify"}), ""},
        Purpose{"Encrypts", with(p256(), "key_ops", json::Array{"encrypt"}), operations},
        Purpose{"SignsOnly", with(p256(), "key_ops", json::Array{"sign"}), operations},
        Purpose{"NoOperation", with(p256(), "key_ops", json::Array{}), operations},
        Purpose{"VerifiesTwice", with(p256(), "key_ops", json::Array{"verify", "verify"}),
                operations},
        Purpose{"VerifiesAndDerives", with(p256(), "key_ops", json::Array{"verify", "deriveKey"}),
                operations},
        Purpose{"OperationsAsText", with(p256(), "key_ops", "verify"), operations},
        Purpose{"OfEs256", with(p256(), "alg", "ES256"), ""},
        Purpose{"OfRs256", with(rsa(), "alg", "RS256"), ""},
        Purpose{"P256OfRs256", with(p256(), "alg", "RS256"), not_es256},
        Purpose{"P256OfEcdh", with(p256(), "alg", "ECDH-ES"), not_es256},
        Purpose{"RsaOfEs256", with(rsa(), "alg", "ES256"), not_rs256},
        Purpose{"RsaOfPs256", with(rsa(), "alg", "PS256"), not_rs256},
        Purpose{"RsaOfRs512", with(rsa(), "alg", "RS512"), not_rs256},
        Purpose{"RsaOfHs256", with(rsa(), "alg", "HS256"), not_rs256},
        Purpose{"AlgorithmIsNoText", with(rsa(), "alg", json::Array{"RS256"}), not_rs256},
        Purpose{"IdIsNoText", with(p256(), "kid", 7), "its id is not a text"},
        Purpose{"IdOfTheLimit", with(p256(), "kid", std::string(256, 'k')), ""},
        Purpose{"IdBeyondTheLimit", with(p256(), "kid", std::string(257, 'k')),
                "its id has more than 256 bytes"}),
    [](const auto& tested) { return tested.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Numbers, OneKey,
    testing::Values(
        Purpose{"PrivateP256", with(p256(), "d", "AQ"), secret},
        Purpose{"PrivateRsa", with(rsa(), "d", "AQ"), secret},
        Purpose{"RsaWithAFactor", with(rsa(), "q", "AQ"), secret},
        Purpose{"RsaWithOtherPrimes", with(rsa(), "oth", json::Array{}), secret},
        Purpose{"P256WithASecret", with(p256(), "k", "c2VjcmV0"), secret},
        Purpose{"Symmetric", {{"kty", "oct"}, {"k", "c2VjcmV0"}, {"alg", "HS256"}}, secret},
        Purpose{"SymmetricWithoutNumber", {{"kty", "oct"}}, "its type is neither RSA nor EC"},
        Purpose{"Edwards",
                {{"kty", "OKP"}, {"crv", "Ed25519"}, {"x", "AQ"}},
                "its type is neither RSA nor EC"},
        Purpose{"TypeInLowerCase", with(rsa(), "kty", "rsa"), "its type is neither RSA nor EC"},
        Purpose{"TypeMissing", without(rsa(), "kty"), "its type is neither RSA nor EC"},
        Purpose{"OfP384", with(p256(), "crv", "P-384"), "its curve is not P-256"},
        Purpose{"CurveMissing", without(p256(), "crv"), "its curve is not P-256"},
        Purpose{"XMissing", without(p256(), "x"), "its 'x' is not a number in base64url"},
        Purpose{"YPadded", with(p256(), "y", *p256().at("y").as_string() + "="),
                "its 'y' is not a number in base64url"},
        Purpose{"XOf31Bytes", with(p256(), "x", json::to_base64url(std::string(31, 'x'))),
                "a coordinate on P-256 has not 32 bytes"},
        Purpose{"BesideTheCurve", with(p256(), "y", json::to_base64url(std::string(32, 'x'))),
                "the point is not on P-256"},
        Purpose{"ModulusMissing", without(rsa(), "n"), "its 'n' is not a number in base64url"},
        Purpose{"ModulusIsANumber", with(rsa(), "n", 65537),
                "its 'n' is not a number in base64url"},
        Purpose{"ModulusEmpty", with(rsa(), "n", ""), "its 'n' is not a number in base64url"},
        Purpose{"ExponentMissing", without(rsa(), "e"), "its 'e' is not a number in base64url"},
        Purpose{"ExponentOf1", with(rsa(), "e", "AQ"),
                "the public exponent is not an odd number from 3 to 64 bits"},
        Purpose{"Of1024Bits", with(rsa(), "n", json::to_base64url(std::string(128, '\xC5'))),
                "the modulus has 1024 bits; 2048 to 8192 are allowed"}),
    [](const auto& tested) { return tested.param.name; });

TEST(KeySet, NamesWhatItLeavesOut) {
  const KeySet set = parse({with(jwk(p256_key(), "the\nid" + std::string(100, 'x')), "use", "enc"),
                            with(jwk(p256_key()), "use", "enc")});
  ASSERT_EQ(set.skipped().size(), 2U);
  EXPECT_EQ(set.skipped()[0].name, "the\\x0aid" + std::string(54, 'x'));
  EXPECT_EQ(set.skipped()[1].name, "key 2");
}

TEST(KeySet, BelievesNeitherOfTwoKeysWithOneId) {
  const KeySet set = parse(
      {jwk(p256_key(), "k"), jwk(PrivateKey::on_curve(), "k"), jwk(PrivateKey::on_curve(), "o")});
  ASSERT_EQ(set.keys().size(), 1U);
  EXPECT_EQ(set.keys()[0].id, "o");
  ASSERT_EQ(set.skipped().size(), 2U);
  EXPECT_EQ(set.skipped()[0].reason, "another key of the set has its id");
  EXPECT_EQ(set.choose("k", es256).error().code, Code::not_found);
}

TEST(KeySet, TakesAKeyThatStandsTwiceOnce) {
  json::Object filled_up = rsa("r");
  filled_up["n"] = json::to_base64url('\0' + json::from_base64url(modulus).value());
  const KeySet set = parse({jwk(p256_key(), "k"), jwk(p256_key(), "k"), rsa("r"), filled_up});
  EXPECT_EQ(set.keys().size(), 2U);
  EXPECT_TRUE(set.skipped().empty());
  EXPECT_TRUE(set.choose("k", es256));
  EXPECT_TRUE(set.choose("r", rs256));
}

// RFC 7517, section 4.5: keys of other types may share an id, being alternatives.
TEST(KeySet, KeysOfTwoTypesMayShareAnId) {
  const KeySet set = parse({rsa("k"), jwk(p256_key(), "k")});
  EXPECT_EQ(set.choose("k", rs256).value()->key.scheme(), rs256);
  EXPECT_EQ(set.choose("k", es256).value()->key.scheme(), es256);
}

TEST(KeySet, AKeyThatIsLeftOutTakesNoIdFromAnother) {
  const KeySet set = parse({with(jwk(PrivateKey::on_curve(), "k"), "use", "enc"), p256()});
  EXPECT_TRUE(set.choose("k", es256));
}

struct Wrong {
  const char* name;
  std::string text;
  Code code = Code::invalid;
};

class NoKeySet : public testing::TestWithParam<Wrong> {};

TEST_P(NoKeySet, IsRefused) {
  const auto set = KeySet::parse(GetParam().text);
  ASSERT_FALSE(set);
  EXPECT_EQ(set.error().code, GetParam().code) << set.error().what;
  EXPECT_THAT(set.error().what, HasSubstr("key set: "));
}

INSTANTIATE_TEST_SUITE_P(
    , NoKeySet,
    testing::Values(Wrong{"Empty", ""}, Wrong{"Html", "<html>"}, Wrong{"List", "[]"},
                    Wrong{"NoKeys", "{}"}, Wrong{"KeysIsNoList", R"({"keys":{}})"},
                    Wrong{"TwoLists", R"({"keys":[],"keys":[]})"},
                    Wrong{"AMemberTwice", R"({"keys":[{"kty":"RSA","kty":"EC"}]})"},
                    Wrong{"Cut", R"({"keys":[)"}, Wrong{"MoreBehind", R"({"keys":[]}x)"},
                    Wrong{"TooManyKeys", key_set_text(std::vector<json::Object>(101)), Code::full},
                    Wrong{"TooLong", R"({"keys":[]})" + std::string(256 * 1024, ' '), Code::full}),
    [](const auto& tested) { return tested.param.name; });

TEST(KeySet, ReadsAsManyKeysAsTheLimit) {
  const auto set = KeySet::parse(key_set_text(std::vector<json::Object>(100)));
  ASSERT_TRUE(set) << set.error().what;
  EXPECT_EQ(set->skipped().size(), 100U);
}

TEST(KeySet, WhatIsNoObjectIsLeftOut) {
  const auto set = KeySet::parse(R"({"keys":[1,null,"RSA",[]],"other":{}})");
  ASSERT_TRUE(set) << set.error().what;
  ASSERT_EQ(set->skipped().size(), 4U);
  EXPECT_EQ(set->skipped()[3].name, "key 4");
  EXPECT_EQ(set->skipped()[3].reason, "it is not an object");
}

}  // namespace
}  // namespace mailwarden::identity
