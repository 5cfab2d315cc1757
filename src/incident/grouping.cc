#include "incident/grouping.h"

#include <algorithm>
#include <array>
#include <span>

#include "base/text.h"
#include "json/yaml_reader.h"

namespace mailwarden::incident {
namespace {

using yaml::Node;

constexpr std::array<std::string_view, 6> entity_kind_names{"address",  "account",  "host",
                                                            "campaign", "resource", "service"};
constexpr std::string_view by_rule = "rule";
constexpr std::string_view by_subject = "about";

bool is_kind(std::string_view text) {
  return std::ranges::find(entity_kind_names, text) != entity_kind_names.end();
}

std::string kind_list() {
  std::string text;
  for (const std::string_view kind : entity_kind_names) {
    text += (text.empty() ? "" : ", ") + std::string(kind);
  }
  return text;
}

class GroupingReader {
 public:
  GroupingReader(yaml::Reader& reader, const GroupingNames& names, Duration within)
      : reader_(reader), names_(names), within_(within) {}

  GroupingRule read_rule(const Node& node) {
    GroupingRule rule;
    if (!reader_.is_map(node, "a rule", {"name", "for", "by", "within", "threshold", "distinct"})) {
      return rule;
    }
    rule.name = read_name(node, rules_);
    rule.filter = read_filter(node);
    rule.by = read_by(node, true);
    rule.within = read_within(node, within_);
    rule.threshold = reader_.integer(node, "threshold", 1, GroupingLimits::threshold_max, 1);
    rule.distinct = reader_.text(node, "distinct", "");
    if (!rule.distinct.empty() && !is_kind(rule.distinct)) {
      reader_.mistake(*node.find("distinct"),
                      "'" + printable(rule.distinct) + "' is none of " + kind_list());
    }
    if (!rule.distinct.empty() && rule.threshold < 2) {
      reader_.mistake(*node.find("distinct"), "'distinct' needs a 'threshold' of two or more");
    }
    if (!rule.distinct.empty() && std::ranges::find(rule.by, rule.distinct) != rule.by.end()) {
      reader_.mistake(*node.find("distinct"),
                      "'" + rule.distinct + "' is the same in a group already, by 'by'");
    }
    return rule;
  }

  LinkRule read_link(const Node& node) {
    LinkRule link;
    if (!reader_.is_map(node, "a link", {"name", "for", "by", "within", "then", "incidents_max"})) {
      return link;
    }
    link.name = read_name(node, links_);
    link.filter = read_filter(node);
    link.by = read_by(node, false);
    link.within = read_within(node, within_);
    const std::string then = reader_.text(node, "then", "relate");
    link.then = then == "join" ? LinkRule::Then::join : LinkRule::Then::relate;
    if (then != "join" && then != "relate") {
      reader_.mistake(*node.find("then"), "'then' must be relate or join");
    }
    link.incidents_max =
        reader_.integer(node, "incidents_max", 1, GroupingLimits::incidents_max, 3);
    return link;
  }

  // "kind:name"; a star at its end stands for whatever follows.
  detect::Entity read_shared(const Node& node) {
    const std::string& text = node.scalar;
    const std::size_t colon = text.find(':');
    const bool is_whole = node.is_scalar() && colon != std::string::npos &&
                          is_kind(text.substr(0, colon)) && colon + 1 < text.size();
    if (!is_whole) {
      reader_.mistake(node, "expected kind:name, with a kind of " + kind_list());
      return {};
    }
    const detect::Entity entity{text.substr(0, colon), text.substr(colon + 1)};
    const std::size_t star = entity.name.find('*');
    if (star != std::string::npos && star + 1 < entity.name.size()) {
      reader_.mistake(node, "a star stands at the end of '" + printable(text) + "' alone");
    }
    return entity;
  }

  Duration read_within(const Node& node, Duration fallback) {
    const Duration within = reader_.duration(node, "within", fallback);
    if (within > Duration{} && within <= GroupingLimits::within_max) return within;
    const Node* const at = node.find("within");
    reader_.mistake(at == nullptr ? node : *at, "'within' is more than nothing and at most 7d");
    return fallback;
  }

  detect::Level read_level(const Node& node, const std::string& text) {
    const auto level = detect::parse_level(text);
    if (!level) reader_.mistake(node, "'" + printable(text) + "' is no level of rules");
    return level.value_or(detect::Level::critical);
  }

