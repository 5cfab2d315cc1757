#include "net/tls_context.h"

#include <string_view>
#include <vector>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include "base/check.h"
#include "base/files.h"

namespace mailwarden::net {
namespace {

// RFC 9325, section 4.2: what TLS 1.2 still offers in safety.
constexpr const char* suites_1_2 =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* suites_1_3 =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr int security_level = 2;  // 112 bits: RSA of 2048 bits, no SHA-1

template <auto function>
struct Free {
  void operator()(auto* pointer) const { function(pointer); }
};
using Bio = std::unique_ptr<BIO, Free<BIO_free>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;

Bio reader_of(std::string_view text) {
  Bio bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  CHECK(bio != nullptr);
  return bio;
}

// Why OpenSSL refused, and nothing of it left for whoever asks next.
std::string refusal() {
  const char* const reason = ERR_reason_error_string(ERR_peek_last_error());
  std::string text = reason != nullptr ? reason : "no reason given";
  ERR_clear_error();
  return text;
}

// In place of OpenSSL's own, which would ask on the terminal.
int no_password(char* /*into*/, int /*size*/, int /*writes*/, void* was_asked) {
  *static_cast<bool*>(was_asked) = true;
  return -1;
}

// Every certificate in the file, of which there must be one.
Result<std::vector<Certificate>> read_certificates(const std::string& path) {
  const auto text = read_whole_file(path, tls_file_bytes_max);
  if (!text) return std::unexpected(text.error());
  const Bio bio = reader_of(*text);
  std::vector<Certificate> found;
  bool was_asked = false;
  ERR_clear_error();
  while (X509* const one = PEM_read_bio_X509(bio.get(), nullptr, no_password, &was_asked)) {
    found.emplace_back(one);
  }
  // The end of the file reads as the lack of a further one.
  const unsigned long last = ERR_peek_last_error();
  const bool at_end =
      ERR_GET_LIB(last) == ERR_LIB_PEM && ERR_GET_REASON(last) == PEM_R_NO_START_LINE;
  const std::string why = refusal();
  if (!at_end) {
    return fail(Code::invalid, path + ": certificate " + std::to_string(found.size() + 1) +
                                   " cannot be read: " + why);
  }
  if (found.empty()) return fail(Code::invalid, path + ": there is no certificate in PEM in it");
  return found;
}

Result<Key> read_key(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) == 0 && (status.st_mode & 07U) != 0) {
    return fail(Code::denied, path +
                                  ": everybody may open this key; at most its owner and its "
                                  "group may (chmod 640)");
  }
  auto text = read_whole_file(path, tls_file_bytes_max);
  if (!text) return std::unexpected(text.error());
  bool was_asked = false;
  Key key(PEM_read_bio_PrivateKey(reader_of(*text).get(), nullptr, no_password, &was_asked));
  OPENSSL_cleanse(text->data(), text->size());
  if (key != nullptr) return key;
  const std::string why = refusal();
  if (was_asked) {
    return fail(Code::invalid, path +
                                   ": the key is encrypted, and nobody is there to be asked for "
                                   "its password");
  }
  return fail(Code::invalid, path + ": there is no private key in PEM in it: " + why);
}

TlsContext make_context() {
  TlsContext made(SSL_CTX_new(TLS_server_method()));
  SSL_CTX* const context = made.get();
  CHECK(context != nullptr);
  // Said here and not left to the system's openssl.cnf.
  CHECK(SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1);
  CHECK(SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1);
  SSL_CTX_set_security_level(context, security_level);
  CHECK(SSL_CTX_set_cipher_list(context, suites_1_2) == 1);
  CHECK(SSL_CTX_set_ciphersuites(context, suites_1_3) == 1);
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
  // What the file lacks is not taken from those that vouch for clients.
  SSL_CTX_set_mode(context, SSL_MODE_NO_AUTO_CHAIN);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  CHECK(SSL_CTX_set_num_tickets(context, 0) == 1);
  return made;
}

Result<void> use_certificate(SSL_CTX* context, const TlsFiles& files) {
  const auto chain = read_certificates(files.certificate);
  if (!chain) return std::unexpected(chain.error());
  const auto key = read_key(files.key);
  if (!key) return std::unexpected(key.error());
  X509* const own = chain->front().get();
  if (X509_check_private_key(own, key->get()) != 1) {
    ERR_clear_error();
    return fail(Code::invalid, files.key + ": this is not the key of the first certificate in " +
                                   files.certificate);
  }
  bool taken = SSL_CTX_use_certificate(context, own) == 1 &&
               SSL_CTX_use_PrivateKey(context, key->get()) == 1;
  for (std::size_t i = 1; taken && i < chain->size(); ++i) {
    taken = SSL_CTX_add1_chain_cert(context, (*chain)[i].get()) == 1;
  }
  if (!taken) {
    return fail(Code::invalid, files.certificate + ": not fit for a server: " + refusal());
  }
  return {};
}

Result<void> ask_clients(SSL_CTX* context, const std::string& path) {
  const auto trusted = read_certificates(path);
  if (!trusted) return std::unexpected(trusted.error());
  X509_STORE* const store = SSL_CTX_get_cert_store(context);
  for (const Certificate& one : *trusted) {
    // Clients with several certificates choose by these names.
    if (X509_STORE_add_cert(store, one.get()) != 1 ||
        SSL_CTX_add_client_CA(context, one.get()) != 1) {
      return fail(Code::invalid, path + ": cannot vouch for clients: " + refusal());
    }
  }
  // Who trusts one authority below a larger one does not want all of the larger one's clients.
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  return {};
}

}  // namespace

void FreeTlsContext::operator()(ssl_ctx_st* context) const {
  SSL_CTX_free(context);
}

Result<TlsContext> load_tls_context(const TlsFiles& files) {
  TlsContext context = make_context();
  if (auto done = use_certificate(context.get(), files); !done) {
    return std::unexpected(done.error());
  }
  if (files.clients.empty()) return context;
  if (auto done = ask_clients(context.get(), files.clients); !done) {
    return std::unexpected(done.error());
  }
  return context;
}

std::string peer_subject(const ssl_st* connection) {
  const Certificate shown(SSL_get1_peer_certificate(connection));
  if (shown == nullptr) return {};
  const Bio bio(BIO_new(BIO_s_mem()));
  CHECK(bio != nullptr);
  if (X509_NAME_print_ex(bio.get(), X509_get_subject_name(shown.get()), 0, XN_FLAG_RFC2253) < 0) {
    return {};
  }
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

}  // namespace mailwarden::net
