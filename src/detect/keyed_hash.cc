#include "detect/keyed_hash.h"

#include <random>

namespace mailwarden::detect {

KeyedHash KeyedHash::drawn() {
  std::random_device device;
  return KeyedHash((std::uint64_t{device()} << 32) ^ device());
}

}  // namespace mailwarden::detect
