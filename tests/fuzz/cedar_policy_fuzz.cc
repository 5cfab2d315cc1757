// Any text as policies: as text, as JSON and as one expression. What is read can be printed,
// written and read again, and is then the same; it can be validated and decided by.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "policy/authorizer.h"
#include "policy/entity_json.h"
#include "policy/policy_json.h"
#include "policy/print.h"
#include "policy/validate.h"

namespace {

using namespace mailwarden;
using namespace mailwarden::policy;

template <class T>
void check_refusal(const Result<T>& read) {
  CHECK(read || !read.error().what.empty());
}

// Sanitizers make stacks larger than the limits are meant for.
const ParseOptions limits{.nesting_max = 60, .depth_max = 120};
// What is printed has parentheses, and what is written as JSON a level for each operator.
const ParseOptions wide{.nesting_max = 2000, .depth_max = 500};

const Schema& schema() {
  static const Schema made = *Schema::resolve(
      *parse_schema("entity U in [G] {a?: Long, b?: {c: String}, u?: U} tags String; entity G; "
                    "entity E enum [\"x\"];"
                    "action all; action r in [all] appliesTo {principal: [U, E], resource: [U, G],"
                    " context: {a: Bool, b?: ipaddr, c?: Set<Long>, d?: datetime}};"));
  return made;
}

const Entities& facts() {
  static const Entities made = *read_entities(
      R"([{"uid":{"type":"U","id":"a"},"attrs":{"a":1},"parents":[{"type":"G","id":"g"}]}])",
      &schema());
  return made;
}

void use(const PolicySet& policies) {
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

std::string printed(const PolicySet& policies) {
  std::string text;
  for (const auto* list : {&policies.policies(), &policies.templates()}) {
    for (const Policy& one : *list) text += print_policy(one, policies.expressions());
  }
  return text;
}

void read_text(const std::string& text) {
  PolicySet policies;
  const auto read = policies.add_text(text, limits);
  check_refusal(read);
  if (!read) return;
  PolicySet again;
  CHECK(again.add_text(printed(policies), wide));
  CHECK(printed(again) == printed(policies));
  const json::Value json = to_json(policies);
  const auto from_json = read_policy_set(json::to_text(json), wide);
  CHECK(from_json);
  CHECK(to_json(*from_json) == json);
  use(policies);
}

void read_expression(const std::string& text) {
  Expressions expressions;
  const auto id = parse_expression(text, expressions, limits);
  check_refusal(id);
  if (!id) return;
  const auto again = parse_expression(print_expression(*id, expressions), expressions, wide);
  CHECK(again && *again == *id);
}

void read_json(const std::string& text) {
  const auto policies = read_policies_json(text, limits);
  check_refusal(policies);
  if (!policies) return;
  const json::Value json = to_json(*policies);
  const auto again = read_policy_set(json::to_text(json), wide);
  CHECK(again);
  CHECK(to_json(*again) == json);
  use(*policies);
}

void read_name(const std::string& text) {
  const auto uid = parse_entity_uid(text);
  check_refusal(uid);
  if (!uid) return;
  CHECK(type_is_valid(uid->type));
  CHECK(*parse_entity_uid(to_text(*uid)) == *uid);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  for (const auto read : {read_text, read_expression, read_json, read_name}) read(text);
  return 0;
}
