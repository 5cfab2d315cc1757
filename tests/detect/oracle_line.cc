#include "tests/detect/oracle_line.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <re2/re2.h>

#include "base/text.h"
#include "detect/attribute.h"
#include "tests/detect/oracle_value.h"

namespace mailwarden::oracle {
namespace {

using ValueTest = std::function<bool(std::string_view)>;

enum class LineKind { text, expression, network, comparison, exists, part, reference };

const std::map<std::string_view, LineKind> kinds{
    {"contains", LineKind::text},  {"startswith", LineKind::text},   {"endswith", LineKind::text},
    {"cased", LineKind::text},     {"windash", LineKind::text},      {"expand", LineKind::text},
    {"base64", LineKind::text},    {"base64offset", LineKind::text}, {"utf16le", LineKind::text},
    {"wide", LineKind::text},      {"utf16be", LineKind::text},      {"utf16", LineKind::text},
    {"re", LineKind::expression},  {"i", LineKind::expression},      {"m", LineKind::expression},
    {"s", LineKind::expression},   {"cidr", LineKind::network},      {"lt", LineKind::comparison},
    {"lte", LineKind::comparison}, {"gt", LineKind::comparison},     {"gte", LineKind::comparison},
    {"exists", LineKind::exists},  {"minute", LineKind::part},       {"hour", LineKind::part},
    {"day", LineKind::part},       {"week", LineKind::part},         {"month", LineKind::part},
    {"year", LineKind::part},      {"fieldref", LineKind::reference}};

struct Line {
  std::string field;  // "" asks for keywords
  std::vector<std::string> modifiers;
  LineKind kind = LineKind::text;
  const yaml::Node* where = nullptr;

  bool has(std::string_view modifier) const {
    return std::ranges::find(modifiers, modifier) != modifiers.end();
  }
  bool has_one_of(std::initializer_list<std::string_view> names) const {
    return std::ranges::any_of(names, [&](std::string_view name) { return has(name); });
  }
  // Where the first of them stands; behind the last where none does.
  std::size_t place(std::initializer_list<std::string_view> names) const {
    for (std::size_t i = 0; i < modifiers.size(); ++i) {
      if (std::ranges::find(names, modifiers[i]) != names.end()) return i;
    }
    return modifiers.size();
  }
};

std::string without_spaces(std::string_view name) {
  std::string kept(name);
  std::erase(kept, ' ');
  return kept;
}

// ---- What the event has.

// A value that is null is nothing.
std::vector<std::optional<std::string>> values_of(const Event& event, const std::string& field) {
  std::vector<std::optional<std::string>> values;
  for (std::size_t i = 0; i < event.fields.size(); ++i) {
    const Field one = event.fields[i];
    if (without_spaces(one.name) != field) continue;
    if (one.kind == FieldKind::null) {
      values.emplace_back(std::nullopt);
    } else {
      values.emplace_back(one.value);
    }
  }
  if (!values.empty()) return values;
  detect::AttributeBuffer buffer{};
  const auto attribute = detect::attribute_of(event, detect::attribute_named(field), buffer);
  if (!attribute.empty()) values.emplace_back(attribute);
  return values;
}

std::vector<std::string> texts_of(const Event& event, const std::string& field) {
  std::vector<std::string> texts;
  for (const auto& value : values_of(event, field)) {
    if (value) texts.push_back(*value);
  }
  return texts;
}

std::vector<std::string> everything(const Event& event) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < event.fields.size(); ++i) {
    if (event.fields[i].kind != FieldKind::null) texts.emplace_back(event.fields[i].value);
  }
  if (!event.raw.empty()) texts.push_back(event.raw);
  return texts;
}

// ---- Which modifiers may stand together.

bool is_any_of(const std::string& modifier, std::initializer_list<std::string_view> names) {
  return std::ranges::find(names, modifier) != names.end();
}

bool may_stand_together(const std::string& before, const std::string& behind) {
  const LineKind a = kinds.at(before);
  const LineKind b = kinds.at(behind);
  const auto pair = [&](LineKind kind, std::initializer_list<std::string_view> names) {
    return (a == kind && is_any_of(behind, names)) || (b == kind && is_any_of(before, names));
  };
  return a == b || (a == LineKind::part && b == LineKind::comparison) ||
         pair(LineKind::expression, {"expand"}) ||
         pair(LineKind::reference, {"contains", "startswith", "endswith", "cased"});
}

