#include "http/erasure_api.h"

#include "http/answers.h"

namespace mailwarden::http {

bool ErasureApi::takes(std::string_view path) const {
  return path == "/api/v1/erasures";
}

net::Response ErasureApi::answer(const net::Request& request) const {
  if (request.method != "POST") return trouble(405, "erasures are posted here");
  // Who may act is told by the socket's file; there is no sign-in over TCP.
  if (!request.local) return trouble(403, "people are erased through the UNIX socket alone");
  const auto body = json::parse(request.body);
  if (!body || body->as_object() == nullptr) {
    return trouble(400, R"(expected {"subject","reason","who"} as JSON)");
  }
  auto done = erase_(
      {.subject = body->text("subject"), .reason = body->text("reason"), .who = body->text("who")});
  if (!done) return trouble(done.error());
  return json_response(200, *std::move(done));
}

}  // namespace mailwarden::http
