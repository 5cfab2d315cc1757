// Other ways in which a text may stand in a log.
//
// What     Base64 at any offset, UTF-16 and the dashes of Windows command lines, as Sigma's
//          modifiers ask for them. Each function answers with the texts that a value becomes.
// Owns     Nothing.
// Threads  Pure.
// Errors   utf16(): Error{invalid} for a text that is not valid UTF-8; dashes(): Error{invalid}
//          where there would be too many.
// Limits   dashes_max texts of one value.
// Source   Sigma 2.1.0, encoding modifiers and windash; RFC 4648 section 4 (Base64).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace mailwarden::detect {

inline constexpr std::size_t dashes_max = 3125;

// What surely stands in the Base64 of any text that holds `bytes`, by the place where it begins.
std::vector<std::string> base64_offsets(std::string_view bytes);

enum class Utf16 { little, big, marked };
Result<std::string> utf16(std::string_view text, Utf16 kind);

// Every combination of the five dashes at each place where one begins a word. `text` is as a rule
// writes it, wildcards and all.
Result<std::vector<std::string>> dashes(std::string_view text);

}  // namespace mailwarden::detect
