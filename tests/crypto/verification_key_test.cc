#include "crypto/verification_key.h"

#include <vector>

#include <gtest/gtest.h>
#include <openssl/err.h>

#include "tests/crypto/private_key.h"

namespace mailwarden::crypto {
namespace {

constexpr const char* message = "what was signed";

std::string modulus() {
  return rsa_key().number(OSSL_PKEY_PARAM_RSA_N);
}
std::string exponent() {
  return rsa_key().number(OSSL_PKEY_PARAM_RSA_E);
}
VerificationKey rsa() {
  return VerificationKey::rsa(modulus(), exponent()).value();
}
VerificationKey p256() {
  return VerificationKey::p256(p256_key().number(OSSL_PKEY_PARAM_EC_PUB_X),
                               p256_key().number(OSSL_PKEY_PARAM_EC_PUB_Y))
      .value();
}

TEST(VerificationKey, VerifiesWhatItsOtherHalfSigned) {
  EXPECT_EQ(rsa().scheme(), SignatureScheme::rsa_pkcs1_sha256);
  EXPECT_TRUE(rsa().verify(message, rsa_key().token_signature(message)));
  EXPECT_TRUE(rsa().verify("", rsa_key().token_signature("")));
  EXPECT_EQ(p256().scheme(), SignatureScheme::ecdsa_p256_sha256);
  EXPECT_TRUE(p256().verify(message, p256_key().token_signature(message)));
  EXPECT_TRUE(p256().verify("", p256_key().token_signature("")));
}

TEST(VerificationKey, RefusesEverythingElse) {
  const std::string by_rsa = rsa_key().token_signature(message);
  const std::string by_p256 = p256_key().token_signature(message);
  EXPECT_FALSE(rsa().verify("what was not signed", by_rsa));
  EXPECT_FALSE(p256().verify("what was not signed", by_p256));
  EXPECT_FALSE(rsa().verify(message, by_p256));
  EXPECT_FALSE(p256().verify(message, by_rsa));
  EXPECT_FALSE(rsa().verify(message, PrivateKey::rsa().token_signature(message)));
  EXPECT_FALSE(p256().verify(message, PrivateKey::on_curve().token_signature(message)));
  EXPECT_FALSE(rsa().verify(message, rsa_key().sign(message, "SHA1")));
  EXPECT_FALSE(rsa().verify(message, rsa_key().sign(message, "SHA512")));
  // DER is how X.509 has it, not RFC 7518.
  EXPECT_FALSE(p256().verify(message, p256_key().sign(message)));
}

TEST(VerificationKey, RefusesASignatureOfAnotherLength) {
  for (const auto& [key, good] : {std::pair{rsa(), rsa_key().token_signature(message)},
                                  std::pair{p256(), p256_key().token_signature(message)}}) {
    for (const std::string& wrong : {std::string(), good.substr(1), good.substr(0, good.size() - 1),
                                     good + '\0', '\0' + good, good + good}) {
      EXPECT_FALSE(key.verify(message, wrong)) << wrong.size();
    }
  }
}

TEST(VerificationKey, RefusesEveryFlippedBit) {
  for (const auto& [key, good] : {std::pair{rsa(), rsa_key().token_signature(message)},
                                  std::pair{p256(), p256_key().token_signature(message)}}) {
    for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
      std::string wrong = good;
      wrong[bit / 8] = static_cast<char>(wrong[bit / 8] ^ (1 << bit % 8));
      EXPECT_FALSE(key.verify(message, wrong)) << bit;
    }
  }
}

TEST(VerificationKey, RefusesNumbersThatAreFilledUp) {
  const std::string good = p256_key().token_signature(message);
  const std::string zero(1, '\0');
  EXPECT_FALSE(p256().verify(message, good.substr(0, 32) + zero + good.substr(32)));
  EXPECT_FALSE(p256().verify(message, zero + good.substr(0, 32) + zero + good.substr(32)));
}

// FIPS 186-5 asks for 0 < r < n and 0 < s < n.
TEST(VerificationKey, RefusesNumbersOutsideTheGroup) {
  const std::string good = p256_key().token_signature(message);
  const std::string zero(32, '\0');
  const std::string one = std::string(31, '\0') + '\x01';
  const std::string largest(32, '\xFF');
  for (const std::string& odd : {zero, one, largest}) {
    EXPECT_FALSE(p256().verify(message, odd + good.substr(32)));
    EXPECT_FALSE(p256().verify(message, good.substr(0, 32) + odd));
    EXPECT_FALSE(p256().verify(message, odd + odd));
  }
}

struct Numbers {
  const char* name;
  std::string modulus;
  std::string exponent;
  const char* reason;  // "" where it is a key
};

class RsaKey : public testing::TestWithParam<Numbers> {};

TEST_P(RsaKey, IsJudgedByItsNumbers) {
  const auto key = VerificationKey::rsa(GetParam().modulus, GetParam().exponent);
  EXPECT_EQ(key ? "" : key.error().what, GetParam().reason);
}

// Odd numbers of a size; whether they are products of two primes nobody asks.
std::string odd_number(std::size_t bytes, char first = '\xC5') {
  std::string number(bytes, '\x5B');
  number.front() = first;
  number.back() = '\x01';
  return number;
}

const std::string three("\x03");
const std::string usual("\x01\x00\x01", 3);
constexpr const char* odd_exponent = "the public exponent is not an odd number from 3 to 64 bits";

INSTANTIATE_TEST_SUITE_P(
    , RsaKey,
    testing::Values(
        Numbers{"Of2048Bits", odd_number(256), usual, ""},
        Numbers{"Of8192Bits", odd_number(1024), usual, ""},
        Numbers{"ExponentOf3", odd_number(256), three, ""},
        Numbers{"ExponentOf64Bits", odd_number(256), std::string(8, '\xFF'), ""},
        Numbers{"LeadingZeros", '\0' + odd_number(256), '\0' + usual, ""},
        Numbers{"Of2047Bits", odd_number(256, '\x45'), usual,
                "the modulus has 2047 bits; 2048 to 8192 are allowed"},
        Numbers{"Of1024Bits", odd_number(128), usual,
                "the modulus has 1024 bits; 2048 to 8192 are allowed"},
        Numbers{"Of1024BitsFilledUp", std::string(128, '\0') + odd_number(128), usual,
                "the modulus has 1024 bits; 2048 to 8192 are allowed"},
        Numbers{"Of8193Bits", '\x01' + odd_number(1024), usual,
                "a number of the key has more than 8192 bits"},
        Numbers{"Empty", "", usual, "the modulus has 0 bits; 2048 to 8192 are allowed"},
        Numbers{"Even", std::string(256, '\xC4'), usual, "the modulus is even"},
        Numbers{"ExponentOf1", odd_number(256), "\x01", odd_exponent},
        Numbers{"ExponentOf0", odd_number(256), std::string(1, '\0'), odd_exponent},
        Numbers{"ExponentEmpty", odd_number(256), "", odd_exponent},
        Numbers{"ExponentEven", odd_number(256), std::string("\x01\x00", 2), odd_exponent},
        Numbers{"ExponentOf65Bits", odd_number(256), '\x01' + std::string(8, '\xFF'), odd_exponent},
        Numbers{"ExponentHuge", odd_number(256), std::string(2000, '\xFF'),
                "a number of the key has more than 8192 bits"}),
    [](const auto& tested) { return tested.param.name; });

// The shape is that of the flawed library: the product of the primes up to 701 divides what remains
// when a power of 65537 is taken away.
TEST(RsaNumbers, ThatCanBeFactoredAreRefused) {
  BN_CTX* const context = BN_CTX_new();
  BIGNUM* const product = BN_new();
  BIGNUM* const number = BN_new();
  BN_one(product);
  for (unsigned i = 2; i <= 701; ++i) {
    BN_set_word(number, i);
    if (BN_check_prime(number, context, nullptr) == 1) BN_mul_word(product, i);
  }
  BIGNUM* const power = BN_new();
  BN_set_word(number, 65537);
  BN_set_word(power, 123'456'789);
  BN_mod_exp(power, number, power, product, context);
  BN_lshift(number, product, 2100 - BN_num_bits(product));
  BN_add(number, number, power);
  std::string bytes(static_cast<std::size_t>(BN_num_bytes(number)), '\0');
  BN_bn2bin(number, reinterpret_cast<unsigned char*>(bytes.data()));
  const auto refused = VerificationKey::rsa(bytes, usual);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().what, "the modulus is one that can be factored (CVE-2017-15361)");
  bytes.back() = static_cast<char>(bytes.back() + 2);
  EXPECT_TRUE(VerificationKey::rsa(bytes, usual));
  for (BIGNUM* const one : {product, number, power}) BN_free(one);
  BN_CTX_free(context);
}

