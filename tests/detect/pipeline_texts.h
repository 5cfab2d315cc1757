// Pipelines of texts, as if each were a file: p1.yml and so on.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "detect/pipeline.h"

namespace mailwarden::detect {

inline Pipelines pipelines(const std::vector<std::string>& texts,
                           const PipelineLimits& limits = {}) {
  std::vector<PipelineText> files;
  for (const std::string& text : texts) {
    files.push_back({"p" + std::to_string(files.size() + 1) + ".yml", text});
  }
  auto read = Pipelines::parse(files, limits);
  EXPECT_TRUE(read) << read.error().what;
  return read ? *std::move(read) : Pipelines();
}

}  // namespace mailwarden::detect
