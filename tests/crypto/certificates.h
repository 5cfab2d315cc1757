// Keys of every kind that others sign with, and certificates for them.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace mailwarden::crypto {

class TestKey {
 public:
  static TestKey rsa(std::size_t bits = 2048) {
    return TestKey(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", bits));
  }
  static TestKey on(const char* curve) {
    return TestKey(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", curve));
  }
  static TestKey ed25519() { return TestKey(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")); }

  EVP_PKEY* get() const { return key_.get(); }

  std::string der() const {
    unsigned char* bytes = nullptr;
    const int size = i2d_PUBKEY(key_.get(), &bytes);
    std::string out(reinterpret_cast<char*>(bytes), static_cast<std::size_t>(size));
    OPENSSL_free(bytes);
    return out;
  }

  // By the names of JSON Web Algorithms, in their form.
  std::string sign(std::string_view algorithm, std::string_view text) const {
    EVP_MD_CTX* const context = EVP_MD_CTX_new();
    EVP_PKEY_CTX* settings = nullptr;
    const std::string digest = "SHA" + std::string(algorithm.substr(2));
    EXPECT_EQ(
        EVP_DigestSignInit_ex(context, &settings, algorithm == "Ed25519" ? nullptr : digest.c_str(),
                              nullptr, nullptr, key_.get(), nullptr),
        1);
    if (algorithm[0] == 'P') {
      EVP_PKEY_CTX_set_rsa_padding(settings, RSA_PKCS1_PSS_PADDING);
      EVP_PKEY_CTX_set_rsa_pss_saltlen(settings, RSA_PSS_SALTLEN_DIGEST);
    }
    const auto* const bytes = reinterpret_cast<const unsigned char*>(text.data());
    std::size_t size = 0;
    EXPECT_EQ(EVP_DigestSign(context, nullptr, &size, bytes, text.size()), 1);
    std::string out(size, '\0');
    EXPECT_EQ(EVP_DigestSign(context, reinterpret_cast<unsigned char*>(out.data()), &size, bytes,
                             text.size()),
              1);
    EVP_MD_CTX_free(context);
    out.resize(size);
    return algorithm.starts_with("ES") ? coordinates(out) : out;
  }

 private:
  explicit TestKey(EVP_PKEY* key) : key_(key, EVP_PKEY_free) { EXPECT_NE(key, nullptr); }

  std::string coordinates(const std::string& der) const {
    const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
    ECDSA_SIG* const both = d2i_ECDSA_SIG(nullptr, &bytes, static_cast<long>(der.size()));
    const int half = (EVP_PKEY_get_bits(key_.get()) + 7) / 8;
    std::string out(static_cast<std::size_t>(2 * half), '\0');
    auto* const to = reinterpret_cast<unsigned char*>(out.data());
    EXPECT_EQ(BN_bn2binpad(ECDSA_SIG_get0_r(both), to, half), half);
    EXPECT_EQ(BN_bn2binpad(ECDSA_SIG_get0_s(both), to + half, half), half);
    ECDSA_SIG_free(both);
    return out;
  }

  std::shared_ptr<EVP_PKEY> key_;
};

// DER, in force for a year either way of 2027-01-15.
inline std::string certificate(const char* name, const TestKey& key, const char* issuer,
                               const TestKey& by, bool may_sign) {
  X509* const made = X509_new();
  constexpr time_t middle = 1'800'000'000;
  constexpr time_t year = 365L * 24 * 60 * 60;
  X509_set_version(made, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(made), 1);
  ASN1_TIME_set(X509_getm_notBefore(made), middle - year);
  ASN1_TIME_set(X509_getm_notAfter(made), middle + year);
  const auto call = [](X509_NAME* who, const char* text) {
    X509_NAME_add_entry_by_txt(who, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(text), -1, -1, 0);
  };
  call(X509_get_subject_name(made), name);
  call(X509_get_issuer_name(made), issuer);
  X509_set_pubkey(made, key.get());
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, made, made, nullptr, nullptr, 0);
  const auto add = [&](int what, const char* text) {
    X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, what, text);
    EXPECT_NE(extension, nullptr) << text;
    X509_add_ext(made, extension, -1);
    X509_EXTENSION_free(extension);
  };
  add(NID_basic_constraints, may_sign ? "critical,CA:TRUE" : "critical,CA:FALSE");
  add(NID_key_usage, may_sign ? "critical,keyCertSign" : "critical,digitalSignature");
  add(NID_subject_key_identifier, "hash");
  const bool plain = EVP_PKEY_is_a(by.get(), "ED25519") == 1;
  EXPECT_GT(X509_sign(made, by.get(), plain ? nullptr : EVP_sha256()), 0);
  unsigned char* bytes = nullptr;
  const int size = i2d_X509(made, &bytes);
  std::string out(reinterpret_cast<char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  X509_free(made);
  return out;
}

inline std::string pem(const char* kind, const std::string& der) {
  BIO* const out = BIO_new(BIO_s_mem());
  PEM_write_bio(out, kind, "", reinterpret_cast<const unsigned char*>(der.data()),
                static_cast<long>(der.size()));
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(out, &bytes);
  std::string text(bytes, static_cast<std::size_t>(size));
  BIO_free(out);
  return text;
}

}  // namespace mailwarden::crypto
