// The values that a group counts, and when each was seen.
//
// What     value_of() finds or makes a value. Entries name it by its address, which stays the same
//          until its last occurrence is removed.
// Owns     The values. The latest occurrence of one stands apart: most values are seen once.
// Threads  One.
// Errors   None.
// Limits   Its owner's: bytes(). In order of time an occurrence costs O(1), otherwise O(log n) of
//          those of its value.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <absl/container/btree_set.h>

#include "base/timestamp.h"
#include "detect/keyed_index.h"

namespace mailwarden::detect {

// Entries of the same time are in order of arrival.
struct Moment {
  Timestamp time;
  std::int64_t arrival = 0;

  auto operator<=>(const Moment&) const = default;
};

class Occurrences {
 public:
  // What is looked at most stands first, for there are many of them.
  struct Value {
    Moment latest = never;
    std::unique_ptr<absl::btree_set<Moment>> earlier;  // none where there is none
    std::size_t hash = 0;
    std::string text;

    std::string_view key() const { return text; }
  };
  static constexpr Moment never{{std::numeric_limits<std::int64_t>::min()}, -1};
  // Of a value at other moments than this one: the last before it, the first behind it.
  struct Neighbours {
    std::optional<Moment> before;
    std::optional<Moment> behind;
  };

  explicit Occurrences(const KeyedHash& hash) : hash_(hash) {}

  std::size_t bytes() const { return bytes_; }

  // One that was not there has no occurrence yet; the next call must be add().
  Value* value_of(std::string_view text);
  void add(Value& value, Moment at);
  void remove_oldest(Value& value);

  // Asks memory for what value_of() reads where values are few, without waiting for it.
  void bring_near() const {
    values_.ask(0);
    values_.ask(~std::size_t{0});
  }

  static Neighbours neighbours_of(const Value& value, Moment at);

 private:
  KeyedHash hash_;
  KeyedIndex<Value> values_;
  std::size_t bytes_ = 0;
};

}  // namespace mailwarden::detect
