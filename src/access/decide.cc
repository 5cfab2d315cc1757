#include "access/decide.h"

#include <utility>

#include "policy/entity_json.h"

namespace mailwarden::access {
namespace {

GrantDecision decide(const policy::DecisionPoint& point, const Question& question,
                     json::Object context, policy::Authorizer::Scratch& scratch) {
  auto request = std::make_shared<policy::Request>();
  request->principal = question.person;
  request->action = question.action;
  request->resource = question.system;
  GrantDecision decided;
  json::Value value(std::move(context));
  const auto read =
      policy::read_context(value, *request->memory, point.loaded().schema.get(), request->action);
  if (read) {
    request->context = *read;
    decided.decision = point.decide(*request, scratch);
  } else {
    decided.decision.why = policy::Decision::Why::invalid_request;
    decided.decision.invalid = read.error().what;
  }
  decided.context = std::move(*value.as_object());
  decided.request = std::move(request);
  return decided;
}

}  // namespace

bool wants(const policy::DecisionPoint& point, const policy::EntityUid& action,
           std::string_view attribute) {
  const policy::Schema* const schema = point.loaded().schema.get();
  const policy::ActionType* const known = schema == nullptr ? nullptr : schema->action(action);
  return known != nullptr && schema->types().attribute(known->context, attribute) != nullptr;
}

const policy::Entities::Entity* find(const policy::Entities& entities,
                                     const policy::EntityUid& uid) {
  return entities.known(entities.find(uid.type, uid.id));
}

GrantDecision decide_with_grants(const policy::DecisionPoint& point, const GrantView& view,
                                 const Question& question, json::Object context, Timestamp now,
                                 policy::Authorizer::Scratch& scratch) {
  GrantDecision best = decide(point, question, std::move(context), scratch);
  if (best.decision.is_allowed || question.person.type != "User") return best;
  const auto grants = view.all(question.person.id, question.system.id);
  if (grants.empty() || !wants(point, question.action, "grant")) return best;
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

DecisionRecord record_of(const InForce& in_force, const Question& question, GrantDecision decided) {
  DecisionRecord record{.principal = question.person,
                        .action = question.action,
                        .resource = question.system,
                        .context = std::move(decided.context),
                        .decision = std::move(decided.decision)};
  if (in_force.point == nullptr) return record;
  record.policies = in_force.point->loaded().hash;
  const policy::Entities& entities = in_force.point->authorizer().entities();
  const auto* const name = entities.find(question.person.type, question.person.id);
  if (const auto* const known = entities.known(name); known != nullptr) {
    record.facts = policy::to_json(known->attributes);
    for (const std::uint32_t above : entities.ancestors(name->number)) {
      record.groups.push_back(entities.name(above).uid());
    }
  }
  if (in_force.origins == nullptr) return record;
  if (const auto origins = in_force.origins->find(question.person.id);
      origins != in_force.origins->end()) {
    record.origins = origins->second;
  }
  return record;
}

}  // namespace mailwarden::access
