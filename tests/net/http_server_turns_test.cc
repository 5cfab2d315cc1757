// Connections that ask one thing after the other, at which the server's threads wait a moment.
#include <sys/socket.h>

#include "tests/net/http_fixture.h"

namespace mailwarden::net {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string get(const std::string& path) {
  return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
}

// Through a UNIX socket a request stands in it until it was answered.
class Turns : public HttpServerTest, public testing::WithParamInterface<int> {
 protected:
  void start(HttpServerOptions options, Handler handler = nullptr) {
    if (GetParam() == AF_UNIX) options.socket = folder_.path("served");
    HttpServerTest::start(std::move(options), std::move(handler));
  }
  Socket connected() const {
    return GetParam() == AF_UNIX ? Socket::connect(folder_.path("served"))
                                 : Socket::connect(port());
  }
  static void expect_asked(Socket& socket, const std::string& path) {
    EXPECT_THAT(socket.receive_until("you asked " + path), StartsWith("HTTP/1.1 200 ")) << path;
  }
  static void ask(Socket& socket, const std::string& path) {
    socket.send(get(path));
    expect_asked(socket, path);
  }
};

// More connections than may be waited at, so that each also goes back to the scheduler.
TEST_P(Turns, OfManyConnectionsAreAllServed) {
  start({.threads = 4});
  std::vector<Socket> sockets;
  for (int i = 0; i < 12; ++i) sockets.push_back(connected());
  for (int turn = 0; turn < 20; ++turn) {
    for (std::size_t i = 0; i < sockets.size(); ++i) {
      ask(sockets[i], "/" + std::to_string(turn) + "-" + std::to_string(i) + "x");
    }
  }
  // All at once, and answered whoever is waited at.
  for (const Socket& socket : sockets) socket.send(get("/last"));
  for (Socket& socket : sockets) expect_asked(socket, "/last");
  EXPECT_EQ(handled(), 12U * 21U);
}

TEST_P(Turns, OneThreadServesAll) {
  start({.threads = 1});
  Socket one = connected();
  Socket other = connected();
  for (int turn = 0; turn < 10; ++turn) {
    ask(one, "/one" + std::to_string(turn));
    ask(other, "/other" + std::to_string(turn));
  }
}

TEST_P(Turns, WhatComesInPiecesBehindAnAnswerIsPutTogether) {
  start({.threads = 4});
  Socket socket = connected();
  ask(socket, "/1");
  socket.send("POST /2 HTTP/1.1\r\nHo");
  socket.send("st: localhost\r\nContent-Length: 6\r\n\r\nab");
  socket.send("cdef");
  expect_asked(socket, "/2");
  EXPECT_EQ(seen_.at(1).body, "abcdef");
  // Two at once, and the beginning of a third.
  socket.send(get("/3") + get("/4") + "GET /5 HTTP/1.1\r\n");
  expect_asked(socket, "/4");
  socket.send("Host: localhost\r\n\r\n");
  expect_asked(socket, "/5");
  socket.send(
      "POST /6 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_THAT(socket.receive_until("\r\n\r\n"), StartsWith("HTTP/1.1 100 "));
  socket.send("xyz");
  expect_asked(socket, "/6");
  EXPECT_EQ(handled(), 6U);
}

TEST_P(Turns, WhatIsLongerThanOneReadIsTakenWhole) {
  start({.threads = 4});
  Socket socket = connected();
  std::string body;
  for (int turn = 0; turn < 3; ++turn) {
    for (int i = 0; i < 4000; ++i) body += std::to_string(turn * 7919 + i);
    const std::string path = "/long" + std::to_string(turn);
    ask(socket, "/short");
    socket.send("POST " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " +
                std::to_string(body.size()) + "\r\n\r\n" + body);
    expect_asked(socket, path);
    EXPECT_EQ(seen_.back().body, body);
  }
}

// Far more than stands unread at once; between them pieces, which another one reads.
TEST_P(Turns, ManyAreAnsweredEachWithItsOwn) {
  start({.threads = 4});
  Socket socket = connected();
  for (std::size_t turn = 0; turn < 400; ++turn) {
    const std::string path = "/turn" + std::to_string(turn);
    const std::string request =
        "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nA: " + std::string(turn * 97 % 1500, 'x') +
        "\r\n\r\n";
    const std::size_t first = turn % 53 == 52 ? request.size() / 2 : request.size();
    socket.send(request.substr(0, first));
    if (first < request.size()) socket.send(request.substr(first));
    expect_asked(socket, path);
    ASSERT_EQ(seen_.size(), turn + 1);
  }
  socket.end_of_sending();
  EXPECT_EQ(socket.receive_all(), "");
}

TEST_P(Turns, WhatIsNoRequestBehindAnAnswerIsRefused) {
  struct Case {
    std::string bytes;
    const char* status;
  };
  start({.threads = 4,
         .header_bytes_max = 1000,
         .body_bytes_max = 100,
         .socket_body_bytes_max = 100});
  for (const Case& c : {Case{"EHLO mail.example\r\n\r\n", "HTTP/1.1 400 "},
                        Case{"GET / HTTP/1.1\r\nA: " + std::string(2000, 'x'), "HTTP/1.1 431 "},
                        Case{"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 101\r\n\r\n",
                             "HTTP/1.1 413 "}}) {
    Socket socket = connected();
    ask(socket, "/1");
    socket.send(c.bytes);
    const std::string answer = socket.receive_all();
    EXPECT_THAT(answer, StartsWith(c.status));
    EXPECT_THAT(answer, HasSubstr("Connection: close"));
  }
}

TEST_P(Turns, WhoGoesAwayOrEndsIsLetGo) {
  start({.threads = 4});
  {
    Socket gone = connected();
    ask(gone, "/1");
  }
  Socket ended = connected();
  ask(ended, "/2");
  ended.end_of_sending();
  EXPECT_EQ(ended.receive_all(), "");
  Socket last = connected();
  last.send("GET /3 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(last.receive_all(), HasSubstr("you asked /3"));
}

TEST_P(Turns, OneThatFallsSilentIsLetGoAfterItsTime) {
  start({.threads = 4, .idle_timeout = milliseconds(50)});
  Socket socket = connected();
  ask(socket, "/1");
  EXPECT_EQ(socket.receive_all(), "");
}

TEST_P(Turns, AStopDoesNotWaitForWhoMayAskAgain) {
  start({.threads = 4, .drain_timeout = seconds(60), .idle_timeout = seconds(60)});
  Socket socket = connected();
  ask(socket, "/1");
  const auto begin = std::chrono::steady_clock::now();
  server_->stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(30));
  server_.reset();
  EXPECT_EQ(socket.receive_all(), "");
}

TEST_P(Turns, ALongAnswerGoesOnWhereItStopped) {
  const std::string body(8 * 1024 * 1024, 'x');
  start({.threads = 4}, [&](const Request& request) {
    return Response{.content_type = "text/plain",
                    .body = request.path == "/long" ? body + "end" : "you asked " + request.path};
  });
  Socket socket = connected();
  ask(socket, "/1");
  socket.send(get("/long"));
  const std::string answer = socket.receive_until("end");
  EXPECT_EQ(answer.size(), answer.find("\r\n\r\n") + 4 + body.size() + 3);
  ask(socket, "/2");
}

INSTANTIATE_TEST_SUITE_P(Sockets, Turns, testing::Values(AF_INET, AF_UNIX),
                         [](const auto& info) { return info.param == AF_UNIX ? "Unix" : "Tcp"; });

}  // namespace
}  // namespace mailwarden::net
