#include "access/decide.h"

#include <utility>

#include "policy/entity_json.h"

namespace mailwarden::access {
namespace {

// Makes the request out of what was asked, in what may hold an earlier one.
Result<void> ask(policy::Request& request, const policy::DecisionPoint& point,
                 const json::Value& context) {
  request.memory->release();
  const auto read =
      policy::read_context(context, *request.memory, point.loaded().schema.get(), request.action);
  request.context = read ? *read : policy::Request().context;
  return read ? Result<void>() : std::unexpected(read.error());
}

GrantDecision decide(const policy::DecisionPoint& point, const Question& question,
                     json::Object context, Scratch& scratch) {
  policy::Request& request = scratch.request;
  request.principal = question.person;
  request.action = question.action;
  request.resource = question.system;
  GrantDecision decided;
  json::Value value(std::move(context));
  if (const auto asked = ask(request, point, value); asked) {
    decided.decision = point.decide(request, scratch.authorizer);
  } else {
    decided.decision.why = policy::Decision::Why::invalid_request;
    decided.decision.invalid = asked.error().what;
  }
  decided.context = std::move(*value.as_object());
  return decided;
}

}  // namespace

Wanted::Wanted(const policy::DecisionPoint& point, const policy::EntityUid& action)
    : schema_(point.loaded().schema.get()),
      action_(schema_ == nullptr ? nullptr : schema_->action(action)) {}

bool Wanted::operator()(std::string_view attribute) const {
  return action_ != nullptr && schema_->types().attribute(action_->context, attribute) != nullptr;
}

const policy::Entities::Entity* find(const policy::Entities& entities,
                                     const policy::EntityUid& uid) {
  return entities.known(entities.find(uid.type, uid.id));
}

GrantDecision decide_with_grants(const policy::DecisionPoint& point, const GrantView& view,
                                 const Question& question, json::Object context, Timestamp now,
                                 Scratch& scratch) {
  GrantDecision best = decide(point, question, std::move(context), scratch);
  if (best.decision.is_allowed || question.person.type != "User") return best;
  const auto grants = view.all(question.person.id, question.system.id);
  if (grants.empty() || !Wanted(point, question.action)("grant")) return best;
  const json::Object without = best.context;
  for (const Grant& grant : grants) {
    if (!view.is_live(grant, now)) continue;
    json::Object with = without;
    with["grant"] = context_of(grant);
    GrantDecision next = decide(point, question, std::move(with), scratch);
    next.grant = &grant;
    if (next.decision.is_allowed) return next;
    if (best.grant == nullptr) best = std::move(next);
  }
  return best;
}

void add_facts(DecisionRecord& record, const InForce& in_force) {
  if (in_force.point == nullptr) return;
  record.policies = in_force.point->loaded().hash;
  const policy::Entities& entities = in_force.point->authorizer().entities();
  const auto* const name = entities.find(record.principal.type, record.principal.id);
  if (const auto* const known = entities.known(name); known != nullptr) {
    record.facts = policy::to_json(known->attributes);
    for (const std::uint32_t above : entities.ancestors(name->number)) {
      record.groups.push_back(entities.name(above).uid());
    }
  }
  if (in_force.origins == nullptr) return;
  if (const auto origins = in_force.origins->find(record.principal.id);
      origins != in_force.origins->end()) {
    record.origins = origins->second;
  }
}

json::Value explanation_of(const policy::DecisionPoint& point, const DecisionRecord& record) {
  policy::Request request{
      .principal = record.principal, .action = record.action, .resource = record.resource};
  // Where the context is none, that is why, and the record says so.
  (void)ask(request, point, record.context);
  return policy::to_json(policy::explain(point, request, record.decision));
}

}  // namespace mailwarden::access
