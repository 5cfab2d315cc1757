// What the first line and the Host header of a request say.
//
// What     Takes a request's target apart, and knows the names of the loopback.
// Owns     Nothing.
// Threads  Pure.
// Errors   None: what is malformed is kept as it stands.
// Limits   None of its own; the server limits what a header may hold.
// Source   RFC 9112, section 3.2; RFC 3986, section 2.1.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mailwarden::net {

struct Target {
  std::string path;                                        // decoded
  std::vector<std::pair<std::string, std::string>> query;  // decoded, in order
};

Target parse_target(std::string_view target);

// "localhost", or an address of the loopback, with a port or without.
bool is_loopback_name(std::string_view host);

// "%41b+c" as a path segment ("Ab+c") or as a query's part ("Ab c").
std::string percent_decode(std::string_view text, bool plus_is_space);

}  // namespace mailwarden::net
