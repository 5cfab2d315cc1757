#include "tests/detect/oracle_text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include <utf8proc.h>

#include "base/text.h"

namespace mailwarden::oracle {
namespace {

using Kind = Piece::Kind;

std::string utf8(char32_t character) {
  std::array<utf8proc_uint8_t, 4> bytes{};
  const auto length = utf8proc_encode_char(static_cast<utf8proc_int32_t>(character), bytes.data());
  return {bytes.begin(), bytes.begin() + length};
}

char32_t fold(char32_t character) {
  if (character >= ill_formed) return character;
  const auto upper = utf8proc_toupper(static_cast<utf8proc_int32_t>(character));
  return static_cast<char32_t>(utf8proc_tolower(upper));
}

Piece literal(char32_t character) {
  return {.kind = Kind::character, .character = character};
}

Text literals(std::string_view bytes) {
  Text text;
  for (const char32_t character : characters(bytes)) text.push_back(literal(character));
  return text;
}

bool is_character(const Piece& piece, std::u32string_view among) {
  return piece.kind == Kind::character && among.contains(piece.character);
}

// Each stretch between wildcards is made into other bytes, which are read as characters again.
Text each_stretch(const Text& text, const std::function<std::string(const Characters&)>& change) {
  Text changed;
  Characters stretch;
  const auto end_stretch = [&] {
    for (const Piece& piece : literals(change(stretch))) changed.push_back(piece);
    stretch.clear();
  };
  for (const Piece& piece : text) {
    if (piece.kind == Kind::character) {
      stretch += piece.character;
      continue;
    }
    end_stretch();
    changed.push_back(piece);
  }
  end_stretch();
  return changed;
}

std::string base64_of(std::string_view bytes) {
  static constexpr std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string encoded;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::uint32_t three = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      three <<= 8;
      if (at + k < bytes.size()) three |= static_cast<unsigned char>(bytes[at + k]);
    }
    const std::size_t told = std::min<std::size_t>(bytes.size() - at, 3);
    for (std::size_t k = 0; k < 4; ++k) {
      encoded += k <= told ? alphabet[(three >> (18 - 6 * k)) & 63] : '=';
    }
  }
  return encoded;
}

}  // namespace

Characters characters(std::string_view bytes) {
  Characters found;
  while (!bytes.empty()) {
    std::size_t length = 1;
    while (length <= 4 && length <= bytes.size() && !is_utf8(bytes.substr(0, length))) ++length;
    if (length > 4 || length > bytes.size()) {
      found += static_cast<char32_t>(ill_formed + static_cast<unsigned char>(bytes.front()));
      bytes.remove_prefix(1);
      continue;
    }
    utf8proc_int32_t character = 0;
    utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(bytes.data()),
                     static_cast<utf8proc_ssize_t>(length), &character);
    found += static_cast<char32_t>(character);
    bytes.remove_prefix(length);
  }
  return found;
}

std::string bytes_of(const Characters& text) {
  std::string bytes;
  for (const char32_t character : text) {
    if (character >= ill_formed) {
      bytes += static_cast<char>(character - ill_formed);
    } else {
      bytes += utf8(character);
    }
  }
  return bytes;
}

Characters folded(Characters text) {
  for (char32_t& character : text) character = fold(character);
  return text;
}

Text parse_text(std::string_view written, bool percent) {
  const Characters all = characters(written);
  const std::u32string_view escapable = percent ? U"*?\\%" : U"*?\\";
  Text text;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i] == U'\\' && i + 1 < all.size() && escapable.contains(all[i + 1])) {
      ++i;
      text.push_back({.kind = Kind::character, .character = all[i], .escaped = true});
    } else if (all[i] == U'*') {
      text.push_back({.kind = Kind::run});
    } else if (all[i] == U'?') {
      text.push_back({.kind = Kind::one});
    } else {
      text.push_back(literal(all[i]));
    }
  }
  return text;
}

Text parse_expression(std::string_view written, bool percent) {
  const Characters all = characters(written);
  Text text;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!percent || all[i] != U'\\' || i + 1 == all.size()) {
      text.push_back(literal(all[i]));
      continue;
    }
    if (all[i + 1] != U'%') text.push_back(literal(all[i]));
    ++i;
    text.push_back({.kind = Kind::character, .character = all[i], .escaped = true});
  }
  return text;
}

bool has_wildcard(const Text& text) {
  return std::ranges::any_of(text, [](const Piece& p) { return p.kind != Kind::character; });
}

std::string bytes_of(const Text& text) {
  Characters all;
  for (const Piece& piece : text) all += piece.character;
  return bytes_of(all);
}

