// Tokens as an issuer, or somebody who would like to be one, makes them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/timestamp.h"
#include "json/base64.h"
#include "json/value.h"
#include "tests/crypto/private_key.h"

namespace mailwarden::identity {

using crypto::p256_key;
using crypto::PrivateKey;
using crypto::rsa_key;

// The public half as a JSON Web Key.
inline json::Object jwk(const PrivateKey& key, const std::string& id = "") {
  json::Object members;
  if (key.is_rsa()) {
    members = {{"kty", "RSA"},
               {"n", json::to_base64url(key.number(OSSL_PKEY_PARAM_RSA_N))},
               {"e", json::to_base64url(key.number(OSSL_PKEY_PARAM_RSA_E))}};
  } else {
    members = {{"kty", "EC"},
               {"crv", "P-256"},
               {"x", json::to_base64url(key.number(OSSL_PKEY_PARAM_EC_PUB_X))},
               {"y", json::to_base64url(key.number(OSSL_PKEY_PARAM_EC_PUB_Y))}};
  }
  if (!id.empty()) members["kid"] = id;
  return members;
}

inline std::string key_set_text(const std::vector<json::Object>& keys) {
  json::Array list(keys.begin(), keys.end());
  return json::to_text(json::Object{{"keys", std::move(list)}});
}

inline std::string signed_text(std::string_view header, std::string_view payload) {
  return json::to_base64url(header) + "." + json::to_base64url(payload);
}

// Header and payload as they are, so that a test may break either.
inline std::string token_of(const PrivateKey& key, std::string_view header,
                            std::string_view payload) {
  const std::string text = signed_text(header, payload);
  return text + "." + json::to_base64url(key.token_signature(text));
}

inline std::string header_of(const PrivateKey& key, const std::string& id) {
  json::Object header{{"alg", key.is_rsa() ? "RS256" : "ES256"}, {"typ", "JWT"}};
  if (!id.empty()) header["kid"] = id;
  return json::to_text(header);
}

inline constexpr Timestamp noon{1'800'000'000'000'000};
inline constexpr std::int64_t noon_seconds = 1'800'000'000;
inline constexpr Duration tick{1};

// A token as Google makes it at noon, good for an hour. A member of `changed` stands in for the
// usual one; null takes it away.
inline std::string payload_with(const json::Object& changed = {}) {
  json::Object claims{{"iss", "https://accounts.google.com"},
                      {"sub", "110169484474386276334"},
                      {"aud", "app.example"},
                      {"azp", "app.example"},
                      {"hd", "example.com"},
                      {"email", "ada@example.com"},
                      {"email_verified", true},
                      {"nonce", "n-0S6_WzA2Mj"},
                      {"iat", noon_seconds},
                      {"exp", noon_seconds + 3600}};
  for (const auto& [name, value] : changed) {
    if (value.is_null()) {
      claims.erase(name);
    } else {
      claims[name] = value;
    }
  }
  return json::to_text(claims);
}

inline std::string good_token(const PrivateKey& key, const std::string& id,
                              const json::Object& changed = {}) {
  return token_of(key, header_of(key, id), payload_with(changed));
}

}  // namespace mailwarden::identity
