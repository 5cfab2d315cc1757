#include "detect/field_names.h"

#include <algorithm>

namespace mailwarden::detect {

FieldId FieldNames::intern(std::string_view name) {
  if (name.empty()) return keyword_field;
  if (const FieldId known = find_exactly(name); known != no_field) return known;
  names_.emplace_back(name);
  if (names_.size() * 2 > slots_.size()) {
    slots_.assign(slots_.size() * 2, no_field);
    for (FieldId id = 1; id + 1 < names_.size(); ++id) put(id);
  }
  put(static_cast<FieldId>(names_.size() - 1));
  return static_cast<FieldId>(names_.size() - 1);
}

void FieldNames::put(FieldId id) {
  std::size_t at = place_of(names_[id]);
  while (slots_[at] != no_field) at = (at + 1) & (slots_.size() - 1);
  slots_[at] = id;
}

FieldId FieldNames::find_exactly(std::string_view name) const {
  if (name.empty()) return no_field;
  std::size_t at = place_of(name);
  for (; slots_[at] != no_field; at = (at + 1) & (slots_.size() - 1)) {
    if (names_[slots_[at]] == name) return slots_[at];
  }
  return no_field;
}

FieldId FieldNames::find_without_spaces(std::string_view name) const {
  std::string stripped(name);
  std::erase(stripped, ' ');
  return find_exactly(stripped);
}

}  // namespace mailwarden::detect
