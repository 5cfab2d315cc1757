#include <algorithm>
#include <array>
#include <set>

#include <re2/re2.h>

#include "base/text.h"
#include "detect/condition.h"
#include "detect/decimal.h"
#include "detect/parse_pipeline.h"
#include "detect/parse_selection.h"

namespace mailwarden::detect {
namespace {

using yaml::Node;

constexpr std::size_t depth_max = 32;

constexpr std::array<std::pair<std::string_view, Relation>, 8> relations{
    {{"eq", Relation::eq},
     {"ne", Relation::ne},
     {"gte", Relation::gte},
     {"gt", Relation::gt},
     {"lte", Relation::lte},
     {"lt", Relation::lt},
     {"in", Relation::in},
     {"not_in", Relation::not_in}}};

bool is_order(Relation relation) {
  return relation != Relation::eq && relation != Relation::ne && relation != Relation::in &&
         relation != Relation::not_in;
}

Relation read_relation(yaml::Reader& reader, const Node& node) {
  const std::string word = reader.text(node, "op", "eq");
  const auto known =
      std::ranges::find(relations, word, &std::pair<std::string_view, Relation>::first);
  if (known != relations.end()) return known->second;
  reader.mistake(node, "'" + printable(word) + "' is none of eq, ne, gte, gt, lte, lt, in, not_in");
  return Relation::eq;
}

Condition one(std::size_t index) {
  return {.kind = Condition::Kind::selection, .selection = index, .parts = {}};
}

Condition joined(Condition::Kind kind, std::vector<Condition> parts) {
  return {.kind = kind, .selection = 0, .parts = std::move(parts)};
}

void collect(const Condition& condition, std::set<std::size_t>& into) {
  if (condition.kind == Condition::Kind::selection) into.insert(condition.selection);
  for (const Condition& part : condition.parts) collect(part, into);
}

}  // namespace

Regex read_regex(yaml::Reader& reader, const Node& map, std::string_view name) {
  RE2::Options options;
  options.set_log_errors(false);
  auto compiled = std::make_shared<RE2>(reader.text(map, name), options);
  if (compiled->ok()) return compiled;
  const Node* const node = map.find(name);
  reader.mistake(node == nullptr ? map : *node,
                 "'" + std::string(name) + "' is no expression of RE2: " + compiled->error());
  return nullptr;
}

std::string read_any_text(yaml::Reader& reader, const Node& map, std::string_view name) {
  const Node* const node = map.find(name);
  if (node != nullptr && node->is_scalar()) return node->scalar;
  reader.mistake(node == nullptr ? map : *node, "'" + std::string(name) + "' must be a text");
  return {};
}

RuleValue read_value(yaml::Reader& reader, const Node& map, std::string_view name) {
  const Node* const node = map.find(name);
  if (node != nullptr && (node->is_scalar() || node->is_null())) return parse_value(*node);
  reader.mistake(node == nullptr ? map : *node,
                 "'" + std::string(name) + "' must be a text, a number, a truth or null");
  return {};
}

Logsource read_logsource(yaml::Reader& reader, const Node& map) {
  Logsource source{.product = to_lower(reader.text(map, "product", "")),
                   .category = to_lower(reader.text(map, "category", "")),
                   .service = to_lower(reader.text(map, "service", ""))};
  if (source == Logsource()) {
    reader.mistake(map, "a log source names a product, a category or a service");
  }
  return source;
}

bool has_keys(yaml::Reader& reader, const Node& map, std::string_view common,
              std::string_view own) {
  const std::size_t before = reader.mistakes().size();
  auto holds = [](std::string_view list, const std::string& name) {
    return std::ranges::count(split(list, ' '), name) > 0;
  };
  for (const auto& [name, value] : map.entries) {
    if (name.scalar == "type" || holds(common, name.scalar) || holds(own, name.scalar)) continue;
    reader.mistake(name, "'" + printable(name.scalar) + "' is not known for the type '" +
                             printable(reader.text(map, "type")) + "'" +
                             (own.empty() ? "" : ", which takes: " + std::string(own)));
  }
  return reader.mistakes().size() == before;
}

Conditions<RuleCondition> ConditionReader::rule_conditions() {
  return conditions<RuleCondition>("rule", [&](const Node& node, const std::string& type) {
    return rule_condition(node, type);
  });
}

Conditions<ItemCondition> ConditionReader::item_conditions() {
  return conditions<ItemCondition>(
      "detection_item",
      [&](const Node& node, const std::string& type) { return item_condition(node, type); });
}

Conditions<NameCondition> ConditionReader::name_conditions() {
  return conditions<NameCondition>("field_name", [&](const Node& node, const std::string& type) {
    return name_condition(node, type);
  });
}

template <class T, class Read>
Conditions<T> ConditionReader::conditions(const std::string& prefix, Read read) {
  Conditions<T> all;
  std::vector<std::string> names;
  const Node* const list = transformation_.find(prefix + "_conditions");
  auto add = [&](const std::string& name, const Node& node) {
    names.push_back(name);
    if (!node.is_map()) return reader_.mistake(node, "a condition is a map with a 'type'");
    all.list.push_back(read(node, reader_.text(node, "type")));
  };
  if (list != nullptr && list->is_map()) {
    for (const auto& [name, node] : list->entries) add(name.scalar, node);
  } else if (list != nullptr && list->is_sequence()) {
    for (const Node& node : list->items) add("", node);
  } else if (list != nullptr) {
    reader_.mistake(*list, "'" + prefix + "_conditions' must be a list or a map of conditions");
  }
  all.formula = formula(prefix, names, list != nullptr && list->is_map());
  return all;
}

Condition ConditionReader::formula(const std::string& prefix, const std::vector<std::string>& names,
                                   bool are_named) {
  const Node* const expr = transformation_.find(prefix + "_cond_expr");
  const Node* const op = transformation_.find(prefix + "_cond_op");
  const Node* const negation = transformation_.find(prefix + "_cond_not");
  for (const Node* const node : {expr, op, negation}) {
    if (node == nullptr || !names.empty()) continue;
    reader_.mistake(*node, "there are no '" + prefix + "_conditions' that this could be about");
    return {};
  }
  if (expr != nullptr && op != nullptr) {
    reader_.mistake(*op,
                    "'" + prefix + "_cond_op' and '" + prefix + "_cond_expr' exclude each other");
  }
  Condition whole;
  if (expr != nullptr) {
    whole = expression(*expr, names, are_named);
  } else {
    const std::string word = reader_.text(transformation_, prefix + "_cond_op", "and");
    if (word != "and" && word != "or") {
      reader_.mistake(*op, "'" + printable(word) + "' is neither and nor or");
    }
    whole.kind = word == "or" ? Condition::Kind::any_of : Condition::Kind::all_of;
    for (std::size_t i = 0; i < names.size(); ++i) whole.parts.push_back(one(i));
  }
  if (!reader_.truth(transformation_, prefix + "_cond_not", false)) return whole;
  return joined(Condition::Kind::none_of, {std::move(whole)});
}

Condition ConditionReader::expression(const Node& node, const std::vector<std::string>& names,
                                      bool are_named) {
  if (!are_named) {
    reader_.mistake(node, "an expression needs conditions in a map, by names");
    return {};
  }
  std::vector<Selection> named;
  for (const std::string& name : names) named.push_back({.name = name, .alternatives = {}});
  const auto parsed = parse_condition(node.scalar, named, depth_max);
  if (!parsed) {
    reader_.mistake(node, parsed.error().what);
    return {};
  }
  std::set<std::size_t> used;
  collect(*parsed, used);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (used.contains(i)) continue;
    reader_.mistake(node, "the expression does not name the condition '" + names[i] + "'");
  }
  return *parsed;
}

