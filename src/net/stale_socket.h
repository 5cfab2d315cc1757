// Socket files that processes which died left behind.
//
// What     Removes the file of a UNIX socket on which nobody listens any more, so that it can be
//          listened on anew.
// Owns     Nothing.
// Threads  Any.
// Errors   conflict where something else than a socket has the name, unavailable where a process
//          serves it, invalid where the path is too long for a socket.
// Limits   None.
// Source   unix(7).
#pragma once

#include <string>

#include "base/result.h"

namespace mailwarden::net {

Result<void> remove_stale_socket(const std::string& path);

}  // namespace mailwarden::net