// reached[n] tells whether the pieces so far can be the first n characters.
bool matches(const Text& text, const Characters& value, bool cased) {
  std::vector<bool> reached(value.size() + 1, false);
  reached[0] = true;
  for (const Piece& piece : text) {
    std::vector<bool> next(value.size() + 1, false);
    for (std::size_t n = 0; n <= value.size(); ++n) {
      if (piece.kind == Kind::run) {
        next[n] = reached[n] || (n > 0 && next[n - 1]);
      } else if (n > 0 && reached[n - 1]) {
        next[n] = piece.kind == Kind::one || piece.character == value[n - 1] ||
                  (!cased && fold(piece.character) == fold(value[n - 1]));
      }
    }
    reached = next;
  }
  return reached[value.size()];
}

Text open_start(Text text) {
  text.insert(text.begin(), {.kind = Kind::run});
  return text;
}

Text open_end(Text text) {
  text.push_back({.kind = Kind::run});
  return text;
}

Result<std::vector<Text>> windash(const Text& text) {
  static constexpr std::u32string_view dashes = U"-/–—―";
  static constexpr std::u32string_view word =
      U"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
  std::vector<Text> all{text};
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    if (!is_character(text[i], dashes) || !is_character(text[i + 1], word)) continue;
    if (i > 0 && is_character(text[i - 1], word)) continue;
    std::vector<Text> more;
    for (const Text& one : all) {
      for (const char32_t dash : dashes) {
        more.push_back(one);
        more.back()[i].character = dash;
      }
    }
    all = std::move(more);
    if (all.size() > windash_max) {
      return fail(Code::invalid, "windash makes more than 3125 texts of one value");
    }
  }
  return all;
}

Result<Text> base64(const Text& text) {
  if (has_wildcard(text)) return fail(Code::invalid, "base64 takes no wildcards");
  return literals(base64_of(bytes_of(text)));
}

// A character of the encoding is sure where all its six bits come from the value.
Result<std::vector<Text>> base64offset(const Text& text) {
  if (has_wildcard(text)) return fail(Code::invalid, "base64offset takes no wildcards");
  const std::string bytes = bytes_of(text);
  std::vector<Text> all;
  for (std::size_t before = 0; before < 3; ++before) {
    const std::string encoded = base64_of(std::string(before, ' ') + bytes);
    const std::size_t first_bit = 8 * before;
    const std::size_t bits_end = 8 * (before + bytes.size());
    std::string sure;
    for (std::size_t k = 0; k < encoded.size(); ++k) {
      if (6 * k >= first_bit && 6 * (k + 1) <= bits_end) sure += encoded[k];
    }
    if (sure.empty()) return fail(Code::invalid, "too short to leave anything in each form");
    all.push_back(literals(sure));
  }
  return all;
}

Result<Text> utf16(std::string_view modifier, const Text& text) {
  for (const Piece& piece : text) {
    if (piece.kind == Kind::character && piece.character >= ill_formed) {
      return fail(Code::invalid, std::string(modifier) + " takes valid UTF-8 only");
    }
  }
  const bool big = modifier == "utf16be";
  const auto unit = [big](std::uint32_t value) {
    const char low = static_cast<char>(value & 0xFF);
    const char high = static_cast<char>(value >> 8);
    return big ? std::string{high, low} : std::string{low, high};
  };
  bool first = modifier == "utf16";
  return each_stretch(text, [&](const Characters& stretch) {
    std::string bytes = first ? "\xFF\xFE" : "";
    first = false;
    for (const char32_t character : stretch) {
      if (character < 0x10000) {
        bytes += unit(character);
      } else {
        bytes += unit(0xD800 + ((character - 0x10000) >> 10));
        bytes += unit(0xDC00 + ((character - 0x10000) & 0x3FF));
      }
    }
    return bytes;
  });
}

Result<std::vector<Text>> expand(const Text& text, const Placeholders& placeholders,
                                 const std::function<Text(std::string_view)>& read) {
  const auto is_percent = [](const Piece& piece) {
    return is_character(piece, U"%") && !piece.escaped;
  };
  std::vector<Text> all{Text()};
  for (auto at = text.begin(); at != text.end();) {
    const auto end = is_percent(*at) ? std::find_if(at + 1, text.end(), is_percent) : text.end();
    if (end == text.end()) {
      for (Text& one : all) one.push_back(*at);
      ++at;
      continue;
    }
    const Text name(at + 1, end);
    const auto values = placeholders.find(bytes_of(name));
    if (has_wildcard(name) || values == placeholders.end() || values->second.empty()) {
      return fail(Code::invalid, "the placeholder %" + bytes_of(name) + "% has no values");
    }
    std::vector<Text> more;
    for (const Text& one : all) {
      for (const std::string& value : values->second) {
        more.push_back(one);
        const Text read_value = read(value);
        more.back().insert(more.back().end(), read_value.begin(), read_value.end());
      }
    }
    if (more.size() > expand_max) {
      return fail(Code::invalid, "expand makes more than 10000 texts of one value");
    }
    all = std::move(more);
    at = end + 1;
  }
  return all;
}

}  // namespace mailwarden::oracle
