#include "crypto/foreign_key.h"

#include <algorithm>
#include <array>

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include "base/check.h"
#include "base/text.h"
#include "crypto/openssl_objects.h"
#include "crypto/verification_key.h"

namespace mailwarden::crypto {
namespace {

void free_chain(STACK_OF(X509) * chain) {
  sk_X509_pop_free(chain, X509_free);
}
using Digests = std::unique_ptr<EVP_MD, Free<EVP_MD_free>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Chain = std::unique_ptr<STACK_OF(X509), Free<free_chain>>;
using Store = std::unique_ptr<X509_STORE, Free<X509_STORE_free>>;
using StoreContext = std::unique_ptr<X509_STORE_CTX, Free<X509_STORE_CTX_free>>;
using Bio = std::unique_ptr<BIO, Free<BIO_free>>;

enum class Kind : std::uint8_t { rsa, rsa_pss, ecdsa, ed25519 };

struct Algorithm {
  std::string_view name;
  Kind kind;
  const char* digest;      // null: the algorithm's own
  const char* curve;       // of ECDSA
  std::size_t coordinate;  // bytes of r and of s
};

constexpr std::array algorithms{Algorithm{"RS256", Kind::rsa, "SHA256", "", 0},
                                Algorithm{"RS384", Kind::rsa, "SHA384", "", 0},
                                Algorithm{"RS512", Kind::rsa, "SHA512", "", 0},
                                Algorithm{"PS256", Kind::rsa_pss, "SHA256", "", 0},
                                Algorithm{"PS384", Kind::rsa_pss, "SHA384", "", 0},
                                Algorithm{"PS512", Kind::rsa_pss, "SHA512", "", 0},
                                Algorithm{"ES256", Kind::ecdsa, "SHA256", "prime256v1", 32},
                                Algorithm{"ES384", Kind::ecdsa, "SHA384", "secp384r1", 48},
                                Algorithm{"ES512", Kind::ecdsa, "SHA512", "secp521r1", 66},
                                Algorithm{"Ed25519", Kind::ed25519, nullptr, "", 0}};

bool serves(EVP_PKEY* key, const Algorithm& algorithm) {
  switch (algorithm.kind) {
    case Kind::rsa:
    case Kind::rsa_pss:
      return EVP_PKEY_is_a(key, "RSA") == 1;
    case Kind::ed25519:
      return EVP_PKEY_is_a(key, "ED25519") == 1;
    case Kind::ecdsa: {
      std::array<char, 64> curve{};
      return EVP_PKEY_is_a(key, "EC") == 1 &&
             EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, curve.data(),
                                            curve.size(), nullptr) == 1 &&
             std::string_view(curve.data()) == algorithm.curve;
    }
  }
  return false;
}

// r and s as the DER that OpenSSL reads; empty where they have not the curve's length.
std::string to_der_signature(std::string_view signature, std::size_t coordinate) {
  if (signature.size() != 2 * coordinate) return {};
  const int half = static_cast<int>(coordinate);
  BIGNUM* r = BN_bin2bn(bytes_of(signature), half, nullptr);
  BIGNUM* s = BN_bin2bn(bytes_of(signature) + coordinate, half, nullptr);
  const EcSignature both(ECDSA_SIG_new());
  CHECK(r != nullptr && s != nullptr && both != nullptr && ECDSA_SIG_set0(both.get(), r, s) == 1);
  std::string der(static_cast<std::size_t>(i2d_ECDSA_SIG(both.get(), nullptr)), '\0');
  auto* end = reinterpret_cast<unsigned char*>(der.data());
  CHECK(i2d_ECDSA_SIG(both.get(), &end) == static_cast<int>(der.size()));
  return der;
}

Result<void> check_strength(EVP_PKEY* key) {
  const bool known = EVP_PKEY_is_a(key, "RSA") == 1 || EVP_PKEY_is_a(key, "EC") == 1 ||
                     EVP_PKEY_is_a(key, "ED25519") == 1;
  if (!known) return fail(Code::invalid, "the key is none of RSA, EC and Ed25519");
  if (EVP_PKEY_is_a(key, "RSA") != 1) return {};
  // The numbers say whether the modulus can be believed.
  std::array<std::string, 2> numbers;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    BIGNUM* number = nullptr;
    if (EVP_PKEY_get_bn_param(key, i == 0 ? OSSL_PKEY_PARAM_RSA_N : OSSL_PKEY_PARAM_RSA_E,
                              &number) != 1) {
      return fail(Code::invalid, "the key has no numbers");
    }
    numbers[i].resize(static_cast<std::size_t>(BN_num_bytes(number)));
    BN_bn2bin(number, reinterpret_cast<unsigned char*>(numbers[i].data()));
    BN_free(number);
  }
  const auto checked = VerificationKey::rsa(numbers[0], numbers[1]);
  return checked ? Result<void>() : std::unexpected(checked.error());
}

