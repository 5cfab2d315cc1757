// A real OpenSSH server on loopback, with keys of its own, ended by its process id.
#pragma once

#include <memory>

#include <pwd.h>
#include <sys/stat.h>

#include "tests/process.h"
#include "tests/respond/effects.h"

namespace mailwarden::respond {

class Sshd {
 public:
  static constexpr const char* program = "/usr/sbin/sshd";

  // With a file of keys for whoever signs in, or, where it is "", those of each home.
  Sshd(const TemporaryFolder& folder, const std::string& keys) : folder_(folder) {
    ::mkdir("/run/sshd", 0755);  // compiled into the server; it is empty
    make_key("host_key");
    write_file(path("sshd_config"),
               "ListenAddress 127.0.0.1\nHostKey " + path("host_key") + "\nPidFile none\n" +
                   "UsePAM " + (keys.empty() ? "yes" : "no") + "\nStrictModes no\n" +
                   "PermitRootLogin prohibit-password\nPasswordAuthentication no\n" +
                   "KbdInteractiveAuthentication no\nLogLevel VERBOSE\n" +
                   (keys.empty() ? "" : "AuthorizedKeysFile " + keys + "\n"));
    // Another may take the port between looking and listening.
    for (int tries = 0; tries < 5 && !is_up_; ++tries) start();
    const std::string key = read_file(path("host_key.pub"));
    write_file(path("known_hosts"),
               "[127.0.0.1]:" + std::to_string(port_) + " " + key.substr(0, key.rfind(' ')) + "\n");
  }

  bool is_up() const { return is_up_; }
  std::uint16_t port() const { return port_; }
  std::string path(const std::string& name) const { return folder_.path(name); }
  std::string log() const { return read_file(path("sshd.log")); }

  void make_key(const std::string& name) const {
    EXPECT_TRUE(runs({"/usr/bin/ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "a test's",
                      "-f", path(name)}));
  }
  // As ssh-keygen -l prints it.
  std::string fingerprint(const std::string& name) const {
    const std::string text = output_of({"/usr/bin/ssh-keygen", "-lf", path(name + ".pub")});
    const std::size_t from = text.find("SHA256:");
    return from == std::string::npos ? "" : text.substr(from, text.find(' ', from) - from);
  }

  // The client's command, up to and with what is to be run there.
  std::vector<std::string> client(const std::string& user, const std::string& key,
                                  const std::string& command) const {
    return {"/usr/bin/ssh",
            "-F",
            "none",
            "-o",
            "BatchMode=yes",
            "-o",
            "UserKnownHostsFile=" + path("known_hosts"),
            "-o",
            "IdentitiesOnly=yes",
            "-o",
            "IdentityAgent=none",
            "-i",
            path(key),
            "-p",
            std::to_string(port_),
            "-l",
            user,
            "127.0.0.1",
            command};
  }

 private:
  void start() {
    port_ = free_port();
    process_ = std::make_unique<Process>(
        std::vector<std::string>{program, "-D", "-e", "-f", path("sshd_config"), "-p",
                                 std::to_string(port_)},
        path("sshd.log"));
    is_up_ = becomes_true([&] {
               Socket other("127.0.0.1", port_);
               return process_->ended() || Socket("127.0.0.1", 0).connects_to(other, 1000);
             }) &&
             !process_->ended();
  }

  const TemporaryFolder& folder_;
  std::uint16_t port_ = 0;
  std::unique_ptr<Process> process_;
  bool is_up_ = false;
};

inline std::string own_account() {
  const passwd* const entry = ::getpwuid(::geteuid());
  return entry == nullptr ? "" : entry->pw_name;
}

}  // namespace mailwarden::respond
