// Texts of less than four bytes looked for anywhere in a value.
//
// What     A value is walked once: each pair of bytes is looked up in a bitmap that tells whether a
//          text may begin there; where one may, those with that first byte are compared.
// Owns     The texts.
// Threads  Read-only once it is built.
// Errors   None.
// Limits   Texts of one byte to bytes_max.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mailwarden::detect {

class ShortTable {
 public:
  static constexpr std::size_t bytes_max = 3;

  // Each text stands once.
  void build(const std::vector<std::pair<std::string, std::uint32_t>>& texts);
  bool empty() const { return texts_.empty(); }

  // put(entry), once for each place where the text stands.
  template <class Put>
  void find(std::string_view value, Put put) const {
    if (value.empty()) return;
    const std::size_t last = value.size() - 1;
    for (std::size_t at = 0; at < last; ++at) {
      if (may_begin(byte(value, at), byte(value, at + 1))) look(value, at, put);
    }
    look(value, last, put);
  }

  std::size_t bytes() const { return texts_.size() * sizeof(Text) + sizeof(*this); }

 private:
  static constexpr unsigned bitmap_bits = 12;

  struct Text {
    std::array<char, bytes_max> text{};
    std::uint8_t size = 0;
    std::uint32_t entry = 0;
  };

  static std::uint8_t byte(std::string_view value, std::size_t at) {
    return static_cast<std::uint8_t>(value[at]);
  }
  static std::uint32_t hash(std::uint32_t first, std::uint32_t second) {
    return ((first << 8 | second) * 0x9E3779B1U) >> (32 - bitmap_bits);
  }
  bool may_begin(std::uint8_t first, std::uint8_t second) const {
    const std::uint32_t bit = hash(first, second);
    return (bitmap_[bit >> 6] >> (bit & 63) & 1) != 0;
  }
  void mark(std::uint8_t first, std::uint8_t second) {
    const std::uint32_t bit = hash(first, second);
    bitmap_[bit >> 6] |= std::uint64_t{1} << (bit & 63);
  }
  template <class Put>
  void look(std::string_view value, std::size_t at, Put& put) const {
    const std::uint8_t first = byte(value, at);
    for (std::size_t i = begins_[first]; i < begins_[first + 1U]; ++i) {
      const Text& text = texts_[i];
      if (value.substr(at).starts_with(std::string_view(text.text.data(), text.size))) {
        put(text.entry);
      }
    }
  }

  std::vector<Text> texts_;  // by their first byte
  std::array<std::uint32_t, 257> begins_{};
  std::array<std::uint64_t, (1U << bitmap_bits) / 64> bitmap_{};
};

}  // namespace mailwarden::detect
