// A server that ends: what is being answered is answered, and nobody else is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/net/http_fixture.h"

namespace mailwarden::net {
namespace {

TEST_F(HttpServerTest, StoppingWaitsForTheAnswerThatIsBeingMade) {
  Signal entered;
  Signal go;
  start({}, [&](const Request&) {
    entered.set();
    go.wait();
    return Response{.body = "done"};
  });
  std::string answer;
  std::jthread asker([&] { answer = exchange("GET / HTTP/1.1\r\n" + ending); });
  ASSERT_TRUE(entered.wait());
  std::jthread stopper([&] { server_->stop(); });
  go.set();
  stopper.join();
  server_.reset();
  asker.join();
  EXPECT_TRUE(answer.ends_with("done")) << answer;
}

TEST_F(HttpServerTest, StoppingDoesNotWaitForIdleConnections) {
  start({});
  Socket idle = Socket::connect(port());
  idle.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  ASSERT_TRUE(idle.receive().starts_with("HTTP/1.1 200"));
  const Socket silent = Socket::connect(port());
  const auto begin = std::chrono::steady_clock::now();
  server_.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(5));
}

TEST_F(HttpServerTest, AStoppedServerDoesNotListen) {
  start({});
  server_->stop();
  const Socket probe(::socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(port());
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_NE(::connect(probe.number(), reinterpret_cast<const sockaddr*>(&at), sizeof at), 0);
}

TEST_F(HttpServerTest, StoppingWaitsForALargeAnswerToBeTaken) {
  Signal entered;
  Signal go;
  start({}, [&](const Request&) {
    entered.set();
    go.wait();
    return Response{.body = std::string(30'000'000, 'x') + "done"};
  });
  std::string answer;
  std::jthread asker([&] { answer = exchange("GET / HTTP/1.1\r\n" + ending); });
  ASSERT_TRUE(entered.wait());
  std::jthread stopper([&] { server_->stop(); });
  go.set();
  stopper.join();
  server_.reset();
  asker.join();
  EXPECT_TRUE(answer.ends_with("done")) << answer.size();
}

}  // namespace
}  // namespace mailwarden::net
