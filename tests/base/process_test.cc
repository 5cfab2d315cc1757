#include "base/process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "tests/temporary.h"

namespace mailwarden {
namespace {

struct Ran {
  ProcessEnd end;
  std::string output;
  std::string errors;
};

Ran run(ProcessCall call, std::size_t room = 100, bool apart = true) {
  std::string output(room, '\0');
  std::string errors(apart ? room : 0, '\0');
  call.output = output;
  call.errors = errors;
  const ProcessEnd end = run_process(call).value();
  return {end, output.substr(0, end.output_bytes), errors.substr(0, end.errors_bytes)};
}

TEST(RunProcess, GivesInputAndTakesOutputAndErrorsApart) {
  const Ran ran = run({.command = {"/bin/sh", "-c", "tr a-z A-Z; echo wrong >&2"},
                       .input = std::string_view("a\0b", 3)});
  EXPECT_TRUE(ran.end.in_time);
  EXPECT_EQ(failure_of(ran.end), "");
  EXPECT_EQ(ran.output, std::string_view("A\0B", 3));
  EXPECT_EQ(ran.errors, "wrong\n");
}

TEST(RunProcess, PutsErrorsAmongTheOutputWhereNobodyWantsThem) {
  EXPECT_EQ(run({.command = {"/bin/sh", "-c", "echo a; echo b >&2"}}, 100, false).output, "a\nb\n");
}

TEST(RunProcess, WithoutInputItReadsNothing) {
  EXPECT_EQ(run({.command = {"/bin/cat"}}).output, "");
}

TEST(RunProcess, GivesNothingButTheEnvironmentThatItWasTold) {
  EXPECT_EQ(run({.command = {"/usr/bin/env"}, .environment = {"A=b"}}).output,
            "PATH=/usr/sbin:/usr/bin:/sbin:/bin\nA=b\n");
}

TEST(RunProcess, TellsHowItEnded) {
  EXPECT_EQ(failure_of(run({.command = {"/bin/sh", "-c", "exit 3"}}).end), "ended with 3");
  EXPECT_EQ(failure_of(run({.command = {"/bin/sh", "-c", "kill -9 $$"}}).end), "ended by signal 9");
  std::string output(10, '\0');
  const auto none = run_process({.command = {"/nonexistent/tool"}, .output = output});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error(), (Error{Code::io, "/nonexistent/tool: No such file or directory"}));
}

TEST(RunProcess, IsEndedWithItsChildrenWhenItsTimeIsOver) {
  const Ran ran = run({.command = {"/bin/sh", "-c", "sleep 1000 & echo $!; sleep 1000"},
                       .time_out = std::chrono::milliseconds(300)});
  EXPECT_FALSE(ran.end.in_time);
  EXPECT_EQ(failure_of(ran.end), "was not done in time");
  const std::string status = "/proc/" + std::string(trim(ran.output)) + "/status";
  // It stays as a dead entry until somebody waits for it; the signal may need a moment.
  bool gone = false;
  for (int i = 0; i < 100'000 && !gone; ++i) {
    const std::string now = read_file(status);
    gone = now.empty() || now.find("State:\tZ") != std::string::npos;
  }
  EXPECT_TRUE(gone);
}

TEST(RunProcess, KeepsWhatThereIsRoomForAndSaysThatThereWasMore) {
  const Ran more = run({.command = {"/usr/bin/head", "-c", "100000", "/dev/zero"}}, 10);
  EXPECT_EQ(more.output, std::string(10, '\0'));
  EXPECT_FALSE(more.end.output_whole);
  EXPECT_EQ(failure_of(more.end), "");
  EXPECT_TRUE(run({.command = {"/usr/bin/head", "-c", "10", "/dev/zero"}}, 10).end.output_whole);
}

TEST(RunProcess, InputThatNobodyReadsMakesNobodyWait) {
  const std::string input(ProcessCall::input_bytes_max, 'i');
  EXPECT_EQ(failure_of(run({.command = {"/bin/true"}, .input = input}).end), "");
  std::string output(10, '\0');
  const std::string more = input + "i";
  EXPECT_EQ(run_process({.command = {"/bin/true"}, .input = more, .output = output}).error().code,
            Code::full);
}

}  // namespace
}  // namespace mailwarden
