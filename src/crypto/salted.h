// A record with the salt that its commitment has.
//
// What     What is committed to is SHA-256(salt ‖ record): whoever has not the salt confirms no
//          guess of the record. Where the two are sealed as one text, the salt stands before the
//          record in hexadecimal digits, which name nobody.
// Owns     Nothing.
// Threads  Pure.
// Errors   read_salted(): false where the text does not begin with a salt.
// Limits   None.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "crypto/sha256.h"

namespace mailwarden::crypto {

using Salt = std::array<std::byte, 16>;

Digest commitment(std::span<const std::byte> salt, std::string_view record);

std::string salted(const Salt& salt, std::string_view record);
bool read_salted(std::string_view text, Salt& salt, std::string& record);

}  // namespace mailwarden::crypto
