// Any text as policies in JSON. What is read can be written and read again, and is then the same;
// it can be validated and decided by.
#include <cstddef>
#include <cstdint>
#include <string>

#include "tests/fuzz/cedar_use.h"

namespace {

using namespace mailwarden;
using namespace mailwarden::policy;

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

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  read_json(std::string(reinterpret_cast<const char*>(data), size));
  return 0;
}
