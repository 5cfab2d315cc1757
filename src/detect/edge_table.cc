#include "detect/edge_table.h"

#include <algorithm>
#include <bit>
#include <map>
#include <set>

namespace mailwarden::detect {

static_assert(std::endian::native == std::endian::little);

void EdgeTable::build(std::vector<std::pair<std::string, std::uint32_t>> texts) {
  if (texts.empty()) return;
  std::map<std::pair<std::uint8_t, std::uint64_t>, std::vector<std::size_t>> by_edge;
  std::set<std::uint8_t> lengths;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto bytes = static_cast<std::uint8_t>(std::min(texts[i].first.size(), edge_bytes));
    by_edge[{bytes, masked(edge_of(texts[i].first), bytes)}].push_back(i);
    lengths.insert(bytes);
  }
  lengths_.assign(lengths.begin(), lengths.end());
  shortest_ = lengths_.front();
  slots_.resize(std::bit_ceil(by_edge.size() * 2 + 1));
  mask_ = slots_.size() - 1;
  for (const auto& [edge, members] : by_edge) {
    std::size_t at = place(edge.second, edge.first);
    while (slots_[at].count != 0) at = (at + 1) & mask_;
    slots_[at] = {.key = edge.second,
                  .first = static_cast<std::uint32_t>(texts_.size()),
                  .count = static_cast<std::uint32_t>(members.size()),
                  .bytes = edge.first};
    for (const std::size_t member : members) texts_.push_back(std::move(texts[member]));
  }
}

}  // namespace mailwarden::detect
