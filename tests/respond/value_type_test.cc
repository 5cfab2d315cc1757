// What may be the value of a variable, and how one is read.
#include "respond/value_type.h"

#include <gtest/gtest.h>

#include "respond/incident_values.h"

namespace mailwarden::respond {
namespace {

using flow::VariableType;

TEST(ValueType, ReadsWhatFitsAndRefusesTheRest) {
  struct Case {
    VariableType type;
    std::string text;
    json::Value expected;  // null where it is refused
  };
  const std::string hex64(64, 'a');
  for (const Case& c : std::vector<Case>{
           {VariableType::boolean, "true", true},
           {VariableType::boolean, " false\n", false},
           {VariableType::boolean, "yes", {}},
           {VariableType::integer, "-12\n", -12},
           {VariableType::integer, "1.5", {}},
           {VariableType::integer, "9223372036854775808", {}},
           {VariableType::long_int, "9223372036854775807", std::int64_t{9223372036854775807}},
           {VariableType::floating, "1.5", 1.5},
           {VariableType::floating, "2", 2},
           {VariableType::floating, "inf", {}},
           {VariableType::floating, "0x10", {}},
           {VariableType::string, " as it is ", " as it is "},
           {VariableType::string, "", ""},
           {VariableType::string, "\xff", {}},
           {VariableType::string, std::string(5000, 'x'), {}},
           {VariableType::list, R"(["a", "b"])", json::Array{"a", "b"}},
           {VariableType::list, " a\n\n b c \n", json::Array{"a", "b c"}},
           {VariableType::list, "", json::Array{}},
           {VariableType::list, "[1]", {}},
           {VariableType::list, "[", {}},
           {VariableType::dictionary, R"({"a": 1})", json::Object{{"a", 1}}},
           {VariableType::dictionary, "a", {}},
           {VariableType::hexstring, "00fF", "00fF"},
           {VariableType::hexstring, "00f", {}},
           {VariableType::ipv4_addr, "192.0.2.7", "192.0.2.7"},
           {VariableType::ipv4_addr, "192.0.2.0/24", "192.0.2.0/24"},
           {VariableType::ipv4_addr, "192.0.2.0/33", {}},
           {VariableType::ipv4_addr, "192.0.2", {}},
           {VariableType::ipv4_addr, "::1", {}},
           {VariableType::ipv6_addr, "2001:db8::/32", "2001:db8::/32"},
           {VariableType::ipv6_addr, "192.0.2.7", {}},
           {VariableType::mac_addr, "00:1b:2C:3d:4e:5f", "00:1b:2C:3d:4e:5f"},
           {VariableType::mac_addr, "00:1b:2c:3d:4e", {}},
           {VariableType::sha256_hash, hex64, hex64},
           {VariableType::sha256_hash, hex64 + "aa", {}},
           {VariableType::hash, std::string(40, '0'), std::string(40, '0')},
           {VariableType::hash, std::string(30, '0'), {}},
           {VariableType::uri, "https://example.com/a?b#c", "https://example.com/a?b#c"},
           {VariableType::uri, "example.com", {}},
           {VariableType::uri, "https://example.com/a b", {}},
           {VariableType::uuid, "6f9619ff-8b86-d011-b42d-00cf4fc964ff",
            "6f9619ff-8b86-d011-b42d-00cf4fc964ff"},
           {VariableType::uuid, "6f9619ff8b86d011b42d00cf4fc964ff", {}}}) {
    const auto value = read_value(c.text, c.type);
    const std::string what = std::string(to_string(c.type)) + " of '" + c.text.substr(0, 80) + "'";
    if (c.expected.is_null()) {
      ASSERT_FALSE(value) << what;
      EXPECT_LE(value.error().what.size(), 250U) << what;
    } else {
      ASSERT_TRUE(value) << what << ": " << value.error().what;
      EXPECT_EQ(*value, c.expected) << what;
      EXPECT_TRUE(fits(*value, c.type)) << what;
    }
  }
}

TEST(ValueType, NamesGoThereAndBack) {
  for (int i = 0; i <= static_cast<int>(VariableType::uuid); ++i) {
    const auto type = static_cast<VariableType>(i);
    EXPECT_EQ(parse_variable_type(to_string(type)), type);
  }
  EXPECT_FALSE(parse_variable_type("text"));
}

TEST(ValueType, NothingFitsNoType) {
  for (int i = 0; i <= static_cast<int>(VariableType::uuid); ++i) {
    EXPECT_FALSE(fits({}, static_cast<VariableType>(i))) << i;
  }
}

TEST(ValueType, WhatAStepAnsweredBecomesWhatIsAskedFor) {
  EXPECT_EQ(to_type(json::Array{"a"}, VariableType::list), json::Value(json::Array{"a"}));
  EXPECT_EQ(to_type("a\nb\n", VariableType::list), json::Value(json::Array{"a", "b"}));
  EXPECT_EQ(to_type("3\n", VariableType::integer), json::Value(3));
  EXPECT_EQ(to_type(3, VariableType::string), json::Value("3"));
  EXPECT_EQ(to_type(true, VariableType::string), json::Value("true"));
  EXPECT_FALSE(to_type(json::Array{"a", "b"}, VariableType::string));
  EXPECT_FALSE(to_type(3, VariableType::boolean));
  EXPECT_FALSE(to_type(json::Value(), VariableType::string));
  EXPECT_FALSE(to_type("three", VariableType::integer));
}

TEST(ValueType, AMistakeSaysWhatIsAskedFor) {
  EXPECT_EQ(read_value("a\nb", VariableType::integer).error().what,
            R"('a\x0ab': integer asks for a whole number)");
}

TEST(ValueType, KnowsWhatMayBecomeWhat) {
  EXPECT_TRUE(may_become(VariableType::string, VariableType::ipv4_addr));
  EXPECT_TRUE(may_become(VariableType::integer, VariableType::floating));
  EXPECT_FALSE(may_become(VariableType::floating, VariableType::integer));
  EXPECT_FALSE(may_become(VariableType::string, VariableType::integer));
  EXPECT_FALSE(may_become(VariableType::list, VariableType::string));
  EXPECT_FALSE(may_become(VariableType::uuid, VariableType::ipv4_addr));
  EXPECT_TRUE(may_be_read_as(VariableType::string, VariableType::integer));
  EXPECT_TRUE(may_be_read_as(VariableType::integer, VariableType::string));
  EXPECT_FALSE(may_be_read_as(VariableType::list, VariableType::string));
  EXPECT_FALSE(may_be_read_as(VariableType::integer, VariableType::list));
}

TEST(IncidentValues, AreThoseOfTheIncident) {
  const incident::Incident incident{.number = 7,
                                    .title = "Guessing",
                                    .entity = {"user.name", "eve\xff"},
                                    .severity = incident::Severity::high,
                                    .row = "taken over",
                                    .facts = {{"hosts_affected", 3}}};
  const json::Object expected{{"incident.number", 7},
                              {"incident.title", "Guessing"},
                              {"incident.severity", 2},
                              {"incident.entity", "eve\xef\xbf\xbd"},
                              {"incident.entity_kind", "user.name"},
                              {"incident.row", "taken over"},
                              {"fact.hosts_affected", 3}};
  EXPECT_EQ(incident_values(incident), expected);
  incident::Incident typed = incident;
  typed.type = "malware";
  EXPECT_EQ(incident_values(typed).at("incident.type"), json::Value("malware"));
  for (const auto& [name, value] : incident_values(typed)) {
    const auto type = incident_value_type(name);
    ASSERT_TRUE(type) << name;
    EXPECT_TRUE(fits(value, *type)) << name;
  }
  for (const char* none : {"incident.owner", "fact.", "entity", ""}) {
    EXPECT_FALSE(incident_value_type(none)) << none;
  }
}

TEST(IsDue, AsksForAnyRuleOrTypeFromASeverityOn) {
  incident::Incident incident{.severity = incident::Severity::medium};
  incident.rules = {"a"};
  incident.type = "malware";
  struct Case {
    const char* name;
    flow::When when;
    bool expected;
  };
  for (const Case& c :
       std::vector<Case>{{"its rule", {.rules = {"a", "b"}, .types = {}}, true},
                         {"another rule", {.rules = {"b"}, .types = {}}, false},
                         {"its type", {.rules = {}, .types = {"malware"}}, true},
                         {"another type", {.rules = {}, .types = {"physical"}}, false},
                         {"another rule, its type", {.rules = {"b"}, .types = {"malware"}}, true},
                         {"its rule, too low",
                          {.rules = {"a"}, .types = {}, .severity_from = incident::Severity::high},
                          false},
                         {"any, high enough",
                          {.rules = {}, .types = {}, .severity_from = incident::Severity::medium},
                          true}}) {
    EXPECT_EQ(is_due(c.when, incident), c.expected) << c.name;
  }
}

}  // namespace
}  // namespace mailwarden::respond
