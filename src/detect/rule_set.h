// All rules in force, and what of them holds for an event.
//
// What     make() checks the rules against each other, puts filters on them and compiles them;
//          match() tells which hold. A RuleSet never changes afterwards and is replaced as a whole
//          when rules are loaded anew.
// Owns     The rules.
// Threads  match() from any thread, each with its own MatchScratch.
// Errors   A rule that cannot be in force is among refused(), with its sentence; the others are in
//          force. make(): Error{invalid} where all together cannot be compiled.
// Limits   None of its own; match() is bounded by rules and fields.
// Source   Sigma 2.1.0; docs/sigma.md.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "detect/detection.h"
#include "detect/engine.h"
#include "detect/rule.h"

namespace mailwarden::detect {

// The value of a field, or, where the event has no such field, of the OCSF attribute of that name:
// class_uid, activity_id, status_id, src_endpoint.ip, user.name, actor.user.name, device.hostname,
// resources.name, service.name, email.from, email.to. "" where there is neither.
std::string value_of(const Event& event, std::string_view name);

struct RuleSetOptions {
  Placeholders placeholders;
  Routing routing = Routing::strict;
};

class RuleSet {
 public:
  static Result<RuleSet> make(RuleTexts texts, const RuleSetOptions& options = {});

  std::vector<Detection> match(const Event& event, MatchScratch& scratch) const;
  // For a single event; for many, keep a scratch.
  std::vector<Detection> match(const Event& event) const;

  // By their numbers in the engine.
  const std::vector<Rule>& rules() const { return rules_; }
  const std::vector<Correlation>& correlations() const { return correlations_; }
  const std::vector<Filter>& filters() const { return filters_; }
  const std::vector<Refusal>& refused() const { return refused_; }
  const Engine& engine() const { return *engine_; }

 private:
  // What a rule needs beyond its own text: the values that correlations over it ask for.
  struct Needs {
    std::vector<std::string> values;
    bool silent = false;
  };

  void find_needs();
  void take_needs(const Correlation& correlation, const std::string& rule);
  Detection detection_of(RuleNumber number, const Event& event, MatchScratch& scratch) const;

  Routing routing_ = Routing::strict;
  std::shared_ptr<Engine> engine_;
  std::vector<Rule> rules_;
  std::vector<Correlation> correlations_;  // a correlation stands behind those that it names
  std::vector<Filter> filters_;
  std::vector<Refusal> refused_;
  std::map<std::string, Needs, std::less<>> needs_;  // by rule id, correlations too

  friend class Correlator;
};

}  // namespace mailwarden::detect
