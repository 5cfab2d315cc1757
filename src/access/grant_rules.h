// What a request for access must be, and who decides on it.
//
// What     GrantRules is policies/access/grants.yaml: the purposes with the longest time of each,
//          the form of tickets, how much a reason must say, who approves and how often, how long a
//          request waits, and who may break the glass. The file says all in its comments.
// Owns     Nothing; a value.
// Threads  Read-only once it is made.
// Errors   parse_grant_rules(): Error{invalid} with every mistake of the file, a sentence a line.
// Limits   duration_max_max, wait_max_max, requests_open_max_max, names_max of each list.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/timestamp.h"
#include "policy/schema.h"

namespace mailwarden::access {

struct PurposeRule {
  std::string purpose;
  Duration duration_max{0};
  std::int64_t approvals = 1;  // or 2, by two people

  bool operator==(const PurposeRule&) const = default;
};

struct BreakGlassRule {
  std::vector<std::string> groups;  // whose members may
  Duration duration_max{0};
  Duration review_within{0};  // of the breaking

  bool operator==(const BreakGlassRule&) const = default;
};

struct GrantRules {
  static constexpr Duration duration_max_max = std::chrono::hours(24) * 31;
  static constexpr Duration wait_max_max = std::chrono::hours(24) * 31;
  static constexpr std::int64_t requests_open_max_max = 1000;
  static constexpr std::int64_t reason_words_min_max = 50;
  static constexpr std::size_t names_max = 100;

  std::vector<PurposeRule> purposes;
  std::vector<std::string> ticket_prefixes;  // digits follow
  std::int64_t reason_words_min = 3;
  std::int64_t requests_open_max = 5;  // of a person
  Duration wait_max = std::chrono::hours(24);
  std::vector<std::string> approvers;         // groups
  bool token_needed = false;                  // of whoever acts, or their word will do
  std::vector<std::string> on_behalf;         // groups whose members may ask for others
  std::optional<BreakGlassRule> break_glass;  // nobody may where it is absent

  // Null where there is no such purpose.
  const PurposeRule* purpose(std::string_view name) const;

  bool operator==(const GrantRules&) const = default;
};

// With a schema every purpose must be one of its enumeration `Purpose`. `file` is for messages.
Result<GrantRules> parse_grant_rules(std::string_view yaml, const std::string& file,
                                     const policy::Schema* schema = nullptr);

}  // namespace mailwarden::access
