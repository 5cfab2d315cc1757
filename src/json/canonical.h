// Reading JSON that must be canonical.
//
// What     parse_canonical() takes a text that is exactly what to_text() writes of its value, and
//          nothing else: whoever hashed the text and whoever reads it then mean the same. It is the
//          same answer as parse() and to_text() compared, at a third of the time, since what is
//          canonical can be read without looking for anything else.
// Owns     Nothing.
// Threads  Pure.
// Errors   invalid: not JSON, or not in its canonical form.
// Limits   ParseOptions.
// Source   RFC 8785, with the deviations of value.h.
#pragma once

#include <string_view>

#include "base/result.h"
#include "json/value.h"

namespace mailwarden::json {

Result<Value> parse_canonical(std::string_view text, const ParseOptions& options = {});

}  // namespace mailwarden::json
