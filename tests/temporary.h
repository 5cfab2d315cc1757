// A folder that lives as long as the test that made it.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

namespace mailwarden {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "mailwarden-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  std::string path(const std::string& name) const { return (path_ / name).string(); }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

inline void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

inline void append_file(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::app) << bytes;
}

inline std::string read_file(const std::string& path) {
  std::ostringstream out;
  out << std::ifstream(path, std::ios::binary).rdbuf();
  return out.str();
}

// The checkout, which ctest names; the programs run by hand stand in it.
inline std::string source_folder() {
  const char* const folder = std::getenv("MAILWARDEN_SOURCE");
  return folder != nullptr ? folder : std::filesystem::current_path().string();
}

// The folder of the programs built beside this test.
inline std::string program_folder() {
  const char* const folder = std::getenv("MAILWARDEN_BIN");
  return folder != nullptr ? folder
                           : std::filesystem::canonical("/proc/self/exe").parent_path().string();
}

// Outside test data, which stays outside the checkout; "" where it is absent.
inline std::string corpus_folder() {
  const char* const told = std::getenv("MAILWARDEN_CORPUS");
  const std::string folder = told != nullptr ? told : source_folder() + "/../shared/corpus";
  return std::filesystem::is_directory(folder) ? folder : std::string();
}

// Whether an archive of that data, named as below its folder, was unpacked into `folder`.
inline bool unpack_corpus(const std::string& archive, const std::string& folder) {
  const std::string command =
      "tar xzf '" + corpus_folder() + "/" + archive + "' -C '" + folder + "'";
  return std::system(command.c_str()) == 0;
}

}  // namespace mailwarden
