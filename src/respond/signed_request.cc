#include "respond/signed_request.h"

#include <algorithm>

#include "base/files.h"
#include "base/text.h"
#include "crypto/hmac.h"
#include "crypto/secret.h"
#include "json/base64.h"

namespace mailwarden::respond {
namespace {

constexpr std::string_view key_head = "whsec_";
constexpr std::size_t key_file_bytes_max = 256;
constexpr std::size_t key_bytes_min = 24;
constexpr std::size_t key_bytes_max = 64;

std::span<std::byte> bytes_of(std::string& text) {
  return std::as_writable_bytes(std::span(text));
}

// The caller wipes it.
Result<std::string> read_key(const std::string& file) {
  auto text = read_whole_file(file, key_file_bytes_max);
  // A key that is being replaced may be missing for a moment.
  if (!text) return fail(Code::unavailable, text.error().what);
  const crypto::WipeAtEnd wiped(bytes_of(*text));
  const std::string_view coded = trim(*text);
  if (coded.starts_with(key_head)) {
    auto key = json::from_base64(coded.substr(key_head.size()));
    if (key && key->size() >= key_bytes_min && key->size() <= key_bytes_max) return key;
  }
  return fail(Code::denied, file + ": must hold whsec_ and the base64 of a key of " +
                                std::to_string(key_bytes_min) + " to " +
                                std::to_string(key_bytes_max) + " bytes");
}

}  // namespace

Result<void> sign_request(net::HttpCall& call, const SigningKeys& keys, std::string_view name,
                          const std::string& id, Timestamp now) {
  const auto file = keys.find(name);
  if (file == keys.end()) {
    return fail(Code::invalid,
                "policies/effects.yaml has no key '" + printable(name) + "' that signs requests");
  }
  // What is signed is divided by full stops.
  const bool is_divided = std::ranges::any_of(
      id, [](char c) { return c == '.' || static_cast<unsigned char>(c) < 0x21; });
  if (id.empty() || is_divided) {
    return fail(Code::invalid, "'" + printable(id) + "' is no id of a signed request");
  }
  auto key = read_key(file->second);
  if (!key) return std::unexpected(key.error());
  const crypto::WipeAtEnd wiped(bytes_of(*key));
  const std::string time = std::to_string(now.us / 1'000'000);
  const crypto::Digest digest =
      crypto::hmac_sha256(crypto::as_bytes(*key),
                          {crypto::as_bytes(id + "." + time + "."), crypto::as_bytes(call.body)});
  call.headers.emplace_back("webhook-id", id);
  call.headers.emplace_back("webhook-timestamp", time);
  call.headers.emplace_back("webhook-signature", "v1," + json::to_base64(crypto::as_text(digest)));
  return {};
}

}  // namespace mailwarden::respond
