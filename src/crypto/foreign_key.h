// Public keys and certificates of others, and what they signed, by the names of JSON Web
// Algorithms.
//
// What     A ForeignKey is a public key as X.509 writes it (SubjectPublicKeyInfo) or as a
//          certificate holds it. verify() takes the algorithm by name: RS256, RS384, RS512, PS256,
//          PS384, PS512, ES256, ES384, ES512 and Ed25519; a key serves those of its kind, and on a
//          curve the one of its curve. hash() knows sha-256, sha-384 and sha-512. check_chain()
//          asks whether a chain of certificates leads to a key that is believed.
// Owns     The key; copies share it.
// Threads  Values; any thread.
// Errors   invalid: no key, no certificate, a key that is too weak, an algorithm or hash that is
//          not known. A signature that is wrong in any way is `false`.
// Limits   der_bytes_max of a key or certificate, chain_max certificates; RSA keys as
//          VerificationKey has them.
// Source   RFC 7518, section 3; RFC 8037; RFC 5280; through OpenSSL.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/timestamp.h"
#include "crypto/ed25519.h"

namespace mailwarden::crypto {

class ForeignKey {
 public:
  static constexpr std::size_t der_bytes_max = 16 * 1024;

  // DER of a SubjectPublicKeyInfo; of a certificate.
  static Result<ForeignKey> from_der(std::string_view der);
  static Result<ForeignKey> from_certificate(std::string_view der);

  // Its SubjectPublicKeyInfo.
  const std::string& der() const { return der_; }
  Result<bool> verify(std::string_view algorithm, std::string_view message,
                      std::string_view signature) const;

  struct Key;

 private:
  ForeignKey(std::shared_ptr<const Key> key, std::string der)
      : key_(std::move(key)), der_(std::move(der)) {}

  std::shared_ptr<const Key> key_;
  std::string der_;
};

// What a PEM file holds: of each public key and each certificate the DER, in its order.
struct PemPart {
  bool is_certificate = false;
  std::string der;
};
Result<std::vector<PemPart>> read_pem(std::string_view text);

inline constexpr std::size_t chain_max = 10;
// Whether each certificate (DER) is good at that moment and is signed by the one behind it, up to
// one whose key is among `believed`; why not, as an error.
Result<void> check_chain(std::span<const std::string> certificates,
                         std::span<const ForeignKey> believed, Timestamp at);

// Of an Ed25519 key; RFC 8410.
std::string to_der(const PublicKey& key);

// The bytes of a hash by its name in the IANA registry.
Result<std::string> hash(std::string_view name, std::string_view bytes);

}  // namespace mailwarden::crypto
