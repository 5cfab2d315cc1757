// What conditions may say, and what they come to.
#include "respond/condition.h"

#include <gtest/gtest.h>

#include "respond/condition_tree.h"

namespace mailwarden::respond {
namespace {

json::Value lookup(std::string_view name) {
  static const json::Object values{{"count", 3},
                                   {"share", 0.5},
                                   {"large", std::int64_t{9'007'199'254'740'993}},
                                   {"kind", "mail"},
                                   {"empty", ""},
                                   {"address", "10.0.0.9"},
                                   {"six", "2001:db8::1"},
                                   {"yes", true},
                                   {"hosts", json::Array{"a", "b"}},
                                   {"facts", json::Object{{"a", 1}}},
                                   {"incident.severity", 2}};
  const auto found = values.find(name);
  return found == values.end() ? json::Value() : found->second;
}

std::string verdict(std::string_view text) {
  const auto condition = Condition::parse(text);
  if (!condition) return "unreadable: " + condition.error().what;
  const auto holds = condition->evaluate(lookup);
  if (!holds) return std::string(to_string(holds.error().code)) + ": " + holds.error().what;
  return *holds ? "true" : "false";
}

TEST(Condition, ComesToWhatItSays) {
  struct Case {
    const char* text;
    const char* expected;
  };
  for (const Case& c : std::vector<Case>{
           {"count > 2", "true"},
           {"count>=3", "true"},
           {"count < 3", "false"},
           {"count <= 2.5", "false"},
           {"count == 3.0", "true"},
           {"share < count", "true"},
           {"share == 5e-1", "true"},
           {"-1 < share", "true"},
           // A double cannot hold this one; comparing as doubles would say that they are equal.
           {"large == 9007199254740992.0", "false"},
           {"large > 9007199254740992", "true"},
           {R"(kind == "mail")", "true"},
           {R"(kind != "mail")", "false"},
           {R"(kind < "web")", "true"},
           {R"(empty == "")", "true"},
           {R"("a\"\\\n\t" == "a\"\\\n\t")", "true"},
           {R"(address < "10.0.0.10")", "true"},
           {R"(address > "10.0.0.10x")", "true"},
           {R"(six == "2001:0db8:0:0:0:0:0:1")", "true"},
           {R"("::1" < "10.0.0.1")", "false"},
           {R"(kind in ["web", "mail"])", "true"},
           {R"(kind in [])", "false"},
           {R"("a" in hosts)", "true"},
           {R"("c" in hosts)", "false"},
           {R"(3 in [1, count])", "true"},
           {R"(hosts == ["a", "b"])", "true"},
           {R"(hosts != ["b", "a"])", "true"},
           {"facts == facts", "true"},
           {"yes", "true"},
           {"yes == false", "false"},
           {"not yes or count == 3", "true"},
           {"not (yes or count == 3)", "false"},
           {"false and false or true", "true"},
           {"false and (false or true)", "false"},
           {"not not yes", "true"},
           {"exists kind", "true"},
           {"exists owner", "false"},
           {"not exists owner or owner == \"ann\"", "true"},
           {"incident.severity >= 2", "true"},
           {"count > 2 and not (kind == \"test\" or kind in [\"a\", \"b\"])", "true"}}) {
    EXPECT_EQ(verdict(c.text), c.expected) << c.text;
  }
}

TEST(Condition, WhatDoesNotFitIsAnErrorAndNeverFalse) {
  struct Case {
    const char* text;
    const char* expected;
  };
  for (const Case& c : std::vector<Case>{
           {R"(count == "3")", "invalid: an integer and a text do not compare by =="},
           {R"(kind > 1)", "invalid: a text and an integer do not compare by >"},
           {"yes < true", "invalid: a boolean and a boolean do not compare by <"},
           {"hosts < hosts", "invalid: a list and a list do not compare by <"},
           {R"(kind in "mail")", "invalid: a text and a text do not compare by in"},
           {R"(kind in ["mail", 1])", "invalid: a text and an integer do not compare by =="},
           {"owner == 1", "not_found: the variable 'owner' has no value yet"},
           {"1 == owner", "not_found: the variable 'owner' has no value yet"},
           {"1 in [owner]", "not_found: the variable 'owner' has no value yet"},
           {"owner", "not_found: the variable 'owner' has no value yet"},
           {"not kind", "invalid: 'kind' is a text and cannot be true"},
           {"yes and owner", "not_found: the variable 'owner' has no value yet"},
           {"not yes and owner", "false"},
           {"yes or owner", "true"}}) {
    EXPECT_EQ(verdict(c.text), c.expected) << c.text;
  }
}

TEST(Condition, AMistakeIsToldWithItsColumn) {
  struct Case {
    std::string text;
    const char* expected;
  };
  for (const Case& c : std::vector<Case>{
           {"", "column 1: a variable, number, text or list was expected"},
           {"a ==", "column 5: a variable, number, text or list was expected"},
           {"a = 1", "column 3: 'and', 'or' or the end was expected"},
           {"a == 1 b", "column 8: 'and', 'or' or the end was expected"},
           {"(a == 1", "column 8: ')' was expected"},
           {"3", "column 2: a comparison was expected: == != < <= > >= or in"},
           {"a == \"x", "column 6: a text is never closed"},
           {R"(a == "\x")", "column 6: behind a backslash in a text stands one of \" \\ n t"},
           {"a == 1.2.3", "column 6: '1.2.3' is no number"},
           {"a == -", "column 6: '-' is no number"},
           {"a == 01", "column 6: '01' is no number"},
           {"a in [1", "column 8: ',' or ']' was expected"},
           {"a in [[1]]", "column 7: lists hold no lists"},
           {"and == 1", "column 1: a variable's name was expected"},
           {"exists 3", "column 8: a variable's name was expected"},
           {"a == #", "column 6: a variable's name was expected"},
           {std::string(51, '(') + "a" + std::string(51, ')'), "column 51: nested too deep"},
           {std::string(5000, ' '), "column 4097: a condition has at most 4096 bytes"}}) {
    const auto condition = Condition::parse(c.text);
    ASSERT_FALSE(condition) << c.text;
    EXPECT_EQ(condition.error().what, c.expected) << c.text;
  }
}

TEST(Condition, NotIsNestedNoDeeperThanParentheses) {
  std::string text;
  for (int i = 0; i < 60; ++i) text += "not ";
  const auto condition = Condition::parse(text + "a");
  ASSERT_FALSE(condition);
  EXPECT_TRUE(condition.error().what.ends_with("nested too deep")) << condition.error().what;
}

TEST(Condition, KnowsItsVariables) {
  const auto condition = Condition::parse(R"(a.b > 1 and exists c or "d" in [e-f])");
  ASSERT_TRUE(condition);
  EXPECT_EQ(condition->variables(), (std::set<std::string, std::less<>>{"a.b", "c", "e-f"}));
}

TEST(Condition, ReadsWhatItPrints) {
  for (const std::string text :
       {R"(a == 1 and (b or not (c < 2.5 or d)) or "x\"\\\n\t" in ["y", z, -3, true])",
        "exists a and exists b.c and not exists d", "((a or b) or c) and d", "a == 1.0",
        "a == 1e300"}) {
    const auto condition = Condition::parse(text);
    ASSERT_TRUE(condition) << text;
    const auto again = Condition::parse(condition->to_text());
    ASSERT_TRUE(again) << condition->to_text();
    EXPECT_EQ(again->to_text(), condition->to_text());
    EXPECT_EQ(again->variables(), condition->variables());
  }
  EXPECT_EQ(Condition::parse(" a  and (  b or c)")->to_text(), "a and (b or c)");
}

TEST(VariableName, IsNoWordOfTheLanguage) {
  for (const char* good : {"a", "_a-1.b", "Not", "incident.entity"}) {
    EXPECT_TRUE(is_variable_name(good)) << good;
  }
  EXPECT_TRUE(is_variable_name(std::string(250, 'a')));
  EXPECT_FALSE(is_variable_name(std::string(251, 'a')));
  for (const char* bad : {"", "1a", "-a", ".a", "a b", "and", "exists", "true", "ä"}) {
    EXPECT_FALSE(is_variable_name(bad)) << bad;
  }
}

}  // namespace
}  // namespace mailwarden::respond
