// The one place that knows Asio and Beast: they are slow to compile.
#include "net/http_server.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <optional>
#include <thread>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "net/http_target.h"
#include "net/stale_socket.h"

namespace mailwarden::net {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace ssl = asio::ssl;
using Local = asio::local::stream_protocol;
using Tcp = asio::ip::tcp;
using boost::system::error_code;

// How long no connection is taken after one could not be.
constexpr std::chrono::milliseconds accept_pause{100};

using HttpRequest = http::request<http::string_body>;
using HttpResponse = http::response<http::string_body>;

std::string_view view(beast::string_view text) {
  return {text.data(), text.size()};
}

Request to_request(const HttpRequest& from) {
  Target target = parse_target(view(from.target()));
  Request request{.method = std::string(view(from.method_string())),
                  .path = std::move(target.path),
                  .query = std::move(target.query),
                  .body = from.body()};
  for (const auto& field : from) {
    request.headers.emplace_back(view(field.name_string()), view(field.value()));
  }
  return request;
}

HttpResponse to_response(const Response& from, unsigned version, bool keep_alive) {
  HttpResponse response(static_cast<http::status>(from.status), version);
  response.set(http::field::content_type, from.content_type);
  response.set("X-Content-Type-Options", "nosniff");
  response.set("Referrer-Policy", "no-referrer");
  response.set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
  response.set(http::field::cache_control, "no-store");
  for (const auto& [name, value] : from.headers) response.set(name, value);
  response.keep_alive(keep_alive);
  // RFC 9110, 15.3.5 and 15.4.5: these have no content, and Beast refuses to give them any.
  const bool no_content = from.status == 204 || from.status == 304;
  if (!no_content) response.body() = from.body;
  response.prepare_payload();
  return response;
}

Response sentence(unsigned status, const std::string& text) {
  return {.status = status, .content_type = "text/plain; charset=utf-8", .body = text + "\n"};
}

using CertificatesPointer = std::shared_ptr<ssl::context>;

struct Shared {
  HttpServerOptions options;
  Handler handler;
  std::atomic<std::size_t> connections = 0;
  std::atomic<bool> stopping = false;

  // Requests that are being answered, which a stop waits for.
  std::mutex mutex;
  std::condition_variable idle;
  std::size_t busy = 0;
  CertificatesPointer certificates;  // what new connections are served with

  CertificatesPointer current_certificates() {
    const std::lock_guard lock(mutex);
    return certificates;
  }
  Result<void> load_certificates() {
    auto loaded = load_tls_context(options.tls);
    if (!loaded) return std::unexpected(loaded.error());
    auto made = std::make_shared<ssl::context>(loaded->release());
    const std::lock_guard lock(mutex);
    certificates = std::move(made);
    return {};
  }

  void begin_answer() {
    const std::lock_guard lock(mutex);
    ++busy;
  }
  void end_answer() {
    const std::lock_guard lock(mutex);
    if (--busy == 0) idle.notify_all();
  }
};

// Of any protocol, so that Beast is compiled once for all of them.
using Socket = asio::generic::stream_protocol::socket;
using Plain = beast::basic_stream<asio::generic::stream_protocol, asio::any_io_executor>;
using Secure = beast::ssl_stream<Plain>;

enum class Reach { network, machine };

// One connection, over a Plain or a Secure stream.
template <class Stream>
class Session : public std::enable_shared_from_this<Session<Stream>> {
 public:
  static constexpr bool is_secure = std::is_same_v<Stream, Secure>;

