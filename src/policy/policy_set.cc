#include "policy/policy_set.h"

namespace mailwarden::policy {

ExprId join_conditions(const Policy& policy, Expressions& expressions) {
  std::vector<ExprId> parts;
  for (const Condition& one : policy.conditions) {
    parts.push_back(one.is_when ? one.body : expressions.unary(Op::negation, one.body));
  }
  if (parts.empty()) return expressions.boolean(true);
  // In pairs, so that a hundred thousand conditions stand 17 levels deep and not a hundred
  // thousand: readers recurse. `&&` means the same however it is grouped.
  while (parts.size() > 1) {
    std::size_t made = 0;
    for (std::size_t at = 0; at < parts.size(); at += 2) {
      parts[made++] = at + 1 < parts.size() ? expressions.binary(Op::both, parts[at], parts[at + 1])
                                            : parts[at];
    }
    parts.resize(made);
  }
  return parts.front();
}

Result<void> PolicySet::add_text(std::string_view text, const ParseOptions& options) {
  auto parsed = parse_policies(text, expressions_, options);
  if (!parsed) return std::unexpected(parsed.error());
  for (Policy& one : *parsed) {
    if (auto done = add(std::move(one)); !done) return done;
  }
  return {};
}

Result<void> PolicySet::add(Policy policy) {
  if (find(policy.id) != nullptr || find_template(policy.id) != nullptr) {
    return fail(Code::conflict, "there are two policies with the id '" + policy.id + "'");
  }
  if (policies_.size() + templates_.size() >= policies_max) {
    return fail(Code::full, "there are more than " + std::to_string(policies_max) + " policies");
  }
  if (policy.is_template()) {
    template_numbers_.emplace(policy.id, templates_.size());
    template_conditions_.push_back(join_conditions(policy, expressions_));
    templates_.push_back(std::move(policy));
    return {};
  }
  numbers_.emplace(policy.id, policies_.size());
  conditions_.push_back(join_conditions(policy, expressions_));
  policies_.push_back(std::move(policy));
  return {};
}

Result<void> PolicySet::link(std::string_view template_id, const std::string& id,
                             const std::optional<EntityUid>& principal,
                             const std::optional<EntityUid>& resource) {
  const Policy* const from = find_template(template_id);
  if (from == nullptr) {
    return fail(Code::not_found, "there is no template '" + std::string(template_id) + "'");
  }
  Policy linked = *from;
  linked.id = id;
  linked.made_from = from->id;
  const auto fill = [&](Scope& scope, const std::optional<EntityUid>& value,
                        const std::string& slot) -> Result<void> {
    if (scope.is_slot != value.has_value()) {
      return fail(Code::invalid, "the template '" + from->id + "' " +
                                     (scope.is_slot ? "needs" : "has no") + " " + slot);
    }
    if (value) scope.entity = expressions_.entity_name(value->type, value->id);
    scope.is_slot = false;
    return {};
  };
  if (auto done = fill(linked.principal, principal, "?principal"); !done) return done;
  if (auto done = fill(linked.resource, resource, "?resource"); !done) return done;
  return add(std::move(linked));
}

const Policy* PolicySet::find(std::string_view id) const {
  const auto at = numbers_.find(id);
  return at == numbers_.end() ? nullptr : &policies_[at->second];
}

const Policy* PolicySet::find_template(std::string_view id) const {
  const auto at = template_numbers_.find(id);
  return at == template_numbers_.end() ? nullptr : &templates_[at->second];
}

}  // namespace mailwarden::policy
