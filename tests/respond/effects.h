// What the tests of the daemon's own effects share.
#pragma once

#include <string>
#include <vector>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/process.h"
#include "respond/action.h"
#include "respond/effect_settings.h"
#include "tests/temporary.h"

namespace mailwarden::respond {

inline ActionCall call(std::string action, json::Object arguments) {
  return {.action = std::move(action), .arguments = std::move(arguments), .key = "run-1-step"};
}

// What a program says, which the test itself runs; "" where it fails.
inline std::string output_of(std::vector<std::string> command, bool* good = nullptr) {
  std::string room(1 << 20, '\0');
  const auto end = run_process({.command = std::move(command), .output = room});
  const bool done = end && end->in_time && end->signal == 0 && end->exit_code == 0;
  if (good != nullptr) *good = done;
  EXPECT_TRUE(end.has_value()) << (end ? "" : end.error().what);
  return end ? room.substr(0, end->output_bytes) : "";
}
inline bool runs(std::vector<std::string> command) {
  bool good = false;
  output_of(std::move(command), &good);
  return good;
}

// Asks again until it is so, for at most so long.
template <class Question>
bool becomes_true(const Question& question, std::chrono::seconds most = std::chrono::seconds(30)) {
  const auto until = std::chrono::steady_clock::now() + most;
  while (!question()) {
    if (std::chrono::steady_clock::now() >= until) return false;
    ::poll(nullptr, 0, 20);
  }
  return true;
}

// A TCP socket of the test's, of either family.
class Socket {
 public:
  Socket(const std::string& address, std::uint16_t port) : is_v6_(address.contains(':')) {
    descriptor_ = ::socket(is_v6_ ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    auto* const v4 = reinterpret_cast<sockaddr_in*>(&at_);
    auto* const v6 = reinterpret_cast<sockaddr_in6*>(&at_);
    at_.ss_family = is_v6_ ? AF_INET6 : AF_INET;
    (is_v6_ ? v6->sin6_port : v4->sin_port) = htons(port);
    void* const bytes =
        is_v6_ ? static_cast<void*>(&v6->sin6_addr) : static_cast<void*>(&v4->sin_addr);
    EXPECT_EQ(::inet_pton(at_.ss_family, address.c_str(), bytes), 1) << address;
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() { ::close(descriptor_); }

  // Port 0 becomes a free one.
  bool bind() {
    socklen_t room = sizeof at_;
    return ::bind(descriptor_, address(), size()) == 0 &&
           ::getsockname(descriptor_, address(), &room) == 0;
  }
  bool listen() { return bind() && ::listen(descriptor_, 64) == 0; }
  std::uint16_t port() {
    return ntohs(is_v6_ ? reinterpret_cast<sockaddr_in6*>(&at_)->sin6_port
                        : reinterpret_cast<sockaddr_in*>(&at_)->sin_port);
  }
  // Whether the other side answers within the time.
  bool connects_to(Socket& other, int milliseconds) {
    if (::connect(descriptor_, other.address(), other.size()) == 0) return true;
    pollfd ready{.fd = descriptor_, .events = POLLOUT, .revents = 0};
    if (::poll(&ready, 1, milliseconds) != 1) return false;
    int error = 0;
    socklen_t room = sizeof error;
    return ::getsockopt(descriptor_, SOL_SOCKET, SO_ERROR, &error, &room) == 0 && error == 0;
  }

 private:
  sockaddr* address() { return reinterpret_cast<sockaddr*>(&at_); }
  socklen_t size() const { return is_v6_ ? sizeof(sockaddr_in6) : sizeof(sockaddr_in); }

  bool is_v6_;
  int descriptor_ = -1;
  sockaddr_storage at_{};
};

// One that nobody listens on now.
inline std::uint16_t free_port() {
  Socket socket("127.0.0.1", 0);
  EXPECT_TRUE(socket.bind());
  return socket.port();
}

}  // namespace mailwarden::respond
