#include "policy/authorizer.h"

#include <algorithm>
#include <unordered_map>

namespace mailwarden::policy {
namespace {

constexpr std::size_t block_bytes = 16 * 1024;

// Shares nothing: for an object that outlives what is made of it.
template <class T>
std::shared_ptr<const T> borrowed(const T& object) {
  return {std::shared_ptr<const T>(), &object};
}

}  // namespace

Authorizer::Scratch::Scratch() : block_(block_bytes), memory_(block_.data(), block_.size()) {}

Authorizer::Authorizer(std::shared_ptr<const PolicySet> policies,
                       std::shared_ptr<const Entities> entities)
    : Authorizer(std::move(policies), std::move(entities), Options()) {}

Authorizer::Authorizer(std::shared_ptr<const PolicySet> policies,
                       std::shared_ptr<const Entities> entities, const Options& options)
    : policies_(std::move(policies)),
      entities_(std::move(entities)),
      options_(options),
      linked_(policies_->expressions(), *entities_),
      index_(*policies_, *entities_) {
  std::unordered_map<ExprId, std::uint32_t> numbers;
  for (std::size_t at = 0; at < policies_->policies().size(); ++at) {
    const ExprId id = policies_->condition(at);
    const auto [number, is_new] =
        numbers.emplace(id, static_cast<std::uint32_t>(conditions_.size()));
    if (is_new) conditions_.push_back(id);
    compiled_.push_back({.condition = number->second,
                         .is_permit = policies_->policies()[at].effect == Effect::permit});
  }
}

// Equal conditions of many policies come to the same, so each is asked once a request.
const Authorizer::Scratch::Known& Authorizer::condition(std::uint32_t number, Evaluator& evaluator,
                                                        Scratch& scratch) const {
  using Came = Scratch::Known::Came;
  Scratch::Known& known = scratch.known_[number];
  if (known.turn == scratch.turn_) return known;
  known.turn = scratch.turn_;
  Value value;
  if (!evaluator.evaluate(conditions_[number], value)) {
    known.came = Came::failed;
    known.error = evaluator.error();
  } else if (value.kind != Kind::boolean) {
    known.came = Came::failed;
    known.error = {.failure = Failure::wrong_type, .at = conditions_[number]};
  } else {
    known.came = value.is_true() ? Came::yes : Came::no;
  }
  return known;
}

void Authorizer::authorize(const Request& request, Scratch& scratch, Answer& answer) const {
  if (scratch.fitted_to_ != this || ++scratch.turn_ == 0) {
    scratch.fitted_to_ = this;
    scratch.known_.assign(conditions_.size(), {});
    scratch.turn_ = 1;
  }
  scratch.memory_.release();
  scratch.permits_.clear();
  scratch.forbids_.clear();
  answer.errors.clear();
  const Bound bound = linked_.bind(request);
  Evaluator evaluator(linked_, bound, scratch.memory_);
  const auto meet = [&](std::uint32_t policy) {
    using Came = Scratch::Known::Came;
    const Compiled& compiled = compiled_[policy];
    const Scratch::Known& known = condition(compiled.condition, evaluator, scratch);
    if (known.came == Came::failed) answer.errors.push_back({policy, known.error});
    if (known.came != Came::yes) return;
    (compiled.is_permit ? scratch.permits_ : scratch.forbids_).push_back(policy);
  };
  if (options_.use_index) {
    index_.find(index_.subject(bound.principal), index_.subject(bound.action),
                index_.subject(bound.resource), scratch.actions_, meet);
  } else {
    for (std::uint32_t at = 0; at < compiled_.size(); ++at) {
      if (scope_holds(policies_->policies()[at], bound)) meet(at);
    }
  }
  answer.is_allowed = scratch.forbids_.empty() && !scratch.permits_.empty();
  answer.reasons = answer.is_allowed ? scratch.permits_ : scratch.forbids_;
  std::ranges::sort(answer.reasons);
  std::ranges::sort(answer.errors, {}, &PolicyError::policy);
}

bool Authorizer::scope_holds(const Policy& policy, const Bound& bound) const {
  const auto stands_in = [&](const EntityName& name, const EntityName& group) {
    if (name == group) return true;
    const EntityName* const below = entities_->find(name);
    const EntityName* const above = entities_->find(group);
    return below != nullptr && above != nullptr &&
           entities_->is_below(below->number, above->number);
  };
  const auto holds = [&](const Scope& scope, const EntityName& name) {
    const bool asks_type = scope.kind == Scope::Kind::is || scope.kind == Scope::Kind::is_in;
    if (asks_type && scope.type != name.type) return false;
    if (scope.kind == Scope::Kind::equal) return name == *scope.entity;
    return !scope.has_entity() || stands_in(name, *scope.entity);
  };
  if (!holds(policy.principal, bound.principal) || !holds(policy.resource, bound.resource)) {
    return false;
  }
  const ActionScope& action = policy.action;
  if (action.kind == ActionScope::Kind::any) return true;
  return std::ranges::any_of(action.entities, [&](const EntityName* one) {
    return action.kind == ActionScope::Kind::equal ? bound.action == *one
                                                   : stands_in(bound.action, *one);
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
