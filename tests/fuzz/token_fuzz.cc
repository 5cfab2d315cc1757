// Any text as a token, as its claims and as a key set. Nothing is believed that no key here signed,
// what is read is within its limits, and a key set that was read gives each of its keys again.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "identity/http_key_source.h"
#include "identity/token.h"
#include "identity/verifier.h"
#include "json/base64.h"

namespace {

using namespace mailwarden;
using namespace mailwarden::identity;

constexpr Timestamp noon{1'800'000'000'000'000};

// The keys of RFC 7515, appendices A.2 and A.3, whose signatures the seeds do not bear.
constexpr std::string_view keys_text =
    R"({"keys":[{"kty":"RSA","kid":"kid-rsa-sign","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4)"
    R"(fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD)"
    R"(1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-)"
    R"(UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAc)"
    R"(o9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"},{"kty":"EC","kid":"kid-ec-sign","crv)"
    R"(":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LN)"
    R"(pXW6pCyStikYjKIWI5a0"}]})";

const KeySet& keys() {
  static const KeySet set = *KeySet::parse(keys_text);
  return set;
}

Verifier& verifier() {
  static const std::unique_ptr<Verifier> one = *Verifier::make(
      {{.name = "google", .expected = google("app.example", "example.com"), .keys = [] {
          return KeyDocument{std::string(keys_text), {}};
        }}});
  return *one;
}

template <class T>
void check_refusal(const Result<T>& read) {
  CHECK(read || !read.error().what.empty());
}

void read_token(const std::string& text) {
  CHECK(keys().keys().size() == 2);
  const auto jws = parse_jws(text);
  check_refusal(jws);
  if (jws) {
    CHECK(text.starts_with(jws->signed_text));
    CHECK(json::to_base64url(jws->signature) ==
          text.substr(jws->signed_text.size() + 1));  // one text for one signature
    CHECK(!verify_jws(*jws, keys()));
  }
  CHECK(!verifier().verify(text, noon));
}

void read_payload(const std::string& text) {
  const TokenLimits limits;
  const auto claims = read_claims(text);
  check_refusal(claims);
  if (!claims) return;
  CHECK(claims->audience.size() <= limits.list_max && !claims->subject.empty());
  CHECK(claims->expires.us >= 0 && claims->expires <= Timestamp::latest);
  check_refusal(check_claims(*claims, google("app.example", "example.com"), noon));
  check_refusal(check_claims(*claims, {.issuers = {claims->issuer}, .audiences = claims->audience},
                             claims->issued_at));
}

// The text as header and as payload, behind a signature that nobody made.
void read_parts(const std::string& text) {
  const std::string part = json::to_base64url(text);
  const std::string signature = json::to_base64url(std::string(64, 'x'));
  const std::string header = json::to_base64url(R"({"alg":"ES256","kid":"kid-ec-sign"})");
  CHECK(json::from_base64url(part) == text);
  CHECK(!verifier().verify(header + "." + part + "." + signature, noon));
  check_refusal(parse_jws(part + "." + header + "." + signature));
}

void read_keys(const std::string& text) {
  const auto set = KeySet::parse(text);
  check_refusal(set);
  if (!set) return;
  for (const SkippedKey& skipped : set->skipped()) {
    CHECK(!skipped.reason.empty());
  }
  for (const Key& key : set->keys()) {
    if (key.id) CHECK(*set->choose(key.id, key.key.scheme()) == &key);
    CHECK(!key.key.verify(text, std::string(64, 'x')));
  }
}

void read_header(const std::string& text) {
  const auto fresh = fresh_for(text, text);
  CHECK(!fresh || *fresh >= Duration::zero());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  for (const auto read : {read_token, read_payload, read_parts, read_keys, read_header}) read(text);
  return 0;
}
