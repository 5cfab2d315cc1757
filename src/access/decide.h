// How one request for access is decided, and what of it is kept.
//
// What     decide_with_grants() is how a request is decided where grants are: without one, and if
//          that is a no with each grant that is live, the best first, until one allows. record_of()
//          makes of it what is kept: the context and the facts that it rests on, with who told
//          them.
// Owns     A GrantDecision owns its request; its grant is good as long as the view.
// Threads  Pure; each thread its own Scratch.
// Errors   None: what cannot be decided is a no that says why.
// Limits   Those of the policy engine.
// Source   Claim W6.
#pragma once

#include <memory>
#include <string_view>

#include "access/decision_record.h"
#include "access/grant_view.h"
#include "access/known_entities.h"
#include "json/value.h"
#include "policy/decision_point.h"

namespace mailwarden::access {

struct Question {
  policy::EntityUid person;
  policy::EntityUid action;
  policy::EntityUid system;

  bool operator==(const Question&) const = default;
};

// What is in force: policies, what is known of people and systems, and who told it.
struct InForce {
  // How long it may stand behind `until`, in which something newer takes its place.
  static constexpr Duration slack = std::chrono::seconds(5);

  std::shared_ptr<const policy::DecisionPoint> point;  // null where nothing is
  std::shared_ptr<const OriginsByUser> origins;        // may be null
  Timestamp until = Timestamp::latest;                 // when the first fact of it ends

  bool is_stale(Timestamp now) const { return until < Timestamp::latest && now >= until + slack; }
};

struct GrantDecision {
  policy::Decision decision;
  const Grant* grant = nullptr;  // with which it was decided
  json::Object context;          // on which, with that grant in it
  std::shared_ptr<const policy::Request> request;
};

// Where all are a no, the answer is that with the best grant.
GrantDecision decide_with_grants(const policy::DecisionPoint& point, const GrantView& view,
                                 const Question& question, json::Object context, Timestamp now,
                                 policy::Authorizer::Scratch& scratch);

// Whether requests for an action have that in their context.
bool wants(const policy::DecisionPoint& point, const policy::EntityUid& action,
           std::string_view attribute);

// All but `id`, `when`, `point` and `explanation`.
DecisionRecord record_of(const InForce& in_force, const Question& question, GrantDecision decided);

// Null where nothing is known of it.
const policy::Entities::Entity* find(const policy::Entities& entities,
                                     const policy::EntityUid& uid);

}  // namespace mailwarden::access
