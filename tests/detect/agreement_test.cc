// Random rules and events: both evaluators must say the same.
#include "tests/detect/agreement.h"

#include <cstdlib>
#include <iostream>

#include <gtest/gtest.h>

#include "tests/rounds.h"

namespace mailwarden::detect {
namespace {

// MAILWARDEN_PAIRS asks for more than a run of the suite has time for.
std::int64_t pairs_wanted() {
  const char* const wanted = std::getenv("MAILWARDEN_PAIRS");
  return wanted == nullptr ? static_cast<std::int64_t>(rounds(100'000)) : std::atoll(wanted);
}

std::uint64_t first_seed() {
  const char* const seed = std::getenv("MAILWARDEN_SEED");
  return seed == nullptr ? 20261124 : std::strtoull(seed, nullptr, 10);
}

TEST(Agreement, MatcherAndOracleSayTheSame) {
  std::int64_t pairs = 0;
  std::int64_t held = 0;
  int different = 0;
  for (std::uint64_t seed = first_seed(); pairs < pairs_wanted() && different < 3; ++seed) {
    auto choices = random_rules::Choices::of_seed(seed);
    const Agreement agreement = compare(choices);
    pairs += agreement.pairs;
    held += agreement.held;
    if (agreement.difference.empty()) continue;
    ++different;
    ADD_FAILURE() << "seed " << seed << ": " << agreement.difference;
  }
  std::cout << pairs << " pairs of a rule and an event, of which " << held << " held\n";
  EXPECT_GT(held * 10, pairs);
}

}  // namespace
}  // namespace mailwarden::detect
