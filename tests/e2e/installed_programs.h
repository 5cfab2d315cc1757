// Programs that a test needs and Debian does not have.
#pragma once

#include <cstdio>
#include <filesystem>
#include <string>

#include "tests/process.h"

namespace mailwarden {

// The folder where tests/e2e/KIND/install_programs has put them, "" where they cannot be had.
inline std::string installed_programs(const std::string& kind) {
  const std::string folder = program_folder() + "/../" + kind + "_programs";
  const TemporaryFolder own;
  Process install({source_folder() + "/tests/e2e/" + kind + "/install_programs", folder},
                  own.path("out"));
  const int code = install.wait();
  constexpr int cannot_be_had = 3;
  EXPECT_TRUE(code == 0 || code == cannot_be_had) << read_file(own.path("out"));
  if (code == 0) return std::filesystem::canonical(folder).string();
  std::printf("%s\n", read_file(own.path("out")).c_str());
  return "";
}

}  // namespace mailwarden