TEST(P256Numbers, MustBeAPointOfTheCurve) {
  const std::string x = p256_key().number(OSSL_PKEY_PARAM_EC_PUB_X);
  const std::string y = p256_key().number(OSSL_PKEY_PARAM_EC_PUB_Y);
  std::string beside = y;
  beside.back() = static_cast<char>(beside.back() ^ 1);
  const std::string zero(32, '\0');
  const std::string beyond(32, '\xFF');  // not below the prime of the field
  for (const auto& [wrong_x, wrong_y] : std::vector<std::pair<std::string, std::string>>{
           {x, beside}, {y, x}, {zero, zero}, {x, zero}, {beyond, y}, {x, beyond}}) {
    const auto key = VerificationKey::p256(wrong_x, wrong_y);
    ASSERT_FALSE(key);
    EXPECT_EQ(key.error().what, "the point is not on P-256");
  }
  for (const auto& [wrong_x, wrong_y] : std::vector<std::pair<std::string, std::string>>{
           {x.substr(1), y}, {x, y.substr(1)}, {'\0' + x, y}, {x, '\0' + y}, {"", ""}}) {
    const auto key = VerificationKey::p256(wrong_x, wrong_y);
    ASSERT_FALSE(key);
    EXPECT_EQ(key.error().what, "a coordinate on P-256 has not 32 bytes");
  }
}

// Whoever uses OpenSSL next in this thread would take what is left there for its own mistake.
TEST(VerificationKey, LeavesNoErrorsBehind) {
  ERR_clear_error();
  EXPECT_FALSE(rsa().verify(message, std::string(256, 'x')));
  EXPECT_FALSE(p256().verify(message, std::string(64, '\xFF')));
  EXPECT_FALSE(VerificationKey::p256(std::string(32, 'x'), std::string(32, 'x')));
  EXPECT_EQ(ERR_peek_error(), 0U);
}

}  // namespace
}  // namespace mailwarden::crypto
