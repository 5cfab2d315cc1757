// Salts that are the same in every run: of one purpose always the same bytes.
#pragma once

#include <algorithm>
#include <span>
#include <string_view>

#include "base/entropy.h"
#include "crypto/sha256.h"

namespace mailwarden::crypto {

class FixedEntropy final : public Entropy {
 public:
  void fill(std::span<std::byte> out, std::string_view purpose) override {
    const Digest digest = sha256(purpose);
    std::ranges::copy_n(digest.begin(), static_cast<std::ptrdiff_t>(out.size()), out.begin());
  }
};

}  // namespace mailwarden::crypto
