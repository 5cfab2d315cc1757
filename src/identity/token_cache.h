// Tokens whose signature has been verified, known by their hash.
//
// What     A token comes with every request of a session, and verifying its signature is the dear
//          part. The cache keeps what it claimed and which key it rested on; whether its time has
//          come and that key is still the issuer's is asked anew each time, by the verifier.
// Owns     The claims. The token itself is not kept, so the cache betrays none.
// Threads  Any.
// Errors   None.
// Limits   tokens_max; the one that was longest not asked for goes first.
#pragma once

#include <cstddef>
#include <cstring>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "crypto/sha256.h"
#include "identity/token.h"

namespace mailwarden::identity {

struct VerifiedToken {
  std::size_t issuer = 0;  // its place among the verifier's
  Header header;
  crypto::Digest thumbprint{};  // of the key
  Claims claims;
};

class TokenCache {
 public:
  explicit TokenCache(std::size_t tokens_max) : tokens_max_(tokens_max) {}

  // Null where it is not known.
  std::shared_ptr<const VerifiedToken> find(const crypto::Digest& hash);
  void put(const crypto::Digest& hash, std::shared_ptr<const VerifiedToken> token);
  void erase(const crypto::Digest& hash);
  std::size_t size() const;

 private:
  using Entry = std::pair<crypto::Digest, std::shared_ptr<const VerifiedToken>>;
  struct Hash {
    std::size_t operator()(const crypto::Digest& digest) const {
      std::size_t start = 0;
      std::memcpy(&start, digest.data(), sizeof start);
      return start;
    }
  };

  const std::size_t tokens_max_;
  mutable std::mutex mutex_;
  std::list<Entry> entries_;  // the one asked for last stands first
  std::unordered_map<crypto::Digest, std::list<Entry>::iterator, Hash> by_hash_;
};

}  // namespace mailwarden::identity
