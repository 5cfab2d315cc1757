// JSON as RFC 8785 has it, for what others sign.
//
// What     to_jcs() writes a value as every implementation of the JSON Canonicalization Scheme
//          does. It is to_text() but for the two deviations of value.h: members are ordered by
//          UTF-16 code units, and integers that a double does not hold are written as the nearest
//          that it does.
// Owns     Nothing.
// Threads  Pure.
// Errors   None.
// Limits   None.
// Source   RFC 8785, sections 3.2.2.3 and 3.2.3.
#pragma once

#include <string>

#include "json/value.h"

namespace mailwarden::json {

std::string to_jcs(const Value& value);

}  // namespace mailwarden::json
