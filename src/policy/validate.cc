#include "policy/validate.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "policy/typecheck.h"

namespace mailwarden::policy {
namespace {

class Validator {
 public:
  Validator(const PolicySet& policies, const Schema& schema, const ValidateOptions& options)
      : expressions_(policies.expressions()),
        schema_(schema),
        types_(schema.types()),
        options_(options) {
    for (const auto& [uid, action] : schema.actions()) {
      for (const std::string& principal : action.principals) {
        for (const std::string& resource : action.resources) {
          requests_.push_back({.principal = principal,
                               .action = uid,
                               .resource = resource,
                               .context = action.context});
        }
      }
    }
    for (const RequestType& request : requests_) {
      checkers_.emplace_back(expressions_, schema_, types_, request);
    }
  }

  void validate(const Policy& policy, ExprId condition) {
    policy_ = &policy;
    said_.clear();
    names(policy, condition);
    if (!applies(policy)) {
      error(Wrong::no_action, "no action of the schema is for what its scope names");
    }
    types(policy, condition);
  }

  Findings take() { return std::move(findings_); }

 private:
  // What a condition comes to for one kind of request; the same for all policies that have it.
  struct Outcome {
    std::optional<TypeId> type;
    std::string wrong;
    bool within_level = true;
  };

  using Wrong = Finding::Kind;

  void error(Wrong kind, const std::string& what) {
    if (!said_.insert(what).second) return;
    findings_.errors.push_back(
        {.kind = kind, .policy = policy_->id, .line = policy_->line, .what = what});
  }

  void known(const EntityName& name) {
    if (schema_.knows(name.uid())) return;
    const EntityType* const type = schema_.entity(name.type);
    if (type != nullptr && type->choices) {
      error(Wrong::unknown_name, to_text(name) + " is none of those that its type lists");
    } else if (basename_of(name.type) == "Action") {
      error(Wrong::unknown_name, "the action " + to_text(name) + " is not declared");
    } else {
      error(Wrong::unknown_name,
            "the entity type '" + std::string(name.type) + "' is not declared");
    }
  }
  void known_type(std::string_view type) {
    if (schema_.entity(type) != nullptr || schema_.is_action_type(type)) return;
    error(Wrong::unknown_name, "the entity type '" + std::string(type) + "' is not declared");
  }

  // All that is named, also where it is never evaluated.
  void names(const Policy& policy, ExprId condition) {
    for (const Scope* scope : {&policy.principal, &policy.resource}) {
      if (scope->entity != nullptr) known(*scope->entity);
      if (!scope->type.empty()) known_type(scope->type);
    }
    for (const EntityName* one : policy.action.entities) known(*one);
    for (const ExprId id : named_in(condition)) {
      const Node& node = expressions_[id];
      if (node.op == Op::is_type) {
        known_type(expressions_.name(node.b));
      } else {
        known(*expressions_.literal_of(node).entity);
      }
    }
  }

  // Nodes below `condition` that name an entity or a type; looked for once.
  const std::vector<ExprId>& named_in(ExprId condition) {
    const auto [at, is_new] = named_.try_emplace(condition);
    if (!is_new) return at->second;
    std::set<ExprId> seen;
    std::vector<ExprId> open{condition};
    while (!open.empty()) {
      const ExprId id = open.back();
      open.pop_back();
      if (!seen.insert(id).second) continue;
      const Node& node = expressions_[id];
      const bool is_entity =
          node.op == Op::literal && expressions_.literal_of(node).kind == Kind::entity;
      if (is_entity || node.op == Op::is_type) at->second.push_back(id);
      if (node.op == Op::set || node.op == Op::record || node.op == Op::call) {
        for (const ExprId part : expressions_.list(node.a)) open.push_back(part);
      } else if (node.op != Op::literal && node.op != Op::variable) {
        open.push_back(node.a);
        if (is_binary(node.op) || node.op == Op::if_then_else) open.push_back(node.b);
        if (node.op == Op::if_then_else) open.push_back(node.c);
      }
    }
    return at->second;
  }

  // The types that a scope leaves for its variable, whatever slots are filled with.
  bool scope_allows(const Scope& scope, std::string_view type) const {
    const bool asks_type = scope.kind == Scope::Kind::is || scope.kind == Scope::Kind::is_in;
    if (asks_type && scope.type != type) return false;
    if (scope.entity == nullptr) return true;
    if (scope.kind == Scope::Kind::equal) return scope.entity->type == type;
    return schema_.may_be_in(type, scope.entity->type);
  }