Result<Certificate> read_certificate(std::string_view der) {
  const unsigned char* at = bytes_of(der);
  Certificate certificate(der.size() > ForeignKey::der_bytes_max
                              ? nullptr
                              : d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  if (certificate == nullptr || at != bytes_of(der) + der.size()) {
    return fail(Code::invalid, "is no certificate in DER");
  }
  return certificate;
}

std::string public_key_of(EVP_PKEY* key) {
  const int size = i2d_PUBKEY(key, nullptr);
  if (size <= 0) return {};
  std::string der(static_cast<std::size_t>(size), '\0');
  auto* end = reinterpret_cast<unsigned char*>(der.data());
  CHECK(i2d_PUBKEY(key, &end) == size);
  return der;
}

bool is_believed(X509* certificate, std::span<const ForeignKey> believed) {
  EVP_PKEY* const key = X509_get0_pubkey(certificate);
  const std::string der = key == nullptr ? std::string() : public_key_of(key);
  return std::ranges::any_of(believed, [&](const ForeignKey& one) { return one.der() == der; });
}

}  // namespace

struct ForeignKey::Key {
  KeyPointer pointer;
};

Result<ForeignKey> ForeignKey::from_der(std::string_view der) {
  const ForgetErrors forget;
  const unsigned char* at = bytes_of(der);
  KeyPointer key(der.size() > der_bytes_max
                     ? nullptr
                     : d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
  if (key == nullptr || at != bytes_of(der) + der.size()) {
    return fail(Code::invalid, "is no public key in DER");
  }
  if (auto good = check_strength(key.get()); !good) return std::unexpected(good.error());
  std::string own = public_key_of(key.get());
  return ForeignKey(std::make_shared<const Key>(std::move(key)), std::move(own));
}

Result<ForeignKey> ForeignKey::from_certificate(std::string_view der) {
  const ForgetErrors forget;
  const auto certificate = read_certificate(der);
  if (!certificate) return std::unexpected(certificate.error());
  EVP_PKEY* const key = X509_get0_pubkey(certificate->get());
  if (key == nullptr) return fail(Code::invalid, "the certificate holds no key that is known");
  return from_der(public_key_of(key));
}

Result<bool> ForeignKey::verify(std::string_view algorithm, std::string_view message,
                                std::string_view signature) const {
  const ForgetErrors forget;
  const auto* const found = std::ranges::find(algorithms, algorithm, &Algorithm::name);
  if (found == algorithms.end()) {
    return fail(Code::invalid, "the algorithm '" + printable(algorithm) + "' is not known");
  }
  EVP_PKEY* const key = key_->pointer.get();
  if (!serves(key, *found)) {
    return fail(Code::invalid, "the key is none for " + std::string(algorithm));
  }
  std::string der;
  if (found->kind == Kind::ecdsa) {
    der = to_der_signature(signature, found->coordinate);
    if (der.empty()) return false;
    signature = der;
  } else if (found->kind != Kind::ed25519 &&
             signature.size() != static_cast<std::size_t>(EVP_PKEY_get_size(key))) {
    return false;
  }
  const DigestContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* settings = nullptr;  // the context's
  CHECK(context != nullptr && EVP_DigestVerifyInit_ex(context.get(), &settings, found->digest,
                                                      nullptr, nullptr, key, nullptr) == 1);
  if (found->kind == Kind::rsa_pss) {
    CHECK(EVP_PKEY_CTX_set_rsa_padding(settings, RSA_PKCS1_PSS_PADDING) == 1 &&
          EVP_PKEY_CTX_set_rsa_pss_saltlen(settings, RSA_PSS_SALTLEN_DIGEST) == 1);
  }
  return EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(message),
                          message.size()) == 1;
}

