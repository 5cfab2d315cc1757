// What expressions come to. Most rows are the examples of Cedar 4.5, "Operators and functions", the
// others follow from Cedar.Spec.Evaluator of the formal model.
#include <random>

#include <gtest/gtest.h>

#include "tests/policy/given.h"

namespace mailwarden::policy {
namespace {

constexpr const char* people = R"([
  {"uid": {"type": "User", "id": "ada"},
   "attrs": {"age": 21, "name": "Ada", "tags": ["a", "b"], "of": {"city": "Bern"},
             "boss": {"__entity": {"type": "User", "id": "eve"}}},
   "parents": [{"type": "Group", "id": "staff"}],
   "tags": {"level": 3}},
  {"uid": {"type": "User", "id": "eve"}, "attrs": {}, "parents": []},
  {"uid": {"type": "Group", "id": "staff"}, "attrs": {"age": 1},
   "parents": [{"type": "Group", "id": "all"}]}])";

std::string came_to(std::string_view expression) {
  static const auto known = entities(people);
  static const Request asked =
      request(R"(User::"ada")", R"(Action::"read")", R"(Doc::"d")",
              R"({"mfa": true, "age": 21, "text": "1.5", "none": [], "five": 5})");
  return outcome(expression, *known, asked);
}

struct Row {
  const char* expression;
  const char* value;
};
void expect(const std::vector<Row>& rows) {
  for (const auto& [expression, value] : rows) EXPECT_EQ(came_to(expression), value) << expression;
}
// What cannot be evaluated, and part of the sentence.
void expect_failure(const std::vector<Row>& rows) {
  for (const auto& [expression, says] : rows) {
    const std::string came = came_to(expression);
    EXPECT_TRUE(came.starts_with("! ")) << expression << ": " << came;
    EXPECT_NE(came.find(says), std::string::npos) << expression << ": " << came;
  }
}
constexpr const char* wrong_type = "has an operand of the wrong type";

TEST(Evaluate, Equality) {
  expect({{"1 == 1", "true"},
          {R"("Something" == "something")", "false"},
          {"[1, -33, 707] == [1, -33]", "false"},
          {"[1, 2, 40] == [1, 40, 2]", "true"},
          {"[1, 1, 2, 1, 40, 2, 1, 2, 40, 1] == [1, 40, 1, 2]", "true"},
          {"[[1], [1, 1]] == [[1]]", "true"},
          {R"(User::"ada" == User::"ada")", "true"},
          {R"(User::"ada" == principal)", "true"},
          {R"(User::"ada" == Group::"ada")", "false"},
          {R"(5 == "5")", "false"},
          {"1 == true", "false"},
          {R"("ada" == User::"ada")", "false"},
          {"[] == {}", "false"},
          {"{a: 1} == {a: 1, b: 2}", "false"},
          {"{a: 1, b: [2]} == {b: [2, 2], a: 1}", "true"},
          {"{a: 1} == {b: 1}", "false"},
          {R"(decimal("1.0") == decimal("1.0000"))", "true"},
          {R"(decimal("1.0") == 10000)", "false"},
          {R"(duration("60s") == duration("1m"))", "true"},
          {R"(duration("0ms") == datetime("1970-01-01"))", "false"},
          {R"(datetime("2024-01-01T01:00:00+0100") == datetime("2024-01-01"))", "true"},
          {R"(ip("127.0.0.1") == ip("127.0.0.1/32"))", "true"},
          {R"(ip("192.168.0.1/24") == ip("192.168.0.8/24"))", "false"},
          {R"(ip("127.0.0.1") == "127.0.0.1")", "false"},
          {"1 != 2", "true"},
          {"1 != 1", "false"},
          {R"(1 != "1")", "true"}});
}