// The kind that the modifiers ask for, or a sentence that names the two that contradict.
Result<LineKind> kind_of(const Line& line) {
  std::vector<std::string> asking;
  for (const std::string& modifier : line.modifiers) {
    if (modifier == "all" || modifier == "neq") continue;
    if (!kinds.contains(modifier)) {
      return refuse(*line.where, "no modifier '" + modifier + "' is known");
    }
    for (const std::string& before : asking) {
      if (may_stand_together(before, modifier)) continue;
      return refuse(*line.where, "'" + before + "' and '" + modifier + "' contradict");
    }
    asking.push_back(modifier);
  }
  for (const std::string& modifier : asking) {
    if (kinds.at(modifier) != LineKind::text) return kinds.at(modifier);
  }
  return LineKind::text;
}

std::string contradiction(const Line& line) {
  const auto times = [&](LineKind kind) {
    return std::ranges::count_if(line.modifiers, [&](const std::string& modifier) {
      return kinds.contains(modifier) && kinds.at(modifier) == kind;
    });
  };
  const auto ends = std::ranges::count_if(line.modifiers, [](const std::string& modifier) {
    return is_any_of(modifier, {"contains", "startswith", "endswith"});
  });
  if (ends > 1) return "only one of 'contains', 'startswith' and 'endswith' may be asked for";
  const std::size_t encoded =
      line.place({"base64", "base64offset", "utf16le", "wide", "utf16be", "utf16"});
  for (std::size_t i = 0; i < line.modifiers.size(); ++i) {
    if (line.modifiers[i] == "windash" && i > encoded) return "'windash' stands before encodings";
    if (line.modifiers[i] == "expand" && i > std::min(encoded, line.place({"windash"}))) {
      return "'expand' stands before 'windash' and encodings";
    }
  }
  if (times(LineKind::comparison) > 1) return "two comparisons contradict";
  if (times(LineKind::part) > 1) return "two parts of a date contradict";
  if (line.place({"i", "m", "s"}) < line.place({"re"})) return "'i', 'm' and 's' stand behind 're'";
  if (line.kind == LineKind::expression && !line.has("re")) return "'i', 'm' and 's' need 're'";
  if (line.kind == LineKind::exists && line.has("neq")) return "'exists' and 'neq' contradict";
  if (line.has("all") && line.kind == LineKind::exists) return "'exists' and 'all' contradict";
  if (line.has("all") && line.kind == LineKind::part)
    return "a part of a date and 'all' contradict";
  if (line.has("all") && line.kind == LineKind::comparison)
    return "comparisons and 'all' contradict";
  for (std::size_t i = line.place({"contains", "startswith", "endswith"});
       i < line.modifiers.size(); ++i) {
    if (is_any_of(line.modifiers[i],
                  {"base64", "base64offset", "utf16le", "wide", "utf16be", "utf16"})) {
      return "nothing may be encoded behind 'contains', 'startswith' or 'endswith'";
    }
  }
  if (line.field.empty() && line.kind != LineKind::text && line.kind != LineKind::expression) {
    return "keywords are texts or expressions";
  }
  return "";
}

// "field|modifier|modifier", of which the field may be missing but not both.
Result<Line> read_name(const yaml::Node& name) {
  Line line;
  const std::vector<std::string_view> parts = split(name.scalar, '|');
  line.where = &name;
  line.field = without_spaces(parts.front());
  line.modifiers.assign(parts.begin() + 1, parts.end());
  if (line.field.empty() && line.modifiers.empty()) return refuse(name, "a field without a name");
  const auto kind = kind_of(line);
  if (!kind) return std::unexpected(kind.error());
  line.kind = *kind;
  const std::string wrong = contradiction(line);
  if (!wrong.empty()) return refuse(name, wrong);
  return line;
}

// ---- What one value of the rule asks of one text.

std::string written(const yaml::Node& value) {
  if (yaml::is_true(value)) return "true";
  if (yaml::is_false(value)) return "false";
  return value.scalar;
}

ValueTest any_of(std::vector<ValueTest> tests) {
  return [tests = std::move(tests)](std::string_view value) {
    return std::ranges::any_of(tests, [&](const ValueTest& test) { return test(value); });
  };
}

Result<std::vector<Text>> modified(const std::string& modifier, const Text& text,
                                   const Placeholders& placeholders) {
  const auto one = [](Result<Text> made) -> Result<std::vector<Text>> {
    if (!made) return std::unexpected(made.error());
    return std::vector<Text>{*std::move(made)};
  };
  if (modifier == "contains") return std::vector<Text>{open_start(open_end(text))};
  if (modifier == "startswith") return std::vector<Text>{open_end(text)};
  if (modifier == "endswith") return std::vector<Text>{open_start(text)};
  if (modifier == "windash") return windash(text);
  if (modifier == "base64") return one(base64(text));
  if (modifier == "base64offset") return base64offset(text);
  if (is_any_of(modifier, {"utf16le", "wide", "utf16be", "utf16"})) {
    return one(utf16(modifier, text));
  }
  if (modifier == "expand") {
    return expand(text, placeholders,
                  [](std::string_view value) { return parse_text(value, false); });
  }
  return std::vector<Text>{text};  // cased, neq, all
}

