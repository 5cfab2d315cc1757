// Files that only we may read.
//
// What     Opens a file for a secret, judging what was opened and not what its name leads to: a
//          regular file of ours or root's, closed to everybody else, and no symbolic link. Reads it
//          into memory for keys, and writes one whole or not at all.
// Owns     Nothing.
// Threads  Any.
// Errors   not_found, denied (who may read it, or whose it is), full (too long), conflict (it is
//          there already), io; with the path.
// Limits   As the caller says.
#pragma once

#include <string>

#include "crypto/secret.h"

namespace mailwarden::crypto {

Result<SecretBytes> read_key_file(const std::string& path, std::size_t bytes_max);

enum class KeyFileWrite : std::uint8_t { anew, in_place_of };

// Mode 0600, durable when it answers.
Result<void> write_key_file(const std::string& path, std::span<const std::byte> bytes,
                            KeyFileWrite how);

}  // namespace mailwarden::crypto
