// Private keys, whose public halves and signatures the tests hold against ours.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace mailwarden::crypto {

class PrivateKey {
 public:
  static PrivateKey rsa(unsigned bits = 2048) {
    return PrivateKey(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", static_cast<std::size_t>(bits)));
  }
  static PrivateKey on_curve(const char* curve = "P-256") {
    return PrivateKey(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", curve));
  }

  bool is_rsa() const { return EVP_PKEY_is_a(key_.get(), "RSA") == 1; }

  // A number of the public key, big-endian; coordinates are filled up to 32 bytes.
  std::string number(const char* name) const {
    BIGNUM* number = nullptr;
    EXPECT_EQ(EVP_PKEY_get_bn_param(key_.get(), name, &number), 1) << name;
    const int size = is_rsa() ? BN_num_bytes(number) : std::max(32, BN_num_bytes(number));
    std::string bytes(static_cast<std::size_t>(size), '\0');
    EXPECT_EQ(BN_bn2binpad(number, reinterpret_cast<unsigned char*>(bytes.data()), size), size);
    BN_free(number);
    return bytes;
  }

  // As OpenSSL gives it: of the modulus' size, or DER.
  std::string sign(std::string_view text, const char* digest = "SHA256") const {
    EVP_MD_CTX* const context = EVP_MD_CTX_new();
    const auto* const bytes = reinterpret_cast<const unsigned char*>(text.data());
    EXPECT_EQ(
        EVP_DigestSignInit_ex(context, nullptr, digest, nullptr, nullptr, key_.get(), nullptr), 1);
    std::size_t size = 0;
    EXPECT_EQ(EVP_DigestSign(context, nullptr, &size, bytes, text.size()), 1);
    std::string signature(size, '\0');
    EXPECT_EQ(EVP_DigestSign(context, reinterpret_cast<unsigned char*>(signature.data()), &size,
                             bytes, text.size()),
              1);
    EVP_MD_CTX_free(context);
    signature.resize(size);
    return signature;
  }

  // As a web token has it: DER becomes r and s, each of 32 bytes.
  std::string token_signature(std::string_view text) const {
    const std::string signature = sign(text);
    if (is_rsa()) return signature;
    const auto* bytes = reinterpret_cast<const unsigned char*>(signature.data());
    ECDSA_SIG* const both = d2i_ECDSA_SIG(nullptr, &bytes, static_cast<long>(signature.size()));
    std::string raw(64, '\0');
    auto* const out = reinterpret_cast<unsigned char*>(raw.data());
    EXPECT_EQ(BN_bn2binpad(ECDSA_SIG_get0_r(both), out, 32), 32);
    EXPECT_EQ(BN_bn2binpad(ECDSA_SIG_get0_s(both), out + 32, 32), 32);
    ECDSA_SIG_free(both);
    return raw;
  }

 private:
  explicit PrivateKey(EVP_PKEY* key) : key_(key, EVP_PKEY_free) { EXPECT_NE(key, nullptr); }

  std::shared_ptr<EVP_PKEY> key_;
};

// A key of each kind for a whole test program, since making one of RSA takes a while.
inline const PrivateKey& rsa_key() {
  static const PrivateKey key = PrivateKey::rsa();
  return key;
}
inline const PrivateKey& p256_key() {
  static const PrivateKey key = PrivateKey::on_curve();
  return key;
}

inline std::string hmac(std::string_view secret, std::string_view text) {
  unsigned char out[32];
  unsigned size = sizeof out;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), out, &size);
  return {reinterpret_cast<const char*>(out), size};
}

}  // namespace mailwarden::crypto
