// Authorities and certificates, made by the test that needs them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include "tests/temporary.h"

namespace mailwarden::net {

template <auto function>
struct Free {
  void operator()(auto* pointer) const { function(pointer); }
};
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Context = std::unique_ptr<SSL_CTX, Free<SSL_CTX_free>>;
using Tls = std::unique_ptr<SSL, Free<SSL_free>>;

// In PEM; the certificate is followed by those between it and its authority.
struct Identity {
  std::string certificate;
  std::string key;
};

struct Wish {
  std::string name = "a test";
  std::string names = "IP:127.0.0.1";  // "" for none
  std::string usage = {};              // "serverAuth", "clientAuth"; "" for any
  long valid_seconds = 3600;           // from an hour ago to so many from now
  bool has_weak_key = false;           // RSA of 1024 bits
};

class Authority {
 public:
  explicit Authority(const std::string& name = "an authority", const Authority* above = nullptr,
                     bool may_issue = true)
      : key_(EVP_EC_gen("P-256")) {
    certificate_ = begin({.name = name, .names = ""}, key_.get());
    add(certificate_.get(), NID_basic_constraints,
        may_issue ? "critical,CA:TRUE" : "critical,CA:FALSE");
    const Authority& signer = above != nullptr ? *above : *this;
    sign(certificate_.get(), signer);
    if (above != nullptr) chain_ = pem();
  }

  std::string pem() const { return pem_of(certificate_.get()); }

  Identity issue(const Wish& wish) const {
    const Key key(wish.has_weak_key ? EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{1024})
                                    : EVP_EC_gen("P-256"));
    const Certificate made = begin(wish, key.get());
    if (!wish.usage.empty()) add(made.get(), NID_ext_key_usage, wish.usage);
    sign(made.get(), *this);
    return {pem_of(made.get()) + chain_, pem_of(key.get(), "")};
  }

  // The key behind a password.
  static std::string locked(const std::string& key) {
    BIO* const bio = BIO_new_mem_buf(key.data(), static_cast<int>(key.size()));
    const Key read(PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr));
    BIO_free(bio);
    return pem_of(read.get(), "secret");
  }

 private:
  static Certificate begin(const Wish& wish, EVP_PKEY* key) {
    static long serial = 0;
    Certificate made(X509_new());
    X509_set_version(made.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made.get()), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(made.get()), -3600);
    X509_gmtime_adj(X509_getm_notAfter(made.get()), wish.valid_seconds);
    X509_set_pubkey(made.get(), key);
    X509_NAME* const name = X509_get_subject_name(made.get());
    for (const auto& [part, value] :
         {std::pair{"O", std::string("Example")}, std::pair{"CN", wish.name}}) {
      X509_NAME_add_entry_by_txt(name, part, MBSTRING_UTF8,
                                 reinterpret_cast<const unsigned char*>(value.c_str()), -1, -1, 0);
    }
    if (!wish.names.empty()) add(made.get(), NID_subject_alt_name, wish.names);
    return made;
  }
  static void add(X509* certificate, int kind, const std::string& value) {
    X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str());
    ASSERT_NE(extension, nullptr) << value;
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
  }
  static void sign(X509* certificate, const Authority& signer) {
    X509_set_issuer_name(certificate, X509_get_subject_name(signer.certificate_.get()));
    EXPECT_GT(X509_sign(certificate, signer.key_.get(), EVP_sha256()), 0);
  }
  static std::string text_of(BIO* bio) {
    char* text = nullptr;
    const long size = BIO_get_mem_data(bio, &text);
    std::string copy(text, static_cast<std::size_t>(size));
    BIO_free(bio);
    return copy;
  }
  static std::string pem_of(X509* certificate) {
    BIO* const bio = BIO_new(BIO_s_mem());
    EXPECT_EQ(PEM_write_bio_X509(bio, certificate), 1);
    return text_of(bio);
  }
  static std::string pem_of(EVP_PKEY* key, const std::string& password) {
    BIO* const bio = BIO_new(BIO_s_mem());
    EXPECT_EQ(PEM_write_bio_PKCS8PrivateKey(
                  bio, key, password.empty() ? nullptr : EVP_aes_128_cbc(), password.c_str(),
                  static_cast<int>(password.size()), nullptr, nullptr),
              1);
    return text_of(bio);
  }

  Key key_;
  Certificate certificate_;
  std::string chain_;
};

// For nobody else's eyes.
inline void write_key(const std::string& path, const std::string& key) {
  write_file(path, key);
  ASSERT_EQ(::chmod(path.c_str(), 0600), 0);
}

}  // namespace mailwarden::net
