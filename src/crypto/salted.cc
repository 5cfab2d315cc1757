#include "crypto/salted.h"

namespace mailwarden::crypto {

Digest commitment(std::span<const std::byte> salt, std::string_view record) {
  return sha256({salt, as_bytes(record)});
}

std::string salted(const Salt& salt, std::string_view record) {
  return to_hex(salt) + std::string(record);
}

bool read_salted(std::string_view text, Salt& salt, std::string& record) {
  const std::string_view digits = text.substr(0, 2 * salt.size());
  if (!read_hex(digits, salt)) return false;
  record = text.substr(digits.size());
  return true;
}

}  // namespace mailwarden::crypto
