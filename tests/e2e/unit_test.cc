// The unit as systemd reads it.
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/process.h"

namespace mailwarden {
namespace {

using testing::HasSubstr;

class Unit : public testing::Test {
 protected:
  // systemd looks whether the program is there, which it is where it was built.
  void SetUp() override {
    std::string text = read_file(source_folder() + "/systemd/mailwarden.service");
    const std::string installed = "/usr/sbin/mailwardend";
    const std::size_t at = text.find(installed);
    ASSERT_NE(at, std::string::npos);
    text.replace(at, installed.size(), program_folder() + "/mailwardend");
    write_file(file(), text);
  }
  std::string file() const { return folder_.path("mailwarden.service"); }

  // What `systemd-analyze` says, and its exit code.
  Ran analyze(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "/usr/bin/systemd-analyze");
    arguments.push_back(file());
    Process process(std::move(arguments), folder_.path("output"));
    const int code = process.wait();
    return {code, read_file(folder_.path("output"))};
  }

  // Of a set such as @system-service with the sets in it; of a call's name that call.
  std::set<std::string> calls_of(const std::string& name) {
    if (!name.starts_with('@')) return {name};
    const std::string output = folder_.path("calls");
    std::filesystem::remove(output);
    Process process({"/usr/bin/systemd-analyze", "--no-pager", "syscall-filter", name}, output);
    EXPECT_EQ(process.wait(), 0) << name;
    std::set<std::string> calls;
    std::istringstream lines(read_file(output));
    for (std::string line; std::getline(lines, line);) {
      std::string word = line.substr(std::min(line.find_first_not_of(' '), line.size()));
      if (word.empty() || word == name || word.starts_with('#')) continue;
      calls.merge(calls_of(word));
    }
    return calls;
  }

  // What the unit's lines SystemCallFilter= come to, one after the other.
  std::set<std::string> allowed_calls() {
    constexpr std::string_view setting = "SystemCallFilter=";
    std::set<std::string> calls = calls_of("@default");
    std::istringstream lines(read_file(file()));
    for (std::string line; std::getline(lines, line);) {
      if (!line.starts_with(setting)) continue;
      const bool taken_out = line[setting.size()] == '~';
      std::istringstream names(line.substr(setting.size() + (taken_out ? 1 : 0)));
      for (std::string name; names >> name;) {
        for (const std::string& call : calls_of(name)) {
          if (taken_out) {
            calls.erase(call);
          } else {
            calls.insert(call);
          }
        }
      }
    }
    return calls;
  }

  TemporaryFolder folder_;
};

TEST_F(Unit, IsUnderstoodWhole) {
  const Ran ran = analyze({"verify", "--man=no"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.output, "");
}

TEST_F(Unit, ASettingThatIsWrongWouldBeTold) {
  append_file(file(), "[Service]\nProtectHome=perhaps\n");
  EXPECT_THAT(analyze({"verify", "--man=no"}).output, HasSubstr("Failed to parse protect home"));
}

// Keys are kept in memory that is locked and left out of core dumps; a call that the filter does
// not name kills the daemon.
TEST_F(Unit, LetsKeysBeLockedInMemory) {
  const std::set<std::string> calls = allowed_calls();
  for (const char* call : {"mlock", "munmap", "madvise", "prctl", "prlimit64", "fchmod"}) {
    EXPECT_TRUE(calls.contains(call)) << call;
  }
  EXPECT_FALSE(calls.contains("setrlimit")) << "which the filter takes out again";
  EXPECT_THAT(read_file(file()), HasSubstr("\nLimitMEMLOCK=8M\n"));
  EXPECT_THAT(read_file(file()), HasSubstr("\nLimitCORE=0\n"));
}

// Of 100 (10.0) points of exposure; a service without a sandbox has 96.
TEST_F(Unit, GivesAwayLittle) {
  const Ran ran = analyze({"security", "--offline=yes", "--no-pager", "--threshold=20"});
  EXPECT_EQ(ran.code, 0) << ran.output;
}

}  // namespace
}  // namespace mailwarden
