// The public keys of an issuer of tokens.
//
// What     KeySet::parse() reads a JWK set and keeps the keys that can verify what is believed
//          here: RSA for RS256, P-256 for ES256, both for signatures. choose() gives the one key
//          that a token's header asks for.
// Owns     The keys and the names of those that were left out. A KeySet never changes.
// Threads  Values; every function is pure.
// Errors   parse(): invalid, not a JWK set; full, beyond a limit. A key that cannot be used spoils
//          nothing but itself: it is left out and told with its reason. choose(): not_found, no key
//          of that id, so fetching the set anew may help; denied, the id or its absence fits no key
//          of the scheme or more than one.
// Limits   KeySetOptions.
// Source   RFC 7517; RFC 7518, section 6; RFC 7638 for thumbprints.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/sha256.h"
#include "crypto/verification_key.h"

namespace mailwarden::identity {

struct KeySetOptions {
  std::size_t bytes_max = 256 * 1024;
  std::size_t keys_max = 100;
  std::size_t id_bytes_max = 256;
};

struct Key {
  std::optional<std::string> id;  // "kid"
  crypto::VerificationKey key;
  crypto::Digest thumbprint;
};

struct SkippedKey {
  std::string name;  // its id, or "key 3" where it has none
  std::string reason;
};

class KeySet {
 public:
  // A key is left out where
  // - it is no RSA or P-256 key, or is too weak (crypto/verification_key.h);
  // - "use", "key_ops" or "alg" give it to something else than these signatures;
  // - it holds private or symmetric numbers: who publishes those has lost them;
  // - another key of the same type and id is in the set, unless both are the same key.
  static Result<KeySet> parse(std::string_view text, const KeySetOptions& options = {});

  // Without an id, the only key of the scheme.
  Result<const Key*> choose(const std::optional<std::string>& id,
                            crypto::SignatureScheme scheme) const;

  const std::vector<Key>& keys() const { return keys_; }
  const std::vector<SkippedKey>& skipped() const { return skipped_; }

 private:
  void leave_out_doubles();

  std::vector<Key> keys_;
  std::vector<SkippedKey> skipped_;
};

}  // namespace mailwarden::identity
