#include "policy/explain.h"

#include <algorithm>
#include <deque>
#include <set>

#include "policy/conform.h"
#include "policy/print.h"
#include "policy/suppose.h"

namespace mailwarden::policy {
namespace {

constexpr std::size_t value_bytes_max = 300;

std::string shown(const Value& value) {
  std::string text = to_text(value);
  if (text.size() > value_bytes_max) text = text.substr(0, value_bytes_max) + "...";
  return text;
}

class Explainer {
 public:
  Explainer(const DecisionPoint& point, const Request& request, const ExplainOptions& options)
      : point_(point),
        request_(request),
        options_(options),
        policies_(*point.loaded().policies),
        expressions_(policies_.expressions()),
        bound_(point.authorizer().linked(), request),
        suppositions_(point, request, options.fixed, memory_) {}

  Explanation run(const Decision& decision) {
    if (!decision.invalid.empty()) return std::move(made_);
    if (decision.why == Decision::Why::not_permitted) {
      tell_nearest();
    } else {
      for (const std::string& id : decision.policies) {
        if (made_.policies.size() < options_.policies_max) tell(*policies_.find(id));
      }
    }
    if (!decision.is_allowed) search();
    return std::move(made_);
  }

 private:
  struct State {
    std::vector<Edit> edits;
  };

  std::string needs_of(const Policy& policy) const {
    return std::string(policy.annotation("needs").value_or(""));
  }

  // --- what the policies say ---

  Clause scope_clause(const std::string& text, bool holds, const std::string& variable,
                      const EntityUid& uid) const {
    return {.text = text, .wanted = true, .holds = holds, .saw = {{variable, to_text(uid)}}};
  }

  void tell(const Policy& policy) {
    PolicyExplanation told{.id = policy.id, .effect = policy.effect, .needs = needs_of(policy)};
    const ScopeState scope = scope_state(point_.authorizer(), policy, bound_);
    if (policy.principal.kind != Scope::Kind::any) {
      told.clauses.push_back(scope_clause(print_scope("principal", policy.principal),
                                          scope.principal, "principal", request_.principal));
    }
    if (policy.action.kind != ActionScope::Kind::any) {
      told.clauses.push_back(
          scope_clause(print_scope(policy.action), scope.action, "action", request_.action));
    }
    if (policy.resource.kind != Scope::Kind::any) {
      told.clauses.push_back(scope_clause(print_scope("resource", policy.resource), scope.resource,
                                          "resource", request_.resource));
    }
    // What stands behind a part that fails was not asked; asking it anyway tells more.
    for (const Part& part : parts_of(expressions_, policy)) told.clauses.push_back(clause(part));
    made_.policies.push_back(std::move(told));
  }

  Clause clause(const Part& part) {
    Clause told{.text = print_expression(part.id, expressions_), .wanted = part.wanted};
    EvaluationMemory memory;
    memory.begin(point_.authorizer().linked());
    Evaluator evaluator(point_.authorizer().linked(), bound_, memory);
    Value value;
    if (!evaluator.evaluate(part.id, value)) {
      told.error = describe(evaluator.error(), expressions_);
    } else {
      told.holds = value.kind == Kind::boolean && value.is_true() == part.wanted;
    }
    std::set<ExprId> seen;
    see(part.id, evaluator, seen, told);
    return told;
  }

  // Attributes and variables that an expression reads, with what they are.
  void see(ExprId id, Evaluator& evaluator, std::set<ExprId>& seen, Clause& told) const {
    const Node& node = expressions_[id];
    if (node.op == Op::literal || !seen.insert(id).second) return;
    const bool is_variable =
        node.op == Op::variable && static_cast<Variable>(node.detail) != Variable::context;
    if (node.op == Op::get_attribute || node.op == Op::get_tag || is_variable) {
      Value value;
      if (evaluator.evaluate(id, value)) {
        told.saw.emplace_back(print_expression(id, expressions_), shown(value));
        return;
      }
    }
    if (node.op == Op::set || node.op == Op::record || node.op == Op::call) {
      for (const ExprId part : expressions_.list(node.a)) see(part, evaluator, seen, told);
    } else if (node.op != Op::variable) {
      see(node.a, evaluator, seen, told);
      if (is_binary(node.op) || node.op == Op::if_then_else) see(node.b, evaluator, seen, told);
      if (node.op == Op::if_then_else) see(node.c, evaluator, seen, told);
    }
  }

