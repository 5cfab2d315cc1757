#include "detect/value_memory.h"

#include <algorithm>

namespace mailwarden::detect {
namespace {

constexpr std::size_t block_bytes = 64 * 1024;

template <class T>
void each_once(std::vector<T>& list) {
  std::ranges::sort(list);
  const auto rest = std::ranges::unique(list);
  list.erase(rest.begin(), rest.end());
}

}  // namespace

ValueMemory::ValueMemory()
    : hash_(KeyedHash::drawn()),
      arena_(block_bytes),
      slots_(rows_count * row_slots),
      seen_(seen_count),
      answers_(answers_count) {}

void ValueMemory::clear() {
  if (count_ == 0) return;
  std::ranges::fill(slots_, Slot());
  std::ranges::fill(answers_, Answer());
  arena_.release();
  bytes_ = 0;
  count_ = 0;
}

ValueMemory::Value& ValueMemory::remember(std::size_t hash, const Place& place,
                                          std::string_view text, std::string_view folded,
                                          std::vector<PredicateId>& found,
                                          std::vector<RuleNumber>& candidates) {
  each_once(found);
  each_once(candidates);
  bytes_ += sizeof(Value);
  auto* const value = new (arena_.allocate(sizeof(Value), alignof(Value))) Value();
  const auto own = keep(std::span(text));
  value->text = {own.data(), own.size()};
  value->folded = value->text;
  if (folded != text) {
    const auto own_folded = keep(std::span(folded));
    value->folded = {own_folded.data(), own_folded.size()};
  }
  value->place = place;
  value->number = ++count_;
  value->found = keep(std::span<const PredicateId>(found));
  value->candidates = keep(std::span<const RuleNumber>(candidates));
  const auto row = slots_.begin() + static_cast<std::ptrdiff_t>(hash % rows_count * row_slots);
  const auto free = std::find_if(row, row + row_slots, [](auto& slot) { return !slot.value; });
  // One that gives way is chosen by chance.
  const auto chosen = static_cast<std::ptrdiff_t>(hash >> 32 ^ count_) % row_slots;
  *(free != row + row_slots ? free : row + chosen) = {hash, value};
  return *value;
}

}  // namespace mailwarden::detect