void ConditionReader::unknown(const Node& node, const std::string& type, std::string_view known) {
  reader_.mistake(*node.find("type"),
                  "the condition '" + printable(type) + "' is none of " + std::string(known));
}

RuleCondition ConditionReader::rule_condition(const Node& node, const std::string& type) {
  if (type == "logsource") {
    has_keys(reader_, node, "", "product category service");
    return LogsourceCondition{read_logsource(reader_, node)};
  }
  if (type == "contains_detection_item") {
    has_keys(reader_, node, "", "field value");
    return ContainsItemCondition{.field = field_name(reader_.text(node, "field")),
                                 .value = read_value(reader_, node, "value")};
  }
  if (type == "contains_field") {
    has_keys(reader_, node, "", "field");
    return ContainsFieldCondition{field_name(reader_.text(node, "field"))};
  }
  if (type == "processing_item_applied") return applied(node);
  if (type == "processing_state") return state(node);
  if (type == "is_sigma_rule" || type == "is_sigma_correlation_rule") {
    has_keys(reader_, node, "", "");
    return KindCondition{type == "is_sigma_correlation_rule"};
  }
  if (type == "rule_attribute") return attribute_condition(node);
  if (type == "tag") {
    has_keys(reader_, node, "", "tag");
    return TagCondition{reader_.text(node, "tag")};
  }
  if (!type.empty()) {
    unknown(node, type,
            "logsource, contains_detection_item, contains_field, processing_item_applied, "
            "processing_state, is_sigma_rule, is_sigma_correlation_rule, rule_attribute, tag");
  }
  return TagCondition{};
}

