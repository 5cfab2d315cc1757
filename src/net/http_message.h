// Answers as HTTP/1.1 sends them.
//
// What     to_message() makes the bytes of an answer, with the headers that every answer of ours
//          has unless it says otherwise itself.
// Owns     Nothing.
// Threads  Pure.
// Errors   None; nothing in the value of a header can end its line.
// Limits   None of its own.
// Source   RFC 9110, RFC 9112.
#pragma once

#include <string>

#include "net/http_server.h"

namespace mailwarden::net {

struct Manner {
  unsigned version = 11;  // of HTTP, as the request had it: 10 or 11
  bool keep_alive = false;
  bool is_head = false;  // the answer to HEAD, which has no content but tells its length
};
std::string to_message(const Response& from, const Manner& manner);

}  // namespace mailwarden::net
