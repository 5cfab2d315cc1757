// Texts looked for at one end of a value.
//
// What     Texts are found by up to eight bytes at their edge, read as one number; what else they
//          have is compared. So a look costs a few loads for each length of edge there is, however
//          many texts there are.
// Owns     The texts.
// Threads  Read-only once it is built.
// Errors   None.
// Limits   None.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mailwarden::detect {

class EdgeTable {
 public:
  enum class Edge : std::uint8_t { start, end };

  explicit EdgeTable(Edge edge) : edge_(edge) {}

  // Texts are not empty, and each stands once.
  void build(std::vector<std::pair<std::string, std::uint32_t>> texts);
  bool empty() const { return texts_.empty(); }

  template <class Put>
  void find(std::string_view value, Put put) const {
    if (value.size() < shortest_) return;
    const std::uint64_t edge = edge_of(value);
    for (const std::uint8_t bytes : lengths_) {
      if (bytes > value.size()) return;
      const std::uint64_t key = masked(edge, bytes);
      for (std::size_t at = place(key, bytes); slots_[at].count != 0; at = (at + 1) & mask_) {
        const Slot& slot = slots_[at];
        if (slot.key != key || slot.bytes != bytes) continue;
        for (std::size_t i = slot.first; i < slot.first + slot.count; ++i) {
          // A short text is all edge.
          const std::string& text = texts_[i].first;
          if (text.size() <= edge_bytes || stands(value, text)) put(texts_[i].second);
        }
        break;
      }
    }
  }

 private:
  static constexpr std::size_t edge_bytes = 8;
  // Texts with the same edge, which stand together.
  struct Slot {
    std::uint64_t key = 0;
    std::uint32_t first = 0;
    std::uint32_t count = 0;
    std::uint8_t bytes = 0;
  };

  // The bytes nearest to the edge are the high ones.
  std::uint64_t edge_of(std::string_view value) const {
    std::uint64_t edge = 0;
    if (edge_ == Edge::end) {
      if (value.size() >= edge_bytes) {
        std::memcpy(&edge, value.data() + value.size() - edge_bytes, edge_bytes);
        return edge;
      }
      std::memcpy(reinterpret_cast<char*>(&edge) + (edge_bytes - value.size()), value.data(),
                  value.size());
      return edge;
    }
    std::memcpy(&edge, value.data(), std::min(value.size(), edge_bytes));
    return __builtin_bswap64(edge);
  }
  static std::uint64_t masked(std::uint64_t edge, std::size_t bytes) {
    return edge >> (8 * (edge_bytes - bytes));
  }
  std::size_t place(std::uint64_t key, std::uint8_t bytes) const {
    return ((key + bytes) * 0x9E3779B97F4A7C15ULL >> 32) & mask_;
  }
  bool stands(std::string_view value, std::string_view text) const {
    return edge_ == Edge::end ? value.ends_with(text) : value.starts_with(text);
  }

  Edge edge_;
  std::vector<std::pair<std::string, std::uint32_t>> texts_;
  std::vector<Slot> slots_;            // by their keys, open
  std::size_t mask_ = 0;               // one less than how many slots there are
  std::vector<std::uint8_t> lengths_;  // of edges, ascending
  std::size_t shortest_ = 0;
};

}  // namespace mailwarden::detect
