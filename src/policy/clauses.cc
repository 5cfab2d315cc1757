#include "policy/clauses.h"

namespace mailwarden::policy {
namespace {

void collect(const Expressions& expressions, ExprId id, bool wanted, std::vector<Part>& parts) {
  const Node& node = expressions[id];
  if (node.op == Op::negation) return collect(expressions, node.a, !wanted, parts);
  if ((node.op == Op::both && wanted) || (node.op == Op::either && !wanted)) {
    collect(expressions, node.a, wanted, parts);
    collect(expressions, node.b, wanted, parts);
    return;
  }
  const bool is_certain = node.op == Op::literal &&
                          expressions.literal_of(node).kind == Kind::boolean &&
                          expressions.literal_of(node).is_true() == wanted;
  if (!is_certain) parts.push_back({.id = id, .wanted = wanted});
}

}  // namespace

std::vector<Part> parts_of(const Expressions& expressions, ExprId id, bool wanted) {
  std::vector<Part> parts;
  collect(expressions, id, wanted, parts);
  return parts;
}

std::vector<Part> parts_of(const Expressions& expressions, const Policy& policy) {
  std::vector<Part> parts;
  for (const Condition& one : policy.conditions) {
    collect(expressions, one.body, one.is_when, parts);
  }
  return parts;
}

ScopeState scope_state(const Authorizer& authorizer, const Policy& policy, const Bound& bound) {
  Policy principal;
  principal.principal = policy.principal;
  Policy action;
  action.action = policy.action;
  Policy resource;
  resource.resource = policy.resource;
  return {.principal = authorizer.scope_holds(principal, bound),
          .action = authorizer.scope_holds(action, bound),
          .resource = authorizer.scope_holds(resource, bound)};
}

}  // namespace mailwarden::policy
