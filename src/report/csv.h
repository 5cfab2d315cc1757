// CSV that a spreadsheet opens without obeying it.
//
// What     A cell that begins with = + - @ a tab or a carriage return, which spreadsheets take for
//          a formula, has an apostrophe put before it; so has one that begins with an apostrophe,
//          so that taking away one apostrophe from the front gives the text as it was. Numbers that
//          the caller knows to be numbers stay numbers, negative ones too.
// Owns     Nothing.
// Threads  Pure.
// Errors   None.
// Limits   None.
// Source   RFC 4180: CRLF behind each record, quotes doubled; OWASP "CSV Injection".
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "json/value.h"

namespace mailwarden::report {

// A cell as it stands in a file, quoted where it must be.
std::string csv_cell(std::string_view text);
// Texts as they are, numbers in decimal, null as nothing, the rest as canonical JSON.
std::string csv_cell(const json::Value& value);

}  // namespace mailwarden::report
