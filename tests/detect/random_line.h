// One line of a random selection, and the event that it would like to see.
//
// What     A Line is YAML; its hints are fields and values with which it holds, if all goes well.
// Owns     Its content.
// Threads  Values.
// Errors   None.
// Limits   random_rules.h's.
// Source   docs/sigma.md.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/detect/random_rules.h"

namespace mailwarden::random_rules {

// What the rules and events of a case share.
struct Vocabulary {
  std::vector<std::string> words;
  std::vector<std::string> fields;
};

struct Hint {
  std::string field;  // "" for the raw line, or any field
  std::string value;
};

struct Line {
  std::string name;   // as a YAML scalar
  std::string value;  // as a YAML value
  std::vector<Hint> hints;
};

Vocabulary make_vocabulary(Choices& choices);
// What no YAML can hold, so that only events have it.
const std::vector<std::string>& ill_formed_texts();
const std::vector<std::string>& numbers();

std::string quoted(Choices& choices, std::string_view text);
// A line of one field.
Line make_line(Choices& choices, const Vocabulary& vocabulary);
// A line of keywords under modifiers without a field.
Line make_keyword_line(Choices& choices, const Vocabulary& vocabulary);
// A keyword as it stands in a list.
Line make_keyword(Choices& choices, const Vocabulary& vocabulary);
// A line that must be refused.
Line make_unlawful_line(Choices& choices, const Vocabulary& vocabulary);

}  // namespace mailwarden::random_rules
