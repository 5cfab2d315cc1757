#include "detect/occurrences.h"

#include <iterator>
#include <utility>

namespace mailwarden::detect {
namespace {

// What a value costs beside a long text: its node and its place in the table, which is half empty.
constexpr std::size_t value_overhead = sizeof(Occurrences::Value) + 16 + 4 * sizeof(void*);
constexpr std::size_t earlier_bytes = 2 * sizeof(Moment);  // in a node that is half empty
constexpr std::size_t set_bytes = sizeof(absl::btree_set<Moment>) + 32;

std::size_t bytes_held(std::string_view text) {
  return value_overhead + (text.size() < sizeof(std::string) / 2 ? 0 : text.size() + 1);
}

}  // namespace

Occurrences::Value* Occurrences::value_of(std::string_view text) {
  const std::size_t hash = hash_(text);
  if (Value* const known = values_.find(hash, text)) return known;
  bytes_ += bytes_held(text);
  Value value;
  value.hash = hash;
  value.text = text;
  return &values_.insert(std::move(value));
}

void Occurrences::add(Value& value, Moment at) {
  if (value.latest < at) std::swap(value.latest, at);
  if (at == never) return;
  if (!value.earlier) {
    value.earlier = std::make_unique<absl::btree_set<Moment>>();
    bytes_ += set_bytes;
  }
  value.earlier->insert(value.earlier->end(), at);
  bytes_ += earlier_bytes;
}

void Occurrences::remove_oldest(Value& value) {
  if (!value.earlier) {
    bytes_ -= bytes_held(value.text);
    values_.erase(value);
    return;
  }
  value.earlier->erase(value.earlier->begin());
  if (value.earlier->empty()) {
    value.earlier.reset();
    bytes_ -= set_bytes;
  }
  bytes_ -= earlier_bytes;
}

Occurrences::Neighbours Occurrences::neighbours_of(const Value& value, Moment at) {
  if (value.latest == never) return {};
  if (value.latest < at) return {.before = value.latest};
  Neighbours found;
  if (value.latest != at) found.behind = value.latest;
  if (!value.earlier) return found;
  const auto from = value.earlier->lower_bound(at);
  if (from != value.earlier->begin()) found.before = *std::prev(from);
  const auto behind = from != value.earlier->end() && *from == at ? std::next(from) : from;
  if (behind != value.earlier->end()) found.behind = *behind;
  return found;
}

}  // namespace mailwarden::detect
