// Reading a line from its ends.
//
// What     Small steps over a view: take a word, take up to a mark, cut a known suffix. A decoder
// is a
//          row of such steps, so it costs one pass and no memory of its own.
// Owns     Nothing; every view points into its argument.
// Threads  Pure.
// Errors   A step that does not fit answers false or nothing and leaves its argument alone.
// Limits   None.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace mailwarden::ingest {

// Removes `prefix` from the front where it stands there.
bool skip(std::string_view& text, std::string_view prefix);
// Removes `suffix` from the end where it stands there.
bool cut(std::string_view& text, std::string_view suffix);

// What stands before the first `mark`; both are removed.
std::optional<std::string_view> take_until(std::string_view& text, std::string_view mark);
// What stands before the next space, or all of it; the space is removed too.
std::string_view take_word(std::string_view& text);
// Digits at the front as a number of at most nine digits.
std::optional<int> take_number(std::string_view& text);

bool is_digits(std::string_view text);
bool is_hex(std::string_view text);
// The value of a hexadecimal digit, or -1.
int hex_value(char c);

// An IPv4 or IPv6 address by its characters. Whoever wrote the log has already parsed it, so this
// only keeps prose from passing for an address.
bool is_address(std::string_view text);
// A port, or 0 where `text` is none.
int to_port(std::string_view text);

// "name=value, name=<value>": the value of `name`, up to the next ", " or the end. The name must
// begin the text or follow ", ".
std::string_view listed_value(std::string_view text, std::string_view name);

}  // namespace mailwarden::ingest
