// Base64, as RFC 4648 section 4 has it.
//
// What     Text for bytes that a JSON string or a signed note cannot hold as they are.
// Owns     Nothing.
// Threads  Pure.
// Errors   from_base64(): Error{invalid}; padding is required, stray bits and line breaks are
//          refused, so that one run of bytes has one text.
// Limits   None.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace mailwarden::json {

std::string to_base64(std::string_view bytes);
Result<std::string> from_base64(std::string_view text);

}  // namespace mailwarden::json
