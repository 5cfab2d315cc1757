// A server of TLS, and an authority that vouches for it.
#pragma once

#include "tests/net/http_fixture.h"
#include "tests/net/tls_client.h"

namespace mailwarden::net {

inline const std::string question = "GET /x HTTP/1.1\r\nHost: warden.example\r\n";
inline const std::string last_question = question + "Connection: close\r\n\r\n";

class TlsServerTest : public HttpServerTest {
 protected:
  void SetUp() override {
    write_file(path("authority"), authority_.pem());
    install(authority_.issue({.name = "first"}));
  }
  std::string path(const std::string& name) const { return folder_.path(name); }
  TlsFiles files() const { return {.certificate = path("certificate"), .key = path("key")}; }
  // With it, only clients of `authority_` are spoken to.
  TlsFiles files_with_clients() const {
    TlsFiles all = files();
    all.clients = path("authority");
    return all;
  }
  void install(const Identity& identity) const {
    write_file(path("certificate"), identity.certificate);
    write_key(path("key"), identity.key);
  }
  void serve(HttpServerOptions options) {
    options.listen_tls = {"127.0.0.1:0"};
    start(std::move(options));
  }

  // What comes back for a request, and what OpenSSL said when nothing did.
  std::pair<std::string, std::string> ask(TlsClientOptions options = {}) const {
    options.authority = path("authority");
    TlsClient client(port(), options);
    client.send(last_question);
    const std::string answer = client.receive_all();
    return {answer, client.trouble()};
  }
  void expect_answered(const TlsClientOptions& options = {}) const {
    const auto [answer, trouble] = ask(options);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200")) << answer << trouble;
  }
  void expect_refused(const TlsClientOptions& options, const std::string& why) {
    const std::size_t before = handled();
    const auto [answer, trouble] = ask(options);
    EXPECT_EQ(answer, "");
    EXPECT_NE(trouble.find(why), std::string::npos) << trouble;
    EXPECT_EQ(handled(), before);
  }

  Authority authority_;
};

}  // namespace mailwarden::net
