// The other end of a submission of mail.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "tests/net/sockets.h"

namespace mailwarden::net {

using Replies = std::map<std::string, std::string>;

// Speaks as much SMTP as a submission needs; `replies` by verb ("" the greeting, "." behind the
// message) replaces what it would answer. An empty reply closes the connection.
class SmtpServer {
 public:
  explicit SmtpServer(Replies replies = {}) : replies_(std::move(replies)) {}

  std::string url() const { return "smtp://" + listener_.address(); }
  int connections() const { return listener_.connections(); }
  // Command lines without their ends.
  const std::vector<std::string>& lines() {
    listener_.stop();
    return lines_;
  }
  // Between DATA and the dot, as it came last.
  const std::string& message() {
    listener_.stop();
    return message_;
  }
  // Every message that came, while the server goes on; those that were refused too.
  std::vector<std::string> messages() const {
    const std::lock_guard lock(mutex_);
    return messages_;
  }
  // The next so many messages are answered with "later".
  void refuse(int times) { refusals_ = times; }

 private:
  std::string reply(const std::string& verb) const {
    const auto told = replies_.find(verb);
    if (told != replies_.end()) return told->second;
    if (verb.empty()) return "220 mail.example ESMTP\r\n";
    if (verb == "EHLO")
      return "250-mail.example\r\n250-SIZE 1000000\r\n250-8BITMIME\r\n250 HELP\r\n";
    if (verb == "DATA") return "354 go on\r\n";
    if (verb == "QUIT") return "221 bye\r\n";
    return "250 2.0.0 fine\r\n";
  }

  void serve(Socket& socket) {
    socket.send(reply(""));
    if (!reply("").starts_with("220")) return;
    while (true) {
      std::string line = socket.receive_until("\r\n");
      if (!line.ends_with("\r\n")) return;
      line.resize(line.size() - 2);
      lines_.push_back(line);
      const std::string verb = line.substr(0, line.find(' '));
      const std::string answer = reply(verb);
      socket.send(answer);
      if (answer.empty() || verb == "QUIT") return;
      if (verb == "DATA" && answer.starts_with("354")) {
        message_ = socket.receive_until("\r\n.\r\n");
        {
          const std::lock_guard lock(mutex_);
          messages_.push_back(message_);
        }
        const std::string taken =
            refusals_ > 0 && refusals_-- > 0 ? "451 4.3.0 later\r\n" : reply(".");
        socket.send(taken);
        if (taken.empty()) return;
      }
    }
  }

  Replies replies_;
  std::vector<std::string> lines_;
  std::string message_;
  mutable std::mutex mutex_;
  std::vector<std::string> messages_;
  std::atomic<int> refusals_ = 0;
  Listener listener_{[this](Socket& socket) { serve(socket); }};
};

}  // namespace mailwarden::net
