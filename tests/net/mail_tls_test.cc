// send_mail() through TLS, against a server whose certificate the test makes.
#include <csignal>
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "net/http_client.h"
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

template <auto function>
struct Free {
  void operator()(auto* pointer) const { function(pointer); }
};
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Context = std::unique_ptr<SSL_CTX, Free<SSL_CTX_free>>;
using Tls = std::unique_ptr<SSL, Free<SSL_free>>;

void add_extension(X509* certificate, int kind, const std::string& value) {
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str());
  ASSERT_NE(extension, nullptr);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

// Signed by itself, for `names` ("IP:127.0.0.1"), good for an hour around now.
Certificate make_certificate(EVP_PKEY* key, const std::string& names) {
  Certificate certificate(X509_new());
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_set_pubkey(certificate.get(), key);
  X509_NAME* const name = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("a test"), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), name);
  add_extension(certificate.get(), NID_subject_alt_name, names);
  add_extension(certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
  EXPECT_GT(X509_sign(certificate.get(), key, EVP_sha256()), 0);
  return certificate;
}

// Speaks SMTP, over TLS behind STARTTLS or from the start.
class TlsServer {
 public:
  TlsServer(const std::string& names, bool from_the_start, const std::string& ca_file)
      : from_the_start_(from_the_start) {
    std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
    const Certificate certificate = make_certificate(key_.get(), names);
    EXPECT_EQ(SSL_CTX_use_certificate(context_.get(), certificate.get()), 1);
    EXPECT_EQ(SSL_CTX_use_PrivateKey(context_.get(), key_.get()), 1);
    BIO* const file = BIO_new_file(ca_file.c_str(), "w");
    EXPECT_EQ(PEM_write_bio_X509(file, certificate.get()), 1);
    BIO_free(file);
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
  Key key_{EVP_EC_gen("P-256")};
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
