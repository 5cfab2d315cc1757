#include "net/http_client.h"

#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "tests/net/http_fixture.h"
#include "tests/net/sockets.h"

namespace mailwarden::net {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string with_length(const std::string& status, const std::string& body,
                        const std::string& headers = "") {
  return "HTTP/1.1 " + status + "\r\n" + headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

// Answers every request of every connection with the same bytes and keeps what was asked.
class FixedServer {
 public:
  explicit FixedServer(std::string answer, bool close = true)
      : answer_(std::move(answer)), close_(close) {}

  std::string url(const std::string& path = "/") const {
    return "http://" + listener_.address() + path;
  }
  int connections() const { return listener_.connections(); }
  const std::vector<std::string>& requests() {
    listener_.stop();
    return requests_;
  }

 private:
  void serve(Socket& socket) {
    while (true) {
      std::string request = socket.receive_until("\r\n\r\n");
      if (request.empty()) return;
      const std::string lower = to_lower(request);
      if (const std::size_t at = lower.find("content-length: "); at != std::string::npos) {
        const std::size_t end = lower.find('\r', at);
        request += socket.receive_bytes(
            static_cast<std::size_t>(*to_integer(lower.substr(at + 16, end - at - 16))));
      }
      requests_.push_back(request);
      socket.send(answer_);
      if (close_) return;
    }
  }

  std::string answer_;
  bool close_;
  std::vector<std::string> requests_;
  Listener listener_{[this](Socket& socket) { serve(socket); }};
};

TEST(HttpClient, SendsWhatItIsToldAndGivesTheAnswer) {
  FixedServer server(with_length("201 Created", "{\"a\":1}", "Content-Type: application/json\r\n"));
  Client client(quick);
  const auto answer = client.request({.method = "POST",
                                      .url = server.url("/a%20b?c=d"),
                                      .headers = {{"X-One", "1"}, {"Content-Type", "text/x"}},
                                      .body = std::string("b\0dy", 4)});
  ASSERT_TRUE(answer) << answer.error().what;
  EXPECT_EQ(answer->status, 201U);
  EXPECT_EQ(answer->content_type, "application/json");
  EXPECT_EQ(answer->body, "{\"a\":1}");
  ASSERT_EQ(server.requests().size(), 1U);
  const std::string& request = server.requests()[0];
  EXPECT_TRUE(request.starts_with("POST /a%20b?c=d HTTP/1.1\r\n")) << request;
  EXPECT_THAT(request, HasSubstr("\r\nX-One: 1\r\n"));
  EXPECT_THAT(request, HasSubstr("\r\nContent-Type: text/x\r\n"));
  EXPECT_THAT(request, Not(HasSubstr("Expect:")));
  EXPECT_TRUE(request.ends_with(std::string("\r\n\r\nb\0dy", 8)));
}

TEST(HttpClient, GivesTheHeadersByTheirNamesInLowerCase) {
  FixedServer server(with_length("200 OK", "body",
                                 "Cache-Control: max-age=60\r\nX-One: 1\r\n"
                                 "cache-control: public\r\nX-Empty:\r\n"));
  const auto answer = Client(quick).request({.url = server.url()});
  ASSERT_TRUE(answer) << answer.error().what;
  EXPECT_EQ(header(*answer, "cache-control"), "max-age=60, public");
  EXPECT_EQ(header(*answer, "x-one"), "1");
  EXPECT_EQ(header(*answer, "x-empty"), "");
  EXPECT_EQ(header(*answer, "x-two"), "");
}

// Of an answer before the answer nothing stays.
TEST(HttpClient, GivesTheHeadersOfTheAnswerAlone) {
  FixedServer server("HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n" +
                     with_length("200 OK", "body", "X-Late: 1\r\n"));
  const auto answer = Client(quick).request({.url = server.url()});
  ASSERT_TRUE(answer) << answer.error().what;
  EXPECT_EQ(header(*answer, "x-early"), "");
  EXPECT_EQ(header(*answer, "x-late"), "1");
}

class AnyStatus : public testing::TestWithParam<unsigned> {};

TEST_P(AnyStatus, IsAnAnswer) {
  FixedServer server(with_length(std::to_string(GetParam()) + " Word", "body"));
  const auto answer = Client(quick).request({.url = server.url()});
  ASSERT_TRUE(answer) << answer.error().what;
  EXPECT_EQ(answer->status, GetParam());
  EXPECT_EQ(answer->body, "body");
}

INSTANTIATE_TEST_SUITE_P(, AnyStatus, testing::Values(200U, 400U, 401U, 404U, 429U, 500U, 503U));

class AnyMethod : public testing::TestWithParam<std::string> {};

TEST_P(AnyMethod, IsSentAsItIs) {
  FixedServer server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  const auto answer = Client(quick).request({.method = GetParam(), .url = server.url("/x")});
  ASSERT_TRUE(answer) << answer.error().what;
  ASSERT_EQ(server.requests().size(), 1U);
  EXPECT_TRUE(server.requests()[0].starts_with(GetParam() + " /x HTTP/1.1\r\n"));
}

INSTANTIATE_TEST_SUITE_P(, AnyMethod, testing::Values("GET", "POST", "PUT", "DELETE", "HEAD"),
                         [](const auto& tested) { return tested.param; });

TEST(HttpClient, ARedirectIsAnAnswerAndIsNotFollowed) {
  FixedServer other(with_length("200 OK", "the other"));
  FixedServer server(with_length("302 Found", "moved", "Location: " + other.url() + "\r\n"));
  const auto answer = Client(quick).request({.url = server.url()});
  ASSERT_TRUE(answer) << answer.error().what;
  EXPECT_EQ(answer->status, 302U);
  EXPECT_EQ(answer->body, "moved");
  EXPECT_EQ(other.connections(), 0);
}

TEST(HttpClient, KeepsItsConnectionForTheNextRequest) {
  FixedServer server(with_length("200 OK", "body"), false);
  {
    Client client(quick);
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(client.request({.url = server.url()}));
  }
  EXPECT_EQ(server.requests().size(), 3U);
  EXPECT_EQ(server.connections(), 1);
}

TEST(HttpClient, OneRequestLeavesNothingForTheNext) {
  FixedServer server(with_length("200 OK", "body"), false);
  {
    Client client(quick);
    ASSERT_TRUE(client.request({.method = "POST",
                                .url = server.url("/first"),
                                .headers = {{"Authorization", "secret"}},
                                .body = "secret body"}));
    ASSERT_TRUE(client.request({.url = server.url("/second")}));
  }
  ASSERT_EQ(server.requests().size(), 2U);
  EXPECT_TRUE(server.requests()[1].starts_with("GET /second "));
  EXPECT_THAT(server.requests()[1], Not(HasSubstr("secret")));
}

TEST(HttpClient, ARefusedConnectionIsUnavailable) {
  const Socket bound = Socket::bound(0);  // nobody listens, and nobody else gets the port
  const std::string url = "http://127.0.0.1:" + std::to_string(bound.port()) + "/";
  const auto answer = Client(quick).request({.url = url});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::unavailable);
  EXPECT_THAT(answer.error().what, HasSubstr(url));
}

TEST(HttpClient, AMissingUnixSocketIsUnavailable) {
  const auto answer =
      Client(quick).request({.url = "http://localhost/", .socket = "/nonexistent/socket"});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::unavailable);
}

