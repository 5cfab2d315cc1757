// Alerts as HTTP requests, and how those are sent.
//
// What     One pure function a kind of receiver makes the requests of an alert; send() sends them
//          in order, and stops at the first that is not taken. read_secrets() reads the files that
//          a receiver names, at each delivery, so that a secret can be replaced at any time.
// Owns     Nothing.
// Threads  Any.
// Errors   read_secrets(): unavailable, since a secret that is being replaced may be missing or
//          half there for a moment. send(): as channel.h says.
// Limits   signing_secrets_max; secret_bytes_max a file.
// Source   As channel.h says.
#pragma once

#include <string>
#include <vector>

#include "alert/channel.h"
#include "net/http_client.h"

namespace mailwarden::alert {

inline constexpr std::size_t secret_bytes_max = 4096;
inline constexpr std::size_t signing_secrets_max = 8;

struct Secrets {
  std::string credential;            // of token_file or key_file; "" for none
  std::string url;                   // of url_file, or else the receiver's
  std::vector<std::string> signing;  // of secret_file, as bytes
};
Result<Secrets> read_secrets(const Receiver& receiver);
Result<std::string> read_secret(const std::string& file);

struct Sending {
  const Receiver& receiver;
  const Secrets& secrets;
  const Alert& alert;
  Timestamp now;
};
using Calls = std::vector<net::HttpCall>;

Calls to_webhook(const Sending& sending);
Calls to_pagerduty(const Sending& sending);
Calls to_opsgenie(const Sending& sending);
Calls to_slack(const Sending& sending);
Calls to_alertmanager(const Sending& sending);

// What a webhook's signature is over.
struct Signed {
  std::string_view id;
  std::int64_t moment = 0;  // of the try, in seconds since the epoch
  std::string_view body;
};
// "v1,…", with a secret as bytes (Standard Webhooks, "Signature scheme").
std::string signature(const std::string& secret, const Signed& content);

// A POST of JSON.
net::HttpCall json_call(std::string url, const json::Value& body);
// Without a slash at its end.
std::string base_of(std::string url);

Delivery send(const Sending& sending, const Calls& calls);

// For requests and mail alike.
net::ClientOptions client_options(const Receiver& receiver);

}  // namespace mailwarden::alert
