// Answers who may do what, now, for every enforcement point.
//
// What     An Arbiter brings together what a decision rests on: the policies in force, what is
//          known of people and systems, the token that was shown, the grants that are live, and the
//          time. What an enforcement point says of `now` and `grant` is not believed, nor a `token`
//          that is not one or is somebody else's than the principal's; it comes from here. Each
//          decision is handed on to be kept.
// Owns     A share of what is in force.
// Threads  Any.
// Errors   None: a decision is always made. What is unknown never allows.
// Limits   None of its own.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "access/decide.h"
#include "base/clock.h"
#include "base/entropy.h"
#include "identity/token.h"

namespace mailwarden::access {

struct Asked {
  std::string point;
  std::string asked_by;  // the enforcement point, as DecisionRecord has it
  policy::EntityUid principal;
  policy::EntityUid action;
  policy::EntityUid resource;
  json::Object context;
};

struct Verdict {
  bool is_allowed = false;
  std::string id;
  policy::Decision decision;
  std::string token_trouble;                  // why a token that was shown is not believed
  std::optional<json::Value> believed_token;  // as a context has it, where one is
};

struct ArbiterParts {
  const Clock& clock;
  Entropy& entropy;
  using Verify = std::function<Result<identity::Claims>(std::string_view token, Timestamp now)>;
  // Null where no issuer is configured: then no token is believed.
  Verify verify;
  std::function<std::shared_ptr<const GrantView>()> grants;
  // Hands a decision on. With `durable` it answers when that is kept, or false where it is not.
  std::function<bool(std::unique_ptr<Undertaken> undertaken, bool durable)> keep;
};

class Arbiter {
 public:
  explicit Arbiter(ArbiterParts parts);

  // Replaces policies and entities as a whole; without any, everything is denied.
  void use(InForce in_force);
  std::shared_ptr<const InForce> in_force() const;

  Verdict decide(Asked question);
  // The claims of a token, as verify() gives them.
  Result<identity::Claims> claims_of(std::string_view token) const;

 private:
  class Borrowed;

  // With the verdict's words on tokens.
  GrantDecision decide(const InForce& in_force, const Question& question, json::Object said,
                       Timestamp now, Scratch& scratch, Verdict& verdict) const;
  json::Object context_of(const Question& question, const policy::DecisionPoint& point,
                          json::Object said, Timestamp now, Verdict& verdict) const;
  void deny_unrecorded(Verdict& verdict, std::unique_ptr<Undertaken> undertaken);
  Result<json::Value> believed(std::string_view token, const policy::EntityUid& principal) const;

  ArbiterParts parts_;
  mutable std::mutex mutex_;
  std::shared_ptr<const InForce> in_force_ = std::make_shared<const InForce>();
  std::vector<std::unique_ptr<Scratch>> scratches_;
};

// A decision's name, which nobody guesses: 32 hexadecimal digits.
std::string new_decision_id(Entropy& entropy);

// What a decision's context holds of a token: issuer, hosted_domain, auth_time, second_factor,
// security_key. A second factor is what the issuer says was used ("amr": mfa, hwk), nothing else.
json::Value token_context(const identity::Claims& claims);

}  // namespace mailwarden::access
