// Literal texts without which a value cannot match.
//
// What     evidence_of() gives the texts of which a value that a matcher takes must hold at least
//          one. Rules are looked up by them; what has none is always tried.
// Owns     Nothing.
// Threads  Pure.
// Errors   None.
// Limits   literal_bytes_max of a text that is searched anywhere; of longer ones the beginning.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "detect/literal_index.h"
#include "detect/matcher.h"

namespace mailwarden::detect {

struct Evidence {
  LiteralIndex::Where where = LiteralIndex::Where::anywhere;
  std::string text;      // folded
  bool number = false;   // the text is a number in its canonical form
  bool decides = false;  // where it stands, the matcher matches, and only there
};

inline constexpr std::size_t literal_bytes_max = 256;

// Every choice there is: of each inner list one text must stand in a value that matches. None where
// a value may match without any known text.
using Choices = std::vector<std::vector<Evidence>>;
Choices evidence_of(const Matcher& matcher);

}  // namespace mailwarden::detect
