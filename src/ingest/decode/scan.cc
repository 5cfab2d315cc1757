#include "ingest/decode/scan.h"

#include <algorithm>
#include <charconv>

namespace mailwarden::ingest {

bool skip(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool cut(std::string_view& text, std::string_view suffix) {
  if (!text.ends_with(suffix)) return false;
  text.remove_suffix(suffix.size());
  return true;
}

std::optional<std::string_view> take_until(std::string_view& text, std::string_view mark) {
  const std::size_t end = text.find(mark);
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view taken = text.substr(0, end);
  text.remove_prefix(end + mark.size());
  return taken;
}

std::string_view take_word(std::string_view& text) {
  const std::size_t end = text.find(' ');
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return word;
}

std::optional<int> take_number(std::string_view& text) {
  constexpr std::size_t digits_max = 9;
  std::size_t length = 0;
  int value = 0;
  while (length < text.size() && text[length] >= '0' && text[length] <= '9') {
    if (length == digits_max) return std::nullopt;
    value = value * 10 + (text[length] - '0');
    ++length;
  }
  if (length == 0) return std::nullopt;
  text.remove_prefix(length);
  return value;
}

bool is_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_hex(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return hex_value(c) >= 0; });
}

bool is_address(std::string_view text) {
  // The longest text of an address is an IPv6 one with an IPv4 tail and a zone.
  constexpr std::size_t address_max = 64;
  if (text.empty() || text.size() > address_max) return false;
  const std::size_t colon = text.find(':');
  if (colon != std::string_view::npos) {
    const std::string_view plain = text.substr(0, text.find('%'));
    return text.find(':', colon + 1) != std::string_view::npos &&
           std::ranges::all_of(plain,
                               [](char c) { return c == ':' || c == '.' || hex_value(c) >= 0; });
  }
  return std::ranges::count(text, '.') == 3 && text.front() != '.' && text.back() != '.' &&
         text.find("..") == std::string_view::npos &&
         std::ranges::all_of(text, [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
}

int to_port(std::string_view text) {
  constexpr int port_max = 65535;
  int port = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, failed] = std::from_chars(text.data(), end, port);
  const bool whole = failed == std::errc() && stopped == end && !text.starts_with('-');
  return whole && port <= port_max ? port : 0;
}

std::string_view listed_value(std::string_view text, std::string_view name) {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::string_view rest = text.substr(at);
    if (rest.starts_with(name) && rest.size() > name.size() && rest[name.size()] == '=') {
      const std::string_view value = rest.substr(name.size() + 1);
      return value.substr(0, value.find(", "));
    }
    const std::size_t next = rest.find(", ");
    if (next == std::string_view::npos) return {};
    at += next + 2;
  }
  return {};
}

}  // namespace mailwarden::ingest