RuleCondition ConditionReader::attribute_condition(const Node& node) {
  has_keys(reader_, node, "", "attribute value op");
  AttributeCondition read{.attribute = reader_.text(node, "attribute"),
                          .relation = read_relation(reader_, node),
                          .value = read_any_text(reader_, node, "value")};
  const bool in_list = read.relation == Relation::in || read.relation == Relation::not_in;
  const bool is_text =
      read.attribute == "id" || read.attribute == "name" || read.attribute == "title";
  if (!is_text && read.attribute != "level" && read.attribute != "tags") {
    reader_.mistake(node, "the attribute '" + printable(read.attribute) +
                              "' of a rule is not kept; id, name, title, level and tags are");
  } else if (in_list != (read.attribute == "tags") || (is_text && is_order(read.relation))) {
    reader_.mistake(node, "'" + read.attribute + "' is compared by " +
                              (read.attribute == "tags" ? "in and not_in"
                               : is_text                ? "eq and ne"
                                                        : "eq, ne, gte, gt, lte and lt"));
  }
  if (read.attribute == "level" && !parse_level(read.value)) {
    reader_.mistake(node, "the level '" + printable(read.value) +
                              "' is none of informational, low, medium, high, critical");
  }
  return read;
}

ItemCondition ConditionReader::item_condition(const Node& node, const std::string& type) {
  if (type == "match_string") {
    has_keys(reader_, node, "", "pattern cond negate");
    return MatchStringCondition{.regex = read_regex(reader_, node, "pattern"),
                                .each = each(node),
                                .negate = reader_.truth(node, "negate", false)};
  }
  if (type == "match_value") {
    has_keys(reader_, node, "", "value cond");
    return MatchValueCondition{.value = read_value(reader_, node, "value"), .each = each(node)};
  }
  if (type == "contains_wildcard" || type == "is_null") {
    has_keys(reader_, node, "", "cond");
    const bool all = each(node);
    if (type == "is_null") return NullCondition{all};
    return WildcardCondition{all};
  }
  if (type == "processing_item_applied") return applied(node);
  if (type == "processing_state") return state(node);
  if (!type.empty()) {
    unknown(node, type,
            "match_string, match_value, contains_wildcard, is_null, processing_item_applied, "
            "processing_state");
  }
  return NullCondition{};
}

NameCondition ConditionReader::name_condition(const Node& node, const std::string& type) {
  if (type == "processing_item_applied") return applied(node);
  if (type == "processing_state") return state(node);
  if (type != "include_fields" && type != "exclude_fields") {
    if (!type.empty()) {
      unknown(node, type,
              "include_fields, exclude_fields, processing_item_applied, processing_state");
    }
    return FieldsCondition{};
  }
  has_keys(reader_, node, "", "fields mode");
  FieldsCondition read{.names = {}, .regexes = {}, .exclude = type == "exclude_fields"};
  const std::string mode = reader_.text(node, "mode", "plain");
  if (mode != "plain" && mode != "re") {
    reader_.mistake(node, "the mode '" + printable(mode) + "' is neither plain nor re");
  }
  const std::vector<std::string> fields = reader_.texts(node, "fields");
  for (const std::string& field : fields) {
    if (mode == "plain") {
      read.names.push_back(field_name(field));
      continue;
    }
    RE2::Options options;
    options.set_log_errors(false);
    auto compiled = std::make_shared<RE2>(field, options);
    if (!compiled->ok()) {
      reader_.mistake(node,
                      "'" + printable(field) + "' is no expression of RE2: " + compiled->error());
    }
    read.regexes.push_back(std::move(compiled));
  }
  return read;
}

AppliedCondition ConditionReader::applied(const Node& node) {
  has_keys(reader_, node, "", "processing_item_id");
  return {.id = reader_.text(node, "processing_item_id"),
          .place = reader_.file() + ", " + node.where()};
}

StateCondition ConditionReader::state(const Node& node) {
  has_keys(reader_, node, "", "key val op");
  StateCondition read{.key = reader_.text(node, "key"),
                      .relation = read_relation(reader_, node),
                      .value = read_value(reader_, node, "val")};
  if (read.relation == Relation::in || read.relation == Relation::not_in) {
    reader_.mistake(node, "a state is no list; it is compared by eq, ne, gte, gt, lte and lt");
  } else if (is_order(read.relation) && !Decimal::parse(read.value.text)) {
    reader_.mistake(
        node, "'" + printable(read.value.text) + "' is not a number; eq and ne compare texts");
  }
  return read;
}

bool ConditionReader::each(const Node& node) {
  const std::string word = reader_.text(node, "cond");
  if (!word.empty() && word != "any" && word != "all") {
    reader_.mistake(node, "'cond' must be any or all");
  }
  return word == "all";
}

}  // namespace mailwarden::detect
