// A second reading of Sigma, to hold the first against.
//
// What     read() makes Rules of documents, and a Rule says of an event whether it holds and why.
//          It was written from docs/sigma.md and the specification alone, as simply as their prose:
//          each sentence is done where it is asked, nothing is remembered from one event to the
//          next. Correlations are passed over; filters are applied.
// Owns     Rules own all that they ask.
// Threads  Rules are values; their questions are pure.
// Errors   Error{invalid} where the text is no YAML. A document that must be refused is told in
//          Reading::refused and is no error; read_rules() makes the first of them one.
// Limits   Those of yaml::parse, and oracle_text.h's.
// Source   Sigma 2.1.0; docs/sigma.md.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "event/event.h"
#include "tests/detect/oracle_line.h"

namespace mailwarden::oracle {

struct Options {
  Placeholders placeholders;
  bool open_routing = false;
};

// A rule's condition or a filter's, with the selections that it names.
struct Detection {
  std::map<std::string, Test> selections;
  Test condition;
};

struct Why {
  bool routed = false;  // the rule is meant for events of this log source
  bool condition = false;
  std::map<std::string, bool> selections;
  std::vector<bool> filters;  // whether the condition of each filter holds
};

class Rule {
 public:
  // The id, or the name where it has no id, or "".
  const std::string& id() const { return id_.empty() ? name_ : id_; }
  bool holds(const Event& event, const Options& options) const;
  Why why(const Event& event, const Options& options) const;
  std::size_t document() const { return document_; }  // from 0

 private:
  friend class DocumentReader;

  std::string id_;
  std::string name_;
  std::size_t document_ = 0;
  Logsource logsource_;
  Detection detection_;
  std::vector<Detection> filters_;
};

struct Refused {
  std::size_t document = 0;  // from 0
  std::string what;
};

struct Reading {
  std::vector<Rule> rules;       // in the order of the text
  std::vector<Refused> refused;  // rules and filters, in the order of the text
};

Result<Reading> read(std::string_view yaml_text, const Options& options);
Result<std::vector<Rule>> read_rules(std::string_view yaml_text, const Options& options);

// Whether a rule of `wanted` is meant for events of `told`.
bool routes(const Logsource& wanted, const Logsource& told, bool open);

}  // namespace mailwarden::oracle
