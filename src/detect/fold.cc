#include "detect/fold.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include <utf8proc.h>

#include "base/text.h"

namespace mailwarden::detect {
namespace {

constexpr std::uint64_t high_bits = 0x8080808080808080ULL;

// Eight ASCII bytes at once: a letter is where adding to reach 'A' sets the high bit and adding to
// pass 'Z' does not.
std::uint64_t lower_eight(std::uint64_t eight) {
  const std::uint64_t from_a = eight + 0x3F3F3F3F3F3F3F3FULL;  // high where >= 'A'
  const std::uint64_t past_z = eight + 0x2525252525252525ULL;  // high where > 'Z'
  const std::uint64_t letters = (from_a & ~past_z) & high_bits;
  return eight | (letters >> 2);  // 0x80 >> 2 is the bit of lower case
}

utf8proc_ssize_t decode(std::string_view text, std::size_t at, utf8proc_int32_t& point) {
  return utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()) + at,
                          static_cast<utf8proc_ssize_t>(text.size() - at), &point);
}

// Writes the code point at `at`, folded, to `out`, which it moves on; how many bytes it took.
std::size_t fold_point(char*& out, std::string_view text, std::size_t at) {
  utf8proc_int32_t point = 0;
  const utf8proc_ssize_t length = decode(text, at, point);
  if (length <= 0) {
    *out++ = text[at];
    return 1;
  }
  std::array<utf8proc_uint8_t, 4> bytes{};
  const auto size = utf8proc_encode_char(utf8proc_tolower(utf8proc_toupper(point)), bytes.data());
  out = std::copy_n(bytes.begin(), size, out);
  return static_cast<std::size_t>(length);
}

bool is_ascii(char c) {
  return (static_cast<unsigned char>(c) & 0x80) == 0;
}

}  // namespace

std::size_t fold_into(char* out, std::string_view text) {
  char* const begin = out;
  std::size_t i = 0;
  while (i < text.size()) {
    for (; i + 8 <= text.size(); i += 8, out += 8) {
      std::uint64_t eight = 0;
      std::memcpy(&eight, text.data() + i, 8);
      if ((eight & high_bits) != 0) break;
      eight = lower_eight(eight);
      std::memcpy(out, &eight, 8);
    }
    for (; i < text.size() && is_ascii(text[i]); ++i) *out++ = to_lower(text[i]);
    while (i < text.size() && !is_ascii(text[i])) i += fold_point(out, text, i);
  }
  return static_cast<std::size_t>(out - begin);
}

std::string fold(std::string_view text) {
  std::string out(folded_bytes_max(text.size()), '\0');
  out.resize(fold_into(out.data(), text));
  return out;
}

std::size_t character_at(std::string_view text, std::size_t at) {
  if ((static_cast<unsigned char>(text[at]) & 0x80) == 0) return 1;
  utf8proc_int32_t point = 0;
  const utf8proc_ssize_t length = decode(text, at, point);
  return length <= 0 ? 1 : static_cast<std::size_t>(length);
}

}  // namespace mailwarden::detect
