#include "http/keys_api.h"

#include "http/answers.h"

namespace mailwarden::http {
namespace {

constexpr std::string_view erasures = "/api/v1/erasures";

}  // namespace

net::Response KeysApi::answer(const net::Request& request) const {
  // Who may act is told by the socket's file; there is no sign-in over TCP.
  if (!request.local) return trouble(403, "orders are taken through the UNIX socket alone");
  const auto body = json::parse(request.body);
  if (!body || body->as_object() == nullptr) {
    return trouble(400, R"(expected {"subject","reason","who"} as JSON)");
  }
  const auto& carry_out = request.path == erasures ? parts_.erase : parts_.renew;
  auto done = carry_out(
      {.subject = body->text("subject"), .reason = body->text("reason"), .who = body->text("who")});
  if (!done) return trouble(done.error());
  return json_response(200, *std::move(done));
}

}  // namespace mailwarden::http
