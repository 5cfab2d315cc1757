// Texts as the specification speaks of them: characters, wildcards, encodings.
//
// What     A rule's text is a row of pieces, each a character, a `?` or a `*`; an event's text is a
//          row of characters. Everything is done a character at a time, for this is half of the
//          second evaluator, which is to be plainly right and may be slow.
// Owns     Nothing.
// Threads  Pure.
// Errors   Error{invalid} with a sentence without a place.
// Limits   windash_max and expand_max.
// Source   docs/sigma.md, Texts and Modifiers; Sigma 2.1.0.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace mailwarden::oracle {

inline constexpr std::size_t windash_max = 3125;
inline constexpr std::size_t expand_max = 10'000;

// Code points; a byte `b` that is no part of well-formed UTF-8 is `ill_formed + b`.
using Characters = std::u32string;
inline constexpr char32_t ill_formed = 0x110000;

Characters characters(std::string_view bytes);
std::string bytes_of(const Characters& text);
// The simple lower case of the simple upper case.
Characters folded(Characters text);

struct Piece {
  enum class Kind { character, one, run };

  Kind kind = Kind::character;
  char32_t character = 0;
  bool escaped = false;  // a percent sign that begins and ends no placeholder
};
using Text = std::vector<Piece>;

// How a rule's text is read: with wildcards and their escapes or, as an expression, without. Where
// `percent`, `\%` is a percent sign.
Text parse_text(std::string_view written, bool percent);
Text parse_expression(std::string_view written, bool percent);
bool has_wildcard(const Text& text);
// Of a text without wildcards.
std::string bytes_of(const Text& text);
bool matches(const Text& text, const Characters& value, bool cased);

Text open_start(Text text);
Text open_end(Text text);

Result<std::vector<Text>> windash(const Text& text);
Result<Text> base64(const Text& text);
Result<std::vector<Text>> base64offset(const Text& text);
// `modifier` is utf16le, wide, utf16be or utf16.
Result<Text> utf16(std::string_view modifier, const Text& text);

using Placeholders = std::map<std::string, std::vector<std::string>>;
// `read` makes a text of what the configuration gives for a name.
Result<std::vector<Text>> expand(const Text& text, const Placeholders& placeholders,
                                 const std::function<Text(std::string_view)>& read);

}  // namespace mailwarden::oracle
