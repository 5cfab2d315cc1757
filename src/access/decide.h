// How one request for access is decided, and what of it is kept.
//
// What     decide_with_grants() is how a request is decided where grants are: without one, and if
//          that is a no with each grant that is live, the best first, until one allows. A record
//          of it keeps the context and, by add_facts(), the facts that it rests on, with who told
//          them; explanation_of() makes of a record why it was a no.
// Owns     A GrantDecision's grant is good as long as the view.
// Threads  Pure; each thread its own Scratch.
// Errors   None: what cannot be decided is a no that says why.
// Limits   Those of the policy engine.
// Source   Claim W6.
#pragma once

#include <array>
#include <cstddef>
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

// A decision on its way to be kept: whoever waits for the answer does not wait until add_facts()
// and explanation_of() have made the record whole.
struct Undertaken {
  DecisionRecord record;
  std::shared_ptr<const InForce> in_force;  // what it rests on
};

struct GrantDecision {
  policy::Decision decision;
  const Grant* grant = nullptr;  // with which it was decided
  json::Object context;          // on which, with that grant in it
};

// What one decision after the other needs while it is made. It stays where it is.
struct Scratch {
  Scratch() = default;
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  policy::Authorizer::Scratch authorizer;
  std::array<std::byte, 4096> room;  // for most contexts
  policy::Request request{.memory = std::make_unique<policy::Memory>(room.data(), room.size())};
};

// Where all are a no, the answer is that with the best grant.
GrantDecision decide_with_grants(const policy::DecisionPoint& point, const GrantView& view,
                                 const Question& question, json::Object context, Timestamp now,
                                 Scratch& scratch);

// Which attributes requests for an action have in their context; good as long as the point.
class Wanted {
 public:
  Wanted(const policy::DecisionPoint& point, const policy::EntityUid& action);
  bool operator()(std::string_view attribute) const;

 private:
  const policy::Schema* schema_;
  const policy::ActionType* action_;  // null where it is not known
};

// `policies`, and of the record's principal `facts`, `groups` and `origins`.
void add_facts(DecisionRecord& record, const InForce& in_force);
// policy::explain() of a denial, as JSON.
json::Value explanation_of(const policy::DecisionPoint& point, const DecisionRecord& record);

// Null where nothing is known of it.
const policy::Entities::Entity* find(const policy::Entities& entities,
                                     const policy::EntityUid& uid);

}  // namespace mailwarden::access
