// Bytes out of the hex of published test vectors.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace mailwarden::crypto {

inline std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

template <std::size_t size>
std::array<std::byte, size> array_from_hex(std::string_view hex) {
  std::array<std::byte, size> out{};
  const std::string bytes = from_hex(hex);
  std::transform(bytes.begin(),
                 bytes.begin() + static_cast<std::ptrdiff_t>(std::min(bytes.size(), size)),
                 out.begin(), [](char c) { return static_cast<std::byte>(c); });
  return out;
}

}  // namespace mailwarden::crypto
