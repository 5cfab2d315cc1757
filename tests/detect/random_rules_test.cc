// Whether the random rules are worth comparing: mostly lawful, and neither always nor never true.
#include "tests/detect/random_rules.h"

#include <iostream>
#include <map>

#include <gtest/gtest.h>

#include "json/yaml.h"
#include "tests/detect/oracle.h"
#include "tests/detect/oracle_value.h"
#include "tests/rounds.h"

namespace mailwarden::random_rules {
namespace {

constexpr std::uint64_t cases_max = rounds(1000);

oracle::Options options() {
  return {.placeholders = placeholders(), .open_routing = false};
}

TEST(RandomRules, AreReadAndHoldOftenAndFailOften) {
  std::size_t documents = 0;
  std::size_t refused = 0;
  std::size_t pairs = 0;
  std::size_t held = 0;
  std::size_t whole = 0;
  for (std::uint64_t seed = 0; seed < cases_max; ++seed) {
    Choices choices = Choices::of_seed(seed);
    const Case made = make_case(choices);
    const auto reading = oracle::read(made.rules, options());
    ASSERT_TRUE(reading) << reading.error().what << "\n" << made.rules;
    documents += reading->rules.size() + reading->refused.size();
    refused += reading->refused.size();
    whole += reading->refused.empty() ? 1 : 0;
    for (const oracle::Rule& rule : reading->rules) {
      for (const Event& event : made.events) {
        ++pairs;
        held += rule.holds(event, options()) ? 1 : 0;
      }
    }
  }
  std::cout << documents << " documents, " << refused << " refused; " << whole << " of "
            << cases_max << " cases without a refusal; " << pairs << " pairs, " << held
            << " hold\n";
  EXPECT_LT(refused * 5, documents);
  EXPECT_GT(whole * 10, cases_max * 7);
  EXPECT_GT(refused, 0U);
  EXPECT_GE(held * 100, pairs * 15);
  EXPECT_LE(held * 100, pairs * 60);
}

TEST(RandomRules, ReachWhatThePageNames) {
  std::string all;
  std::map<std::string, std::size_t> events;
  for (std::uint64_t seed = 0; seed < cases_max; ++seed) {
    Choices choices = Choices::of_seed(seed);
    const Case made = make_case(choices);
    all += made.rules;
    for (const Event& event : made.events) {
      if (!event.raw.empty()) ++events["a raw line"];
      std::map<std::string, int> names;
      for (std::size_t i = 0; i < event.fields.size(); ++i) {
        const Field field = event.fields[i];
        if (++names[std::string(field.name)] > 1) ++events["a field of several values"];
        if (field.kind == FieldKind::null) ++events["a null"];
        if (field.kind == FieldKind::number) ++events["a number"];
        if (field.kind == FieldKind::boolean) ++events["a truth"];
        if (field.kind == FieldKind::string && field.value.empty()) ++events["an empty text"];
        if (oracle::number_of(field.value) && field.kind == FieldKind::string) {
          ++events["a number as text"];
        }
        for (const char32_t c : oracle::characters(field.value)) {
          if (c >= oracle::ill_formed) ++events["an ill-formed byte"];
        }
      }
    }
  }
  for (const char* part : {"|contains",
                           "|startswith",
                           "|endswith",
                           "|cased",
                           "|windash",
                           "|expand",
                           "|re",
                           "|i",
                           "|m",
                           "|s",
                           "|base64",
                           "|wide",
                           "|all",
                           "|neq",
                           "|base64offset",
                           "|utf16",
                           "|utf16le",
                           "|utf16be",
                           "|lt",
                           "|lte",
                           "|gt",
                           "|gte",
                           "|cidr",
                           "|minute",
                           "|hour",
                           "|day",
                           "|week",
                           "|month",
                           "|year",
                           "|exists",
                           "|fieldref",
                           "'|all",
                           ": null",
                           ": ''",
                           "ſ",
                           "K",
                           "İ",
                           "ß",
                           "\\*",
                           "\\?",
                           "\\\\*",
                           "of them",
                           "1 of ",
                           "all of ",
                           "any of ",
                           "NOT",
                           "condition: [",
                           "rules: any",
                           "name-",
                           "auth",
                           "syslog",
                           "definition",
                           "Linux",
                           "timeframe"}) {
    EXPECT_TRUE(all.contains(part)) << part;
  }
  EXPECT_EQ(events.size(), 8U);
}

TEST(RandomRules, AreTheSameForTheSameChoices) {
  Choices one = Choices::of_seed(7);
  Choices two = Choices::of_seed(7);
  const Case first = make_case(one);
  const Case second = make_case(two);
  EXPECT_EQ(first.rules, second.rules);
  EXPECT_EQ(first.events, second.events);
}

TEST(RandomRules, EndWhenBytesRunOut) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t length = 0; length < 400; ++length) {
    Choices choices = Choices::of_bytes(bytes);
    const Case made = make_case(choices);
    EXPECT_TRUE(yaml::parse(made.rules)) << made.rules;
    EXPECT_FALSE(made.events.empty());
    bytes.push_back(static_cast<std::uint8_t>(length * 37 + length / 7));
  }
  Choices none = Choices::of_bytes({});
  EXPECT_EQ(none.below(1000), 0U);
  EXPECT_FALSE(none.one_in(2));
}

}  // namespace
}  // namespace mailwarden::random_rules