  Session(Socket socket, Reach reach, Shared& shared)
    requires(!is_secure)
      : stream_(std::move(socket)), shared_(shared), is_local_(reach == Reach::machine) {
    ++shared_.connections;
  }
  Session(Socket socket, Reach reach, Shared& shared)
    requires(is_secure)
      : certificates_(shared.current_certificates()),
        stream_(std::move(socket), *certificates_),
        shared_(shared),
        is_local_(reach == Reach::machine) {
    ++shared_.connections;
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() { --shared_.connections; }

  void start() {
    if (!is_local_) {
      // An answer's last piece must not wait until the other side has confirmed the one before.
      error_code ignored;
      connection().socket().set_option(Tcp::no_delay(true), ignored);
    }
    if constexpr (is_secure) {
      connection().expires_after(shared_.options.handshake_timeout);
      stream_.async_handshake(
          ssl::stream_base::server,
          [self = this->shared_from_this()](error_code failed) { self->on_handshake(failed); });
    } else {
      read();
    }
  }

 private:
  auto& connection() { return beast::get_lowest_layer(stream_); }

  void on_handshake(error_code failed) {
    if (failed) return;  // the other side has been told why, in TLS's own words
    peer_ = peer_subject(stream_.native_handle());
    read();
  }

  void read() {
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(shared_.options.header_bytes_max));
    parser_->body_limit(is_local_ ? shared_.options.socket_body_bytes_max
                                  : shared_.options.body_bytes_max);
    connection().expires_after(first_ ? shared_.options.request_timeout
                                      : shared_.options.idle_timeout);
    first_ = false;
    http::async_read_header(stream_, buffer_, *parser_,
                            [self = this->shared_from_this()](error_code failed, std::size_t) {
                              self->on_header(failed);
                            });
  }

  void on_header(error_code failed) {
    if (failed) return on_trouble(failed);
    connection().expires_after(shared_.options.request_timeout);
    if (view(parser_->get()[http::field::expect]) == "100-continue") {
      // Beast reads on without waiting; the sender's wait ends when the body is asked for.
      continue_ = HttpResponse(http::status::continue_, 11);
      http::async_write(stream_, continue_,
                        [self = this->shared_from_this()](error_code error, std::size_t) {
                          if (!error) self->read_body();
                        });
      return;
    }
    read_body();
  }

  void read_body() {
    if (const error_code wrong = take_what_is_here()) return on_trouble(wrong);
    if (parser_->is_done()) return answer();
    http::async_read(stream_, buffer_, *parser_,
                     [self = this->shared_from_this()](error_code failed, std::size_t) {
                       failed ? self->on_trouble(failed) : self->answer();
                     });
  }

  // A body that came with its header needs no further round through the scheduler.
  error_code take_what_is_here() {
    error_code failed;
    while (!failed && !parser_->is_done() && buffer_.size() > 0) {
      buffer_.consume(parser_->put(buffer_.data(), failed));
    }
    return failed == http::error::need_more ? error_code() : failed;
  }

  void on_trouble(error_code failed) {
    if (failed == http::error::end_of_stream) return close();
    if (failed == http::error::body_limit) {
      return write(sentence(413, "the body is larger than this server takes"), false);
    }
    if (failed == http::error::header_limit) {
      return write(sentence(431, "the header is larger than this server takes"), false);
    }
    const bool parse = failed.category() == make_error_code(http::error::bad_method).category();
    if (parse && failed != http::error::partial_message) {
      return write(sentence(400, "this is not an HTTP request: " + failed.message()), false);
    }
  }

  void answer() {
    shared_.begin_answer();
    busy_ = true;
    const HttpRequest& message = parser_->get();
    Request request = to_request(message);
    // Who is no longer vouched for is gone when this is answered.
    const bool outdated = is_secure && certificates_ != shared_.current_certificates();
    const bool keep_alive = message.keep_alive() && !shared_.stopping && !outdated;
    request.local = is_local_;
    request.secure = is_secure;
    request.peer_certificate = peer_;
    if (is_local_) request.uid = user_at_the_other_end();
    if (is_secure && request.header("Host").empty()) {
      return write(sentence(400, "the request does not say which host it is for"), false);
    }
    // A page on another site may send a browser here under a name of its own.
    if (!is_secure && !is_local_ && !is_loopback_name(request.header("Host"))) {
      return write(sentence(421, "this server answers to localhost alone"), false);
    }
    head_ = message.method() == http::verb::head;
    write(shared_.handler(request), keep_alive);
  }

