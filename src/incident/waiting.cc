#include "incident/waiting.h"

#include <algorithm>
#include <utility>

namespace mailwarden::incident {
namespace {

WaitingRow row_of(const Waiting& waiting) {
  return {.number = waiting.number,
          .rule = waiting.rule.name,
          .by = waiting.rule.by,
          .threshold = waiting.rule.threshold,
          .distinct = waiting.rule.distinct,
          .within = waiting.rule.within,
          .until = waiting.until};
}

bool is_near(const Waiting& waiting, Timestamp time, Duration within) {
  const Timestamp at = waiting.detection.time;
  return at >= time - within && at <= time + within;
}

}  // namespace

std::string counted_as(std::int64_t number, const detect::Detection& detection,
                       std::string_view distinct) {
  return distinct.empty() ? std::to_string(number) : name_of(detection, distinct);
}

std::string WaitingRoom::full(const GroupKey& key) const {
  if (is_full()) {
    return std::to_string(detections_max) + " detections wait already";
  }
  const auto group = groups_.find(key);
  if (group == groups_.end() || group->second.size() < of_group_max) return {};
  return std::to_string(of_group_max) + " detections of the group wait already";
}

void WaitingRoom::add(const GroupKey& key, Waiting waiting) {
  rows_.insert_or_assign(waiting.number, row_of(waiting));
  touched_.insert(waiting.number);
  next_end_ = std::min(next_end_, waiting.until);
  waiting.detection.because.clear();
  waiting.detection.events.clear();
  waiting.detection.values.clear();
  groups_[key].push_back(std::move(waiting));
}

std::int64_t WaitingRoom::count(const GroupKey& key, const GroupingRule& rule,
                                const detect::Detection& detection) const {
  const Timestamp time = detection.time;
  std::vector<std::pair<Timestamp, std::string>> near{
      {time, counted_as(0, detection, rule.distinct)}};
  if (const auto group = groups_.find(key); group != groups_.end()) {
    for (const Waiting& one : group->second) {
      if (one.rule.name != rule.name || !is_near(one, time, rule.within)) continue;
      near.emplace_back(one.detection.time, counted_as(one.number, one.detection, rule.distinct));
    }
  }
  std::ranges::sort(near);
  // Spans that begin at one of them and hold the new one, from the earliest on.
  std::map<std::string_view, std::int64_t> held;
  std::size_t end = 0;
  std::int64_t most = 0;
  for (const auto& [begin, counted] : near) {
    if (begin > time) break;
    for (; end < near.size() && near[end].first <= begin + rule.within; ++end) {
      ++held[near[end].second];
    }
    most = std::max(most, std::ssize(held));
    if (--held[counted] == 0) held.erase(counted);
  }
  return most;
}

void WaitingRoom::add_facts(const GroupKey& key, Facts& facts) const {
  const auto group = groups_.find(key);
  if (group == groups_.end()) return;
  for (const Waiting& one : group->second) merge_facts(facts, one.detection);
}

void WaitingRoom::know(const WaitingRow& row) {
  stored_.insert_or_assign(row.number, row);
  touched_.insert(row.number);
}

void WaitingRoom::remove(std::int64_t number) {
  rows_.erase(number);
  touched_.insert(number);
}

template <class Leaves>
void WaitingRoom::remove_if(Leaves leaves) {
  for (auto group = groups_.begin(); group != groups_.end();) {
    std::erase_if(group->second, [&](const Waiting& one) {
      if (!leaves(one)) return false;
      remove(one.number);
      return true;
    });
    group = group->second.empty() ? groups_.erase(group) : std::next(group);
  }
}

std::vector<Waiting> WaitingRoom::take(const GroupKey& key, Timestamp time, Duration within) {
  std::vector<Waiting> taken;
  const auto group = groups_.find(key);
  if (group == groups_.end()) return taken;
  std::erase_if(group->second, [&](Waiting& one) {
    if (!is_near(one, time, within)) return false;
    remove(one.number);
    taken.push_back(std::move(one));
    return true;
  });
  if (group->second.empty()) groups_.erase(group);
  std::ranges::sort(taken, {}, &Waiting::number);
  return taken;
}

std::vector<Waiting> WaitingRoom::take_all() {
  std::vector<Waiting> taken;
  for (auto& [key, group] : groups_) std::ranges::move(group, std::back_inserter(taken));
  for (const Waiting& one : taken) remove(one.number);
  groups_.clear();
  std::ranges::sort(taken, {}, &Waiting::number);
  return taken;
}

void WaitingRoom::expire(Timestamp now) {
  if (now < next_end_) return;
  next_end_ = Timestamp::latest;
  remove_if([&](const Waiting& one) {
    if (one.until <= now) return true;
    next_end_ = std::min(next_end_, one.until);
    return false;
  });
}

void WaitingRoom::forget(const std::function<bool(std::string_view text)>& names) {
  remove_if([&](const Waiting& one) {
    const detect::Detection& detection = one.detection;
    return names(detection.title) || names(detection.entity.name) ||
           std::ranges::any_of(detection.also, names, &detect::Entity::name);
  });
}

std::vector<WaitingMove> WaitingRoom::take_moves() {
  std::vector<WaitingMove> moves;
  for (const std::int64_t number : std::exchange(touched_, {})) {
    const auto row = rows_.find(number);
    const auto stored = stored_.find(number);
    if (row == rows_.end()) {
      if (stored == stored_.end()) continue;
      stored_.erase(stored);
      moves.push_back({.number = number, .row = std::nullopt});
    } else if (stored == stored_.end() || stored->second != row->second) {
      stored_.insert_or_assign(number, row->second);
      moves.push_back({.number = number, .row = row->second});
    }
  }
  return moves;
}

}  // namespace mailwarden::incident
