// Requests and answers over TCP and the UNIX socket.
#include <ctime>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>

#include "net/http_target.h"
#include "tests/net/http_fixture.h"

namespace mailwarden::net {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST_F(HttpServerTest, HandsOverEachRequestAndSendsWhatTheFunctionAnswers) {
  start({}, [this](const Request& request) {
    seen_.push_back(request);
    return Response{.status = 418,
                    .content_type = "text/x",
                    .body = std::string("a\0b", 3),
                    .headers = {{"X-Further", "yes"}}};
  });
  Client client(quick);
  const auto answer = client.request({.method = "PUT",
                                      .url = url("/a%20b/%C3%A9+c?x=1+2&y=%26%3D&x=3&z"),
                                      .headers = {{"X-Sent", "value"}},
                                      .body = "the body"});
  ASSERT_TRUE(answer) << answer.error().what;
  EXPECT_EQ(answer->status, 418U);
  EXPECT_EQ(answer->content_type, "text/x");
  EXPECT_EQ(answer->body, std::string("a\0b", 3));
  ASSERT_EQ(seen_.size(), 1U);
  const Request& request = seen_[0];
  EXPECT_EQ(request.method, "PUT");
  EXPECT_EQ(request.path, "/a b/\xC3\xA9+c");
  using Pair = std::pair<std::string, std::string>;
  EXPECT_THAT(request.query,
              ElementsAre(Pair("x", "1 2"), Pair("y", "&="), Pair("x", "3"), Pair("z", "")));
  EXPECT_EQ(request.parameter("x"), "1 2");
  EXPECT_EQ(request.parameter("none"), "");
  EXPECT_EQ(request.header("x-sENT"), "value");
  EXPECT_EQ(request.header("X-None"), "");
  EXPECT_EQ(request.body, "the body");
  EXPECT_FALSE(request.local);
}

TEST_F(HttpServerTest, SendsFurtherHeaders) {
  start({}, [](const Request&) { return Response{.headers = {{"X-Further", "yes"}}}; });
  EXPECT_THAT(exchange("GET / HTTP/1.1\r\n" + ending), HasSubstr("\r\nX-Further: yes\r\n"));
}

TEST_F(HttpServerTest, TellsWhoIsAtTheOtherEndOfTheUnixSocket) {
  const std::string socket = folder_.path("s");
  start({.socket = socket});
  struct stat status{};
  ASSERT_EQ(::lstat(socket.c_str(), &status), 0);
  EXPECT_TRUE(S_ISSOCK(status.st_mode));
  EXPECT_EQ(status.st_mode & 07U, 0U);  // nothing for others
  Client client(quick);
  // Through the socket the name in the request does not matter.
  const auto answer = client.request({.url = "http://any.example/x", .socket = socket});
  ASSERT_TRUE(answer) << answer.error().what;
  EXPECT_EQ(answer->body, "you asked /x");
  ASSERT_EQ(handled(), 1U);
  EXPECT_TRUE(seen_[0].local);
  EXPECT_EQ(seen_[0].uid, ::geteuid());
  server_->stop();
  EXPECT_FALSE(std::filesystem::exists(socket));
}

TEST_F(HttpServerTest, ListensOnSeveralAddresses) {
  start({.listen = {"127.0.0.1:0", "127.0.0.2:0"}});
  ASSERT_EQ(server_->addresses().size(), 2U);
  Client client(quick);
  for (const std::string& address : server_->addresses()) {
    EXPECT_THAT(address, Not(testing::EndsWith(":0")));
    EXPECT_EQ(client.request({.url = "http://" + address + "/"})->status, 200U);
  }
}

struct Host {
  std::string name;
  std::string header;  // with its line's end
  bool answered;
};

class HostHeader : public HttpServerTest, public testing::WithParamInterface<Host> {};

// A page elsewhere can send a browser here under a name of its own (DNS rebinding).
TEST_P(HostHeader, MustNameTheLoopback) {
  start({});
  const unsigned answer =
      status("GET / HTTP/1.1\r\n" + GetParam().header + "Connection: close\r\n\r\n");
  EXPECT_EQ(answer == 200, GetParam().answered) << answer;
  EXPECT_EQ(handled(), GetParam().answered ? 1U : 0U);
}

INSTANTIATE_TEST_SUITE_P(
    , HostHeader,
    testing::Values(Host{"Localhost", "Host: localhost\r\n", true},
                    Host{"LocalhostAndPort", "Host: localhost:8925\r\n", true},
                    Host{"Ipv4", "Host: 127.0.0.1\r\n", true},
                    Host{"Ipv4AndPort", "Host: 127.0.0.1:8925\r\n", true},
                    Host{"Ipv6", "Host: [::1]\r\n", true},
                    Host{"Ipv6AndPort", "Host: [::1]:8925\r\n", true}, Host{"Missing", "", false},
                    Host{"Empty", "Host: \r\n", false},
                    Host{"Stranger", "Host: evil.example\r\n", false},
                    Host{"StrangerAndPort", "Host: evil.example:8925\r\n", false},
                    Host{"LooksAlike", "Host: localhost.evil.example\r\n", false},
                    Host{"EndsAlike", "Host: evil-localhost\r\n", false},
                    Host{"OtherAddress", "Host: 10.0.0.1\r\n", false},
                    Host{"OtherIpv6", "Host: [::2]\r\n", false}),
    [](const auto& tested) { return tested.param.name; });

struct Bad {
  std::string name;
  std::string bytes;
  unsigned status;
};

class BadRequest : public HttpServerTest, public testing::WithParamInterface<Bad> {};

TEST_P(BadRequest, IsAnsweredWithASentenceAndTheConnectionEnds) {
  start({.header_bytes_max = 1000, .body_bytes_max = 100});
  const std::string answer = exchange(GetParam().bytes);
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 " + std::to_string(GetParam().status))) << answer;
  const std::size_t body = answer.find("\r\n\r\n");
  ASSERT_NE(body, std::string::npos);
  EXPECT_GT(answer.size(), body + 10);
  EXPECT_EQ(handled(), 0U);
}

const std::string post = "POST / HTTP/1.1\r\nHost: localhost\r\n";

INSTANTIATE_TEST_SUITE_P(
    , BadRequest,
    testing::Values(
        Bad{"NotHttp", "EHLO mail.example\r\n\r\n", 400}, Bad{"NoVersion", "GET /\r\n\r\n", 400},
        Bad{"UnknownVersion", "GET / HTTP/9.9\r\nHost: localhost\r\n\r\n", 400},
        Bad{"SpaceInHeaderName", "GET / HTTP/1.1\r\nA b: c\r\n\r\n", 400},
        Bad{"BadLength", post + "Content-Length: -5\r\n\r\n", 400},
        Bad{"TwoLengths", post + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400},
        Bad{"BadChunk", post + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400},
        Bad{"ZeroByte", std::string("GET /\0 HTTP/1.1\r\n\r\n", 19), 400},
        Bad{"HeaderTooLarge", "GET / HTTP/1.1\r\nA: " + std::string(2000, 'x'), 431},
        Bad{"BodyTooLarge", post + "Content-Length: 101\r\n\r\n", 413},
        Bad{"BodyFarTooLarge", post + "Content-Length: 99999999999999\r\n\r\n", 413},
        Bad{"ChunkedBodyTooLarge",
            post + "Transfer-Encoding: chunked\r\n\r\n65\r\n" + std::string(101, 'x'), 413}),
    [](const auto& tested) { return tested.param.name; });

TEST_F(HttpServerTest, ABodyOfTheLimitIsTaken) {
  start({.body_bytes_max = 100'000});
  Client client(quick);
  const std::string body(100'000, 'x');
  const auto answer = client.request({.method = "POST", .url = url("/"), .body = body});
  ASSERT_TRUE(answer) << answer.error().what;
  EXPECT_EQ(answer->status, 200U);
  EXPECT_EQ(seen_.at(0).body, body);
}

TEST_F(HttpServerTest, ABodyInChunksIsPutTogether) {
  start({});
  EXPECT_EQ(status("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nHost: localhost\r\n"
                   "Connection: close\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"),
            200U);
  EXPECT_EQ(seen_.at(0).body, "abcde");
}

TEST_F(HttpServerTest, ASenderThatWaitsForContinueIsToldTo) {
  start({});
  Socket socket = Socket::connect(port());
  socket.send(
      "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n"
      "Expect: 100-continue\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(socket.receive_until("\r\n\r\n").starts_with("HTTP/1.1 100 "));
  socket.send("abc");
  EXPECT_TRUE(socket.receive_until("\r\n\r\n").starts_with("HTTP/1.1 200 "));
  EXPECT_EQ(seen_.at(0).body, "abc");
}

TEST_F(HttpServerTest, AHeadRequestIsAnsweredWithoutABody) {
  start({});
  const std::string answer = exchange("HEAD /x HTTP/1.1\r\n" + ending);
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 "));
  EXPECT_THAT(answer, HasSubstr("\r\nContent-Length: 12\r\n"));  // of "you asked /x"
  EXPECT_TRUE(answer.ends_with("\r\n\r\n"));
}

TEST_F(HttpServerTest, AConnectionServesSeveralRequestsInTheirOrder) {
  start({});
  const std::string one = "GET /1 HTTP/1.1\r\nHost: localhost\r\n\r\n";
  const std::string two = "GET /2 HTTP/1.1\r\n" + ending;
  const std::string answers = exchange(one + one + two);
  const std::size_t first = answers.find("you asked /1");
  const std::size_t second = answers.find("you asked /1", first + 1);
  const std::size_t last = answers.find("you asked /2");
  ASSERT_NE(second, std::string::npos);
  ASSERT_NE(last, std::string::npos);
  EXPECT_LT(second, last);
  EXPECT_EQ(handled(), 3U);
}

TEST_F(HttpServerTest, AnAbsoluteFormIsTakenByItsPath) {
  start({});
  EXPECT_EQ(status("GET http://localhost:1/a/b?c=d HTTP/1.1\r\n" + ending), 200U);
  EXPECT_EQ(seen_.at(0).path, "/a/b");
  EXPECT_EQ(seen_.at(0).parameter("c"), "d");
}

TEST_F(HttpServerTest, ASenderThatGoesAwayMidwayHarmsNobody) {
  start({});
  for (const std::string part : {"", "GET", "GET / HTTP/1.1\r\nHo",
                                 "POST / HTTP/1.1\r\n"
                                 "Host: localhost\r\nContent-Length: 10\r\n\r\nabc"}) {
    Socket::connect(port()).send(part);
  }
  EXPECT_EQ(status("GET / HTTP/1.1\r\n" + ending), 200U);
  EXPECT_EQ(handled(), 1U);
}

TEST_F(HttpServerTest, AConnectionThatSaysNothingIsClosedAfterTheTimeOut) {
  start({.request_timeout = milliseconds(100)});
  const auto begin = std::chrono::steady_clock::now();
  exchange("GET / HT");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(8));
  EXPECT_EQ(handled(), 0U);
}

// Each handler waits for the other one, so both must run at once.
TEST_F(HttpServerTest, CallsTheFunctionForSeveralRequestsAtOnce) {
  Signal first;
  Signal second;
  start({.threads = 2}, [&](const Request& request) {
    const bool is_first = request.path == "/1";
    (is_first ? first : second).set();
    return Response{.status = (is_first ? second : first).wait() ? 200U : 500U};
  });
  unsigned other = 0;
  std::jthread thread([&] { other = status("GET /1 HTTP/1.1\r\n" + ending); });
  EXPECT_EQ(status("GET /2 HTTP/1.1\r\n" + ending), 200U);
  thread.join();
  EXPECT_EQ(other, 200U);
}

TEST_F(HttpServerTest, ManyClientsEachGetTheirOwnAnswer) {
  start({.threads = 4});
  std::atomic<int> right = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&, i] {
        Client client(quick);
        for (int k = 0; k < 50; ++k) {
          const std::string path = "/" + std::to_string(i) + "/" + std::to_string(k);
          const auto answer = client.request({.url = url(path)});
          if (answer && answer->body == "you asked " + path) ++right;
        }
      });
    }
  }
  EXPECT_EQ(right, 400);
  EXPECT_EQ(handled(), 400U);
}

