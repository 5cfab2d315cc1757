// Decides, safely and with reasons that can be kept.
//
// What     Cedar's answer, with three rules of ours around it, since Cedar counts a policy that
//          fails as not there, a forbid among them. Policies pass strict validation before they are
//          in force; a request is denied that does not fit the schema, or is about a principal or
//          resource that is not known though its type promises attributes; and where a forbid fails
//          the answer is no and raises an alarm.
// Owns     Shares of policies, schema and entities. It never changes; a new one replaces it.
// Threads  Read-only; each thread has its own Scratch.
// Errors   None: a decision is always made, and says why.
// Limits   Those of the parsers.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "policy/authorizer.h"
#include "policy/load_policies.h"

namespace mailwarden::policy {

struct Decision {
  enum class Why : std::uint8_t {
    permitted,
    forbidden,        // a forbid holds
    not_permitted,    // no permit does
    failed_forbid,    // a forbid could not be evaluated
    invalid_request,  // it does not fit the schema
    unknown_entity,   // nothing is known of one whose type always has attributes
  };
  struct Failed {
    std::string policy;
    Effect effect = Effect::permit;
    std::string what;
  };

  bool is_allowed = false;
  Why why = Why::not_permitted;
  std::vector<std::string> policies;  // ids of those that decided
  std::vector<std::string> needs;     // what those that denied ask for, their annotation @needs
  std::vector<Failed> failed;         // policies that could not be evaluated
  std::string invalid;                // what is wrong with the request, or not known

  // That somebody should look at the policies: a forbid failed, whatever decided.
  bool raises_alarm() const;
};

std::string_view to_string(Decision::Why why);

class DecisionPoint {
 public:
  DecisionPoint(Loaded policies, std::shared_ptr<const Entities> entities);

  Decision decide(const Request& request, Authorizer::Scratch& scratch) const;

  const Loaded& loaded() const { return loaded_; }
  const Authorizer& authorizer() const { return authorizer_; }

 private:
  // The sentence about an entity that should be known; "" where all are.
  std::string unknown_in(const Bound& request) const;

  // What is told of a policy, close to that of the others.
  struct Told {
    std::string id;
    std::optional<std::string_view> needs;
  };

  Loaded loaded_;
  Authorizer authorizer_;
  std::vector<Told> told_;  // by policy
};

}  // namespace mailwarden::policy
