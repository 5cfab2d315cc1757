// A key that two agree on, of whom one need not be there: X25519.
//
// What     Whoever has a recipient's public share makes an ephemeral pair and agrees on a key; the
//          recipient finds the same key from its private share and the ephemeral public one. So
//          something can be sealed for a recipient whose private share is not at hand.
// Owns     Nothing.
// Threads  Any.
// Errors   invalid: a share of another that gives no secret.
// Limits   None.
// Source   RFC 7748, section 6.1; the key is HKDF-SHA256 of the secret, without salt, with the info
//          "mailwarden agreement 1", the ephemeral share and the recipient's; through OpenSSL.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "base/result.h"
#include "crypto/aes.h"

namespace mailwarden::crypto {

using Share = std::array<std::byte, 32>;

// Any 32 random bytes are a private share.
Share public_share(KeyView private_share);

// The secret of RFC 7748, of which no key should be made but through the two below.
Result<void> x25519(KeyView private_share, const Share& other, std::span<std::byte, key_bytes> out);

struct Agreement {
  Share ephemeral;
  Share recipient;
};

// `mine` is the private share of the one that is the ephemeral or the recipient.
Result<void> agree(KeyView mine, const Share& other, const Agreement& agreement,
                   std::span<std::byte, key_bytes> key);

}  // namespace mailwarden::crypto
