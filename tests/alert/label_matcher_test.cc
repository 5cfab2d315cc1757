// What a matcher's text means, and what is refused.
#include "alert/label_matcher.h"

#include <gtest/gtest.h>

namespace mailwarden::alert {
namespace {

TEST(LabelMatcher, AsksForALabel) {
  struct Case {
    const char* text;
    Labels labels;
    bool matches;
  };
  const Labels disk{{"alertname", "DiskFull"}, {"team", "mail"}};
  const std::vector<Case> cases{
      {"alertname=\"DiskFull\"", disk, true},
      {"alertname=DiskFull", disk, true},
      {"  alertname = \"DiskFull\" ", disk, true},
      {"alertname=\"Disk\"", disk, false},
      {"alertname!=\"Disk\"", disk, true},
      {"team=~\"mail|db\"", disk, true},
      {"team=~\"mai\"", disk, false},  // the whole value
      {"team=~\"mail\"", {{"team", "mail\n"}}, false},
      {"team!~\"mail|db\"", disk, false},
      {"team!~\"ma\"", disk, true},
      {"none=\"\"", disk, true},  // not there is empty
      {"none!=\"\"", disk, false},
      {"none=~\".*\"", disk, true},
      {"none=~\".+\"", disk, false},
      {"team=\"Mail\"", disk, false},
      {"team=~\"(?i)MAIL\"", disk, true},
      {R"(path="C:\\a \"b\"\n")", {{"path", "C:\\a \"b\"\n"}}, true},
      {R"(path="\d")", {{"path", "\\d"}}, true},  // any other backslash is itself
      {R"(path=~"\d+")", {{"path", "17"}}, true},
      {"team=", {}, true},
      {"team=a=b", {{"team", "a=b"}}, true}};
  for (const Case& c : cases) {
    const auto matcher = LabelMatcher::parse(c.text);
    ASSERT_TRUE(matcher) << c.text << ": " << matcher.error().what;
    EXPECT_EQ(matcher->matches(c.labels), c.matches) << c.text;
    EXPECT_EQ(LabelMatcher::parse(to_text(*matcher)), matcher) << to_text(*matcher);
    EXPECT_EQ(matcher_from_json(to_json(*matcher)), matcher) << c.text;
  }
}

TEST(LabelMatcher, RefusesWhatIsNone) {
  struct Case {
    std::string text;
    const char* why;
  };
  const std::vector<Case> cases{
      {"", "one of = != =~ !~ is missing"},
      {"alertname", "one of = != =~ !~ is missing"},
      {"alertname!", "one of = != =~ !~ is missing"},
      {"=\"x\"", "is no name of a label"},
      {"1a=\"x\"", "is no name of a label"},
      {"a b=\"x\"", "is no name of a label"},
      {"a=\"x", "the closing quote is missing"},
      {"a=\"x\\\"", "the closing quote is missing"},
      {"a=\"x\"y", "something stands behind the closing quote"},
      {"a=x\"y", "a quote stands in the value"},
      {"a=~\"(\"", "the expression is wrong"},
      {"a=~\"x)|(?:y\"", "the expression is wrong"},
      {"a=\"" + std::string(LabelMatcher::value_bytes_max + 1, 'x') + "\"", "at most 4096 bytes"},
      {"a=\"\xff\"", "must be UTF-8"}};
  for (const Case& c : cases) {
    const auto matcher = LabelMatcher::parse(c.text);
    ASSERT_FALSE(matcher) << c.text;
    EXPECT_TRUE(matcher.error().what.contains(c.why)) << c.text << ": " << matcher.error().what;
  }
}

TEST(LabelMatcher, ReadsTheOpenApisForm) {
  const auto read = [](const char* text) { return matcher_from_json(json::parse(text).value()); };
  EXPECT_EQ(read(R"({"name":"a","value":"b","isRegex":false})"), LabelMatcher::parse("a=b"));
  EXPECT_EQ(read(R"({"name":"a","value":"b","isRegex":true,"isEqual":false})"),
            LabelMatcher::parse("a!~b"));
  for (const char* const wrong : {R"({"name":"a","value":"b"})", R"({"name":"a","isRegex":false})",
                                  R"({"name":1,"value":"b","isRegex":false})", R"([])",
                                  R"({"name":"a","value":"b","isRegex":false,"isEqual":1})"}) {
    EXPECT_FALSE(read(wrong)) << wrong;
  }
}

TEST(LabelMatcher, AllOfSeveralMustMatch) {
  const LabelMatchers both{LabelMatcher::parse("a=1").value(), LabelMatcher::parse("b!=2").value()};
  EXPECT_TRUE(match_all(both, {{"a", "1"}}));
  EXPECT_FALSE(match_all(both, {{"a", "1"}, {"b", "2"}}));
  EXPECT_TRUE(match_all({}, {}));
  EXPECT_EQ(to_text(both), "a=\"1\", b!=\"2\"");
}

}  // namespace
}  // namespace mailwarden::alert
