// Cedar's published tests, which come from another engine than this one.
#include <gtest/gtest.h>

#include "tests/conformance/cedar_suite.h"
#include "tests/temporary.h"

namespace mailwarden {
namespace {

constexpr std::size_t shards = 4;

// Each shard takes every fourth test, so that they run side by side.
class CedarCorpus : public testing::TestWithParam<std::size_t> {
 protected:
  void SetUp() override {
    if (corpus_folder().empty()) GTEST_SKIP() << "the published tests of Cedar are not there";
    ASSERT_TRUE(unpack_corpus("cedar/cedar-dev.tar.gz", folder_.path()));
    tests_ = cedar_suite::tests_of(folder_.path());
  }

  TemporaryFolder folder_;
  std::vector<std::string> tests_;
};

TEST_P(CedarCorpus, DecisionsReasonsErrorsAndVerdictsAreThosePublished) {
  ASSERT_EQ(tests_.size(), 3979U);
  for (std::size_t at = GetParam(); at < tests_.size(); at += shards) {
    const cedar_suite::Outcome outcome = cedar_suite::run(folder_.path(), tests_[at]);
    EXPECT_GT(outcome.requests, 0U) << tests_[at];
    for (const std::string& one : outcome.differences) ADD_FAILURE() << tests_[at] << ": " << one;
  }
}

INSTANTIATE_TEST_SUITE_P(Shards, CedarCorpus, testing::Range(std::size_t{0}, shards));

}  // namespace
}  // namespace mailwarden