TEST_F(HttpServerTest, OverTheLimitAConnectionIsClosedWithoutAnAnswer) {
  start({.connections_max = 2});
  const std::string request = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
  std::vector<Socket> open;
  for (int i = 0; i < 2; ++i) {
    open.push_back(Socket::connect(port()));
    open.back().send(request);
    ASSERT_TRUE(open.back().receive().starts_with("HTTP/1.1 200"));
  }
  EXPECT_EQ(exchange(request), "");
  open.pop_back();
  // The server notices the end in its own time.
  const auto until = std::chrono::steady_clock::now() + seconds(10);
  std::string answer;
  while (answer.empty() && std::chrono::steady_clock::now() < until) {
    answer = exchange("GET / HTTP/1.1\r\n" + ending);
  }
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200")) << answer;
}

// The processor time of all threads.
milliseconds time_used() {
  timespec used{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return seconds(used.tv_sec) +
         std::chrono::duration_cast<milliseconds>(std::chrono::nanoseconds(used.tv_nsec));
}

TEST_F(HttpServerTest, WithoutDescriptorsItWaitsForThemInPeace) {
  start({});
  const Socket client(::socket(AF_INET, SOCK_STREAM, 0));
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  // The client's number was the lowest that was free.
  const rlimit none{.rlim_cur = static_cast<rlim_t>(client.number()) + 1,
                    .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  client.connect_to(port());
  client.send("GET / HTTP/1.1\r\n" + ending);
  pollfd answer{.fd = client.number(), .events = POLLIN, .revents = 0};
  const milliseconds begun = time_used();
  EXPECT_EQ(::poll(&answer, 1, 400), 0) << "there was a descriptor for it";
  EXPECT_LT(time_used() - begun, milliseconds(100));
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_THAT(client.receive_all(), testing::StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServerTest, AServerThatIsGoneRefusesConnections) {
  start({});
  const std::string gone = url("/");
  server_->stop();
  server_->stop();  // twice is no trouble
  server_.reset();
  const auto answer = Client(quick).request({.url = gone});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::unavailable);
}

struct Address {
  std::string name;
  std::string text;
};

class WrongAddress : public testing::TestWithParam<Address> {};

TEST_P(WrongAddress, IsInvalidAndNamed) {
  const auto server =
      HttpServer::start({.listen = {GetParam().text}}, [](const Request&) { return Response{}; });
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error().code, Code::invalid);
  EXPECT_THAT(server.error().what, HasSubstr(GetParam().text));
}

INSTANTIATE_TEST_SUITE_P(
    , WrongAddress,
    testing::Values(Address{"NoPort", "127.0.0.1"}, Address{"EmptyPort", "127.0.0.1:"},
                    Address{"PortTooLarge", "127.0.0.1:65536"},
                    Address{"PortNegative", "127.0.0.1:-1"},
                    Address{"PortNoNumber", "127.0.0.1:http"}, Address{"NoAddress", ":80"},
                    Address{"AName", "mail.example:80"}, Address{"Nonsense", "nonsense"}),
    [](const auto& tested) { return tested.param.name; });

TEST_F(HttpServerTest, AnAddressThatIsTakenIsUnavailable) {
  start({});
  const std::string taken = server_->addresses().at(0);
  const auto second =
      HttpServer::start({.listen = {taken}}, [](const Request&) { return Response{}; });
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::unavailable);
  EXPECT_THAT(second.error().what, HasSubstr(taken));
}

