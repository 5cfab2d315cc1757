#include "policy/scope_index.h"

#include <algorithm>

namespace mailwarden::policy {

ScopeIndex::ScopeIndex(const PolicySet& policies, const Entities& entities) : entities_(entities) {
  place(policies);
}

std::uint32_t ScopeIndex::number_of(const EntityName& name) {
  if (const EntityName* const known = entities_.find(name)) return known->number;
  const auto next = static_cast<std::uint32_t>(entities_.size() + more_names_.size());
  return more_names_.emplace(name.uid(), next).first->second;
}

std::uint32_t ScopeIndex::type_of(std::string_view type) {
  if (const std::uint32_t known = entities_.type_number(type); known != 0) return known;
  // Behind every number that the entities can have given.
  const auto next = static_cast<std::uint32_t>(entities_.size() + more_types_.size() + 1);
  return more_types_.emplace(type, next).first->second;
}

ScopeIndex::Test ScopeIndex::test_of(const Scope& scope) {
  Test test{.exactly = scope.kind == Scope::Kind::equal};
  if (scope.has_entity()) test.entity = number_of(*scope.entity);
  if (scope.kind == Scope::Kind::is || scope.kind == Scope::Kind::is_in) {
    test.type = type_of(scope.type);
  }
  return test;
}

std::uint32_t ScopeIndex::action_of(const ActionScope& scope) {
  ActionTest test{.any = scope.kind == ActionScope::Kind::any,
                  .exactly = scope.kind == ActionScope::Kind::equal,
                  .entities = {}};
  for (const EntityName* one : scope.entities) test.entities.push_back(number_of(*one));
  const auto [at, is_new] =
      action_numbers_.emplace(test, static_cast<std::uint32_t>(actions_.size()));
  if (is_new) actions_.push_back(std::move(test));
  return at->second;
}

void ScopeIndex::place(const PolicySet& policies) {
  struct Placed {
    std::uint64_t place = 0;  // the number of an entity and its side, 0 for none
    Entry entry;
  };
  const auto& all = policies.policies();
  std::vector<std::pair<Test, Test>> tests;
  for (const Policy& policy : all) {
    tests.emplace_back(test_of(policy.principal), test_of(policy.resource));
    action_of(policy.action);
  }
  const std::size_t numbers = entities_.size() + more_names_.size() + 1;
  std::vector<std::uint32_t> of_principal(numbers);
  std::vector<std::uint32_t> of_resource(numbers);
  for (const auto& [principal, resource] : tests) {
    if (principal.entity != none) ++of_principal[principal.entity];
    if (resource.entity != none) ++of_resource[resource.entity];
  }
  std::vector<Placed> placed;
  for (std::size_t at = 0; at < all.size(); ++at) {
    const auto& [principal, resource] = tests[at];
    const bool under_resource =
        resource.entity != none &&
        (principal.entity == none || of_resource[resource.entity] < of_principal[principal.entity]);
    const Test& own = under_resource ? resource : principal;
    Placed& one = placed.emplace_back();
    if (own.entity != none)
      one.place = (std::uint64_t{own.entity} + 1) << 1 | (under_resource ? 1U : 0U);
    one.entry = {.met = {.policy = static_cast<std::uint32_t>(at),
                         .condition = policies.condition(at),
                         .is_permit = all[at].effect == Effect::permit},
                 .action = action_of(all[at].action),
                 .exactly = own.exactly ? own.entity : none,
                 .own_type = own.type,
                 .other = under_resource ? principal : resource};
  }
  std::ranges::stable_sort(placed, {}, &Placed::place);
  by_principal_.resize(numbers);
  by_resource_.resize(numbers);
  buckets_.emplace_back();
  std::uint64_t last = 0;
  for (const auto& [place, entry] : placed) {
    if (place != last) {
      auto& places = (place & 1) != 0 ? by_resource_ : by_principal_;
      places[(place >> 1) - 1] = static_cast<std::uint32_t>(buckets_.size());
      buckets_.push_back({.first = static_cast<std::uint32_t>(entries_.size())});
      last = place;
    }
    ++buckets_.back().count;
    entries_.push_back(entry);
  }
}

ScopeIndex::Subject ScopeIndex::subject(const EntityName& name) const {
  if (name.home == entities_.home()) {
    Subject subject{.number = name.number, .type = entities_[name.number].type};
    subject.suppose(entities_.ancestors(name.number));
    return subject;
  }
  // The last number is nobody's.
  Subject subject{.number = static_cast<std::uint32_t>(by_principal_.size() - 1)};
  if (!more_names_.empty()) {
    if (const auto at = more_names_.find(name.uid()); at != more_names_.end()) {
      subject.number = at->second;
    }
  }
  subject.sketch = std::uint64_t{1} << (subject.number & 63);
  subject.type = entities_.type_number(name.type);
  if (subject.type != 0) return subject;
  const auto type = more_types_.find(name.type);
  subject.type = type == more_types_.end() ? none : type->second;
  return subject;
}

void ScopeIndex::Subject::suppose(std::span<const std::uint32_t> groups) {
  ancestors = groups;
  sketch = std::uint64_t{1} << (number & 63);
  for (const std::uint32_t above : ancestors) sketch |= std::uint64_t{1} << (above & 63);
}

bool ScopeIndex::ask_action(std::uint32_t number, const Subject& action,
                            std::vector<std::uint8_t>& known) const {
  const ActionTest& test = actions_[number];
  const bool holds = test.any || std::ranges::any_of(test.entities, [&](std::uint32_t entity) {
                       return test.exactly ? entity == action.number : action.is_in(entity);
                     });
  known[number] = holds ? 2 : 1;
  return holds;
}

}  // namespace mailwarden::policy
