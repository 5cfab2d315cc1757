// The SigmaHQ rules and their regression events, unpacked.
//
// What     A fixture that skips itself where the corpus is absent.
// Owns     The folder that they are unpacked into.
// Threads  One.
// Errors   Failures of the test.
// Limits   None.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/temporary.h"

namespace mailwarden {

class SigmaCorpusTest : public testing::Test {
 protected:
  void SetUp() override {
    if (corpus_folder().empty()) GTEST_SKIP() << "the corpus of SigmaHQ rules is not there";
    for (const char* archive : {"sigma/rules.tar.gz", "sigma/regression-dev.tar.gz"}) {
      ASSERT_TRUE(unpack_corpus(archive, folder_.path())) << archive;
    }
  }

  // Those of an extension, in order of their names.
  std::vector<std::filesystem::path> files(const std::string& extension) const {
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_.path())) {
      if (entry.path().extension() == extension) found.push_back(entry.path());
    }
    std::ranges::sort(found);
    return found;
  }

  TemporaryFolder folder_;
};

}  // namespace mailwarden
