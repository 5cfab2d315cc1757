// The second evaluator against docs/sigma.md: log sources, conditions, collections, filters.
#include <gtest/gtest.h>

#include "tests/detect/oracle_cases.h"

namespace mailwarden::oracle {
namespace {

TEST(OracleLogsource, StrictAndOpen) {
  struct RouteCase {
    const char* name;
    Logsource wanted;
    Logsource told;
    bool strict;
    bool open;
  };
  const std::vector<RouteCase> cases{
      {"Same", {"linux", "", "sshd"}, {"linux", "", "sshd"}, true, true},
      {"NothingStated", {}, {"linux", "", "sshd"}, true, true},
      {"CaseDoesNotCount", {"Linux", "", "SSHD"}, {"linux", "", "sshd"}, true, true},
      {"EventStatesMore", {"linux", "", ""}, {"linux", "process_creation", "sshd"}, true, true},
      {"EventStatesLess", {"linux", "", "sshd"}, {"linux", "", ""}, false, true},
      {"EventStatesNothing", {"windows", "x", "y"}, {}, false, true},
      {"OtherProduct", {"windows", "", ""}, {"linux", "", ""}, false, false},
      {"OtherCategory", {"linux", "x", ""}, {"linux", "y", ""}, false, false},
      {"OtherService", {"linux", "", "sshd"}, {"linux", "", "sudo"}, false, false},
      {"OnePartUnstatedOneOther", {"linux", "x", "sshd"}, {"linux", "", "cron"}, false, false},
      {"AuthIsSshd", {"linux", "", "auth"}, {"linux", "", "sshd"}, true, true},
      {"AuthIsSshdInAnyCase", {"linux", "", "Auth"}, {"LINUX", "", "SSHD"}, true, true},
      {"AuthWithoutProduct", {"", "", "auth"}, {"linux", "", "sudo"}, true, true},
      {"AuthOfAnotherProduct", {"", "", "auth"}, {"macos", "", "sudo"}, false, false},
      {"AuthIsNotCron", {"linux", "", "auth"}, {"linux", "", "cron"}, false, false},
      {"AuthIsAuth", {"linux", "", "auth"}, {"linux", "", "auth"}, true, true},
      {"SyslogIsCron", {"linux", "", "syslog"}, {"linux", "", "cron"}, true, true},
      {"SyslogIsSshd", {"linux", "", "syslog"}, {"linux", "", "sshd"}, true, true},
      {"SyslogIsNotAuditd", {"linux", "", "syslog"}, {"linux", "", "auditd"}, false, false},
      {"SyslogOfAnotherProduct", {"", "", "syslog"}, {"windows", "", "cron"}, false, false},
      {"SyslogAndCategory", {"linux", "x", "syslog"}, {"linux", "y", "cron"}, false, false},
      {"SshdIsNotAuth", {"linux", "", "sshd"}, {"linux", "", "auth"}, false, false},
      {"AuthOfAnUnknownProduct", {"linux", "", "auth"}, {"", "", "sshd"}, false, true}};
  for (const RouteCase& one : cases) {
    EXPECT_EQ(routes(one.wanted, one.told, false), one.strict) << one.name;
    EXPECT_EQ(routes(one.wanted, one.told, true), one.open) << one.name << ", open";
  }
  for (const char* service : {"sshd", "sudo", "su", "pam", "login", "useradd", "userdel", "usermod",
                              "groupadd", "groupdel", "groupmod", "gpasswd", "passwd", "chage",
                              "chfn", "chsh", "systemd-logind", "polkitd"}) {
    EXPECT_TRUE(routes({"linux", "", "auth"}, {"linux", "", service}, false)) << service;
  }
}

TEST(OracleLogsource, IsAskedByRules) {
  const std::string rule = rule_text("  s: {a: x}\n  condition: s",
                                     "{product: linux, service: auth, definition: of people}");
  Event event = event_of({{"a", "x"}});
  EXPECT_FALSE(holds(rule, event));
  event.logsource = {.product = "linux", .category = "", .service = "sshd"};
  EXPECT_TRUE(holds(rule, event));
  event.logsource = {};
  const auto rules = read_rules(rule, options());
  ASSERT_TRUE(rules);
  Options open = options();
  open.open_routing = true;
  EXPECT_FALSE(rules->front().holds(event, options()));
  EXPECT_TRUE(rules->front().holds(event, open));
  EXPECT_FALSE(rules->front().why(event, options()).routed);
  EXPECT_TRUE(rules->front().why(event, options()).condition);
}

// The selections of a condition hold where the event has the field of their name.
std::string condition_rule(const std::string& condition) {
  std::string detection;
  for (const char* name : {"a", "b", "sel_1", "sel_2", "x_sel", "_hidden", "_hid"}) {
    detection += "  " + std::string(name) + ": {" + name + ": 1}\n";
  }
  return rule_text(detection + "  condition: " + condition, "{product: test}");
}

struct ConditionCase {
  std::string condition;
  std::vector<std::string> fields;
  bool held;
};

TEST(OracleCondition, HoldsOrNot) {
  const std::vector<ConditionCase> cases{
      {"a", {"a"}, true},
      {"a", {"b"}, false},
      {"a and b", {"a"}, false},
      {"a and b", {"a", "b"}, true},
      {"a or b", {"b"}, true},
      {"a or b", {}, false},
      {"not a", {}, true},
      {"not a", {"a"}, false},
      {"not not a", {"a"}, true},
      {"not a and b", {"b"}, true},  // (not a) and b
      {"not a and b", {}, false},
      {"not a or b", {"a", "b"}, true},
      {"a or b and sel_1", {"a"}, true},  // a or (b and sel_1)
      {"b and sel_1 or a", {"a"}, true},
      {"(a or b) and sel_1", {"a"}, false},
      {"(a or b) and sel_1", {"a", "sel_1"}, true},
      {"not (a or b)", {"b"}, false},
      {"not (a and b)", {"b"}, true},
      {"((a))", {"a"}, true},
      {"a and(not b)", {"a"}, true},
      {"a AND NOT b", {"a"}, true},
      {"a Or b", {"b"}, true},
      {"1 of sel*", {"sel_2"}, true},
      {"1 of sel*", {"x_sel"}, false},
      {"any of sel*", {"sel_2"}, true},
      {"ANY OF sel*", {"sel_2"}, true},
      {"all of sel*", {"sel_2"}, false},
      {"All of sel*", {"sel_1", "sel_2"}, true},
      {"1 of *sel*", {"x_sel"}, true},
      {"1 of *_sel", {"x_sel"}, true},
      {"1 of s*_2", {"sel_2"}, true},
      {"1 of s*_2", {"sel_1"}, false},
      {"1 of them", {"x_sel"}, true},
      {"1 of THEM", {"x_sel"}, true},
      {"1 of them", {"_hidden"}, false},
      {"all of them", {"a", "b", "sel_1", "sel_2", "x_sel"}, true},
      {"all of them", {"a", "b", "sel_1", "sel_2"}, false},
      {"1 of *", {"_hidden"}, false},
      {"1 of _*", {"_hidden"}, true},
      {"all of _hid*", {"_hidden"}, false},
      {"1 of sel* and not 1 of x*", {"sel_1"}, true},
      {"1 of sel* and not 1 of x*", {"sel_1", "x_sel"}, false},
      {"not 1 of sel*", {"a"}, true},
      {"not all of sel* and a", {"sel_1", "a"}, true},
      {"_hidden", {"_hidden"}, true},
      {"[a, b]", {"b"}, true},
      {"[a, b]", {}, false},
      {"[a and b, not a]", {"b"}, true}};
  for (const ConditionCase& one : cases) {
    std::vector<Told> fields;
    for (const std::string& field : one.fields) fields.push_back({field, "1"});
    EXPECT_EQ(holds(condition_rule(one.condition), event_of(fields)), one.held) << one.condition;
  }
}

TEST(OracleCondition, IsRefused) {
  for (const char* condition : {"A",
                                "1 of *hid*",
                                "''",
                                "a and",
                                "and a",
                                "a b",
                                "a or or b",
                                "not",
                                "(a",
                                "a)",
                                "()",
                                "1 of",
                                "1 of none*",
                                "1 of none",
                                "all of",
                                "2 of sel*",
                                "none of sel*",
                                "1 of (a or b)",
                                "'a | count() by x > 5'",
                                "'a | near b'",
                                "'a |count() > 1'",
                                "[]",
                                "{a: b}",
                                "null",
                                "[a, null]",
                                "[a, none]",
                                "unknown",
                                "sel*"}) {
    const auto rules = read_rules(condition_rule(condition), options());
    ASSERT_FALSE(rules) << condition;
    EXPECT_EQ(rules.error().code, Code::invalid);
    EXPECT_TRUE(rules.error().what.starts_with("line ")) << rules.error().what;
  }
}

TEST(OracleCondition, TellsWhy) {
  const auto rules = read_rules(condition_rule("a and not b"), options());
  ASSERT_TRUE(rules);
  const Why why = rules->front().why(event_of({{"a", "1"}, {"_hid", "1"}}), options());
  EXPECT_TRUE(why.routed);
  EXPECT_TRUE(why.condition);
  const std::map<std::string, bool> expected{{"a", true},      {"b", false},     {"sel_1", false},
                                             {"sel_2", false}, {"x_sel", false}, {"_hidden", false},
                                             {"_hid", true}};
  EXPECT_EQ(why.selections, expected);
}

std::string rule_named(const std::string& keys, const std::string& logsource = "{product: linux}") {
  return "---\ntitle: t\n" + keys + "logsource: " + logsource +
         "\ndetection:\n  s: {a: x}\n  condition: s\n";
}

std::string filter_named(const std::string& rules, const std::string& more = "") {
  return "---\ntitle: f\n" + more + "filter:\n  rules: " + rules +
         "\n  s: {b: y}\n  condition: s\n";
}

std::vector<std::string> refusals(const std::string& text, std::size_t rules) {
  const auto reading = read(text, options());
  EXPECT_TRUE(reading) << text;
  if (!reading) return {};
  EXPECT_EQ(reading->rules.size(), rules) << text;
  std::vector<std::string> said;
  for (const Refused& refused : reading->refused) said.push_back(refused.what);
  return said;
}

TEST(OracleCollection, OneWrongDocumentIsRefusedByItself) {
  const auto said = refusals(rule_named("id: one\n") + "---\ntitle: t\nlogsource: {product: x}\n" +
                                 rule_named("id: two\n"),
                             2);
  ASSERT_EQ(said.size(), 1U);
  EXPECT_EQ(said.front(), "line 9: expected a 'detection'");
}

TEST(OracleCollection, AnIdOrNameBelongsToTheFirst) {
  EXPECT_EQ(refusals(rule_named("id: one\n") + rule_named("id: one\n"), 1).size(), 1U);
  EXPECT_EQ(refusals(rule_named("name: one\n") + rule_named("name: one\n"), 1).size(), 1U);
  EXPECT_EQ(refusals(rule_named("id: one\n") + rule_named("name: one\n"), 1).size(), 1U);
  EXPECT_EQ(refusals(rule_named("id: one\nname: one\n") + rule_named("id: two\n"), 2).size(), 0U);
  EXPECT_EQ(refusals(rule_named("id: f\n") + filter_named("[f]", "id: f\n"), 1).size(), 1U);
  EXPECT_EQ(refusals(rule_named("") + rule_named(""), 2).size(), 0U);
}

TEST(OracleCollection, CorrelationsAreNotItsSubject) {
  const std::string correlation =
      "---\ntitle: c\nid: c\ncorrelation: {type: event_count, rules: [one]}\n";
  EXPECT_EQ(refusals(rule_named("id: one\n") + correlation, 1).size(), 0U);
}

TEST(OracleCollection, IsRefused) {
  const std::string s = "detection:\n  s: {a: x}\n  condition: s\n";
  for (const std::string& text :
       {std::string("[a]"), std::string("word"), "logsource: {product: x}\n" + s,  // no title
        "title: t\n" + s,                                                          // no logsource
        "title: t\nlogsource: linux\n" + s, "title: t\nlogsource: {product: [linux]}\n" + s,
        std::string("title: t\nlogsource: {product: x}\n"),
        "title: t\nlogsource: {product: x}\naction: global\n" + s,
        std::string("title: t\nlogsource: {product: x}\ndetection: [a]\n"),
        std::string("title: t\nlogsource: {product: x}\ndetection:\n  s: {a: x}\n"),
        "title: t\nlogsource: {product: x}\n" + s + "  timeframe: 5m\n",
        "title: t\nlogsource: {product: x}\n" + s + "  unused: []\n",
        "title: t\nid: [a]\nlogsource: {product: x}\n" + s}) {
    EXPECT_EQ(refusals(text, 0).size(), 1U) << text;
  }
  EXPECT_FALSE(read("a: [", options()));
}

TEST(OracleFilter, IsAndNot) {
  const auto holds_for = [](const std::string& text, const std::vector<Told>& fields) {
    const auto rules = read_rules(text, options());
    EXPECT_TRUE(rules) << rules.error().what << text;
    Event event = event_of(fields);
    event.logsource.product = "linux";
    return rules && rules->front().holds(event, options());
  };
  const std::vector<Told> plain{{"a", "x"}};
  const std::vector<Told> filtered{{"a", "x"}, {"b", "y"}};
  const std::string rule = rule_named("id: one\nname: uno\n");
  for (const char* rules : {"[one]", "[uno]", "any", "one"}) {
    EXPECT_TRUE(holds_for(rule + filter_named(rules), plain)) << rules;
    EXPECT_FALSE(holds_for(rule + filter_named(rules), filtered)) << rules;
    EXPECT_FALSE(holds_for(filter_named(rules) + rule, filtered)) << rules << ", filter first";
  }
  const std::string two = rule_named("id: one\n") + rule_named("id: two\n");
  EXPECT_TRUE(holds_for(two + filter_named("[two]"), filtered));
  EXPECT_FALSE(holds_for(two + filter_named("[two]") + filter_named("[one]"), filtered));
  for (const char* same :
       {"logsource: {product: Linux}\n", "logsource: {service: sshd}\n", "logsource: {}\n"}) {
    EXPECT_FALSE(holds_for(rule + filter_named("any", same), filtered)) << same;
  }
  EXPECT_TRUE(holds_for(rule + filter_named("any", "logsource: {product: windows}\n"), filtered));
}

TEST(OracleFilter, HasItsOwnSelections) {
  const std::string filter =
      "---\ntitle: f\nfilter:\n  rules: any\n  t: {b: y}\n  _u: {c: z}\n  condition: all of them\n";
  const auto rules = read_rules(rule_named("id: one\n") + filter, options());
  ASSERT_TRUE(rules);
  const Why why = rules->front().why(event_of({{"b", "y"}}), options());
  EXPECT_EQ(why.filters, std::vector<bool>{true});
}

TEST(OracleFilter, IsRefused) {
  const std::string rule = rule_named("id: one\n");
  EXPECT_EQ(refusals(rule + filter_named("[two]"), 1).size(), 1U);
  EXPECT_EQ(refusals(rule + filter_named("[one, two]"), 1).size(), 1U);
  EXPECT_EQ(refusals(rule + filter_named("[]"), 1).size(), 1U);
  EXPECT_EQ(refusals(rule + filter_named("{a: b}"), 1).size(), 1U);
  EXPECT_EQ(refusals(filter_named("any"), 0).size(), 1U);
  EXPECT_EQ(refusals(rule + "---\ntitle: f\nfilter: {s: {a: x}, condition: s}\n", 1).size(), 1U);
  EXPECT_EQ(refusals(rule + "---\ntitle: f\nfilter: {rules: any, s: {a: x}}\n", 1).size(), 1U);
  EXPECT_EQ(refusals(rule + "---\ntitle: f\nfilter: {rules: any, condition: s}\n", 1).size(), 1U);
}

}  // namespace
}  // namespace mailwarden::oracle
