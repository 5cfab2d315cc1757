#include "identity/jws.h"

#include "base/text.h"
#include "json/base64.h"
#include "json/value.h"

namespace mailwarden::identity {
namespace {

using crypto::SignatureScheme;

// Absent is fine, anything but a text is not.
Result<std::optional<std::string>> text_of(const json::Value& header, std::string_view member,
                                           const TokenLimits& limits) {
  if (!header.as_object()->contains(member)) return std::nullopt;
  const std::string* const text = header[member].as_string();
  if (text == nullptr || text->size() > limits.text_bytes_max) {
    return fail(Code::invalid, "the header's '" + std::string(member) +
                                   "' is not a text of at most " +
                                   std::to_string(limits.text_bytes_max) + " bytes");
  }
  return *text;
}

Result<SignatureScheme> scheme_of(const json::Value& header) {
  const std::string* const algorithm = header["alg"].as_string();
  if (algorithm == nullptr) return fail(Code::invalid, "the header names no algorithm");
  if (*algorithm == "RS256") return SignatureScheme::rsa_pkcs1_sha256;
  if (*algorithm == "ES256") return SignatureScheme::ecdsa_p256_sha256;
  return fail(Code::denied, "the algorithm is neither RS256 nor ES256");
}

std::string plain_type(const std::string& type) {
  constexpr std::string_view prefix = "application/";
  const std::string plain = to_lower(type);
  return plain.starts_with(prefix) ? plain.substr(prefix.size()) : plain;
}

Result<Header> read_header(std::string_view text, const TokenLimits& limits) {
  const auto value =
      json::parse(text, {.depth_max = limits.depth_max, .bytes_max = limits.header_bytes_max});
  if (!value && value.error().code == Code::full) {
    return fail(Code::full,
                "the header has more than " + std::to_string(limits.header_bytes_max) + " bytes");
  }
  // What the reader says may quote the text, so it is not passed on.
  if (!value || value->as_object() == nullptr) {
    return fail(Code::invalid, "the header is not an object of JSON with members of one name each");
  }
  for (const std::string_view extension : {"crit", "b64"}) {
    if (value->as_object()->contains(extension)) {
      return fail(Code::invalid, "the header has '" + std::string(extension) +
                                     "', and no extension is known here");
    }
  }
  const auto scheme = scheme_of(*value);
  if (!scheme) return std::unexpected(scheme.error());
  auto key_id = text_of(*value, "kid", limits);
  if (!key_id) return std::unexpected(key_id.error());
  auto type = text_of(*value, "typ", limits);
  if (!type) return std::unexpected(type.error());
  Header header{.scheme = *scheme, .key_id = *std::move(key_id), .type = {}};
  if (*type) header.type = plain_type(**type);
  return header;
}

}  // namespace

Result<Jws> parse_jws(std::string_view token, const TokenLimits& limits) {
  if (token.size() > limits.token_bytes_max) {
    return fail(Code::full, "token: it has " + std::to_string(token.size()) + " bytes; at most " +
                                std::to_string(limits.token_bytes_max) + " are read");
  }
  const std::size_t first = token.find('.');
  const std::size_t second = first == token.npos ? token.npos : token.find('.', first + 1);
  if (second == token.npos || token.find('.', second + 1) != token.npos) {
    return fail(Code::invalid, "token: not three parts with dots between");
  }
  const auto header = json::from_base64url(token.substr(0, first));
  auto payload = json::from_base64url(token.substr(first + 1, second - first - 1));
  auto signature = json::from_base64url(token.substr(second + 1));
  if (!header || !payload || !signature) {
    return fail(Code::invalid, "token: a part is not base64url without padding");
  }
  if (signature->empty()) return fail(Code::denied, "token: it is not signed");
  auto read = read_header(*header, limits);
  if (!read) return fail("token", read.error());
  return Jws{.header = *std::move(read),
             .payload = *std::move(payload),
             .signature = *std::move(signature),
             .signed_text = token.substr(0, second)};
}

Result<const Key*> verify_jws(const Jws& jws, const KeySet& keys) {
  const auto key = keys.choose(jws.header.key_id, jws.header.scheme);
  if (!key) return fail("token", key.error());
  if (!(*key)->key.verify(jws.signed_text, jws.signature)) {
    return fail(Code::denied, "token: the signature is wrong");
  }
  return key;
}

}  // namespace mailwarden::identity
