// A hash of texts that whoever writes a log cannot aim at.
//
// What     KeyedHash mixes a text with a secret key, so that nobody outside can choose texts that
//          fall together in a table. It is no cryptographic hash: it is for tables in memory.
// Owns     Its key.
// Threads  Values; hashing is pure.
// Errors   None.
// Limits   None.
// Source   Multiply and fold, 64 by 64 bits, as in wyhash.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace mailwarden::detect {

class KeyedHash {
 public:
  using is_transparent = void;

  explicit KeyedHash(std::uint64_t key = 0) : key_(key ^ 0x9e3779b97f4a7c15ULL) {}
  // With a key of the system's random numbers.
  static KeyedHash drawn();

  std::size_t operator()(std::string_view text) const {
    std::uint64_t state = fold(key_ ^ text.size(), 0xd6e8feb86659fd93ULL);
    if (text.size() > 32) {  // two at a time, which do not wait for each other
      std::uint64_t other = std::rotl(state, 32);
      do {
        state = fold(state ^ load(text.substr(0, 8)), key_ | 1);
        other = fold(other ^ load(text.substr(8, 8)), std::rotl(key_, 29) | 1);
        text.remove_prefix(16);
      } while (text.size() > 16);
      state ^= std::rotl(other, 23);
    }
    while (text.size() > 8) {
      state = fold(state ^ load(text.substr(0, 8)), key_ | 1);
      text.remove_prefix(8);
    }
    return fold(state ^ load(text), 0xa0761d6478bd642fULL ^ std::rotl(key_, 17));
  }

 private:
  static std::uint64_t load(std::string_view bytes) {
    std::uint64_t word = 0;
    if (!bytes.empty()) std::memcpy(&word, bytes.data(), bytes.size());
    return word;
  }

  static std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
    __extension__ using Wide = unsigned __int128;
    const Wide product = Wide{a} * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  }

  std::uint64_t key_;
};

template <class T>
using KeyedMap = std::unordered_map<std::string, T, KeyedHash, std::equal_to<>>;

}  // namespace mailwarden::detect
