#include "detect/yara_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mailwarden::detect {
namespace {

using testing::ElementsAre;

TEST(YaraText, RulesAreFoundBehindEverythingThatLooksLikeThem) {
  const auto found = find_rules(
      "import \"pe\"\n"
      "// rule commented { }\n"
      "/* rule also_commented {\n } */ private global rule first : tag rule_like {\n"
      "  strings:\n"
      "    $a = \"} rule inside { \\\" }\"\n"
      "    $b = /} rule \\/ inside { / nocase // rule behind {\n"
      "    $c = { 41 [2-4] ( 42 | 43 ) } /* } */\n"
      "  condition: 4 \\ 2 == 2 and any of them }\n"
      "rule\n second{condition:true}rule third{condition:true}\n");
  EXPECT_THAT(found,
              ElementsAre(RulePlace{"first", 4}, RulePlace{"second", 11}, RulePlace{"third", 11}));
  EXPECT_TRUE(find_rules("").empty());
  EXPECT_TRUE(find_rules("rule").empty());
  EXPECT_TRUE(find_rules("/* rule a {").empty());
}

struct FactsCase {
  const char* name;
  const char* text;
  bool good;
};

class YaraFacts : public testing::TestWithParam<FactsCase> {};

TEST_P(YaraFacts, AreReadOrRefused) {
  EXPECT_EQ(parse_facts(GetParam().text).has_value(), GetParam().good);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, YaraFacts,
    testing::Values(FactsCase{"One", "malware=1", true}, FactsCase{"Two", " a = 2 ,b=true", true},
                    FactsCase{"Empty", "", false}, FactsCase{"NoWorth", "malware", false},
                    FactsCase{"Negative", "a=-1", false}, FactsCase{"Words", "a=down", false},
                    FactsCase{"Twice", "a=1,a=2", false}, FactsCase{"UpperCase", "A=1", false},
                    FactsCase{"TrailingComma", "a=1,", false}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace mailwarden::detect