Result<std::vector<PemPart>> read_pem(std::string_view text) {
  const ForgetErrors forget;
  const Bio input(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  CHECK(input != nullptr);
  std::vector<PemPart> parts;
  char* name = nullptr;
  char* header = nullptr;
  unsigned char* bytes = nullptr;
  long size = 0;
  while (PEM_read_bio(input.get(), &name, &header, &bytes, &size) == 1) {
    const std::string_view kind(name);
    if (kind == "PUBLIC KEY" || kind == "CERTIFICATE") {
      parts.push_back({kind == "CERTIFICATE",
                       {reinterpret_cast<char*>(bytes), static_cast<std::size_t>(size)}});
    }
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_clear_free(bytes, static_cast<std::size_t>(size));
  }
  if (parts.empty()) {
    return fail(Code::invalid, "there is no PUBLIC KEY and no CERTIFICATE in PEM");
  }
  return parts;
}

Result<void> check_chain(std::span<const std::string> certificates,
                         std::span<const ForeignKey> believed, Timestamp at) {
  const ForgetErrors forget;
  if (certificates.empty() || certificates.size() > chain_max) {
    return fail(Code::invalid, "a chain has 1 to " + std::to_string(chain_max) + " certificates");
  }
  const Store store(X509_STORE_new());
  const Chain chain(sk_X509_new_null());
  CHECK(store != nullptr && chain != nullptr);
  X509* first = nullptr;
  bool has_anchor = false;
  for (const std::string& der : certificates) {
    auto certificate = read_certificate(der);
    if (!certificate) return std::unexpected(certificate.error());
    if (is_believed(certificate->get(), believed)) {
      CHECK(X509_STORE_add_cert(store.get(), certificate->get()) == 1);
      has_anchor = true;
    }
    if (first == nullptr) first = certificate->get();
    CHECK(sk_X509_push(chain.get(), certificate->get()) > 0);
    (void)certificate->release();  // the chain's
  }
  if (!has_anchor)
    return fail(Code::denied, "no certificate of the chain has a key that is believed");
  const StoreContext context(X509_STORE_CTX_new());
  CHECK(context != nullptr &&
        X509_STORE_CTX_init(context.get(), store.get(), first, chain.get()) == 1);
  X509_VERIFY_PARAM* const settings = X509_STORE_CTX_get0_param(context.get());
  // What is believed ends a chain wherever it stands.
  X509_VERIFY_PARAM_set_flags(settings, X509_V_FLAG_PARTIAL_CHAIN);
  X509_VERIFY_PARAM_set_time(settings, static_cast<time_t>(at.us / 1'000'000));
  if (X509_verify_cert(context.get()) == 1) return {};
  return fail(Code::denied,
              std::string("the chain of certificates does not hold: ") +
                  X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get())));
}

std::string to_der(const PublicKey& key) {
  constexpr std::string_view head("\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00", 12);
  std::string der(head);
  der.append(reinterpret_cast<const char*>(key.data()), key.size());
  return der;
}

Result<std::string> hash(std::string_view name, std::string_view bytes) {
  const char* const digest = name == "sha-256"   ? "SHA256"
                             : name == "sha-384" ? "SHA384"
                             : name == "sha-512" ? "SHA512"
                                                 : nullptr;
  if (digest == nullptr) {
    return fail(Code::invalid,
                "the hash '" + printable(name) + "' is none of sha-256, sha-384 and sha-512");
  }
  const Digests method(EVP_MD_fetch(nullptr, digest, nullptr));
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned size = 0;
  CHECK(method != nullptr &&
        EVP_Digest(bytes.data(), bytes.size(), out.data(), &size, method.get(), nullptr) == 1);
  return std::string(reinterpret_cast<const char*>(out.data()), size);
}

}  // namespace mailwarden::crypto
