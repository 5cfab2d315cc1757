// Tests of access policies, in words that a claim is made of.
//
// What     Beside policies stand files X.test.yml. Each holds entities, a usual request and cases,
//          of which each says what is otherwise and what is expected:
//
//            entities:
//              - {uid: {type: User, id: ada}, attrs: {active: true}, parents: []}
//            request: {principal: User::"ada", action: Action::"read", resource: System::"crm",
//                      context: {mfa: true}}
//            cases:
//              - name: W6, a leaver has no access
//                facts: {User::"ada": {active: false}}
//                expect: deny
//                policies: [leavers]
//
//          A case may replace `principal`, `action`, `resource`, members of the `context` (null
//          takes one away), attributes of entities (`facts`), and may name the `policies` that must
//          have decided, the reason `why`, and a `way`: text that one of the changes told must
//          hold.
// Owns     Nothing.
// Threads  Pure but for reading files.
// Errors   Error{invalid} where policies or tests cannot be read; what fails is in the result. A
//          policy that no case has decided by is a failure.
// Limits   Those of the readers.
#pragma once

#include <string>
#include <vector>

#include "policy/load_policies.h"

namespace mailwarden::policy {

struct PolicyTests {
  std::size_t policies = 0;
  std::size_t cases = 0;
  std::vector<std::string> failures;  // a sentence each, with file and line
};

Result<PolicyTests> test_policies(const LoadOptions& options);

}  // namespace mailwarden::policy
