// The examples that stand beside rules, and whether the rules agree with them.
//
// What     Beside X.yml stands X.test.yml, a list of examples. Each has a `name`, `expect: match`
//          or `no match`, `lines` as a log would hold them, and optionally `decoder` (else auto)
//          and `rule` (the id or name of a rule of that file; else the file's last one):
//
//            - name: five failures within a minute
//              expect: match
//              lines:
//                - "Nov 24 02:20:01 mail1 sshd[1]: Failed password for root from 203.0.113.7 ..."
//
//          The lines run through all rules of the folders, one after the other, and the rule must
//          have been detected, or not. Times without a year are of 2026, in UTC.
// Owns     Nothing.
// Threads  Pure but for reading files.
// Errors   test_rules(): Error{invalid} where rules or examples cannot be read; a rule without a
//          positive and a negative example is a failure.
// Limits   lines_max lines an example.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "event/event.h"

namespace mailwarden::detect {

inline constexpr std::size_t lines_max = 10'000;

struct ExampleLine {
  std::string text;
  std::string decoder;
  std::int64_t position = 0;
};
// Detection does not know decoders; whoever calls brings one.
using DecodeLine = std::function<Result<Event>(const ExampleLine&)>;

struct RuleTests {
  std::int64_t rules = 0;
  std::int64_t examples = 0;
  std::vector<std::string> failures;  // a sentence each, with file and line
};

Result<RuleTests> test_rules(const std::vector<std::string>& folders, const DecodeLine& decode);

}  // namespace mailwarden::detect