TEST_F(HttpServerTest, ALivingSocketIsNotTakenAwayAndADeadOneIs) {
  const std::string path = folder_.path("s");
  const auto handler = [](const Request&) { return Response{}; };
  start({.socket = path});
  const auto second = HttpServer::start({.socket = path}, handler);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::unavailable);
  EXPECT_THAT(second.error().what, HasSubstr(path));
  EXPECT_EQ(Client(quick).request({.url = "http://localhost/", .socket = path})->status, 200U);
  server_.reset();
  {
    const Socket dead(::socket(AF_UNIX, SOCK_STREAM, 0));
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    path.copy(at.sun_path, sizeof at.sun_path - 1);
    ASSERT_EQ(::bind(dead.number(), reinterpret_cast<const sockaddr*>(&at), sizeof at), 0);
  }
  ASSERT_TRUE(std::filesystem::exists(path));
  start({.socket = path});
  EXPECT_EQ(Client(quick).request({.url = "http://localhost/", .socket = path})->status, 200U);
}

TEST_F(HttpServerTest, AFileInTheWayOfTheSocketIsLeftAlone) {
  const std::string path = folder_.path("s");
  write_file(path, "precious");
  const auto server =
      HttpServer::start({.socket = path}, [](const Request&) { return Response{}; });
  ASSERT_FALSE(server);
  EXPECT_THAT(server.error().what, HasSubstr(path));
  EXPECT_EQ(read_file(path), "precious");
}

