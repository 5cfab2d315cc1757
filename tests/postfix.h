// A Postfix of a test's own, on a port of the loopback. Root alone can start one.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/free_port.h"
#include "tests/process.h"
#include "tests/temporary.h"

namespace mailwarden {

class Postfix {
 public:
  Postfix() = default;
  Postfix(const Postfix&) = delete;
  Postfix& operator=(const Postfix&) = delete;
  ~Postfix() {
    if (!master_) return;
    master_->kill(SIGTERM);
    master_->wait();
  }

  // Lines of main.cf and master.cf behind those that each has.
  void start(const std::string& settings, const std::string& services) {
    const passwd* const user = ::getpwnam("postfix");
    ASSERT_NE(user, nullptr) << "there is no Postfix";
    // Its own accounts have to come to its folders.
    std::filesystem::permissions(folder_.path(), std::filesystem::perms(0755));
    for (const char* const name : {"configuration", "queue", "data", "log"}) {
      std::filesystem::create_directory(folder_.path(name));
    }
    ASSERT_EQ(::chown(folder_.path("data").c_str(), user->pw_uid, user->pw_gid), 0);
    write_file(configuration() + "/main.cf", common_settings() + settings);
    write_file(configuration() + "/master.cf", common_services() + services);
    // It makes the folders of its queue. Its own program would start the master as a child that
    // outlives it.
    Process check({"/usr/sbin/postfix", "-c", configuration(), "check"}, folder_.path("check"));
    ASSERT_EQ(check.wait(), 0) << read_file(folder_.path("check"));
    master_.emplace(
        std::vector<std::string>{"/usr/lib/postfix/sbin/master", "-c", configuration(), "-s"},
        folder_.path("output"));
    ASSERT_TRUE(master_->wait_until([&] { return listens(); })) << log();
  }

  std::string path(const std::string& name) const { return folder_.path(name); }
  std::string configuration() const { return folder_.path("configuration"); }
  const std::string& port() const { return port_; }
  std::string url() const { return "smtp://127.0.0.1:" + port_; }
  std::string log() const {
    return read_file(folder_.path("log/mail")) + read_file(folder_.path("output"));
  }
  // False where it has ended before the answer was yes.
  template <class Question>
  bool wait_until(Question question) {
    return master_->wait_until(question);
  }

 private:
  // Connections wait in its queue from then on.
  bool listens() const {
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(port_)));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int code = ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    ::close(socket);
    return code == 0;
  }
  std::string common_settings() const {
    return "compatibility_level = 3.7\nqueue_directory = " + folder_.path("queue") +
           "\ndata_directory = " + folder_.path("data") +
           "\nmaillog_file = " + folder_.path("log/mail") +
           "\nmaillog_file_prefixes = " + folder_.path("log") +
           "\ninet_interfaces = 127.0.0.1\ninet_protocols = ipv4\nmyhostname = mail.example.com\n"
           "mydestination =\nlocal_recipient_maps =\nalias_maps =\nalias_database =\n"
           "mynetworks = 127.0.0.0/8\nsmtpd_peername_lookup = no\n";
  }
  std::string common_services() const {
    return "127.0.0.1:" + port_ +
           " inet n - n - - smtpd\npickup unix n - n 60 1 pickup\n"
           "cleanup unix n - n - 0 cleanup\nqmgr unix n - n 300 1 qmgr\n"
           "rewrite unix - - n - - trivial-rewrite\nbounce unix - - n - 0 bounce\n"
           "defer unix - - n - 0 bounce\ntrace unix - - n - 0 bounce\n"
           "flush unix n - n 1000? 0 flush\nproxymap unix - - n - - proxymap\n"
           "showq unix n - n - - showq\nerror unix - - n - - error\nretry unix - - n - - error\n"
           "anvil unix - - n - 1 anvil\npostlog unix-dgram n - n - 1 postlogd\n";
  }

  TemporaryFolder folder_;
  std::string port_ = free_port();
  std::optional<Process> master_;
};

}  // namespace mailwarden
