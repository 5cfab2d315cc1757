// What the daemon needs to decide about access.
//
// What     The arbiter with what is in force, the issuers of tokens, and the log of decisions
//          between it and the core. What is in force is made anew where the policies, what is known
//          of people, or only the time has changed.
// Owns     All of it.
// Threads  decide() of the arbiter from any; the rest from the core's.
// Errors   start(): invalid, with every mistake in the file of issuers. Where what is known of
//          people cannot be brought together with what operators wrote, nothing is allowed, and the
//          log says why.
// Limits   Those of its parts. A change of people counts within pause() of the last one: a second,
//          and one more for each entities_a_second entities, since the core does it.
#pragma once

#include <functional>
#include <memory>

#include "access/arbiter.h"
#include "app/core.h"
#include "app/decision_log.h"
#include "app/policies.h"
#include "base/log.h"
#include "config/config.h"
#include "identity/verifier.h"

namespace mailwarden::app {

class Access {
 public:
  // `wake` has the core call hand_over() soon; any thread calls it.
  static Result<std::unique_ptr<Access>> start(const config::Config& config, const Clock& clock,
                                               Entropy& entropy, Log& log,
                                               const access::GrantBook& grants,
                                               std::function<void()> wake);

  // At once.
  void use(const Policies& policies, Core& core, Timestamp now);
  // Where something has changed since. `hurry` does it without a pause.
  void refresh(Core& core, Timestamp now, bool hurry);
  // Gives the core what was decided since the last call.
  void hand_over(Core& core);

  access::Arbiter& arbiter() { return arbiter_; }
  DecisionLog& log() { return log_; }

 private:
  static constexpr std::int64_t entities_a_second = 10'000;

  // What is in force was made of.
  struct MadeOf {
    std::int64_t people = -1;  // the core's revision
    Timestamp at;
    Timestamp until = Timestamp::latest;  // when a fact of it ends by itself
    std::size_t entities = 0;
  };

  Access(std::unique_ptr<identity::Verifier> verifier, const Clock& clock, Entropy& entropy,
         Log& log, const access::GrantBook& grants, std::function<void()> wake);

  access::ArbiterParts::Verify verify();
  access::InForce in_force(const Policies& policies, const Core& core, Timestamp now);
  Duration pause() const;
  // Whether it is news.
  bool is_news(const std::string& trouble);

  std::unique_ptr<identity::Verifier> verifier_;  // null without issuers
  Log& told_;
  MadeOf made_of_;
  std::string last_trouble_;
  DecisionLog log_;
  access::Arbiter arbiter_;
};

}  // namespace mailwarden::app
