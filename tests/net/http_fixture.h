// A server on loopback and what a test needs to speak to it.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <mutex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "net/http_client.h"
#include "net/http_server.h"
#include "tests/net/sockets.h"
#include "tests/temporary.h"

namespace mailwarden::net {

using std::chrono::milliseconds;
using std::chrono::seconds;

inline const ClientOptions quick{.connect_timeout = milliseconds(5'000),
                                 .total_timeout = milliseconds(8'000)};

// Something that happens once; whoever waits for it gives up after ten seconds.
class Signal {
 public:
  void set() {
    const std::lock_guard lock(mutex_);
    set_ = true;
    changed_.notify_all();
  }
  bool wait() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, seconds(10), [this] { return set_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool set_ = false;
};

class HttpServerTest : public testing::Test {
 protected:
  void start(HttpServerOptions options, Handler handler = nullptr) {
    if (options.listen.empty() && options.listen_tls.empty()) options.listen = {"127.0.0.1:0"};
    if (!handler) {
      handler = [this](const Request& request) {
        const std::lock_guard lock(mutex_);
        seen_.push_back(request);
        return Response{.content_type = "text/plain", .body = "you asked " + request.path};
      };
    }
    auto started = HttpServer::start(options, std::move(handler));
    ASSERT_TRUE(started) << started.error().what;
    server_ = *std::move(started);
  }

  unsigned short port() const {
    const std::string& address = server_->addresses().at(0);
    return static_cast<unsigned short>(std::stoi(address.substr(address.rfind(':') + 1)));
  }
  std::string url(const std::string& path) const {
    return "http://" + server_->addresses().at(0) + path;
  }
  std::size_t handled() {
    const std::lock_guard lock(mutex_);
    return seen_.size();
  }

  // Sends the bytes and gives all that comes back; the server must close the connection.
  std::string exchange(const std::string& bytes) const {
    const Socket socket = Socket::connect(port());
    socket.send(bytes);
    return socket.receive_all();
  }
  unsigned status(const std::string& bytes) const {
    const std::string answer = exchange(bytes);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 ")) << answer;
    return answer.size() < 12 ? 0 : static_cast<unsigned>(std::stoi(answer.substr(9, 3)));
  }

  TemporaryFolder folder_;
  std::mutex mutex_;
  std::vector<Request> seen_;
  std::unique_ptr<HttpServer> server_;
};

const std::string ending = "Host: localhost\r\nConnection: close\r\n\r\n";

}  // namespace mailwarden::net
