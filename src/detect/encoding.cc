#include "detect/encoding.h"

#include <array>

#include "base/text.h"
#include "detect/fold.h"
#include "json/base64.h"

namespace mailwarden::detect {
namespace {

bool is_word(std::string_view text, std::size_t at) {
  if (at >= text.size()) return false;
  const char c = text[at];
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

constexpr std::array<std::string_view, 5> dash_forms{"-", "/", "\u2013", "\u2014", "\u2015"};

// The bytes of the dash at `at`, or 0 where none stands there or none that begins a word.
std::size_t dash_at(std::string_view text, std::size_t at) {
  if (at > 0 && is_word(text, at - 1)) return 0;
  for (const std::string_view form : dash_forms) {
    if (text.substr(at).starts_with(form)) {
      return is_word(text, at + form.size()) ? form.size() : 0;
    }
  }
  return 0;
}

void put_unit(std::string& out, unsigned unit, bool big) {
  const char low = static_cast<char>(unit & 0xFF);
  const char high = static_cast<char>(unit >> 8);
  out += big ? high : low;
  out += big ? low : high;
}

// Only of well-formed text.
unsigned code_point(std::string_view character) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(character[i]); };
  switch (character.size()) {
    case 1:
      return byte(0);
    case 2:
      return (byte(0) & 0x1FU) << 6 | (byte(1) & 0x3FU);
    case 3:
      return (byte(0) & 0x0FU) << 12 | (byte(1) & 0x3FU) << 6 | (byte(2) & 0x3FU);
    default:
      return (byte(0) & 0x07U) << 18 | (byte(1) & 0x3FU) << 12 | (byte(2) & 0x3FU) << 6 |
             (byte(3) & 0x3FU);
  }
}

}  // namespace

std::vector<std::string> base64_offsets(std::string_view bytes) {
  // The first characters mix in what stands before, the last ones what stands behind.
  constexpr std::array<std::size_t, 3> mixed_before{0, 2, 3};
  constexpr std::array<std::size_t, 3> mixed_behind{0, 3, 2};
  std::vector<std::string> texts;
  for (std::size_t shift = 0; shift < 3; ++shift) {
    const std::string whole = json::to_base64(std::string(shift, ' ') + std::string(bytes));
    const std::size_t cut = mixed_before[shift] + mixed_behind[(bytes.size() + shift) % 3];
    if (whole.size() > cut) texts.push_back(whole.substr(mixed_before[shift], whole.size() - cut));
  }
  return texts;
}

Result<std::string> utf16(std::string_view text, Utf16 kind) {
  if (!is_utf8(text)) {
    return fail(Code::invalid, "a text that is not UTF-8 cannot become UTF-16");
  }
  const bool big = kind == Utf16::big;
  std::string out = kind == Utf16::marked ? "\xFF\xFE" : "";
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = character_at(text, i);
    unsigned point = code_point(text.substr(i, length));
    i += length;
    if (point < 0x10000) {
      put_unit(out, point, big);
    } else {
      point -= 0x10000;
      put_unit(out, 0xD800 | point >> 10, big);
      put_unit(out, 0xDC00 | (point & 0x3FF), big);
    }
  }
  return out;
}

Result<std::vector<std::string>> dashes(std::string_view text) {
  std::vector<std::string> texts{""};
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = dash_at(text, i);
    if (length == 0) {
      for (std::string& one : texts) one += text[i];
      ++i;
      continue;
    }
    if (texts.size() * dash_forms.size() > dashes_max) {
      return fail(Code::invalid, "the value has so many dashes that 'windash' makes more than " +
                                     std::to_string(dashes_max) + " texts of it");
    }
    std::vector<std::string> more;
    for (const std::string& one : texts) {
      for (const std::string_view form : dash_forms) more.push_back(one + std::string(form));
    }
    texts = std::move(more);
    i += length;
  }
  return texts;
}

}  // namespace mailwarden::detect
