// send_mail() through TLS, against a server whose certificate the test makes.
#include <csignal>
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/http_client.h"
#include "tests/net/certificates.h"
#include "tests/net/sockets.h"
#include "tests/temporary.h"

namespace mailwarden::net {
namespace {

using std::chrono::milliseconds;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

// Speaks SMTP, over TLS behind STARTTLS or from the start.
class TlsServer {
 public:
  TlsServer(const std::string& names, bool from_the_start, const std::string& ca_file)
      : from_the_start_(from_the_start) {
    std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
    const Authority authority;
    const Identity own = authority.issue({.names = names});
    const TemporaryFolder folder;
    write_file(folder.path("certificate"), own.certificate);
    write_file(folder.path("key"), own.key);
    EXPECT_EQ(
        SSL_CTX_use_certificate_chain_file(context_.get(), folder.path("certificate").c_str()), 1);
    EXPECT_EQ(
        SSL_CTX_use_PrivateKey_file(context_.get(), folder.path("key").c_str(), SSL_FILETYPE_PEM),
        1);
    write_file(ca_file, authority.pem());
    listener_ = std::make_unique<Listener>([this](Socket& socket) { serve(socket); });
  }

  std::string url() const {
    return (from_the_start_ ? "smtps://" : "smtp://") + listener_->address();
  }
  const std::vector<std::string>& plain() {
    listener_->stop();
    return plain_;
  }
  const std::vector<std::string>& secret() {
    listener_->stop();
    return secret_;
  }

 private:
  static std::string read_line(SSL* tls) {
    std::string line;
    for (char c = 0; c != '\n';) {
      if (SSL_read(tls, &c, 1) != 1) return {};
      line += c;
    }
    return line;
  }

  void serve(Socket& socket) {
    if (!from_the_start_) {
      socket.send("220 mail.example\r\n");
      for (bool ready = false; !ready;) {
        const std::string line = socket.receive_until("\r\n");
        if (line.empty()) return;
        plain_.push_back(line);
        ready = line == "STARTTLS\r\n";
        if (line.starts_with("QUIT")) return;
        socket.send(ready ? "220 go\r\n" : "250-mail.example\r\n250-STARTTLS\r\n250 HELP\r\n");
      }
    }
    const Tls tls(SSL_new(context_.get()));
    SSL_set_fd(tls.get(), socket.number());
    if (SSL_accept(tls.get()) != 1) return;
    const auto say = [&](const std::string& text) {
      SSL_write(tls.get(), text.data(), static_cast<int>(text.size()));
    };
    if (from_the_start_) say("220 mail.example\r\n");
    bool in_message = false;
    while (true) {
      const std::string line = read_line(tls.get());
      if (line.empty()) return;
      secret_.push_back(line);
      if (in_message) {
        if (line != ".\r\n") continue;
        in_message = false;
        say("250 taken\r\n");
      } else if (line.starts_with("EHLO")) {
        say("250-mail.example\r\n250-AUTH PLAIN\r\n250 HELP\r\n");
      } else if (line.starts_with("AUTH")) {
        say("334 \r\n");
        secret_.push_back(read_line(tls.get()));
        say("235 welcome\r\n");
      } else if (line.starts_with("DATA")) {
        in_message = true;
        say("354 go on\r\n");
      } else if (line.starts_with("QUIT")) {
        return say("221 bye\r\n");
      } else {
        say("250 fine\r\n");
      }
    }
  }

  bool from_the_start_;
  Context context_{SSL_CTX_new(TLS_server_method())};
  std::vector<std::string> plain_;
  std::vector<std::string> secret_;
  std::unique_ptr<Listener> listener_;
};

class MailOverTls : public testing::TestWithParam<bool> {
 protected:
  Result<void> send(const TlsServer& server, bool trusted) {
    ClientOptions options{.connect_timeout = milliseconds(5'000),
                          .total_timeout = milliseconds(8'000)};
    if (trusted) options.ca_file = ca_file_;
    return Client(options).send_mail({.server = server.url(),
                                      .user = "warden",
                                      .password = "secret",
                                      .from = "warden@example.com",
                                      .to = {"a@example.com"},
                                      .message = "Subject: x\r\n\r\nThe body.\r\n"});
  }
  // Neither in the clear nor to whom we do not trust.
  static void expect_nothing_told(TlsServer& server) {
    for (const auto& lines : {server.plain(), server.secret()}) {
      for (const std::string word : {"AUTH", "MAIL", "RCPT", "DATA"}) {
        EXPECT_THAT(lines, Not(Contains(StartsWith(word))));
      }
    }
  }

  TemporaryFolder folder_;
  std::string ca_file_ = folder_.path("ca.pem");
};

TEST_P(MailOverTls, IsHandedOverToAServerThatIsTrusted) {
  TlsServer server("IP:127.0.0.1", GetParam(), ca_file_);
  const auto sent = send(server, true);
  ASSERT_TRUE(sent) << sent.error().what;
  if (GetParam()) {
    EXPECT_THAT(server.plain(), IsEmpty());
  } else {
    EXPECT_THAT(server.plain(), ElementsAre(StartsWith("EHLO"), "STARTTLS\r\n"));
  }
  const auto& lines = server.secret();
  EXPECT_THAT(lines, Contains("AUTH PLAIN\r\n").Times(1));
  EXPECT_THAT(lines, Contains("AHdhcmRlbgBzZWNyZXQ=\r\n"));  // "\0warden\0secret"
  EXPECT_THAT(lines, Contains("RCPT TO:<a@example.com>\r\n").Times(1));
  EXPECT_THAT(lines, Contains("The body.\r\n").Times(1));
}

TEST_P(MailOverTls, ACertificateThatNobodyVouchesForIsAnError) {
  TlsServer server("IP:127.0.0.1", GetParam(), ca_file_);
  EXPECT_FALSE(send(server, false));
  expect_nothing_told(server);
}

TEST_P(MailOverTls, ACertificateOfAnotherServerIsAnError) {
  TlsServer server("DNS:other.example, IP:127.0.0.2", GetParam(), ca_file_);
  EXPECT_FALSE(send(server, true));
  expect_nothing_told(server);
}

INSTANTIATE_TEST_SUITE_P(, MailOverTls, testing::Bool(), [](const auto& tested) {
  return tested.param ? "FromTheStart" : "BehindStartTls";
});

}  // namespace
}  // namespace mailwarden::net
