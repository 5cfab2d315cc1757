#include "crypto/entropy.h"

#include <openssl/rand.h>

#include "base/check.h"

namespace mailwarden::crypto {

void SystemEntropy::fill(std::span<std::byte> out, std::string_view) {
  CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(out.size())) ==
        1);
}

void SystemEntropy::fill_each(std::span<std::byte> out, std::span<const std::string_view>) {
  fill(out, {});
}

}  // namespace mailwarden::crypto
