// All rules, compiled, and what of them holds for an event.
//
// What     make() checks the rules against each other, joins those of the same log source and
//          numbers their fields; match() tells which hold. It never changes afterwards and is
//          replaced as a whole when rules are loaded anew.
// Owns     The rules.
// Threads  match() from any thread.
// Errors   make(): Error{invalid} with every mistake: doubled ids, a correlation that names a rule
//          which is not there or itself.
// Limits   None of its own; match() is bounded by rules and fields.
// Source   Sigma 2.1.0. A rule applies where each stated part of its logsource equals the event's.
//          A rule for service `auth` or `syslog` of linux also applies to the services whose lines
//          stand in auth.log (sshd, sudo, su, pam and the account tools) or in syslog.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "detect/detection.h"
#include "detect/rule.h"

namespace mailwarden::detect {

// The value of a field, or, where the event has no such field, of the OCSF attribute of that name:
// class_uid, activity_id, status_id, src_endpoint.ip, user.name, actor.user.name, device.hostname,
// resources.name, service.name, email.from, email.to. "" where there is neither.
std::string value_of(const Event& event, std::string_view name);

class RuleSet {
 public:
  static Result<RuleSet> make(RuleTexts texts);

  std::vector<Detection> match(const Event& event) const;

  const std::vector<Rule>& rules() const { return rules_; }
  const std::vector<Correlation>& correlations() const { return correlations_; }

 private:
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };
  // Rules that need the field to have one of some values, by the value.
  struct Gated {
    FieldTest field;
    std::unordered_map<std::string, std::vector<std::size_t>, TextHash, std::equal_to<>> rules;
  };
  struct Group {
    Logsource logsource;
    std::vector<std::size_t> always;
    std::vector<Gated> gated;
  };
  // What a rule needs beyond its own text: the values that correlations over it ask for.
  struct Needs {
    std::vector<std::string> values;
    bool silent = false;
  };

  void add_to_group(std::size_t rule);
  static std::vector<std::size_t> candidates(const Group& group, const Event& event);
  void find_needs();
  void take_needs(const Correlation& correlation, const std::string& rule);

  std::vector<Rule> rules_;
  std::vector<Correlation> correlations_;  // a correlation stands behind those that it names
  std::vector<Group> groups_;
  std::map<std::string, Needs, std::less<>> needs_;  // by rule id, correlations too

  friend class Correlator;
};

}  // namespace mailwarden::detect
