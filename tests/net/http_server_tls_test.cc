// Requests and answers over TLS: which versions and suites, whose clients, and who is in the way.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/net/tls_fixture.h"

namespace mailwarden::net {
namespace {

using testing::HasSubstr;

TEST_F(TlsServerTest, AnswersUnderAnyName) {
  serve({.tls = files()});
  expect_answered();
  ASSERT_EQ(handled(), 1U);
  EXPECT_EQ(seen_[0].header("Host"), "warden.example");
  EXPECT_TRUE(seen_[0].secure);
  EXPECT_FALSE(seen_[0].local);
  EXPECT_EQ(seen_[0].peer_certificate, "");
  TlsClient client(port(), {});
  client.send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_THAT(client.receive_all(), HasSubstr(" 400 "));
  EXPECT_TRUE(client.ended_well());
}

TEST_F(TlsServerTest, CarriesLargeBodiesOverOneConnection) {
  start({.listen_tls = {"127.0.0.1:0"}, .tls = files()},
        [](const Request& request) { return Response{.body = request.body + request.body}; });
  ClientOptions options = quick;
  options.ca_file = path("authority");
  Client client(options);
  for (int i = 0; i < 3; ++i) {
    const std::string body(static_cast<std::size_t>(1'000'000 + i), static_cast<char>('a' + i));
    const auto answer = client.request(
        {.method = "POST", .url = "https://" + server_->addresses().at(0) + "/", .body = body});
    ASSERT_TRUE(answer) << answer.error().what;
    EXPECT_EQ(answer->body, body + body);
  }
}

TEST_F(TlsServerTest, ServesPlainConnectionsBesideOnOtherAddresses) {
  start({.listen = {"127.0.0.1:0"}, .listen_tls = {"127.0.0.1:0"}, .tls = files()});
  ASSERT_EQ(server_->addresses().size(), 2U);
  const std::string& address = server_->addresses().at(1);
  ClientOptions options = quick;
  options.ca_file = path("authority");
  EXPECT_EQ(Client(options).request({.url = "https://" + address + "/"})->status, 200U);
  EXPECT_EQ(Client(quick).request({.url = url("/")})->status, 200U);
  ASSERT_EQ(handled(), 2U);
  EXPECT_TRUE(seen_[0].secure);
  EXPECT_FALSE(seen_[1].secure);
  EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: warden.example\r\nConnection: close\r\n\r\n"), 421U);
}

TEST_F(TlsServerTest, SpeaksTls12And13AndNothingOlder) {
  serve({.tls = files()});
  for (const int version : {TLS1_VERSION, TLS1_1_VERSION}) {
    expect_refused({.version_min = version, .version_max = version}, "alert protocol version");
  }
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    expect_answered({.version_min = version, .version_max = version});
  }
  EXPECT_EQ(TlsClient(port(), {}).version(), TLS1_3_VERSION);
  EXPECT_EQ(
      TlsClient(port(), {.version_min = TLS1_VERSION, .version_max = TLS1_2_VERSION}).version(),
      TLS1_2_VERSION);
}

TEST_F(TlsServerTest, TakesOnlyAuthenticatedCiphersWithEphemeralKeys) {
  serve({.tls = files()});
  for (const char* suite : {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
                            "ECDHE-ECDSA-CHACHA20-POLY1305"}) {
    expect_answered({.version_max = TLS1_2_VERSION, .suites = suite});
  }
  for (const char* suite :
       {"ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA", "ECDHE-ECDSA-AES128-CCM8",
        "ECDHE-ECDSA-NULL-SHA:@SECLEVEL=0", "AECDH-AES128-SHA:@SECLEVEL=0"}) {
    expect_refused({.version_max = TLS1_2_VERSION, .suites = suite}, "alert handshake failure");
  }
}

TEST_F(TlsServerTest, NeitherRenegotiatesNorResumes) {
  serve({.tls = files()});
  TlsClient client(port(), {.version_max = TLS1_2_VERSION});
  ASSERT_TRUE(client.connected());
  SSL_SESSION* const session = SSL_get1_session(client.tls());
  SSL_renegotiate(client.tls());
  EXPECT_NE(SSL_do_handshake(client.tls()), 1);
  const TlsClient again(port(), {.version_max = TLS1_2_VERSION, .resume = session});
  EXPECT_TRUE(again.connected());
  EXPECT_EQ(SSL_session_reused(again.tls()), 0);
  SSL_SESSION_free(session);
  TlsClient newer(port(), {});
  newer.send(last_question);
  EXPECT_THAT(newer.receive_all(), HasSubstr("you asked /x"));
  EXPECT_EQ(SSL_SESSION_is_resumable(SSL_get0_session(newer.tls())), 0);
}

class ClientCertificates : public TlsServerTest, public testing::WithParamInterface<int> {
 protected:
  static TlsClientOptions showing(const Identity& identity) {
    return {.version_min = GetParam(), .version_max = GetParam(), .identity = identity};
  }
};

TEST_P(ClientCertificates, OfOurAuthorityAreTakenAndNamed) {
  serve({.tls = files_with_clients()});
  expect_answered(showing(authority_.issue({.name = "gate, 1", .usage = "clientAuth"})));
  const Authority below("a smaller authority", &authority_);
  expect_answered(showing(below.issue({.name = "g\xC3\xA4te"})));
  ASSERT_EQ(handled(), 2U);
  EXPECT_EQ(seen_[0].peer_certificate, "CN=gate\\, 1,O=Example");
  EXPECT_EQ(seen_[1].peer_certificate, "CN=g\\C3\\A4te,O=Example");
}

TEST_P(ClientCertificates, OfNobodyElseAre) {
  serve({.tls = files_with_clients()});
  expect_refused(showing({}), GetParam() == TLS1_3_VERSION ? "alert certificate required"
                                                           : "alert handshake failure");
  const std::vector<std::pair<Identity, std::string>> cases{
      {Authority("another authority").issue({}), "alert unknown ca"},
      // Under the name of ours, with a key of its own.
      {Authority().issue({}), ""},
      {authority_.issue({.valid_seconds = -60}), "alert certificate expired"},
      {authority_.issue({.usage = "serverAuth"}), "alert unsupported certificate"},
      // A client's certificate makes no further clients.
      {Authority("a client", &authority_, false).issue({}), "alert unknown ca"}};
  for (const auto& [identity, why] : cases) expect_refused(showing(identity), why);
}

TEST_P(ClientCertificates, MayBeTrustedOneByOne) {
  const Authority below("a smaller authority", &authority_);
  const Identity single = authority_.issue({.name = "single"});
  write_file(path("trusted"), below.pem() + single.certificate);
  TlsFiles narrow = files();
  narrow.clients = path("trusted");
  serve({.tls = narrow});
  expect_answered(showing(single));
  expect_answered(showing(below.issue({})));
  expect_refused(showing(authority_.issue({})), "alert unknown ca");
}

INSTANTIATE_TEST_SUITE_P(, ClientCertificates, testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& tested) {
                           return tested.param == TLS1_2_VERSION ? "Tls12" : "Tls13";
                         });

