// Plain sockets for the other end of a conversation. Every wait ends after ten seconds.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

namespace mailwarden::net {

class Socket {
 public:
  explicit Socket(int number) : number_(number) {
    constexpr timeval wait{.tv_sec = 10, .tv_usec = 0};
    ::setsockopt(number_, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    ::setsockopt(number_, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
  }
  Socket(Socket&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Socket& operator=(Socket&&) = delete;
  ~Socket() {
    if (number_ >= 0) ::close(number_);
  }

  // 127.0.0.1:port.
  static Socket connect(unsigned short port) {
    Socket socket(::socket(AF_INET, SOCK_STREAM, 0));
    socket.connect_to(port);
    return socket;
  }
  void connect_to(unsigned short port) const {
    const sockaddr_in at = loopback(port);
    EXPECT_EQ(::connect(number_, reinterpret_cast<const sockaddr*>(&at), sizeof at), 0);
  }

  // Of a UNIX socket.
  static Socket connect(const std::string& path) {
    Socket socket(::socket(AF_UNIX, SOCK_STREAM, 0));
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    EXPECT_LT(path.size(), sizeof at.sun_path);
    path.copy(at.sun_path, sizeof at.sun_path - 1);
    EXPECT_EQ(::connect(socket.number_, reinterpret_cast<const sockaddr*>(&at), sizeof at), 0);
    return socket;
  }

  // Bound to a free port of the loopback; with a backlog, listening too.
  static Socket bound(int backlog) {
    Socket socket(::socket(AF_INET, SOCK_STREAM, 0));
    const sockaddr_in at = loopback(0);
    EXPECT_EQ(::bind(socket.number_, reinterpret_cast<const sockaddr*>(&at), sizeof at), 0);
    if (backlog > 0) {
      EXPECT_EQ(::listen(socket.number_, backlog), 0);
    }
    return socket;
  }

  Socket accept() const { return Socket(::accept(number_, nullptr, nullptr)); }
  int number() const { return number_; }
  bool good() const { return number_ >= 0; }
  // Wakes an accept() that waits.
  void shut() const { ::shutdown(number_, SHUT_RDWR); }
  void end_of_sending() const { ::shutdown(number_, SHUT_WR); }

  unsigned short port() const {
    sockaddr_in at{};
    socklen_t size = sizeof at;
    ::getsockname(number_, reinterpret_cast<sockaddr*>(&at), &size);
    return ntohs(at.sin_port);
  }

  void send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(number_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  // What has come; "" at the end.
  std::string receive() const {
    std::string bytes(16'384, '\0');
    const ssize_t got = ::recv(number_, bytes.data(), bytes.size(), 0);
    bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return bytes;
  }

  std::string receive_all() const {
    std::string all;
    for (std::string more = receive(); !more.empty(); more = receive()) all += more;
    return all;
  }

  // Up to and with `mark`, or to the end.
  std::string receive_until(std::string_view mark) {
    std::string taken;
    while (true) {
      const std::size_t at = rest_.find(mark);
      if (at != std::string::npos) {
        taken = rest_.substr(0, at + mark.size());
        rest_.erase(0, at + mark.size());
        return taken;
      }
      const std::string more = receive();
      if (more.empty()) return std::exchange(rest_, {});
      rest_ += more;
    }
  }

  std::string receive_bytes(std::size_t count) {
    while (rest_.size() < count) {
      const std::string more = receive();
      if (more.empty()) break;
      rest_ += more;
    }
    const std::string taken = rest_.substr(0, count);
    rest_.erase(0, taken.size());
    return taken;
  }

 private:
  static sockaddr_in loopback(unsigned short port) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return at;
  }

  int number_;
  std::string rest_;
};

// Gives each connection to `serve`, one after the other, until it goes.
class Listener {
 public:
  explicit Listener(std::function<void(Socket&)> serve)
      : thread_([this, serve = std::move(serve)] {
          while (true) {
            Socket socket = socket_.accept();
            if (!socket.good()) return;
            ++connections_;
            serve(socket);
          }
        }) {}
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener() { stop(); }

  // Behind this, what `serve` has written may be read.
  void stop() {
    socket_.shut();
    if (thread_.joinable()) thread_.join();
  }

  unsigned short port() const { return socket_.port(); }
  std::string address() const { return "127.0.0.1:" + std::to_string(port()); }
  int connections() const { return connections_; }

 private:
  Socket socket_ = Socket::bound(16);
  std::atomic<int> connections_ = 0;
  std::thread thread_;
};

}  // namespace mailwarden::net
