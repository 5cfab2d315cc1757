#include "crypto/hmac.h"

#include <algorithm>
#include <array>

#include <openssl/sha.h>

#include "base/check.h"
#include "crypto/secret.h"

// The low-level context for the reason in sha256.cc: OpenSSL's HMAC and HKDF take some microseconds
// a call, which is more than sealing a small value takes.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace mailwarden::crypto {
namespace {

constexpr std::size_t block_bytes = 64;

// A key that is ready for any number of messages: the two states behind its blocks.
class KeyedHash {
 public:
  explicit KeyedHash(Piece key) {
    std::array<std::byte, block_bytes> block{};
    const WipeAtEnd wiping(block);
    if (key.size() > block.size()) {
      Digest short_key = sha256(key);
      std::ranges::copy(short_key, block.begin());
      wipe(short_key);
    } else {
      std::ranges::copy(key, block.begin());
    }
    begin(inner_, block, std::byte{0x36});
    begin(outer_, block, std::byte{0x5c});
  }
  KeyedHash(const KeyedHash&) = delete;
  KeyedHash& operator=(const KeyedHash&) = delete;
  ~KeyedHash() {
    wipe(std::as_writable_bytes(std::span(&inner_, 1)));
    wipe(std::as_writable_bytes(std::span(&outer_, 1)));
  }

  Digest operator()(std::span<const Piece> pieces) const {
    SHA256_CTX context = inner_;
    const WipeAtEnd wiping(std::as_writable_bytes(std::span(&context, 1)));
    Digest digest;
    for (const Piece& piece : pieces) {
      CHECK(SHA256_Update(&context, piece.data(), piece.size()) == 1);
    }
    finish(context, digest);
    context = outer_;
    CHECK(SHA256_Update(&context, digest.data(), digest.size()) == 1);
    finish(context, digest);
    return digest;
  }

 private:
  static void begin(SHA256_CTX& context, std::array<std::byte, block_bytes> block, std::byte pad) {
    const WipeAtEnd wiping(block);
    for (std::byte& byte : block) byte ^= pad;
    CHECK(SHA256_Init(&context) == 1 && SHA256_Update(&context, block.data(), block.size()) == 1);
  }
  static void finish(SHA256_CTX& context, Digest& digest) {
    CHECK(SHA256_Final(reinterpret_cast<unsigned char*>(digest.data()), &context) == 1);
  }

  SHA256_CTX inner_;
  SHA256_CTX outer_;
};

}  // namespace

Digest hmac_sha256(Piece key, std::span<const Piece> pieces) {
  return KeyedHash(key)(pieces);
}

Digest hmac_sha256(Piece key, std::initializer_list<Piece> pieces) {
  return KeyedHash(key)({pieces.begin(), pieces.size()});
}

void hkdf_sha256(std::span<const Piece> key, Piece salt, Piece info, std::span<std::byte> out) {
  CHECK(out.size() <= hkdf_bytes_max);
  Digest extracted = hmac_sha256(salt, key);
  const WipeAtEnd wiping(extracted);
  const KeyedHash expand(extracted);
  Digest block{};
  const WipeAtEnd wiping_block(block);
  std::byte number{0};
  for (std::size_t made = 0; made < out.size();) {
    number = std::byte(std::to_integer<unsigned>(number) + 1);
    const std::array<Piece, 3> pieces{made == 0 ? Piece() : Piece(block), info, Piece(&number, 1)};
    block = expand(pieces);
    const std::size_t taken = std::min(block.size(), out.size() - made);
    std::ranges::copy(std::span(block).first(taken), out.subspan(made).begin());
    made += taken;
  }
}

}  // namespace mailwarden::crypto

#pragma GCC diagnostic pop
