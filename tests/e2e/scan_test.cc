// The command that scans, as people and scripts meet it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "json/value.h"
#include "tests/e2e/running.h"

namespace mailwarden {
namespace {

using testing::HasSubstr;
using testing::Not;

class ScanTest : public testing::Test {
 protected:
  ScanTest() {
    std::filesystem::create_directories(folder_.path("in/deeper"));
    std::filesystem::create_directories(folder_.path("rules"));
    write_file(folder_.path("rules/a.yar"),
               "rule needle { meta: title = \"A needle\" level = \"low\"\n"
               "strings: $n = \"needle\" condition: $n }\n");
    write_file(folder_.path("in/hay"), "hay");
  }

  Ran scan(std::vector<std::string> arguments, const std::string& input = "/dev/null") const {
    arguments.insert(arguments.begin(), {"mailwarden", "scan", "--rules", folder_.path("rules")});
    return run(std::move(arguments), input);
  }
  std::string in(const std::string& name = "") const { return folder_.path("in/" + name); }

  TemporaryFolder folder_;
};

TEST_F(ScanTest, NothingFoundIsZero) {
  const Ran ran = scan({in()});
  EXPECT_EQ(ran.code, done) << ran.output;
  EXPECT_EQ(ran.output, "1 file scanned, 3 bytes: nothing matched\n");
}

TEST_F(ScanTest, AMatchIsALineAndOne) {
  write_file(in("deeper/b"), "one needle");
  write_file(in("a"), "needle");
  const Ran ran = scan({in(), in("a"), "--threads", "3"});
  EXPECT_EQ(ran.code, answer_is_no);
  const std::size_t first = ran.output.find(in("a") + " ");
  const std::size_t second = ran.output.find(in("deeper/b") + " ");
  EXPECT_LT(first, second) << ran.output;
  EXPECT_THAT(ran.output, HasSubstr("$n at 0x4  A needle"));
  EXPECT_THAT(ran.output, HasSubstr("3 files scanned, 19 bytes: 2 matches in 2 files\n"));
}

TEST_F(ScanTest, JsonHoldsTheDetectionAndWhereItsRuleCameFrom) {
  write_file(in("a"), "one needle");
  const Ran ran = scan({in(), "--format", "json"});
  EXPECT_EQ(ran.code, answer_is_no);
  const auto value = json::parse(ran.output);
  ASSERT_TRUE(value) << ran.output;
  const json::Array* const matches = (*value)["matches"].as_array();
  ASSERT_TRUE(matches != nullptr && matches->size() == 1) << ran.output;
  const json::Value& match = matches->front();
  EXPECT_EQ(match.text("file"), in("a"));
  EXPECT_EQ(match.text("level"), "low");
  EXPECT_EQ(match.text("sha256").size(), 64U);
  EXPECT_EQ(match["origin"].text("file"), folder_.path("rules/a.yar"));
  EXPECT_EQ(match["origin"].integer("line"), 1);
  EXPECT_TRUE(match["event_time"].is_null());
  EXPECT_EQ((*value)["summary"].integer("files"), 2);
}

TEST_F(ScanTest, StandardInputIsAFileAsWell) {
  write_file(folder_.path("message"), "a needle");
  const Ran ran = scan({"-"}, folder_.path("message"));
  EXPECT_EQ(ran.code, answer_is_no);
  EXPECT_THAT(ran.output, HasSubstr("1 file scanned, 8 bytes: 1 match in 1 file"));
}

TEST_F(ScanTest, LinksInFoldersAndSpecialFilesAreNotRead) {
  write_file(folder_.path("outside"), "needle");
  std::filesystem::create_symlink(folder_.path("outside"), in("link"));
  std::filesystem::create_directory_symlink(folder_.path(), in("loop"));
  ASSERT_EQ(::mkfifo(in("pipe").c_str(), 0600), 0);
  const Ran ran = scan({in()});
  EXPECT_EQ(ran.code, done) << ran.output;
  EXPECT_THAT(ran.output, HasSubstr(in("pipe") + ": not a regular file; skipped"));
  EXPECT_THAT(ran.output, HasSubstr("; 1 skipped; 2 symbolic links not followed"));
  EXPECT_EQ(scan({in("link")}).code, answer_is_no) << "a link that is named is followed";
}

TEST_F(ScanTest, WhatCannotBeScannedIsToldAndThree) {
  write_file(in("large"), "hay and more hay");
  Ran ran = scan({in(), in("absent"), "--bytes-max", "4"});
  EXPECT_EQ(ran.code, unavailable);
  EXPECT_THAT(ran.output, HasSubstr(in("large") + ": larger than 4 bytes"));
  EXPECT_THAT(ran.output, HasSubstr(in("absent") + ": No such file or directory"));
  EXPECT_THAT(ran.output, HasSubstr("1 file scanned, 3 bytes: nothing matched; 2 could not"));
  write_file(in("a"), "needle");
  ran = scan({in(), "--bytes-max", "7"});
  EXPECT_EQ(ran.code, answer_is_no) << "what was found is not hidden by what could not be read";
  if (::geteuid() == 0) return;
  std::filesystem::permissions(in("deeper"), std::filesystem::perms::none);
  ran = scan({in("deeper"), in("hay")});
  std::filesystem::permissions(in("deeper"), std::filesystem::perms::owner_all);
  EXPECT_EQ(ran.code, unavailable);
  EXPECT_THAT(ran.output, HasSubstr(in("deeper") + ": Permission denied"));
}

TEST_F(ScanTest, ASlowRuleEndsAtItsTime) {
  write_file(folder_.path("rules/slow.yar"),
             "rule slow { condition: filesize > 100 and for all i in (0..1000000) : (\n"
             "for all j in (0..1000000) : ( uint8(i) + uint8(j) < 1000 ) ) }\n");
  write_file(in("long"), std::string(2'000'000, 'a'));
  const Ran ran = scan({in(), "--timeout", "1s"});
  EXPECT_EQ(ran.code, unavailable);
  EXPECT_THAT(ran.output, HasSubstr(in("long") + ": not scanned to its end within 1 s"));
}

TEST_F(ScanTest, ARefusedFileOfRulesIsToldAndNoAllClear) {
  write_file(folder_.path("rules/b.yar"), "\nrule b { condition: $x }\n");
  const Ran ran = scan({in()});
  EXPECT_EQ(ran.code, unavailable);
  EXPECT_THAT(ran.output, HasSubstr("b.yar, line 2: the rule 'b': undefined string \"$x\"; its "
                                    "file is left out"));
}

TEST_F(ScanTest, NamesOfFilesAreHarmlessOnATerminal) {
  write_file(in("ev\033[31mil"), "needle");
  write_file(in("la\033[31mrge"), "needle and more");
  const Ran ran = scan({in(), "--bytes-max", "8"});
  EXPECT_THAT(ran.output, HasSubstr("ev\\x1b[31mil"));
  EXPECT_THAT(ran.output, HasSubstr("la\\x1b[31mrge"));
  EXPECT_THAT(ran.output, Not(HasSubstr("\033")));
}

TEST_F(ScanTest, VariablesAreGivenByTheirType) {
  write_file(folder_.path("rules/v.yar"),
             "rule typed { condition: owner == \"root\" and depth == 3 and inbound }\n");
  EXPECT_EQ(scan({in()}).code, unavailable);
  EXPECT_EQ(
      scan({in(), "--define", "owner=root", "--define", "depth=3", "--define", "inbound=true"})
          .code,
      answer_is_no);
}

TEST_F(ScanTest, CheckTellsMistakesAndWarnings) {
  Ran ran = scan({"--check", folder_.path("rules")});
  EXPECT_EQ(ran.code, done);
  EXPECT_EQ(ran.output, "1 rule in 1 file compiled; 0 mistakes, 0 warnings\n");
  write_file(folder_.path("rules/b.yar"), "rule b { strings: $a = /a[a-z]{1,9}/ condition: $a }");
  ran = scan({"--check", folder_.path("rules")});
  EXPECT_EQ(ran.code, done);
  EXPECT_THAT(ran.output, HasSubstr("may slow down scanning (a warning)"));
  write_file(folder_.path("rules/c.yar"), "rule c {}");
  EXPECT_EQ(scan({"--check", folder_.path("rules")}).code, answer_is_no);
}

TEST_F(ScanTest, TestRunsTheSamplesBesideTheRules) {
  Ran ran = scan({"--test", folder_.path("rules")});
  EXPECT_EQ(ran.code, answer_is_no);
  EXPECT_THAT(ran.output, HasSubstr("a.yar: no samples stand beside it"));
  write_file(folder_.path("rules/a.test.yml"),
             "- {name: one, rule: needle, expect: match, text: a needle}\n"
             "- {name: none, rule: needle, expect: nothing, text: hay}\n");
  ran = scan({"--test", folder_.path("rules")});
  EXPECT_EQ(ran.code, done);
  EXPECT_EQ(ran.output, "1 rule, 2 samples, 0 failures\n");
  write_file(folder_.path("rules/a.test.yml"),
             "- {name: one, rule: needle, expect: match, text: hay}\n");
  ran = scan({"--test", folder_.path("rules")});
  EXPECT_EQ(ran.code, answer_is_no);
  EXPECT_THAT(ran.output, HasSubstr("a.test.yml, line 1: 'one' should match 'needle'"));
  EXPECT_THAT(ran.output, HasSubstr("'needle' has no sample that does not match"));
  write_file(folder_.path("rules/a.test.yml"), "- {name: one, rule: needle, expect: maybe}\n");
  EXPECT_THAT(scan({"--test", folder_.path("rules")}).output, HasSubstr("match, no match or"));
}

TEST(ShippedYaraRules, AreGoodAndAgreeWithTheirSamples) {
  const std::string rules = source_folder() + "/rules/yara";
  const Ran checked = run({"mailwarden", "scan", "--check", rules});
  EXPECT_EQ(checked.code, done) << checked.output;
  EXPECT_THAT(checked.output, HasSubstr("0 mistakes, 0 warnings"));
  const Ran tested = run({"mailwarden", "scan", "--test", rules});
  EXPECT_EQ(tested.code, done) << tested.output;
}

struct WrongArguments {
  const char* name;
  std::vector<std::string> arguments;
  const char* sentence;
};

class WrongScan : public testing::TestWithParam<WrongArguments> {};

TEST_P(WrongScan, IsOneSentenceAndTwo) {
  std::vector<std::string> arguments = GetParam().arguments;
  arguments.insert(arguments.begin(), {"mailwarden", "scan"});
  const Ran ran = run(std::move(arguments));
  EXPECT_EQ(ran.code, usage) << ran.output;
  EXPECT_THAT(ran.output, testing::StartsWith("mailwarden: "));
  EXPECT_THAT(ran.output, HasSubstr(GetParam().sentence));
}

INSTANTIATE_TEST_SUITE_P(
    Commands, WrongScan,
    testing::Values(
        WrongArguments{"Nothing", {}, "takes files and folders, or --check DIR"},
        WrongArguments{
            "Both", {"/dev/null", "--check", "x"}, "takes files and folders, or --check DIR"},
        WrongArguments{"NoRules", {"/dev/null", "--rules", "/nonexistent"}, "/nonexistent"},
        WrongArguments{
            "Threads", {"/dev/null", "--threads", "0"}, "a number from 1 to 256, not '0'"},
        WrongArguments{"Bytes", {"/dev/null", "--bytes-max", "much"}, "--bytes-max takes a number"},
        WrongArguments{"Timeout", {"/dev/null", "--timeout", "soon"}, "--timeout: 'soon'"},
        WrongArguments{"Variable", {"/dev/null", "--define", "x"}, "'x' is no NAME=VALUE"},
        WrongArguments{"Format", {"/dev/null", "--format", "xml"}, "not table or json"}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace mailwarden
