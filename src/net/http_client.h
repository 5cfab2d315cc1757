// Requests to other servers, and mail.
//
// What     request() sends one HTTP request and waits for its answer; send_mail() hands one mail to
//          an SMTP server. Both through libcurl, over TCP with TLS or over a UNIX socket.
// Owns     A Client owns its connections, which it keeps for the next request.
// Threads  One thread a Client.
// Errors   unavailable: not reached, timed out, or a temporary refusal: trying again may help.
//          denied: refused for good. invalid: an address or text that must not be sent.
// Limits   ClientOptions.
// Source   libcurl 7.88; RFC 9110; RFC 5321 with RFC 3207 (STARTTLS).
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace mailwarden::net {

struct ClientOptions {
  std::chrono::milliseconds connect_timeout{5'000};
  std::chrono::milliseconds total_timeout{20'000};
  std::size_t response_bytes_max = 64 * 1024 * 1024;
  std::string ca_file;  // "" for the system's
};

struct HttpCall {
  std::string method = "GET";
  std::string url;  // http or https, without what `query` adds
  std::vector<std::pair<std::string, std::string>> query;  // percent-encoded by the client
  std::string socket;  // path of a UNIX socket to go through; "" for TCP
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

struct HttpAnswer {
  unsigned status = 0;
  std::string content_type;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
};

// The values of a header, joined by ", " where it came in several lines (RFC 9110, section 5.3); ""
// where it did not come. `name` in lower case.
std::string header(const HttpAnswer& answer, std::string_view name);

enum class StartTls { required, never };

struct Mail {
  std::string server;  // "smtp://host:port", or "smtps://host:port" for TLS from the start
  StartTls start_tls = StartTls::required;
  std::string user;  // "" for none
  std::string password;
  std::string from;
  std::vector<std::string> to;
  std::string message;  // RFC 5322, with CR LF
};

class Client {
 public:
  explicit Client(const ClientOptions& options = {});
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client();

  // An answer of any status is an answer; Error only where none came.
  Result<HttpAnswer> request(const HttpCall& call);
  Result<void> send_mail(const Mail& mail);

 private:
  struct Handle;
  ClientOptions options_;
  std::unique_ptr<Handle> handle_;
};

}  // namespace mailwarden::net
