// What rules say of values that come again and again.
//
// What     Logs repeat themselves: programs, users, hosts. Of a value that came before, in the same
//          field and for the same log source, a ValueMemory knows what looking it up found, what
//          predicates answered and, once it was the only value of its field, which rules it rules
//          out. A value is remembered when it comes a second time, so that those which never do
//          cost no more than their hash; it is compared as a whole, so that what is known is always
//          what looking up would find.
// Owns     Copies of the values. All are let go of together when they are more than bytes_max.
// Threads  One.
// Errors   None.
// Limits   bytes_max, of which the allocator holds up to half as much again, and tables of less
//          than one MiB. Values of more than value_bytes_max are not remembered. Whoever writes the
//          log cannot aim at its hashes; at worst values are remembered in vain, which costs each
//          of them about one more look-up.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory_resource>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "detect/keyed_hash.h"
#include "detect/program.h"

namespace mailwarden::detect {

using RuleNumber = std::uint32_t;

class ValueMemory {
 public:
  static constexpr std::size_t bytes_max = 16 * 1024 * 1024;
  static constexpr std::size_t value_bytes_max = 2048;

  // Where a value stands: the field, and which groups of rules look at it.
  struct Place {
    std::uint32_t route = 0;
    FieldId field = 0;
    bool searched = false;  // for keywords

    bool operator==(const Place&) const = default;
  };
  struct Value {
    std::string_view text;
    std::string_view folded;
    Place place;
    std::uint32_t number = 0;  // from 1
    std::span<const PredicateId> found;
    std::span<const RuleNumber> candidates;
    // If the field has no other value, and once that was so: the candidates that may hold, and
    // those of the rules that are always tried that cannot.
    bool tried = false;
    std::span<const RuleNumber> alone;
    std::span<const RuleNumber> ruled_out;
  };

  ValueMemory();

  // Before each event: what was given out for the last one may go.
  void begin() {
    if (bytes_ > bytes_max) clear();
  }
  void clear();

  std::size_t hash(const Place& place, std::string_view text) const {
    return hash_(text) ^ (place.field * 0x9E3779B97F4A7C15ULL + place.route * 2 + place.searched);
  }
  // Ask memory for what find() reads, without waiting for it: first the one, some time later the
  // other.
  void bring_near(std::size_t hash) const { __builtin_prefetch(row_of(hash).data()); }
  void bring_nearer(std::size_t hash) const {
    for (const Slot& slot : row_of(hash)) {
      if (slot.hash == hash) __builtin_prefetch(slot.value);
    }
  }
  // Null where it is not remembered.
  Value* find(std::size_t hash, const Place& place, std::string_view text) const {
    for (const Slot& slot : row_of(hash)) {
      if (slot.hash != hash || slot.value == nullptr) continue;
      Value& value = *slot.value;
      if (value.place == place && value.text == text) return &value;
    }
    return nullptr;
  }
  // Whether it should be remembered now: when it comes the second time.
  bool wants(std::size_t hash, std::string_view text) {
    if (text.size() > value_bytes_max || bytes_ > bytes_max) return false;
    const auto mark = static_cast<std::uint16_t>(hash >> 48 | 1);
    return std::exchange(seen_[hash >> 16 & (seen_count - 1)], mark) == mark;
  }
  // The lists may name one several times.
  Value& remember(std::size_t hash, const Place& place, std::string_view text,
                  std::string_view folded, std::vector<PredicateId>& found,
                  std::vector<RuleNumber>& candidates);
  std::span<const RuleNumber> keep(const std::vector<RuleNumber>& rules) {
    return keep(std::span<const RuleNumber>(rules));
  }

  // What a predicate answered to the value of this number.
  std::optional<bool> answer(PredicateId predicate, std::uint32_t value) const {
    const Answer& known = answers_[answer_place(predicate, value)];
    if (known.predicate != predicate || known.value >> 1 != value) return std::nullopt;
    return (known.value & 1) != 0;
  }
  void keep_answer(PredicateId predicate, std::uint32_t value, bool holds) {
    answers_[answer_place(predicate, value)] = {predicate, value << 1 | (holds ? 1U : 0U)};
  }

 private:
  // A value stands in one of a row of slots, which is one line of the processor's caches.
  static constexpr std::size_t row_slots = 4;
  static constexpr std::size_t rows_count = 8 * 1024;
  static constexpr std::size_t answers_count = 16 * 1024;
  // Many, since of two that take turns in one place neither would be remembered.
  static constexpr std::size_t seen_count = 64 * 1024;

  struct Slot {
    std::size_t hash = 0;
    Value* value = nullptr;
  };
  struct Answer {
    PredicateId predicate = 0;
    std::uint32_t value = 0;  // its number, and behind it whether the predicate holds
  };

  std::span<const Slot, row_slots> row_of(std::size_t hash) const {
    return std::span<const Slot, row_slots>(&slots_[hash % rows_count * row_slots], row_slots);
  }
  static std::size_t answer_place(PredicateId predicate, std::uint32_t value) {
    return ((std::uint64_t{predicate} << 32 | value) * 0x9E3779B97F4A7C15ULL) >> 50;
  }
  template <class T>
  std::span<const T> keep(std::span<const T> list) {
    if (list.empty()) return {};
    bytes_ += list.size_bytes();
    auto* const copy = static_cast<T*>(arena_.allocate(list.size_bytes(), alignof(T)));
    std::memcpy(copy, list.data(), list.size_bytes());
    return {copy, list.size()};
  }

  KeyedHash hash_;
  std::pmr::monotonic_buffer_resource arena_;
  std::size_t bytes_ = 0;
  std::uint32_t count_ = 0;
  std::vector<Slot> slots_;
  std::vector<std::uint16_t> seen_;  // marks of hashes
  std::vector<Answer> answers_;
};

}  // namespace mailwarden::detect