TEST_F(HttpServerTest, ASocketPathThatIsTooLongIsInvalid) {
  const auto server = HttpServer::start({.socket = folder_.path(std::string(200, 'x'))},
                                        [](const Request&) { return Response{}; });
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error().code, Code::invalid);
}

TEST(PercentDecode, FollowsTheManualPage) {
  struct Case {
    std::string_view text;
    std::string_view path;
    std::string_view query;
  };
  for (const Case& one :
       {Case{"%41b+c", "Ab+c", "Ab c"}, Case{"", "", ""}, Case{"%", "%", "%"},
        Case{"%4", "%4", "%4"}, Case{"%4x", "%4x", "%4x"}, Case{"a%41", "aA", "aA"},
        Case{"%2B%20", "+ ", "+ "}, Case{"%c3%A9", "\xC3\xA9", "\xC3\xA9"},
        Case{"%2541", "%41", "%41"}, Case{"%00", std::string_view("\0", 1), {"\0", 1}}}) {
    EXPECT_EQ(percent_decode(one.text, false), one.path) << one.text;
    EXPECT_EQ(percent_decode(one.text, true), one.query) << one.text;
  }
}

TEST_F(HttpServerTest, ANameThatBeginsLikeTheLoopbackIsNot) {
  start({});
  EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: 127.evil.example\r\nConnection: close\r\n\r\n"), 421U);
  EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: [::1].evil.example\r\nConnection: close\r\n\r\n"),
            421U);
  EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: LOCALHOST\r\nConnection: close\r\n\r\n"), 200U);
}

TEST_F(HttpServerTest, AUrlInTheQueryIsNoAbsoluteForm) {
  start({});
  EXPECT_EQ(status("GET /a?u=http://b/c HTTP/1.1\r\n" + ending), 200U);
  EXPECT_EQ(seen_.at(0).path, "/a");
}

}  // namespace
}  // namespace mailwarden::net