TEST(Evaluate, Order) {
  expect({{"3 < 303", "true"},
          {"303 < 3", "false"},
          {"3 < 3", "false"},
          {"3 <= 3", "true"},
          {"4 <= 3", "false"},
          {"3 > 3", "false"},
          {"4 > 3", "true"},
          {"3 >= 3", "true"},
          {"2 >= 3", "false"},
          {"-1 < 0", "true"},
          {R"(datetime("1970-01-01") < datetime("1970-01-02"))", "true"},
          {R"(datetime("1970-01-02") >= datetime("1970-01-02"))", "true"},
          {R"(duration("3h30m") < duration("15000s"))", "true"},
          {R"(duration("3h30m") > duration("10000s"))", "true"},
          {R"(decimal("1.23").lessThan(decimal("1.24")))", "true"},
          {R"(decimal("1.23").lessThan(decimal("1.23")))", "false"},
          {R"(decimal("-1.23").lessThan(decimal("-1.24")))", "false"},
          {R"(decimal("1.23").lessThanOrEqual(decimal("1.23")))", "true"},
          {R"(decimal("123.45").lessThanOrEqual(decimal("1.23")))", "false"},
          {R"(decimal("1.23").greaterThan(decimal("1.23")))", "false"},
          {R"(decimal("123.45").greaterThan(decimal("1.23")))", "true"},
          {R"(decimal("1.23").greaterThanOrEqual(decimal("1.23")))", "true"},
          {R"(decimal("1.23").greaterThanOrEqual(decimal("1.24")))", "false"}});
  expect_failure({{R"(3 < "3")", wrong_type},
                  {"false < true", wrong_type},
                  {R"("" < "zzz")", wrong_type},
                  {"[1, 2] <= [47, 0]", wrong_type},
                  {R"("some" > "thing")", wrong_type},
                  {"false >= true", wrong_type},
                  {R"(decimal("1.0") < decimal("2.0"))", wrong_type},
                  {R"(datetime("1970-01-01") < 3600000)", wrong_type},
                  {R"(duration("1h") < datetime("1970-01-01"))", wrong_type},
                  {R"(decimal("1.1").lessThan(2))", wrong_type},
                  {R"(ip("1.1.2.3").lessThan(decimal("1.2")))", wrong_type}});
}

TEST(Evaluate, ArithmeticAndItsEnds) {
  expect({{"11 + 0", "11"},
          {"-1 + 1", "0"},
          {"44 - 31", "13"},
          {"5 - (-3)", "8"},
          {"5 * (-3)", "-15"},
          {"-context.five", "-5"},
          {"9223372036854775807 + 0", "9223372036854775807"},
          {"-9223372036854775807 - 1", "-9223372036854775808"},
          {"-(9223372036854775807)", "-9223372036854775807"},
          {"3037000499 * 3037000499", "9223372030926249001"}});
  constexpr const char* overflow = "does not fit into 64 bits";
  expect_failure({{"9223372036854775807 + 1", overflow},
                  {"-9223372036854775808 + -1", overflow},
                  {"-9223372036854775807 - 2 + 3", overflow},
                  {"9223372036854775807 * 2", overflow},
                  {"-9223372036854775808 * -1", overflow},
                  {"-(-9223372036854775808)", overflow},
                  {"3037000500 * 3037000500", overflow},
                  {R"(7 + "3")", wrong_type},
                  {R"("lamp" + "la")", wrong_type},
                  {R"("5" * 0)", wrong_type},
                  {"-true", wrong_type},
                  {R"(duration("1s") + duration("1s"))", wrong_type}});
}

TEST(Evaluate, LogicAsksNoMoreThanItNeeds) {
  expect({{"false && 3", "false"},
          {"(3 == 4) && 3", "false"},
          {"(false && 3) == 3", "false"},
          {"true || 3", "true"},
          {"(3 == 3) || 3", "true"},
          {"false && context.gone", "false"},
          {"context.mfa || context.gone", "true"},
          {"!context.mfa && 1 + true == 1", "false"},
          {"true && context.mfa", "true"},
          {"false || !context.mfa", "false"},
          {"!!true", "true"},
          {R"(if !true then "hello" else "goodbye")", R"("goodbye")"},
          {R"(if 1 == 2 then User::"foo" else "ok")", R"("ok")"},
          {R"(if false then (1 && "hello") else "ok")", R"("ok")"},
          {"if context.mfa then 1 else context.gone", "1"},
          {"if context has gone then context.gone else 2", "2"}});
  expect_failure({{"3 && false", wrong_type},
                  {"true && 3", wrong_type},
                  {"3 || true", wrong_type},
                  {"false || 3", wrong_type},
                  {"context.mfa && context.gone", "'context.gone' is not there"},
                  {"context.gone || true", "'context.gone' is not there"},
                  {"!8", wrong_type},
                  {R"(if 1 then "wrong" else "wrong")", wrong_type},
                  {R"(if true then (1 && "hello") else "ok")", wrong_type},
                  {"if context.gone then 1 else 1", "'context.gone' is not there"}});
}

