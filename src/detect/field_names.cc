#include "detect/field_names.h"

#include <algorithm>

namespace mailwarden::detect {

FieldId FieldNames::intern(std::string_view name) {
  if (name.empty()) return keyword_field;
  const auto [place, fresh] =
      ids_.try_emplace(std::string(name), static_cast<FieldId>(names_.size()));
  if (fresh) names_.emplace_back(name);
  return place->second;
}

FieldId FieldNames::find(std::string_view name) const {
  const auto found = ids_.find(name);
  if (found != ids_.end()) return found->second;
  if (!name.contains(' ')) return no_field;
  std::string stripped(name);
  std::erase(stripped, ' ');
  const auto again = ids_.find(stripped);
  return again == ids_.end() ? no_field : again->second;
}

}  // namespace mailwarden::detect
