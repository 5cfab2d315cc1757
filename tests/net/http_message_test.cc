// The bytes of an answer.
#include "net/http_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mailwarden::net {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const Manner usual{.version = 11, .keep_alive = true, .is_head = false};

TEST(HttpMessage, HasTheUsualHeadersAndTheBodyWithItsLength) {
  EXPECT_EQ(to_message({.status = 404, .content_type = "text/plain", .body = "none"}, usual),
            "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\n"
            "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n"
            "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n"
            "Cache-Control: no-store\r\nContent-Length: 4\r\n\r\nnone");
}

TEST(HttpMessage, WhatAnAnswerSaysItselfCountsOnceAndTheLastTime) {
  const std::string message = to_message({.content_type = "a/b",
                                          .body = "",
                                          .headers = {{"X-A", "1"},
                                                      {"cache-control", "max-age=5"},
                                                      {"x-a", "2"},
                                                      {"content-type", "c/d"}}},
                                         usual);
  EXPECT_THAT(message, Not(HasSubstr("no-store")));
  EXPECT_THAT(message, HasSubstr("\r\ncache-control: max-age=5\r\n"));
  EXPECT_THAT(message, Not(HasSubstr("X-A: 1")));
  EXPECT_THAT(message, HasSubstr("\r\nx-a: 2\r\n"));
  EXPECT_THAT(message, Not(HasSubstr("a/b")));
  EXPECT_THAT(message, HasSubstr("\r\ncontent-type: c/d\r\n"));
}

TEST(HttpMessage, NothingInAValueEndsItsLine) {
  const std::string message = to_message(
      {.body = "", .headers = {{"X-Reason", std::string("a\r\nX-Evil: 1\n\nb\0c", 17)}}}, usual);
  EXPECT_THAT(message, HasSubstr("\r\nX-Reason: a  X-Evil: 1  b c\r\n"));
}

TEST(HttpMessage, SaysWhatBecomesOfTheConnectionWhereTheVersionDoesNot) {
  struct Case {
    Manner manner;
    const char* begins;
    const char* says;  // null for nothing
  };
  for (const Case& c :
       {Case{{.version = 11, .keep_alive = true}, "HTTP/1.1 ", nullptr},
        Case{{.version = 11, .keep_alive = false}, "HTTP/1.1 ", "Connection: close\r\n"},
        Case{{.version = 10, .keep_alive = true}, "HTTP/1.0 ", "Connection: keep-alive\r\n"},
        Case{{.version = 10, .keep_alive = false}, "HTTP/1.0 ", nullptr}}) {
    const std::string message = to_message({.body = "x"}, c.manner);
    EXPECT_THAT(message, StartsWith(c.begins));
    EXPECT_EQ(message.contains("Connection: "), c.says != nullptr) << message;
    if (c.says == nullptr) continue;
    EXPECT_THAT(message, HasSubstr(c.says));
  }
}

TEST(HttpMessage, SomeHaveNoContent) {
  const std::string head = to_message({.body = "four"}, {.version = 11, .is_head = true});
  EXPECT_THAT(head, HasSubstr("\r\nContent-Length: 4\r\n"));
  EXPECT_THAT(head, EndsWith("\r\n\r\n"));
  for (const unsigned status : {204U, 304U}) {
    const std::string message = to_message({.status = status, .body = "four"}, usual);
    EXPECT_THAT(message, Not(HasSubstr("Content-Length"))) << status;
    EXPECT_THAT(message, EndsWith("\r\n\r\n")) << status;
  }
}

}  // namespace
}  // namespace mailwarden::net
