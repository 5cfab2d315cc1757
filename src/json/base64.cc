#include "json/base64.h"

#include <cstdint>

namespace mailwarden::json {
namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

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
      const std::size_t digit = pad ? 0 : alphabet.find(text[i]);
      if (digit == std::string_view::npos) return fail(Code::invalid, "not base64");
      bits = bits << 6 | static_cast<std::uint32_t>(digit);
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

}  // namespace mailwarden::json
