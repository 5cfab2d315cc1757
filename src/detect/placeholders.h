// Where the placeholders of a text stand.
//
// What     %name% is a placeholder; a backslash hides the percent sign behind it. `expand` and the
//          pipelines that go before it read a text in the same way, which is this one.
// Owns     Nothing.
// Threads  Pure.
// Errors   None: `%%`, which has no name, is told as a part of its own.
// Limits   None.
// Source   Sigma 2.1.0, placeholders; docs/sigma.md, "Modifiers".
#pragma once

#include <string>
#include <vector>

namespace mailwarden::detect {

struct PlaceholderPart {
  enum class Kind { text, name, nameless };
  Kind kind = Kind::text;
  std::string text;  // as the rule wrote it, or the name
};

// The parts one behind the other; those of kind text may be empty.
std::vector<PlaceholderPart> placeholder_parts(const std::string& text);

// What a text between placeholders says: percent signs without the backslashes that hide them.
std::string without_hidden_percents(const std::string& text);

}  // namespace mailwarden::detect
