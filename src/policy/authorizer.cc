#include "policy/authorizer.h"

#include <algorithm>

namespace mailwarden::policy {
namespace {

std::vector<ExprId> conditions_of(const PolicySet& policies) {
  std::vector<ExprId> all;
  for (std::size_t at = 0; at < policies.policies().size(); ++at) {
    all.push_back(policies.condition(at));
  }
  return all;
}

// Shares nothing: for an object that outlives what is made of it.
template <class T>
std::shared_ptr<const T> borrowed(const T& object) {
  return {std::shared_ptr<const T>(), &object};
}

}  // namespace

Authorizer::Authorizer(std::shared_ptr<const PolicySet> policies,
                       std::shared_ptr<const Entities> entities)
    : Authorizer(std::move(policies), std::move(entities), Options()) {}

Authorizer::Authorizer(std::shared_ptr<const PolicySet> policies,
                       std::shared_ptr<const Entities> entities, const Options& options)
    : policies_(std::move(policies)),
      entities_(std::move(entities)),
      options_(options),
      linked_(policies_->expressions(), *entities_, conditions_of(*policies_)),
      index_(*policies_, *entities_) {}

void Authorizer::authorize(const Bound& bound, Scratch& scratch, Answer& answer) const {
  scratch.memory_.begin(linked_);
  scratch.permits_.clear();
  scratch.forbids_.clear();
  answer.errors.clear();
  Evaluator evaluator(linked_, bound, scratch.memory_);
  const auto meet = [&](const ScopeIndex::Met& met) {
    Value value;
    if (!evaluator.evaluate(met.condition, value)) {
      answer.errors.push_back({met.policy, evaluator.error()});
    } else if (value.kind != Kind::boolean) {
      answer.errors.push_back({met.policy, {Failure::wrong_type, met.condition}});
    } else if (value.is_true()) {
      (met.is_permit ? scratch.permits_ : scratch.forbids_).push_back(met.policy);
    }
  };
  if (options_.use_index) {
    ScopeIndex::Subject principal = index_.subject(bound.principal());
    if (bound.supposed() != nullptr) principal.suppose(bound.supposed()->groups);
    index_.find(principal, index_.subject(bound.action()), index_.subject(bound.resource()),
                scratch.actions_, meet);
  } else {
    const auto& all = policies_->policies();
    for (std::uint32_t at = 0; at < all.size(); ++at) {
      if (!scope_holds(all[at], bound)) continue;
      meet({.policy = at,
            .condition = policies_->condition(at),
            .is_permit = all[at].effect == Effect::permit});
    }
  }
  answer.is_allowed = scratch.forbids_.empty() && !scratch.permits_.empty();
  answer.reasons = answer.is_allowed ? scratch.permits_ : scratch.forbids_;
  std::ranges::sort(answer.reasons);
  std::ranges::sort(answer.errors, {}, &PolicyError::policy);
}

bool Authorizer::scope_holds(const Policy& policy, const Bound& bound) const {
  const auto stands_in = [&](const EntityName& name, const EntityName& group) {
    return bound.stands_in(*entities_, name, group);
  };
  const auto holds = [&](const Scope& scope, const EntityName& name) {
    const bool asks_type = scope.kind == Scope::Kind::is || scope.kind == Scope::Kind::is_in;
    if (asks_type && scope.type != name.type) return false;
    if (scope.kind == Scope::Kind::equal) return name == *scope.entity;
    return !scope.has_entity() || stands_in(name, *scope.entity);
  };
  if (!holds(policy.principal, bound.principal()) || !holds(policy.resource, bound.resource())) {
    return false;
  }
  const ActionScope& action = policy.action;
  if (action.kind == ActionScope::Kind::any) return true;
  return std::ranges::any_of(action.entities, [&](const EntityName* one) {
    return action.kind == ActionScope::Kind::equal ? bound.action() == *one
                                                   : stands_in(bound.action(), *one);
  });
}

Answer authorize(const PolicySet& policies, const Entities& entities, const Request& request) {
  const Authorizer authorizer(borrowed(policies), borrowed(entities));
  Authorizer::Scratch scratch;
  Answer answer;
  authorizer.authorize(request, scratch, answer);
  return answer;
}

}  // namespace mailwarden::policy
