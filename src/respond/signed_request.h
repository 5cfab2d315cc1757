// Requests whose receiver can tell who sent them.
//
// What     sign_request() adds webhook-id, webhook-timestamp and webhook-signature to a request, by
//          a key that a name stands for: HMAC-SHA256 over "id.timestamp.body".
// Owns     Nothing; the key is read for each request and wiped.
// Threads  Any.
// Errors   invalid: no such name. unavailable: its file cannot be read now. denied: it holds no
//          key.
// Limits   A key of 24 to 64 bytes.
// Source   Standard Webhooks 1.0, "Webhook metadata" and "Symmetric"; its key files hold
//          "whsec_" and base64.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/timestamp.h"
#include "net/http_client.h"

namespace mailwarden::respond {

using SigningKeys = std::map<std::string, std::string, std::less<>>;  // name to file

// `id` stays the same for every try, so that the receiver takes the request once.
Result<void> sign_request(net::HttpCall& call, const SigningKeys& keys, std::string_view name,
                          const std::string& id, Timestamp now);

}  // namespace mailwarden::respond
