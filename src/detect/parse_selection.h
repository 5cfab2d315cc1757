// The `detection` part of a rule.
//
// What     Turns maps, lists and modifiers into selections of field tests.
// Owns     Nothing.
// Threads  Pure.
// Errors   Adds one sentence with file and line to `mistakes` for everything that is wrong.
// Limits   Those of the YAML reader.
// Source   Sigma 2.1.0, detection and value modifiers.
#pragma once

#include <string>
#include <vector>

#include "detect/rule.h"
#include "json/yaml.h"

namespace mailwarden::detect {

// Where a mistake is told, and in which words: "FILE, line N: WHAT".
class Mistakes {
 public:
  explicit Mistakes(std::string file) : file_(std::move(file)) {}

  void add(const yaml::Node& node, const std::string& what) {
    told_.push_back(file_ + ", " + node.where() + ": " + what);
  }
  const std::string& file() const { return file_; }
  const std::vector<std::string>& told() const { return told_; }

 private:
  std::string file_;
  std::vector<std::string> told_;
};

std::vector<Selection> parse_selections(const yaml::Node& detection, Mistakes& mistakes);

}  // namespace mailwarden::detect
