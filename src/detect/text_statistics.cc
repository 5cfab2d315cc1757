#include "detect/text_statistics.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace mailwarden::detect {
namespace {

// A byte of a text that nothing is known of is one of about so many.
constexpr double bits_of_byte = 2.5;
// What one of all texts being made of a run says of values that hold it.
constexpr double values_of_texts = 4;

}  // namespace

std::size_t TextStatistics::slot(std::string_view run) {
  std::uint32_t four = 0;
  std::memcpy(&four, run.data(), run_bytes);
  return (four * 2654435761U) >> (32 - table_bits);
}

void TextStatistics::add(std::string_view text) {
  ++texts_;
  for (std::size_t i = 0; i + run_bytes <= text.size(); ++i) {
    ++counts_[slot(text.substr(i, run_bytes))];
  }
}

double TextStatistics::likelihood(std::string_view text, double places) const {
  const double chance = places * std::exp2(-bits_of_byte * static_cast<double>(text.size()));
  if (text.size() < run_bytes) return std::min(0.9, chance);
  std::uint32_t least = counts_[slot(text)];
  for (std::size_t i = 1; i + run_bytes <= text.size(); ++i) {
    least = std::min(least, counts_[slot(text.substr(i, run_bytes))]);
  }
  // The text itself was counted once.
  const double others = least == 0 ? 0 : least - 1;
  return std::min(0.9, chance + values_of_texts * others / std::max(1U, texts_));
}

}  // namespace mailwarden::detect
