// A client of TLS that does as it is told, also what it should not.
#pragma once

#include <csignal>

#include <openssl/err.h>

#include "tests/net/certificates.h"
#include "tests/net/sockets.h"

namespace mailwarden::net {

struct TlsClientOptions {
  int version_min = TLS1_2_VERSION;
  int version_max = TLS1_3_VERSION;
  std::string suites = "ALL:@SECLEVEL=0";  // of TLS 1.2 and older
  std::string authority;                   // a file of whom to trust; "" trusts everybody
  Identity identity;                       // what to show when asked
  SSL_SESSION* resume = nullptr;
};

class TlsClient {
 public:
  TlsClient(unsigned short port, const TlsClientOptions& options)
      : socket_(Socket::connect(port)), context_(SSL_CTX_new(TLS_client_method())) {
    std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
    SSL_CTX* const context = context_.get();
    SSL_CTX_set_security_level(context, 0);
    EXPECT_EQ(SSL_CTX_set_cipher_list(context, options.suites.c_str()), 1);
    SSL_CTX_set_min_proto_version(context, options.version_min);
    SSL_CTX_set_max_proto_version(context, options.version_max);
    if (!options.authority.empty()) {
      EXPECT_EQ(SSL_CTX_load_verify_file(context, options.authority.c_str()), 1);
      SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    }
    if (!options.identity.key.empty()) use(options.identity);
    tls_.reset(SSL_new(context));
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls_.get()), "127.0.0.1");
    if (options.resume != nullptr) SSL_set_session(tls_.get(), options.resume);
    SSL_set_fd(tls_.get(), socket_.number());
    note(SSL_connect(tls_.get()));
  }

  // Whether the handshake came to its end here; with TLS 1.3 the server may still refuse.
  bool connected() const { return SSL_is_init_finished(tls_.get()) == 1; }
  int version() const { return SSL_version(tls_.get()); }
  SSL* tls() const { return tls_.get(); }
  // What OpenSSL said when it went wrong, which tells the server's alert.
  const std::string& trouble() const { return trouble_; }
  // Whether the server took its leave.
  bool ended_well() const { return (SSL_get_shutdown(tls_.get()) & SSL_RECEIVED_SHUTDOWN) != 0; }

  std::string server() const {
    const Certificate shown(SSL_get1_peer_certificate(tls_.get()));
    char name[256] = "";
    if (shown != nullptr) {
      X509_NAME_get_text_by_NID(X509_get_subject_name(shown.get()), NID_commonName, name,
                                sizeof name);
    }
    return name;
  }

  void send(const std::string& bytes) {
    if (connected()) note(SSL_write(tls_.get(), bytes.data(), static_cast<int>(bytes.size())));
  }
  // What has come; "" at the end and after trouble.
  std::string receive() {
    if (!connected()) return {};
    std::string bytes(16'384, '\0');
    const int got = SSL_read(tls_.get(), bytes.data(), static_cast<int>(bytes.size()));
    note(got);
    bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return bytes;
  }
  std::string receive_all() {
    std::string all;
    for (std::string more = receive(); !more.empty(); more = receive()) all += more;
    return all;
  }

 private:
  void use(const Identity& identity) {
    BIO* bio = BIO_new_mem_buf(identity.certificate.data(), -1);
    const Certificate own(PEM_read_bio_X509(bio, nullptr, nullptr, nullptr));
    EXPECT_EQ(SSL_CTX_use_certificate(context_.get(), own.get()), 1);
    while (X509* const above = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr)) {
      SSL_CTX_add0_chain_cert(context_.get(), above);
    }
    BIO_free(bio);
    bio = BIO_new_mem_buf(identity.key.data(), -1);
    const Key key(PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr));
    EXPECT_EQ(SSL_CTX_use_PrivateKey(context_.get(), key.get()), 1);
    BIO_free(bio);
    ERR_clear_error();
  }
  void note(int result) {
    if (result > 0) return;
    const char* const reason = ERR_reason_error_string(ERR_peek_last_error());
    if (reason != nullptr && trouble_.empty()) trouble_ = reason;
    ERR_clear_error();
  }

  Socket socket_;
  Context context_;
  Tls tls_;
  std::string trouble_;
};

}  // namespace mailwarden::net
