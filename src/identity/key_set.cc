#include "identity/key_set.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "json/base64.h"
#include "json/value.h"

namespace mailwarden::identity {
namespace {

using crypto::SignatureScheme;
using crypto::VerificationKey;

constexpr std::size_t depth_max = 8;
constexpr std::size_t name_bytes_max = 60;

// RFC 7518, sections 6.2.2, 6.3.2 and 6.4.1.
constexpr std::array<std::string_view, 8> secret_members{"d",  "p",  "q",   "dp",
                                                         "dq", "qi", "oth", "k"};

std::string name_of(const std::string& id) {
  return printable(std::string_view(id).substr(0, name_bytes_max));
}

std::string name_of(const json::Value& key, std::size_t index) {
  const std::string* const id = key["kid"].as_string();
  return id != nullptr ? name_of(*id) : "key " + std::to_string(index + 1);
}

bool has(const json::Value& object, std::string_view member) {
  return object.as_object()->contains(member);
}

// Whether "key_ops" lets the key verify and gives it to nothing else (RFC 7517, section 4.3).
bool serves_signatures(const json::Value& operations) {
  if (operations.as_array() == nullptr) return false;
  int verify = 0;
  int sign = 0;
  for (const json::Value& operation : *operations.as_array()) {
    const std::string* const name = operation.as_string();
    if (name != nullptr && *name == "verify") {
      ++verify;
    } else if (name != nullptr && *name == "sign") {
      ++sign;
    } else {
      return false;
    }
  }
  return verify == 1 && sign <= 1;
}

// What the key says of its own purpose.
Result<void> check_purpose(const json::Value& key, std::string_view algorithm,
                           const KeySetOptions& options) {
  if (const json::Value& id = key["kid"]; has(key, "kid")) {
    if (id.as_string() == nullptr) return fail(Code::invalid, "its id is not a text");
    if (id.as_string()->size() > options.id_bytes_max) {
      return fail(Code::invalid,
                  "its id has more than " + std::to_string(options.id_bytes_max) + " bytes");
    }
  }
  if (has(key, "use") && key.text("use") != "sig") {
    return fail(Code::invalid, "its use is not signatures");
  }
  if (has(key, "key_ops") && !serves_signatures(key["key_ops"])) {
    return fail(Code::invalid, "its operations are not those of verifying alone");
  }
  if (has(key, "alg") && key.text("alg") != algorithm) {
    return fail(Code::invalid, "its algorithm is not " + std::string(algorithm));
  }
  return {};
}

Result<std::string> bytes_of(const json::Value& key, std::string_view member) {
  const std::string* const text = key[member].as_string();
  auto bytes = text == nullptr ? fail(Code::invalid, "") : json::from_base64url(*text);
  if (!bytes || bytes->empty()) {
    return fail(Code::invalid, "its '" + std::string(member) + "' is not a number in base64url");
  }
  return bytes;
}

std::string without_leading_zeros(std::string_view number) {
  return std::string(number.substr(std::min(number.find_first_not_of('\0'), number.size())));
}

crypto::Digest thumbprint(json::Object members) {
  return crypto::sha256(json::to_text(json::Value(std::move(members))));
}

Result<Key> read_rsa(const json::Value& members) {
  const auto modulus = bytes_of(members, "n");
  if (!modulus) return std::unexpected(modulus.error());
  const auto exponent = bytes_of(members, "e");
  if (!exponent) return std::unexpected(exponent.error());
  auto key = VerificationKey::rsa(*modulus, *exponent);
  if (!key) return std::unexpected(key.error());
  return Key{
      .id = {},
      .key = *std::move(key),
      .thumbprint = thumbprint({{"e", json::to_base64url(without_leading_zeros(*exponent))},
                                {"kty", "RSA"},
                                {"n", json::to_base64url(without_leading_zeros(*modulus))}})};
}

Result<Key> read_p256(const json::Value& members) {
  if (members.text("crv") != "P-256") return fail(Code::invalid, "its curve is not P-256");
  const auto x = bytes_of(members, "x");
  if (!x) return std::unexpected(x.error());
  const auto y = bytes_of(members, "y");
  if (!y) return std::unexpected(y.error());
  auto key = VerificationKey::p256(*x, *y);
  if (!key) return std::unexpected(key.error());
  return Key{.id = {},
             .key = *std::move(key),
             .thumbprint = thumbprint({{"crv", "P-256"},
                                       {"kty", "EC"},
                                       {"x", json::to_base64url(*x)},
                                       {"y", json::to_base64url(*y)}})};
}

Result<Key> read_key(const json::Value& members, const KeySetOptions& options) {
  if (members.as_object() == nullptr) return fail(Code::invalid, "it is not an object");
  if (std::ranges::any_of(secret_members,
                          [&](std::string_view name) { return has(members, name); })) {
    return fail(Code::invalid, "it holds private or symmetric numbers, which no key set may show");
  }
  const std::string type = members.text("kty");
  const bool rsa = type == "RSA";
  if (!rsa && type != "EC") return fail(Code::invalid, "its type is neither RSA nor EC");
  if (auto good = check_purpose(members, rsa ? "RS256" : "ES256", options); !good) {
    return std::unexpected(good.error());
  }
  auto key = rsa ? read_rsa(members) : read_p256(members);
  if (key && has(members, "kid")) key->id = members.text("kid");
  return key;
}

bool same_place(const Key& a, const Key& b) {
  return a.id && a.id == b.id && a.key.scheme() == b.key.scheme();
}

}  // namespace

Result<KeySet> KeySet::parse(std::string_view text, const KeySetOptions& options) {
  const auto value = json::parse(text, {.depth_max = depth_max, .bytes_max = options.bytes_max});
  if (!value) return fail("key set", value.error());
  const json::Array* const members = (*value)["keys"].as_array();
  if (members == nullptr) return fail(Code::invalid, "key set: there is no list 'keys'");
  if (members->size() > options.keys_max) {
    return fail(Code::full, "key set: " + std::to_string(members->size()) + " keys; at most " +
                                std::to_string(options.keys_max) + " are read");
  }
  KeySet set;
  for (std::size_t i = 0; i < members->size(); ++i) {
    auto key = read_key((*members)[i], options);
    if (key) {
      set.keys_.push_back(*std::move(key));
    } else {
      set.skipped_.push_back({name_of((*members)[i], i), std::move(key.error().what)});
    }
  }
  set.leave_out_doubles();
  return set;
}

// Which of two keys with one id was meant nobody knows, and the one that came first may be the one
// that somebody slipped in: neither is believed.
void KeySet::leave_out_doubles() {
  std::vector<Key> kept;
  for (const Key& key : keys_) {
    if (std::ranges::any_of(kept, [&](const Key& other) {
          return other.id == key.id && other.thumbprint == key.thumbprint;
        })) {
      continue;
    }
    const bool doubled = std::ranges::any_of(keys_, [&](const Key& other) {
      return same_place(key, other) && key.thumbprint != other.thumbprint;
    });
    if (doubled) {
      skipped_.push_back({name_of(*key.id), "another key of the set has its id"});
    } else {
      kept.push_back(key);
    }
  }
  keys_ = std::move(kept);
}

Result<const Key*> KeySet::choose(const std::optional<std::string>& id,
                                  SignatureScheme scheme) const {
  const Key* found = nullptr;
  std::size_t of_id = 0;
  std::size_t fitting = 0;
  for (const Key& key : keys_) {
    if (id && key.id != id) continue;
    ++of_id;
    if (key.key.scheme() != scheme) continue;
    ++fitting;
    found = &key;
  }
  if (fitting == 1) return found;
  if (of_id == 0) return fail(Code::not_found, "the issuer's key set has no such key");
  if (id) return fail(Code::denied, "the key that is named is not for this algorithm");
  return fail(Code::denied, "no key is named, and not exactly one is for this algorithm");
}

}  // namespace mailwarden::identity
