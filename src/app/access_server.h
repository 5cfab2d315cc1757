// Where enforcement points on other machines ask.
//
// What     A server over TLS that answers the paths by which access is decided and no other: not
//          the console, not grants, not what was decided before.
// Owns     Nothing; the caller owns the server.
// Threads  The server's own.
// Errors   What the server says, named by the setting; a reload's are logged, and the old
//          certificates stay.
// Limits   Those of net::HttpServerOptions.
#pragma once

#include <memory>

#include "access/arbiter.h"
#include "base/log.h"
#include "base/result.h"
#include "config/config.h"
#include "net/http_server.h"

namespace mailwarden::app {

// Null where the settings ask for none.
Result<std::unique_ptr<net::HttpServer>> start_access_server(const config::Config& config,
                                                             access::Arbiter& arbiter, Log& log);

// Takes what has been installed in place of the certificate, its key or the clients' authorities.
void reload_certificates(net::HttpServer& server, Log& log);

}  // namespace mailwarden::app
