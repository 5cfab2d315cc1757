#include "base/text.h"
#include "detect/parse_rule.h"

namespace mailwarden::detect {
namespace {

using yaml::Node;

}  // namespace

Correlation DocumentReader::read_correlation(const Node& own) {
  Correlation correlation{.header = header_};
  if (!own.is_map()) {
    mistakes_.add(own, "'correlation' is a map");
    return correlation;
  }
  const std::string type = text(own, "type");
  if (type == "temporal_ordered") {
    correlation.type = Correlation::Type::temporal_ordered;
  } else if (type != "event_count") {
    mistakes_.add(own, "the correlation type '" + type +
                           "' is not supported by this version (event_count and "
                           "temporal_ordered are)");
  }
  correlation.rules = texts(own, "rules");
  if (correlation.rules.empty()) mistakes_.add(own, "a correlation must name its 'rules'");
  correlation.group_by = texts(own, "group-by");
  correlation.generate = own.find("generate") != nullptr && yaml::is_true(*own.find("generate"));
  const Node* span = own.find("timespan");
  const auto timespan = parse_duration(span == nullptr ? "" : span->scalar);
  if (timespan && *timespan > Duration(0)) {
    correlation.timespan = *timespan;
  } else {
    mistakes_.add(span == nullptr ? own : *span, "a correlation must have a 'timespan' like 5m");
  }
  read_aliases(own, correlation);
  read_count(own, correlation);
  return correlation;
}

void DocumentReader::read_aliases(const Node& own, Correlation& correlation) {
  const Node* aliases = own.find("aliases");
  if (aliases == nullptr) return;
  for (const auto& [alias, rules] : aliases->entries) {
    for (const auto& [rule, field] : rules.entries) {
      correlation.aliases[alias.scalar][rule.scalar] = field.scalar;
    }
  }
}

void DocumentReader::read_count(const Node& own, Correlation& correlation) {
  const Node* condition = own.find("condition");
  if (correlation.type == Correlation::Type::temporal_ordered) {
    if (correlation.rules.size() < 2) {
      mistakes_.add(own, "'temporal_ordered' needs at least two rules");
    }
    if (condition != nullptr) {
      mistakes_.add(*condition, "a condition of 'temporal_ordered' is not supported");
    }
    return;
  }
  if (condition == nullptr || !condition->is_map() || condition->entries.empty()) {
    return mistakes_.add(own, "'event_count' needs a condition like {gte: 5}");
  }
  bool has_least = false;
  for (const auto& [compare, bound] : condition->entries) {
    const auto number = to_integer(bound.scalar);
    if (!number || *number < 0) {
      mistakes_.add(bound, "'" + bound.scalar + "' is not a count");
    } else if (compare.scalar == "gte" || compare.scalar == "eq" || compare.scalar == "gt") {
      correlation.at_least = *number + (compare.scalar == "gt" ? 1 : 0);
      has_least = true;
    } else if (compare.scalar == "lt" || compare.scalar == "lte") {
      correlation.at_most = *number - (compare.scalar == "lt" ? 1 : 0);
    } else {
      mistakes_.add(compare, "'" + compare.scalar + "' is none of gt, gte, eq, lt, lte");
    }
  }
  if (!has_least || correlation.at_least < 1) {
    mistakes_.add(*condition,
                  "too few events cannot be told before the time is over, which is "
                  "not supported by this version; use gt, gte or eq");
  } else if (correlation.at_most && *correlation.at_most < correlation.at_least) {
    mistakes_.add(*condition, "no count is in this range");
  }
}

}  // namespace mailwarden::detect
