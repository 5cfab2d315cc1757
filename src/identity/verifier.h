// Who a token is of, for several issuers.
//
// What     verify() finds the issuer that a token says it is of, holds the token against that
//          issuer's keys and what is expected of its tokens, and gives the claims. Until the
//          signature holds, what the token says serves for that choice alone.
// Owns     The issuers' key sets (key_cache.h) and the verified tokens (token_cache.h).
// Threads  Any. verify() may wait for a key source, as key_cache.h tells.
// Errors   make(): invalid, all mistakes of the issuers in one sentence. verify(): invalid, full,
//          not a token or beyond a limit; denied, a token that is not believed; unavailable, nobody
//          can tell now. Whoever asks lets nobody in on any of them. No error repeats what the
//          token says.
// Limits   VerifierOptions.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/timestamp.h"
#include "identity/key_cache.h"
#include "identity/token.h"
#include "identity/token_cache.h"

namespace mailwarden::identity {

struct Issuer {
  std::string name;  // ours, for sentences and states
  Expectations expected;
  KeySource keys;
};

struct VerifierOptions {
  TokenLimits token;
  KeyCacheOptions keys;
  std::size_t issuers_max = 100;
  std::size_t verified_max = 10'000;  // tokens that are remembered
  Duration skew_max = std::chrono::minutes(10);
  Duration age_max = std::chrono::days(366);
};

struct IssuerState {
  std::string name;
  KeyCacheState keys;
};

class Verifier {
 public:
  static Result<std::unique_ptr<Verifier>> make(std::vector<Issuer> issuers,
                                                const VerifierOptions& options = {});

  // `nonce` is that of a sign-in, where the caller has begun one; it stands in for the issuer's.
  Result<Claims> verify(std::string_view token, Timestamp now,
                        const std::optional<std::string>& nonce = {});

  std::vector<IssuerState> states() const;
  std::size_t verified() const { return verified_.size(); }

 private:
  struct Known {
    std::string name;
    Expectations expected;
    KeyCache keys;
  };

  explicit Verifier(const VerifierOptions& options);

  Result<std::size_t> place_of(const std::string& issuer) const;
  Result<VerifiedToken> verify_signature(std::string_view token, Timestamp now);
  // Null where the token must be verified anew.
  Result<std::shared_ptr<const VerifiedToken>> recall(const crypto::Digest& hash, Timestamp now);

  const VerifierOptions options_;
  std::vector<std::unique_ptr<Known>> issuers_;
  TokenCache verified_;
};

}  // namespace mailwarden::identity
