#include "detect/correlator.h"

#include <algorithm>
#include <optional>

#include "json/value.h"

namespace mailwarden::detect {
namespace {

// How many detections may pass before groups whose time is over are looked for.
constexpr std::size_t forget_interval = 4096;

std::string_view value_named(const Detection& detection, std::string_view name) {
  for (const auto& [known, value] : detection.values) {
    if (known == name) return value;
  }
  return {};
}

// The group of the detection, or nothing where it has no value for one of the fields.
std::optional<std::string> group_key(const Correlation& correlation, const Detection& detection) {
  std::string key;
  for (const std::string& name : correlation.group_by) {
    std::string_view field = name;
    if (const auto alias = correlation.aliases.find(name); alias != correlation.aliases.end()) {
      const auto mapped = alias->second.find(detection.rule_id);
      if (mapped == alias->second.end()) return std::nullopt;
      field = mapped->second;
    }
    const std::string_view value = value_named(detection, field);
    if (value.empty()) return std::nullopt;
    key += value;
    key += '\0';
  }
  return key;
}

std::string signature_of(const Correlation& correlation) {
  json::Array rules;
  for (const std::string& rule : correlation.rules) rules.push_back(rule);
  json::Array group_by;
  for (const std::string& name : correlation.group_by) group_by.push_back(name);
  json::Object aliases;
  for (const auto& [alias, fields] : correlation.aliases) {
    json::Object mapped;
    for (const auto& [rule, field] : fields) mapped[rule] = field;
    aliases[alias] = std::move(mapped);
  }
  return json::to_text(json::Object{{"aliases", std::move(aliases)},
                                    {"at_least", correlation.at_least},
                                    {"at_most", correlation.at_most.value_or(-1)},
                                    {"group_by", std::move(group_by)},
                                    {"rules", std::move(rules)},
                                    {"timespan", correlation.timespan.count()},
                                    {"type", static_cast<int>(correlation.type)}});
}

bool reached(const Correlation& correlation, std::int64_t count) {
  return count >= correlation.at_least && (!correlation.at_most || count <= *correlation.at_most);
}

std::string entity_kind(const Detection& base, std::string_view path) {
  if (path == "src_endpoint.ip") return "address";
  if (path == "user.name" || path == "actor.user.name" || path == "email.from") return "account";
  if (path == "device.hostname") return "host";
  return base.entity.kind.empty() ? "resource" : base.entity.kind;
}

}  // namespace

std::vector<Correlator::Window> Correlator::windows_of(const RuleSet& rules) {
  std::vector<Window> windows;
  for (const Correlation& correlation : rules.correlations()) {
    Window window{.correlation = correlation, .signature = signature_of(correlation)};
    const auto needs = rules.needs_.find(correlation.header.id);
    if (needs != rules.needs_.end()) window.needs = needs->second;
    windows.push_back(std::move(window));
  }
  return windows;
}

Correlator::Correlator(const RuleSet& rules, const CorrelatorOptions& options)
    : options_(options), windows_(windows_of(rules)) {
  index_uses();
}

void Correlator::index_uses() {
  uses_.clear();
  for (std::size_t i = 0; i < windows_.size(); ++i) {
    const std::vector<std::string>& rules = windows_[i].correlation.rules;
    for (std::size_t k = 0; k < rules.size(); ++k) {
      std::vector<Use>& uses = uses_[rules[k]];
      // A rule that a correlation names twice counts as the first of the two.
      if (uses.empty() || uses.back().window != i) uses.push_back({.window = i, .rule = k});
    }
  }
}

void Correlator::rebind(const RuleSet& rules) {
  std::vector<Window> windows = windows_of(rules);
  groups_ = 0;
  for (Window& window : windows) {
    for (Window& old : windows_) {
      const bool same = old.correlation.header.id == window.correlation.header.id &&
                        old.signature == window.signature;
      if (same) window.groups = std::move(old.groups);
    }
    groups_ += window.groups.size();
  }
  windows_ = std::move(windows);
  index_uses();
}

std::vector<Detection> Correlator::advance(const Detection& detection) {
  std::vector<Detection> fired;
  Timestamp& newest = newest_.try_emplace(detection.event.stream, detection.time).first->second;
  newest = std::max(newest, detection.time);
  advance_from(0, detection, fired);
  if (++since_forgotten_ >= forget_interval) forget_dead();
  return fired;
}

// A window stands behind those whose detections it takes, so what one fires counts from there on.
void Correlator::advance_from(std::size_t first, const Detection& detection,
                              std::vector<Detection>& fired) {
  const auto uses = uses_.find(detection.rule_id);
  if (uses == uses_.end()) return;
  for (const Use& use : uses->second) {
    if (use.window < first) continue;
    auto one = advance_window(windows_[use.window], use.rule, detection);
    if (!one) continue;
    fired.push_back(*one);
    advance_from(use.window + 1, *one, fired);
  }
}

std::optional<Detection> Correlator::advance_window(Window& window, std::size_t rule,
                                                    const Detection& detection) {
  const Correlation& correlation = window.correlation;
  const auto key = group_key(correlation, detection);
  if (!key) return std::nullopt;
  const auto [place, fresh] = window.groups.try_emplace(*key);
  groups_ += fresh ? 1 : 0;
  Group& group = place->second;
  // A correlation's detection counts once, however many events it rests on.
  const bool counted = correlation.type == Correlation::Type::event_count;
  const Entry entry{.time = detection.time,
                    .event = detection.event,
                    .count = counted && detection.events.empty() ? detection.count : 1,
                    .rule = rule};
  auto at = group.entries.end();
  while (at != group.entries.begin() && std::prev(at)->time > entry.time) --at;
  const auto index = static_cast<std::size_t>(at - group.entries.begin());
  const bool in_order = at == group.entries.end();
  group.entries.insert(at, entry);
  std::vector<Entry> used;
  bool complete = false;
  if (counted) {
    complete = in_order ? add_in_order(window, group) : add_late(window, group, index);
    if (complete)
      used.assign(group.entries.begin() + static_cast<std::ptrdiff_t>(group.begin),
                  group.entries.end());
  } else {
    add_in_order(window, group);
    if (in_order) {
      extend_chains(window, group, entry);
    } else {
      rebuild_chains(window, group);
    }
    used = group.chains.back();
    complete = !used.empty();
  }
  if (!complete) {
    keep_limits(group);
    return std::nullopt;
  }
  Detection fired = fire(window, detection, used);
  window.groups.erase(place);
  --groups_;
  return fired;
}

// Moves the begin of the window on and lets go of what even a late event could not need.
bool Correlator::add_in_order(const Window& window, Group& group) const {
  const Duration timespan = window.correlation.timespan;
  const Timestamp newest = group.entries.back().time;
  group.sum += group.entries.back().count;
  while (group.entries[group.begin].time < newest - timespan) {
    group.sum -= group.entries[group.begin++].count;
  }
  while (group.entries.front().time < newest - timespan - options_.lateness) {
    group.entries.pop_front();
    --group.begin;
  }
  return reached(window.correlation, group.sum);
}

// A late entry may fill any window that ends at it or behind it.
bool Correlator::add_late(const Window& window, Group& group, std::size_t at) const {
  const Duration timespan = window.correlation.timespan;
  const Timestamp time = group.entries[at].time;
  bool complete = false;
  for (std::size_t end = at; !complete && end < group.entries.size(); ++end) {
    if (group.entries[end].time - time > timespan) break;
    std::int64_t sum = 0;
    for (std::size_t i = end + 1; i-- > 0;) {
      if (group.entries[end].time - group.entries[i].time > timespan) break;
      sum += group.entries[i].count;
    }
    complete = reached(window.correlation, sum);
  }
  group.sum = 0;
  group.begin = group.entries.size();
  while (group.begin > 0 &&
         group.entries.back().time - group.entries[group.begin - 1].time <= timespan) {
    group.sum += group.entries[--group.begin].count;
  }
  if (complete) group.begin = 0;
  return complete;
}

// Takes up the newest entry: what an entry in order costs does not grow with the group.
void Correlator::extend_chains(const Window& window, Group& group, const Entry& entry) {
  group.chains.resize(window.correlation.rules.size());
  if (entry.rule == 0) {
    group.chains[0] = {entry};
    return;
  }
  const std::vector<Entry>& before = group.chains[entry.rule - 1];
  if (before.empty() || entry.time - before.front().time > window.correlation.timespan) return;
  std::vector<Entry> chain = before;
  chain.push_back(entry);
  group.chains[entry.rule] = std::move(chain);
}

// A late entry may be a link of any chain.
void Correlator::rebuild_chains(const Window& window, Group& group) {
  group.chains.clear();
  for (const Entry& entry : group.entries) extend_chains(window, group, entry);
}

Detection Correlator::fire(const Window& window, const Detection& last,
                           const std::vector<Entry>& used) const {
  const Correlation& correlation = window.correlation;
  Detection detection{.rule_id = correlation.header.id,
                      .title = correlation.header.title,
                      .rule_file = correlation.header.file,
                      .rule_version = correlation.header.version,
                      .level = correlation.header.level,
                      .tags = correlation.header.tags,
                      .event = last.event,
                      .time = last.time,
                      .count = 0,
                      .facts = correlation.header.facts,
                      .values = last.values,
                      .silent = window.needs.silent};
  for (const Entry& entry : used) {
    detection.count += entry.count;
    detection.time = std::max(detection.time, entry.time);
  }
  const std::size_t skipped = used.size() - std::min(used.size(), Detection::events_max);
  for (std::size_t i = skipped; i < used.size(); ++i) detection.events.push_back(used[i].event);
  if (!correlation.header.entity.empty()) {
    detection.entity = {entity_kind(last, correlation.header.entity),
                        std::string(value_named(last, correlation.header.entity))};
  }
  for (const std::string& name : correlation.group_by) {
    detection.because.push_back({"group-by", name, std::string(value_named(last, name))});
  }
  detection.because.push_back(
      {"correlation", "count",
       std::to_string(detection.count) + " within " + to_words(correlation.timespan)});
  return detection;
}

void Correlator::keep_limits(Group& group) {
  if (group.entries.size() > options_.entries_max) {
    if (group.begin == 0) {
      group.sum -= group.entries.front().count;
    } else {
      --group.begin;
    }
    group.entries.pop_front();
    ++dropped_;
  }
  if (groups_ > options_.groups_max) drop_oldest_groups();
}

// Some at once, so that whoever makes ever new groups does not make each of them cost a search
// through all.
void Correlator::drop_oldest_groups() {
  struct Old {
    Timestamp newest;
    Window* window;
    std::map<std::string, Group>::iterator group;
  };
  std::vector<Old> all;
  all.reserve(groups_);
  for (Window& window : windows_) {
    for (auto group = window.groups.begin(); group != window.groups.end(); ++group) {
      all.push_back({group->second.entries.back().time, &window, group});
    }
  }
  const std::size_t count = groups_ - options_.groups_max + options_.groups_max / 64;
  std::ranges::nth_element(all, all.begin() + static_cast<std::ptrdiff_t>(count), {}, &Old::newest);
  for (std::size_t i = 0; i < count; ++i) {
    dropped_ += static_cast<std::int64_t>(all[i].group->second.entries.size());
    all[i].window->groups.erase(all[i].group);
    --groups_;
  }
}

// An entry is dead when its own stream has gone past any time that could still join it.
void Correlator::forget_dead() {
  since_forgotten_ = 0;
  for (Window& window : windows_) {
    const Duration life = window.correlation.timespan + options_.lateness;
    groups_ -= std::erase_if(window.groups, [&](const auto& one) {
      return std::ranges::all_of(one.second.entries, [&](const Entry& entry) {
        const auto newest = newest_.find(entry.event.stream);
        return newest != newest_.end() && newest->second > entry.time + life;
      });
    });
  }
}

std::string Correlator::snapshot() const {
  json::Object windows;
  for (const Window& window : windows_) {
    json::Object groups;
    for (const auto& [key, group] : window.groups) {
      json::Array entries;
      for (const Entry& entry : group.entries) {
        entries.push_back(json::Array{entry.time.us, entry.event.stream, entry.event.position,
                                      entry.count, entry.rule});
      }
      groups[key] = std::move(entries);
    }
    windows[window.correlation.header.id] =
        json::Object{{"groups", std::move(groups)}, {"signature", window.signature}};
  }
  json::Object newest;
  for (const auto& [stream, time] : newest_) newest[std::to_string(stream)] = time.us;
  return json::to_text(json::Object{{"newest", std::move(newest)},
                                    {"since_forgotten", since_forgotten_},
                                    {"windows", std::move(windows)}});
}

Result<void> Correlator::restore(std::string_view snapshot) {
  const auto damaged = [] { return fail(Code::corrupt, "the stored correlation windows"); };
  const auto value = json::parse(snapshot, {.depth_max = 16, .bytes_max = snapshot.size()});
  if (!value) return damaged();
  newest_.clear();
  const json::Object* newest = (*value)["newest"].as_object();
  if (newest == nullptr) return damaged();
  for (const auto& [stream, time] : *newest) {
    const std::int64_t* us = time.as_integer();
    if (us == nullptr) return damaged();
    newest_[std::strtoll(stream.c_str(), nullptr, 10)] = {*us};
  }
  since_forgotten_ = static_cast<std::size_t>(value->integer("since_forgotten"));
  groups_ = 0;
  for (Window& window : windows_) {
    window.groups.clear();
    const json::Value& stored = (*value)["windows"][window.correlation.header.id];
    const json::Object* groups = stored["groups"].as_object();
    if (groups == nullptr || stored.text("signature") != window.signature) continue;
    for (const auto& [key, entries] : *groups) {
      Group& group = window.groups[key];
      const json::Array* items = entries.as_array();
      if (items == nullptr) return damaged();
      for (const json::Value& item : *items) {
        const json::Array* parts = item.as_array();
        if (parts == nullptr || parts->size() != 5) return damaged();
        std::array<std::int64_t, 5> n{};
        for (std::size_t i = 0; i < n.size(); ++i) {
          const std::int64_t* number = (*parts)[i].as_integer();
          if (number == nullptr) return damaged();
          n[i] = *number;
        }
        if (n[4] < 0 || static_cast<std::size_t>(n[4]) >= window.correlation.rules.size()) {
          return damaged();
        }
        group.entries.push_back({{n[0]}, {n[1], n[2]}, n[3], static_cast<std::size_t>(n[4])});
        add_in_order(window, group);
        if (window.correlation.type == Correlation::Type::temporal_ordered) {
          extend_chains(window, group, group.entries.back());
        }
      }
    }
    groups_ += window.groups.size();
  }
  return {};
}

}  // namespace mailwarden::detect
