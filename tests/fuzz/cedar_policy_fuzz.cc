// Any text as policies, as one expression and as a name. What is read can be printed, written as
// JSON and read again, and is then the same; it can be validated and decided by.
#include <cstddef>
#include <cstdint>
#include <string>

#include "policy/print.h"
#include "tests/fuzz/cedar_use.h"

namespace {

using namespace mailwarden;
using namespace mailwarden::policy;

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
  for (const auto read : {read_text, read_expression, read_name}) read(text);
  return 0;
}
