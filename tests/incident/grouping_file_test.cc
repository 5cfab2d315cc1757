#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "incident/grouping.h"
#include "tests/temporary.h"

namespace mailwarden::incident {
namespace {

using std::chrono::hours;
using testing::ElementsAre;
using testing::HasSubstr;

const std::map<std::string, std::string, std::less<>> rule_ids{{"guess", "id-1"}, {"id-1", "id-1"}};

struct WrongGrouping {
  std::string name;
  std::string text;
  std::string sentence;
};

class GroupingMistakes : public testing::TestWithParam<WrongGrouping> {};

TEST_P(GroupingMistakes, AreToldWithFileAndLine) {
  const Procedure procedure;
  const auto wrong =
      Grouping::parse(GetParam().text, "g.yaml", {.procedure = &procedure, .rules = &rule_ids});
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, Code::invalid);
  EXPECT_THAT(wrong.error().what, HasSubstr("g.yaml, line " + GetParam().sentence));
}

INSTANTIATE_TEST_SUITE_P(
    All, GroupingMistakes,
    testing::ValuesIn(std::vector<WrongGrouping>{
        {"Member", "within: 1h\ncolour: red\n", "2: "},
        {"RuleMember", "rules:\n  - {name: a, by: [address], after: 3}\n", "2: "},
        {"Filter", "rules:\n  - {name: a, by: [address], for: {colour: red}}\n", "2: "},
        {"UnknownRule", "rules:\n  - {name: a, by: [address], for: {rules: [gess]}}\n",
         "2: there is no rule 'gess'"},
        {"UnknownType", "rules:\n  - {name: a, by: [address], for: {types: [fire]}}\n",
         "2: there is no type 'fire'"},
        {"UnknownLevel", "rules:\n  - {name: a, by: [address], for: {levels: [loud]}}\n",
         "2: 'loud' is no level"},
        {"UnknownKind", "rules:\n  - {name: a, by: [colour]}\n", "2: 'colour' is none of address"},
        {"Twice", "rules:\n  - {name: a, by: [host, host]}\n", "2: 'host' stands here twice"},
        {"NoBy", "rules:\n  - {name: a}\n", "2: "},
        {"SameName", "rules:\n  - {name: a, by: [host]}\n  - {name: a, by: [host]}\n",
         "3: 'a' stands above already"},
        {"Threshold", "rules:\n  - {name: a, by: [host], threshold: 101}\n", "2: "},
        {"None", "rules:\n  - {name: a, by: [host], threshold: 0}\n", "2: "},
        {"Within", "rules:\n  - {name: a, by: [host], within: 8d}\n",
         "2: 'within' is more than nothing and at most 7d"},
        {"Nothing", "within: 0s\n", "1: 'within': must not be zero"},
        {"Distinct", "rules:\n  - {name: a, by: [host], threshold: 2, distinct: host}\n",
         "2: 'host' is the same in a group"},
        {"DistinctAlone", "rules:\n  - {name: a, by: [host], distinct: account}\n",
         "2: 'distinct' needs a 'threshold'"},
        {"LinkByRule", "links:\n  - {name: a, by: [rule]}\n", "2: 'rule' is none of"},
        {"Then", "links:\n  - {name: a, by: [host], then: glue}\n", "2: 'then' must be"},
        {"Shared", "shared:\n  - nobody\n", "2: expected kind:name"},
        {"Star", "shared:\n  - 'address:10.*.1'\n", "2: a star stands at the end"},
        {"AtOnce", "at_once: {level: loud}\n", "1: 'loud' is no level"},
        {"Severity", "at_once: {severity: 4}\n", "1: "}}),
    [](const auto& one) { return one.param.name; });

TEST(GroupingFile, MistakesAreToldTogether) {
  const auto wrong = Grouping::parse(
      "colour: red\nrules:\n  - {name: a, by: [colour]}\nlinks:\n  - {name: b}\n", "g.yaml", {});
  ASSERT_FALSE(wrong);
  for (const char* line : {"line 1", "line 3", "line 5"}) {
    EXPECT_THAT(wrong.error().what, HasSubstr(line));
  }
}

TEST(GroupingFile, SaysWhatItMeans) {
  const auto grouping = Grouping::parse(R"(
within: 2h
rules:
  - name: guessing
    for: {rules: [guess], tags: [attack.t1110], levels: [low, medium], about: [address]}
    by: [address, rule]
    within: 1h
    threshold: 5
    distinct: account
links: [{name: same, by: [account], then: join, incidents_max: 2}]
shared: ["address:10.*", "account:root"]
)",
                                        "g.yaml", {.rules = &rule_ids});
  ASSERT_TRUE(grouping) << grouping.error().what;
  EXPECT_EQ(grouping->within(), hours(2));
  const GroupingRule expected{.name = "guessing",
                              .filter = {.rules = {"id-1"},
                                         .tags = {"attack.t1110"},
                                         .levels = {detect::Level::low, detect::Level::medium},
                                         .about = {"address"}},
                              .by = {"address", "rule"},
                              .within = hours(1),
                              .threshold = 5,
                              .distinct = "account"};
  EXPECT_THAT(grouping->rules(), ElementsAre(expected));
  ASSERT_EQ(grouping->links().size(), 1U);
  EXPECT_EQ(grouping->links()[0].then, LinkRule::Then::join);
  EXPECT_EQ(grouping->links()[0].within, hours(2));
  EXPECT_TRUE(grouping->is_shared({"address", "10.1.2.3"}));
  EXPECT_FALSE(grouping->is_shared({"account", "10.1.2.3"}));
  EXPECT_FALSE(grouping->is_shared({"account", "rooter"}));
  EXPECT_TRUE(grouping->is_shared({"account", "root"}));
}

