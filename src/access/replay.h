// Holds policies against what has happened.
//
// What     judge() decides each access that events tell of as it would have been decided at its
//          time: by the policies and facts in force, with the person's last sign-in before it and
//          the grants that were live then. What was alike in one call is one decision.
// Owns     Nothing.
// Threads  One.
// Errors   Those of Database, from reading what grants there were.
// Limits   grants_max past grants of one person for one system; explained_max denials of one call
//          are explained, the others say that they are not.
// Source   Claim W6: every access to a system with personal data, judged.
//
// Facts are those of now and not those of then: what was known of a person at a past moment is not
// kept. An event that is read late can so be judged by what has been learned since, such as that
// somebody had left.
#pragma once

#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "access/accesses.h"
#include "access/decide.h"
#include "access/sign_ins.h"
#include "base/entropy.h"
#include "detect/detection.h"

namespace mailwarden::access {

class Replay {
 public:
  static constexpr std::int64_t grants_max = 1000;
  static constexpr std::size_t explained_max = 32;

  struct Parts {
    InForce in_force;
    const SignIns& sign_ins;
    // What is committed now, and the store for what was before.
    std::shared_ptr<const GrantView> grants;
    db::Database& database;
    Entropy& entropy;
  };

  explicit Replay(Parts parts) : parts_(std::move(parts)) {}

  // In the order of their first events. Denials are explained.
  Result<std::vector<DecisionRecord>> judge(std::span<const SeenAccess> accesses);

 private:
  Result<GrantDecision> decide(const SeenAccess& access);
  Result<std::shared_ptr<const GrantView>> grants_at(const SeenAccess& access);
  Result<const std::vector<Grant>*> past_grants(const std::string& person,
                                                const std::string& system);
  json::Object context_of(const SeenAccess& access) const;
  DecisionRecord record(const SeenAccess& access, GrantDecision decided);

  Parts parts_;
  Scratch scratch_;
  std::map<std::pair<std::string, std::string>, std::vector<Grant>> past_;  // by person and system
  std::size_t explained_ = 0;
  std::vector<std::shared_ptr<const GrantView>> views_;  // whose grants decisions point to
};

// What to report of an access that policy denies; `access` is the first of its kind.
detect::Detection denied_access(const DecisionRecord& decision, const SeenAccess& access);

}  // namespace mailwarden::access
