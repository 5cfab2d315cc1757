// Tokens of OpenID Connect: what they claim, and whether it is believed.
//
// What     verify() holds a token against an issuer's keys and what is expected of its tokens, and
//          gives the claims. It is three steps that the verifier (verifier.h) takes one by one:
//          parse_jws() and verify_jws() for the signature, read_claims() for the text,
//          check_claims() for what was expected and for the time.
// Owns     The claims.
// Threads  Values; every function is pure.
// Errors   Those of jws.h. read_claims(): invalid, not a set of claims; full, beyond a limit.
//          check_claims(): denied. No error repeats anything that the token says.
// Limits   TokenLimits; times are those of the calendar up to the year 9999.
// Source   OpenID Connect Core 1.0, sections 2 and 3.1.3.7; RFC 7519; RFC 8725; RFC 9068 for access
//          tokens; Google's "hd". RFC 8176 for the values of "amr".
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/timestamp.h"
#include "identity/jws.h"
#include "identity/key_set.h"

namespace mailwarden::identity {

// What a token does not say is absent, which is never the same as no, none or empty.
struct Claims {
  std::string issuer;
  std::string subject;
  std::vector<std::string> audience;
  Timestamp issued_at;
  Timestamp expires;
  std::optional<Timestamp> not_before;
  std::optional<std::string> token_id;          // "jti"
  std::optional<std::string> authorized_party;  // "azp"
  std::optional<std::string> nonce;
  std::optional<std::string> hosted_domain;  // "hd", which Google says of Workspace accounts alone
  std::optional<std::string> email;
  std::optional<bool> email_verified;
  std::optional<std::string> name;
  // How and when the person signed in at the issuer.
  std::optional<std::vector<std::string>> methods;  // "amr"
  std::optional<std::string> context;               // "acr"
  std::optional<Timestamp> authenticated_at;        // "auth_time"

  bool operator==(const Claims&) const = default;
};

enum class TokenType {
  identity,  // "typ" is absent or "JWT"
  access,    // "typ" is "at+jwt", so that no identity token passes for one (RFC 9068, section 4)
};

struct Expectations {
  TokenType type = TokenType::identity;
  std::vector<std::string> issuers;          // the spellings of one issuer
  std::vector<std::string> audiences;        // who we are; a token must be for one of them
  std::vector<std::string> other_audiences;  // who else a token may be for
  // Whom tokens may have been issued to; empty for the audiences. A token for several audiences
  // must say it.
  std::vector<std::string> authorized_parties;
  std::vector<std::string> hosted_domains;  // empty for any, and for none
  std::optional<std::string> nonce;         // of this sign-in
  Duration skew = std::chrono::minutes(1);  // by how much the issuer's clock and ours may differ
  Duration age_max = std::chrono::hours(24);
};

// Google's two spellings of itself, for an application and, unless it is "", a Workspace domain.
Expectations google(std::string client_id, std::string hosted_domain);

Result<Claims> verify(std::string_view token, const KeySet& keys, const Expectations& expected,
                      Timestamp now, const TokenLimits& limits = {});

Result<Claims> read_claims(std::string_view payload, const TokenLimits& limits = {});
Result<void> check_type(const Header& header, TokenType type);
// A token is good before its expiry and from its beginning on, each moved by the skew:
//   now < expires + skew,  not_before <= now + skew,  issued_at <= now + skew,
//   now <= issued_at + age_max + skew.
Result<void> check_claims(const Claims& claims, const Expectations& expected, Timestamp now);

}  // namespace mailwarden::identity
