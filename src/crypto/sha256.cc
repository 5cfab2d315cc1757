#include "crypto/sha256.h"

#include <openssl/sha.h>

#include "base/check.h"

// The one-shot functions of OpenSSL 3 look the algorithm up at every call, which costs more than
// hashing 65 bytes does. The low-level context does not, and stands on the stack.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace mailwarden::crypto {

Digest sha256(std::initializer_list<std::span<const std::byte>> pieces) {
  SHA256_CTX context;
  Digest digest;
  bool good = SHA256_Init(&context) == 1;
  for (const auto& piece : pieces) {
    good = good && SHA256_Update(&context, piece.data(), piece.size()) == 1;
  }
  CHECK(good && SHA256_Final(reinterpret_cast<unsigned char*>(digest.data()), &context) == 1);
  return digest;
}

Digest sha256(std::span<const std::byte> bytes) {
  return sha256({bytes});
}

Digest sha256(std::string_view bytes) {
  return sha256({as_bytes(bytes)});
}

struct Sha256::State {
  SHA256_CTX context;
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  CHECK(SHA256_Init(&state_->context) == 1);
}

Sha256::~Sha256() = default;

void Sha256::add(std::span<const std::byte> bytes) {
  CHECK(SHA256_Update(&state_->context, bytes.data(), bytes.size()) == 1);
}

Digest Sha256::end() {
  Digest digest;
  CHECK(SHA256_Final(reinterpret_cast<unsigned char*>(digest.data()), &state_->context) == 1 &&
        SHA256_Init(&state_->context) == 1);
  return digest;
}

std::string to_hex(std::span<const std::byte> bytes) {
  constexpr char digits[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const std::byte byte : bytes) {
    out += digits[std::to_integer<unsigned>(byte) >> 4];
    out += digits[std::to_integer<unsigned>(byte) & 15];
  }
  return out;
}

bool read_hex(std::string_view hex, std::span<std::byte> out) {
  const auto digit = [](char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  };
  if (hex.size() != 2 * out.size()) return false;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const int high = digit(hex[2 * i]);
    const int low = digit(hex[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    out[i] = static_cast<std::byte>(high << 4 | low);
  }
  return true;
}

std::optional<Digest> digest_from_hex(std::string_view hex) {
  Digest digest{};
  return read_hex(hex, digest) ? std::optional(digest) : std::nullopt;
}

}  // namespace mailwarden::crypto

#pragma GCC diagnostic pop
