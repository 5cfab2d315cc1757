// The system's random bytes.
//
// What     SystemEntropy is what the daemon uses behind base/entropy.h.
// Owns     Nothing.
// Threads  Any.
// Errors   Aborts where the generator fails: no salt or key made after that would be worth
//          anything.
// Limits   None.
// Source   OpenSSL's CTR_DRBG (NIST SP 800-90A), seeded by the kernel.
#pragma once

#include "base/entropy.h"

namespace mailwarden::crypto {

class SystemEntropy final : public Entropy {
 public:
  void fill(std::span<std::byte> out, std::string_view purpose) override;
  void fill_each(std::span<std::byte> out, std::span<const std::string_view> purposes) override;
};

}  // namespace mailwarden::crypto
