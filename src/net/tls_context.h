// What a TLS server shows its clients, and what it asks them to show.
//
// What     Reads a certificate with its chain, its key and the authorities of clients from PEM
//          files and makes of them what connections are served with: TLS 1.2 and 1.3, ephemeral
//          keys on curves, authenticated ciphers, keys of at least 112 bits of security. There is
//          no compression, no renegotiation and no resumption, so that each connection shows its
//          client's certificate anew.
// Owns     A TlsContext owns what was read; the files are not looked at again.
// Threads  Values. Connections of any thread may be made from one context.
// Errors   not_found, denied, io: a file cannot be read, or others may read the key. invalid: a
//          file is not what it should be, or key and certificate do not belong together. Each
//          names the file.
// Limits   tls_file_bytes_max for each file.
// Source   RFC 8446, RFC 5246, RFC 9325 (what to allow); RFC 5280; OpenSSL 3.0.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "base/result.h"

struct ssl_ctx_st;  // OpenSSL's SSL_CTX
struct ssl_st;      // and its SSL

namespace mailwarden::net {

inline constexpr std::size_t tls_file_bytes_max = std::size_t{4} * 1024 * 1024;

struct TlsFiles {
  std::string certificate;  // the server's own first, then those between it and its authority
  std::string key;          // not encrypted; its owner and group may read it, others may not
  // Certificates that vouch for clients: authorities, or single clients. With it, a client that
  // shows no certificate of theirs is not spoken to; "" asks clients for none.
  std::string clients;
};

struct FreeTlsContext {
  void operator()(ssl_ctx_st* context) const;
};
using TlsContext = std::unique_ptr<ssl_ctx_st, FreeTlsContext>;

Result<TlsContext> load_tls_context(const TlsFiles& files);

// The subject of the certificate that the other end has shown and that was verified, as
// "CN=gate1,O=Example" (RFC 2253); "" where it was asked for none or its subject is empty.
std::string peer_subject(const ssl_st* connection);

}  // namespace mailwarden::net
