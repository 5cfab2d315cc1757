#include "crypto/verification_key.h"

#include <array>
#include <climits>
#include <string>
#include <vector>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include "base/check.h"
#include "crypto/openssl_objects.h"

namespace mailwarden::crypto {
namespace {

using Number = std::unique_ptr<BIGNUM, Free<BN_free>>;
using ParameterBuilder = std::unique_ptr<OSSL_PARAM_BLD, Free<OSSL_PARAM_BLD_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, Free<OSSL_PARAM_free>>;

std::string_view without_leading_zeros(std::string_view number) {
  const std::size_t first = number.find_first_not_of('\0');
  return first == std::string_view::npos ? std::string_view() : number.substr(first);
}

Number to_number(std::string_view bytes) {
  Number number(BN_bin2bn(bytes_of(bytes), static_cast<int>(bytes.size()), nullptr));
  CHECK(number != nullptr);
  return number;
}

bool is_power_of_65537(unsigned residue, unsigned prime) {
  unsigned power = 1;
  do {
    if (power == residue) return true;
    power = power * (65537 % prime) % prime;
  } while (power != 1);
  return false;
}

bool is_prime(unsigned number) {
  for (unsigned factor = 2; factor * factor <= number; ++factor) {
    if (number % factor == 0) return false;
  }
  return true;
}

// The flawed library made primes k * M + (65537^a mod M), M being the product of the first primes,
// at least of those up to 701 for moduli of 2048 bits and more. So each of these primes sees a
// power of 65537, which of an honest modulus all of them do once in more than 2^27 times.
bool has_shape_of_roca(const BIGNUM* modulus) {
  for (unsigned prime = 3; prime <= 701; prime += 2) {
    if (!is_prime(prime)) continue;
    const auto residue = static_cast<unsigned>(BN_mod_word(modulus, prime));
    if (!is_power_of_65537(residue, prime)) return false;
  }
  return true;
}

Result<void> check_rsa(const BIGNUM* modulus, const BIGNUM* exponent) {
  using Key = VerificationKey;
  const int bits = BN_num_bits(modulus);
  if (bits < Key::modulus_bits_min || bits > Key::modulus_bits_max) {
    return fail(Code::invalid, "the modulus has " + std::to_string(bits) + " bits; " +
                                   std::to_string(Key::modulus_bits_min) + " to " +
                                   std::to_string(Key::modulus_bits_max) + " are allowed");
  }
  if (!BN_is_odd(modulus)) return fail(Code::invalid, "the modulus is even");
  if (!BN_is_odd(exponent) || BN_is_one(exponent) ||
      BN_num_bits(exponent) > Key::exponent_bits_max) {
    return fail(Code::invalid, "the public exponent is not an odd number from 3 to " +
                                   std::to_string(Key::exponent_bits_max) + " bits");
  }
  if (has_shape_of_roca(modulus)) {
    return fail(Code::invalid, "the modulus is one that can be factored (CVE-2017-15361)");
  }
  return {};
}

// Null where OpenSSL says that these are no key.
KeyPointer make_key(const char* type, OSSL_PARAM* parameters) {
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  CHECK(context != nullptr && EVP_PKEY_fromdata_init(context.get()) == 1);
  EVP_PKEY* made = nullptr;
  if (EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, parameters) != 1) return nullptr;
  return KeyPointer(made);
}

// r and s as the DER that OpenSSL reads; empty where they are not 64 bytes.
std::vector<unsigned char> to_der(std::string_view signature) {
  constexpr std::size_t half = VerificationKey::coordinate_bytes;
  if (signature.size() != 2 * half) return {};
  Number r = to_number(signature.substr(0, half));
  Number s = to_number(signature.substr(half));
  const EcSignature both(ECDSA_SIG_new());
  CHECK(both != nullptr && ECDSA_SIG_set0(both.get(), r.release(), s.release()) == 1);
  const int size = i2d_ECDSA_SIG(both.get(), nullptr);
  CHECK(size > 0);
  std::vector<unsigned char> der(static_cast<std::size_t>(size));
  unsigned char* end = der.data();
  CHECK(i2d_ECDSA_SIG(both.get(), &end) == size);
  return der;
}

}  // namespace

struct VerificationKey::Key {
  KeyPointer pointer;
};

Result<VerificationKey> VerificationKey::rsa(std::string_view modulus, std::string_view exponent) {
  const ForgetErrors forget;
  modulus = without_leading_zeros(modulus);
  exponent = without_leading_zeros(exponent);
  constexpr std::size_t bytes_max = modulus_bits_max / CHAR_BIT;
  if (modulus.size() > bytes_max || exponent.size() > bytes_max) {
    return fail(Code::invalid,
                "a number of the key has more than " + std::to_string(modulus_bits_max) + " bits");
  }
  const Number n = to_number(modulus);
  const Number e = to_number(exponent);
  if (auto good = check_rsa(n.get(), e.get()); !good) return std::unexpected(good.error());
  const ParameterBuilder builder(OSSL_PARAM_BLD_new());
  CHECK(builder != nullptr &&
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) == 1 &&
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) == 1);
  const Parameters parameters(OSSL_PARAM_BLD_to_param(builder.get()));
  CHECK(parameters != nullptr);
  KeyPointer key = make_key("RSA", parameters.get());
  if (key == nullptr) return fail(Code::invalid, "the numbers are not an RSA key");
  return VerificationKey(SignatureScheme::rsa_pkcs1_sha256,
                         std::make_shared<const Key>(std::move(key)));
}

Result<VerificationKey> VerificationKey::p256(std::string_view x, std::string_view y) {
  const ForgetErrors forget;
  if (x.size() != coordinate_bytes || y.size() != coordinate_bytes) {
    return fail(Code::invalid, "a coordinate on P-256 has not 32 bytes");
  }
  std::string point("\x04");  // uncompressed (SEC 1, section 2.3.3)
  point.append(x).append(y);
  std::string group("prime256v1");
  std::array<OSSL_PARAM, 3> parameters{
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group.data(), group.size()),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
      OSSL_PARAM_construct_end()};
  // It refuses a point beside the curve; on P-256 every other one has the group's order.
  KeyPointer key = make_key("EC", parameters.data());
  if (key == nullptr) return fail(Code::invalid, "the point is not on P-256");
  return VerificationKey(SignatureScheme::ecdsa_p256_sha256,
                         std::make_shared<const Key>(std::move(key)));
}

bool VerificationKey::verify(std::string_view message, std::string_view signature) const {
  const ForgetErrors forget;
  const bool rsa = scheme_ == SignatureScheme::rsa_pkcs1_sha256;
  std::vector<unsigned char> der;
  if (rsa) {
    if (signature.size() != static_cast<std::size_t>(EVP_PKEY_get_size(key_->pointer.get()))) {
      return false;
    }
  } else {
    der = to_der(signature);
    if (der.empty()) return false;
  }
  const DigestContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* settings = nullptr;  // the context's
  CHECK(context != nullptr && EVP_DigestVerifyInit(context.get(), &settings, EVP_sha256(), nullptr,
                                                   key_->pointer.get()) == 1);
  CHECK(!rsa || EVP_PKEY_CTX_set_rsa_padding(settings, RSA_PKCS1_PADDING) == 1);
  return EVP_DigestVerify(context.get(), rsa ? bytes_of(signature) : der.data(),
                          rsa ? signature.size() : der.size(), bytes_of(message),
                          message.size()) == 1;
}

}  // namespace mailwarden::crypto
