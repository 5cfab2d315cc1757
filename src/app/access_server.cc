#include "app/access_server.h"

#include "http/access_api.h"

namespace mailwarden::app {
namespace {

// A decision that must be recorded first keeps its thread waiting for the store.
constexpr std::size_t threads = 8;

}  // namespace

Result<std::unique_ptr<net::HttpServer>> start_access_server(const config::Config& config,
                                                             access::Arbiter& arbiter, Log& log) {
  if (config.access_listen.empty()) return nullptr;
  const auto decisions = std::make_shared<const http::AccessApi>(arbiter, config.store);
  auto started = net::HttpServer::start({.listen_tls = config.access_listen,
                                         .tls = {.certificate = config.tls_certificate,
                                                 .key = config.tls_key,
                                                 .clients = config.tls_clients},
                                         .threads = threads},
                                        [decisions](const net::Request& request) {
                                          return decisions->answer_enforcement_point(request);
                                        });
  if (!started) return fail("access-listen", started.error());
  for (const std::string& address : (*started)->addresses()) {
    log.info("enforcement points ask at https://" + address + "/");
  }
  return started;
}

void reload_certificates(net::HttpServer& server, Log& log) {
  if (auto done = server.reload_certificates(); !done) {
    return log.error("the old certificates stay, since the new ones are wrong: " +
                     done.error().what);
  }
  log.info("certificates loaded anew");
}

}  // namespace mailwarden::app
