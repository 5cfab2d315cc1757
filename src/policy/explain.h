// Why a request is denied, and what would have to be otherwise.
//
// What     Of a decision: the policies that decided with the clauses that hold or fail and the
//          values they saw; for a denial the smallest changes to the context or to the principal's
//          facts that would allow the request. Every change told was tried: the request was decided
//          again with it and allowed.
// Owns     Nothing; an Explanation is a value.
// Threads  Pure.
// Errors   None; where nothing small enough allows it, `ways` is empty and `searched_all` says
//          whether all was tried that could be.
// Limits   ExplainOptions. It looks at every policy: some hundred times the cost of a decision.
#pragma once

#include <string>
#include <vector>

#include "json/value.h"
#include "policy/decision_point.h"

namespace mailwarden::policy {

struct ExplainOptions {
  std::size_t policies_max = 20;    // told of
  std::size_t changes_max = 5;      // in one way
  std::size_t decisions_max = 500;  // tried
  std::size_t ways_max = 3;
  std::vector<std::string> fixed = {"context.now"};  // what nobody can change
};

// A part of a policy that must hold, and what it saw.
struct Clause {
  std::string text;    // as the policy has it: `context.mfa_age < 43200`
  bool wanted = true;  // what it must come to
  bool holds = false;  // that it does
  std::string error;   // what failed in it
  std::vector<std::pair<std::string, std::string>> saw;  // expressions and what they came to
};

struct PolicyExplanation {
  std::string id;
  Effect effect = Effect::permit;
  std::string needs;  // its annotation @needs: what it asks for, in its author's words
  std::vector<Clause> clauses;
};

// One thing that would have to be otherwise.
struct Change {
  enum class Kind : std::uint8_t {
    set,     // an attribute must have this value, or one for which `clause` holds
    remove,  // an attribute must not be there
    join,    // the principal must stand in this group
  };

  Kind kind = Kind::set;
  std::string path;    // `context.mfa`, `principal.trained`; `principal` of a group
  std::string now;     // what it is; "" where it is not there
  std::string value;   // what was tried, in Cedar's syntax
  std::string clause;  // what asks for it
  std::string needs;   // the same in the words of the policy's author, its annotation @needs

  // "context.mfa must be true (it is false)"
  std::string text() const;
};

struct Way {
  std::string policy;  // the permit that would then allow
  std::vector<Change> changes;
};

struct Explanation {
  std::vector<PolicyExplanation> policies;
  std::vector<Way> ways;  // the shortest first
  bool searched_all = true;
};

Explanation explain(const DecisionPoint& point, const Request& request, const Decision& decision,
                    const ExplainOptions& options = {});

json::Value to_json(const Decision& decision);
json::Value to_json(const Explanation& explanation);

}  // namespace mailwarden::policy
