// The one place that knows Beast, which is slow to compile.
#include "net/http_session.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "net/http_message.h"
#include "net/http_target.h"

namespace mailwarden::net {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace ssl = asio::ssl;
using Tcp = asio::ip::tcp;
using boost::system::error_code;

// How long a thread with nothing else to do waits at the connection that it has just answered:
// first it looks again and again while it lets others run, then it sleeps, which the system rounds
// up to its tick.
constexpr std::chrono::microseconds spin{30};
constexpr std::chrono::milliseconds linger{1};
constexpr std::size_t read_bytes = 4096;  // at once, while it does

using HttpRequest = http::request<http::string_body>;
constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";

std::string_view view(beast::string_view text) {
  return {text.data(), text.size()};
}

Request to_request(HttpRequest& from) {
  Target target = parse_target(view(from.target()));
  Request request{.method = std::string(view(from.method_string())),
                  .path = std::move(target.path),
                  .query = std::move(target.query),
                  .body = std::move(from.body())};
  request.headers.reserve(16);
  for (const auto& field : from) {
    request.headers.emplace_back(view(field.name_string()), view(field.value()));
  }
  return request;
}

Response sentence(unsigned status, const std::string& text) {
  return {.status = status, .content_type = "text/plain; charset=utf-8", .body = text + "\n"};
}

// A place among so many threads, if there was one.
class Place {
 public:
  Place(std::atomic<std::size_t>& taken, std::size_t places)
      : taken_(taken), is_one_(taken++ < places) {}
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() { --taken_; }

  bool is_one() const { return is_one_; }

 private:
  std::atomic<std::size_t>& taken_;
  bool is_one_;
};

// Of any protocol, so that Beast is compiled once for all of them.
using Socket = asio::generic::stream_protocol::socket;
using Plain = beast::basic_stream<asio::generic::stream_protocol, asio::any_io_executor>;
using Secure = beast::ssl_stream<Plain>;

// One connection, over a Plain or a Secure stream.
template <class Stream>
class Session : public std::enable_shared_from_this<Session<Stream>> {
 public:
  static constexpr bool is_secure = std::is_same_v<Stream, Secure>;

  Session(Socket socket, const Accepted& accepted, Shared& shared)
    requires(!is_secure)
      : stream_(std::move(socket)),
        shared_(shared),
        is_local_(accepted.family == AF_UNIX),
        protocol_(accepted.family, 0) {
    ++shared_.connections;
  }
  Session(Socket socket, const Accepted& accepted, Shared& shared)
    requires(is_secure)
      : certificates_(shared.current_certificates()),
        stream_(std::move(socket), *certificates_),
        shared_(shared),
        is_local_(accepted.family == AF_UNIX),
        protocol_(accepted.family, 0) {
    ++shared_.connections;
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() {
    if (released_ >= 0) ::close(released_);
    --shared_.connections;
  }

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
  int handle() { return released_ >= 0 ? released_ : connection().socket().native_handle(); }

  // While a thread waits at the connection nobody else is to be woken by what comes there.
  bool release() {
    if (released_ >= 0) return true;
    error_code failed;
    const int socket = connection().socket().release(failed);
    if (failed) return false;
    released_ = socket;
    return wait_in_reads();
  }
  bool wait_in_reads() {
    constexpr timeval time{.tv_sec = 0, .tv_usec = std::chrono::microseconds(linger).count()};
    int no = 0;
    return ::ioctl(released_, FIONBIO, &no) == 0 &&
           ::setsockopt(released_, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time) == 0 &&
           (!is_local_ || ::setsockopt(released_, SOL_SOCKET, SO_PEEK_OFF, &no, sizeof no) == 0);
  }
  // Before anything is awaited there, or ended. Where it cannot be, the next step says so.
  void take_back() {
    if (released_ < 0) return;
    consume();
    error_code failed;
    connection().socket().assign(protocol_, released_, failed);
    if (!failed) released_ = -1;
  }

  void on_handshake(error_code failed) {
    if (failed) return;  // the other side has been told why, in TLS's own words
    peer_ = peer_subject(stream_.native_handle());
    read();
  }

  void read() {
    begin_message();
    read_header();
  }

  void begin_message() {
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(shared_.options.header_bytes_max));
    parser_->body_limit(is_local_ ? shared_.options.socket_body_bytes_max
                                  : shared_.options.body_bytes_max);
  }

