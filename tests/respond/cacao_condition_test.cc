// Conditions of ours as STIX has them, and STIX's as ours.
#include "respond/cacao_condition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "respond/condition.h"

namespace mailwarden::respond::cacao {
namespace {

using flow::VariableType;

VariableNames condition_names() {
  VariableNames out;
  for (const char* name : {"n", "who", "sure", "hosts"}) {
    out.add("__" + std::string(name) + "__", name);
  }
  return out;
}

const flow::Variables& variables() {
  static const flow::Variables all{{"n", {.type = VariableType::integer}},
                                   {"who", {}},
                                   {"sure", {.type = VariableType::boolean}},
                                   {"hosts", {.type = VariableType::list}}};
  return all;
}

struct Wording {
  const char* native;
  const char* stix;
};

constexpr Wording written[] = {
    {"n > 5", "__n__:value > 5"},
    {"5 < n", "__n__:value > 5"},
    {"n == 5 and who != \"it's\"", R"(__n__:value = 5 AND __who__:value != 'it\'s')"},
    {"n == 1 or n == 2 and sure == true",
     "__n__:value = 1 OR (__n__:value = 2 AND __sure__:value = true)"},
    {"who in [\"a\", \"b\"]", "__who__:value IN ('a', 'b')"},
    {"who in hosts", "__who__:value IN __hosts__:value"},
    {"not who in [\"a\"]", "__who__:value NOT IN ('a')"},
    {"not (n == 1 or n >= 3)", "__n__:value NOT = 1 AND __n__:value NOT >= 3"},
    {"not (n == 1 and not sure)", "__n__:value NOT = 1 OR (__sure__:value = true)"},
    {"sure", "__sure__:value = true"},
    {"exists who", "EXISTS __who__:value"},
    {"not exists who", "NOT EXISTS __who__:value"},
    {"n < 1.5", "__n__:value < 1.5"}};

TEST(Stix, SaysWhatOursSays) {
  for (const Wording& one : written) {
    const auto stix = to_stix(one.native, condition_names());
    ASSERT_TRUE(stix) << one.native << ": " << stix.error().what;
    EXPECT_EQ(*stix, one.stix) << one.native;
    // It is read again as the same truth for every value.
    const auto back = to_native(*stix, condition_names(), variables());
    ASSERT_TRUE(back) << *stix << ": " << back.error().what;
    const auto a = Condition::parse(one.native);
    const auto b = Condition::parse(*back);
    ASSERT_TRUE(a && b) << *back;
    for (int bits = 0; bits < 64; ++bits) {
      const auto lookup = [&](std::string_view name) -> json::Value {
        if (name == "n") return bits & 3;
        if (name == "sure") return (bits & 4) != 0;
        if (name == "hosts") return json::Array{"a", "c"};
        return (bits & 8) != 0 ? "a" : "it's";
      };
      EXPECT_EQ(a->evaluate(lookup), b->evaluate(lookup)) << one.native << " and " << *back;
    }
  }
}

constexpr Wording read[] = {
    {"n == 5", "__n__:value = '5'"},
    {"n == 5", "  __n__:value=='5' "},
    {"n != 5", "__n__:value <> 5"},
    {"sure == true", "__sure__:value = 'true'"},
    {"who == \"true\"", "__who__:value = 'true'"},
    {"who == \"a\\\\b\\\"\"", R"(__who__:value = 'a\\b"')"},
    {"n in [1, 2]", "__n__:value IN ('1', 2)"},
    {"n == 1 and sure == true", "[__n__:value = 1 AND __sure__:value = true]"},
    {"who == who", "__who__:value = __who__:value"},
    {"exists who or n < -1", "exists __who__:value or __n__:value < -1"}};

TEST(Stix, IsReadAsOurs) {
  for (const Wording& one : read) {
    const auto native = to_native(one.stix, condition_names(), variables());
    ASSERT_TRUE(native) << one.stix << ": " << native.error().what;
    EXPECT_EQ(*native, Condition::parse(one.native)->to_text()) << one.stix;
  }
}

struct Wrong {
  const char* stix;
  const char* said;
};

constexpr Wrong wrong[] = {
    {"", "column 1: a variable, a literal or a list was expected"},
    {"__who__:value LIKE 'a%'", "column 15: LIKE is not known"},
    {"__who__:value MATCHES 'a'", "MATCHES is not known"},
    {"__who__:value ISSUBSET '10.0.0.0/8'", "ISSUBSET is not known"},
    {"__who__:value NOT issuperset '10.0.0.0/8'", "ISSUPERSET is not known"},
    {"__b__:value = 1", "column 1: nothing declares the variable __b__"},
    {"__n__ = 1", "a variable stands as __name__:value"},
    {"__n__:value", "one of = != < <= > >= IN was expected"},
    {"__n__:value = ", "a variable, a literal or a list was expected"},
    {"__n__:value = abc", "a variable as __name__:value, a text in single quotes"},
    {"__n__:value = t'2026-01-01T00:00:00Z'", "a text in single quotes"},
    {"__n__:value = 'a", "a text is never closed"},
    {"__n__:value = 1-", "'1-' is no number"},
    {"__n__:value IN 5", "a list in parentheses was expected"},
    {"__n__:value IN (1", "',' or ')' was expected"},
    {"__n__:value IN ((1))", "a list holds no lists"},
    {"(__n__:value = 1", "a closing bracket was expected"},
    {"[__n__:value = 1)", "a closing bracket was expected"},
    {"__n__:value = 1 WITHIN 5 SECONDS", "AND, OR or the end was expected"},
    {"EXISTS 5", "a variable was expected"}};

TEST(Stix, SaysWhereItIsWrong) {
  for (const Wrong& one : wrong) {
    const auto native = to_native(one.stix, condition_names(), variables());
    ASSERT_FALSE(native) << one.stix;
    EXPECT_THAT(native.error().what, testing::HasSubstr(one.said)) << one.stix;
  }
}

TEST(Stix, HasItsLimits) {
  const std::string deep(60, '(');
  EXPECT_THAT(
      to_native(deep + "__n__:value = 1" + std::string(60, ')'), condition_names(), variables())
          .error()
          .what,
      testing::HasSubstr("nested too deep"));
  EXPECT_FALSE(to_native(std::string(20000, ' '), condition_names(), variables()));
  EXPECT_FALSE(to_stix("n >", condition_names()));
}

}  // namespace
}  // namespace mailwarden::respond::cacao
