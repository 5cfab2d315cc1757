#include "alert/route_terms.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/text.h"

namespace mailwarden::alert {
namespace {

using yaml::Node;

constexpr std::array entity_kinds{"address", "account", "host", "resource"};
constexpr Duration shortest_interval = std::chrono::seconds(1);

LabelMatchers read_matchers(yaml::Reader& reader, const Node& map, std::string_view name) {
  LabelMatchers matchers;
  const std::vector<std::string> texts = reader.texts(map, name);
  if (texts.size() > TermLimits::matchers_max) {
    reader.mistake(map, "more than " + std::to_string(TermLimits::matchers_max) + " matchers");
    return matchers;
  }
  for (const std::string& text : texts) {
    auto matcher = LabelMatcher::parse(text);
    if (matcher) {
      matchers.push_back(*std::move(matcher));
    } else {
      reader.mistake(*map.find(name), matcher.error().what);
    }
  }
  return matchers;
}

std::vector<std::string> read_names(yaml::Reader& reader, const Node& map, std::string_view name) {
  std::vector<std::string> names = reader.texts_if_any(map, name);
  if (names.size() > TermLimits::labels_max) {
    reader.mistake(map, "more than " + std::to_string(TermLimits::labels_max) + " labels");
  }
  for (const std::string& label : names) {
    if (!is_label_name(label)) {
      reader.mistake(*map.find(name), "'" + printable(label) + "' is no name of a label");
    }
  }
  return names;
}

// A wait may be none at all.
Duration read_wait(yaml::Reader& reader, const Node& map, Duration usual) {
  const Node* const node = map.find("wait");
  if (node != nullptr && parse_duration(node->scalar) == Result<Duration>(Duration(0))) {
    return Duration(0);
  }
  return reader.duration(map, "wait", usual);
}

Grouping read_grouping(yaml::Reader& reader, const Node& route) {
  Grouping grouping;
  grouping.by = read_names(reader, route, "group_by");
  grouping.wait = read_wait(reader, route, grouping.wait);
  grouping.interval = reader.duration(route, "interval", grouping.interval);
  grouping.repeat = reader.duration(route, "repeat", grouping.repeat);
  if (grouping.interval < shortest_interval || grouping.repeat < shortest_interval) {
    reader.mistake(route, "'interval' and 'repeat' must be at least 1s");
  }
  return grouping;
}

Hours read_hours(yaml::Reader& reader, const Node& node) {
  Hours hours;
  if (!reader.is_map(node, "'times'", {"zone", "days", "from", "until"})) return hours;
  const std::string zone = reader.text(node, "zone");
  if (auto made = zone.empty() ? Result<ingest::Zone>() : ingest::Zone::make(zone); made) {
    hours.zone = *std::move(made);
  } else {
    reader.mistake(*node.find("zone"), made.error().what);
  }
  hours.open = joined(read_window(reader, node));
  return hours;
}

Inhibition read_inhibition(yaml::Reader& reader, const Node& node) {
  Inhibition one;
  if (!reader.is_map(node, "an inhibition", {"source", "target", "equal"})) return one;
  one.source = read_matchers(reader, node, "source");
  one.target = read_matchers(reader, node, "target");
  one.equal = read_names(reader, node, "equal");
  return one;
}

detect::Level read_level(yaml::Reader& reader, const Node& node) {
  const std::string text = reader.text(node, "level", "high");
  if (const auto level = detect::parse_level(text)) return *level;
  reader.mistake(*node.find("level"),
                 "'" + printable(text) + "' is none of informational, low, medium, high, critical");
  return detect::Level::high;
}

std::map<std::string, std::string> read_facts(yaml::Reader& reader, const Node& node) {
  std::map<std::string, std::string> facts;
  const Node* const map = node.find("facts");
  if (map == nullptr) return facts;
  if (!map->is_map()) {
    reader.mistake(*map, "'facts' must be a map");
    return facts;
  }
  for (const auto& [name, worth] : map->entries) facts[name.scalar] = worth.scalar;
  return facts;
}

SignalIncident read_incident(yaml::Reader& reader, const Node& node) {
  SignalIncident one{.where = reader.file() + ", " + node.where()};
  if (!reader.is_map(node, "a signal's incident",
                     {"signals", "name", "title", "level", "entity", "entity_kind", "facts"})) {
    return one;
  }
  one.signals = read_matchers(reader, node, "signals");
  one.name = reader.text(node, "name");
  one.title = reader.text(node, "title");
  one.level = read_level(reader, node);
  one.entity = reader.text(node, "entity", "");
  one.entity_kind = reader.text(node, "entity_kind", one.entity.empty() ? "" : "host");
  if (!one.entity.empty() && !is_label_name(one.entity)) {
    reader.mistake(*node.find("entity"), "'" + printable(one.entity) + "' is no name of a label");
  }
  if (!one.entity_kind.empty() &&
      std::ranges::find(entity_kinds, one.entity_kind) == entity_kinds.end()) {
    reader.mistake(*node.find("entity_kind"), "'" + printable(one.entity_kind) +
                                                  "' is none of address, account, host, resource");
  }
  one.facts = read_facts(reader, node);
  return one;
}

// Each item of a list that may be there.
template <class Read>
void each(yaml::Reader& reader, const Node& file, std::string_view name, Read read) {
  const Node* const list = file.find(name) == nullptr ? nullptr : reader.sequence(file, name);
  if (list == nullptr) return;
  if (list->items.size() > TermLimits::rules_max) {
    return reader.mistake(*list, "more than " + std::to_string(TermLimits::rules_max) + " items");
  }
  for (const Node& item : list->items) read(item);
}

}  // namespace

RouteTerms read_terms(yaml::Reader& reader, const Node& route) {
  RouteTerms terms;
  terms.takes_signals = route.find("signals") != nullptr;
  if (terms.takes_signals) terms.signals = read_matchers(reader, route, "signals");
  const bool gathers =
      terms.takes_signals ||
      std::ranges::any_of(std::array{"group_by", "wait", "interval", "repeat"},
                          [&](const char* name) { return route.find(name) != nullptr; });
  if (gathers) terms.grouping = read_grouping(reader, route);
  if (const Node* const times = route.find("times"); times != nullptr) {
    terms.hours = read_hours(reader, *times);
  }
  return terms;
}

FileTerms read_file_terms(yaml::Reader& reader, const Node& file) {
  FileTerms terms;
  each(reader, file, "inhibit",
       [&](const Node& node) { terms.inhibitions.push_back(read_inhibition(reader, node)); });
  std::set<std::string> names;
  each(reader, file, "incidents", [&](const Node& node) {
    terms.incidents.push_back(read_incident(reader, node));
    const std::string& name = terms.incidents.back().name;
    if (!name.empty() && !names.insert(name).second) {
      reader.mistake(node, "'" + printable(name) + "' stands here already");
    }
  });
  const Node* const storm = file.find("storm");
  if (storm != nullptr && reader.is_map(*storm, "'storm'", {"notices", "per"})) {
    terms.storm.notices = reader.integer(*storm, "notices", 1, TermLimits::notices_max, 0);
    if (storm->find("notices") == nullptr) reader.mistake(*storm, "'notices' must be a number");
    terms.storm.per = reader.duration(*storm, "per", terms.storm.per);
  }
  return terms;
}

std::string with_labels(std::string_view text, const Labels& labels) {
  std::string filled;
  while (true) {
    const std::size_t begin = text.find("${");
    const std::size_t end = begin == std::string_view::npos ? begin : text.find('}', begin);
    if (end == std::string_view::npos) return filled.append(text);
    filled.append(text.substr(0, begin));
    filled.append(value_of(labels, text.substr(begin + 2, end - begin - 2)));
    text.remove_prefix(end + 1);
  }
}

}  // namespace mailwarden::alert
