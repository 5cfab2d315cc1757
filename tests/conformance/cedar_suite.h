// The published tests of Cedar, as the reference's own runner reads them.
//
// What     A test names policies, a schema and entities by paths from the suite's root, whether the
//          policies are valid, and requests with decision, reasons and the policies that fail.
// Owns     Nothing.
// Threads  Pure.
// Errors   run(): Error where a file of the test cannot be read; what differs is in the result.
// Limits   None.
// Source   cedar-policy/cedar-integration-tests.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace mailwarden::cedar_suite {

// Paths of all tests below corpus-tests/ and tests/ of a root, sorted.
std::vector<std::string> tests_of(const std::string& root);

struct Outcome {
  std::size_t requests = 0;
  std::vector<std::string> differences;  // one sentence each; none where the test passes
};

Outcome run(const std::string& root, const std::string& test);

}  // namespace mailwarden::cedar_suite
