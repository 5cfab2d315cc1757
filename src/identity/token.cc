#include "identity/token.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/text.h"
#include "json/value.h"

namespace mailwarden::identity {
namespace {

bool among(const std::string& text, const std::vector<std::string>& list) {
  return std::ranges::find(list, text) != list.end();
}

// Reads one member after the other and keeps the first mistake, so that the table of claims below
// stands without a branch for each.
class ClaimReader {
 public:
  ClaimReader(const json::Value& payload, const TokenLimits& limits)
      : payload_(payload), limits_(limits) {}

  const std::optional<Error>& mistake() const { return mistake_; }

  std::optional<std::string> text(const std::string& name) {
    const json::Value* const value = find(name);
    return value == nullptr ? std::nullopt : checked(name, *value);
  }

  std::optional<bool> truth(const std::string& name) {
    const json::Value* const value = find(name);
    if (value == nullptr) return std::nullopt;
    if (value->as_bool() != nullptr) return *value->as_bool();
    // Some issuers write it as a text.
    const std::string* const word = value->as_string();
    if (word != nullptr && (*word == "true" || *word == "false")) return *word == "true";
    return refuse(name, "is not true or false");
  }

  std::optional<Timestamp> time(const std::string& name) {
    constexpr std::int64_t second = 1'000'000;
    constexpr std::int64_t seconds_max = Timestamp::latest.us / second;
    const json::Value* const value = find(name);
    if (value == nullptr) return std::nullopt;
    if (const std::int64_t* const seconds = value->as_integer()) {
      if (*seconds >= 0 && *seconds <= seconds_max) return Timestamp{*seconds * second};
    } else if (const double* const number = value->as_number()) {
      // Not a number compares false with both.
      if (*number >= 0 && *number <= static_cast<double>(seconds_max)) {
        return Timestamp{static_cast<std::int64_t>(std::floor(*number * second))};
      }
    }
    return refuse(name, "is not a time in seconds since 1970");
  }

  std::optional<std::vector<std::string>> list(const std::string& name) {
    const json::Value* const value = find(name);
    if (value == nullptr) return std::nullopt;
    if (value->as_array() == nullptr) return refuse(name, "is not a list of texts");
    if (value->as_array()->size() > limits_.list_max) {
      return refuse(name, "has more than " + std::to_string(limits_.list_max) + " entries",
                    Code::full);
    }
    std::vector<std::string> texts;
    for (const json::Value& one : *value->as_array()) {
      auto read = checked(name, one);
      if (!read) return std::nullopt;
      texts.push_back(*std::move(read));
    }
    return texts;
  }

  // A single one may stand without the list (RFC 7519, section 4.1.3).
  std::optional<std::vector<std::string>> list_or_text(const std::string& name) {
    const json::Value* const value = find(name);
    if (value == nullptr || value->as_string() == nullptr) return list(name);
    auto read = checked(name, *value);
    if (!read) return std::nullopt;
    return std::vector{*std::move(read)};
  }

  // Without it there is no token; `read` is what one of the above gave.
  template <class T>
  T required(const std::string& name, std::optional<T> read) {
    if (read) return *std::move(read);
    refuse(name, "is missing");
    return T{};
  }

 private:
  const json::Value* find(const std::string& name) const {
    const auto found = payload_.as_object()->find(name);
    return found == payload_.as_object()->end() ? nullptr : &found->second;
  }

  std::optional<std::string> checked(const std::string& name, const json::Value& value) {
    if (value.as_string() == nullptr) return refuse(name, "is not a text");
    if (value.as_string()->size() > limits_.text_bytes_max) {
      return refuse(name, "has more than " + std::to_string(limits_.text_bytes_max) + " bytes",
                    Code::full);
    }
    return *value.as_string();
  }

  std::nullopt_t refuse(const std::string& name, const std::string& why,
                        Code code = Code::invalid) {
    if (!mistake_) mistake_ = Error{code, "token: the claim '" + name + "' " + why};
    return std::nullopt;
  }

