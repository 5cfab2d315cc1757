// The part of policy_json.h that writes.
#include "policy/entity_json.h"
#include "policy/policy_json.h"

namespace mailwarden::policy {
namespace {

class ExpressionWriter {
 public:
  explicit ExpressionWriter(const Expressions& expressions) : expressions_(expressions) {}

  json::Value write(ExprId id) const {
    const Node& node = expressions_[id];
    switch (node.op) {
      case Op::literal:
        return one("Value", to_json(expressions_.literal_of(node)));
      case Op::variable:
        return one("Var", to_string(static_cast<Variable>(node.detail)));
      case Op::if_then_else:
        return one(
            "if-then-else",
            json::Object{{"if", write(node.a)}, {"then", write(node.b)}, {"else", write(node.c)}});
      case Op::negation:
      case Op::is_empty:
        return one(text_of(node.op), json::Object{{"arg", write(node.a)}});
      case Op::minus:
        return one("neg", json::Object{{"arg", write(node.a)}});
      case Op::has_attribute:
      case Op::get_attribute:
        return one(text_of(node.op),
                   json::Object{{"left", write(node.a)}, {"attr", expressions_.name(node.b)}});
      case Op::is_type:
        return one("is", json::Object{{"left", write(node.a)},
                                      {"entity_type", expressions_.name(node.b)}});
      case Op::like:
        return one("like", json::Object{{"left", write(node.a)},
                                        {"pattern", pattern(expressions_.pattern(node.b))}});
      case Op::set:
        return one("Set", list(node.a));
      case Op::record:
        return one("Record", record(node));
      case Op::call:
        return one(info_of(static_cast<Function>(node.detail)).name, list(node.a));
      default:
        return one(text_of(node.op),
                   json::Object{{"left", write(node.a)}, {"right", write(node.b)}});
    }
  }

 private:
  static json::Value one(std::string_view name, json::Value inner) {
    json::Object object;
    object.emplace(std::string(name), std::move(inner));
    return object;
  }

  static json::Value pattern(const Pattern& pattern) {
    json::Array parts;
    for (std::size_t at = 0; at < pattern.size(); ++at) {
      if (at > 0) parts.emplace_back("Wildcard");
      if (!pattern[at].empty()) parts.push_back(one("Literal", pattern[at]));
    }
    return parts;
  }

  json::Array list(std::uint32_t number) const {
    json::Array items;
    for (const ExprId id : expressions_.list(number)) items.push_back(write(id));
    return items;
  }

  json::Object record(const Node& node) const {
    json::Object members;
    const auto values = expressions_.list(node.a);
    const auto names = expressions_.list(node.b);
    for (std::size_t at = 0; at < values.size(); ++at) {
      members.emplace(std::string(expressions_.name(names[at])), write(values[at]));
    }
    return members;
  }

  const Expressions& expressions_;
};

json::Object target(const Scope& scope, std::string_view variable) {
  if (scope.is_slot) return {{"slot", "?" + std::string(variable)}};
  return {{"entity", to_json(scope.entity->uid())}};
}

json::Object scope_json(const Scope& scope, std::string_view variable) {
  json::Object made;
  switch (scope.kind) {
    case Scope::Kind::any:
      return {{"op", "All"}};
    case Scope::Kind::equal:
    case Scope::Kind::in:
      made = target(scope, variable);
      made["op"] = scope.kind == Scope::Kind::equal ? "==" : "in";
      return made;
    case Scope::Kind::is_in:
      made["in"] = target(scope, variable);
      [[fallthrough]];
    case Scope::Kind::is:
      made["op"] = "is";
      made["entity_type"] = scope.type;
  }
  return made;
}

json::Object action_json(const ActionScope& scope) {
  switch (scope.kind) {
    case ActionScope::Kind::any:
      return {{"op", "All"}};
    case ActionScope::Kind::equal:
      return {{"op", "=="}, {"entity", to_json(scope.entities.front()->uid())}};
    case ActionScope::Kind::in:
      return {{"op", "in"}, {"entity", to_json(scope.entities.front()->uid())}};
    case ActionScope::Kind::in_list:
      break;
  }
  json::Array entities;
  for (const EntityName* one : scope.entities) entities.push_back(to_json(one->uid()));
  return {{"op", "in"}, {"entities", std::move(entities)}};
}

json::Value uid_json(const Scope& scope) {
  return to_json(scope.entity->uid());
}

}  // namespace

json::Value to_json(ExprId id, const Expressions& expressions) {
  return ExpressionWriter(expressions).write(id);
}

json::Value to_json(const Policy& policy, const Expressions& expressions) {
  json::Array conditions;
  for (const Condition& one : policy.conditions) {
    conditions.push_back(json::Object{{"kind", one.is_when ? "when" : "unless"},
                                      {"body", to_json(one.body, expressions)}});
  }
  json::Object made{{"effect", policy.effect == Effect::permit ? "permit" : "forbid"},
                    {"principal", scope_json(policy.principal, "principal")},
                    {"action", action_json(policy.action)},
                    {"resource", scope_json(policy.resource, "resource")},
                    {"conditions", std::move(conditions)}};
  if (policy.annotations.empty()) return made;
  json::Object annotations;
  for (const Annotation& one : policy.annotations) {
    annotations[one.name] = one.value ? json::Value(*one.value) : json::Value();
  }
  made["annotations"] = std::move(annotations);
  return made;
}

json::Value to_json(const PolicySet& policies) {
  json::Object written;
  json::Object templates;
  json::Array links;
  const Expressions& expressions = policies.expressions();
  for (const Policy& policy : policies.templates()) {
    templates[policy.id] = to_json(policy, expressions);
  }
  for (const Policy& policy : policies.policies()) {
    if (policy.made_from.empty()) {
      written[policy.id] = to_json(policy, expressions);
      continue;
    }
    const Policy* const from = policies.find_template(policy.made_from);
    json::Object values;
    if (from->principal.is_slot) values["?principal"] = uid_json(policy.principal);
    if (from->resource.is_slot) values["?resource"] = uid_json(policy.resource);
    links.push_back(json::Object{
        {"templateId", policy.made_from}, {"newId", policy.id}, {"values", std::move(values)}});
  }
  return json::Object{{"staticPolicies", std::move(written)},
                      {"templates", std::move(templates)},
                      {"templateLinks", std::move(links)}};
}

}  // namespace mailwarden::policy
