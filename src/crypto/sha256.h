// SHA-256.
//
// What     The one hash of the program: ledger, fingerprints, policy versions.
// Owns     A Sha256 owns its state.
// Threads  Pure; one thread a Sha256.
// Errors   None: it cannot fail short of a broken libcrypto, which is a CHECK.
// Limits   None.
// Source   FIPS 180-4, through OpenSSL.
#pragma once

#include <array>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace mailwarden::crypto {

using Digest = std::array<std::byte, 32>;

Digest sha256(std::span<const std::byte> bytes);
Digest sha256(std::string_view bytes);
// Over the pieces one after the other, as if they were one run of bytes.
Digest sha256(std::initializer_list<std::span<const std::byte>> pieces);

// Over what comes in pieces. Once end() has been called it is as it was when it was made.
class Sha256 {
 public:
  Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  ~Sha256();

  void add(std::span<const std::byte> bytes);
  void add(std::string_view text) { add(std::as_bytes(std::span(text))); }
  Digest end();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

inline std::span<const std::byte> as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}

// Lower-case hex.
std::string to_hex(std::span<const std::byte> bytes);
// Whether the digits, as to_hex() writes them, are as many as fill `out`, and do.
bool read_hex(std::string_view hex, std::span<std::byte> out);
// 64 digits as to_hex() writes them.
std::optional<Digest> digest_from_hex(std::string_view hex);

}  // namespace mailwarden::crypto