  // Permits for this action and resource, those that lack the least first.
  std::vector<const Policy*> nearest() const {
    std::vector<std::pair<std::size_t, const Policy*>> found;
    for (const Policy& policy : policies_.policies()) {
      if (policy.effect != Effect::permit) continue;
      const ScopeState scope = scope_state(point_.authorizer(), policy, bound_);
      if (!scope.action || !scope.resource) continue;
      if (!scope.principal && !suppositions_.join(policy.principal, 0)) continue;
      found.emplace_back(scope.principal ? 0 : 1, &policy);
    }
    std::ranges::stable_sort(found, {}, &std::pair<std::size_t, const Policy*>::first);
    std::vector<const Policy*> policies;
    for (const auto& [lack, policy] : found) policies.push_back(policy);
    return policies;
  }

  void tell_nearest() {
    for (const Policy* policy : nearest()) {
      if (made_.policies.size() == options_.policies_max) return;
      tell(*policy);
    }
  }

  // --- what would allow it ---

  // Breadth first over edits, so that the first ways found are the shortest.
  void search() {
    const auto permits = nearest();
    std::deque<State> open{State()};
    std::set<std::string> seen;
    std::size_t decisions = 0;
    std::size_t shortest = options_.changes_max;
    while (!open.empty() && made_.ways.size() < options_.ways_max) {
      const State state = std::move(open.front());
      open.pop_front();
      if (state.edits.size() > shortest) break;
      if (++decisions > options_.decisions_max) {
        made_.searched_all = false;
        return;
      }
      const auto supposed = suppositions_.apply(state.edits);
      if (!supposed) continue;
      Answer answer;
      point_.authorizer().authorize(request_, scratch_, answer, &*supposed);
      const bool failed_forbid = std::ranges::any_of(answer.errors, [&](const PolicyError& one) {
        return policies_.policies()[one.policy].effect == Effect::forbid;
      });
      if (answer.is_allowed && !failed_forbid) {
        if (state.edits.empty() || !suppositions_.fits(*supposed)) continue;
        shortest = state.edits.size();
        add_way(state, policies_.policies()[answer.reasons.front()]);
        continue;
      }
      for (Edit& edit : next_edits(answer, permits, *supposed)) {
        expand(state, std::move(edit), seen, open);
      }
    }
  }

  void expand(const State& state, Edit edit, std::set<std::string>& seen, std::deque<State>& open) {
    State next = state;
    suppositions_.add(next.edits, std::move(edit));
    if (next.edits.size() > options_.changes_max) {
      made_.searched_all = false;
      return;
    }
    std::set<std::string> names;
    for (const Edit& one : next.edits) names.insert(change_of(one).text());
    std::string key;
    for (const std::string& name : names) key += name + '\n';
    if (seen.insert(key).second) open.push_back(std::move(next));
  }

  // Edits that bring the request nearer: against the first forbid, or else for each permit the
  // first part that fails.
  std::vector<Edit> next_edits(const Answer& answer, const std::vector<const Policy*>& permits,
                               const Supposed& supposed) {
    const Bound bound(point_.authorizer().linked(), request_, &supposed);
    std::vector<Edit> edits;
    const auto append = [&](std::vector<Edit> more, const Policy& policy) {
      for (Edit& one : more) one.policy = &policy;
      std::ranges::move(more, std::back_inserter(edits));
    };
    for (const std::uint32_t at : answer.reasons) {
      const Policy& policy = policies_.policies()[at];
      if (policy.effect != Effect::forbid) continue;
      for (const Part& part : parts_of(expressions_, policy)) {
        append(suppositions_.edits_for({.id = part.id, .wanted = !part.wanted}, bound), policy);
      }
      return edits;
    }
    for (const Policy* policy : permits) {
      const ScopeState scope = scope_state(point_.authorizer(), *policy, bound);
      if (!scope.principal) {
        if (auto edit = suppositions_.join(policy->principal, no_expression)) {
          append({*std::move(edit)}, *policy);
        }
        continue;
      }
      for (const Part& part : parts_of(expressions_, *policy)) {
        if (holds(part, bound)) continue;
        append(suppositions_.edits_for(part, bound), *policy);
        break;
      }
    }
    return edits;
  }

  bool holds(const Part& part, const Bound& bound) const {
    EvaluationMemory memory;
    memory.begin(point_.authorizer().linked());
    Evaluator evaluator(point_.authorizer().linked(), bound, memory);
    Value value;
    return evaluator.evaluate(part.id, value) && value.kind == Kind::boolean &&
           value.is_true() == part.wanted;
  }

