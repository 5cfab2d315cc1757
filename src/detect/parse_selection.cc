#include "detect/parse_selection.h"

#include <algorithm>

#include "base/text.h"
#include "detect/condition.h"
#include "detect/decimal.h"

namespace mailwarden::detect {
namespace {

using yaml::Node;

class Reader {
 public:
  explicit Reader(Mistakes& mistakes) : mistakes_(mistakes) {}

  Selection selection(const std::string& name, const Node& node) {
    Selection selection{.name = name, .alternatives = {}};
    if (node.is_map()) {
      selection.alternatives.push_back(map(node));
    } else if (node.is_sequence()) {
      list(node, selection);
    } else if (node.is_scalar()) {
      selection.alternatives.push_back({keywords({&node})});
    } else {
      mistakes_.add(node, "the selection '" + name + "' is empty");
    }
    return selection;
  }

 private:
  void list(const Node& node, Selection& selection) {
    std::vector<const Node*> words;
    for (const Node& item : node.items) {
      if (item.is_map()) {
        selection.alternatives.push_back(map(item));
      } else if (item.is_scalar()) {
        words.push_back(&item);
      } else {
        mistakes_.add(item, "a selection's list holds maps or keywords");
      }
    }
    if (!words.empty()) selection.alternatives.push_back({keywords(words)});
    if (node.items.empty()) mistakes_.add(node, "the selection '" + selection.name + "' is empty");
  }

  static DetectionItem keywords(const std::vector<const Node*>& words) {
    DetectionItem item{.is_list = words.size() > 1, .line = words.front()->line};
    for (const Node* word : words) item.values.push_back(parse_value(*word));
    return item;
  }

  std::vector<DetectionItem> map(const Node& node) {
    std::vector<DetectionItem> items;
    for (const auto& [name, value] : node.entries) items.push_back(field(name, value));
    if (items.empty()) mistakes_.add(node, "a map of a selection has no field");
    return items;
  }

  DetectionItem field(const Node& name, const Node& value) {
    DetectionItem item{.is_list = value.is_sequence(), .line = name.line};
    const auto words = split(name.scalar, '|');
    // Sigma's taxonomy knows no spaces in names, some sources do: "Source Name" is SourceName.
    std::ranges::copy_if(words[0], std::back_inserter(item.field), [](char c) { return c != ' '; });
    if (name.scalar.empty()) mistakes_.add(name, "a field has no name");
    for (std::size_t i = 1; i < words.size(); ++i) item.modifiers.emplace_back(words[i]);
    if (!value.is_sequence()) {
      add_value(value, item);
      return item;
    }
    for (const Node& one : value.items) add_value(one, item);
    if (value.items.empty()) mistakes_.add(value, "the list of values is empty");
    return item;
  }

  void add_value(const Node& node, DetectionItem& item) {
    if (node.is_map() || node.is_sequence()) {
      return mistakes_.add(node, "a value is a text, a number, a truth or null");
    }
    item.values.push_back(parse_value(node));
  }

  Mistakes& mistakes_;
};

}  // namespace

RuleValue parse_value(const Node& node) {
  RuleValue value{.kind = RuleValue::Kind::text, .text = node.scalar, .line = node.line};
  if (node.is_null() && !node.quoted) {
    value.kind = RuleValue::Kind::null;
  } else if (yaml::is_true(node) || yaml::is_false(node)) {
    value.kind = RuleValue::Kind::truth;
    value.text = yaml::is_true(node) ? "true" : "false";
  } else if (!node.quoted && Decimal::parse(node.scalar)) {
    value.kind = RuleValue::Kind::number;
  }
  return value;
}

void Mistakes::add(std::size_t line, const std::string& what) {
  ++told_;
  if (told_ == 1) {
    line_ = line;
    reason_ = what;
  } else if (told_ <= told_max) {
    reason_ += "; line " + std::to_string(line) + ": " + what;
  } else if (told_ == told_max + 1) {
    reason_ += "; and more";
  }
}

std::vector<Selection> parse_selections(const Node& map,
                                        std::initializer_list<std::string_view> others,
                                        Mistakes& mistakes) {
  std::vector<Selection> selections;
  Reader reader(mistakes);
  for (const auto& [name, value] : map.entries) {
    if (std::ranges::find(others, name.scalar) != others.end()) continue;
    selections.push_back(reader.selection(name.scalar, value));
  }
  return selections;
}

Condition parse_conditions(const Node& node, const std::vector<Selection>& selections,
                           std::size_t depth_max, Mistakes& mistakes) {
  std::vector<const Node*> texts;
  if (node.is_sequence()) {
    for (const Node& item : node.items) texts.push_back(&item);
  } else {
    texts.push_back(&node);
  }
  if (texts.empty()) mistakes.add(node, "the list of conditions is empty");
  Condition any{.kind = Condition::Kind::any_of, .selection = 0, .parts = {}};
  for (const Node* text : texts) {
    auto parsed = parse_condition(text->scalar, selections, depth_max);
    if (parsed) {
      any.parts.push_back(*std::move(parsed));
    } else {
      mistakes.add(*text, parsed.error().what);
    }
  }
  if (any.parts.size() == 1) return std::move(any.parts.front());
  return any;
}

}  // namespace mailwarden::detect
