#include "detect/literal_index.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "detect/decimal.h"

namespace mailwarden::detect {

void LiteralIndex::add(Where where, std::string text, std::uint32_t entry) {
  ++literals_;
  CHECK(where == Where::whole || !text.empty());
  switch (where) {
    case Where::whole:
      whole_lengths_ |= std::uint64_t{1} << length_bit(text.size());
      wholes_.emplace(std::move(text), entry);
      break;
    case Where::start:
      start_texts_.emplace_back(std::move(text), entry);
      break;
    case Where::end:
      end_texts_.emplace_back(std::move(text), entry);
      break;
    case Where::anywhere:
      any_texts_.emplace_back(std::move(text), entry);
      break;
  }
}

void LiteralIndex::add_number(std::string number, std::uint32_t entry) {
  ++literals_;
  numbers_.emplace(std::move(number), entry);
}

void LiteralIndex::finish(const TextStatistics& statistics) {
  starts_.build(std::exchange(start_texts_, {}));
  ends_.build(std::exchange(end_texts_, {}));
  auto longer = std::exchange(any_texts_, {});
  const auto shorter = std::ranges::partition(
      longer, [](const auto& one) { return one.first.size() >= GramTable::gram_bytes; });
  anywhere_short_.build({shorter.begin(), shorter.end()});
  longer.erase(shorter.begin(), shorter.end());
  anywhere_.build(std::move(longer), statistics);
}

std::uint32_t LiteralIndex::number_entry(std::string_view text) const {
  if (text.empty() || (text.front() != '-' && (text.front() < '0' || text.front() > '9'))) {
    return no_entry;
  }
  auto found = numbers_.find(text);
  if (found == numbers_.end() && !is_plain_integer(text)) {
    const auto number = Decimal::parse(text);
    if (number) found = numbers_.find(number->canonical());
  }
  return found == numbers_.end() ? no_entry : found->second;
}

std::size_t LiteralIndex::bytes() const {
  return anywhere_.bytes() + anywhere_short_.bytes();
}

}  // namespace mailwarden::detect
