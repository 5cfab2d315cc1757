#include "detect/short_table.h"

#include <algorithm>
#include <numeric>

#include "base/check.h"

namespace mailwarden::detect {

void ShortTable::build(const std::vector<std::pair<std::string, std::uint32_t>>& texts) {
  for (const auto& [text, entry] : texts) {
    CHECK(!text.empty() && text.size() <= bytes_max);
    Text& kept = texts_.emplace_back();
    std::ranges::copy(text, kept.text.begin());
    kept.size = static_cast<std::uint8_t>(text.size());
    kept.entry = entry;
    for (unsigned second = 0; second < 256; ++second) {
      if (text.size() == 1) mark(byte(text, 0), static_cast<std::uint8_t>(second));
    }
    if (text.size() > 1) mark(byte(text, 0), byte(text, 1));
  }
  std::ranges::stable_sort(
      texts_, {}, [](const Text& text) { return static_cast<std::uint8_t>(text.text[0]); });
  for (const Text& text : texts_) ++begins_[static_cast<std::uint8_t>(text.text[0]) + 1U];
  std::partial_sum(begins_.begin(), begins_.end(), begins_.begin());
}

}  // namespace mailwarden::detect
