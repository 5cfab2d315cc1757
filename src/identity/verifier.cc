#include "identity/verifier.h"

#include <algorithm>
#include <set>
#include <utility>

namespace mailwarden::identity {
namespace {

// Every mistake at once: whoever repairs the settings should need one round, not five.
std::string mistakes(const std::vector<Issuer>& issuers, const VerifierOptions& options) {
  std::string found;
  std::set<std::string> names;
  std::set<std::string> spellings;
  if (issuers.size() > options.issuers_max) {
    found += "; more than " + std::to_string(options.issuers_max) + " issuers";
  }
  for (const Issuer& issuer : issuers) {
    const auto complain = [&](bool wrong, const std::string& what) {
      if (wrong) found += "; issuer '" + issuer.name + "' " + what;
    };
    const Expectations& expected = issuer.expected;
    complain(issuer.name.empty() || !names.insert(issuer.name).second,
             "has no name or that of another");
    complain(!issuer.keys, "has no source of keys");
    complain(expected.issuers.empty(), "does not say how it names itself");
    for (const std::string& spelling : expected.issuers) {
      complain(spelling.empty() || !spellings.insert(spelling).second,
               "names itself '" + spelling + "', which is nothing or stands twice");
    }
    complain(
        expected.audiences.empty() || std::ranges::any_of(expected.audiences, &std::string::empty),
        "has no audience or an empty one");
    complain(expected.skew < Duration::zero() || expected.skew > options.skew_max,
             "has a skew outside 0 to " + to_words(options.skew_max));
    complain(
        expected.age_max <= Duration::zero() || expected.age_max > options.age_max,
        "lets tokens be older than " + to_words(options.age_max) + ", or none be young enough");
  }
  return found.empty() ? found : found.substr(2);
}

}  // namespace

Verifier::Verifier(const VerifierOptions& options)
    : options_(options), verified_(options.verified_max) {}

Result<std::unique_ptr<Verifier>> Verifier::make(std::vector<Issuer> issuers,
                                                 const VerifierOptions& options) {
  if (std::string found = mistakes(issuers, options); !found.empty()) {
    return fail(Code::invalid, std::move(found));
  }
  std::unique_ptr<Verifier> verifier(new Verifier(options));
  for (Issuer& issuer : issuers) {
    verifier->issuers_.push_back(
        std::unique_ptr<Known>(new Known{.name = std::move(issuer.name),
                                         .expected = std::move(issuer.expected),
                                         .keys = {std::move(issuer.keys), options.keys}}));
  }
  return verifier;
}

Result<std::size_t> Verifier::place_of(const std::string& issuer) const {
  for (std::size_t i = 0; i < issuers_.size(); ++i) {
    const auto& spellings = issuers_[i]->expected.issuers;
    if (std::ranges::find(spellings, issuer) != spellings.end()) return i;
  }
  return fail(Code::denied, "token: it is of an issuer that is not known");
}

Result<VerifiedToken> Verifier::verify_signature(std::string_view token, Timestamp now) {
  auto jws = parse_jws(token, options_.token);
  if (!jws) return std::unexpected(jws.error());
  auto claims = read_claims(jws->payload, options_.token);
  if (!claims) return std::unexpected(claims.error());
  const auto place = place_of(claims->issuer);
  if (!place) return std::unexpected(place.error());
  Known& issuer = *issuers_[*place];
  if (auto good = check_type(jws->header, issuer.expected.type); !good) {
    return std::unexpected(good.error());
  }
  auto keys = issuer.keys.current(now);
  if (!keys) return fail(issuer.name, keys.error());
  auto key = verify_jws(*jws, **keys);
  if (!key && key.error().code == Code::not_found) {
    keys = issuer.keys.beyond(*keys, now);
    if (!keys) return fail(issuer.name, keys.error());
    key = verify_jws(*jws, **keys);
  }
  // An unknown key is the token's fault once the issuer was asked.
  if (!key) return fail(Code::denied, key.error().what);
  return VerifiedToken{.issuer = *place,
                       .header = std::move(jws->header),
                       .thumbprint = (*key)->thumbprint,
                       .claims = *std::move(claims)};
}

Result<std::shared_ptr<const VerifiedToken>> Verifier::recall(const crypto::Digest& hash,
                                                              Timestamp now) {
  auto found = verified_.find(hash);
  if (found == nullptr) return nullptr;
  Known& issuer = *issuers_[found->issuer];
  const auto keys = issuer.keys.current(now);
  if (!keys) return fail(issuer.name, keys.error());
  const auto key = (*keys)->choose(found->header.key_id, found->header.scheme);
  if (key && (*key)->thumbprint == found->thumbprint) return found;
  verified_.erase(hash);
  return nullptr;
}

Result<Claims> Verifier::verify(std::string_view token, Timestamp now,
                                const std::optional<std::string>& nonce) {
  if (token.size() > options_.token.token_bytes_max) {
    return std::unexpected(parse_jws(token, options_.token).error());
  }
  const crypto::Digest hash = crypto::sha256(token);
  auto known = recall(hash, now);
  if (!known) return std::unexpected(known.error());
  const bool recalled = *known != nullptr;
  if (!recalled) {
    auto verified = verify_signature(token, now);
    if (!verified) return std::unexpected(verified.error());
    *known = std::make_shared<const VerifiedToken>(*std::move(verified));
  }
  const VerifiedToken& verified = **known;
  const Expectations& usual = issuers_[verified.issuer]->expected;
  Result<void> good;
  if (nonce) {
    Expectations expected = usual;
    expected.nonce = nonce;
    good = check_claims(verified.claims, expected, now);
  } else {
    good = check_claims(verified.claims, usual, now);
  }
  if (good) {
    if (!recalled) verified_.put(hash, *known);
    return verified.claims;
  }
  if (recalled && now >= verified.claims.expires + usual.skew) verified_.erase(hash);
  return std::unexpected(good.error());
}

std::vector<IssuerState> Verifier::states() const {
  std::vector<IssuerState> states;
  for (const auto& issuer : issuers_) states.push_back({issuer->name, issuer->keys.state()});
  return states;
}

}  // namespace mailwarden::identity
