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
    : loaded_(std::move(policies)), authorizer_(loaded_.policies, std::move(entities)) {}

std::string DecisionPoint::unknown_in(const Request& request) const {
  const Schema& schema = *loaded_.schema;
  for (const EntityUid* uid : {&request.principal, &request.resource}) {
    const EntityType* const type = schema.entity(uid->type);
    if (type == nullptr) continue;
    const auto& attributes = schema.types()[type->attributes].attributes;
    if (std::ranges::none_of(attributes, &AttributeType::is_required)) continue;
    const Entities& entities = authorizer_.entities();
    if (entities.known(entities.find(uid->type, uid->id)) == nullptr) {
      return to_text(*uid) + " is not known";
    }
  }
  return "";
}

Decision DecisionPoint::decide(const Request& request, Authorizer::Scratch& scratch) const {
  Decision decision;
  if (loaded_.schema != nullptr) {
    if (auto fits = conforms(request, *loaded_.schema); !fits) {
      decision.why = Decision::Why::invalid_request;
      decision.invalid = fits.error().what;
      return decision;
    }
    decision.invalid = unknown_in(request);
    if (!decision.invalid.empty()) {
      decision.why = Decision::Why::unknown_entity;
      return decision;
    }
  }
  Answer answer;
  authorizer_.authorize(request, scratch, answer);
  const auto& policies = loaded_.policies->policies();
  decision.is_allowed = answer.is_allowed;
  if (answer.is_allowed) {
    decision.why = Decision::Why::permitted;
  } else if (!answer.reasons.empty()) {
    decision.why = Decision::Why::forbidden;
  }
  decision.policies.reserve(answer.reasons.size());
  for (const std::uint32_t at : answer.reasons) decision.policies.push_back(policies[at].id);
  for (const PolicyError& one : answer.errors) {
    const Policy& policy = policies[one.policy];
    decision.failed.push_back({.policy = policy.id,
                               .effect = policy.effect,
                               .what = describe(one.error, loaded_.policies->expressions())});
    if (policy.effect == Effect::permit || decision.why == Decision::Why::forbidden) continue;
    decision.is_allowed = false;
    decision.why = Decision::Why::failed_forbid;
  }
  // What permits did not decide.
  if (decision.why == Decision::Why::failed_forbid) {
    decision.policies.clear();
    for (const auto& one : decision.failed) {
      if (one.effect == Effect::forbid) decision.policies.push_back(one.policy);
    }
  }
  return decision;
}

}  // namespace mailwarden::policy
