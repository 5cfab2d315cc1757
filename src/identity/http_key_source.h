// Key sets from an issuer's server.
//
// What     http_key_source() gives a KeySource that fetches a JWK set by its address;
//          discovered_key_source() first asks the issuer for that address, each time, since issuers
//          may move it.
// Owns     Its connection.
// Threads  One at a time, which KeyCache sees to.
// Errors   Making one: invalid, an address that would let others on the way write the keys.
//          Fetching: those of net::Client, and unavailable for every status but 200; invalid, a
//          discovery document of another issuer.
// Limits   HttpKeySourceOptions.
// Source   RFC 9111, sections 4.2 and 5.2.2, for how long an answer is fresh; OpenID Connect
//          Discovery 1.0, section 4.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/timestamp.h"
#include "identity/key_cache.h"
#include "net/http_client.h"

namespace mailwarden::identity {

struct HttpKeySourceOptions {
  net::ClientOptions client{.connect_timeout = std::chrono::milliseconds(3'000),
                            .total_timeout = std::chrono::milliseconds(6'000),
                            .response_bytes_max = 256 * 1024};
};

// https, or http to this machine.
Result<KeySource> http_key_source(const std::string& url, const HttpKeySourceOptions& options = {});
Result<KeySource> discovered_key_source(const std::string& issuer,
                                        const HttpKeySourceOptions& options = {});

// How long an answer with these headers is fresh: "max-age" less its age; nothing where the server
// does not say, zero where it wants no cache or cannot be understood.
std::optional<Duration> fresh_for(std::string_view cache_control, std::string_view age);

}  // namespace mailwarden::identity