  unsigned user_at_the_other_end() {
    struct ucred peer{};
    socklen_t size = sizeof peer;
    const int socket = connection().socket().native_handle();
    return ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? peer.uid : 0;
  }

  void write(const Response& response, bool keep_alive) {
    const unsigned version = parser_ ? parser_->get().version() : 11;
    response_ = to_response(response, version == 0 ? 11 : version, keep_alive);
    serializer_.emplace(response_);
    serializer_->split(head_);
    connection().expires_after(shared_.options.request_timeout);
    auto done = [self = this->shared_from_this()](error_code failed, std::size_t) {
      if (std::exchange(self->busy_, false)) self->shared_.end_answer();
      const bool again = !failed && self->response_.keep_alive() && !self->shared_.stopping;
      again ? self->read() : self->close();
    };
    if (head_) return http::async_write_header(stream_, *serializer_, std::move(done));
    error_code failed;
    if constexpr (requires { stream_.socket(); }) write_at_once(failed);
    if (failed || serializer_->is_done()) return done(failed, 0);
    http::async_write(stream_, *serializer_, std::move(done));
  }

  // Most answers fit into what the system takes at once, which spares a round through the
  // scheduler. What is left of a longer one goes on from where this stopped.
  void write_at_once(error_code& failed) {
    auto& socket = stream_.socket();
    socket.non_blocking(true, failed);
    while (!failed && !serializer_->is_done()) {
      std::size_t written = 0;
      serializer_->next(failed, [&](error_code& error, const auto& buffers) {
        written = socket.write_some(buffers, error);
      });
      serializer_->consume(written);
    }
    if (failed == asio::error::would_block) failed = {};
  }

  void close() {
    if constexpr (is_secure) {
      // Without TLS's own good-bye the other side could not tell an end from a cut.
      connection().expires_after(shared_.options.handshake_timeout);
      stream_.async_shutdown([self = this->shared_from_this()](error_code) { self->end(); });
    } else {
      end();
    }
  }

  void end() {
    error_code ignored;
    connection().socket().shutdown(asio::socket_base::shutdown_send, ignored);
  }

  CertificatesPointer certificates_;  // a Secure stream's, outliving it
  Stream stream_;
  Shared& shared_;
  bool is_local_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  HttpResponse continue_;
  HttpResponse response_;
  std::optional<http::response_serializer<http::string_body>> serializer_;
  bool first_ = true;
  bool head_ = false;
  bool busy_ = false;
  std::string peer_;
};

template <class Stream, class Acceptor>
void accept(Acceptor& acceptor, asio::io_context& context, Shared& shared) {
  using Protocol = typename Acceptor::protocol_type;
  acceptor.async_accept(
      asio::make_strand(context), [&](error_code failed, typename Protocol::socket socket) {
        if (shared.stopping || failed == asio::error::operation_aborted) return;
        if (failed && failed != asio::error::connection_aborted) {
          // Descriptors or memory are short; at once it would be the same again.
          auto pause = std::make_shared<asio::steady_timer>(acceptor.get_executor(), accept_pause);
          pause->async_wait([&, pause](error_code) {
            if (!shared.stopping) accept<Stream>(acceptor, context, shared);
          });
          return;
        }
        // Over the limit a connection is closed at once; the sender sees it and tries again.
        if (!failed && shared.connections < shared.options.connections_max) {
          constexpr auto reach = std::is_same_v<Protocol, Local> ? Reach::machine : Reach::network;
          std::make_shared<Session<Stream>>(std::move(socket), reach, shared)->start();
        }
        accept<Stream>(acceptor, context, shared);
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
  for (const auto& acceptor : at.tcp) accept<Plain>(*acceptor, at.context, at.shared);
  for (const auto& acceptor : at.tls) accept<Secure>(*acceptor, at.context, at.shared);
  if (at.local) accept<Plain>(*at.local, at.context, at.shared);
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
