#include "detect/gram_table.h"

#include <algorithm>
#include <bit>
#include <map>

namespace mailwarden::detect {
namespace {

// One bit in so many is set at the most, where the limit allows.
constexpr std::size_t bits_of_gram = 32;
constexpr unsigned bitmap_bits_min = 10;

}  // namespace

void GramTable::build(std::vector<std::pair<std::string, std::uint32_t>> texts,
                      const TextStatistics& statistics) {
  if (texts.empty()) return;
  std::map<std::uint32_t, std::vector<Text>> by_gram;
  for (auto& [text, entry] : texts) {
    std::size_t best = 0;
    for (std::size_t i = 1; i + gram_bytes <= text.size(); ++i) {
      const auto run = [&](std::size_t at) {
        return std::string_view(text).substr(at, gram_bytes);
      };
      if (statistics.count(run(i)) < statistics.count(run(best))) best = i;
    }
    const std::uint32_t gram = gram_at(text, best);
    by_gram[gram].push_back(
        {.text = std::move(text), .entry = entry, .offset = static_cast<std::uint32_t>(best)});
  }
  const auto wanted = static_cast<unsigned>(std::bit_width(by_gram.size() * bits_of_gram));
  const unsigned bits = std::clamp(wanted, bitmap_bits_min, bitmap_bits_max);
  shift_ = 32 - bits;
  bitmap_.assign((std::size_t{1} << bits) / 64, 0);
  slots_.resize(std::bit_ceil(by_gram.size() * 2 + 1));
  mask_ = slots_.size() - 1;
  for (auto& [gram, members] : by_gram) {
    bitmap_[hash(gram) >> 6] |= std::uint64_t{1} << (hash(gram) & 63);
    std::size_t at = hash(gram) & mask_;
    while (slots_[at].count != 0) at = (at + 1) & mask_;
    slots_[at] = {.gram = gram,
                  .first = static_cast<std::uint32_t>(texts_.size()),
                  .count = static_cast<std::uint32_t>(members.size())};
    std::ranges::move(members, std::back_inserter(texts_));
  }
}

std::size_t GramTable::bytes() const {
  std::size_t bytes = slots_.size() * sizeof(Slot) + bitmap_.size() * sizeof(std::uint64_t);
  for (const Text& text : texts_) bytes += sizeof(Text) + text.text.capacity();
  return bytes;
}

}  // namespace mailwarden::detect
