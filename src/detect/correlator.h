// Rules over several events: so many in a span of time, or one after another.
//
// What     advance() takes each detection in order of arrival and answers with the correlations
//          that it completes. Time is the events' own. An entry counts where no more than the
//          timespan lies between it and the newest one of its group; after a correlation has fired,
//          its group starts empty, so that one attack gives one detection for every so many events
//          and not one for each.
// Owns     The open windows. snapshot() and restore() carry them over a restart.
// Threads  One, the core's.
// Errors   restore(): Error{corrupt}; windows of rules that have changed since are left out
//          silently.
// Limits   CorrelatorOptions. What is dropped to keep them is counted in dropped().
// Source   Sigma 2.1.0 correlations. Where it is silent: windows slide and are closed at both ends;
//          an event without a value for a group-by field counts for no group; events may come out
//          of order by `lateness`, measured against the newest event of their own stream.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "detect/rule_set.h"

namespace mailwarden::detect {

struct CorrelatorOptions {
  Duration lateness = std::chrono::minutes(1);
  std::size_t groups_max = 100'000;   // of all correlations together
  std::size_t entries_max = 100'000;  // of one group
};

class Correlator {
 public:
  explicit Correlator(const RuleSet& rules, const CorrelatorOptions& options = {});

  // The correlations that the detection completes, those over correlations too, innermost first.
  std::vector<Detection> advance(const Detection& detection);

  // Takes over new rules; windows of correlations that are the same in both stay open.
  void rebind(const RuleSet& rules);

  std::string snapshot() const;
  Result<void> restore(std::string_view snapshot);

  // Entries and groups given up to stay within the limits, since the start.
  std::int64_t dropped() const { return dropped_; }

 private:
  struct Entry {
    Timestamp time;
    EventId event;
    std::int64_t count = 1;
    std::size_t rule = 0;  // which of the correlation's rules

    auto operator<=>(const Entry&) const = default;
  };
  struct Group {
    std::deque<Entry> entries;  // by time, then by arrival
    std::size_t begin = 0;      // the first within the timespan of the newest
    std::int64_t sum = 0;       // of the counts from there on
    // temporal_ordered, by the rule reached: the chain up to it that began last, which leaves the
    // most time.
    std::vector<std::vector<Entry>> chains;
  };
  struct Window {
    Correlation correlation;
    RuleSet::Needs needs;
    std::string signature;  // says whether another rule set's correlation is the same
    std::map<std::string, Group> groups;
  };

  // Where the detections of a rule count: in which window, as which of its rules.
  struct Use {
    std::size_t window = 0;
    std::size_t rule = 0;
  };

  static std::vector<Window> windows_of(const RuleSet& rules);
  void index_uses();
  void advance_from(std::size_t first, const Detection& detection, std::vector<Detection>& fired);
  std::optional<Detection> advance_window(Window& window, std::size_t rule,
                                          const Detection& detection);
  bool add_in_order(const Window& window, Group& group) const;
  bool add_late(const Window& window, Group& group, std::size_t at) const;
  static void extend_chains(const Window& window, Group& group, const Entry& entry);
  static void rebuild_chains(const Window& window, Group& group);
  Detection fire(const Window& window, const Detection& last, const std::vector<Entry>& used) const;
  void keep_limits(Group& group);
  void drop_oldest_groups();
  void forget_dead();

  CorrelatorOptions options_;
  std::vector<Window> windows_;
  std::unordered_map<std::string, std::vector<Use>> uses_;  // by rule id, in order of windows
  std::map<std::int64_t, Timestamp> newest_;                // by stream
  std::size_t groups_ = 0;
  std::size_t since_forgotten_ = 0;
  std::int64_t dropped_ = 0;
};

}  // namespace mailwarden::detect
