// Whether policies make sense under a schema.
//
// What     Strict validation: every policy has the type Bool for every kind of request that the
//          schema allows, names only what the schema declares, and can apply to some action. What
//          passes does not fail for requests and entities that fit the schema, but for sums that
//          overflow.
// Owns     Nothing.
// Threads  Pure.
// Errors   Findings: one for each thing that is wrong in a policy, in sentences.
// Limits   None of its own.
// Source   Cedar.Validation.Validator of the formal model; Cedar 4.5, "Policy validation".
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "policy/policy_set.h"
#include "policy/schema.h"

namespace mailwarden::policy {

struct Finding {
  enum class Kind : std::uint8_t {
    unknown_name,  // an entity type, action or enumerated entity that is not declared
    no_action,     // no action applies to what its scope names
    wrong_type,
    level,
    never_applies,  // a warning
  };

  Kind kind = Kind::wrong_type;
  std::string policy;  // its id
  std::size_t line = 0;
  std::string what;

  bool operator==(const Finding&) const = default;
};

struct Findings {
  std::vector<Finding> errors;
  std::vector<Finding> warnings;  // policies that never apply

  bool passed() const { return errors.empty(); }
};

struct ValidateOptions {
  std::optional<std::size_t> level;  // RFC 76
};

Findings validate(const PolicySet& policies, const Schema& schema,
                  const ValidateOptions& options = {});

}  // namespace mailwarden::policy
