// What is read out of the text of YARA rules without compiling it.
//
// What     libyara does not say where a rule stands, so the lines are found here; and what the meta
//          `facts` holds is a small language of our own.
// Owns     What it answers.
// Threads  Pure.
// Errors   parse_facts(): Error{invalid} with what was expected.
// Limits   None.
// Source   YARA 4.2: comments, text strings, regular expressions and hex strings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace mailwarden::detect {

struct RulePlace {
  std::string name;
  std::size_t line = 0;  // from 1

  bool operator==(const RulePlace&) const = default;
};

// Every rule of the text in its order. Of a text that does not compile it finds what it can.
std::vector<RulePlace> find_rules(std::string_view text);

// "malware=1, hosts_affected=3": names of lower-case letters, digits and underscores; numbers that
// are not negative, or true for 1.
Result<std::map<std::string, std::int64_t>> parse_facts(std::string_view text);

}  // namespace mailwarden::detect
