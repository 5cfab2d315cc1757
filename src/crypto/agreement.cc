#include "crypto/agreement.h"

#include <openssl/evp.h>

#include "base/check.h"
#include "crypto/openssl_objects.h"
#include "crypto/secret.h"

namespace mailwarden::crypto {
namespace {

KeyPointer to_key(KeyView private_share) {
  KeyPointer key(EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, bytes_of(private_share),
                                              private_share.size()));
  CHECK(key != nullptr);
  return key;
}

}  // namespace

Share public_share(KeyView private_share) {
  Share share{};
  std::size_t size = share.size();
  CHECK(EVP_PKEY_get_raw_public_key(to_key(private_share).get(),
                                    reinterpret_cast<unsigned char*>(share.data()), &size) == 1);
  return share;
}

Result<void> x25519(KeyView private_share, const Share& other,
                    std::span<std::byte, key_bytes> out) {
  const KeyPointer mine = to_key(private_share);
  const KeyPointer theirs(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, bytes_of(other), other.size()));
  const KeyContext context(EVP_PKEY_CTX_new(mine.get(), nullptr));
  CHECK(theirs != nullptr && context != nullptr && EVP_PKEY_derive_init(context.get()) == 1);
  const ForgetErrors forget;
  std::size_t size = out.size();
  // OpenSSL refuses a secret of zeros, to which a share of small order leads.
  const bool good =
      EVP_PKEY_derive_set_peer(context.get(), theirs.get()) == 1 &&
      EVP_PKEY_derive(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size) == 1;
  if (good) return {};
  wipe(out);
  return fail(Code::invalid, "a share that gives no secret (RFC 7748, section 6.1)");
}

Result<void> agree(KeyView mine, const Share& other, const Agreement& agreement,
                   std::span<std::byte, key_bytes> key) {
  std::array<std::byte, key_bytes> secret{};
  const WipeAtEnd wiping(secret);
  if (auto found = x25519(mine, other, secret); !found) return found;
  Bytes info;
  for (const Piece& piece : {as_bytes("mailwarden agreement 1"), Piece(agreement.ephemeral),
                             Piece(agreement.recipient)}) {
    info.insert(info.end(), piece.begin(), piece.end());
  }
  const std::array<Piece, 1> pieces{secret};
  hkdf_sha256(pieces, {}, info, key);
  return {};
}

}  // namespace mailwarden::crypto
