#include "event/fields.h"

#include <array>
#include <charconv>

namespace mailwarden {

void Fields::add(std::string_view name, std::string_view value, FieldKind kind) {
  slots_.push_back({.name = static_cast<std::uint32_t>(text_.size()),
                    .name_bytes = static_cast<std::uint32_t>(name.size()),
                    .value_bytes = static_cast<std::uint32_t>(value.size()),
                    .kind = kind});
  text_ += name;
  text_ += value;
}

void Fields::add(std::string_view name, std::int64_t number) {
  std::array<char, 20> digits{};
  const auto [end, failed] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  add(name, std::string_view(digits.data(), end), FieldKind::number);
}

std::optional<Field> Fields::find(std::string_view name) const {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const Field field = (*this)[i];
    if (field.name == name) return field;
  }
  return std::nullopt;
}

std::string_view Fields::text(std::string_view name) const {
  const auto field = find(name);
  return field ? field->value : std::string_view();
}

bool Fields::operator==(const Fields& other) const {
  if (size() != other.size()) return false;
  for (std::size_t i = 0; i < size(); ++i) {
    const Field a = (*this)[i];
    const Field b = other[i];
    if (a.name != b.name || a.value != b.value || a.kind != b.kind) return false;
  }
  return true;
}

}  // namespace mailwarden
