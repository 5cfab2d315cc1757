// The names of the fields that rules ask for, as small numbers.
//
// What     intern() numbers a name once, when rules are compiled; find() looks one up.
// Owns     The names.
// Threads  find() from any thread once nothing is interned any more.
// Errors   None.
// Limits   None.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace mailwarden::detect {

using FieldId = std::uint32_t;
inline constexpr FieldId no_field = 0xFFFFFFFF;
// Stands for every value of the event and its raw line.
inline constexpr FieldId keyword_field = 0;

class FieldNames {
 public:
  FieldNames() : names_{""} {}

  FieldId intern(std::string_view name);
  // no_field where no rule asks for it. Spaces do not count.
  FieldId find(std::string_view name) const;
  std::string_view name(FieldId id) const { return names_[id]; }
  std::size_t size() const { return names_.size(); }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };

  std::vector<std::string> names_;
  std::unordered_map<std::string, FieldId, Hash, std::equal_to<>> ids_;
};

}  // namespace mailwarden::detect
