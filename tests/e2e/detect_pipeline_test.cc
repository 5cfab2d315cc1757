// Rules behind pipelines, as people and scripts meet them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/process.h"
#include "tests/temporary.h"

namespace mailwarden {
namespace {

using testing::HasSubstr;

class DetectPipeline : public testing::Test {
 protected:
  DetectPipeline() {
    write_file(folder_.path("r.yml"),
               "title: T\nid: r\nlogsource: {product: p}\n"
               "detection: {s: {'A|expand': '%v%'}, condition: s}\n");
    write_file(folder_.path("e.jsonl"), "{\"B\": \"x\"}\n{\"A\": \"x\"}\n");
    write_file(folder_.path("map.yml"),
               "transformations: [{type: field_name_mapping, mapping: {A: B}}]\n");
    write_file(folder_.path("vars.yml"), "vars: {v: [x, y]}\n");
    write_file(folder_.path("wrong.yml"), "tea: 1\ntransformations:\n- {type: regex}\n");
  }

  Ran mailwarden(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "mailwarden");
    return run(std::move(arguments), "/dev/null");
  }
  Ran detect(const std::vector<std::string>& pipelines) const {
    std::vector<std::string> arguments{"detect",
                                       "--rules",
                                       folder_.path("r.yml"),
                                       "--events",
                                       folder_.path("e.jsonl"),
                                       "--logsource",
                                       "product=p",
                                       "--format",
                                       "table"};
    for (const std::string& one : pipelines) {
      arguments.insert(arguments.end(), {"--pipeline", folder_.path(one)});
    }
    return mailwarden(std::move(arguments));
  }

  TemporaryFolder folder_;
};

TEST_F(DetectPipeline, ChangesRulesAndGivesValues) {
  const Ran ran = detect({"map.yml", "vars.yml"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.output, HasSubstr("event 0 "));
  EXPECT_THAT(ran.output, testing::Not(HasSubstr("event 1 ")));
  EXPECT_THAT(detect({"map.yml"}).output, HasSubstr("no values are configured"));
}

TEST_F(DetectPipeline, AWrongOneIsToldWithAllMistakes) {
  const Ran ran = detect({"map.yml", "wrong.yml"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.output, HasSubstr("wrong.yml, line 1: 'tea' is not known in a pipeline"));
  EXPECT_THAT(ran.output, HasSubstr("wrong.yml, line 3: the transformation 'regex' is not supp"));
  EXPECT_EQ(detect({"none.yml"}).code, 1);
}

TEST_F(DetectPipeline, RulesAreCheckedBehindIt) {
  const std::string rules = folder_.path("r.yml");
  EXPECT_EQ(mailwarden({"rules", "check", rules}).code, 1);
  const Ran checked = mailwarden({"rules", "check", rules, "--pipeline", folder_.path("vars.yml")});
  EXPECT_EQ(checked.code, 0) << checked.output;
  EXPECT_EQ(mailwarden({"rules", "test", rules, "--pipeline", folder_.path("vars.yml")}).code, 2);
}

}  // namespace
}  // namespace mailwarden
