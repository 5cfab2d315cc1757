#include "db/postgres_text.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"

namespace mailwarden::db {
namespace {

// U+10FF00 to U+10FFFF in UTF-8: these two bytes, then BC to BF and any continuation.
constexpr std::string_view area = "\xF4\x8F";

bool is_in_area(std::string_view text) {
  return text.size() >= 4 && text.starts_with(area) && static_cast<unsigned char>(text[2]) >= 0xBC;
}

std::size_t find_area(std::string_view text, std::size_t from) {
  for (std::size_t at = text.find(area, from); at != text.npos; at = text.find(area, at + 1)) {
    if (is_in_area(text.substr(at))) return at;
  }
  return text.npos;
}

// Of the well-formed character at the beginning; 0 where there is none.
std::size_t length_of_character(std::string_view bytes) {
  for (std::size_t length = 1; length <= std::min<std::size_t>(4, bytes.size()); ++length) {
    if (is_utf8(bytes.substr(0, length))) return length;
  }
  return 0;
}

void append_escaped(std::string& out, char byte) {
  const auto value = static_cast<unsigned char>(byte);
  out += area;
  out += static_cast<char>(0xBC + (value >> 6));
  out += static_cast<char>(0x80 | (value & 0x3F));
}

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

std::string_view postgres_type(std::string_view word) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 4> types{
      {{"INTEGER", "BIGINT"},
       {"DOUBLE", "DOUBLE PRECISION"},
       {"TEXT", "TEXT COLLATE \"C\""},
       {"BLOB", "BYTEA"}}};
  const auto* const found = std::ranges::find(types, word, [](const auto& t) { return t.first; });
  return found == types.end() ? word : found->second;
}

}  // namespace

bool needs_escape(std::string_view bytes) {
  return bytes.find('\0') != bytes.npos || !is_utf8(bytes) || is_escaped(bytes);
}

std::string escape(std::string_view bytes) {
  std::string out;
  while (!bytes.empty()) {
    const std::size_t length = length_of_character(bytes);
    if (length == 0 || bytes.front() == '\0' || is_in_area(bytes)) {
      append_escaped(out, bytes.front());
      bytes.remove_prefix(1);
      continue;
    }
    out += bytes.substr(0, length);
    bytes.remove_prefix(length);
  }
  return out;
}

bool is_escaped(std::string_view text) {
  return find_area(text, 0) != text.npos;
}

std::string unescape(std::string_view text) {
  std::string out;
  std::size_t done = 0;
  for (std::size_t at = find_area(text, 0); at != text.npos; at = find_area(text, done)) {
    out += text.substr(done, at - done);
    const auto high = static_cast<unsigned char>(text[at + 2]);
    const auto low = static_cast<unsigned char>(text[at + 3]);
    out += static_cast<char>(((high - 0xBC) << 6) | (low & 0x3F));
    done = at + 4;
  }
  return out + std::string(text.substr(done));
}

void append_hex(std::string& out, std::span<const std::byte> blob) {
  constexpr std::string_view hex_digits = "0123456789abcdef";
  out += "\\x";
  const std::size_t begin = out.size();
  out.resize(begin + 2 * blob.size());
  char* at = out.data() + begin;
  for (const std::byte byte : blob) {
    *at++ = hex_digits[std::to_integer<unsigned>(byte) >> 4];
    *at++ = hex_digits[std::to_integer<unsigned>(byte) & 15];
  }
}

std::vector<std::byte> from_hex(std::string_view text) {
  std::vector<std::byte> out;
  if (!text.starts_with("\\x")) return out;
  out.resize(text.size() / 2 - 1);
  // 0 to 9 have their value in the low bits; a to f lack nine, and have bit 6 besides.
  const auto value = [](char c) { return (c & 15) + 9 * (c >> 6); };
  const char* at = text.data() + 2;
  for (std::byte& byte : out) {
    byte = static_cast<std::byte>(value(at[0]) << 4 | value(at[1]));
    at += 2;
  }
  return out;
}

void append_copied(std::string& line, std::string_view text) {
  std::size_t done = 0;
  // Each of these is looked for by itself, which a processor does many bytes at a time; they are
  // rare.
  const bool is_plain = text.find('\\') == text.npos && text.find('\n') == text.npos &&
                        text.find('\t') == text.npos && text.find('\r') == text.npos;
  for (std::size_t at = 0; !is_plain && at < text.size(); ++at) {
    const char c = text[at];
    if (c != '\\' && c != '\t' && c != '\n' && c != '\r') continue;
    line += text.substr(done, at - done);
    line += '\\';
    line += c == '\t' ? 't' : c == '\n' ? 'n' : c == '\r' ? 'r' : '\\';
    done = at + 1;
  }
  line += text.substr(done);
}

std::string postgres_types(std::string_view definition) {
  std::string out;
  while (!definition.empty()) {
    const auto* const end = std::ranges::find_if_not(definition, is_word);
    const auto length = static_cast<std::size_t>(end - definition.begin());
    out += postgres_type(definition.substr(0, length));
    definition.remove_prefix(length);
    if (definition.empty()) break;
    out += definition.front();
    definition.remove_prefix(1);
  }
  return out;
}

}  // namespace mailwarden::db
