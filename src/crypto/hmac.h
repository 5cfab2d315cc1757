// HMAC-SHA256, and keys derived with it.
//
// What     hmac_sha256() authenticates; hkdf_sha256() makes keys out of a key.
// Owns     Nothing; what they keep on the way is wiped.
// Threads  Pure.
// Errors   None; asking HKDF for more than its limit is a CHECK.
// Limits   hkdf_bytes_max.
// Source   RFC 2104 and FIPS 198-1; RFC 5869; through OpenSSL's SHA-256.
#pragma once

#include <cstddef>
#include <span>

#include "crypto/sha256.h"

namespace mailwarden::crypto {

using Piece = std::span<const std::byte>;

inline constexpr std::size_t hkdf_bytes_max = std::size_t{255} * 32;

// Over the pieces one after the other, as if they were one run of bytes.
Digest hmac_sha256(Piece key, std::span<const Piece> pieces);
Digest hmac_sha256(Piece key, std::initializer_list<Piece> pieces);

// `key` is the input keying material, whose pieces count as one run of bytes. No salt is a salt of
// zeros.
void hkdf_sha256(std::span<const Piece> key, Piece salt, Piece info, std::span<std::byte> out);

}  // namespace mailwarden::crypto