TEST(Evaluate, TheFirstFailureIsTold) {
  expect_failure({{"context.gone + context.lost", "'context.gone'"},
                  {"[1, context.gone, context.lost]", "'context.gone'"},
                  {"{b: context.gone}", "'context.gone'"},
                  {"context.gone == context.gone", "'context.gone'"},
                  {"(context.gone == 1) == (context.gone == 1)", "'context.gone'"},
                  {R"(ip("x").isInRange(context.gone))", R"('ip("x")' is no valid value)"}});
}

TEST(Evaluate, MembershipInTheHierarchy) {
  expect({{R"(principal in User::"ada")", "true"},
          {R"(principal in Group::"staff")", "true"},
          {R"(principal in Group::"all")", "true"},
          {R"(Group::"staff" in principal)", "false"},
          {R"(principal in Group::"other")", "false"},
          {R"(User::"nobody" in User::"nobody")", "true"},
          {R"(User::"nobody" in Group::"staff")", "false"},
          {R"(resource in resource)", "true"},
          {"principal in []", "false"},
          {R"(principal in [Group::"other", Group::"all"])", "true"},
          {R"(principal in [Group::"other"])", "false"},
          {R"(principal is User in Group::"all")", "true"},
          {R"(principal is Group in Group::"all")", "false"}});
  expect_failure({{R"(1 in Group::"staff")", wrong_type},
                  {"principal in 1", wrong_type},
                  {"principal in context", wrong_type},
                  {R"(principal in [Group::"all", 1])", wrong_type},
                  {R"(principal in [1, Group::"all"])", wrong_type},
                  {R"(principal in [Group::"all", {}])", wrong_type},
                  {R"(principal in [Group::"all", ip("::1")])", wrong_type},
                  {R"(principal is User in 1)", wrong_type}});
}

TEST(Evaluate, AttributesAndWhetherTheyAreThere) {
  expect({{"principal.age", "21"},
          {R"(principal["name"])", R"("Ada")"},
          {"principal.of.city", R"("Bern")"},
          {"principal.boss", R"(User::"eve")"},
          {"principal has age", "true"},
          {"principal has gone", "false"},
          {"principal has of.city", "true"},
          {"principal has of.street", "false"},
          {"principal has boss.age", "false"},
          {"principal has gone.a.b", "false"},
          {R"(Group::"staff".age)", "1"},
          {R"(User::"nobody" has age)", "false"},
          {R"(Group::"all" has age)", "false"},
          {"resource has a", "false"},
          {"action has a", "false"},
          {"context has mfa", "true"},
          {"{a: 1} has a", "true"},
          {"{a: 1} has b", "false"},
          {R"({"a b": 2}["a b"])", "2"}});
  expect_failure({{"principal.gone", "'principal.gone' is not there"},
                  {"principal.of.street", "'principal.of.street' is not there"},
                  {"context.gone", "'context.gone' is not there"},
                  {R"(User::"nobody".age)", "asks an entity that is not known"},
                  // One that is only mentioned, as a parent.
                  {R"(Group::"all".age)", "asks an entity that is not known"},
                  {"resource.a", "asks an entity that is not known"},
                  {"principal has age.a", wrong_type},
                  {"1 has a", wrong_type},
                  {R"("x".a)", wrong_type},
                  {"[1].a", wrong_type}});
}

TEST(Evaluate, Tags) {
  expect({{R"(principal.hasTag("level"))", "true"},
          {R"(principal.hasTag("gone"))", "false"},
          {R"(principal.getTag("level"))", "3"},
          {R"(User::"nobody".hasTag("level"))", "false"},
          {R"(principal.hasTag("age"))", "false"}});
  expect_failure({{R"(principal.getTag("gone"))", "no such tag"},
                  {R"(principal.getTag("age"))", "no such tag"},
                  {R"(User::"nobody".getTag("level"))", "not known"},
                  {"principal.hasTag(1)", wrong_type},
                  {R"(context.hasTag("level"))", wrong_type},
                  {R"(context.getTag("level"))", wrong_type}});
}

TEST(Evaluate, Types) {
  expect({{"principal is User", "true"},
          {"principal is Group", "false"},
          {"principal is A::User", "false"},
          {R"(A::User::"x" is A::User)", "true"},
          {R"(A::User::"x" is User)", "false"}});
  expect_failure({{"1 is User", wrong_type}, {"context is User", wrong_type}});
}

