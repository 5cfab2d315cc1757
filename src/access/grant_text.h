// What people may write into a grant. Not for other modules.
//
// What     Checks of the texts of a request or an act. Text is kept as it was written, HTML and SQL
//          among it: whoever shows it escapes it. What makes a text look like another one is
//          refused: control characters, and those that turn the direction of writing.
// Owns     Nothing.
// Threads  Pure.
// Errors   Error{invalid}: one sentence that names the text; of what is repeated at most
//          shown_bytes_max.
// Limits   The caller's.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace mailwarden::access {

inline constexpr std::size_t shown_bytes_max = 60;

// The beginning of it, in quotes. What is not plain ASCII stands as \xNN, so that a letter that only
// looks like another is seen to be none.
std::string shown(std::string_view text);

// UTF-8 without what was said above; a line break only where `lines` allows it.
Result<void> check_text(std::string_view name, std::string_view text, std::size_t bytes_max,
                        bool lines);

// Different words of at least two letters or digits, whatever the case of ASCII. Of scripts without
// spaces between words each two characters are one.
std::int64_t count_words(std::string_view text);

// An e-mail address in lower case, since two spellings of one person would be two people.
Result<std::string> person_id(std::string_view name, std::string_view text);

// One of the prefixes and then 1 to ticket_digits_max digits.
inline constexpr std::size_t ticket_digits_max = 12;
Result<void> check_ticket(std::string_view ticket, std::span<const std::string> prefixes);

}  // namespace mailwarden::access