TEST_F(TlsServerTest, AsksForNoCertificateWhereNoneIsNeeded) {
  serve({.tls = files()});
  expect_answered({.identity = Authority("another authority").issue({})});
  ASSERT_EQ(handled(), 1U);
  EXPECT_EQ(seen_[0].peer_certificate, "");
}

TEST_F(TlsServerTest, WhoSpeaksNoTlsIsNotAnswered) {
  serve({.tls = files()});
  for (const std::string& bytes :
       {last_question, std::string("\x16\x03\x01"), std::string(5'000, '\xFF'), std::string()}) {
    const Socket socket = Socket::connect(port());
    socket.send(bytes);
    socket.end_of_sending();
    EXPECT_THAT(socket.receive_all(), testing::Not(HasSubstr("HTTP")));
  }
  EXPECT_EQ(handled(), 0U);
  expect_answered();
}

TEST_F(TlsServerTest, WhoSaysNothingIsLetGo) {
  serve({.tls = files(), .connections_max = 1, .handshake_timeout = milliseconds(100)});
  const Socket silent = Socket::connect(port());
  EXPECT_EQ(silent.receive_all(), "");
  EXPECT_EQ(handled(), 0U);
  // The place is free when the server has noticed.
  std::string answer;
  for (const auto until = std::chrono::steady_clock::now() + seconds(10);
       answer.empty() && std::chrono::steady_clock::now() < until;) {
    answer = ask().first;
  }
  EXPECT_THAT(answer, HasSubstr("you asked /x"));
}

TEST_F(TlsServerTest, WhoSaysNothingBehindTheHandshakeIsLetGo) {
  serve({.tls = files(), .request_timeout = milliseconds(100)});
  TlsClient silent(port(), {});
  ASSERT_TRUE(silent.connected());
  EXPECT_EQ(silent.receive_all(), "");
  EXPECT_EQ(handled(), 0U);
}

TEST_F(TlsServerTest, OverTheLimitAConnectionIsClosed) {
  serve({.tls = files(), .connections_max = 2});
  std::vector<TlsClient> open;
  for (int i = 0; i < 2; ++i) {
    open.emplace_back(port(), TlsClientOptions());
    open.back().send(question + "\r\n");
    ASSERT_THAT(open.back().receive(), HasSubstr("HTTP/1.1 200"));
  }
  EXPECT_FALSE(TlsClient(port(), {}).connected());
}

TEST_F(TlsServerTest, StopsWhileConnectionsAreOpen) {
  serve({.tls = files()});
  TlsClient asked(port(), {});
  asked.send(question + "\r\n");
  ASSERT_THAT(asked.receive(), HasSubstr("HTTP/1.1 200"));
  const Socket silent = Socket::connect(port());
  server_->stop();
  server_.reset();
  EXPECT_EQ(asked.receive_all(), "");
  EXPECT_EQ(silent.receive_all(), "");
}

}  // namespace
}  // namespace mailwarden::net