TEST(Evaluate, Sets) {
  expect({{"[1, 2].contains(1)", "true"},
          {"[1, 2].contains(3)", "false"},
          {R"([1, 2].contains("1"))", "false"},
          {"[[1], 2].contains([1, 1])", "true"},
          {"[].contains([])", "false"},
          {"[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11].contains(11)", "true"},
          {"[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11].contains(1)", "true"},
          {"[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11].contains(12)", "false"},
          {R"([1, 2, 3, 4, 5, 6, 7, true, "x", []].contains("x"))", "true"},
          {"[1, -22, 34].containsAll([-22, 1])", "true"},
          {"[1, -22].containsAll([1, -22, 34])", "false"},
          {"[].containsAll([])", "true"},
          {"[1].containsAll([])", "true"},
          {"[1].containsAny([])", "false"},
          {"[1, 2].containsAny([2, 3])", "true"},
          {"[1, 2].containsAny([3])", "false"},
          {"context.none.isEmpty()", "true"},
          {"[1].isEmpty()", "false"},
          {R"(principal.tags.contains("b"))", "true"}});
  expect_failure({{"1.contains(1)", wrong_type},
                  {"[1].containsAll(1)", wrong_type},
                  {"[1].containsAny(1)", wrong_type},
                  {"1.containsAny([1])", wrong_type},
                  {"{}.isEmpty()", wrong_type},
                  {R"("".isEmpty())", wrong_type}});
}

TEST(Evaluate, RecordsOfManyMembersFindEach) {
  std::string record;
  for (char c = 'a'; c <= 'z'; ++c) {
    record += (record.empty() ? "" : ", ") + std::string(1, c) + ": " + std::to_string(c);
  }
  for (char c = 'a'; c <= 'z'; ++c) {
    EXPECT_EQ(came_to("{" + record + "}." + c), std::to_string(c));
  }
  EXPECT_EQ(came_to("{" + record + "} has zz"), "false");
  EXPECT_EQ(came_to("{" + record + "} has A"), "false");
}

TEST(Evaluate, ExtensionFunctions) {
  expect(
      {{"decimal(context.text)", R"(decimal("1.5"))"},
       {R"(ip("10.0.0.1").isInRange(ip("10.0.0.0/8")))", "true"},
       {R"(ip("10.0.0.1").isIpv4())", "true"},
       {R"(ip("10.0.0.1").isIpv6())", "false"},
       {R"(ip("::1").isIpv4())", "false"},
       {R"(ip("::1").isIpv6())", "true"},
       {R"(ip("::1").isLoopback())", "true"},
       {R"(ip("10.0.0.1").isLoopback())", "false"},
       {R"(ip("ff00::2").isMulticast())", "true"},
       {R"(ip("10.0.0.1").isMulticast())", "false"},
       {R"(datetime("1970-01-01").offset(duration("1h")))",
        R"(datetime("1970-01-01T01:00:00.000Z"))"},
       {R"(datetime("1970-01-02").durationSince(datetime("1970-01-01")))",
        R"(duration("86400000ms"))"},
       {R"(datetime("1969-12-31T23:00:00Z").toDate())", R"(datetime("1969-12-31T00:00:00.000Z"))"},
       {R"(datetime("1969-12-31T23:00:00Z").toTime())", R"(duration("82800000ms"))"},
       {R"(duration("1d").toMilliseconds())", "86400000"},
       {R"(duration("4s100ms").toSeconds())", "4"},
       {R"(duration("-1500ms").toSeconds())", "-1"},
       {R"(duration("4m70s").toMinutes())", "5"},
       {R"(duration("4h70m").toHours())", "5"},
       {R"(duration("100ms").toHours())", "0"},
       {R"(duration("1d").toHours())", "24"},
       {R"(duration("-47h").toDays())", "-1"}});
  constexpr const char* invalid = "is no valid value";
  expect_failure(
      {{R"(decimal("1"))", invalid},
       {R"(ip("380.0.0.1"))", invalid},
       {R"(datetime("2022-10-10 "))", invalid},
       {R"(duration("1s1s"))", invalid},
       {R"(datetime("9999-12-31").offset(duration("9223372036854775807ms")))", invalid},
       {R"(datetime("0000-01-01").durationSince()"
        R"(datetime("1970-01-01").offset(duration("9223372036854775807ms"))))",
        invalid},
       {R"(datetime("1970-01-01").offset(duration("-9223372036854775808ms")).toDate())", invalid},
       {"ip([127,0,0,1])", wrong_type},
       {"decimal(1)", wrong_type},
       {R"("4s100ms".toSeconds())", wrong_type},
       {R"(datetime("1970-01-01").offset(1))", wrong_type},
       {R"(duration("1s").toDate())", wrong_type},
       {R"(ip("::1", "::2"))", wrong_type},
       {"ip()", wrong_type},
       {R"(ip("::1").isIpv4(1))", wrong_type}});
}