 private:
  std::string read_name(const Node& node, std::set<std::string>& taken) {
    std::string name = reader_.text(node, "name");
    if (!name.empty() && !taken.insert(name).second) {
      reader_.mistake(*node.find("name"), "'" + printable(name) + "' stands above already");
    }
    return name;
  }

  std::vector<std::string> read_by(const Node& node, bool may_be_other) {
    const auto by = reader_.texts(node, "by");
    std::set<std::string> seen;
    for (const std::string& one : by) {
      const bool is_other = one == by_rule || one == by_subject;
      if (!is_kind(one) && !(may_be_other && is_other)) {
        reader_.mistake(*node.find("by"), "'" + printable(one) + "' is none of " + kind_list() +
                                              (may_be_other ? ", rule, about" : ""));
      }
      if (!seen.insert(one).second) {
        reader_.mistake(*node.find("by"), "'" + printable(one) + "' stands here twice");
      }
    }
    return by;
  }

  DetectionFilter read_filter(const Node& node) {
    DetectionFilter filter;
    const Node* const given = node.find("for");
    if (given == nullptr) return filter;
    if (!reader_.is_map(*given, "'for'", {"rules", "tags", "levels", "types", "about"})) {
      return filter;
    }
    for (const std::string& rule : reader_.texts_if_any(*given, "rules")) {
      filter.rules.insert(id_of(*given, rule));
    }
    filter.tags = reader_.texts_if_any(*given, "tags");
    for (const std::string& level : reader_.texts_if_any(*given, "levels")) {
      filter.levels.push_back(read_level(*given->find("levels"), level));
    }
    filter.types = reader_.texts_if_any(*given, "types");
    for (const std::string& type : filter.types) {
      if (names_.procedure == nullptr || names_.procedure->find_type(type) != nullptr) continue;
      reader_.mistake(*given->find("types"),
                      "there is no type '" + printable(type) + "' in incidents.yaml");
    }
    filter.about = reader_.texts_if_any(*given, "about");
    for (const std::string& kind : filter.about) {
      if (is_kind(kind)) continue;
      reader_.mistake(*given->find("about"), "'" + printable(kind) + "' is none of " + kind_list());
    }
    return filter;
  }

  std::string id_of(const Node& filter, const std::string& rule) {
    if (names_.rules == nullptr) return rule;
    const auto found = names_.rules->find(rule);
    if (found != names_.rules->end()) return found->second;
    reader_.mistake(*filter.find("rules"), "there is no rule '" + printable(rule) + "'");
    return rule;
  }

