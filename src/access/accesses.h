// Which events are accesses, by whom and to what.
//
// What     Accesses are Sigma rules, each with a map `access` (detect/rule.h) that says whose
//          access to which system its event is. read() gives the accesses that an event is, for
//          policies to be held against.
// Owns     Its rules.
// Threads  read() from any, each with its own MatchScratch.
// Errors   load(): invalid, every mistake of every file, a sentence a line; a rule without `access`
//          is one, since it would watch nothing.
// Limits   Those of rules; id_bytes_max of a name that comes out of an event.
//
// A name that an event does not tell is "", which nobody is called: what happened then is an access
// by somebody unknown, and no policy allows that.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "detect/rule_set.h"
#include "policy/entity_uid.h"

namespace mailwarden::access {

struct SeenAccess {
  EventId event;
  Timestamp time;
  std::string rule;   // its id
  std::string title;  // what the rule calls it
  policy::EntityUid principal;
  policy::EntityUid action;
  policy::EntityUid system;
  std::string source;  // the address it came from; "" where the event tells none
  std::map<std::string, std::int64_t> facts;  // what the rule asserts where policy denies it
};

class Accesses {
 public:
  static constexpr std::size_t id_bytes_max = 1024;

  Accesses() = default;
  static Result<Accesses> make(detect::RuleTexts texts);

  std::vector<SeenAccess> read(const Event& event, detect::MatchScratch& scratch) const;

  std::size_t size() const { return rules_.rules().size(); }

 private:
  explicit Accesses(detect::RuleSet rules);

  detect::RuleSet rules_;
  std::map<std::string, std::size_t, std::less<>> by_id_;  // places among the rules
};

// The text with each {NAME} as the event has it.
std::string fill(std::string_view text, const Event& event);

}  // namespace mailwarden::access
