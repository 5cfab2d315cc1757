// What the HTTP server answers, out of the daemon's parts.
//
// What     make_handler() joins the parts of the API: what people ask of the core goes through
//          Acts, decisions through the arbiter.
// Owns     Nothing.
// Threads  The handler is called on the server's threads, several at once.
// Errors   None.
// Limits   None.
#pragma once

#include <functional>

#include "app/access.h"
#include "app/acts.h"
#include "http/api.h"

namespace mailwarden::app {

struct ServingParts {
  const config::Config& config;
  const Clock& clock;
  Acts& acts;
  access::Arbiter& arbiter;
  const access::GrantBook& grants;
  db::Sealing* sealing = nullptr;  // the keys of the store, where it has some
  std::function<http::Status()> status;
  std::function<std::shared_ptr<const Policies>()> policies;  // those in force
};

// The parts must outlive it.
net::Handler make_handler(const ServingParts& parts);

}  // namespace mailwarden::app
