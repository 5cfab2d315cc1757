// One group of a correlation whose rules must occur one after the other.
//
// What     add() takes an entry and tells the chain that it completes: one entry of each rule, in
//          the order of the rules, within the timespan. Where there are several, the chain is the
//          one whose earlier entries are the latest and whose later ones are the earliest around
//          the entry: no other chain through it is shorter.
// Owns     The entries, by rule.
// Threads  One.
// Errors   None.
// Limits   Its owner's: size() and bytes(), and drop_oldest(). An entry costs O(log n); O(rules
//          log n) where a chain begins to form through it. In order or late makes no difference.
// Source   Sigma 2.1.0 correlations, temporal_ordered; docs/sigma.md, "Correlations".
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "detect/counted_group.h"

namespace mailwarden::detect {

class OrderedGroup {
 public:
  explicit OrderedGroup(std::size_t steps) : steps_(steps) {}

  std::optional<Completed> add(const Measure& measure, const Arrival& arrival);
  // Takes an entry of a snapshot, with the number of its arrival.
  void restore(const Arrival& arrival, std::int64_t number);
  void drop_oldest();

  std::size_t size() const { return size_; }
  std::size_t bytes() const;
  Timestamp newest() const { return newest_; }

  // The newest of each rule and then all, until one is answered with false.
  template <class See>
  bool all_from_newest(See see) const {
    for (const Step& step : steps_) {
      if (step.empty()) continue;
      const auto& [at, event] = *step.rbegin();
      if (!see(Entry{.at = at, .event = event})) return false;
    }
    return all_of_entries(see);
  }

  // Rule by rule, likewise.
  template <class See>
  bool all_of_entries(See see) const {
    for (std::size_t rule = 0; rule < steps_.size(); ++rule) {
      for (const auto& [at, event] : steps_[rule]) {
        if (!see(Entry{.at = at, .event = event, .rule = static_cast<std::uint32_t>(rule)})) {
          return false;
        }
      }
    }
    return true;
  }

 private:
  using Step = std::map<Moment, EventId>;

  std::optional<Completed> chain_through(const Measure& measure, Step::const_iterator middle,
                                         std::size_t rule) const;

  std::vector<Step> steps_;
  std::size_t size_ = 0;
  Timestamp newest_{std::numeric_limits<std::int64_t>::min()};
  std::int64_t arrivals_ = 0;
};

}  // namespace mailwarden::detect