  yaml::Reader& reader_;
  const GroupingNames& names_;
  Duration within_;
  std::set<std::string> rules_;
  std::set<std::string> links_;
};

// The items of a list that may be there.
std::span<const Node> items_of(yaml::Reader& reader, const Node& root, std::string_view name,
                               std::size_t most) {
  const Node* const list = root.find(name) == nullptr ? nullptr : reader.sequence(root, name);
  if (list == nullptr) return {};
  if (list->items.size() <= most) return list->items;
  reader.mistake(*list,
                 "more than " + std::to_string(most) + " items in '" + std::string(name) + "'");
  return {};
}

bool has_tag(const detect::Detection& detection, std::string_view tag) {
  return std::ranges::any_of(detection.tags, [tag](std::string_view one) {
    // A technique stands for those below it.
    return one.starts_with(tag) && (one.size() == tag.size() || one[tag.size()] == '.');
  });
}

template <class List, class Value>
bool is_empty_or_holds(const List& list, const Value& value) {
  return list.empty() || std::ranges::find(list, value) != list.end();
}

}  // namespace

Result<Grouping> Grouping::parse(std::string_view yaml, const std::string& file,
                                 const GroupingNames& names) {
  yaml::Reader reader(file);
  Grouping grouping;
  const auto documents = reader.documents(yaml);
  if (documents.size() > 1) reader.mistake(documents[1], "only one document is expected");
  if (!documents.empty() &&
      reader.is_map(documents[0], "the file", {"within", "at_once", "rules", "links", "shared"})) {
    const Node& root = documents[0];
    grouping.within_ = GroupingReader(reader, names, {}).read_within(root, grouping.within_);
    GroupingReader parts(reader, names, grouping.within_);
    const Node* const at_once = root.find("at_once");
    if (at_once != nullptr && reader.is_map(*at_once, "'at_once'", {"level", "severity"})) {
      grouping.at_once_level_ =
          parts.read_level(*at_once, reader.text(*at_once, "level", "critical"));
      grouping.at_once_severity_ =
          static_cast<Severity>(reader.integer(*at_once, "severity", 0, 3, 3));
    }
    for (const Node& node : items_of(reader, root, "rules", GroupingLimits::rules_max)) {
      grouping.rules_.push_back(parts.read_rule(node));
    }
    for (const Node& node : items_of(reader, root, "links", GroupingLimits::links_max)) {
      grouping.links_.push_back(parts.read_link(node));
    }
    for (const Node& node : items_of(reader, root, "shared", GroupingLimits::shared_max)) {
      detect::Entity entity = parts.read_shared(node);
      if (entity.name.ends_with('*')) {
        entity.name.pop_back();
        grouping.shared_beginnings_.push_back(std::move(entity));
      } else {
        grouping.shared_.insert(std::move(entity));
      }
    }
  }
  if (!reader.mistakes().empty()) return fail(Code::invalid, reader.all_mistakes());
  return grouping;
}

const GroupingRule* Grouping::rule_for(const detect::Detection& detection,
                                       std::string_view type) const {
  const auto found = std::ranges::find_if(rules_, [&](const GroupingRule& rule) {
    const bool counts = rule.distinct.empty() || !name_of(detection, rule.distinct).empty();
    return counts && fits(rule.filter, detection, type) && key_of(rule.by, detection);
  });
  return found == rules_.end() ? nullptr : &*found;
}

bool Grouping::cannot_wait(detect::Level level, Severity severity) const {
  return level >= at_once_level_ || severity >= at_once_severity_;
}

bool Grouping::is_shared(const detect::Entity& entity) const {
  return shared_.contains(entity) ||
         std::ranges::any_of(shared_beginnings_, [&](const detect::Entity& one) {
           return one.kind == entity.kind && entity.name.starts_with(one.name);
         });
}

void merge_facts(Facts& facts, const detect::Detection& detection) {
  for (const auto& [fact, worth] : detection.facts) {
    std::int64_t& known = facts.try_emplace(fact, worth).first->second;
    known = std::max(known, worth);
  }
}

bool fits(const DetectionFilter& filter, const detect::Detection& detection,
          std::string_view type) {
  const bool is_rule = filter.rules.empty() || filter.rules.contains(detection.rule_id);
  const bool is_tagged =
      filter.tags.empty() || std::ranges::any_of(filter.tags, [&](const std::string& tag) {
        return has_tag(detection, tag);
      });
  return is_rule && is_tagged && is_empty_or_holds(filter.levels, detection.level) &&
         is_empty_or_holds(filter.types, type) &&
         is_empty_or_holds(filter.about, detection.entity.kind);
}

detect::Entity subject_of(const detect::Detection& detection) {
  if (detection.entity.name.empty()) return {std::string(by_rule), detection.rule_id};
  return detection.entity;
}

std::vector<detect::Entity> entities_of(const detect::Detection& detection) {
  std::vector<detect::Entity> all;
  if (!detection.entity.name.empty()) all.push_back(detection.entity);
  for (const detect::Entity& one : detection.also) {
    if (std::ranges::find(all, one) == all.end()) all.push_back(one);
  }
  return all;
}

std::string name_of(const detect::Detection& detection, std::string_view kind) {
  if (detection.entity.kind == kind) return detection.entity.name;
  const auto found = std::ranges::find(detection.also, kind, &detect::Entity::kind);
  return found == detection.also.end() ? std::string() : found->name;
}

std::optional<GroupKey> key_of(const std::vector<std::string>& by,
                               const detect::Detection& detection) {
  GroupKey key;
  for (const std::string& one : by) {
    if (one == by_rule) {
      key.push_back({one, detection.rule_id});
    } else if (one == by_subject) {
      key.push_back(subject_of(detection));
    } else {
      key.push_back({one, name_of(detection, one)});
    }
    if (key.back().name.empty()) return std::nullopt;
  }
  return key;
}

}  // namespace mailwarden::incident
