#include "policy/entity_uid.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>

#include "base/text.h"

namespace mailwarden::policy {
namespace {

constexpr std::uint64_t mix(std::uint64_t hash, std::uint64_t word) {
  hash ^= word;
  hash *= 0x9e3779b97f4a7c15U;
  return hash ^ (hash >> 32);
}

std::uint64_t mix(std::uint64_t hash, std::string_view text) {
  while (text.size() >= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data(), 8);
    hash = mix(hash, word);
    text.remove_prefix(8);
  }
  std::uint64_t word = 0;
  if (!text.empty()) std::memcpy(&word, text.data(), text.size());
  return mix(hash, word ^ (std::uint64_t{text.size()} << 56));
}

// The code point at the start of well-formed UTF-8, and its length.
std::pair<char32_t, std::size_t> first_code_point(std::string_view text) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const unsigned char lead = byte(0);
  std::size_t length = 1;
  if (lead >= 0xf0) {
    length = 4;
  } else if (lead >= 0xe0) {
    length = 3;
  } else if (lead >= 0xc0) {
    length = 2;
  }
  if (length > text.size()) return {lead, 1};
  if (length == 1) return {lead, 1};
  char32_t point = lead & (0xffU >> (length + 1));
  for (std::size_t at = 1; at < length; ++at) point = (point << 6) | (byte(at) & 0x3fU);
  return {point, length};
}

constexpr std::array<std::string_view, 9> reserved_words = {"true", "false", "if",   "then", "else",
                                                            "in",   "is",    "like", "has"};

}  // namespace

std::uint64_t hash_of(std::string_view type, std::string_view id) {
  return mix(mix(0x51ed270b7a1f3c55U, type), id);
}

std::strong_ordering operator<=>(const EntityName& a, const EntityName& b) {
  if (const auto order = a.type <=> b.type; order != 0) return order;
  return a.id <=> b.id;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const auto [point, length] = first_code_point(text);
    switch (point) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      case 0:
        out += "\\0";
        break;
      default:
        if (point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0x2028 || point == 0x2029) {
          std::array<char, 16> escape;
          const int size =
              std::snprintf(escape.data(), escape.size(), "\\u{%x}", static_cast<unsigned>(point));
          out.append(escape.data(), static_cast<std::size_t>(size));
        } else {
          out += text.substr(0, length);
        }
    }
    text.remove_prefix(length);
  }
  return out + '"';
}

std::string to_text(std::string_view type, std::string_view id) {
  return std::string(type) + "::" + quoted(id);
}

bool is_identifier(std::string_view text) {
  const auto starts = [](char c) {
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  };
  return !text.empty() && starts(text.front()) &&
         std::ranges::all_of(text, [&](char c) { return starts(c) || (c >= '0' && c <= '9'); });
}

bool is_reserved(std::string_view identifier) {
  return identifier == "__cedar" ||
         std::ranges::find(reserved_words, identifier) != reserved_words.end();
}

bool type_is_valid(std::string_view type) {
  for (;;) {
    const auto colons = type.find("::");
    const auto part = type.substr(0, colons);
    if (!is_identifier(part) || is_reserved(part)) return false;
    if (colons == std::string_view::npos) return true;
    type.remove_prefix(colons + 2);
  }
}

std::string_view namespace_of(std::string_view type) {
  const auto colons = type.rfind("::");
  return colons == std::string_view::npos ? std::string_view() : type.substr(0, colons);
}

std::string_view basename_of(std::string_view type) {
  const auto colons = type.rfind("::");
  return colons == std::string_view::npos ? type : type.substr(colons + 2);
}

std::string name_in(std::string_view space, std::string_view name) {
  return space.empty() ? std::string(name) : std::string(space) + "::" + std::string(name);
}

}  // namespace mailwarden::policy
