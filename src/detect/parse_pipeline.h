// Reads one pipeline out of YAML.
//
// What     PipelineReader reads a document's keys and transformations, and ConditionReader what a
//          transformation is subject to. Nothing is passed over: what is unknown, or is known and
//          means something for query languages alone, is a mistake.
// Owns     Nothing.
// Threads  Pure.
// Errors   Mistakes of the Reader, with file and line.
// Limits   PipelineLimits::nesting_max and the YAML reader's.
// Source   pySigma's processing pipelines; docs/pipelines.md.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "detect/pipeline.h"
#include "detect/pipeline_values.h"
#include "json/yaml_reader.h"

namespace mailwarden::detect {

// A type that stands in pySigma's lists and not in ours, and why.
struct RefusedType {
  std::string_view type;
  std::string_view why;
};

// An expression of RE2; nothing, and a mistake, where it is none.
Regex read_regex(yaml::Reader& reader, const yaml::Node& map, std::string_view name);
// A text that may be empty.
std::string read_any_text(yaml::Reader& reader, const yaml::Node& map, std::string_view name);
// A text, a number, a truth or null.
RuleValue read_value(yaml::Reader& reader, const yaml::Node& map, std::string_view name);
Logsource read_logsource(yaml::Reader& reader, const yaml::Node& map);
// Whether the map has no keys but `type`, those of `common` and those of `own`, which are parted
// by spaces.
bool has_keys(yaml::Reader& reader, const yaml::Node& map, std::string_view common,
              std::string_view own);

class ConditionReader {
 public:
  ConditionReader(yaml::Reader& reader, const yaml::Node& transformation)
      : reader_(reader), transformation_(transformation) {}

  Conditions<RuleCondition> rule_conditions();
  Conditions<ItemCondition> item_conditions();
  Conditions<NameCondition> name_conditions();

 private:
  template <class T, class Read>
  Conditions<T> conditions(const std::string& prefix, Read read);
  Condition formula(const std::string& prefix, const std::vector<std::string>& names,
                    bool are_named);
  Condition expression(const yaml::Node& node, const std::vector<std::string>& names,
                       bool are_named);

  RuleCondition rule_condition(const yaml::Node& node, const std::string& type);
  RuleCondition attribute_condition(const yaml::Node& node);
  ItemCondition item_condition(const yaml::Node& node, const std::string& type);
  NameCondition name_condition(const yaml::Node& node, const std::string& type);
  AppliedCondition applied(const yaml::Node& node);
  StateCondition state(const yaml::Node& node);
  bool each(const yaml::Node& node);
  void unknown(const yaml::Node& node, const std::string& type, std::string_view known);

  yaml::Reader& reader_;
  const yaml::Node& transformation_;
};

class PipelineReader {
 public:
  PipelineReader(yaml::Reader& reader, const PipelineLimits& limits)
      : reader_(reader), limits_(limits) {}

  // The one document of `text`.
  Pipeline read(std::string_view text);

 private:
  void read_vars(const yaml::Node& vars, Placeholders& into);
  std::vector<Transformation> transformations(const yaml::Node& list, std::size_t depth);
  Transformation transformation(const yaml::Node& node, std::size_t depth);
  Change change(const yaml::Node& node, std::string_view type, std::size_t depth);

  using Targets = std::vector<std::pair<std::string, std::vector<std::string>>>;
  Targets targets(const yaml::Node& node, bool of_fields);
  AddCondition add_condition(const yaml::Node& node);
  void check_items(const yaml::Node& node, const AddCondition& added);
  ReplaceString replace_string(const yaml::Node& node);
  SetValue set_value(const yaml::Node& node);
  ReplacePlaceholders placeholders(const yaml::Node& node, bool by_wildcard);
  // Which of two words the entry is.
  bool is_second(const yaml::Node& node, std::string_view name, std::string_view first,
                 std::string_view second);

  yaml::Reader& reader_;
  const PipelineLimits& limits_;
};

}  // namespace mailwarden::detect
