#include "detect/gate.h"

#include <random>

#include <gtest/gtest.h>

#include "detect/rule_set.h"

namespace mailwarden::detect {
namespace {

struct Case {
  const char* name;
  const char* detection;
  const char* field;  // "" where the rule has no gate
  std::set<std::string> values;
};

class GateOf : public testing::TestWithParam<Case> {};

TEST_P(GateOf, IsWhatTheConditionImplies) {
  const auto parsed = parse_rules("title: t\nid: t\nlogsource: {product: linux}\ndetection: " +
                                      std::string(GetParam().detection) + "\n",
                                  "g.yml");
  ASSERT_TRUE(parsed) << parsed.error().what;
  const auto gate = gate_of(parsed->rules.front());
  ASSERT_EQ(gate.has_value(), GetParam().field[0] != '\0');
  if (!gate) return;
  EXPECT_EQ(gate->field, GetParam().field);
  EXPECT_EQ(gate->values, GetParam().values);
}

INSTANTIATE_TEST_SUITE_P(
    Rules, GateOf,
    testing::Values(
        Case{"OneValue", "{s: {a: X}, condition: s}", "a", {"x"}},
        Case{"AListOfValues", "{s: {a: [x, Y]}, condition: s}", "a", {"x", "y"}},
        Case{"TheFieldNamedEventBeforeOthers",
             "{s: {a: x, event: [y, z]}, condition: s}",
             "event",
             {"y", "z"}},
        Case{"ElseTheFewestValues", "{s: {a: [x, y], b: z}, condition: s}", "b", {"z"}},
        Case{"AnAlternativeMoreIsAValueMore",
             "{s: [{a: x}, {a: y}], condition: s}",
             "a",
             {"x", "y"}},
        Case{
            "AlternativesOfDifferentFieldsHaveNone", "{s: [{a: x}, {b: y}], condition: s}", "", {}},
        Case{"EitherSelection", "{s: {a: x}, t: {a: y}, condition: s or t}", "a", {"x", "y"}},
        Case{"BothSelections", "{s: {a|contains: x}, t: {b: y}, condition: s and t}", "b", {"y"}},
        Case{"NotSaysNothing", "{s: {a: x}, condition: not s}", "", {}},
        Case{"NotBesideASelection", "{s: {a: x}, t: {a: y}, condition: s and not t}", "a", {"x"}},
        Case{"AWildcardIsNoValue", "{s: {a: 'x*'}, condition: s}", "", {}},
        Case{"OneWildcardAmongValues", "{s: {a: [x, '*y']}, condition: s}", "", {}},
        Case{"AQuestionMarkIsNoValue", "{s: {a: 'x?'}, condition: s}", "", {}},
        Case{"AnEscapedWildcardIsOne", R"({s: {a: 'x\*'}, condition: s})", "a", {"x*"}},
        Case{"Contains", "{s: {a|contains: x}, condition: s}", "", {}},
        Case{"StartsWith", "{s: {a|startswith: x}, condition: s}", "", {}},
        Case{"EndsWith", "{s: {a|endswith: x}, condition: s}", "", {}},
        Case{"AnExpression", "{s: {a|re: x}, condition: s}", "", {}},
        Case{"ANumber", "{s: {a|gt: 5}, condition: s}", "", {}},
        Case{"NullMayBeAbsent", "{s: {a: null}, condition: s}", "", {}},
        Case{"AnEmptyText", "{s: {a: ''}, condition: s}", "", {}},
        Case{"Keywords", "{s: [x, y], condition: s}", "", {}},
        Case{"CasedStillNeedsTheLetters", "{s: {a|cased: X}, condition: s}", "a", {"x"}}),
    [](const auto& info) { return info.param.name; });

// Rules and events of few words, so that both often and seldom hold.
class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  std::string detection() {
    std::string text = "{";
    for (const char* name : {"s", "t", "u"}) text += std::string(name) + ": " + selection() + ", ";
    return text;
  }
  std::string condition(int depth = 0) {
    const auto name = [this] { return std::string(1, "stu"[pick(3)]); };
    switch (depth > 2 ? 0 : pick(6)) {
      case 1:
        return "(" + condition(depth + 1) + " and " + condition(depth + 1) + ")";
      case 2:
        return "(" + condition(depth + 1) + " or " + condition(depth + 1) + ")";
      case 3:
        return "not " + name();
      case 4:
        return pick(2) == 0 ? "1 of them" : "all of them";
      default:
        return name();
    }
  }
  Event event() {
    Event event;
    event.logsource.product = "linux";
    for (const char* field : {"a", "b", "event"}) {
      for (std::size_t i = pick(3); i > 0; --i) {
        event.fields.add(field, word(), pick(9) == 0 ? FieldKind::null : FieldKind::string);
      }
    }
    event.ocsf.user = word();
    return event;
  }

 private:
  std::size_t pick(std::size_t below) { return random_() % below; }
  std::string word() {
    constexpr std::array words{"x", "X", "y", "xy", "5", "x*", ""};
    return words[pick(words.size())];
  }
  std::string value() {
    switch (pick(8)) {
      case 0:
        return "null";
      case 1:
        return "'*" + word() + "'";
      case 2:
        return "5";
      default:
        return "'" + word() + "'";
    }
  }
  std::string map() {
    constexpr std::array fields{"a", "b", "event", "user.name", "a|contains", "b|cased"};
    std::string text = "{";
    const std::size_t first = pick(fields.size());
    for (std::size_t i = 0; i <= pick(2); ++i) {
      const std::string field = fields[(first + i) % fields.size()];
      const bool modified = field.contains('|');
      std::string wanted = modified ? "'x'" : value();
      if (!modified && pick(3) == 0) wanted = "['" + word() + "', '" + word() + "']";
      text += (i == 0 ? "" : ", ") + field + ": " + wanted;
    }
    return text + "}";
  }
  std::string selection() { return pick(4) == 0 ? "[" + map() + ", " + map() + "]" : map(); }

  std::mt19937 random_;
};

// "or never" takes a rule's gate away and changes nothing else.
TEST(Gate, ARuleHoldsForTheSameEventsWithoutIt) {
  Generator generate(20261124);
  std::size_t held = 0;
  std::size_t gated = 0;
  for (int round = 0; round < 400; ++round) {
    const std::string detection = generate.detection();
    const std::string condition = generate.condition();
    const std::string head = "\nlogsource: {product: linux}\ndetection: " + detection;
    const auto parsed =
        parse_rules("title: g\nid: with" + head + "condition: '" + condition + "'}\n---\n" +
                        "title: w\nid: without" + head + "_never: {none: never}, condition: '(" +
                        condition + ") or _never'}\n",
                    "g.yml");
    ASSERT_TRUE(parsed) << parsed.error().what << detection << condition;
    gated += gate_of(parsed->rules[0]) ? 1 : 0;
    ASSERT_FALSE(gate_of(parsed->rules[1]));
    const RuleSet rules = RuleSet::make(*parsed).value();
    for (int i = 0; i < 50; ++i) {
      const auto found = rules.match(generate.event());
      ASSERT_NE(found.size(), 1U) << found.front().rule_id << " alone: " << detection << condition;
      held += found.empty() ? 0 : 1;
    }
  }
  EXPECT_GT(gated, 50U);
  EXPECT_GT(held, 2000U);
}

}  // namespace
}  // namespace mailwarden::detect
