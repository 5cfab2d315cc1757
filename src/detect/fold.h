// Texts without regard to case.
//
// What     fold() maps each code point to the simple lower case of its simple upper case, so that
//          texts which differ in case alone become the same bytes. The number of characters stays.
// Owns     Nothing.
// Threads  Pure.
// Errors   None: bytes that are not valid UTF-8 stand as they are.
// Limits   None.
// Source   Unicode's UnicodeData by libutf8proc; docs/sigma.md, "Texts".
#pragma once

#include <string>
#include <string_view>

namespace mailwarden::detect {

// No text becomes longer than this when it is folded.
constexpr std::size_t folded_bytes_max(std::size_t bytes) {
  return bytes * 2;
}
// Writes the folded text to `out`, where there is room for it, and answers how long it is. What is
// ASCII alone costs little more than a copy.
std::size_t fold_into(char* out, std::string_view text);
std::string fold(std::string_view text);

// The bytes of the code point at `at`, or 1 where none is well-formed there.
std::size_t character_at(std::string_view text, std::size_t at);

}  // namespace mailwarden::detect