struct Fit {
  std::string name;
  DetectionFilter filter;
  bool fits;
};

class GroupingFilters : public testing::TestWithParam<Fit> {};

TEST_P(GroupingFilters, AskForOneOfEachList) {
  const detect::Detection detection{.rule_id = "r1",
                                    .level = detect::Level::high,
                                    .tags = {"attack.t1110.001", "attack.credential-access"},
                                    .entity = {"address", "192.0.2.7"}};
  EXPECT_EQ(fits(GetParam().filter, detection, "malware"), GetParam().fits);
}

INSTANTIATE_TEST_SUITE_P(All, GroupingFilters,
                         testing::ValuesIn(std::vector<Fit>{
                             {"Nothing", {}, true},
                             {"Rule", {.rules = {"r0", "r1"}}, true},
                             {"OtherRule", {.rules = {"r0"}}, false},
                             {"Tag", {.tags = {"attack.credential-access"}}, true},
                             {"Technique", {.tags = {"attack.t1110"}}, true},
                             {"HalfATag", {.tags = {"attack.t111"}}, false},
                             {"Level", {.levels = {detect::Level::high}}, true},
                             {"OtherLevel", {.levels = {detect::Level::low}}, false},
                             {"Type", {.types = {"malware"}}, true},
                             {"OtherType", {.types = {"service"}}, false},
                             {"About", {.about = {"account", "address"}}, true},
                             {"OtherKind", {.about = {"host"}}, false},
                             {"OneOfTwoLists", {.rules = {"r1"}, .about = {"host"}}, false}}),
                         [](const auto& one) { return one.param.name; });

// Its rules are those that are shipped, which the daemon's own loading checks.
TEST(GroupingFile, TheShippedOneIsRight) {
  const auto read = [](const std::string& name) {
    return read_file(source_folder() + "/policies/" + name);
  };
  const auto table = SeverityTable::parse(read("severity.yaml"), "severity.yaml");
  ASSERT_TRUE(table) << table.error().what;
  const auto procedure = Procedure::parse(read("incidents.yaml"), "incidents.yaml", *table);
  ASSERT_TRUE(procedure) << procedure.error().what;
  const auto grouping =
      Grouping::parse(read("grouping.yaml"), "grouping.yaml", {.procedure = &*procedure});
  ASSERT_TRUE(grouping) << grouping.error().what;
  EXPECT_FALSE(grouping->rules().empty());
  EXPECT_FALSE(grouping->links().empty());
  EXPECT_TRUE(grouping->is_shared({"address", "127.0.0.1"}));
}

}  // namespace
}  // namespace mailwarden::incident