  Change change_of(const Edit& edit) const {
    Change change;
    if (edit.policy != nullptr) change.needs = needs_of(*edit.policy);
    if (edit.kind == Edit::Kind::join) {
      change.kind = Change::Kind::join;
      change.path = "principal";
      change.value = to_text(edit.value);
      return change;
    }
    change.kind = edit.kind == Edit::Kind::set ? Change::Kind::set : Change::Kind::remove;
    change.path = edit.is_context ? "context" : "principal";
    for (const std::string& name : edit.path) {
      change.path += is_identifier(name) ? "." + name : "[" + policy::quoted(name) + "]";
    }
    if (const auto now = suppositions_.now(edit)) change.now = shown(*now);
    if (edit.kind == Edit::Kind::set) change.value = shown(edit.value);
    const std::string clause = print_expression(edit.asked_by, expressions_);
    change.clause = edit.wanted ? clause : "!(" + clause + ")";
    return change;
  }

  void add_way(const State& state, const Policy& policy) {
    Way way{.policy = policy.id, .changes = {}};
    for (const Edit& edit : state.edits) way.changes.push_back(change_of(edit));
    made_.ways.push_back(std::move(way));
  }

  static constexpr ExprId no_expression = 0;

  const DecisionPoint& point_;
  const Request& request_;
  const ExplainOptions& options_;
  const PolicySet& policies_;
  const Expressions& expressions_;
  Memory memory_;
  Bound bound_;
  Suppositions suppositions_;
  Authorizer::Scratch scratch_;
  Explanation made_;
};

}  // namespace

std::string Change::text() const {
  switch (kind) {
    case Kind::join:
      return "the principal must be in " + value;
    case Kind::remove:
      return path + " must not be there (it is " + now + ")";
    case Kind::set:
      break;
  }
  if (now.empty()) return path + " must be there, such as " + value;
  const bool is_plain = clause == path || clause == "!(" + path + ")";
  return path + " must be " + (is_plain ? value : "such that " + clause + ", as with " + value) +
         " (it is " + now + ")";
}

Explanation explain(const DecisionPoint& point, const Request& request, const Decision& decision,
                    const ExplainOptions& options) {
  return Explainer(point, request, options).run(decision);
}

json::Value to_json(const Decision& decision) {
  json::Array policies(decision.policies.begin(), decision.policies.end());
  json::Array failed;
  for (const Decision::Failed& one : decision.failed) {
    failed.push_back(json::Object{{"policy", one.policy},
                                  {"effect", one.effect == Effect::permit ? "permit" : "forbid"},
                                  {"error", one.what}});
  }
  json::Object made{{"decision", decision.is_allowed ? "allow" : "deny"},
                    {"why", to_string(decision.why)},
                    {"reasons", std::move(policies)},
                    {"errors", std::move(failed)},
                    {"alarm", decision.raises_alarm()}};
  if (!decision.invalid.empty()) made["invalid"] = decision.invalid;
  return made;
}

namespace {

json::Value to_json(const Clause& clause) {
  json::Object saw;
  for (const auto& [name, value] : clause.saw) saw[name] = value;
  json::Object made{{"clause", clause.text},
                    {"wanted", clause.wanted},
                    {"holds", clause.holds},
                    {"saw", std::move(saw)}};
  if (!clause.error.empty()) made["error"] = clause.error;
  return made;
}

json::Value to_json(const Way& way) {
  json::Array changes;
  for (const Change& one : way.changes) {
    json::Object change{{"path", one.path}, {"text", one.text()}};
    if (!one.value.empty()) change["value"] = one.value;
    if (!one.now.empty()) change["now"] = one.now;
    if (!one.clause.empty()) change["clause"] = one.clause;
    if (!one.needs.empty()) change["needs"] = one.needs;
    changes.push_back(std::move(change));
  }
  return json::Object{{"policy", way.policy}, {"changes", std::move(changes)}};
}

}  // namespace

json::Value to_json(const Explanation& explanation) {
  json::Array policies;
  for (const PolicyExplanation& one : explanation.policies) {
    json::Array clauses;
    for (const Clause& clause : one.clauses) clauses.push_back(to_json(clause));
    json::Object policy{{"policy", one.id},
                        {"effect", one.effect == Effect::permit ? "permit" : "forbid"},
                        {"clauses", std::move(clauses)}};
    if (!one.needs.empty()) policy["needs"] = one.needs;
    policies.push_back(std::move(policy));
  }
  json::Array ways;
  for (const Way& way : explanation.ways) ways.push_back(to_json(way));
  return json::Object{{"policies", std::move(policies)},
                      {"ways", std::move(ways)},
                      {"searched_all", explanation.searched_all}};
}

}  // namespace mailwarden::policy
