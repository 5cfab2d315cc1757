#include "detect/ordered_group.h"

#include <algorithm>
#include <iterator>

namespace mailwarden::detect {
namespace {

constexpr std::size_t entry_bytes = 80;  // of a node of the map

}  // namespace

std::size_t OrderedGroup::bytes() const {
  return size_ * entry_bytes + steps_.capacity() * sizeof(Step);
}

std::optional<Completed> OrderedGroup::add(const Measure& measure, const Arrival& arrival) {
  newest_ = std::max(newest_, arrival.time);
  const Timestamp reached = measure.open_since(newest_) - measure.timespan();
  if (arrival.time < reached) return std::nullopt;
  Step& step = steps_[arrival.rule];
  const auto placed =
      step.emplace_hint(step.end(), Moment{arrival.time, arrivals_++}, arrival.event);
  ++size_;
  // Each rule's entries are forgotten when another of the rule comes, so that no entry pays for
  // the others. One that stays longer is too old for any chain.
  while (step.begin()->first.time < reached) {
    step.erase(step.begin());
    --size_;
  }
  return chain_through(measure, placed, arrival.rule);
}

void OrderedGroup::restore(const Arrival& arrival, std::int64_t number) {
  newest_ = std::max(newest_, arrival.time);
  arrivals_ = std::max(arrivals_, number + 1);
  steps_[arrival.rule].emplace(Moment{arrival.time, number}, arrival.event);
  ++size_;
}

std::optional<Completed> OrderedGroup::chain_through(const Measure& measure,
                                                     Step::const_iterator middle,
                                                     std::size_t rule) const {
  const Timestamp open = measure.open_since(newest_);
  std::vector<EventId> events{middle->second};
  Moment first = middle->first;
  for (std::size_t i = rule; i-- > 0;) {
    auto before = steps_[i].lower_bound(first);
    if (before == steps_[i].begin()) return std::nullopt;
    --before;
    if (middle->first.time - before->first.time > measure.timespan()) return std::nullopt;
    first = before->first;
    events.push_back(before->second);
  }
  std::ranges::reverse(events);
  Moment last = middle->first;
  for (std::size_t i = rule + 1; i < steps_.size(); ++i) {
    const bool ends = i + 1 == steps_.size();
    const Moment from = ends ? std::max(last, Moment{open, -1}) : last;
    const auto behind = steps_[i].upper_bound(from);
    if (behind == steps_[i].end()) return std::nullopt;
    if (behind->first.time - first.time > measure.timespan()) return std::nullopt;
    last = behind->first;
    events.push_back(behind->second);
  }
  if (last.time < open) return std::nullopt;
  return Completed{.newest = last.time,
                   .count = static_cast<std::int64_t>(events.size()),
                   .events = std::move(events)};
}

void OrderedGroup::drop_oldest() {
  Step* oldest = nullptr;
  for (Step& step : steps_) {
    const bool older =
        !step.empty() && (oldest == nullptr || step.begin()->first < oldest->begin()->first);
    if (older) oldest = &step;
  }
  if (oldest == nullptr) return;
  oldest->erase(oldest->begin());
  --size_;
}

}  // namespace mailwarden::detect
