// Rules and events out of arbitrary bytes: the matcher must say what the second evaluator says.
#include <cstdio>

#include "base/check.h"
#include "tests/detect/agreement.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mailwarden;
  auto choices = random_rules::Choices::of_bytes({data, size});
  const detect::Agreement agreement = detect::compare(choices);
  if (!agreement.difference.empty()) {
    std::fprintf(stderr, "%s\n", agreement.difference.c_str());
    CHECK(false);
  }
  return 0;
}
