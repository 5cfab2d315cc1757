// The commands about detection rules, as their users run them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "json/value.h"
#include "tests/e2e/running.h"

namespace mailwarden {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class DetectCommand : public testing::Test {
 protected:
  DetectCommand() {
    write_file(path("rules/good.yml"),
               "title: Good\nid: good\nlevel: high\nlogsource: {product: x}\n"
               "detection: {s: {a|contains: needle}, condition: s}\n");
    write_file(path("rules/wrong.yml"),
               "title: Wrong\nid: wrong\nlogsource: {product: x}\n"
               "detection: {s: {'a|sounds': needle}, condition: s}\n");
    write_file(path("events"), "{\"a\":\"hay\"}\n{\"a\":\"a needle\"}\n");
  }

  std::string path(const std::string& name) const {
    std::filesystem::create_directories(folder_.path("rules"));
    return folder_.path(name);
  }

  TemporaryFolder folder_;
};

TEST_F(DetectCommand, PrintsALineForEachMatchAndTellsWhatIsNotInForce) {
  const Ran ran = mailwarden(
      {"detect", "--rules", path("rules"), "--events", path("events"), "--logsource", "product=x"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(
      ran.output,
      AllOf(HasSubstr("{\"event\":1,\"rule\":\"good\",\"title\":\"Good\",\"level\":\"high\","
                      "\"matches\":[{\"selection\":\"s\",\"field\":\"a\",\"value\":"
                      "\"a needle\"}]}\n"),
            HasSubstr("wrong.yml, line 4: 'sounds' is not a modifier of Sigma")));
}

TEST_F(DetectCommand, ALineThatCannotBeReadIsToldAndCodeThree) {
  write_file(path("events"), "{\"a\":\"a needle\"}\nnonsense\n");
  const Ran ran = mailwarden({"detect", "--rules", path("rules/good.yml"), "--events",
                              path("events"), "--logsource", "product=x"});
  EXPECT_EQ(ran.code, 3);
  EXPECT_THAT(ran.output, AllOf(HasSubstr("\"event\":0"),
                                HasSubstr(path("events") + ", event 1: not valid JSON")));
}

TEST_F(DetectCommand, RulesCheckGivesAVerdictOnEach) {
  const Ran ran = mailwarden({"rules", "check", path("rules"), "--format", "jsonl"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_EQ(ran.output, "{\"file\":\"" + path("rules/good.yml") +
                            "\",\"id\":\"good\",\"reason\":null,\"verdict\":\"loaded\"}\n"
                            "{\"file\":\"" +
                            path("rules/wrong.yml") +
                            "\",\"id\":\"wrong\",\"line\":4,\"reason\":\"'sounds' is not a "
                            "modifier of Sigma\",\"verdict\":\"refused\"}\n");
  EXPECT_EQ(mailwarden({"rules", "check", path("rules/good.yml")}).code, 0);
}

TEST_F(DetectCommand, RulesStatsCountsWhatThereIs) {
  const Ran ran = mailwarden({"rules", "stats", path("rules/good.yml"), "--format", "json"});
  EXPECT_EQ(ran.code, 0);
  const auto stats = json::parse(ran.output);
  ASSERT_TRUE(stats) << ran.output;
  EXPECT_EQ(stats->integer("rules"), 1);
  EXPECT_EQ(stats->integer("predicates"), 1);
  const json::Array& groups = *(*stats)["groups"].as_array();
  ASSERT_EQ(groups.size(), 1U);
  EXPECT_EQ(groups[0].text("logsource"), "x/*/*");
  EXPECT_EQ(groups[0].integer("literals"), 1);
  EXPECT_EQ(groups[0].integer("always"), 0);
}

}  // namespace
}  // namespace mailwarden
