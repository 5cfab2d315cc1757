#include "detect/counted_group.h"

#include <algorithm>

namespace mailwarden::detect {

std::optional<Completed> CountedGroup::add(const Measure& measure, const Arrival& arrival,
                                           std::int64_t& given_up) {
  const bool in_order = timeline_.empty() || arrival.time >= newest();
  // What even the oldest open window does not reach would be forgotten at once.
  if (!in_order && arrival.time < measure.open_since(newest()) - measure.timespan()) {
    return std::nullopt;
  }
  const std::int64_t number = arrivals_++;
  const auto end = in_order ? add_in_order(measure, arrival, number)
                            : add_late(measure, entry_of(measure, arrival, number), given_up);
  if (!end) return std::nullopt;
  return completed(measure, *end);
}

void CountedGroup::restore(const Measure& measure, const Arrival& arrival, std::int64_t number) {
  static_cast<void>(add_in_order(measure, arrival, number));
  arrivals_ = std::max(arrivals_, number + 1);
}

Entry CountedGroup::entry_of(const Measure& measure, const Arrival& arrival, std::int64_t number) {
  return {.at = {arrival.time, number},
          .event = arrival.event,
          .amount = arrival.amount,
          .value = measure.distinct() ? values_.value_of(arrival.value) : nullptr,
          .count = arrival.count,
          .rule = arrival.rule};
}

std::optional<Timeline::Place> CountedGroup::add_in_order(const Measure& measure,
                                                          const Arrival& arrival,
                                                          std::int64_t number) {
  Sums sums = begin_window(measure, arrival.time);
  const bool alone = begin_ == timeline_.end();
  // Before anything is made, so that its memory is used again while it is near.
  forget(measure, arrival.time);
  const Entry entry = entry_of(measure, arrival, number);
  sums = sums + weight_if_new(measure, entry);
  if (measure.distinct()) values_.add(*entry.value, entry.at);
  const Place place = timeline_.insert(timeline_.end(), entry, sums);
  if (alone) begin_ = place;
  if (!measure.holds(sums)) return std::nullopt;
  return timeline_.last();
}

// Moves the newest window on to one that ends at `end`, and answers with its sums so far.
Sums CountedGroup::begin_window(const Measure& measure, Timestamp end) {
  if (timeline_.empty()) {
    begin_ = timeline_.end();
    return {};
  }
  Sums sums = timeline_.sums(timeline_.last());
  const Timestamp begin = end - measure.timespan();
  while (begin_ != timeline_.end() && timeline_[begin_].at.time < begin) {
    const Entry& leaving = timeline_[begin_];
    const bool seen_later = measure.distinct() && leaving.value->latest != leaving.at;
    if (!seen_later) sums = sums - measure.weight(leaving.amount, leaving.count);
    begin_ = timeline_.next(begin_);
  }
  return sums;
}

std::optional<Timeline::Place> CountedGroup::add_late(const Measure& measure, const Entry& entry,
                                                      std::int64_t& given_up) {
  const Timestamp newest_time = newest();
  const Timestamp open = measure.open_since(newest_time);
  Place at = timeline_.first_after(entry.at.time);
  Sums sums{};
  if (entry.at.time >= open) {
    sums = sums_before(measure, at, entry.at.time) + weight_if_new(measure, entry);
  }
  at = timeline_.insert(at, entry, sums);
  begin_ = timeline_.first_from(newest_time - measure.timespan());
  spread(measure, entry, std::max(timeline_.next(at), timeline_.first_from(open)));
  if (measure.distinct()) values_.add(*entry.value, entry.at);
  const Place to = timeline_.first_after(entry.at.time + measure.timespan());
  bool broken_off = false;
  const Place found =
      timeline_.find(std::max(at, timeline_.first_from(open)), to, measure, broken_off);
  given_up += broken_off ? 1 : 0;
  if (found == to) return std::nullopt;
  return found;
}

// What the value adds to the window that the entry ends, before it is among the occurrences.
Sums CountedGroup::weight_if_new(const Measure& measure, const Entry& entry) const {
  if (!measure.distinct()) return measure.weight(entry.amount, entry.count);
  const auto before = Occurrences::neighbours_of(*entry.value, entry.at).before;
  const bool known = before && before->time >= entry.at.time - measure.timespan();
  return known ? Sums{} : measure.weight(0, 1);
}

// The sums of a window that ends at `time`, before the place, without an entry of its own there.
// They are those of the entry before, less what the window leaves behind, or those of the entry
// behind, with what its window has left behind; whichever way is shorter.
Sums CountedGroup::sums_before(const Measure& measure, Place at, Timestamp time) const {
  if (at == timeline_.begin()) return {};
  const Place before = timeline_.before(at);
  const Moment last = timeline_[before].at;
  const Timestamp begin_time = time - measure.timespan();
  if (last.time < begin_time) return {};
  const Place begin = timeline_.first_from(begin_time);
  const Place begin_before = timeline_.first_from(last.time - measure.timespan());
  const Place begin_behind =
      std::min(at, timeline_.first_from(timeline_[at].at.time - measure.timespan()));
  // The sums of a closed window may lack entries that are forgotten.
  const bool intact = last.time >= measure.open_since(newest());
  if (!intact ||
      timeline_.distance(begin, begin_behind) < timeline_.distance(begin_before, begin)) {
    return timeline_.sums(at) - weight_if_new(measure, timeline_[at]) +
           weight_without_later(measure, begin, begin_behind, last);
  }
  return timeline_.sums(before) - weight_without_later(measure, begin_before, begin, last);
}

// Of the entries of a range, each value once: where it does not occur again up to `until`.
Sums CountedGroup::weight_without_later(const Measure& measure, Place from, Place to,
                                        Moment until) const {
  Sums sums{};
  for (; from < to; from = timeline_.next(from)) {
    const Entry& entry = timeline_[from];
    if (measure.distinct()) {
      const auto behind = Occurrences::neighbours_of(*entry.value, entry.at).behind;
      if (behind && *behind <= until) continue;
    }
    sums = sums + measure.weight(entry.amount, entry.count);
  }
  return sums;
}

// Adds the entry to the windows that end from there on and hold it. A value adds to those only that
// do not hold it at another entry.
void CountedGroup::spread(const Measure& measure, const Entry& entry, Place from) {
  Place to = timeline_.first_after(entry.at.time + measure.timespan());
  Sums sums = measure.weight(entry.amount, entry.count);
  if (measure.distinct()) {
    sums = measure.weight(0, 1);
    const auto [before, behind] = Occurrences::neighbours_of(*entry.value, entry.at);
    if (before) {
      from = std::max(from, timeline_.first_after(before->time + measure.timespan()));
    }
    if (behind) to = std::min(to, timeline_.first_from(*behind));
  }
  timeline_.add(from, to, sums);
}

void CountedGroup::remove_oldest() {
  const Place front = timeline_.begin();
  const Entry& oldest = timeline_[front];
  if (oldest.value != nullptr) values_.remove_oldest(*oldest.value);
  if (begin_ == front) begin_ = timeline_.next(begin_);
  timeline_.pop_front(begin_);
}

// Lets go of what no open window reaches when this is the newest.
void CountedGroup::forget(const Measure& measure, Timestamp newest) {
  const Timestamp reached = measure.open_since(newest) - measure.timespan();
  while (!timeline_.empty() && timeline_[timeline_.begin()].at.time < reached) remove_oldest();
}

void CountedGroup::drop_oldest(const Measure& measure) {
  const Entry oldest = timeline_[timeline_.begin()];
  const Sums weight = measure.weight(oldest.amount, oldest.count);
  Place to = timeline_.first_after(oldest.at.time + measure.timespan());
  if (measure.distinct()) {
    const auto behind = Occurrences::neighbours_of(*oldest.value, oldest.at).behind;
    if (behind) to = std::min(to, timeline_.first_from(*behind));
  }
  timeline_.add(timeline_.begin(), to,
                Sums{} - (measure.distinct() ? measure.weight(0, 1) : weight));
  remove_oldest();
}

Completed CountedGroup::completed(const Measure& measure, Place end) const {
  Completed done{.newest = timeline_[end].at.time};
  const Place begin = timeline_.first_from(done.newest - measure.timespan());
  const Place behind = timeline_.next(end);
  std::vector<Weighed> amounts;
  for (Place place = begin; place < behind; place = timeline_.next(place)) {
    const Entry& entry = timeline_[place];
    done.count += entry.count;
    done.events.push_back(entry.event);
    amounts.push_back({entry.amount, entry.count});
  }
  done.measured = measure.told(timeline_.sums(end), std::move(amounts));
  return done;
}

}  // namespace mailwarden::detect
