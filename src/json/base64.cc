#include "json/base64.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace mailwarden::json {
namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::string_view url_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::uint8_t no_digit = 64;

using Digits = std::array<std::uint8_t, 256>;

constexpr Digits digits_of(std::string_view letters) {
  Digits digits{};
  std::ranges::fill(digits, no_digit);
  for (std::size_t i = 0; i < letters.size(); ++i) {
    digits[static_cast<unsigned char>(letters[i])] = static_cast<std::uint8_t>(i);
  }
  return digits;
}

constexpr Digits digits = digits_of(alphabet);
constexpr Digits url_digits = digits_of(url_alphabet);

std::uint32_t byte_at(std::string_view bytes, std::size_t i) {
  return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0;
}

}  // namespace

std::string to_base64(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::uint32_t three =
        byte_at(bytes, i) << 16 | byte_at(bytes, i + 1) << 8 | byte_at(bytes, i + 2);
    out += alphabet[three >> 18];
    out += alphabet[three >> 12 & 63];
    out += i + 1 < bytes.size() ? alphabet[three >> 6 & 63] : '=';
    out += i + 2 < bytes.size() ? alphabet[three & 63] : '=';
  }
  return out;
}

Result<std::string> from_base64(std::string_view text) {
  std::string out;
  if (text.size() % 4 == 0) {
    out.reserve(text.size() / 4 * 3);
    const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const bool pad = i >= text.size() - padding;
      const std::uint8_t digit = pad ? 0 : digits[static_cast<unsigned char>(text[i])];
      if (digit == no_digit) return fail(Code::invalid, "not base64");
      bits = bits << 6 | digit;
      if (i % 4 != 3) continue;
      out += static_cast<char>(bits >> 16);
      out += static_cast<char>(bits >> 8);
      out += static_cast<char>(bits);
      bits = 0;
    }
    out.resize(out.size() - padding);
  }
  // Writing it again tells at once of a wrong length and of bits beyond the last byte.
  if (to_base64(out) != text) return fail(Code::invalid, "not base64");
  return out;
}

std::string to_base64url(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() * 4 + 2) / 3);
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const char byte : bytes) {
    bits = bits << 8 | static_cast<unsigned char>(byte);
    for (held += 8; held >= 6; held -= 6) out += url_alphabet[bits >> (held - 6) & 63];
  }
  if (held > 0) out += url_alphabet[bits << (6 - held) & 63];
  return out;
}

Result<std::string> from_base64url(std::string_view text) {
  std::string out;
  out.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const char c : text) {
    const std::uint8_t digit = url_digits[static_cast<unsigned char>(c)];
    if (digit == no_digit) return fail(Code::invalid, "not base64url");
    bits = bits << 6 | digit;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    out += static_cast<char>(bits >> held);
  }
  // A lone digit holds no whole byte, and bits beyond the last byte would give it another text.
  const bool stray = (bits & ((1U << held) - 1)) != 0;
  if (held == 6 || stray) return fail(Code::invalid, "not base64url");
  return out;
}

}  // namespace mailwarden::json
