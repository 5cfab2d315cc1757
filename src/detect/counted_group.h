// One group of a correlation that counts or adds up what is in its windows.
//
// What     add() takes an entry and tells the window that it completes. A window ends at an entry
//          and holds it, and those before it that are no more than the timespan older. An entry is
//          judged in every window that holds it: one that comes in order in the window that it
//          ends, one that comes late also in those that end behind it.
// Owns     The entries, and the values that they brought.
// Threads  One.
// Errors   None.
// Limits   Its owner's: size() and bytes(), and drop_oldest(). In order an entry costs O(1)
//          amortised. One that comes late costs O(log n) amortised to find what its own window
//          holds (the shorter of two walks, each of which halves the next ones) and what Timeline
//          says.
// Source   Sigma 2.1.0 correlations; docs/sigma.md, "Correlations".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "detect/measure.h"
#include "detect/timeline.h"

namespace mailwarden::detect {

// A detection as its group sees it.
struct Arrival {
  Timestamp time;
  EventId event;
  std::string_view value;  // where values are counted
  std::int64_t amount = 0;
  std::uint32_t count = 1;
  std::uint32_t rule = 0;
};

// The window that was completed.
struct Completed {
  Timestamp newest;
  std::int64_t count = 0;
  std::vector<EventId> events;  // oldest first
  std::string measured;         // "sum 12.5", or nothing where the count tells it
};

class CountedGroup {
 public:
  explicit CountedGroup(const KeyedHash& hash) : values_(hash) {}

  // Counts in `given_up` a search among windows that was broken off.
  std::optional<Completed> add(const Measure& measure, const Arrival& arrival,
                               std::int64_t& given_up);
  // Takes entries of a snapshot in their order, with the numbers of their arrival.
  void restore(const Measure& measure, const Arrival& arrival, std::int64_t number);
  void drop_oldest(const Measure& measure);
  // Asks memory for what add() reads, without waiting for it.
  void bring_near() const {
    timeline_.bring_near(begin_);
    values_.bring_near();
  }
  // The same, when that is near, for what it points to.
  void bring_nearer() const {
    for (Place place : {timeline_.begin(), begin_}) {
      // As many as leave at once, mostly.
      for (int i = 0; i < 3 && place < timeline_.end(); ++i, place = timeline_.next(place)) {
        __builtin_prefetch(timeline_[place].value);
      }
    }
  }

  std::size_t size() const { return timeline_.size(); }
  std::size_t bytes() const { return timeline_.bytes() + values_.bytes(); }
  Timestamp newest() const { return timeline_[timeline_.last()].at.time; }

  // Newest first, until one is answered with false.
  template <class See>
  bool all_from_newest(See see) const {
    for (auto place = timeline_.end(); place > timeline_.begin();) {
      place = timeline_.before(place);
      if (!see(timeline_[place])) return false;
    }
    return true;
  }

  // Oldest first, likewise.
  template <class See>
  bool all_of_entries(See see) const {
    for (auto place = timeline_.begin(); place != timeline_.end(); place = timeline_.next(place)) {
      if (!see(timeline_[place])) return false;
    }
    return true;
  }

 private:
  using Place = Timeline::Place;

  Entry entry_of(const Measure& measure, const Arrival& arrival, std::int64_t number);
  std::optional<Place> add_in_order(const Measure& measure, const Arrival& arrival,
                                    std::int64_t number);
  Sums begin_window(const Measure& measure, Timestamp end);
  std::optional<Place> add_late(const Measure& measure, const Entry& entry, std::int64_t& given_up);
  Sums sums_before(const Measure& measure, Place at, Timestamp time) const;
  Sums weight_without_later(const Measure& measure, Place from, Place to, Moment until) const;
  Sums weight_if_new(const Measure& measure, const Entry& entry) const;
  void spread(const Measure& measure, const Entry& entry, Place from);
  void remove_oldest();
  void forget(const Measure& measure, Timestamp newest);
  Completed completed(const Measure& measure, Place end) const;

  Timeline timeline_;
  Place begin_;  // of the window of the newest entry
  Occurrences values_;
  std::int64_t arrivals_ = 0;
};

}  // namespace mailwarden::detect
