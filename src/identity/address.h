// Whose answers may be believed for where they come from.
//
// What     is_trusted_address() looks at a URL alone.
// Owns     Nothing.
// Threads  Pure.
// Errors   None.
// Limits   None.
#pragma once

#include <string>

namespace mailwarden::identity {

// https, or http to this machine, so that nobody stands between; without a name and a password,
// which would make a host of what stands behind them.
bool is_trusted_address(const std::string& url);

}  // namespace mailwarden::identity
