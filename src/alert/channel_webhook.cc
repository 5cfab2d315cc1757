// Alerts as CloudEvents, signed as Standard Webhooks has it.
#include "alert/channel_http.h"
#include "crypto/hmac.h"
#include "json/base64.h"

namespace mailwarden::alert {
namespace {

// With each secret: a receiver that knows one of them accepts it, so that secrets can be changed
// with an overlap. An id should hold no full stop where others choose it; ours come from the
// origin, a number and the receiver's name.
void sign(net::HttpCall& call, const Sending& sending) {
  const Signed content{
      .id = sending.alert.key, .moment = sending.now.us / 1'000'000, .body = call.body};
  std::string signatures;
  for (const std::string& secret : sending.secrets.signing) {
    signatures += (signatures.empty() ? "" : " ") + signature(secret, content);
  }
  call.headers.emplace_back("webhook-id", content.id);
  call.headers.emplace_back("webhook-timestamp", std::to_string(content.moment));
  call.headers.emplace_back("webhook-signature", signatures);
}

}  // namespace

std::string signature(const std::string& secret, const Signed& content) {
  const std::string head = std::string(content.id) + "." + std::to_string(content.moment) + ".";
  const crypto::Digest mark = crypto::hmac_sha256(
      crypto::as_bytes(secret), {crypto::as_bytes(head), crypto::as_bytes(content.body)});
  return "v1," + json::to_base64({reinterpret_cast<const char*>(mark.data()), mark.size()});
}

Calls to_webhook(const Sending& sending) {
  net::HttpCall call{.method = "POST",
                     .url = sending.secrets.url,
                     .headers = {{"Content-Type", "application/cloudevents+json; charset=utf-8"},
                                 {"Idempotency-Key", "\"" + sending.alert.key + "\""},
                                 {"User-Agent", "mailwarden"}},
                     .body = json::to_text(sending.alert.event)};
  if (!sending.secrets.credential.empty()) {
    call.headers.emplace_back("Authorization", "Bearer " + sending.secrets.credential);
  }
  if (!sending.secrets.signing.empty()) sign(call, sending);
  return {std::move(call)};
}

}  // namespace mailwarden::alert
