// Signatures of others: RSA and ECDSA, verified with a public key made from its numbers.
//
// What     A VerificationKey is an RSA key for RSASSA-PKCS1-v1_5 with SHA-256 or a key on P-256 for
//          ECDSA with SHA-256. A key serves its one scheme and no other, so that nobody can ask for
//          a weaker one. Numbers are big-endian without a sign, as JSON Web Keys have them.
// Owns     The key; copies share it.
// Threads  Values; verify() from any thread.
// Errors   invalid: numbers that are no key, or a key that is too weak to believe. A signature that
//          is wrong in any way is `false`.
// Limits   Moduli of modulus_bits_min to modulus_bits_max bits, public exponents odd, at least 3
//          and of at most exponent_bits_max bits.
// Source   RFC 8017, section 8.2; FIPS 186-5; RFC 7518, sections 3.3, 3.4 and 6; through OpenSSL.
//          Moduli of the ROCA flaw (CVE-2017-15361; Nemec and others, 2017) are refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/result.h"

namespace mailwarden::crypto {

enum class SignatureScheme : std::uint8_t { rsa_pkcs1_sha256, ecdsa_p256_sha256 };

class VerificationKey {
 public:
  static constexpr int modulus_bits_min = 2048;
  static constexpr int modulus_bits_max = 8192;
  static constexpr int exponent_bits_max = 64;
  static constexpr std::size_t coordinate_bytes = 32;

  // Leading zero bytes are allowed, since issuers write them.
  static Result<VerificationKey> rsa(std::string_view modulus, std::string_view exponent);
  // Both of coordinate_bytes; the point must lie on the curve.
  static Result<VerificationKey> p256(std::string_view x, std::string_view y);

  SignatureScheme scheme() const { return scheme_; }
  // An RSA signature is as long as the modulus; one of ECDSA is r and s, each of 32 bytes, which is
  // the form of RFC 7518 and not that of X.509.
  bool verify(std::string_view message, std::string_view signature) const;

 private:
  struct Key;
  VerificationKey(SignatureScheme scheme, std::shared_ptr<const Key> key)
      : scheme_(scheme), key_(std::move(key)) {}

  SignatureScheme scheme_;
  std::shared_ptr<const Key> key_;
};

}  // namespace mailwarden::crypto
