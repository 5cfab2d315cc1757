// Decides requests by a set of policies and what is known of entities.
//
// What     Denied unless a permit holds, denied if a forbid does; a policy that fails counts as not
//          there, as Cedar has it (decide.h adds what is safer). An Authorizer ties one PolicySet
//          to one Entities and answers any number of requests.
// Owns     Shares of both.
// Threads  Read-only once it is made; each thread has its own Scratch and Answer.
// Errors   None: what went wrong is part of the Answer.
// Limits   Those of the parsers.
// Source   Cedar.Spec.Authorizer of the formal model.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "policy/entities.h"
#include "policy/evaluate.h"
#include "policy/policy_set.h"
#include "policy/scope_index.h"

namespace mailwarden::policy {

struct PolicyError {
  std::uint32_t policy = 0;
  EvaluationError error;

  bool operator==(const PolicyError&) const = default;
};

struct Answer {
  bool is_allowed = false;
  // Numbers of PolicySet::policies(), in order: the permits that allow, or the forbids that deny;
  // none where nothing permits.
  std::vector<std::uint32_t> reasons;
  std::vector<PolicyError> errors;

  bool operator==(const Answer&) const = default;
};

class Authorizer {
 public:
  struct Options {
    bool use_index = true;  // or try every policy; the answers are the same
  };

  class Scratch {
   public:
   private:
    friend class Authorizer;
    EvaluationMemory memory_;
    std::vector<std::uint8_t> actions_;
    std::vector<std::uint32_t> permits_;
    std::vector<std::uint32_t> forbids_;
  };

  Authorizer(std::shared_ptr<const PolicySet> policies, std::shared_ptr<const Entities> entities);
  Authorizer(std::shared_ptr<const PolicySet> policies, std::shared_ptr<const Entities> entities,
             const Options& options);

  void authorize(const Request& request, Scratch& scratch, Answer& answer,
                 const Supposed* supposed = nullptr) const {
    authorize(Bound(linked_, request, supposed), scratch, answer);
  }
  // Of a request that is bound to linked().
  void authorize(const Bound& bound, Scratch& scratch, Answer& answer) const;
  bool scope_holds(const Policy& policy, const Bound& bound) const;

  const PolicySet& policies() const { return *policies_; }
  const Entities& entities() const { return *entities_; }
  const Linked& linked() const { return linked_; }

 private:
  std::shared_ptr<const PolicySet> policies_;
  std::shared_ptr<const Entities> entities_;
  Options options_;
  Linked linked_;
  ScopeIndex index_;
};

// For a few requests; an Authorizer is for many.
Answer authorize(const PolicySet& policies, const Entities& entities, const Request& request);

}  // namespace mailwarden::policy
