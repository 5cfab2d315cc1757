#include "base/text.h"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace mailwarden {
namespace {

unsigned char at(std::string_view s, std::size_t i) {
  return static_cast<unsigned char>(s[i]);
}

bool continues(std::string_view s, std::size_t i) {
  return i < s.size() && (at(s, i) & 0xC0) == 0x80;
}

// The length of the well-formed sequence at `i`, or 0.
std::size_t sequence_at(std::string_view s, std::size_t i) {
  const unsigned char first = at(s, i);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4 || !continues(s, i + 1)) return 0;
  const unsigned char second = at(s, i + 1);
  if (first < 0xE0) return 2;
  if (!continues(s, i + 2)) return 0;
  if (first < 0xF0) {
    const bool overlong = first == 0xE0 && second < 0xA0;
    const bool surrogate = first == 0xED && second > 0x9F;
    return overlong || surrogate ? 0 : 3;
  }
  const bool overlong = first == 0xF0 && second < 0x90;
  const bool too_large = first == 0xF4 && second > 0x8F;
  return overlong || too_large || !continues(s, i + 3) ? 0 : 4;
}

void append_escaped(std::string& out, unsigned char byte) {
  constexpr char digits[] = "0123456789abcdef";
  out += "\\x";
  out += digits[byte >> 4];
  out += digits[byte & 15];
}

bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

}  // namespace

bool is_utf8(std::string_view bytes) {
  std::size_t i = 0;
  while (i < bytes.size()) {
    // Log lines are nearly always ASCII: eight bytes at a time until one is not.
    while (i + 8 <= bytes.size()) {
      std::uint64_t eight = 0;
      std::memcpy(&eight, bytes.data() + i, 8);
      if ((eight & 0x8080808080808080ULL) != 0) break;
      i += 8;
    }
    if (i >= bytes.size()) break;
    const std::size_t length = sequence_at(bytes, i);
    if (length == 0) return false;
    i += length;
  }
  return true;
}

std::string to_utf8(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  for (std::size_t i = 0; i < bytes.size();) {
    const std::size_t length = sequence_at(bytes, i);
    if (length == 0) {
      out += "\xEF\xBF\xBD";
      ++i;
    } else {
      out += bytes.substr(i, length);
      i += length;
    }
  }
  return out;
}

std::string printable(std::string_view bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes.size();) {
    const std::size_t length = sequence_at(bytes, i);
    const unsigned char first = at(bytes, i);
    // U+0080 to U+009F are control characters too, two bytes long.
    const bool control =
        first < 0x20 || first == 0x7F || (length == 2 && first == 0xC2 && at(bytes, i + 1) < 0xA0);
    if (length == 0 || control) {
      const std::size_t escaped = length == 0 ? 1 : length;
      for (std::size_t k = 0; k < escaped; ++k) append_escaped(out, at(bytes, i + k));
      i += escaped;
    } else {
      if (first == '\\') out += '\\';
      out += bytes.substr(i, length);
      i += length;
    }
  }
  return out;
}

std::string in_quotes(std::string_view bytes) {
  return "'" + printable(bytes) + "'";
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::string to_lower(std::string_view ascii) {
  std::string out(ascii);
  std::ranges::transform(out, out.begin(), [](char c) { return to_lower(c); });
  return out;
}

bool equal_ignoring_case(std::string_view ascii_a, std::string_view ascii_b) {
  return std::ranges::equal(
      ascii_a, ascii_b, {}, [](char c) { return to_lower(c); }, [](char c) { return to_lower(c); });
}

std::optional<std::int64_t> to_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || failed != std::errc() || end != text.data() + text.size())
    return std::nullopt;
  return value;
}

std::optional<double> to_number(std::string_view text) {
  double value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || failed != std::errc() || end != text.data() + text.size())
    return std::nullopt;
  return value;
}

}  // namespace mailwarden
