// The samples that stand beside YARA rules, and whether the rules agree with them.
//
// What     Beside X.yar stands X.test.yml, a list of samples. Each has a `name`, the `rule` (its id
//          or name), `expect` (match; no match, which says nothing about other rules; or nothing,
//          which no rule at all may match), optionally the `path` that the rules see as the file's,
//          and its bytes:
//
//            - name: the macro fetches a program
//              rule: office_macro_download
//              expect: match
//              path: invoice.doc
//              parts:
//                - hex: d0cf11e0a1b11ae1
//                - at: 0x200
//                  text: "Sub AutoOpen()"
//
//          Bytes are one of `text` (UTF-8), `utf16le` and `utf16be` (of ASCII), `hex` (with
//          blanks), `base64`, `zip` (a list of members: `file` and its bytes, stored; `encrypted:
//          true` sets the flag and nothing else) or `parts`, one after the other. Each may say
//          `at`, the offset up to which zeros go before it, and `repeat`, how often it stands.
// Owns     Nothing.
// Threads  Pure but for reading files.
// Errors   test_yara_rules(): Error{invalid} where samples cannot be read, or as YaraRules::load().
//          A refused file, a warning, and a rule without a sample that matches and one that does
//          not are failures.
// Limits   sample_bytes_max a sample.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "detect/yara.h"

namespace mailwarden::detect {

inline constexpr std::size_t sample_bytes_max = std::size_t{16} * 1024 * 1024;

struct YaraSample {
  std::string name;
  std::string rule;
  std::string expect;  // "match", "no match" or "nothing"
  std::string path;
  std::string bytes;
  std::string where;  // file and line, for messages
};

// Every sample of a text; `file` is for messages.
Result<std::vector<YaraSample>> parse_yara_samples(std::string_view text, const std::string& file);

struct YaraTests {
  std::int64_t rules = 0;  // private ones are not counted
  std::int64_t samples = 0;
  std::vector<std::string> failures;  // a sentence each, with file and line
};

Result<YaraTests> test_yara_rules(const std::vector<std::string>& paths,
                                  const YaraRulesOptions& options = {});

}  // namespace mailwarden::detect
