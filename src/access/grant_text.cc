#include "access/grant_text.h"

#include <algorithm>
#include <set>

#include "base/text.h"

namespace mailwarden::access {
namespace {

bool is_letter_or_digit(char c) {
  return is_digit(c) || (to_lower(c) >= 'a' && to_lower(c) <= 'z');
}
bool is_ascii(char c) {
  return static_cast<unsigned char>(c) < 0x80;
}

// The code point that begins at `at` and is moved behind. Of well-formed UTF-8.
char32_t next_code_point(std::string_view text, std::size_t& at) {
  const auto lead = static_cast<unsigned char>(text[at++]);
  if (lead < 0x80) return lead;
  int more = 1;
  if (lead >= 0xE0) more = lead >= 0xF0 ? 3 : 2;
  char32_t point = lead & (0x3FU >> more);
  for (; more > 0 && at < text.size(); --more) {
    point = (point << 6U) | (static_cast<unsigned char>(text[at++]) & 0x3FU);
  }
  return point;
}

bool is_control(char32_t point) {
  return point < 0x20 || (point >= 0x7F && point < 0xA0) || point == 0x2028 || point == 0x2029;
}

// Embeddings, overrides and isolates of Unicode's bidirectional algorithm (UAX 9).
bool turns_direction(char32_t point) {
  return (point >= 0x202A && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069);
}

// Kana and Han.
bool has_no_spaces(char32_t point) {
  return (point >= 0x2E80 && point <= 0x9FFF) || (point >= 0x20000 && point <= 0x3FFFF);
}

}  // namespace

std::string shown(std::string_view text) {
  constexpr char digits[] = "0123456789abcdef";
  std::string made = "'";
  for (const char c : text.substr(0, shown_bytes_max)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c >= ' ' && c <= '~') {
      made += c;
    } else {
      made += {'\\', 'x', digits[byte >> 4U], digits[byte & 15U]};
    }
  }
  return made + (text.size() > shown_bytes_max ? "...'" : "'");
}

Result<void> check_text(std::string_view name, std::string_view text, std::size_t bytes_max,
                        bool lines) {
  if (text.size() > bytes_max) {
    return fail(Code::invalid, std::string(name) + " has " + std::to_string(text.size()) +
                                   " bytes, expected at most " + std::to_string(bytes_max));
  }
  if (!is_utf8(text)) return fail(Code::invalid, std::string(name) + " is not UTF-8");
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    const char32_t point = next_code_point(text, at);
    const bool breaks = lines && point == '\n';
    if ((!is_control(point) || breaks) && !turns_direction(point)) continue;
    return fail(Code::invalid, std::string(name) + " has a character at byte " +
                                   std::to_string(begin) + " that controls how text is shown");
  }
  return {};
}

std::int64_t count_words(std::string_view text) {
  std::set<std::string> words;
  std::string word;
  const auto finish = [&] {
    if (word.size() >= 2) words.insert(word);
    word.clear();
  };
  std::size_t characters = 0;  // in `word`, of a script without spaces
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    const char32_t point = next_code_point(text, at);
    const bool spaceless = has_no_spaces(point);
    const bool spelled = spaceless || point >= 0xA0 || is_letter_or_digit(text[begin]);
    if (!spelled || spaceless != (characters > 0)) {
      finish();
      characters = 0;
    }
    if (!spelled) continue;
    const std::string_view letter = text.substr(begin, at - begin);
    word += point < 0x80 ? std::string(1, to_lower(letter[0])) : std::string(letter);
    if (spaceless && ++characters == 2) {
      finish();
      characters = 0;
    }
  }
  if (characters == 0) finish();
  return static_cast<std::int64_t>(words.size());
}

Result<std::string> person_id(std::string_view name, std::string_view text) {
  constexpr std::size_t bytes_max = 254;  // RFC 5321, section 4.5.3.1.3 without its brackets
  constexpr std::string_view others = "!#$%&*+-/=?^_{|}~.@";
  const std::size_t at = text.find('@');
  const bool shaped =
      text.size() <= bytes_max && at != std::string_view::npos && at > 0 && at + 1 < text.size() &&
      text.find('@', at + 1) == std::string_view::npos && std::ranges::all_of(text, [&](char c) {
        return is_ascii(c) && (is_letter_or_digit(c) || others.find(c) != std::string_view::npos);
      });
  if (shaped) return to_lower(text);
  return fail(Code::invalid, std::string(name) + " " + shown(text) + " is not an e-mail address");
}

Result<void> check_ticket(std::string_view ticket, std::span<const std::string> prefixes) {
  for (const std::string& prefix : prefixes) {
    if (!ticket.starts_with(prefix)) continue;
    const std::string_view digits = ticket.substr(prefix.size());
    if (!digits.empty() && digits.size() <= ticket_digits_max &&
        std::ranges::all_of(digits, is_digit)) {
      return {};
    }
  }
  std::string forms;
  for (const std::string& prefix : prefixes) {
    forms += (forms.empty() ? "" : " or ") + prefix + "123";
  }
  return fail(Code::invalid, "the ticket " + shown(ticket) + " is none, expected " + forms);
}

}  // namespace mailwarden::access
