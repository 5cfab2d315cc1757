// Numbers that name rows of one kind, so that an incident's number never passes for a step's.
//
// What     Id<Tag> wraps the 64-bit number a table gave a row; 0 is no row.
// Owns     Nothing.
// Threads  Values.
// Errors   None.
// Limits   None.
#pragma once

#include <compare>
#include <cstdint>

namespace mailwarden {

template <class Tag>
struct Id {
  std::int64_t value = 0;

  explicit operator bool() const { return value != 0; }
  auto operator<=>(const Id&) const = default;
};

}  // namespace mailwarden
