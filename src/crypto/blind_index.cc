#include "crypto/blind_index.h"

#include <array>

#include "base/check.h"
#include "base/text.h"

namespace mailwarden::crypto {
namespace {

std::array<std::byte, 4> length_of(std::string_view text) {
  CHECK(text.size() <= UINT32_MAX);
  const auto length = static_cast<std::uint32_t>(text.size());
  return {static_cast<std::byte>(length >> 24), static_cast<std::byte>(length >> 16),
          static_cast<std::byte>(length >> 8), static_cast<std::byte>(length)};
}

}  // namespace

std::string normalise(std::string_view value, Normal form) {
  return form == Normal::exact ? std::string(value) : to_lower(trim(value));
}

Bytes blind_index(KeyView key, const Indexed& indexed, std::string_view value) {
  CHECK(indexed.bits >= Indexed::bits_min && indexed.bits <= Indexed::bits_max &&
        indexed.bits % 8 == 0);
  const std::string normal = normalise(value, indexed.form);
  const auto table_length = length_of(indexed.table);
  const auto column_length = length_of(indexed.column);
  const auto value_length = length_of(normal);
  const Digest digest =
      hmac_sha256(key, {as_bytes("mailwarden blind index 1"), table_length, as_bytes(indexed.table),
                        column_length, as_bytes(indexed.column), value_length, as_bytes(normal)});
  return {digest.begin(), digest.begin() + indexed.bits / 8};
}

}  // namespace mailwarden::crypto
