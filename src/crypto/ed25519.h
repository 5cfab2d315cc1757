// Signing with Ed25519.
//
// What     A Signer holds a private key and signs; verify() needs the public key alone. A key file
//          holds the 32-byte seed as 64 hex digits after the word "mailwarden-ed25519-seed".
// Owns     The key, which is wiped when the Signer goes.
// Threads  sign() and verify() from any thread.
// Errors   load(): not_found, denied (others may read the file, or it is not ours), corrupt.
// Limits   None.
// Source   RFC 8032, through OpenSSL.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/entropy.h"
#include "base/result.h"

namespace mailwarden::crypto {

using PublicKey = std::array<std::byte, 32>;
using Seed = std::array<std::byte, 32>;
using Signature = std::array<std::byte, 64>;

class Signer {
 public:
  static Signer from_seed(const Seed& seed);
  // The file must belong to the caller and be closed to everybody else (mode 0600 or less).
  static Result<Signer> load(const std::string& path);
  // Makes a key in a new file; conflict where the file is there already.
  static Result<Signer> create(const std::string& path, Entropy& entropy);

  Signer(Signer&&) noexcept;
  Signer& operator=(Signer&&) noexcept;
  ~Signer();

  const PublicKey& public_key() const { return public_key_; }
  Signature sign(std::string_view message) const;

 private:
  struct Key;
  Signer(std::unique_ptr<Key> key, const PublicKey& public_key);

  std::unique_ptr<Key> key_;
  PublicKey public_key_;
};

bool verify(const PublicKey& key, std::string_view message, const Signature& signature);

}  // namespace mailwarden::crypto
