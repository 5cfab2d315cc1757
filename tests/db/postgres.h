// A PostgreSQL of a test's own, which can be killed, and a way to it that can be cut.
#pragma once

#include <array>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/process.h"
#include "tests/temporary.h"

namespace mailwarden {

class PostgresServer {
 public:
  PostgresServer() { start(); }
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;
  ~PostgresServer() { run("stop"); }

  void start() { run("start"); }
  const std::string& folder() const { return path_; }
  std::string url() const { return "postgresql://mailwarden@/mailwarden?host=" + path_; }

  // The server and every process of it, at once.
  void kill() const {
    pid_t server = 0;
    std::ifstream(path_ + "/data/postmaster.pid") >> server;
    ASSERT_GT(server, 1);
    const std::vector<pid_t> processes = children(server);
    ::kill(server, SIGKILL);
    for (const pid_t process : processes) ::kill(process, SIGKILL);
    // A new one may start only when the last of them has left the shared memory.
    while (::kill(server, 0) == 0 || std::ranges::any_of(processes, is_alive)) {
      std::this_thread::yield();
    }
  }

 private:
  static bool is_alive(pid_t process) {
    std::string state;
    std::ifstream stat("/proc/" + std::to_string(process) + "/stat");
    for (int field = 0; field < 3; ++field) stat >> state;
    return stat && state != "Z";
  }
  static std::vector<pid_t> children(pid_t parent) {
    std::vector<pid_t> found;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
      std::ifstream stat(entry.path() / "stat");
      pid_t process = 0;
      std::string name;
      std::string state;
      pid_t of = 0;
      // Names of PostgreSQL's processes have no blank.
      if (stat >> process >> name >> state >> of && of == parent) found.push_back(process);
    }
    return found;
  }
  void run(const std::string& action) const {
    const std::string command =
        source_folder() + "/tests/db/postgres_server " + action + " " + path_;
    EXPECT_EQ(std::system(command.c_str()), 0) << command;
  }

  TemporaryFolder folder_;
  // The user that it runs as must be let in.
  const std::string path_ = "/tmp/mailwarden-server-" + std::to_string(::getpid());
};

// Stands between a client and a server, for one connection after the other.
class PostgresProxy {
 public:
  explicit PostgresProxy(const std::string& server_folder) : server_(server_folder) {
    listener_ = ::socket(AF_UNIX, SOCK_STREAM, 0);
    const sockaddr_un address = address_of(folder_.path());
    EXPECT_EQ(::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(listener_, 8), 0);
    thread_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
  }
  PostgresProxy(const PostgresProxy&) = delete;
  PostgresProxy& operator=(const PostgresProxy&) = delete;
  ~PostgresProxy() {
    thread_.request_stop();
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }

  std::string url() const { return "postgresql://mailwarden@/mailwarden?host=" + folder_.path(); }

  enum class Cut { none, before_commit, behind_commit };
  // The next COMMIT that a client sends does not reach the server, or its answer not the client.
  void cut(Cut where) { cut_ = where; }

 private:
  static sockaddr_un address_of(const std::string& folder) {
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    const std::string path = folder + "/.s.PGSQL.5432";
    EXPECT_LT(path.size(), sizeof address.sun_path);
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    return address;
  }

  void serve(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const int client = ::accept(listener_, nullptr, nullptr);
      if (client < 0) return;
      const int server = ::socket(AF_UNIX, SOCK_STREAM, 0);
      const sockaddr_un address = address_of(server_);
      if (::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
        forward(client, server, stop);
      }
      ::close(server);
      ::close(client);
    }
  }

  void forward(int client, int server, const std::stop_token& stop) {
    std::array<char, 65536> bytes{};
    while (!stop.stop_requested()) {
      std::array<pollfd, 2> ready{{{client, POLLIN, 0}, {server, POLLIN, 0}}};
      if (::poll(ready.data(), ready.size(), 50) < 0) return;
      for (const auto& [from, to] : {std::pair(0U, server), std::pair(1U, client)}) {
        if (ready.at(from).revents == 0) continue;
        const ssize_t read = ::recv(ready.at(from).fd, bytes.data(), bytes.size(), 0);
        if (read <= 0) return;
        const std::string_view text(bytes.data(), static_cast<std::size_t>(read));
        const bool commits = from == 0 && text.contains("COMMIT");
        const Cut where = commits ? cut_.exchange(Cut::none) : Cut::none;
        if (where == Cut::before_commit) return;
        if (::send(to, bytes.data(), text.size(), MSG_NOSIGNAL) < 0) return;
        // Once the server has answered, the commit is done.
        if (where == Cut::behind_commit) {
          static_cast<void>(::recv(server, bytes.data(), bytes.size(), 0));
          return;
        }
      }
    }
  }

  TemporaryFolder folder_;
  std::string server_;
  int listener_ = -1;
  std::atomic<Cut> cut_ = Cut::none;
  std::jthread thread_;
};

}  // namespace mailwarden
