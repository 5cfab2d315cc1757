#include "access/arbiter.h"

#include <algorithm>
#include <array>

#include "access/grant.h"
#include "crypto/sha256.h"
#include "policy/entity_json.h"

namespace mailwarden::access {

// Scratch memory for one decision, from those that lie ready.
class Arbiter::Borrowed {
 public:
  explicit Borrowed(Arbiter& arbiter) : arbiter_(arbiter) {
    const std::lock_guard lock(arbiter_.mutex_);
    if (arbiter_.scratches_.empty()) {
      scratch_ = std::make_unique<policy::Authorizer::Scratch>();
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

  policy::Authorizer::Scratch& scratch() { return *scratch_; }

 private:
  Arbiter& arbiter_;
  std::unique_ptr<policy::Authorizer::Scratch> scratch_;
};

Arbiter::Arbiter(ArbiterParts parts) : parts_(std::move(parts)) {}

void Arbiter::use(std::shared_ptr<const policy::DecisionPoint> point) {
  const std::lock_guard lock(mutex_);
  point_ = std::move(point);
}

std::shared_ptr<const policy::DecisionPoint> Arbiter::in_force() const {
  const std::lock_guard lock(mutex_);
  return point_;
}

std::string Arbiter::new_id() {
  std::array<std::byte, 16> bytes;
  parts_.entropy.fill(bytes, "decision");
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

// What the enforcement point says, but for what only we can know. Takes it from the question.
json::Object Arbiter::context_of(Asked& question, const policy::Schema* schema, Timestamp now,
                                 Verdict& verdict) const {
  json::Object context = std::move(question.context);
  const policy::ActionType* const action =
      schema == nullptr ? nullptr : schema->action(question.action);
  const auto wants = [&](std::string_view name) {
    return action != nullptr && schema->types().attribute(action->context, name) != nullptr;
  };
  if (wants("now")) context["now"] = datetime_text(now);
  if (wants("token")) {
    const auto shown = context.find("token");
    const std::string* const text = shown == context.end() ? nullptr : shown->second.as_string();
    std::optional<json::Value> believed;
    if (text != nullptr) {
      const auto claims = claims_of(*text);
      if (claims) {
        believed = token_context(*claims);
      } else {
        verdict.token_trouble = claims.error().what;
      }
    }
    context.erase("token");
    if (believed) context["token"] = *std::move(believed);
  }
  if (wants("grant")) {
    context.erase("grant");
    if (parts_.grant) {
      auto grant = parts_.grant(question.principal, question.resource, now);
      if (grant) context["grant"] = *std::move(grant);
    }
  }
  return context;
}

namespace {

const policy::Entities::Entity* find(const policy::Entities& entities,
                                     const policy::EntityUid& uid) {
  return entities.known(entities.find(uid.type, uid.id));
}

// Systems say of themselves that no access may go unrecorded.
bool must_record(const policy::Entities& entities, const policy::EntityUid& resource) {
  const auto* const entity = find(entities, resource);
  const policy::Value* const said =
      entity == nullptr ? nullptr : entity->attributes.find("must_record");
  return said != nullptr && said->kind == policy::Kind::boolean && said->is_true();
}

}  // namespace

Verdict Arbiter::decide(Asked question) {
  const auto point = in_force();
  const Timestamp now = parts_.clock.now();
  Verdict verdict{.id = new_id()};
  auto request = std::make_shared<policy::Request>();
  DecisionRecord record{.id = verdict.id, .when = now, .point = std::move(question.point)};
  bool durable = false;
  if (point == nullptr) {
    verdict.decision = {.why = policy::Decision::Why::invalid_request,
                        .invalid = "no access policies are in force"};
  } else {
    const policy::Schema* const schema = point->loaded().schema.get();
    const policy::Entities& entities = point->authorizer().entities();
    record.context = context_of(question, schema, now, verdict);
    request->principal = question.principal;
    request->action = question.action;
    request->resource = question.resource;
    const auto context =
        policy::read_context(record.context, *request->memory, schema, question.action);
    if (context) {
      request->context = *context;
      Borrowed borrowed(*this);
      verdict.decision = point->decide(*request, borrowed.scratch());
    } else {
      verdict.decision = {.why = policy::Decision::Why::invalid_request,
                          .invalid = context.error().what};
    }
    durable = must_record(entities, question.resource);
    if (const auto* const principal = find(entities, question.principal)) {
      record.facts = *policy::to_json(principal->attributes).as_object();
    }
    record.policies = point->loaded().hash;
    for (const std::string& id : verdict.decision.policies) {
      const policy::Policy* const policy = point->loaded().policies->find(id);
      const auto needs = policy->annotation("needs");
      if (!verdict.decision.is_allowed && needs) verdict.needs.emplace_back(*needs);
    }
  }
  verdict.is_allowed = verdict.decision.is_allowed;
  record.principal = std::move(question.principal);
  record.action = std::move(question.action);
  record.resource = std::move(question.resource);
  record.decision = verdict.decision;
  const bool kept = parts_.keep({.record = std::move(record), .point = point, .request = request},
                                durable && verdict.is_allowed);
  if (durable && !kept && verdict.is_allowed) {
    verdict.is_allowed = false;
    verdict.decision.is_allowed = false;
    verdict.decision.why = policy::Decision::Why::invalid_request;
    verdict.decision.invalid = "the decision could not be recorded, which this system asks for";
  }
  return verdict;
}

}  // namespace mailwarden::access
