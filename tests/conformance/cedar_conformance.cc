// cedar_conformance ROOT: runs the published tests of Cedar that lie below ROOT.
//
// Prints what differs and "N passed, M failed"; exits 1 where one failed or there was none.
#include <cstdio>

#include "tests/conformance/cedar_suite.h"

int main(int count, char** arguments) {
  using namespace mailwarden;
  if (count != 2) {
    std::fputs("usage: cedar_conformance ROOT\n", stderr);
    return 2;
  }
  const std::string root = arguments[1];
  std::size_t passed = 0;
  std::size_t failed = 0;
  std::size_t requests = 0;
  for (const std::string& test : cedar_suite::tests_of(root)) {
    const cedar_suite::Outcome outcome = cedar_suite::run(root, test);
    requests += outcome.requests;
    ++(outcome.differences.empty() ? passed : failed);
    for (const std::string& one : outcome.differences) {
      std::printf("%s: %s\n", test.c_str(), one.c_str());
    }
  }
  std::printf("%zu passed, %zu failed (%zu requests)\n", passed, failed, requests);
  return failed == 0 && passed > 0 ? 0 : 1;
}
