// What the daemon needs to decide about access.
//
// What     The arbiter with its policies, the issuers of tokens, and the log of decisions between
//          it and the core.
// Owns     All of it.
// Threads  decide() of the arbiter from any; the rest from the core's.
// Errors   start(): invalid, with every mistake in the file of issuers.
// Limits   Those of its parts.
#pragma once

#include <functional>
#include <memory>

#include "access/arbiter.h"
#include "app/core.h"
#include "app/decision_log.h"
#include "app/policies.h"
#include "config/config.h"
#include "identity/verifier.h"

namespace mailwarden::app {

class Access {
 public:
  // `wake` has the core call hand_over() soon; any thread calls it.
  static Result<std::unique_ptr<Access>> start(const config::Config& config, const Clock& clock,
                                               Entropy& entropy, const access::GrantBook& grants,
                                               std::function<void()> wake);

  void use(const Policies& policies) { arbiter_.use(policies.access); }
  // Gives the core what was decided since the last call.
  void hand_over(Core& core);

  access::Arbiter& arbiter() { return arbiter_; }
  DecisionLog& log() { return log_; }

 private:
  Access(std::unique_ptr<identity::Verifier> verifier, const Clock& clock, Entropy& entropy,
         const access::GrantBook& grants, std::function<void()> wake);

  access::ArbiterParts::Verify verify();

  std::unique_ptr<identity::Verifier> verifier_;  // null without issuers
  DecisionLog log_;
  access::Arbiter arbiter_;
};

}  // namespace mailwarden::app
