#include "detect/parse_rule.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/text.h"

namespace mailwarden::detect {

using yaml::Node;

void DocumentReader::read(RuleTexts& into) {
  header_.line = document_.line;
  header_.order = into.documents++;
  if (!document_.is_map()) {
    mistakes_.add(document_, "a rule is a map with 'title' and 'detection'");
  } else {
    read_header();
    const Node* correlation = document_.find("correlation");
    const Node* filter = document_.find("filter");
    if (document_.find("action") != nullptr) {
      mistakes_.add(document_, "'action' belongs to an older Sigma; write each rule out");
    } else if (correlation != nullptr) {
      Correlation read = read_correlation(*correlation);
      if (!mistakes_.any()) into.correlations.push_back(std::move(read));
    } else if (filter != nullptr) {
      Filter read = read_filter(*filter);
      if (!mistakes_.any()) into.filters.push_back(std::move(read));
    } else {
      Rule read = read_rule();
      if (!mistakes_.any()) into.rules.push_back(std::move(read));
    }
  }
  if (!mistakes_.any()) return;
  into.refused.push_back({.file = header_.file,
                          .line = mistakes_.line(),
                          .id = header_.id,
                          .reason = mistakes_.reason()});
}

std::string DocumentReader::text(const Node& node, const char* name) {
  const Node* found = node.find(name);
  if (found == nullptr || found->is_null()) return {};
  if (!found->is_scalar()) mistakes_.add(*found, std::string("'") + name + "' must be a text");
  return found->scalar;
}

std::vector<std::string> DocumentReader::texts(const Node& node, const char* name) {
  std::vector<std::string> found;
  const Node* list = node.find(name);
  if (list == nullptr || list->is_null()) return found;
  if (list->is_scalar()) return {list->scalar};
  if (!list->is_sequence()) {
    mistakes_.add(*list, std::string("'") + name + "' must be a list");
    return found;
  }
  for (const Node& item : list->items) {
    if (!item.is_scalar()) mistakes_.add(item, std::string("'") + name + "' is a list of texts");
    found.push_back(item.scalar);
  }
  return found;
}

void DocumentReader::read_header() {
  header_.title = text(document_, "title");
  if (header_.title.empty()) mistakes_.add(document_, "a rule must have a 'title'");
  header_.name = text(document_, "name");
  header_.id = text(document_, "id");
  if (header_.id.empty()) header_.id = header_.name;
  if (header_.id.empty()) {
    header_.id = std::filesystem::path(header_.file).stem().string();
    // One of several in a file is told from the others by its line.
    if (header_.order > 0) header_.id += ":" + std::to_string(header_.line);
  }
  header_.tags = texts(document_, "tags");
  read_level();
  if (const Node* own = document_.find("mailwarden"); own != nullptr) read_own(*own);
}

void DocumentReader::read_level() {
  const Node* level = document_.find("level");
  if (level == nullptr) return;
  if (const auto known = parse_level(level->scalar)) {
    header_.level = *known;
  } else {
    mistakes_.add(*level, "the level '" + level->scalar +
                              "' is none of informational, low, medium, high, critical");
  }
}

void DocumentReader::read_own(const Node& own) {
  if (!own.is_map()) return mistakes_.add(own, "'mailwarden' is a map of 'entity' and 'facts'");
  for (const auto& [name, value] : own.entries) {
    if (name.scalar == "entity" && value.is_scalar()) {
      header_.entity = value.scalar;
    } else if (name.scalar == "facts" && value.is_map()) {
      for (const auto& [fact, worth] : value.entries) read_fact(fact, worth);
    } else if (name.scalar == "access" && value.is_map()) {
      read_access(value);
    } else {
      mistakes_.add(name,
                    "'mailwarden' takes 'entity', a name, 'facts', a map, and 'access', a map");
    }
  }
}

void DocumentReader::read_fact(const Node& name, const Node& worth) {
  const auto number = to_integer(worth.scalar);
  if (yaml::is_true(worth)) {
    header_.facts[name.scalar] = 1;
  } else if (number && *number >= 0) {
    header_.facts[name.scalar] = *number;
  } else {
    mistakes_.add(worth, "a fact is true or a number that is not negative");
  }
}

void DocumentReader::read_access(const Node& access) {
  AccessClause clause;
  const std::array<std::pair<std::string_view, std::string*>, 4> parts{
      {{"person", &clause.person},
       {"service", &clause.service},
       {"action", &clause.action},
       {"system", &clause.system}}};
  for (const auto& [name, value] : access.entries) {
    const auto part = std::ranges::find(parts, std::string_view(name.scalar),
                                        &std::pair<std::string_view, std::string*>::first);
    if (part == parts.end() || !value.is_scalar() || value.scalar.empty()) {
      mistakes_.add(name, "'access' takes 'person' or 'service', 'action' and 'system', texts");
    } else {
      *part->second = value.scalar;
    }
  }
  if (clause.person.empty() == clause.service.empty()) {
    mistakes_.add(access, "'access' names either a 'person' or a 'service'");
  }
  if (clause.action.empty() || clause.system.empty()) {
    mistakes_.add(access, "'access' names an 'action' and a 'system'");
  }
  header_.access = std::move(clause);
}

Logsource DocumentReader::read_logsource(bool mandatory) {
  Logsource source;
  const Node* found = document_.find("logsource");
  if (found == nullptr && !mandatory) return source;
  if (found == nullptr || !found->is_map()) {
    mistakes_.add(document_, "a rule must have a 'logsource', which is a map");
    return source;
  }
  source.product = to_lower(text(*found, "product"));
  source.category = to_lower(text(*found, "category"));
  source.service = to_lower(text(*found, "service"));
  if (mandatory && source == Logsource()) {
    mistakes_.add(*found, "'logsource' names neither product, category nor service");
  }
  return source;
}

Rule DocumentReader::read_rule() {
  Rule rule{.header = header_, .logsource = read_logsource(true)};
  const Node* detection = document_.find("detection");
  if (detection == nullptr || !detection->is_map()) {
    mistakes_.add(document_, "a rule must have a 'detection', which is a map");
    return rule;
  }
  if (const Node* timeframe = detection->find("timeframe"); timeframe != nullptr) {
    mistakes_.add(*timeframe, "'timeframe' belongs to an older Sigma; write a correlation");
  }
  rule.selections = parse_selections(*detection, {"condition", "timeframe"}, mistakes_);
  const Node* condition = detection->find("condition");
  if (condition == nullptr || condition->is_null()) {
    mistakes_.add(*detection, "'detection' must have a 'condition'");
  } else {
    rule.condition = parse_conditions(*condition, rule.selections, limits_.depth_max, mistakes_);
  }
  return rule;
}

Filter DocumentReader::read_filter(const Node& own) {
  Filter filter{.header = header_, .logsource = read_logsource(false)};
  if (!own.is_map()) {
    mistakes_.add(own, "'filter' is a map of 'rules', selections and a 'condition'");
    return filter;
  }
  filter.rules = texts(own, "rules");
  if (filter.rules.empty()) mistakes_.add(own, "a filter must name its 'rules'");
  filter.any_rule = filter.rules.size() == 1 && equal_ignoring_case(filter.rules.front(), "any");
  filter.selections = parse_selections(own, {"condition", "rules"}, mistakes_);
  const Node* condition = own.find("condition");
  if (condition == nullptr || condition->is_null()) {
    mistakes_.add(own, "a filter must have a 'condition'");
  } else {
    filter.condition =
        parse_conditions(*condition, filter.selections, limits_.depth_max, mistakes_);
  }
  return filter;
}

}  // namespace mailwarden::detect
