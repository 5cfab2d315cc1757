// UUIDs that follow from a name.
//
// What     name_uuid() gives the same name the same UUID each time, and nobody else's name gives
//          it: version 5, SHA-1 over a namespace and the name. It is an identifier and no secret,
//          and nothing is believed because of it.
// Owns     Nothing.
// Threads  Pure.
// Errors   None.
// Limits   None.
// Source   RFC 9562, section 5.5; through OpenSSL's SHA-1.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace mailwarden::crypto {

using Uuid = std::array<std::byte, 16>;

Uuid name_uuid(const Uuid& name_space, std::string_view name);
// "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"
std::string to_string(const Uuid& uuid);

}  // namespace mailwarden::crypto