Result<ValueTest> text_test(const Line& line, const yaml::Node& value,
                            const Placeholders& placeholders) {
  std::vector<Text> texts{parse_text(written(value), line.has("expand"))};
  for (const std::string& modifier : line.modifiers) {
    std::vector<Text> changed;
    for (const Text& text : texts) {
      const auto made = modified(modifier, text, placeholders);
      if (!made) return refuse(value, made.error().what);
      changed.insert(changed.end(), made->begin(), made->end());
    }
    texts = std::move(changed);
  }
  const bool anywhere =
      line.field.empty() && !line.has_one_of({"contains", "startswith", "endswith"});
  std::vector<ValueTest> tests;
  for (Text& text : texts) {
    if (anywhere) text = open_start(open_end(text));
    tests.emplace_back([text, cased = line.has("cased")](std::string_view value_of_event) {
      return matches(text, characters(value_of_event), cased);
    });
  }
  return any_of(std::move(tests));
}

Result<ValueTest> expression_test(const Line& line, const yaml::Node& value,
                                  const Placeholders& placeholders) {
  std::vector<Text> texts{parse_expression(written(value), line.has("expand"))};
  if (line.has("expand")) {
    auto expanded = expand(texts.front(), placeholders,
                           [](std::string_view part) { return parse_expression(part, false); });
    if (!expanded) return refuse(value, expanded.error().what);
    texts = *std::move(expanded);
  }
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(8 << 20);
  options.set_case_sensitive(!line.has("i"));
  options.set_dot_nl(line.has("s"));
  std::vector<ValueTest> tests;
  for (const Text& text : texts) {
    const std::string expression = (line.has("m") ? "(?m)" : "") + bytes_of(text);
    const auto compiled = std::make_shared<RE2>(expression, options);
    if (!compiled->ok()) return refuse(value, "no expression: " + compiled->error());
    tests.emplace_back([compiled](std::string_view value_of_event) {
      return RE2::PartialMatch(re2::StringPiece(value_of_event.data(), value_of_event.size()),
                               *compiled);
    });
  }
  return any_of(std::move(tests));
}

// A number is written plain: what stands in quotes is a text.
std::optional<Number> plain_number(const yaml::Node& value) {
  return value.quoted ? std::nullopt : number_of(value.scalar);
}

bool compares(const Line& line, const Number& a, const Number& b) {
  if (line.has("lt")) return a < b;
  if (line.has("lte")) return a <= b;
  if (line.has("gt")) return a > b;
  if (line.has("gte")) return a >= b;
  return a == b;
}

// Equality, comparisons, and parts of dates, which are compared as numbers.
Result<ValueTest> number_test(const Line& line, const yaml::Node& value) {
  const auto asked = plain_number(value);
  if (!asked) return refuse(value, "'" + value.scalar + "' is no number");
  return [line, number = *asked](std::string_view value_of_event) {
    if (line.kind != LineKind::part) {
      const auto told = number_of(value_of_event);
      return told && compares(line, *told, number);
    }
    const std::string& part =
        line.modifiers[line.place({"minute", "hour", "day", "week", "month", "year"})];
    const auto told = part_of_date(part, value_of_event);
    return told && compares(line, *told, number);
  };
}

Result<ValueTest> network_test(const yaml::Node& value) {
  const auto network = network_of(value.scalar);
  if (!network) return refuse(value, network.error().what);
  return [network = *network](std::string_view value_of_event) {
    return stands_in(network, value_of_event);
  };
}

Result<ValueTest> value_test(const Line& line, const yaml::Node& value,
                             const Placeholders& placeholders) {
  if (line.kind == LineKind::expression) return expression_test(line, value, placeholders);
  if (line.kind == LineKind::network) return network_test(value);
  if (line.kind == LineKind::comparison || line.kind == LineKind::part)
    return number_test(line, value);
  const bool as_text =
      line.field.empty() || std::ranges::any_of(line.modifiers, [](const std::string& modifier) {
        return modifier != "all" && modifier != "neq";
      });
  if (!as_text && plain_number(value)) return number_test(line, value);
  return text_test(line, value, placeholders);
}

// ---- What one value of the rule asks of an event.

