// Policies as JSON, and back.
//
// What     The reference's JSON format of single policies and of sets with templates and links.
//          What is read becomes the same Policy as its text would; what is written is read by every
//          engine that knows the format. Comments and white space are not kept.
// Owns     Nothing.
// Threads  One for an Expressions or PolicySet that is written to.
// Errors   Error{invalid}: where in the policy, what stood there, what was expected.
// Limits   ParseOptions: bytes_max, nesting_max, depth_max.
// Source   Cedar 4.5, "JSON policy format".
#pragma once

#include <string_view>

#include "base/result.h"
#include "json/value.h"
#include "policy/policy_set.h"

namespace mailwarden::policy {

// One policy or template; its id is the caller's.
Result<Policy> read_policy(const json::Value& policy, Expressions& expressions,
                           const ParseOptions& options = {});
// {"staticPolicies": {..}, "templates": {..}, "templateLinks": [..]}
Result<PolicySet> read_policy_set(std::string_view json, const ParseOptions& options = {});
// A set, or one policy, which then has the id "policy0".
Result<PolicySet> read_policies_json(std::string_view json, const ParseOptions& options = {});

json::Value to_json(const Policy& policy, const Expressions& expressions);
json::Value to_json(ExprId id, const Expressions& expressions);
json::Value to_json(const PolicySet& policies);

}  // namespace mailwarden::policy
