#include "net/http_server.h"

#include <algorithm>
#include <future>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "net/http_session.h"
#include "net/stale_socket.h"

namespace mailwarden::net {
namespace {

namespace asio = boost::asio;
using Local = asio::local::stream_protocol;
using Tcp = asio::ip::tcp;
using boost::system::error_code;

// How long no connection is taken after one could not be.
constexpr std::chrono::milliseconds accept_pause{100};

using Serve = void(asio::io_context& context, const Accepted& accepted, Shared& shared);

template <class Acceptor>
void accept(Acceptor& acceptor, asio::io_context& context, Shared& shared, Serve& serve) {
  using Protocol = typename Acceptor::protocol_type;
  acceptor.async_accept(
      asio::make_strand(context), [&](error_code failed, typename Protocol::socket socket) {
        if (shared.stopping || failed == asio::error::operation_aborted) return;
        if (failed && failed != asio::error::connection_aborted) {
          // Descriptors or memory are short; at once it would be the same again.
          auto pause = std::make_shared<asio::steady_timer>(acceptor.get_executor(), accept_pause);
          pause->async_wait([&, pause](error_code) {
            if (!shared.stopping) accept(acceptor, context, shared, serve);
          });
          return;
        }
        // Over the limit a connection is closed at once; the sender sees it and tries again.
        if (!failed && shared.connections < shared.options.connections_max) {
          const int family = acceptor.local_endpoint(failed).protocol().family();
          serve(context, {.socket = socket.release(failed), .family = family}, shared);
        }
        accept(acceptor, context, shared, serve);
      });
}

std::unexpected<Error> listen_error(const std::string& address, const error_code& failed) {
  const Code code = failed == asio::error::address_in_use  ? Code::unavailable
                    : failed == asio::error::access_denied ? Code::denied
                                                           : Code::io;
  return fail(code, "cannot listen on " + address + ": " + failed.message());
}

}  // namespace

struct HttpServer::Impl {
  Shared shared;
  asio::io_context context;
  std::vector<std::unique_ptr<Tcp::acceptor>> tcp;
  std::vector<std::unique_ptr<Tcp::acceptor>> tls;
  std::unique_ptr<Local::acceptor> local;
  std::vector<std::string> addresses;
  std::vector<std::jthread> threads;

  Result<void> listen_tcp(const std::string& address,
                          std::vector<std::unique_ptr<Tcp::acceptor>>& acceptors) {
    const std::size_t colon = address.rfind(':');
    const auto port = to_integer(colon == std::string::npos ? "" : address.substr(colon + 1));
    std::string host = address.substr(0, colon);
    if (host == "localhost") host = "127.0.0.1";
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    error_code failed;
    const auto ip = asio::ip::make_address(host, failed);
    if (failed || !port || *port < 0 || *port > 65535) {
      return fail(Code::invalid, "cannot listen on " + address + ": not an ADDRESS:PORT");
    }
    const Tcp::endpoint endpoint(ip, static_cast<unsigned short>(*port));
    auto acceptor = std::make_unique<Tcp::acceptor>(asio::make_strand(context));
    acceptor->open(endpoint.protocol(), failed);
    if (!failed) acceptor->set_option(asio::socket_base::reuse_address(true), failed);
    if (!failed) acceptor->bind(endpoint, failed);
    if (!failed) acceptor->listen(asio::socket_base::max_listen_connections, failed);
    if (failed) return listen_error(address, failed);
    addresses.push_back(address.substr(0, colon) + ":" +
                        std::to_string(acceptor->local_endpoint().port()));
    acceptors.push_back(std::move(acceptor));
    return {};
  }

  // In the acceptor's own strand, since a connection may be coming in.
  template <class Acceptor>
  void close(Acceptor& acceptor) {
    std::promise<void> closed;
    asio::post(acceptor.get_executor(), [&] {
      error_code ignored;
      acceptor.close(ignored);
      closed.set_value();
    });
    closed.get_future().wait();
  }

  Result<void> listen_local(const std::string& path) {
    if (auto removed = remove_stale_socket(path); !removed) return removed;
    local = std::make_unique<Local::acceptor>(asio::make_strand(context));
    error_code failed;
    local->open(Local(), failed);
    if (!failed) local->bind(Local::endpoint(path), failed);
    if (!failed && ::chmod(path.c_str(), 0660) != 0)
      failed = error_code(errno, boost::system::system_category());
    if (!failed) local->listen(asio::socket_base::max_listen_connections, failed);
    if (failed) {
      local.reset();
      return listen_error(path, failed);
    }
    return {};
  }
};

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

HttpServer::~HttpServer() {
  stop();
}

Result<std::unique_ptr<HttpServer>> HttpServer::start(const HttpServerOptions& options,
                                                      Handler handler) {
  auto impl = std::make_unique<Impl>();
  impl->shared.options = options;
  impl->shared.handler = std::move(handler);
  Impl& at = *impl;
  if (!options.listen_tls.empty()) {
    if (auto done = at.shared.load_certificates(); !done) return std::unexpected(done.error());
  }
  for (const std::string& address : options.listen) {
    if (auto done = at.listen_tcp(address, at.tcp); !done) return std::unexpected(done.error());
  }
  for (const std::string& address : options.listen_tls) {
    if (auto done = at.listen_tcp(address, at.tls); !done) return std::unexpected(done.error());
  }
  if (!options.socket.empty()) {
    if (auto done = at.listen_local(options.socket); !done) return std::unexpected(done.error());
  }
  for (const auto& acceptor : at.tcp) accept(*acceptor, at.context, at.shared, serve_plain);
  for (const auto& acceptor : at.tls) accept(*acceptor, at.context, at.shared, serve_secure);
  if (at.local) accept(*at.local, at.context, at.shared, serve_plain);
  for (std::size_t i = 0; i < std::max<std::size_t>(1, options.threads); ++i) {
    at.threads.emplace_back([&context = at.context] { context.run(); });
  }
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

const std::vector<std::string>& HttpServer::addresses() const {
  return impl_->addresses;
}

Result<void> HttpServer::reload_certificates() {
  return impl_->tls.empty() ? Result<void>() : impl_->shared.load_certificates();
}

void HttpServer::stop() {
  if (impl_->shared.stopping.exchange(true)) return;
  for (const auto& acceptor : impl_->tcp) impl_->close(*acceptor);
  for (const auto& acceptor : impl_->tls) impl_->close(*acceptor);
  if (impl_->local) impl_->close(*impl_->local);
  {
    // What is being answered is answered to its end, unless the other side does not take it.
    std::unique_lock lock(impl_->shared.mutex);
    impl_->shared.idle.wait_for(lock, impl_->shared.options.drain_timeout,
                                [&] { return impl_->shared.busy == 0; });
  }
  impl_->context.stop();
  impl_->threads.clear();
  if (impl_->local) ::unlink(impl_->shared.options.socket.c_str());
}

std::string_view Request::parameter(std::string_view name) const {
  for (const auto& [known, value] : query) {
    if (known == name) return value;
  }
  return {};
}

std::string_view Request::header(std::string_view name) const {
  for (const auto& [known, value] : headers) {
    if (equal_ignoring_case(known, name)) return value;
  }
  return {};
}

}  // namespace mailwarden::net
