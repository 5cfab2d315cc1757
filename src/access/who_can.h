// Who could do what now, by which policies and grants.
//
// What     who_can() asks decide_with_grants() for one system and action of many people, what_can()
//          for one person of many systems and actions. What the request's context holds beside the
//          grant, such as the time and the token, the caller's function says: suppose a fresh
//          token, and the answer is who could get in who signs in now.
// Owns     Nothing.
// Threads  Pure, as the function given; each thread its own.
// Errors   Error{full} for more than decisions_max questions. A question that cannot be decided is
//          a no and stands among the problems.
// Limits   WhoCanOptions.
// Source   Claim W6: access reviews.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "access/decide.h"
#include "access/grant_view.h"
#include "base/result.h"
#include "json/value.h"
#include "policy/decision_point.h"

namespace mailwarden::access {

// The context but for `grant`.
using ContextOf = std::function<json::Object(const Question& question)>;

struct Allowed {
  Question question;
  std::vector<std::string> policies;
  std::optional<GrantId> grant;

  bool operator==(const Allowed&) const = default;
};

struct Findings {
  std::vector<Allowed> allowed;  // in the order of what was asked
  // Sentences: requests that do not fit the schema, and policies that failed.
  std::vector<std::string> problems;
};

struct WhoCanOptions {
  std::size_t decisions_max = 1'000'000;  // questions of one call
  std::size_t problems_max = 100;         // told of
};

struct Inquiry {
  const policy::DecisionPoint& point;
  const GrantView& view;
  ContextOf context;
  Timestamp now;
  WhoCanOptions options;
};

Result<Findings> who_can(const Inquiry& inquiry, const policy::EntityUid& action,
                         const policy::EntityUid& system,
                         std::span<const policy::EntityUid> people);
Result<Findings> what_can(const Inquiry& inquiry, const policy::EntityUid& person,
                          std::span<const policy::EntityUid> actions,
                          std::span<const policy::EntityUid> systems);

// Whom and what to ask about: all defined entities of a type, in order; all actions that the schema
// has of such a principal on such a resource.
std::vector<policy::EntityUid> entities_of(const policy::Entities& entities, std::string_view type);
std::vector<policy::EntityUid> actions_of(const policy::Schema& schema, std::string_view principal,
                                          std::string_view resource);

}  // namespace mailwarden::access
