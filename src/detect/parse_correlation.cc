#include <algorithm>
#include <array>

#include "base/text.h"
#include "detect/amount.h"
#include "detect/parse_rule.h"

namespace mailwarden::detect {
namespace {

using yaml::Node;
using Type = Correlation::Type;

constexpr std::array<std::string_view, 7> type_names{"event_count",      "value_count", "temporal",
                                                     "temporal_ordered", "value_sum",   "value_avg",
                                                     "value_percentile"};

constexpr std::array<std::string_view, 7> member_names{
    "type", "rules", "group-by", "timespan", "condition", "aliases", "generate"};

bool takes_field(Type type) {
  return type == Type::value_count || type == Type::value_sum || type == Type::value_avg ||
         type == Type::value_percentile;
}

bool counts_whole(Type type) {
  return type == Type::event_count || type == Type::value_count || type == Type::temporal;
}

// What the type measures only grows within a span of time, so that "too few" is not known before
// the span is over.
bool grows(Type type) {
  return counts_whole(type) || type == Type::value_sum;
}

// The first name that the list has before it.
const std::string* first_doubled(const std::vector<std::string>& names) {
  for (auto name = names.begin(); name != names.end(); ++name) {
    if (std::find(names.begin(), name, *name) != name) return &*name;
  }
  return nullptr;
}

}  // namespace

std::string_view to_string(Type type) {
  return type_names[static_cast<std::size_t>(type)];
}

Correlation DocumentReader::read_correlation(const Node& own) {
  Correlation correlation{.header = header_};
  if (!own.is_map()) {
    mistakes_.add(own, "'correlation' is a map");
    return correlation;
  }
  for (const auto& [name, value] : own.entries) {
    if (std::ranges::find(member_names, name.scalar) == member_names.end()) {
      mistakes_.add(name, "'" + name.scalar + "' is not a part of a correlation");
    }
  }
  read_type(own, correlation);
  // What follows from the type makes no sense where it is not known.
  if (mistakes_.any()) return correlation;
  read_rules(own, correlation);
  read_group_by(own, correlation);
  read_timespan(own, correlation);
  read_aliases(own, correlation);
  read_generate(own, correlation);
  read_generate(document_, correlation);
  read_condition(own, correlation);
  return correlation;
}

void DocumentReader::read_type(const Node& own, Correlation& correlation) {
  const std::string type = text(own, "type");
  const auto known = std::ranges::find(type_names, type);
  if (known != type_names.end()) {
    correlation.type = static_cast<Type>(known - type_names.begin());
    return;
  }
  const Node* node = own.find("type");
  mistakes_.add(node == nullptr ? own : *node,
                "the correlation type '" + type +
                    "' is none of event_count, value_count, temporal, temporal_ordered, "
                    "value_sum, value_avg, value_percentile");
}

void DocumentReader::read_rules(const Node& own, Correlation& correlation) {
  correlation.rules = texts(own, "rules");
  if (correlation.rules.empty()) mistakes_.add(own, "a correlation must name its 'rules'");
  if (const std::string* doubled = first_doubled(correlation.rules)) {
    mistakes_.add(*own.find("rules"), "'rules' names '" + *doubled + "' twice");
  }
  const bool temporal =
      correlation.type == Type::temporal || correlation.type == Type::temporal_ordered;
  if (temporal && correlation.rules.size() < 2) {
    mistakes_.add(own,
                  "'" + std::string(to_string(correlation.type)) + "' needs at least two rules");
  }
}

void DocumentReader::read_group_by(const Node& own, Correlation& correlation) {
  correlation.group_by = texts(own, "group-by");
  if (const std::string* doubled = first_doubled(correlation.group_by)) {
    mistakes_.add(*own.find("group-by"), "'group-by' names '" + *doubled + "' twice");
  }
  for (const std::string& name : correlation.group_by) {
    if (name.empty()) mistakes_.add(*own.find("group-by"), "'group-by' has a field without a name");
  }
}

void DocumentReader::read_timespan(const Node& own, Correlation& correlation) {
  const Node* span = own.find("timespan");
  const std::string_view written = span == nullptr ? "" : std::string_view(span->scalar);
  const auto timespan = parse_duration(written);
  const bool unit = !written.empty() && std::string_view("smhd").contains(written.back());
  if (timespan && *timespan > Duration(0) && unit) {
    correlation.timespan = *timespan;
  } else {
    mistakes_.add(span == nullptr ? own : *span,
                  "a correlation must have a 'timespan' like 90s, 5m, 1h or 7d");
  }
}

void DocumentReader::read_generate(const Node& own, Correlation& correlation) {
  const Node* generate = own.find("generate");
  if (generate == nullptr) return;
  if (yaml::is_true(*generate)) {
    correlation.generate = true;
  } else if (!yaml::is_false(*generate)) {
    mistakes_.add(*generate, "'generate' is true or false");
  }
}

void DocumentReader::read_aliases(const Node& own, Correlation& correlation) {
  const Node* aliases = own.find("aliases");
  if (aliases == nullptr || aliases->is_null()) return;
  if (!aliases->is_map()) return mistakes_.add(*aliases, "'aliases' is a map of maps");
  for (const auto& [alias, rules] : aliases->entries) {
    if (!rules.is_map() || rules.entries.empty()) {
      mistakes_.add(alias, "the alias '" + alias.scalar + "' is a map of rules to their fields");
      continue;
    }
    for (const auto& [rule, field] : rules.entries) {
      if (!field.is_scalar() || field.scalar.empty()) {
        mistakes_.add(rule,
                      "the alias '" + alias.scalar + "' names no field for '" + rule.scalar + "'");
      }
      correlation.aliases[alias.scalar][rule.scalar] = field.scalar;
    }
  }
}

void DocumentReader::read_condition(const Node& own, Correlation& correlation) {
  const Node* condition = own.find("condition");
  const std::string type(to_string(correlation.type));
  if (correlation.type == Type::temporal_ordered) {
    if (condition != nullptr) {
      mistakes_.add(*condition,
                    "'temporal_ordered' needs all its rules in their order and takes no condition");
    }
    return;
  }
  if (condition == nullptr && correlation.type == Type::temporal) {
    correlation.at_least = {static_cast<std::int64_t>(correlation.rules.size()) * amount_unit};
    return;
  }
  if (condition != nullptr && condition->is_scalar()) {
    return mistakes_.add(*condition, "a condition over names of rules is no part of Sigma 2.1.0");
  }
  if (condition == nullptr || !condition->is_map() || condition->entries.empty()) {
    return mistakes_.add(condition == nullptr ? own : *condition,
                         "'" + type + "' needs a condition like {" +
                             (takes_field(correlation.type) ? "field: NAME, " : "") + "gte: 5}");
  }
  for (const auto& [compare, bound] : condition->entries) {
    if (compare.scalar == "field" || compare.scalar == "percentile") continue;
    read_bound(compare, bound, correlation);
  }
  read_field(*condition, correlation);
  read_percentile(*condition, correlation);
  if (!mistakes_.any()) check_bounds(*condition, correlation);
}

void DocumentReader::read_bound(const Node& compare, const Node& bound, Correlation& correlation) {
  const std::string& name = compare.scalar;
  const bool both = name == "eq" || name == "neq";
  const bool lower = name == "gt" || name == "gte";
  if (!both && !lower && name != "lt" && name != "lte") {
    return mistakes_.add(compare, "'" + name + "' is none of gt, gte, lt, lte, eq, neq" +
                                      (takes_field(correlation.type) ? ", field" : ""));
  }
  const auto number = bound.quoted ? std::nullopt : exact_amount_of(bound.scalar);
  const bool whole = counts_whole(correlation.type);
  if (!number || (whole && (*number < 0 || *number % amount_unit != 0))) {
    return mistakes_.add(bound, "'" + bound.scalar + "' is not a " +
                                    (whole ? "count" : "number of at most six decimals"));
  }
  if ((both && (correlation.at_least || correlation.at_most)) ||
      (lower ? correlation.at_least : correlation.at_most)) {
    return mistakes_.add(compare, "'" + name + "' and what stands before it make no range");
  }
  const bool open = name == "gt" || name == "lt" || name == "neq";
  if (both || lower) correlation.at_least = {*number, open};
  if (both || !lower) correlation.at_most = {*number, open};
  if (name == "neq") correlation.differs = true;
}

void DocumentReader::read_field(const Node& condition, Correlation& correlation) {
  const Node* field = condition.find("field");
  const std::string type(to_string(correlation.type));
  if (!takes_field(correlation.type)) {
    if (field != nullptr) mistakes_.add(*field, "'" + type + "' takes no 'field'");
    return;
  }
  correlation.fields = texts(condition, "field");
  const bool nameless = std::ranges::any_of(correlation.fields, &std::string::empty);
  if (correlation.fields.empty() || nameless) {
    mistakes_.add(field == nullptr ? condition : *field,
                  "the condition of '" + type + "' must name its 'field'");
  } else if (correlation.fields.size() > 1 && correlation.type != Type::value_count) {
    mistakes_.add(*field, "'" + type + "' takes one 'field'");
  } else if (const std::string* doubled = first_doubled(correlation.fields)) {
    mistakes_.add(*field, "'field' names '" + *doubled + "' twice");
  }
}

void DocumentReader::read_percentile(const Node& condition, Correlation& correlation) {
  const Node* percentile = condition.find("percentile");
  if (percentile == nullptr) return;
  if (correlation.type != Type::value_percentile) {
    return mistakes_.add(
        *percentile, "'" + std::string(to_string(correlation.type)) + "' takes no 'percentile'");
  }
  const auto number = exact_amount_of(percentile->scalar);
  if (!number || *number <= 0 || *number > 100 * amount_unit) {
    return mistakes_.add(*percentile,
                         "'" + percentile->scalar + "' is not a percentile over 0 and up to 100");
  }
  correlation.percentile = *number;
}

void DocumentReader::check_bounds(const Node& condition, const Correlation& correlation) {
  const auto& [low, high] = std::tie(correlation.at_least, correlation.at_most);
  if (!low && !high) return mistakes_.add(condition, "the condition compares with nothing");
  // Between any two numbers lies an average.
  const bool dense = correlation.type == Type::value_avg;
  const std::int64_t step = counts_whole(correlation.type) ? amount_unit : dense ? 0 : 1;
  const std::int64_t first = low ? low->millionths + (low->open ? step : 0) : 0;
  const std::int64_t last = high ? high->millionths - (high->open ? step : 0) : 0;
  if (grows(correlation.type) && (!low || correlation.differs)) {
    return mistakes_.add(condition, "too little cannot be told before the time is over; '" +
                                        std::string(to_string(correlation.type)) +
                                        "' takes gt, gte, eq or a range");
  }
  if (counts_whole(correlation.type) && first < amount_unit) {
    return mistakes_.add(condition, "the condition holds before anything has happened");
  }
  const bool point = dense && first == last && low && high && (low->open || high->open);
  if (low && high && !correlation.differs && (last < first || point)) {
    return mistakes_.add(condition, "nothing is in this range");
  }
  const auto rules = static_cast<std::int64_t>(correlation.rules.size()) * amount_unit;
  if (correlation.type == Type::temporal && first > rules) {
    mistakes_.add(condition, "'temporal' counts the rules that occur, and there are only " +
                                 std::to_string(correlation.rules.size()));
  }
}

}  // namespace mailwarden::detect
