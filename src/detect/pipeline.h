// Processing pipelines: rules that were written for other names are changed before they are
// compiled, so that they hold for events with ours.
//
// What     Pipelines reads pySigma's YAML form and apply() changes rules, correlations and filters
//          in place, one transformation after the other. `vars` become values of placeholders.
// Owns     The pipelines, in the order in which they apply: by priority, then as given.
// Threads  A Pipelines never changes once it is read; apply() is pure but for its argument.
// Errors   parse(): Error{invalid} with every mistake of every file, one a line. load(): also
//          Error{not_found} or Error{io}. apply(): a document that a transformation fails for moves
//          to `refused`, with the transformation's file and line.
// Limits   PipelineLimits.
// Source   pySigma's processing pipelines; docs/pipelines.md says what is supported and where
//          Mailwarden decides otherwise.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "detect/modifiers.h"
#include "detect/rule.h"

namespace re2 {
class RE2;
}  // namespace re2

namespace mailwarden::detect {

using Regex = std::shared_ptr<const re2::RE2>;

// How two values stand to each other.
enum class Relation { eq, ne, gte, gt, lte, lt, in, not_in };

// ---- Conditions.

// A transformation with this id was applied to the rule, the item or the name.
struct AppliedCondition {
  std::string id;
  std::string place;  // file and line
};
struct StateCondition {
  std::string key;
  Relation relation = Relation::eq;
  RuleValue value;
};

struct LogsourceCondition {
  Logsource logsource;
};
struct ContainsItemCondition {
  std::string field;
  RuleValue value;
};
struct ContainsFieldCondition {
  std::string field;
};
struct KindCondition {
  bool correlation = false;
};
struct AttributeCondition {
  std::string attribute;
  Relation relation = Relation::eq;
  std::string value;
};
struct TagCondition {
  std::string tag;
};
using RuleCondition =
    std::variant<LogsourceCondition, ContainsItemCondition, ContainsFieldCondition,
                 AppliedCondition, StateCondition, KindCondition, AttributeCondition, TagCondition>;

// Of any or of each value of an item.
struct MatchStringCondition {
  Regex regex;
  bool each = false;
  bool negate = false;
};
struct MatchValueCondition {
  RuleValue value;
  bool each = false;
};
struct WildcardCondition {
  bool each = false;
};
struct NullCondition {
  bool each = false;
};
using ItemCondition = std::variant<MatchStringCondition, MatchValueCondition, WildcardCondition,
                                   NullCondition, AppliedCondition, StateCondition>;

struct FieldsCondition {
  std::vector<std::string> names;
  std::vector<Regex> regexes;  // in place of names
  bool exclude = false;
};
using NameCondition = std::variant<FieldsCondition, AppliedCondition, StateCondition>;

// Without conditions it holds.
template <class T>
struct Conditions {
  std::vector<T> list;
  Condition formula;  // Condition::selection is an index into the list
};

// ---- Transformations.

struct MapFields {
  std::map<std::string, std::vector<std::string>, std::less<>> names;
};
// The first prefix that fits counts.
struct MapPrefixes {
  std::vector<std::pair<std::string, std::vector<std::string>>> prefixes;
};
struct ExtendFields {
  std::string prefix;
  std::string suffix;
};
struct DropItem {};
struct AddCondition {
  Selection selection;
  bool negated = false;
};
struct ChangeLogsource {
  Logsource logsource;
};
struct ReplaceString {
  Regex regex;
  std::string replacement;
  bool skip_special = false;
  bool interpret_special = false;
};
struct MapString {
  std::map<std::string, std::vector<std::string>, std::less<>> texts;
};
struct SetState {
  std::string key;
  RuleValue value;
};
struct SetValue {
  RuleValue value;
};
struct ConvertType {
  bool to_number = false;
};
struct ChangeCase {
  bool upper = false;
};
struct ReplacePlaceholders {
  bool by_wildcard = false;  // else by `vars`
  std::optional<std::vector<std::string>> include;
  std::optional<std::vector<std::string>> exclude;
};
struct FailRule {
  std::string message;
};
struct FailItem {
  std::string message;
};
struct FailUnmapped {};

struct Transformation;
struct Nest {
  std::vector<Transformation> transformations;
};

using Change =
    std::variant<MapFields, MapPrefixes, ExtendFields, DropItem, AddCondition, ChangeLogsource,
                 ReplaceString, MapString, SetState, SetValue, ConvertType, ChangeCase,
                 ReplacePlaceholders, FailRule, FailItem, FailUnmapped, Nest>;

struct Transformation {
  std::string id;
  std::string place;       // file and line
  std::size_t number = 0;  // among all that apply together
  Conditions<RuleCondition> rule_conditions;
  Conditions<ItemCondition> item_conditions;
  Conditions<NameCondition> name_conditions;
  Change change;
};

struct Pipeline {
  std::string name;
  std::string file;
  std::string version;  // SHA-256 of the file's text, in hex
  std::int64_t priority = 0;
  Placeholders vars;
  std::vector<Transformation> transformations;
};

struct PipelineLimits {
  std::size_t transformations_max = 1'000;  // of all pipelines together
  std::size_t nesting_max = 8;              // of `nest`
  std::size_t alternatives_max = 1'000;     // of a selection that a transformation makes grow
  std::size_t items_max = 10'000;           // of a document that a transformation makes grow
  std::size_t text_bytes_max = 64 * 1024;   // of a value or name that is made
};

struct PipelineText {
  std::string file;  // for messages
  std::string text;
};

class Pipelines {
 public:
  Pipelines() = default;  // changes nothing

  static Result<Pipelines> parse(const std::vector<PipelineText>& texts,
                                 const PipelineLimits& limits = {});
  static Result<Pipelines> load(const std::vector<std::string>& files,
                                const PipelineLimits& limits = {});

  void apply(RuleTexts& texts) const;

  // All `vars`; where two pipelines give values for a name, those of the later count.
  const Placeholders& placeholders() const { return placeholders_; }
  // In the order in which they apply.
  const std::vector<Pipeline>& pipelines() const { return pipelines_; }

 private:
  std::vector<Pipeline> pipelines_;
  Placeholders placeholders_;
  PipelineLimits limits_;
};

}  // namespace mailwarden::detect
