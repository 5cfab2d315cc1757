// Bytes that are the same in every run: each fill() continues one stream.
#pragma once

#include <cstdint>

#include "base/entropy.h"
#include "crypto/sha256.h"

namespace mailwarden::crypto {

class CountedEntropy final : public Entropy {
 public:
  void fill(std::span<std::byte> out, std::string_view) override {
    for (std::byte& byte : out) {
      if (at_ == block_.size()) {
        block_ = sha256("stream " + std::to_string(blocks_++));
        at_ = 0;
      }
      byte = block_[at_++];
    }
  }

 private:
  std::uint64_t blocks_ = 0;
  Digest block_{};
  std::size_t at_ = block_.size();
};

}  // namespace mailwarden::crypto
