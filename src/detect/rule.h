// Sigma documents as they were written, and what Mailwarden adds to them.
//
// What     Rule, Correlation and Filter are the kinds of document; parse_rules() reads them from
//          YAML. What one of them cannot mean is a Refusal; the others are read. A rule may carry
//          a map `mailwarden` of its own:
//          entity: src_endpoint.ip   what the detection is about: an OCSF attribute or a field
//          facts: {account_compromised: true}   what it asserts about the impact
//          access: {person: "{user.name}@example.com", action: read, system: billing}   that its
//            event is somebody's access to a system (access/accesses.h); `service` in place of
//            `person` where a program reaches it
// Owns     Its content.
// Threads  Values; parsing is pure.
// Errors   Refusals, each a sentence with file and line. load_rules(): Error{not_found} or
//          Error{io} for a path that cannot be read.
// Limits   ParseLimits.
// Source   Sigma 2.1.0 rules, correlations and filters; docs/sigma.md where they are silent.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/timestamp.h"
#include "detect/detection.h"
#include "event/event.h"

namespace mailwarden::detect {

// A value of a rule before its modifiers.
struct RuleValue {
  enum class Kind { text, number, truth, null };  // as a plain scalar reads
  Kind kind = Kind::text;
  std::string text;
  std::size_t line = 0;
};

// One line of a selection: a field, and the values of which one (or, with `all`, each) must match.
// An empty field is a keyword, searched in the whole event.
struct DetectionItem {
  std::string field;  // without spaces
  std::vector<std::string> modifiers;
  std::vector<RuleValue> values;
  bool is_list = false;  // written as a list, be it of one
  std::size_t line = 0;
};

// Holds where every item of one of its alternatives does.
struct Selection {
  std::string name;
  std::vector<std::vector<DetectionItem>> alternatives;
};

struct Condition {
  enum class Kind { selection, all_of, any_of, none_of };
  Kind kind = Kind::selection;
  std::size_t selection = 0;  // index into the selections beside it
  std::vector<Condition> parts;
};

// Whose access to what an event is, in texts in which {NAME} stands for a field or an OCSF
// attribute.
struct AccessClause {
  std::string person;   // "" where it is a program's
  std::string service;  // "" where it is a person's
  std::string action;
  std::string system;
};

// What is the same in all kinds of document.
struct Header {
  std::string id;    // `id`, else `name`, else the file's name
  std::string name;  // `name`, by which correlations and filters may call a rule
  std::string title;
  Level level = Level::medium;
  std::vector<std::string> tags;
  std::string entity;  // what Detection::entity is taken from
  std::map<std::string, std::int64_t> facts;
  std::optional<AccessClause> access;
  std::string file;
  std::size_t line = 0;
  std::string version;    // SHA-256 of the file's text, in hex
  std::size_t order = 0;  // among all documents read together
};

struct Rule {
  Header header;
  Logsource logsource;  // in lower case
  std::vector<Selection> selections;
  Condition condition;
};

struct Correlation {
  enum class Type {
    event_count,
    value_count,
    temporal,
    temporal_ordered,
    value_sum,
    value_avg,
    value_percentile
  };

  // An end of what the condition allows, in millionths.
  struct Bound {
    std::int64_t millionths = 0;
    bool open = false;  // gt or lt: the bound itself is not allowed
  };

  Header header;
  Type type = Type::event_count;
  std::vector<std::string> rules;  // ids or names, in order, each once
  std::vector<std::string> group_by;
  std::map<std::string, std::map<std::string, std::string>> aliases;  // alias, rule, field
  Duration timespan{};
  std::vector<std::string> fields;  // `field`: several only for value_count, which counts tuples
  // Neither for temporal_ordered, which needs all its rules; at least one for the others.
  std::optional<Bound> at_least;
  std::optional<Bound> at_most;
  bool differs = false;                  // neq: one of the (equal, open) bounds suffices
  std::int64_t percentile = 50'000'000;  // in millionths of a percent
  bool generate = false;                 // report the rules it names on their own too
};

struct Filter {
  Header header;
  Logsource logsource;             // may state nothing
  std::vector<std::string> rules;  // ids or names; none where it is for all
  bool any_rule = false;
  std::vector<Selection> selections;
  Condition condition;
};

// A document that is not in force.
struct Refusal {
  std::string file;
  std::size_t line = 0;
  std::string id;      // "" where it could not be read
  std::string reason;  // without file and line

  std::string sentence() const;  // "FILE, line N: REASON"
};

struct RuleTexts {
  std::vector<Rule> rules;
  std::vector<Correlation> correlations;
  std::vector<Filter> filters;
  std::vector<Refusal> refused;
  std::size_t documents = 0;  // read, refused or not
};

struct ParseLimits {
  std::size_t rules_max = 50'000;
  std::size_t depth_max = 32;  // of a condition
};

// Every document of one file's text; `file` is for messages.
RuleTexts parse_rules(std::string_view text, const std::string& file,
                      const ParseLimits& limits = {});

// Files, and every .yml and .yaml below folders but for *.test.yml, in order of their names.
Result<RuleTexts> load_rules(const std::vector<std::string>& paths, const ParseLimits& limits = {});

std::string_view to_string(Correlation::Type type);

}  // namespace mailwarden::detect