  const json::Value& payload_;
  const TokenLimits& limits_;
  std::optional<Error> mistake_;
};

std::unexpected<Error> deny(std::string why) {
  return fail(Code::denied, "token: " + std::move(why));
}

Result<void> check_audience(const Claims& claims, const Expectations& expected) {
  const auto ours = [&](const std::string& one) { return among(one, expected.audiences); };
  if (std::ranges::none_of(claims.audience, ours)) return deny("it is for another audience");
  const auto known = [&](const std::string& one) {
    return ours(one) || among(one, expected.other_audiences);
  };
  if (!std::ranges::all_of(claims.audience, known)) {
    return deny("it is also for an audience that is not trusted");
  }
  if (!claims.authorized_party) {
    if (claims.audience.size() > 1) {
      return deny("it is for several audiences and does not say to whom it was issued");
    }
    return {};
  }
  const auto& parties =
      expected.authorized_parties.empty() ? expected.audiences : expected.authorized_parties;
  if (!among(*claims.authorized_party, parties)) return deny("it was issued to another party");
  return {};
}

Result<void> check_domain(const Claims& claims, const Expectations& expected) {
  if (expected.hosted_domains.empty()) return {};
  if (!claims.hosted_domain) return deny("it is of an account outside any hosted domain");
  const auto same = [&](const std::string& domain) {
    return equal_ignoring_case(domain, *claims.hosted_domain);
  };
  if (std::ranges::none_of(expected.hosted_domains, same)) return deny("it is of another domain");
  return {};
}

// All of a token's times lie between 1970 and 9999, so that no sum here leaves 64 bits.
Result<void> check_times(const Claims& claims, const Expectations& expected, Timestamp now) {
  const Timestamp latest = now + expected.skew;
  if (now >= claims.expires + expected.skew) return deny("it has expired");
  if (claims.not_before && *claims.not_before > latest) return deny("it is not yet valid");
  if (claims.issued_at > latest) return deny("it was issued in the future");
  if (now - claims.issued_at > expected.age_max + expected.skew) {
    return deny("it was issued too long ago");
  }
  if (claims.authenticated_at && *claims.authenticated_at > latest) {
    return deny("it tells of a sign-in in the future");
  }
  return {};
}

}  // namespace

Expectations google(std::string client_id, std::string hosted_domain) {
  Expectations expected{.issuers = {"https://accounts.google.com", "accounts.google.com"},
                        .audiences = {std::move(client_id)}};
  if (!hosted_domain.empty()) expected.hosted_domains.push_back(std::move(hosted_domain));
  return expected;
}

Result<Claims> read_claims(std::string_view payload, const TokenLimits& limits) {
  const auto value =
      json::parse(payload, {.depth_max = limits.depth_max, .bytes_max = limits.token_bytes_max});
  // What the reader says may quote the text, so it is not passed on.
  if (!value || value->as_object() == nullptr) {
    return fail(Code::invalid,
                "token: the payload is not an object of JSON with members of one name each");
  }
  ClaimReader reader(*value, limits);
  Claims claims{.issuer = reader.required("iss", reader.text("iss")),
                .subject = reader.required("sub", reader.text("sub")),
                .audience = reader.required("aud", reader.list_or_text("aud")),
                .issued_at = reader.required("iat", reader.time("iat")),
                .expires = reader.required("exp", reader.time("exp")),
                .not_before = reader.time("nbf"),
                .token_id = reader.text("jti"),
                .authorized_party = reader.text("azp"),
                .nonce = reader.text("nonce"),
                .hosted_domain = reader.text("hd"),
                .email = reader.text("email"),
                .email_verified = reader.truth("email_verified"),
                .name = reader.text("name"),
                .methods = reader.list("amr"),
                .context = reader.text("acr"),
                .authenticated_at = reader.time("auth_time")};
  if (reader.mistake()) return std::unexpected(*reader.mistake());
  if (claims.subject.empty()) return fail(Code::invalid, "token: the claim 'sub' is empty");
  return claims;
}

Result<void> check_type(const Header& header, TokenType type) {
  const bool good =
      type == TokenType::access ? header.type == "at+jwt" : !header.type || header.type == "jwt";
  if (!good) return deny("it is a token of another type");
  return {};
}

Result<void> check_claims(const Claims& claims, const Expectations& expected, Timestamp now) {
  if (!among(claims.issuer, expected.issuers)) return deny("it is of another issuer");
  if (auto good = check_audience(claims, expected); !good) return good;
  if (auto good = check_domain(claims, expected); !good) return good;
  if (expected.nonce && claims.nonce != expected.nonce) {
    return deny("it is not of this sign-in");
  }
  return check_times(claims, expected, now);
}

Result<Claims> verify(std::string_view token, const KeySet& keys, const Expectations& expected,
                      Timestamp now, const TokenLimits& limits) {
  const auto jws = parse_jws(token, limits);
  if (!jws) return std::unexpected(jws.error());
  if (auto good = check_type(jws->header, expected.type); !good) {
    return std::unexpected(good.error());
  }
  if (const auto key = verify_jws(*jws, keys); !key) return std::unexpected(key.error());
  auto claims = read_claims(jws->payload, limits);
  if (!claims) return claims;
  if (auto good = check_claims(*claims, expected, now); !good) {
    return std::unexpected(good.error());
  }
  return claims;
}

}  // namespace mailwarden::identity
