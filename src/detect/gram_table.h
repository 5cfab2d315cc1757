// Texts looked for anywhere in a value, by the rarest four bytes of each.
//
// What     Of each text four bytes that stand together are chosen that few texts have. A value is
//          walked once: at each place its four bytes are looked up in a bitmap, which nearly always
//          says no; else the texts with these bytes are compared.
// Owns     The texts.
// Threads  Read-only once it is built.
// Errors   None.
// Limits   Texts of gram_bytes and more; bitmap_bits_max.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "detect/text_statistics.h"

namespace mailwarden::detect {

class GramTable {
 public:
  static constexpr std::size_t gram_bytes = 4;

  // Each text stands once.
  void build(std::vector<std::pair<std::string, std::uint32_t>> texts,
             const TextStatistics& statistics);
  bool empty() const { return texts_.empty(); }

  // put(entry), once for each place where the text stands.
  template <class Put>
  void find(std::string_view value, Put put) const {
    if (value.size() < gram_bytes) return;
    const std::size_t places = value.size() - gram_bytes + 1;
    std::size_t at = 0;
    for (; at + 4 <= places; at += 4) {
      const std::uint64_t any = bits_at(gram_at(value, at)) | bits_at(gram_at(value, at + 1)) |
                                bits_at(gram_at(value, at + 2)) | bits_at(gram_at(value, at + 3));
      if ((any & 1) == 0) continue;
      for (std::size_t i = at; i < at + 4; ++i) look(value, i, put);
    }
    for (; at < places; ++at) look(value, at, put);
  }

  std::size_t bytes() const;

 private:
  static constexpr unsigned bitmap_bits_max = 19;

  struct Text {
    std::string text;
    std::uint32_t entry = 0;
    std::uint32_t offset = 0;  // of its four bytes
  };
  // Texts with the same four bytes, which stand together.
  struct Slot {
    std::uint32_t gram = 0;
    std::uint32_t first = 0;
    std::uint32_t count = 0;
  };

  static std::uint32_t gram_at(std::string_view value, std::size_t at) {
    std::uint32_t gram = 0;
    std::memcpy(&gram, value.data() + at, gram_bytes);
    return gram;
  }
  std::uint32_t hash(std::uint32_t gram) const { return (gram * 0x9E3779B1U) >> shift_; }
  // The last bit says whether there may be a text with these bytes.
  std::uint64_t bits_at(std::uint32_t gram) const {
    const std::uint32_t bit = hash(gram);
    return bitmap_[bit >> 6] >> (bit & 63);
  }
  template <class Put>
  void look(std::string_view value, std::size_t at, Put& put) const {
    const std::uint32_t gram = gram_at(value, at);
    if ((bits_at(gram) & 1) == 0) return;
    for (std::size_t i = hash(gram) & mask_; slots_[i].count != 0; i = (i + 1) & mask_) {
      if (slots_[i].gram != gram) continue;
      for (std::size_t k = slots_[i].first; k < slots_[i].first + slots_[i].count; ++k) {
        const Text& text = texts_[k];
        if (at < text.offset || text.text.size() > value.size() - (at - text.offset)) continue;
        if (std::memcmp(value.data() + at - text.offset, text.text.data(), text.text.size()) == 0) {
          put(text.entry);
        }
      }
      return;
    }
  }

  std::vector<Text> texts_;
  std::vector<Slot> slots_;  // by their bytes, open
  std::size_t mask_ = 0;     // one less than how many slots there are
  std::vector<std::uint64_t> bitmap_;
  unsigned shift_ = 0;
};

}  // namespace mailwarden::detect
