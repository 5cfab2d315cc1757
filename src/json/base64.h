// Base64 and base64url.
//
// What     Text for bytes that a JSON string or a signed note cannot hold as they are.
// Owns     Nothing.
// Threads  Pure.
// Errors   Error{invalid}: from_base64() wants padding, from_base64url() wants none; both refuse
//          stray bits, blanks and line breaks, so that one run of bytes has one text.
// Limits   None.
// Source   RFC 4648, sections 4 and 5; RFC 7515, section 2, for leaving the padding out.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace mailwarden::json {

std::string to_base64(std::string_view bytes);
Result<std::string> from_base64(std::string_view text);

// With '-' and '_' in the place of '+' and '/', as names of files, URLs and web tokens have it.
std::string to_base64url(std::string_view bytes);
Result<std::string> from_base64url(std::string_view text);

}  // namespace mailwarden::json