Result<Test> reference_test(const Line& line, const yaml::Node& value) {
  const Text name = parse_text(written(value), false);
  if (has_wildcard(name)) return refuse(value, "fieldref takes no wildcards");
  return [line, other = without_spaces(bytes_of(name))](const Event& event) {
    for (const std::string& looked_for : texts_of(event, other)) {
      Text text = parse_expression(looked_for, false);
      if (line.has_one_of({"contains", "startswith"})) text = open_end(text);
      if (line.has_one_of({"contains", "endswith"})) text = open_start(text);
      for (const std::string& one : texts_of(event, line.field)) {
        if (matches(text, characters(one), line.has("cased"))) return true;
      }
    }
    return false;
  };
}

Result<Test> one_test(const Line& line, const yaml::Node& value, const Placeholders& placeholders) {
  if (!value.is_scalar()) return refuse(value, "expected a text, a number or a truth");
  if (line.kind == LineKind::reference) return reference_test(line, value);
  auto test = value_test(line, value, placeholders);
  if (!test) return std::unexpected(test.error());
  return [field = line.field, test = *std::move(test)](const Event& event) {
    return std::ranges::any_of(field.empty() ? everything(event) : texts_of(event, field), test);
  };
}

Test negated(bool negate, Test test) {
  if (!negate) return test;
  return [test = std::move(test)](const Event& event) { return !test(event); };
}

Result<Test> null_test(const Line& line) {
  for (const std::string& modifier : line.modifiers) {
    if (modifier != "neq") return refuse(*line.where, "'" + modifier + "' takes no null");
  }
  return negated(line.has("neq"), [field = line.field](const Event& event) {
    return texts_of(event, field).empty();
  });
}

Result<Test> exists_test(const Line& line, const yaml::Node& value) {
  const bool wanted = yaml::is_true(value);
  if (!wanted && !yaml::is_false(value)) return refuse(value, "'exists' takes true or false");
  return [field = line.field, wanted](const Event& event) {
    return !values_of(event, field).empty() == wanted;
  };
}

Test joined(bool all, std::vector<Test> tests) {
  return [all, tests = std::move(tests)](const Event& event) {
    const auto holds = [&](const Test& test) { return test(event); };
    return all ? std::ranges::all_of(tests, holds) : std::ranges::any_of(tests, holds);
  };
}

Result<Test> read_values(const Line& line, const yaml::Node& value,
                         const Placeholders& placeholders) {
  if (value.is_map()) return refuse(value, "expected a value or a list of values, not a map");
  if (line.kind == LineKind::exists) return exists_test(line, value);
  if (value.is_null() && !line.field.empty()) return null_test(line);
  const std::vector<yaml::Node> values =
      value.is_sequence() ? value.items : std::vector<yaml::Node>{value};
  if (values.empty()) return refuse(value, "an empty list");
  if (line.has("all") && values.size() == 1) return refuse(value, "'all' needs several values");
  std::vector<Test> tests;
  for (const yaml::Node& one : values) {
    auto test = one_test(line, one, placeholders);
    if (!test) return std::unexpected(test.error());
    tests.push_back(*std::move(test));
  }
  return negated(line.has("neq"), joined(line.has("all"), std::move(tests)));
}

Result<Test> read_map(const yaml::Node& map, const Placeholders& placeholders) {
  if (map.entries.empty()) return refuse(map, "an empty map");
  std::vector<Test> tests;
  for (const auto& [name, value] : map.entries) {
    const auto line = read_name(name);
    if (!line) return std::unexpected(line.error());
    auto test = read_values(*line, value, placeholders);
    if (!test) return std::unexpected(test.error());
    tests.push_back(*std::move(test));
  }
  return joined(true, std::move(tests));
}

}  // namespace

std::unexpected<Error> refuse(const yaml::Node& where, const std::string& what) {
  return fail(Code::invalid, where.where() + ": " + what);
}

Result<Test> read_selection(const yaml::Node& selection, const Placeholders& placeholders) {
  if (selection.is_map()) return read_map(selection, placeholders);
  if (selection.is_scalar()) return one_test({}, selection, placeholders);  // a single keyword
  if (!selection.is_sequence()) return refuse(selection, "a selection is a map or a list");
  if (selection.items.empty()) return refuse(selection, "an empty list");
  std::vector<Test> tests;
  for (const yaml::Node& item : selection.items) {
    auto test = item.is_map() ? read_map(item, placeholders) : one_test({}, item, placeholders);
    if (!test) return std::unexpected(test.error());
    tests.push_back(*std::move(test));
  }
  return joined(false, std::move(tests));
}

}  // namespace mailwarden::oracle
