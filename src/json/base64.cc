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
  std::string out((bytes.size() + 2) / 3 * 4, '=');
  char* at = out.data();
  for (std::size_t i = 0; i < bytes.size(); i += 3, at += 4) {
    const std::uint32_t three =
        byte_at(bytes, i) << 16 | byte_at(bytes, i + 1) << 8 | byte_at(bytes, i + 2);
    at[0] = alphabet[three >> 18];
    at[1] = alphabet[three >> 12 & 63];
    if (i + 1 < bytes.size()) at[2] = alphabet[three >> 6 & 63];
    if (i + 2 < bytes.size()) at[3] = alphabet[three & 63];
  }
  return out;
}

Result<std::string> from_base64(std::string_view text) {
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  if (text.size() % 4 != 0) return fail(Code::invalid, "not base64");
  const auto digit = [&](std::size_t i) -> std::uint32_t {
    return i < text.size() - padding ? digits[static_cast<unsigned char>(text[i])] : 0;
  };
  std::string out(text.size() / 4 * 3, '\0');
  char* at = out.data();
  std::uint32_t bits = 0;
  for (std::size_t i = 0; i < text.size(); i += 4, at += 3) {
    const std::array four{digit(i), digit(i + 1), digit(i + 2), digit(i + 3)};
    if (((four[0] | four[1] | four[2] | four[3]) & no_digit) != 0) {
      return fail(Code::invalid, "not base64");
    }
    bits = four[0] << 18 | four[1] << 12 | four[2] << 6 | four[3];
    at[0] = static_cast<char>(bits >> 16);
    at[1] = static_cast<char>(bits >> 8);
    at[2] = static_cast<char>(bits);
  }
  // Bits beyond the last byte would give it another text.
  if ((bits & ((1U << (8 * padding)) - 1)) != 0) return fail(Code::invalid, "not base64");
  out.resize(out.size() - padding);
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
