// The selections of a rule or filter, and what is wrong with a document.
//
// What     Turns maps, lists and field names into selections of items.
// Owns     Nothing.
// Threads  Pure.
// Errors   Adds one sentence with its line to `mistakes` for everything that is wrong.
// Limits   Those of the YAML reader.
// Source   Sigma 2.1.0, detection.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "detect/rule.h"
#include "json/yaml.h"

namespace mailwarden::detect {

// What is wrong with one document; the first mistake gives the line of its refusal.
class Mistakes {
 public:
  void add(const yaml::Node& node, const std::string& what) { add(node.line, what); }
  void add(std::size_t line, const std::string& what);

  bool any() const { return !reason_.empty(); }
  std::size_t line() const { return line_; }
  const std::string& reason() const { return reason_; }

 private:
  static constexpr std::size_t told_max = 10;

  std::size_t told_ = 0;
  std::size_t line_ = 0;
  std::string reason_;
};

// A scalar or null.
RuleValue parse_value(const yaml::Node& node);

// Every entry but those named is a selection.
std::vector<Selection> parse_selections(const yaml::Node& map,
                                        std::initializer_list<std::string_view> others,
                                        Mistakes& mistakes);

// A condition or a list of them.
Condition parse_conditions(const yaml::Node& node, const std::vector<Selection>& selections,
                           std::size_t depth_max, Mistakes& mistakes);

}  // namespace mailwarden::detect
