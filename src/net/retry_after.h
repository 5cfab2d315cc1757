// When a server wants to be asked again.
//
// What     retry_after() reads the header Retry-After of an answer: seconds, or a moment.
// Owns     Nothing.
// Threads  Pure.
// Errors   None: nothing where the header is missing or is neither.
// Limits   retry_after_max; what is longer is cut to it.
// Source   RFC 9110, sections 10.2.3 and 5.6.7, whose obsolete dates are not read.
#pragma once

#include <chrono>
#include <optional>

#include "base/timestamp.h"
#include "net/http_client.h"

namespace mailwarden::net {

inline constexpr Duration retry_after_max = std::chrono::days(1);

// From `now` on; never negative.
std::optional<Duration> retry_after(const HttpAnswer& answer, Timestamp now);

}  // namespace mailwarden::net
