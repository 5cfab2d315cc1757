// Policies and templates that are in force together.
//
// What     Texts are parsed into it, templates are linked; ids are unique over all of it. Its hash
//          names the set in records of decisions.
// Owns     Policies and their expressions.
// Threads  One while it is built; read-only then.
// Errors   add(): Error{invalid} of the parser, Error{conflict} for an id that is taken.
//          link(): Error{not_found} without the template, Error{invalid} for a slot too many or too
//          few, Error{conflict}.
// Limits   ParseOptions; policies_max.
// Source   Cedar 4.5, "Templates".
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "policy/parse_policy.h"
#include "policy/policy.h"

namespace mailwarden::policy {

class PolicySet {
 public:
  static constexpr std::size_t policies_max = 1'000'000;

  Result<void> add_text(std::string_view text, const ParseOptions& options = {});
  // Of a policy whose expressions stand in expressions().
  Result<void> add(Policy policy);
  Result<void> link(std::string_view template_id, const std::string& id,
                    const std::optional<EntityUid>& principal,
                    const std::optional<EntityUid>& resource);

  Expressions& expressions() { return expressions_; }
  const Expressions& expressions() const { return expressions_; }
  // Static and linked.
  const std::vector<Policy>& policies() const { return policies_; }
  const std::vector<Policy>& templates() const { return templates_; }
  // What a policy's conditions come to together.
  ExprId condition(std::size_t policy) const { return conditions_[policy]; }
  ExprId template_condition(std::size_t number) const { return template_conditions_[number]; }
  const Policy* find(std::string_view id) const;
  const Policy* find_template(std::string_view id) const;

 private:
  Expressions expressions_;
  std::vector<Policy> policies_;
  std::vector<ExprId> conditions_;
  std::vector<Policy> templates_;
  std::vector<ExprId> template_conditions_;
  std::map<std::string, std::size_t, std::less<>> numbers_;  // of policies
  std::map<std::string, std::size_t, std::less<>> template_numbers_;
};

// All conditions of a policy as one expression; `true` where it has none.
ExprId join_conditions(const Policy& policy, Expressions& expressions);

}  // namespace mailwarden::policy
