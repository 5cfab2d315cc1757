#include "policy/policy_json.h"

#include <algorithm>

#include "base/text.h"
#include "policy/entity_json.h"
#include "policy/expression_json.h"

namespace mailwarden::policy {
namespace {

// Two levels of JSON for each of an expression, and what stands around it.
json::ParseOptions json_options(const ParseOptions& options) {
  return {.depth_max = options.nesting_max * 2 + 16, .bytes_max = options.bytes_max};
}

bool knows_members(const json::Value& value, std::initializer_list<std::string_view> known) {
  return std::ranges::all_of(*value.as_object(), [&](const auto& member) {
    return std::ranges::find(known, member.first) != known.end();
  });
}

// The slot or entity of a scope.
Result<void> target(const json::Value& json, std::string_view variable, Scope& scope,
                    Expressions& expressions) {
  const json::Value& slot = json["slot"];
  if (slot.is_null() == json["entity"].is_null()) {
    return wrong("'" + std::string(variable) + "' needs 'entity' or 'slot'");
  }
  if (!slot.is_null()) {
    const std::string wanted = "?" + std::string(variable);
    if (slot != json::Value(wanted)) return wrong("'slot' must be \"" + wanted + "\"");
    scope.is_slot = true;
    return {};
  }
  const auto uid = read_uid(json["entity"]);
  if (!uid) return fail("'" + std::string(variable) + "'", uid.error());
  scope.entity = expressions.entity_name(uid->type, uid->id);
  return {};
}

Result<Scope> read_scope(const json::Value& json, std::string_view variable,
                         Expressions& expressions) {
  Scope scope;
  const std::string quoted_name = "'" + std::string(variable) + "'";
  if (json.as_object() == nullptr) return wrong(quoted_name + " must be an object");
  const std::string op = json.text("op");
  if (op == "All") {
    if (!knows_members(json, {"op"})) return wrong(quoted_name + " has 'op' alone");
    return scope;
  }
  if (op == "==" || op == "in") {
    scope.kind = op == "==" ? Scope::Kind::equal : Scope::Kind::in;
    if (!knows_members(json, {"op", "entity", "slot"})) {
      return wrong(quoted_name + " has 'op' and 'entity' or 'slot'");
    }
    if (auto done = target(json, variable, scope, expressions); !done) {
      return std::unexpected(done.error());
    }
    return scope;
  }
  if (op != "is") return wrong(quoted_name + ": 'op' is All, ==, in or is");
  const std::string* const type = json["entity_type"].as_string();
  if (type == nullptr || !type_is_valid(*type)) {
    return wrong(quoted_name + ": 'entity_type' must be an entity type");
  }
  if (!knows_members(json, {"op", "entity_type", "in"})) {
    return wrong(quoted_name + " has 'op', 'entity_type' and perhaps 'in'");
  }
  scope.kind = Scope::Kind::is;
  scope.type = expressions.keep(*type);
  const json::Value& group = json["in"];
  if (group.is_null()) return scope;
  scope.kind = Scope::Kind::is_in;
  if (group.as_object() == nullptr || !knows_members(group, {"entity", "slot"})) {
    return wrong(quoted_name + ": 'in' has 'entity' or 'slot'");
  }
  if (auto done = target(group, variable, scope, expressions); !done) {
    return std::unexpected(done.error());
  }
  return scope;
}

Result<ActionScope> read_action(const json::Value& json, Expressions& expressions) {
  ActionScope scope;
  if (json.as_object() == nullptr) return wrong("'action' must be an object");
  const std::string op = json.text("op");
  if (op == "All" && knows_members(json, {"op"})) return scope;
  const json::Array* list = json["entities"].as_array();
  const json::Array one{json["entity"]};
  if (op == "in" && list != nullptr && knows_members(json, {"op", "entities"})) {
    scope.kind = ActionScope::Kind::in_list;
  } else if ((op == "==" || op == "in") && !json["entity"].is_null() &&
             knows_members(json, {"op", "entity"})) {
    scope.kind = op == "==" ? ActionScope::Kind::equal : ActionScope::Kind::in;
    list = &one;
  } else {
    return wrong("'action' has 'op' (All, ==, in) and 'entity' or 'entities'");
  }
  for (const json::Value& entity : *list) {
    const auto uid = read_uid(entity);
    if (!uid) return fail("'action'", uid.error());
    if (basename_of(uid->type) != "Action") {
      return wrong(to_text(*uid) + " is no action: its type must be Action");
    }
    scope.entities.push_back(expressions.entity_name(uid->type, uid->id));
  }
  return scope;
}

Result<void> read_annotations(const json::Value& json, Policy& policy) {
  if (json.is_null()) return {};
  if (json.as_object() == nullptr) return wrong("'annotations' must be an object");
  for (const auto& [name, value] : *json.as_object()) {
    if (!is_identifier(name)) return wrong("'" + printable(name) + "' names no annotation");
    const std::string* const text = value.as_string();
    if (text == nullptr && !value.is_null()) return wrong("an annotation is a string or null");
    Annotation one{.name = name, .value = std::nullopt};
    if (text != nullptr) one.value = *text;
    policy.annotations.push_back(std::move(one));
  }
  return {};
}

Result<void> read_conditions(const json::Value& json, Policy& policy, Expressions& expressions,
                             const ParseOptions& options) {
  const json::Array* const array = json.as_array();
  if (array == nullptr) return wrong("'conditions' must be a list");
  for (const json::Value& one : *array) {
    const std::string kind = one.text("kind");
    if ((kind != "when" && kind != "unless") || one["body"].is_null() ||
        !knows_members(one, {"kind", "body"})) {
      return wrong("a condition has a 'kind', when or unless, and a 'body'");
    }
    const auto body = ExpressionReader(expressions, options).read(one["body"]);
    if (!body) return std::unexpected(body.error());
    policy.conditions.push_back({.is_when = kind == "when", .body = *body});
  }
  return {};
}

Result<std::optional<EntityUid>> link_value(const json::Value& values, std::string_view slot) {
  if (values[slot].is_null()) return std::optional<EntityUid>();
  auto uid = read_uid(values[slot]);
  if (!uid) return fail(slot, uid.error());
  return std::optional(*std::move(uid));
}

Result<void> read_links(const json::Value& json, PolicySet& set) {
  if (json.is_null()) return {};
  if (json.as_array() == nullptr) return wrong("'templateLinks' must be a list");
  for (const json::Value& one : *json.as_array()) {
    const std::string* const from = one["templateId"].as_string();
    const std::string* const id = one["newId"].as_string();
    const json::Value& values = one["values"];
    if (from == nullptr || id == nullptr || values.as_object() == nullptr) {
      return wrong("a link has 'templateId', 'newId' and 'values'");
    }
    if (!knows_members(values, {"?principal", "?resource"})) {
      return wrong("'values' are of ?principal and ?resource");
    }
    const auto principal = link_value(values, "?principal");
    if (!principal) return std::unexpected(principal.error());
    const auto resource = link_value(values, "?resource");
    if (!resource) return std::unexpected(resource.error());
    if (auto done = set.link(*from, *id, *principal, *resource); !done) return done;
  }
  return {};
}

Result<PolicySet> set_of(const json::Value& json, const ParseOptions& options) {
  if (json.as_object() == nullptr ||
      !knows_members(json, {"staticPolicies", "templates", "templateLinks"})) {
    return wrong("a policy set has 'staticPolicies', 'templates' and 'templateLinks'");
  }
  PolicySet set;
  for (const bool templates : {false, true}) {
    const std::string name = templates ? "templates" : "staticPolicies";
    const json::Value& all = json[name];
    if (all.is_null()) continue;
    if (all.as_object() == nullptr) return wrong("'" + name + "' must be an object");
    for (const auto& [id, written] : *all.as_object()) {
      auto policy = read_policy(written, set.expressions(), options);
      if (!policy) return fail("policy '" + printable(id) + "'", policy.error());
      if (policy->is_template() != templates) {
        return wrong("'" + printable(id) + "' of '" + name + "' " +
                     (templates ? "is no template" : "is a template"));
      }
      policy->id = id;
      if (auto done = set.add(*std::move(policy)); !done) return std::unexpected(done.error());
    }
  }
  if (auto done = read_links(json["templateLinks"], set); !done) {
    return std::unexpected(done.error());
  }
  return set;
}

}  // namespace

Result<Policy> read_policy(const json::Value& json, Expressions& expressions,
                           const ParseOptions& options) {
  if (json.as_object() == nullptr) return wrong("a policy is an object");
  if (!knows_members(json,
                     {"effect", "principal", "action", "resource", "conditions", "annotations"})) {
    return wrong("a policy has effect, principal, action, resource, conditions and annotations");
  }
  Policy policy;
  const std::string effect = json.text("effect");
  if (effect != "permit" && effect != "forbid") return wrong("'effect' is permit or forbid");
  policy.effect = effect == "permit" ? Effect::permit : Effect::forbid;
  const auto principal = read_scope(json["principal"], "principal", expressions);
  if (!principal) return std::unexpected(principal.error());
  const auto action = read_action(json["action"], expressions);
  if (!action) return std::unexpected(action.error());
  const auto resource = read_scope(json["resource"], "resource", expressions);
  if (!resource) return std::unexpected(resource.error());
  policy.principal = *principal;
  policy.action = *action;
  policy.resource = *resource;
  if (auto done = read_conditions(json["conditions"], policy, expressions, options); !done) {
    return std::unexpected(done.error());
  }
  if (auto done = read_annotations(json["annotations"], policy); !done) {
    return std::unexpected(done.error());
  }
  return policy;
}

Result<PolicySet> read_policy_set(std::string_view text, const ParseOptions& options) {
  const auto json = json::parse(text, json_options(options));
  if (!json) return std::unexpected(json.error());
  return set_of(*json, options);
}

Result<PolicySet> read_policies_json(std::string_view text, const ParseOptions& options) {
  const auto json = json::parse(text, json_options(options));
  if (!json) return std::unexpected(json.error());
  if ((*json)["effect"].is_null()) return set_of(*json, options);
  PolicySet set;
  auto policy = read_policy(*json, set.expressions(), options);
  if (!policy) return std::unexpected(policy.error());
  policy->id = options.id_prefix + "0";
  if (auto done = set.add(*std::move(policy)); !done) return std::unexpected(done.error());
  return set;
}

}  // namespace mailwarden::policy
