// The unit as systemd reads it.
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

// Of 100 (10.0) points of exposure; a service without a sandbox has 96.
TEST_F(Unit, GivesAwayLittle) {
  const Ran ran = analyze({"security", "--offline=yes", "--no-pager", "--threshold=20"});
  EXPECT_EQ(ran.code, 0) << ran.output;
}

}  // namespace
}  // namespace mailwarden
