// How many rounds a random test takes: a fifth of them under a sanitizer, which makes each so much
// slower and is there for what a round does, not for how many there are.
#pragma once

#include <cstdint>

namespace mailwarden {

constexpr std::uint64_t rounds(std::uint64_t usual) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return usual / 5;
#else
  return usual;
#endif
}

}  // namespace mailwarden
