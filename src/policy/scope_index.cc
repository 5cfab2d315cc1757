#include "policy/scope_index.h"

#include <algorithm>

namespace mailwarden::policy {

ScopeIndex::ScopeIndex(const PolicySet& policies, const Entities& entities) : entities_(entities) {
  std::vector<Entry> entries;
  for (std::size_t at = 0; at < policies.policies().size(); ++at) {
    const Policy& policy = policies.policies()[at];
    entries.push_back({.policy = static_cast<std::uint32_t>(at),
                       .action = action_of(policy.action),
                       .principal = test_of(policy.principal),
                       .resource = test_of(policy.resource)});
  }
  place(std::move(entries));
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

void ScopeIndex::place(std::vector<Entry> entries) {
  const std::size_t numbers = entities_.size() + more_names_.size() + 1;
  std::vector<std::uint32_t> of_principal(numbers);
  std::vector<std::uint32_t> of_resource(numbers);
  for (const Entry& entry : entries) {
    if (entry.principal.entity != none) ++of_principal[entry.principal.entity];
    if (entry.resource.entity != none) ++of_resource[entry.resource.entity];
  }
  // Where an entry stands: the number of its entity, by side.
  const auto place_of = [&](const Entry& entry) -> std::uint64_t {
    const bool has_principal = entry.principal.entity != none;
    const bool has_resource = entry.resource.entity != none;
    if (!has_principal && !has_resource) return 0;
    const bool under_principal =
        has_principal && (!has_resource || of_principal[entry.principal.entity] <=
                                               of_resource[entry.resource.entity]);
    const std::uint64_t number = under_principal ? entry.principal.entity : entry.resource.entity;
    return (number + 1) << 1 | (under_principal ? 1U : 0U);
  };
  std::ranges::stable_sort(entries, {}, place_of);
  by_principal_.resize(numbers);
  by_resource_.resize(numbers);
  buckets_.emplace_back();
  std::uint64_t last = 0;
  for (const Entry& entry : entries) {
    const std::uint64_t at = place_of(entry);
    if (at != last) {
      auto& places = (at & 1) != 0 ? by_principal_ : by_resource_;
      places[(at >> 1) - 1] = static_cast<std::uint32_t>(buckets_.size());
      buckets_.push_back({.first = static_cast<std::uint32_t>(entries_.size())});
      last = at;
    }
    ++buckets_.back().count;
    entries_.push_back(entry);
  }
}

ScopeIndex::Subject ScopeIndex::subject(const EntityName& name) const {
  if (name.home == entities_.home()) {
    return {.number = name.number,
            .type = entities_[name.number].type,
            .ancestors = entities_.ancestors(name.number)};
  }
  // The last number is nobody's.
  Subject subject{.number = static_cast<std::uint32_t>(by_principal_.size() - 1)};
  if (!more_names_.empty()) {
    if (const auto at = more_names_.find(name.uid()); at != more_names_.end()) {
      subject.number = at->second;
    }
  }
  subject.type = entities_.type_number(name.type);
  if (subject.type != 0) return subject;
  const auto type = more_types_.find(name.type);
  subject.type = type == more_types_.end() ? none : type->second;
  return subject;
}

bool ScopeIndex::Subject::is_in(std::uint32_t group) const {
  if (ancestors.size() > 32) return std::ranges::binary_search(ancestors, group);
  return std::ranges::find(ancestors, group) != ancestors.end();
}

bool ScopeIndex::action_holds(std::uint32_t number, const Subject& action,
                              std::vector<std::uint8_t>& known) const {
  if (known[number] == 0) {
    const ActionTest& test = actions_[number];
    const bool holds = test.any || std::ranges::any_of(test.entities, [&](std::uint32_t entity) {
                         return entity == action.number || (!test.exactly && action.is_in(entity));
                       });
    known[number] = holds ? 2 : 1;
  }
  return known[number] == 2;
}

}  // namespace mailwarden::policy
