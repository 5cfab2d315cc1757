// What the tests of the second evaluator share: short events and short rules.
#pragma once

#include <initializer_list>
#include <ostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/detect/oracle.h"

namespace mailwarden::oracle {

struct Told {
  std::string name;
  std::string value;
  FieldKind kind = FieldKind::string;
};

inline Told null(const std::string& name) {
  return {name, "", FieldKind::null};
}
inline Told number(const std::string& name, const std::string& value) {
  return {name, value, FieldKind::number};
}
inline Told truth(const std::string& name, const std::string& value) {
  return {name, value, FieldKind::boolean};
}

inline Event event_of(const std::vector<Told>& fields, const std::string& raw = "") {
  Event event;
  event.logsource.product = "test";
  event.raw = raw;
  for (const Told& field : fields) event.fields.add(field.name, field.value, field.kind);
  return event;
}

// What the placeholders of the tests stand for.
inline Options options() {
  return {.placeholders = {{"one", {"srv1"}},
                           {"two", {"srv*", "dc"}},
                           {"ill", {"\xFF"}},
                           {"none", {}},
                           {"ten", {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}},
                           {"word.s", {"x"}}}};
}

inline std::string rule_text(const std::string& detection,
                             const std::string& logsource = "{product: linux}") {
  return "title: t\nid: r\nlogsource: " + logsource + "\ndetection:\n" + detection + "\n";
}

// A rule of one selection, which is all that its condition asks.
inline std::string selection_text(const std::string& selection) {
  return rule_text("  s: " + selection + "\n  condition: s", "{product: test}");
}

inline bool holds(const std::string& rule, const Event& event) {
  const auto rules = read_rules(rule, options());
  EXPECT_TRUE(rules) << rules.error().what << "\n" << rule;
  if (!rules || rules->size() != 1) return false;
  const Why why = rules->front().why(event, options());
  const bool held = rules->front().holds(event, options());
  EXPECT_EQ(held, why.routed && why.condition &&
                      std::ranges::none_of(why.filters, [](bool filter) { return filter; }));
  return held;
}

struct Case {
  std::string name;
  std::string selection;
  std::vector<Told> fields;
  bool held = false;
  std::string raw;
};

inline void check(std::initializer_list<Case> cases) {
  for (const Case& one : cases) {
    EXPECT_EQ(holds(selection_text(one.selection), event_of(one.fields, one.raw)), one.held)
        << one.name << ": " << one.selection;
  }
}

// Each selection must be refused with a sentence that holds `word`.
struct Refusal {
  std::string name;
  std::string selection;
  std::string word;
};

inline void check(std::initializer_list<Refusal> cases) {
  for (const Refusal& one : cases) {
    const auto rules = read_rules(selection_text(one.selection), options());
    ASSERT_FALSE(rules) << one.name << ": " << one.selection;
    EXPECT_EQ(rules.error().code, Code::invalid) << one.name;
    EXPECT_TRUE(rules.error().what.starts_with("line ")) << one.name << rules.error().what;
    EXPECT_TRUE(rules.error().what.contains(one.word)) << one.name << ": " << rules.error().what;
  }
}

}  // namespace mailwarden::oracle
