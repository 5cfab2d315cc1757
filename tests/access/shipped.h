// The shipped policies over people whom tests know.
#pragma once

#include <memory>

#include <gtest/gtest.h>

#include "access/grant.h"
#include "policy/decision_point.h"
#include "policy/entity_json.h"
#include "policy/load_policies.h"
#include "tests/temporary.h"

namespace mailwarden::access {

inline constexpr std::string_view shipped_entities = R"([
  {"uid": {"type": "Group", "id": "staff"}, "attrs": {}, "parents": []},
  {"uid": {"type": "Group", "id": "engineers"}, "attrs": {},
   "parents": [{"type": "Group", "id": "staff"}]},
  {"uid": {"type": "Group", "id": "on-call"}, "attrs": {},
   "parents": [{"type": "Group", "id": "staff"}]},
  {"uid": {"type": "User", "id": "ada@example.com"},
   "attrs": {"active": true, "background_checked": "2024-01-01", "trained_until": "2030-01-01",
             "policy_accepted": "2024-01-01"},
   "parents": [{"type": "Group", "id": "engineers"}]},
  {"uid": {"type": "User", "id": "bob@example.com"},
   "attrs": {"active": true, "background_checked": "2024-01-01", "trained_until": "2030-01-01",
             "policy_accepted": "2024-01-01"},
   "parents": [{"type": "Group", "id": "staff"}]},
  {"uid": {"type": "User", "id": "dan@example.com"},
   "attrs": {"active": true, "background_checked": "2024-01-01", "trained_until": "2030-01-01",
             "policy_accepted": "2024-01-01"},
   "parents": [{"type": "Group", "id": "on-call"}]},
  {"uid": {"type": "User", "id": "eve@example.com"},
   "attrs": {"active": false, "background_checked": "2024-01-01", "trained_until": "2030-01-01",
             "policy_accepted": "2024-01-01"},
   "parents": [{"type": "Group", "id": "engineers"}]},
  {"uid": {"type": "System", "id": "campaign-db"}, "attrs": {"personal_data": true,
   "purposes": [{"type": "Purpose", "id": "support"}]}, "parents": []},
  {"uid": {"type": "System", "id": "payroll"}, "attrs": {"personal_data": true,
   "purposes": [{"type": "Purpose", "id": "support"}], "must_record": true}, "parents": []},
  {"uid": {"type": "System", "id": "wiki"}, "attrs": {"personal_data": false, "purposes": []},
   "parents": []}
])";

inline std::shared_ptr<const policy::DecisionPoint> shipped_point(
    std::string_view entities = shipped_entities) {
  auto loaded = policy::load_policies(
      {.paths = {source_folder() + "/policies/access"}, .needs_schema = true});
  EXPECT_TRUE(loaded) << loaded.error().what;
  auto read = policy::read_entities(entities, loaded->schema.get());
  EXPECT_TRUE(read) << read.error().what;
  return std::make_shared<const policy::DecisionPoint>(
      *loaded, std::make_shared<const policy::Entities>(*std::move(read)));
}

// What a context holds of a token as the policies ask for it.
inline json::Object good_token(Timestamp auth_time) {
  return {{"issuer", "https://accounts.google.com"},
          {"hosted_domain", "example.com"},
          {"auth_time", datetime_text(auth_time)},
          {"second_factor", true},
          {"security_key", false}};
}

}  // namespace mailwarden::access
