// How Cedar names an entity.
//
// What     EntityUid owns a type ("Mail::System") and an id ("billing-db"). EntityName is the same
//          as a view with its hash, as it stands in memory that somebody else owns; equal names
//          have equal hashes whoever made them.
// Owns     EntityUid its texts; EntityName nothing.
// Threads  Values.
// Errors   None; type_is_valid() tells whether a text can be a type.
// Limits   None.
// Source   Cedar 4.5, "Entities and context syntax".
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace mailwarden::policy {

struct EntityUid {
  std::string type;
  std::string id;

  auto operator<=>(const EntityUid&) const = default;
};

struct EntityName {
  std::string_view type;
  std::string_view id;
  std::uint64_t hash = 0;
  const void* home = nullptr;  // whose table holds it; nobody's where it stands alone
  std::uint32_t number = 0;    // its place in that table

  EntityUid uid() const { return {std::string(type), std::string(id)}; }
};

std::uint64_t hash_of(std::string_view type, std::string_view id);

inline bool operator==(const EntityName& a, const EntityName& b) {
  if (&a == &b) return true;
  if (a.home != nullptr && a.home == b.home) return a.number == b.number;
  return a.hash == b.hash && a.id == b.id && a.type == b.type;
}
std::strong_ordering operator<=>(const EntityName& a, const EntityName& b);

// Type::"id", with what Cedar escapes escaped.
std::string to_text(std::string_view type, std::string_view id);
inline std::string to_text(const EntityUid& uid) {
  return to_text(uid.type, uid.id);
}
inline std::string to_text(const EntityName& name) {
  return to_text(name.type, name.id);
}

// A Cedar string literal of `text`, with its quotes.
std::string quoted(std::string_view text);

bool is_identifier(std::string_view text);      // letters, digits, '_'; a reserved word too
bool is_reserved(std::string_view identifier);  // `if`, `true`, `__cedar`, ...
bool type_is_valid(std::string_view type);      // identifiers that are not reserved, by "::"
// "Mail" of "Mail::User", "" of "User"; and "User" of both.
std::string_view namespace_of(std::string_view type);
std::string_view basename_of(std::string_view type);
// "Mail::User" of "Mail" and "User", "User" of "" and "User".
std::string name_in(std::string_view space, std::string_view name);

}  // namespace mailwarden::policy