TEST(Evaluate, Patterns) {
  const std::vector<Row> rows{
      {R"("eggs" like "ham*")", "false"},
      {R"("eggs" like "*ham*")", "false"},
      {R"("ham and eggs" like "ham*")", "true"},
      {R"("ham and eggs" like "*ham")", "false"},
      {R"("ham and eggs" like "*h*a*m*")", "true"},
      {R"("eggs and ham" like "*ham")", "true"},
      {R"("eggs, ham, and spinach" like "*ham*")", "true"},
      {R"("Gotham" like "ham*")", "false"},
      {R"("ham" like "ham")", "true"},
      {R"("ham" like "*ham")", "true"},
      {R"("ham and ham" like "*ham")", "true"},
      {R"("ham" like "*ham and eggs*")", "false"},
      {R"("\\afterslash" like "\\*")", "true"},
      {R"("string\\with\\backslashes" like "string*with*backslashes")", "true"},
      {R"("string*with*stars" like "string\*with\*stars")", "true"},
      {R"("stringXwith*stars" like "string\*with\*stars")", "false"},
      {R"("" like "")", "true"},
      {R"("" like "*")", "true"},
      {R"("a" like "")", "false"},
      {R"("aa" like "a*a")", "true"},
      {R"("a" like "a*a")", "false"}};
  expect(rows);
  expect_failure({{R"(1 like "*")", wrong_type}, {R"(principal like "*")", wrong_type}});
}

// The definition of the formal model: character by character.
bool matches_plainly(std::string_view text, std::string_view pattern) {
  if (pattern.empty()) return text.empty();
  if (pattern.front() == '*') {
    return matches_plainly(text, pattern.substr(1)) ||
           (!text.empty() && matches_plainly(text.substr(1), pattern));
  }
  return !text.empty() && text.front() == pattern.front() &&
         matches_plainly(text.substr(1), pattern.substr(1));
}

TEST(Evaluate, PatternsMatchAsTheirDefinitionSays) {
  std::mt19937 random(1);
  std::size_t matched = 0;
  for (int trial = 0; trial < 50'000; ++trial) {
    std::string text;
    std::string written;
    for (std::size_t size = random() % 8; size > 0; --size) text += "ab"[random() % 2];
    for (std::size_t size = random() % 7; size > 0; --size) written += "ab*"[random() % 3];
    Pattern pattern(1);
    for (const char c : written) {
      if (c == '*') {
        pattern.emplace_back();
      } else {
        pattern.back() += c;
      }
    }
    const bool wanted = matches_plainly(text, written);
    matched += wanted ? 1 : 0;
    ASSERT_EQ(matches(text, pattern), wanted) << text << " like " << written;
  }
  EXPECT_GT(matched, 5'000U);
}

TEST(Evaluate, ManyStarsCostNoMoreThanTheText) {
  // Trying each star at each place would take longer than the universe has.
  const std::string text(200'000, 'a');
  Pattern pattern(20'000, "aa");
  pattern.back() = "b";
  EXPECT_FALSE(matches(text, pattern));
  pattern.back() = "a";
  EXPECT_TRUE(matches(text, pattern));
}

TEST(Evaluate, WhatStandsTwiceComesToTheSame) {
  const auto known = entities(people);
  const Request asked = request(R"(User::"ada")", R"(Action::"read")", R"(Doc::"d")");
  Expressions expressions;
  const ExprId id = must(parse_expression("principal.age + principal.age * 2", expressions));
  const ExprId gone = must(parse_expression("principal.gone", expressions));
  const Linked linked(expressions, *known, std::array{id, gone});
  EvaluationMemory memory;
  for (int turn = 0; turn < 3; ++turn) {
    memory.begin(linked);
    const Bound bound(linked, asked);
    Evaluator evaluator(linked, bound, memory);
    for (int time = 0; time < 2; ++time) {
      Value value;
      ASSERT_TRUE(evaluator.evaluate(id, value));
      EXPECT_EQ(value.number, 63);
      EXPECT_FALSE(evaluator.evaluate(gone, value));
      EXPECT_EQ(evaluator.error(), (EvaluationError{Failure::no_attribute, gone}));
    }
  }
}

}  // namespace
}  // namespace mailwarden::policy
