#include "access/arbiter.h"

#include <algorithm>
#include <array>

#include "crypto/sha256.h"
#include "policy/entity_json.h"

namespace mailwarden::access {

// What is in force, and scratch memory for one decision from those that lie ready.
class Arbiter::Borrowed {
 public:
  explicit Borrowed(Arbiter& arbiter) : arbiter_(arbiter) {
    const std::lock_guard lock(arbiter_.mutex_);
    in_force_ = arbiter_.in_force_;
    if (arbiter_.scratches_.empty()) {
      scratch_ = std::make_unique<Scratch>();
    } else {
      scratch_ = std::move(arbiter_.scratches_.back());
      arbiter_.scratches_.pop_back();
    }
  }
  Borrowed(const Borrowed&) = delete;
  Borrowed& operator=(const Borrowed&) = delete;
  ~Borrowed() {
    const std::lock_guard lock(arbiter_.mutex_);
    arbiter_.scratches_.push_back(std::move(scratch_));
  }

  const std::shared_ptr<const InForce>& in_force() const { return in_force_; }
  Scratch& scratch() { return *scratch_; }

 private:
  Arbiter& arbiter_;
  std::shared_ptr<const InForce> in_force_;
  std::unique_ptr<Scratch> scratch_;
};

Arbiter::Arbiter(ArbiterParts parts) : parts_(std::move(parts)) {}

void Arbiter::use(InForce in_force) {
  auto made = std::make_shared<const InForce>(std::move(in_force));
  const std::lock_guard lock(mutex_);
  in_force_.swap(made);
}

std::shared_ptr<const InForce> Arbiter::in_force() const {
  const std::lock_guard lock(mutex_);
  return in_force_;
}

std::string new_decision_id(Entropy& entropy) {
  std::array<std::byte, 16> bytes;
  entropy.fill(bytes, "decision");
  return crypto::to_hex(bytes);
}

Result<identity::Claims> Arbiter::claims_of(std::string_view token) const {
  if (!parts_.verify) {
    return fail(Code::denied, "no issuer of tokens is configured, so that none is believed");
  }
  return parts_.verify(token, parts_.clock.now());
}

json::Value token_context(const identity::Claims& claims) {
  const auto used = [&](std::string_view method) {
    return claims.methods && std::ranges::find(*claims.methods, method) != claims.methods->end();
  };
  json::Object made{{"issuer", claims.issuer},
                    {"second_factor", used("mfa") || used("hwk")},
                    {"security_key", used("hwk")}};
  if (claims.hosted_domain) made["hosted_domain"] = *claims.hosted_domain;
  if (claims.authenticated_at) made["auth_time"] = datetime_text(*claims.authenticated_at);
  return made;
}

Result<json::Value> Arbiter::believed(std::string_view token,
                                      const policy::EntityUid& principal) const {
  const auto claims = claims_of(token);
  if (!claims) return std::unexpected(claims.error());
  const bool is_theirs =
      (claims->email_verified.value_or(false) && claims->email == principal.id) ||
      claims->subject == principal.id;
  if (!is_theirs) {
    return fail(Code::denied, "the token is not that of " + policy::to_text(principal));
  }
  return token_context(*claims);
}

// What the enforcement point says, but for what only we can know.
json::Object Arbiter::context_of(const Question& question, const policy::DecisionPoint& point,
                                 json::Object said, Timestamp now, Verdict& verdict) const {
  json::Object context = std::move(said);
  const Wanted wanted(point, question.action);
  if (wanted("now")) context["now"] = datetime_text(now);
  if (wanted("grant")) context.erase("grant");
  if (!wanted("token")) return context;
  const auto shown = context.find("token");
  if (shown == context.end()) return context;
  const json::Value token = std::move(shown->second);
  context.erase(shown);
  if (const std::string* const text = token.as_string(); text != nullptr) {
    auto claims = believed(*text, question.person);
    if (claims) {
      verdict.believed_token = *claims;
      context["token"] = *std::move(claims);
    } else {
      verdict.token_trouble = claims.error().what;
    }
  }
  return context;
}

namespace {

// Systems say of themselves that no access may go unrecorded.
bool must_record(const policy::Entities& entities, const policy::EntityUid& resource) {
  const auto* const entity = find(entities, resource);
  const policy::Value* const said =
      entity == nullptr ? nullptr : entity->attributes.find("must_record");
  return said != nullptr && said->kind == policy::Kind::boolean && said->is_true();
}

}  // namespace

GrantDecision Arbiter::decide(const InForce& in_force, const Question& question, json::Object said,
                              Timestamp now, Scratch& scratch, Verdict& verdict) const {
  const auto no = [](std::string why) {
    return GrantDecision{
        .decision = {.why = policy::Decision::Why::invalid_request, .invalid = std::move(why)}};
  };
  if (in_force.point == nullptr) return no("no access policies are in force");
  if (in_force.is_stale(now)) return no("what is known of people has not been brought up to date");
  const auto view = parts_.grants();
  return decide_with_grants(*in_force.point, *view, question,
                            context_of(question, *in_force.point, std::move(said), now, verdict),
                            now, scratch);
}

Verdict Arbiter::decide(Asked asked) {
  const Timestamp now = parts_.clock.now();
  Verdict verdict{.id = new_decision_id(parts_.entropy)};
  auto undertaken = std::make_unique<Undertaken>();
  DecisionRecord& record = undertaken->record;
  bool must_be_kept = false;
  {
    Borrowed borrowed(*this);
    const InForce& in_force = *borrowed.in_force();
    Question question{.person = std::move(asked.principal),
                      .action = std::move(asked.action),
                      .system = std::move(asked.resource)};
    GrantDecision decided =
        decide(in_force, question, std::move(asked.context), now, borrowed.scratch(), verdict);
    verdict.is_allowed = decided.decision.is_allowed;
    must_be_kept =
        verdict.is_allowed && must_record(in_force.point->authorizer().entities(), question.system);
    record.principal = std::move(question.person);
    record.action = std::move(question.action);
    record.resource = std::move(question.system);
    record.context = std::move(decided.context);
    record.decision = std::move(decided.decision);
    undertaken->in_force = borrowed.in_force();
  }
  verdict.decision = record.decision;
  record.believed_token = verdict.believed_token;
  record.id = verdict.id;
  record.when = now;
  record.point = std::move(asked.point);
  record.asked_by = std::move(asked.asked_by);
  if (!must_be_kept) {
    parts_.keep(std::move(undertaken), false);
  } else if (!parts_.keep(std::make_unique<Undertaken>(*undertaken), true)) {
    deny_unrecorded(verdict, std::move(undertaken));
  }
  return verdict;
}

// The answer is a decision of its own: that which it replaces may still be stored, later.
void Arbiter::deny_unrecorded(Verdict& verdict, std::unique_ptr<Undertaken> undertaken) {
  verdict.is_allowed = false;
  verdict.decision = {.why = policy::Decision::Why::invalid_request,
                      .invalid = "decision " + verdict.id +
                                 " could not be recorded in time, which this system asks for"};
  verdict.id = new_decision_id(parts_.entropy);
  undertaken->record.id = verdict.id;
  undertaken->record.decision = verdict.decision;
  parts_.keep(std::move(undertaken), false);
}

}  // namespace mailwarden::access
