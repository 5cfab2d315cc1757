// An HTTP/1.1 server on loopback addresses, UNIX sockets, and over TLS on any address.
//
// What     Hands each request to one function and sends what it answers. Reading, limits, time-outs
//          and keeping connections open are done here; what a path means is the function's. Without
//          TLS only requests for a name of the loopback are answered, so that no page elsewhere
//          sends a browser here under a name of its own.
// Owns     Its sockets and threads; a UNIX socket's file is removed when the server stops.
// Threads  start() and stop() from one thread, reload_certificates() from any; the handler is
//          called on the server's threads, several at once.
// Errors   start(): unavailable (the address is taken), denied, invalid, each naming the address;
//          what load_tls_context() says. A request that cannot be read is answered with 400, 413
//          or 431 and a sentence; one that does not come in time is not answered, nor is a
//          connection on which no TLS was agreed.
// Limits   HttpServerOptions.
// Source   RFC 9110, RFC 9112, by Boost.Beast; for TLS net/tls_context.h.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "net/tls_context.h"

namespace mailwarden::net {

struct Request {
  std::string method;
  std::string path;                                        // decoded, without the query
  std::vector<std::pair<std::string, std::string>> query;  // decoded, in order
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  bool local = false;            // through the UNIX socket
  unsigned uid = 0;              // of the process at its other end
  bool secure = false;           // over TLS
  std::string peer_certificate;  // the client's verified subject; see peer_subject()

  // The first of that name, or "". Header names are compared without case.
  std::string_view parameter(std::string_view name) const;
  std::string_view header(std::string_view name) const;
};

struct Response {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;  // further ones
};

using Handler = std::function<Response(const Request&)>;

struct HttpServerOptions {
  std::vector<std::string> listen;      // "127.0.0.1:8925", "[::1]:0"; port 0 is any free one
  std::vector<std::string> listen_tls;  // the same, of any address, over TLS
  TlsFiles tls;                         // read where listen_tls is not empty
  std::string socket;                   // path of a UNIX socket; "" for none
  std::size_t threads = 2;
  std::size_t connections_max = 256;
  std::size_t header_bytes_max = 16 * 1024;
  std::size_t body_bytes_max = 1024 * 1024;
  std::size_t socket_body_bytes_max = 1024 * 1024;  // through the UNIX socket
  std::chrono::milliseconds handshake_timeout{5'000};
  std::chrono::milliseconds request_timeout{10'000};  // from the first byte to the last
  std::chrono::milliseconds drain_timeout{5'000};     // how long stop() waits for open answers
  std::chrono::milliseconds idle_timeout{60'000};     // between two requests
};

class HttpServer {
 public:
  static Result<std::unique_ptr<HttpServer>> start(const HttpServerOptions& options,
                                                   Handler handler);
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  ~HttpServer();

  // The addresses listened on, with their real ports; those of listen_tls behind the others.
  const std::vector<std::string>& addresses() const;
  // Reads the files of `tls` anew and serves new connections with them. A connection that was made
  // before ends with the answer to its next request. On Error all stays as it was.
  Result<void> reload_certificates();
  // Takes no more requests and waits for those that are being answered.
  void stop();

 private:
  struct Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace mailwarden::net