TEST(HttpClient, AServerThatSaysNothingIsUnavailableAfterTheTimeOut) {
  const Socket silent = Socket::bound(1);
  const auto begin = std::chrono::steady_clock::now();
  Client client({.total_timeout = milliseconds(200)});
  const auto answer =
      client.request({.url = "http://127.0.0.1:" + std::to_string(silent.port()) + "/"});
  const auto took = std::chrono::steady_clock::now() - begin;
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::unavailable);
  EXPECT_GE(took, milliseconds(150));
  EXPECT_LT(took, milliseconds(8'000));
}

struct Broken {
  std::string name;
  std::string answer;
};

class BrokenAnswer : public testing::TestWithParam<Broken> {};

TEST_P(BrokenAnswer, IsUnavailable) {
  FixedServer server(GetParam().answer);
  const auto answer = Client(quick).request({.url = server.url()});
  ASSERT_FALSE(answer) << answer->status << answer->body;
  EXPECT_EQ(answer.error().code, Code::unavailable);
}

INSTANTIATE_TEST_SUITE_P(
    , BrokenAnswer,
    testing::Values(Broken{"ClosedAtOnce", ""},
                    Broken{"BodyCutShort", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"},
                    Broken{"BadChunk",
                           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"}),
    [](const auto& tested) { return tested.param.name; });

TEST(HttpClient, AnAnswerOfTheLimitIsTakenAndOneByteMoreIsNot) {
  ClientOptions options = quick;
  options.response_bytes_max = 100'000;
  for (const bool told : {true, false}) {
    for (const std::size_t size : {100'000U, 100'001U}) {
      const std::string body(size, 'x');
      FixedServer server(told ? with_length("200 OK", body)
                              : "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + body);
      const auto answer = Client(options).request({.url = server.url()});
      EXPECT_EQ(answer.has_value(), size == 100'000) << size << (told ? " told" : " untold");
      if (answer) {
        EXPECT_EQ(answer->body.size(), size);
      }
    }
  }
}

struct Wrong {
  std::string name;
  HttpCall call;  // "@" in the URL stands for the server
};

class WrongCall : public testing::TestWithParam<Wrong> {};

TEST_P(WrongCall, IsInvalidAndNothingIsSent) {
  FixedServer server(with_length("200 OK", ""));
  HttpCall call = GetParam().call;
  if (call.url.starts_with('@')) call.url = server.url() + call.url.substr(1);
  const auto answer = Client(quick).request(call);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::invalid) << answer.error().what;
  EXPECT_EQ(server.connections(), 0);
}

INSTANTIATE_TEST_SUITE_P(
    , WrongCall,
    testing::Values(Wrong{"LineFeedInUrl", {.url = "@a\r\nX: y"}},
                    Wrong{"LineFeedInMethod", {.method = "GET /\r\nX: y", .url = "@"}},
                    Wrong{"LineFeedInHeader", {.url = "@", .headers = {{"A", "b\r\nX: y"}}}},
                    Wrong{"LineFeedInHeaderName", {.url = "@", .headers = {{"A\nX", "b"}}}},
                    Wrong{"ColonInHeaderName", {.url = "@", .headers = {{"A: b", "c"}}}},
                    Wrong{"NulInUrl", {.url = std::string("@a\0b", 4)}},
                    Wrong{"File", {.url = "file:///etc/hostname"}},
                    Wrong{"Ftp", {.url = "ftp://127.0.0.1/"}}, Wrong{"Nothing", {.url = ""}}),
    [](const auto& tested) { return tested.param.name; });

// Where a secret goes is told by the settings alone.
TEST(HttpClient, TheEnvironmentsProxyIsNotUsed) {
  FixedServer proxy(with_length("200 OK", "proxy"));
  FixedServer server(with_length("200 OK", "server"));
  ASSERT_EQ(::setenv("http_proxy", proxy.url().c_str(), 1), 0);
  const auto answer = Client(quick).request({.url = server.url()});
  ::unsetenv("http_proxy");
  ASSERT_TRUE(answer) << answer.error().what;
  EXPECT_EQ(answer->body, "server");
  EXPECT_EQ(proxy.connections(), 0);
}

}  // namespace
}  // namespace mailwarden::net
