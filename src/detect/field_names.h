// The names of the fields that rules ask for, as small numbers.
//
// What     intern() numbers a name once, when rules are compiled; find() looks one up.
// Owns     The names.
// Threads  find() from any thread once nothing is interned any more.
// Errors   None.
// Limits   None.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "detect/keyed_hash.h"

namespace mailwarden::detect {

using FieldId = std::uint32_t;
inline constexpr FieldId no_field = 0xFFFFFFFF;
// Stands for every value of the event and its raw line.
inline constexpr FieldId keyword_field = 0;

class FieldNames {
 public:
  FieldNames() : identity_(std::make_shared<char>()), names_{""}, slots_(64, no_field) {}

  FieldId intern(std::string_view name);
  // no_field where no rule asks for it. Spaces do not count.
  FieldId find(std::string_view name) const {
    const FieldId found = find_exactly(name);
    return found == no_field && name.contains(' ') ? find_without_spaces(name) : found;
  }
  // Another one's is another as long as this one's is held.
  const std::shared_ptr<const void>& identity() const { return identity_; }
  std::string_view name(FieldId id) const { return names_[id]; }
  std::size_t size() const { return names_.size(); }

 private:
  // Every event asks for each of its names, so the table is kept plain.
  std::size_t place_of(std::string_view name) const {
    return KeyedHash()(name) & (slots_.size() - 1);
  }
  FieldId find_exactly(std::string_view name) const;
  FieldId find_without_spaces(std::string_view name) const;
  void put(FieldId id);

  std::shared_ptr<const void> identity_;
  std::vector<std::string> names_;
  std::vector<FieldId> slots_;  // by the names' hashes, open
};

}  // namespace mailwarden::detect
