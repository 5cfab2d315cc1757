#include "policy/decision_point.h"

#include <algorithm>

#include "policy/conform.h"

namespace mailwarden::policy {

std::string_view to_string(Decision::Why why) {
  switch (why) {
    case Decision::Why::permitted:
      return "permitted";
    case Decision::Why::forbidden:
      return "forbidden";
    case Decision::Why::not_permitted:
      return "not_permitted";
    case Decision::Why::failed_forbid:
      return "failed_forbid";
    case Decision::Why::invalid_request:
      return "invalid_request";
    case Decision::Why::unknown_entity:
      return "unknown_entity";
  }
  return "not_permitted";
}

bool Decision::raises_alarm() const {
  return std::ranges::any_of(failed,
                             [](const Failed& one) { return one.effect == Effect::forbid; });
}

DecisionPoint::DecisionPoint(Loaded policies, std::shared_ptr<const Entities> entities)
    : loaded_(std::move(policies)), authorizer_(loaded_.policies, std::move(entities)) {
  for (const Policy& policy : loaded_.policies->policies()) {
    told_.push_back({.id = policy.id, .needs = policy.annotation("needs")});
  }
}

std::string DecisionPoint::unknown_in(const Bound& request) const {
  const Schema& schema = *loaded_.schema;
  const Entities& entities = authorizer_.entities();
  for (const EntityName* name : {&request.principal(), &request.resource()}) {
    if (entities.known(entities.find(*name)) != nullptr) continue;
    const EntityType* const type = schema.entity(name->type);
    if (type == nullptr) continue;
    const auto& attributes = schema.types()[type->attributes].attributes;
    if (std::ranges::any_of(attributes, &AttributeType::is_required)) {
      return to_text(*name) + " is not known";
    }
  }
  return "";
}

Decision DecisionPoint::decide(const Request& request, Authorizer::Scratch& scratch) const {
  Decision decision;
  const Bound bound(authorizer_.linked(), request);
  if (loaded_.schema != nullptr) {
    if (auto fits = conforms(request, *loaded_.schema); !fits) {
      decision.why = Decision::Why::invalid_request;
      decision.invalid = fits.error().what;
      return decision;
    }
    decision.invalid = unknown_in(bound);
    if (!decision.invalid.empty()) {
      decision.why = Decision::Why::unknown_entity;
      return decision;
    }
  }
  Answer answer;
  authorizer_.authorize(bound, scratch, answer);
  const auto& policies = loaded_.policies->policies();
  decision.is_allowed = answer.is_allowed;
  if (answer.is_allowed) {
    decision.why = Decision::Why::permitted;
  } else if (!answer.reasons.empty()) {
    decision.why = Decision::Why::forbidden;
  }
  for (const PolicyError& one : answer.errors) {
    const Policy& policy = policies[one.policy];
    decision.failed.push_back({.policy = policy.id,
                               .effect = policy.effect,
                               .what = describe(one.error, loaded_.policies->expressions())});
    if (policy.effect == Effect::permit || decision.why == Decision::Why::forbidden) continue;
    decision.is_allowed = false;
    decision.why = Decision::Why::failed_forbid;
  }
  const auto tell = [&](std::uint32_t policy) {
    const Told& told = told_[policy];
    decision.policies.push_back(told.id);
    if (!decision.is_allowed && told.needs) decision.needs.emplace_back(*told.needs);
  };
  if (decision.why == Decision::Why::failed_forbid) {
    // What permits did not decide.
    for (const PolicyError& one : answer.errors) {
      if (policies[one.policy].effect == Effect::forbid) tell(one.policy);
    }
  } else {
    decision.policies.reserve(answer.reasons.size());
    std::ranges::for_each(answer.reasons, tell);
  }
  return decision;
}

}  // namespace mailwarden::policy