  bool action_allows(const ActionScope& scope, const EntityUid& uid,
                     const ActionType& action) const {
    if (scope.kind == ActionScope::Kind::any) return true;
    return std::ranges::any_of(scope.entities, [&](const EntityName* one) {
      const EntityUid named = one->uid();
      const bool is_above =
          scope.kind != ActionScope::Kind::equal && action.ancestors.contains(named);
      return named == uid || is_above;
    });
  }

  bool applies(const Policy& policy) const {
    return std::ranges::any_of(schema_.actions(), [&](const auto& one) {
      const auto& [uid, action] = one;
      const auto fits = [&](const Scope& scope) {
        return [&](const std::string& type) { return scope_allows(scope, type); };
      };
      return action_allows(policy.action, uid, action) &&
             std::ranges::any_of(action.principals, fits(policy.principal)) &&
             std::ranges::any_of(action.resources, fits(policy.resource));
    });
  }

  void types(const Policy& policy, ExprId condition) {
    bool never = true;
    for (std::size_t at = 0; at < requests_.size(); ++at) {
      const RequestType& request = requests_[at];
      if (options_.level == 0 && scope_follows(policy, request)) {
        error(Wrong::level, "its scope asks for ancestors, which level 0 does not have");
      }
      // Where the scope cannot hold the conditions are never evaluated.
      if (!scope_allows(policy.principal, request.principal) ||
          !scope_allows(policy.resource, request.resource) ||
          !action_allows(policy.action, request.action, schema_.actions().at(request.action))) {
        continue;
      }
      const Outcome& outcome = check(at, condition);
      const std::string where = " (a " + request.principal + " doing " + to_text(request.action) +
                                " to a " + request.resource + ")";
      if (!outcome.type) {
        never = false;
        error(Wrong::wrong_type, outcome.wrong + where);
        continue;
      }
      if (!types_.is_boolean(*outcome.type)) {
        error(Wrong::wrong_type,
              "its conditions come to a " + types_.text(*outcome.type) + ", not a Bool" + where);
      }
      if (!outcome.within_level) {
        error(Wrong::level,
              "it follows entities further than level " + std::to_string(*options_.level) + where);
      }
      never = never && *outcome.type == Types::no;
    }
    if (never) {
      findings_.warnings.push_back({.kind = Wrong::never_applies,
                                    .policy = policy.id,
                                    .line = policy.line,
                                    .what = "it never applies"});
    }
  }

  // Whether `in` is asked before the scope is known not to hold.
  bool scope_follows(const Policy& policy, const RequestType& request) const {
    const auto asks = [](const Scope& scope, const std::string& type) {
      if (scope.kind == Scope::Kind::in) return true;
      return scope.kind == Scope::Kind::is_in && scope.type == type;
    };
    if (asks(policy.principal, request.principal)) return true;
    if (!scope_allows(policy.principal, request.principal)) return false;
    const auto kind = policy.action.kind;
    if (kind == ActionScope::Kind::in || kind == ActionScope::Kind::in_list) return true;
    const ActionType& action = schema_.actions().at(request.action);
    return action_allows(policy.action, request.action, action) &&
           asks(policy.resource, request.resource);
  }

  const Outcome& check(std::size_t request, ExprId condition) {
    const auto [at, is_new] = outcomes_.try_emplace({request, condition});
    if (!is_new) return at->second;
    Typechecker& checker = checkers_[request];
    at->second.type = checker.check(condition);
    if (!at->second.type) {
      at->second.wrong = checker.what_is_wrong();
    } else if (options_.level) {
      at->second.within_level = checker.is_within_level(*options_.level);
    }
    return at->second;
  }

  const Expressions& expressions_;
  const Schema& schema_;
  Types types_;
  const ValidateOptions& options_;
  std::vector<RequestType> requests_;
  std::deque<Typechecker> checkers_;
  std::map<std::pair<std::size_t, ExprId>, Outcome> outcomes_;
  std::map<ExprId, std::vector<ExprId>> named_;
  const Policy* policy_ = nullptr;
  std::set<std::string> said_;
  Findings findings_;
};

}  // namespace

Findings validate(const PolicySet& policies, const Schema& schema, const ValidateOptions& options) {
  Validator validator(policies, schema, options);
  for (std::size_t at = 0; at < policies.policies().size(); ++at) {
    validator.validate(policies.policies()[at], policies.condition(at));
  }
  for (std::size_t at = 0; at < policies.templates().size(); ++at) {
    validator.validate(policies.templates()[at], policies.template_condition(at));
  }
  return validator.take();
}

}  // namespace mailwarden::policy
