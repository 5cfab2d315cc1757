// A Sigma rule as it was written, and what Mailwarden adds to it.
//
// What     Rule and Correlation are the two kinds of document; parse_rules() reads them from YAML
//          and refuses what it cannot honour. A rule may carry a map `mailwarden` of its own:
//          entity: src_endpoint.ip   what the detection is about: an OCSF attribute or a field
//          facts: {account_compromised: true}   what it asserts about the impact
// Owns     Its content.
// Threads  Values; parsing is pure.
// Errors   Error{invalid}: every mistake of the text, each with file, line and reason.
// Limits   ParseLimits.
// Source   Sigma 2.1.0 rules and correlations. Not supported by this version, and refused: base64,
//          base64offset, windash, wide, utf16*, expand, neq and the time modifiers; correlations
//          other than event_count and temporal_ordered; filters.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/timestamp.h"
#include "detect/attribute.h"
#include "detect/detection.h"
#include "detect/matcher.h"
#include "event/event.h"

namespace mailwarden::detect {

// One line of a selection: a field, and the values of which one (or, with `all`, each) must match.
// An empty field is a keyword, searched in the whole event.
struct FieldTest {
  std::string field;
  Attribute attribute = attribute_named(field);  // read where the event has no such field
  std::vector<Matcher> values;
  bool all = false;
};

// Holds where every test of one of its alternatives does.
struct Selection {
  std::string name;
  std::vector<std::vector<FieldTest>> alternatives;
};

struct Condition {
  enum class Kind { selection, all_of, any_of, none_of };
  Kind kind = Kind::selection;
  std::size_t selection = 0;  // index into Rule::selections
  std::vector<Condition> parts;
};

// What is the same in rules and correlations.
struct Header {
  std::string id;    // `id`, else `name`, else the file's name
  std::string name;  // `name`, by which correlations may call a rule
  std::string title;
  Level level = Level::medium;
  std::vector<std::string> tags;
  std::string entity;  // what Detection::entity is taken from
  std::map<std::string, std::int64_t> facts;
  std::string file;
  std::size_t line = 0;
};

struct Rule {
  Header header;
  Logsource logsource;
  std::vector<Selection> selections;
  Condition condition;
};

struct Correlation {
  enum class Type { event_count, temporal_ordered };

  Header header;
  Type type = Type::event_count;
  std::vector<std::string> rules;  // ids or names, in order
  std::vector<std::string> group_by;
  std::map<std::string, std::map<std::string, std::string>> aliases;  // alias, rule, field
  Duration timespan{};
  std::int64_t at_least = 1;            // event_count
  std::optional<std::int64_t> at_most;  // the upper end of a range
  bool generate = false;                // report the rules it names on their own too
};

struct RuleTexts {
  std::vector<Rule> rules;
  std::vector<Correlation> correlations;
};

struct ParseLimits {
  std::size_t rules_max = 50'000;
  std::size_t depth_max = 32;  // of a condition
};

// Every document of one file's text; `file` is for messages.
Result<RuleTexts> parse_rules(std::string_view text, const std::string& file,
                              const ParseLimits& limits = {});

// Every .yml and .yaml below the folders, but for *.test.yml; all mistakes of all files together.
Result<RuleTexts> load_rules(const std::vector<std::string>& folders,
                             const ParseLimits& limits = {});

}  // namespace mailwarden::detect
