// AES with 256-bit keys: sealing with GCM, wrapping of keys with padding.
//
// What     Gcm seals and opens; KeyWrap wraps a key under a key. Each keeps OpenSSL's contexts
//          from call to call and no key in them.
// Owns     The contexts.
// Threads  One thread an object.
// Errors   corrupt: the tag or the check value does not hold, or the length is impossible.
// Limits   bytes_max a message; wrapped_bytes_max a wrapped key. Nobody may seal twice under one
//          key with one nonce, and no more than 2^32 times under one key with random nonces.
// Source   FIPS 197; NIST SP 800-38D; RFC 5649 (NIST SP 800-38F, KWP); through OpenSSL.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "crypto/hmac.h"

namespace mailwarden::crypto {

inline constexpr std::size_t key_bytes = 32;
using KeyView = std::span<const std::byte, key_bytes>;
inline constexpr std::size_t nonce_bytes = 12;
using Nonce = std::array<std::byte, nonce_bytes>;
using Bytes = std::vector<std::byte>;

class Gcm {
 public:
  static constexpr std::size_t tag_bytes = 16;
  static constexpr std::size_t nonce_bytes_max = 128;
  static constexpr std::size_t bytes_max = std::size_t{1} << 30;

  Gcm();
  ~Gcm();

  // `out` takes the ciphertext and then the tag: tag_bytes more than `plain`. The pieces of
  // associated data count as one run of bytes. The nonce should be a Nonce; of another length, up
  // to nonce_bytes_max, it is hashed first, which others do.
  void seal(KeyView key, Piece nonce, std::span<const Piece> associated, Piece plain,
            std::span<std::byte> out);
  // `out` is tag_bytes shorter than `sealed`. It holds zeros where the tag does not hold.
  Result<void> open(KeyView key, Piece nonce, std::span<const Piece> associated, Piece sealed,
                    std::span<std::byte> out);

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

class KeyWrap {
 public:
  static constexpr std::size_t wrapped_bytes_max = 4096;

  KeyWrap();
  ~KeyWrap();

  // `plain` has at least one byte; `wrapped` is some 8 to 15 bytes longer.
  Bytes wrap(KeyView key, Piece plain);
  // As many bytes as were wrapped stand in front of `out`, which is at least as long as `wrapped`.
  Result<std::size_t> unwrap(KeyView key, Piece wrapped, std::span<std::byte> out);

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace mailwarden::crypto
