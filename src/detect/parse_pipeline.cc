#include "detect/parse_pipeline.h"

#include <algorithm>
#include <array>

#include <re2/re2.h>

#include "base/text.h"
#include "crypto/sha256.h"
#include "detect/decimal.h"
#include "detect/parse_selection.h"

namespace mailwarden::detect {
namespace {

using yaml::Node;

constexpr std::string_view common_keys =
    "id rule_conditions rule_cond_op rule_cond_not rule_cond_expr detection_item_conditions "
    "detection_item_cond_op detection_item_cond_not detection_item_cond_expr "
    "field_name_conditions field_name_cond_op field_name_cond_not field_name_cond_expr";

// What a type takes beside the common keys.
constexpr std::array<std::pair<std::string_view, std::string_view>, 18> own_keys{
    {{"field_name_mapping", "mapping"},
     {"field_name_prefix_mapping", "mapping"},
     {"field_name_prefix", "prefix"},
     {"field_name_suffix", "suffix"},
     {"drop_detection_item", ""},
     {"add_condition", "conditions name negated template"},
     {"change_logsource", "product category service"},
     {"replace_string", "regex replacement skip_special interpret_special"},
     {"map_string", "mapping"},
     {"set_state", "key val"},
     {"set_value", "value force_type"},
     {"convert_type", "target_type"},
     {"case", "method"},
     {"value_placeholders", "include exclude"},
     {"wildcard_placeholders", "include exclude"},
     {"rule_failure", "message"},
     {"detection_item_failure", "message"},
     {"nest", "items"}}};

constexpr std::string_view for_languages = "it changes what a query language is given";
constexpr std::string_view for_output = "it changes a list of fields for people, which is not kept";
constexpr std::string_view from_outside = "a pipeline reads nothing from outside; use 'vars'";

constexpr std::array<RefusedType, 12> refused_types{
    {{"query_expression_placeholders", for_languages},
     {"set_custom_attribute", "it sets what the back end of a query language reads"},
     {"regex", "it is for languages that cannot match without regard to case"},
     {"add_field", for_output},
     {"remove_field", for_output},
     {"set_field", for_output},
     {"file_placeholders", from_outside},
     {"http_placeholders", from_outside},
     {"command_placeholders", from_outside},
     {"field_name_transform", "it needs a function of Python"},
     {"hashes_fields", "write the hashes' fields in the rule"},
     {"extract_fields", "write the fields in the rule"}}};

}  // namespace

Pipeline PipelineReader::read(std::string_view text) {
  Pipeline pipeline{.name = {},
                    .file = reader_.file(),
                    .version = crypto::to_hex(crypto::sha256(text)),
                    .vars = {},
                    .transformations = {}};
  const std::size_t before = reader_.mistakes().size();
  const std::vector<Node> documents = reader_.documents(text);
  if (reader_.mistakes().size() != before) return pipeline;
  if (documents.size() != 1 || !documents.front().is_map()) {
    reader_.mistake(documents.empty() ? Node() : documents.front(),
                    "a pipeline is one document, a map with 'transformations' or 'vars'");
    return pipeline;
  }
  const Node& map = documents.front();
  for (const auto& [key, value] : map.entries) {
    if (key.scalar == "postprocessing" || key.scalar == "finalizers" ||
        key.scalar == "allowed_backends") {
      reader_.mistake(key, "'" + key.scalar + "' is about queries in other languages, which " +
                               "Mailwarden does not write");
    } else if (key.scalar == "vars") {
      read_vars(value, pipeline.vars);
    } else if (key.scalar == "transformations") {
      pipeline.transformations = transformations(value, 0);
    } else if (key.scalar != "name" && key.scalar != "priority") {
      reader_.mistake(key, "'" + printable(key.scalar) + "' is not known in a pipeline");
    }
  }
  pipeline.name = reader_.text(map, "name", reader_.file());
  pipeline.priority = reader_.integer(map, "priority", -1'000'000, 1'000'000, 0);
  return pipeline;
}

void PipelineReader::read_vars(const Node& vars, Placeholders& into) {
  if (!vars.is_map()) return reader_.mistake(vars, "'vars' must be a map of names and values");
  for (const auto& [name, value] : vars.entries) {
    std::vector<std::string>& values = into[name.scalar];
    if (value.is_scalar()) {
      values.push_back(value.scalar);
    } else if (!value.is_sequence() || value.items.empty()) {
      reader_.mistake(name, "the values of '" + printable(name.scalar) + "' are a text or a list");
    }
    for (const Node& item : value.items) {
      if (!item.is_scalar()) reader_.mistake(item, "a value of 'vars' is a text or a number");
      values.push_back(item.scalar);
    }
  }
}

std::vector<Transformation> PipelineReader::transformations(const Node& list, std::size_t depth) {
  std::vector<Transformation> read;
  if (!list.is_sequence()) {
    reader_.mistake(list, "transformations must be a list");
    return read;
  }
  for (const Node& node : list.items) {
    if (node.is_map()) {
      read.push_back(transformation(node, depth));
    } else {
      reader_.mistake(node, "a transformation is a map with a 'type'");
    }
  }
  return read;
}

Transformation PipelineReader::transformation(const Node& node, std::size_t depth) {
  const std::string type = reader_.text(node, "type");
  Transformation read{.id = reader_.text(node, "id", ""),
                      .place = reader_.file() + ", " + node.where(),
                      .rule_conditions = {},
                      .item_conditions = {},
                      .name_conditions = {},
                      .change = DropItem()};
  if (type.empty()) return read;
  const auto refused = std::ranges::find(refused_types, type, &RefusedType::type);
  if (refused != refused_types.end()) {
    reader_.mistake(
        node, "the transformation '" + type + "' is not supported: " + std::string(refused->why));
    return read;
  }
  const auto known =
      std::ranges::find(own_keys, type, &std::pair<std::string_view, std::string_view>::first);
  if (known == own_keys.end() && type != "strict_field_mapping_failure") {
    reader_.mistake(node, "there is no transformation '" + printable(type) + "'");
    return read;
  }
  has_keys(reader_, node, common_keys, known == own_keys.end() ? "" : known->second);
  ConditionReader conditions(reader_, node);
  read.rule_conditions = conditions.rule_conditions();
  read.item_conditions = conditions.item_conditions();
  read.name_conditions = conditions.name_conditions();
  read.change = change(node, type, depth);
  const bool of_rules = std::holds_alternative<AddCondition>(read.change) ||
                        std::holds_alternative<ChangeLogsource>(read.change) ||
                        std::holds_alternative<SetState>(read.change) ||
                        std::holds_alternative<FailRule>(read.change) ||
                        std::holds_alternative<FailUnmapped>(read.change) ||
                        std::holds_alternative<Nest>(read.change);
  if (of_rules && !(read.item_conditions.list.empty() && read.name_conditions.list.empty())) {
    reader_.mistake(node, "'" + type + "' is about whole rules; conditions on items or names of " +
                              "fields have no meaning there");
  }
  return read;
}

Change PipelineReader::change(const Node& node, std::string_view type, std::size_t depth) {
  if (type == "field_name_mapping") {
    MapFields map;
    for (auto& [name, names] : targets(node, true)) map.names.insert_or_assign(name, names);
    return map;
  }
  if (type == "field_name_prefix_mapping") return MapPrefixes{targets(node, true)};
  if (type == "field_name_prefix") {
    return ExtendFields{.prefix = field_name(reader_.text(node, "prefix")), .suffix = {}};
  }
  if (type == "field_name_suffix") {
    return ExtendFields{.prefix = {}, .suffix = field_name(reader_.text(node, "suffix"))};
  }
  if (type == "add_condition") return add_condition(node);
  if (type == "change_logsource") return ChangeLogsource{read_logsource(reader_, node)};
  if (type == "replace_string") return replace_string(node);
  if (type == "map_string") {
    MapString map;
    for (auto& [text, texts] : targets(node, false)) map.texts.insert_or_assign(text, texts);
    return map;
  }
  if (type == "set_state") {
    return SetState{.key = reader_.text(node, "key"), .value = read_value(reader_, node, "val")};
  }
  if (type == "set_value") return set_value(node);
  if (type == "convert_type") return ConvertType{is_second(node, "target_type", "str", "num")};
  if (type == "case") {
    if (node.find("method") == nullptr) return ChangeCase{};
    return ChangeCase{is_second(node, "method", "lower", "upper")};
  }
  if (type == "value_placeholders") return placeholders(node, false);
  if (type == "wildcard_placeholders") return placeholders(node, true);
  if (type == "rule_failure") return FailRule{reader_.text(node, "message")};
  if (type == "detection_item_failure") return FailItem{reader_.text(node, "message")};
  if (type == "strict_field_mapping_failure") return FailUnmapped();
  if (type == "nest") {
    const Node* const items = reader_.sequence(node, "items");
    if (items == nullptr) return Nest{};
    if (depth < limits_.nesting_max) return Nest{transformations(*items, depth + 1)};
    reader_.mistake(
        *items, "'nest' is nested deeper than " + std::to_string(limits_.nesting_max) + " levels");
    return Nest{};
  }
  return DropItem();
}

PipelineReader::Targets PipelineReader::targets(const Node& node, bool of_fields) {
  Targets read;
  const Node* const mapping = node.find("mapping");
  if (mapping == nullptr || !mapping->is_map() || mapping->entries.empty()) {
    reader_.mistake(mapping == nullptr ? node : *mapping, "'mapping' must be a map");
    return read;
  }
  auto target = [&](const Node& one) {
    const bool is_good = one.is_scalar() && !(of_fields && field_name(one.scalar).empty());
    if (!is_good) {
      reader_.mistake(one, of_fields ? "a field is mapped to a name or a list of names"
                                     : "a text is mapped to a text or a list of texts");
    }
    return of_fields ? field_name(one.scalar) : one.scalar;
  };
  for (const auto& [name, value] : mapping->entries) {
    if (of_fields && (name.is_null() || field_name(name.scalar).empty())) {
      reader_.mistake(name, "keywords have no field; a mapping of them is not supported");
      continue;
    }
    std::vector<std::string> texts;
    if (value.is_sequence()) {
      for (const Node& item : value.items) texts.push_back(target(item));
      if (value.items.empty()) reader_.mistake(value, "the list is empty");
    } else {
      texts.push_back(target(value));
    }
    read.emplace_back(of_fields ? field_name(name.scalar) : name.scalar, std::move(texts));
  }
  return read;
}

AddCondition PipelineReader::add_condition(const Node& node) {
  AddCondition added{.selection = {}, .negated = reader_.truth(node, "negated", false)};
  if (reader_.truth(node, "template", false)) {
    reader_.mistake(*node.find("template"), "variables in conditions are not supported");
  }
  const Node* const conditions = node.find("conditions");
  if (conditions == nullptr || !conditions->is_map() || conditions->entries.empty()) {
    reader_.mistake(conditions == nullptr ? node : *conditions,
                    "'conditions' must be a map of fields and values");
    return added;
  }
  // The leading underscore keeps it out of `them`, should somebody read the rule anew.
  Node named;
  named.scalar = reader_.text(node, "name", "_added");
  named.kind = Node::Kind::scalar;
  Node map;
  map.kind = Node::Kind::map;
  map.entries.push_back({std::move(named), *conditions});
  Mistakes mistakes;
  added.selection = std::move(parse_selections(map, {}, mistakes).front());
  if (mistakes.any()) {
    Node place;
    place.line = mistakes.line();
    reader_.mistake(place, mistakes.reason());
    return added;
  }
  check_items(node, added);
  return added;
}

// Its mistakes would otherwise be told of each rule that it is added to, at lines that are not the
// rule's.
void PipelineReader::check_items(const Node& node, const AddCondition& added) {
  for (const DetectionItem& item : added.selection.alternatives.front()) {
    if (std::ranges::count(item.modifiers, "expand") > 0) continue;
    if (const auto resolved = resolve(item, {}); !resolved) {
      Node place = node;
      place.line = item.line;
      reader_.mistake(place, resolved.error().what);
    }
  }
}

ReplaceString PipelineReader::replace_string(const Node& node) {
  ReplaceString read{.regex = read_regex(reader_, node, "regex"),
                     .replacement = read_any_text(reader_, node, "replacement"),
                     .skip_special = reader_.truth(node, "skip_special", false),
                     .interpret_special = reader_.truth(node, "interpret_special", false)};
  std::string why;
  if (read.regex != nullptr && !read.regex->CheckRewriteString(read.replacement, &why)) {
    reader_.mistake(*node.find("replacement"), "'replacement' is none of RE2: " + why);
  }
  if (read.interpret_special && !read.skip_special) {
    reader_.mistake(node, "'interpret_special' has a meaning only with 'skip_special'");
  }
  return read;
}

SetValue PipelineReader::set_value(const Node& node) {
  SetValue read{read_value(reader_, node, "value")};
  if (node.find("force_type") == nullptr) return read;
  const bool number = is_second(node, "force_type", "str", "num");
  if (read.value.kind == RuleValue::Kind::null || read.value.kind == RuleValue::Kind::truth) {
    reader_.mistake(node, "'force_type' is for texts and numbers");
  } else if (number && !Decimal::parse(read.value.text)) {
    reader_.mistake(node, "'" + printable(read.value.text) + "' is not a number");
  }
  read.value.kind = number ? RuleValue::Kind::number : RuleValue::Kind::text;
  return read;
}

ReplacePlaceholders PipelineReader::placeholders(const Node& node, bool by_wildcard) {
  ReplacePlaceholders read{.by_wildcard = by_wildcard, .include = {}, .exclude = {}};
  if (node.find("include") != nullptr) read.include = reader_.texts(node, "include");
  if (node.find("exclude") != nullptr) read.exclude = reader_.texts(node, "exclude");
  if (read.include && read.exclude) {
    reader_.mistake(node, "'include' and 'exclude' exclude each other");
  }
  return read;
}

bool PipelineReader::is_second(const Node& node, std::string_view name, std::string_view first,
                               std::string_view second) {
  const std::string word = reader_.text(node, name);
  if (!word.empty() && word != first && word != second) {
    reader_.mistake(*node.find(name), "'" + std::string(name) + "' must be " + std::string(first) +
                                          " or " + std::string(second));
  }
  return word == second;
}

}  // namespace mailwarden::detect
