// What the targets of policies do with whatever they could read.
#pragma once

#include <algorithm>
#include <memory>

#include "base/check.h"
#include "policy/authorizer.h"
#include "policy/entity_json.h"
#include "policy/policy_json.h"
#include "policy/validate.h"

namespace mailwarden::policy {

template <class T>
void check_refusal(const Result<T>& read) {
  CHECK(read || !read.error().what.empty());
}

// Sanitizers make stacks larger than the limits are meant for.
inline const ParseOptions limits{.nesting_max = 60, .depth_max = 120};
// What is printed has parentheses, and what is written as JSON a level for each operator.
inline const ParseOptions wide{.nesting_max = 2000, .depth_max = 500};

inline const Schema& schema() {
  static const Schema made = *Schema::resolve(
      *parse_schema("entity U in [G] {a?: Long, b?: {c: String}, u?: U} tags String; entity G; "
                    "entity E enum [\"x\"];"
                    "action all; action r in [all] appliesTo {principal: [U, E], resource: [U, G],"
                    " context: {a: Bool, b?: ipaddr, c?: Set<Long>, d?: datetime}};"));
  return made;
}

inline const Entities& facts() {
  static const Entities made = *read_entities(
      R"([{"uid":{"type":"U","id":"a"},"attrs":{"a":1},"parents":[{"type":"G","id":"g"}]}])",
      &schema());
  return made;
}

inline void use(const PolicySet& policies) {
  const Findings findings = validate(policies, schema(), {.level = 1});
  for (const Finding& one : findings.errors) CHECK(!one.what.empty());
  Request request{.principal = {"U", "a"}, .action = {"Action", "r"}, .resource = {"G", "g"}};
  request.context =
      *read_context(json::Object{{"a", true}}, *request.memory, &schema(), request.action);
  const std::shared_ptr<const PolicySet> shared(std::shared_ptr<void>(), &policies);
  const std::shared_ptr<const Entities> known(std::shared_ptr<void>(), &facts());
  Authorizer::Scratch scratch;
  Answer with;
  Answer without;
  Authorizer(shared, known).authorize(request, scratch, with);
  Authorizer(shared, known, {.use_index = false}).authorize(request, scratch, without);
  CHECK(with == without);
  for (const PolicyError& one : with.errors) {
    CHECK(!describe(one.error, policies.expressions()).empty());
  }
  // What passed validation fails by overflow alone.
  for (const PolicyError& one : with.errors) {
    const std::string& id = policies.policies()[one.policy].id;
    const bool passed = std::ranges::none_of(
        findings.errors, [&](const Finding& found) { return found.policy == id; });
    CHECK(!passed || one.error.failure == Failure::overflow ||
          one.error.failure == Failure::bad_extension || one.error.failure == Failure::no_entity);
  }
}

}  // namespace mailwarden::policy