  void read_header() {
    take_back();
    connection().expires_after(first_ ? shared_.options.request_timeout
                                      : shared_.options.idle_timeout);
    first_ = false;
    http::async_read_header(stream_, buffer_, *parser_,
                            [self = this->shared_from_this()](error_code failed, std::size_t) {
                              self->on_header(failed);
                            });
  }

  void on_header(error_code failed) {
    take_back();
    if (failed) return on_trouble(failed);
    connection().expires_after(shared_.options.request_timeout);
    if (view(parser_->get()[http::field::expect]) == "100-continue") {
      // Beast reads on without waiting; the sender's wait ends when the body is asked for.
      asio::async_write(stream_, asio::buffer(go_on),
                        [self = this->shared_from_this()](error_code error, std::size_t) {
                          if (!error) self->read_body();
                        });
      return;
    }
    read_body();
  }

  void read_body() {
    if (const error_code wrong = take_what_is_here()) return on_trouble(wrong);
    if (parser_->is_done()) return answer_on();
    http::async_read(stream_, buffer_, *parser_,
                     [self = this->shared_from_this()](error_code failed, std::size_t) {
                       failed ? self->on_trouble(failed) : self->answer_on();
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
      return refuse(sentence(413, "the body is larger than this server takes"));
    }
    if (failed == http::error::header_limit) {
      return refuse(sentence(431, "the header is larger than this server takes"));
    }
    const bool parse = failed.category() == make_error_code(http::error::bad_method).category();
    if (parse && failed != http::error::partial_message) {
      return refuse(sentence(400, "this is not an HTTP request: " + failed.message()));
    }
  }

  // Answers the request that is here, and those that follow it at once.
  void answer_on() {
    for (;;) {
      answer();
      if (!write_at_once()) return write_rest();
      end_answer();
      if (!keep_alive_ || shared_.stopping) return close();
      switch (await_next()) {
        case Next::here:
          continue;
        case Next::coming:
          return parser_->is_header_done() ? on_header({}) : read_header();
        case Next::wrong:
          return;
      }
    }
  }

  // Makes the answer, ready to be written.
  void answer() {
    shared_.begin_answer();
    busy_ = true;
    HttpRequest& message = parser_->get();
    Request request = to_request(message);
    // Who is no longer vouched for is gone when this is answered.
    const bool outdated = is_secure && certificates_ != shared_.current_certificates();
    const bool keep_alive = message.keep_alive() && !shared_.stopping && !outdated;
    request.local = is_local_;
    request.secure = is_secure;
    request.peer_certificate = peer_;
    if (is_local_) request.uid = user_at_the_other_end();
    if (is_secure && request.header("Host").empty()) {
      return prepare(sentence(400, "the request does not say which host it is for"), false);
    }
    // A page on another site may send a browser here under a name of its own.
    if (!is_secure && !is_local_ && !is_loopback_name(request.header("Host"))) {
      return prepare(sentence(421, "this server answers to localhost alone"), false);
    }
    prepare(shared_.handler(request), keep_alive);
  }

  unsigned user_at_the_other_end() {
    if (user_) return *user_;
    struct ucred peer{};
    socklen_t size = sizeof peer;
    const bool told = ::getsockopt(handle(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0;
    return user_.emplace(told ? peer.uid : 0);
  }

  void prepare(const Response& response, bool keep_alive) {
    const unsigned version = parser_ ? parser_->get().version() : 11;
    const bool is_head = parser_ && parser_->get().method() == http::verb::head;
    keep_alive_ = keep_alive;
    message_ = to_message(
        response,
        {.version = version == 0 ? 11 : version, .keep_alive = keep_alive, .is_head = is_head});
    written_ = 0;
  }

  // Says why there is no answer, and ends the connection.
  void refuse(const Response& response) {
    prepare(response, false);
    write_at_once() ? close() : write_rest();
  }

  // Most answers fit into what the system takes at once, which spares a round through the
  // scheduler. Whether all of it was written; what is left goes on from where this stopped.
  bool write_at_once() {
    if constexpr (is_secure) {
      return false;
    } else {
      while (written_ < message_.size()) {
        const ssize_t sent = ::send(handle(), message_.data() + written_,
                                    message_.size() - written_, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent <= 0) return false;
        written_ += static_cast<std::size_t>(sent);
      }
      return true;
    }
  }

  void write_rest() {
    take_back();
    connection().expires_after(shared_.options.request_timeout);
    asio::async_write(stream_, asio::buffer(message_) + written_,
                      [self = this->shared_from_this()](error_code failed, std::size_t) {
                        self->end_answer();
                        const bool again = !failed && self->keep_alive_ && !self->shared_.stopping;
                        again ? self->read() : self->close();
                      });
  }

  void end_answer() {
    if (std::exchange(busy_, false)) shared_.end_answer();
  }

  enum class Next {
    here,    // the whole request
    coming,  // not all of it yet, or nothing
    wrong,   // what is no request; it was told
  };
  Next await_next() {
    begin_message();
    const Place place(shared_.lingering, shared_.options.threads / 2);
    for (bool has_waited = false;;) {
      if (const error_code wrong = take_what_is_here()) {
        on_trouble(wrong);
        return Next::wrong;
      }
      if (parser_->is_done()) return Next::here;
      const bool may_wait = place.is_one() && !shared_.stopping;
      if (has_waited || parser_->is_header_done() || !may_wait) return Next::coming;
      has_waited = true;
      if (!receive()) return Next::coming;
    }
  }

  // Waits a moment for something to read. What else may come of it, the next read tells.
  bool receive() {
    if constexpr (is_secure) {
      return false;
    } else {
      if (!release()) return false;
      if (peeked_ >= read_bytes) consume();
      const auto room = buffer_.prepare(read_bytes);
      const ssize_t got = await_bytes(room);
      if (got <= 0) return false;
      if (is_local_) peeked_ += static_cast<std::size_t>(got);
      buffer_.commit(static_cast<std::size_t>(got));
      return true;
    }
  }

  // To fall asleep and be woken takes longer than most of those who ask again need for that.
  ssize_t await_bytes(const asio::mutable_buffer& room) {
    const int flags = is_local_ ? MSG_PEEK : 0;
    static const std::size_t places = std::max(1U, std::thread::hardware_concurrency() / 2);
    if (const Place place(shared_.spinning, places); place.is_one()) {
      const auto end = std::chrono::steady_clock::now() + spin;
      do {
        const ssize_t got = ::recv(released_, room.data(), room.size(), flags | MSG_DONTWAIT);
        if (got >= 0 || errno != EAGAIN) return got;
        ::sched_yield();
      } while (std::chrono::steady_clock::now() < end);
    }
    return ::recv(released_, room.data(), room.size(), flags);
  }

  // Through a UNIX socket taking what was sent wakes the sender, who waits for the answer, for
  // nothing; so it is read where it stands, and several requests are taken at once.
  void consume() {
    std::array<char, 2 * read_bytes> taken;
    while (peeked_ > 0) {
      const ssize_t got = ::recv(released_, taken.data(), peeked_, MSG_DONTWAIT);
      peeked_ -= got > 0 ? static_cast<std::size_t>(got) : peeked_;
    }
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
    take_back();
    error_code ignored;
    connection().socket().shutdown(asio::socket_base::shutdown_send, ignored);
  }

  CertificatesPointer certificates_;  // a Secure stream's, outliving it
  Stream stream_;
  Shared& shared_;
  bool is_local_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  std::string message_;      // the answer
  std::size_t written_ = 0;  // of it
  bool keep_alive_ = false;
  bool first_ = true;
  bool busy_ = false;
  std::string peer_;
  std::optional<unsigned> user_;
  asio::generic::stream_protocol protocol_;
  int released_ = -1;       // the socket while the io_context does not have it
  std::size_t peeked_ = 0;  // bytes that were read and still stand in it, at most 2 * read_bytes
};

// Closed at once where it cannot be served; the sender sees it and tries again.
template <class Stream>
void serve(asio::io_context& context, const Accepted& accepted, Shared& shared) {
  Socket socket(asio::make_strand(context));
  error_code failed;
  socket.assign({accepted.family, 0}, accepted.socket, failed);
  if (failed) {
    ::close(accepted.socket);
    return;
  }
  std::make_shared<Session<Stream>>(std::move(socket), accepted, shared)->start();
}

}  // namespace

Result<void> Shared::load_certificates() {
  auto loaded = load_tls_context(options.tls);
  if (!loaded) return std::unexpected(loaded.error());
  auto made = std::make_shared<ssl::context>(loaded->release());
  const std::lock_guard lock(mutex);
  certificates = std::move(made);
  return {};
}

void serve_plain(asio::io_context& context, const Accepted& accepted, Shared& shared) {
  serve<Plain>(context, accepted, shared);
}

void serve_secure(asio::io_context& context, const Accepted& accepted, Shared& shared) {
  serve<Secure>(context, accepted, shared);
}

}  // namespace mailwarden::net
