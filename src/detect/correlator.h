// Rules over several events: counts, values, sums and sequences within a span of time.
//
// What     advance() takes each detection in order of arrival and answers with the correlations
//          that it completes. Time is the events' own. A window ends at an entry and is closed at
//          both ends; an entry is judged in every window that holds it. After a correlation has
//          fired, its group starts empty, so that one attack gives one detection for every so many
//          events and not one for each.
// Owns     The open windows. snapshot() and restore() carry them over a restart.
// Threads  One, the core's.
// Errors   restore(): Error{corrupt}; windows of rules that have changed since are left out
//          silently.
// Limits   CorrelatorOptions. What is dropped to keep them is counted in dropped().
//          A detection in order costs O(1) amortised for each correlation that names its rule;
//          O(log n) of the group where an order is asked for. No type needs more, value_percentile
//          included (see Measure). One that is late costs O(log n) amortised and a walk over blocks
//          of the group, at most 128 + entries_max / 64 steps; where the condition is a range, or
//          eq, late_windows_max windows more. A snapshot is linear.
// Source   Sigma 2.1.0 correlations; docs/sigma.md, "Correlations".
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include <boost/container/small_vector.hpp>

#include "base/result.h"
#include "detect/counted_group.h"
#include "detect/keyed_index.h"
#include "detect/measure.h"
#include "detect/ordered_group.h"
#include "detect/rule_set.h"
#include "json/value.h"

namespace mailwarden::detect {

struct CorrelatorOptions {
  // How far out of order events may come, against the newest of their group, and still be judged
  // as if they had come in order.
  Duration lateness = std::chrono::minutes(1);
  std::size_t groups_max = 100'000;           // of all correlations together
  std::size_t entries_max = 100'000;          // of one group; at most 10 million are summed right
  std::size_t bytes_max = 256 * 1024 * 1024;  // of all windows together
  std::size_t late_windows_max = 4096;        // that one late entry is judged in one by one
  std::int64_t stream_idle_max = 1'000'000;   // detections; a stream silent for longer has ended
};

class Correlator {
 public:
  // Of a group key or a counted value; longer ones are kept as their SHA-256.
  static constexpr std::size_t key_bytes_max = 256;
  // As often as a folded line may count.
  static constexpr std::int64_t count_max = 1'000'000;

  explicit Correlator(const RuleSet& rules, const CorrelatorOptions& options = {});

  // The correlations that the detection completes, those over correlations too, innermost first.
  std::vector<Detection> advance(const Detection& detection);

  // The same for detections that wait: see(detection, fired) for each, in their order. Where there
  // are many groups this is faster, as memory is waited for once for several of them. `see` must
  // not change the correlator.
  template <class See>
  void advance(std::span<const Detection> waiting, See see) {
    while (!waiting.empty()) {
      const auto some = waiting.first(std::min(waiting.size(), at_once));
      prepare(some);
      for (const Detection& one : some) see(one, advance_prepared(one));
      waiting = waiting.subspan(some.size());
    }
  }

  // Takes over new rules; windows of correlations that are the same in both stay open.
  void rebind(const RuleSet& rules);

  std::string snapshot() const;
  Result<void> restore(std::string_view snapshot);

  // Gives up every group of whose key or values it says yes; how many. Linear in all that is open.
  Result<std::int64_t> forget(const std::function<bool(std::string_view)>& of_whom);

  // Entries given up to stay within the limits, and searches of late entries broken off, since the
  // start.
  std::int64_t dropped() const { return dropped_; }

  std::size_t groups() const { return live_; }
  // Nearly what the windows hold of memory.
  std::size_t bytes() const { return bytes_; }

 private:
  using State = std::variant<CountedGroup, OrderedGroup>;
  struct Group {
    std::size_t hash = 0;
    // Beside its group in memory, unless it is long.
    boost::container::small_vector<char, 48> text;
    std::size_t window = 0;
    std::size_t place = 0;  // in groups_
    State state;
    std::size_t bytes = 0;

    std::string_view key() const { return {text.data(), text.size()}; }
  };
  using Groups = KeyedIndex<Group>;
  struct Place {
    Group* group = nullptr;  // none where the place is free
    Timestamp dies;          // not before an event of any stream is newer than this
  };
  struct Window {
    Correlation correlation;
    Measure measure;
    bool silent = false;
    std::string signature;  // says whether another rule set's correlation is the same
    Groups groups;
  };
  struct FieldPlace {
    std::string name;
    std::size_t hint = 0;  // where it stands among a detection's values, usually
  };
  // Where the detections of a rule count: in which window, as which of its rules.
  struct Use {
    std::size_t window = 0;
    std::uint32_t rule = 0;
    std::vector<FieldPlace> key;
    std::vector<FieldPlace> fields;
  };
  // A group that a detection will be put into.
  struct Prepared {
    const Detection* detection = nullptr;
    const Use* use = nullptr;
    std::string key;
    std::size_t hash = 0;
    const Group* likely = nullptr;
  };
  static constexpr std::size_t at_once = 16;  // detections
  struct Stream {
    Timestamp newest;
    std::int64_t seen = 0;  // the number of its last detection
  };

  void take_rules(const RuleSet& rules);
  static std::vector<FieldPlace> places_of(const std::vector<std::string>& names,
                                           const Correlation& correlation, const std::string& rule,
                                           const RuleSet& rules);
  void prepare(std::span<const Detection> waiting);
  void bring_near(std::span<Prepared> prepared) const;
  std::vector<Detection> advance_prepared(const Detection& detection);
  void take_time(const Detection& detection);
  void take(std::optional<Detection> one, std::size_t window, std::vector<Detection>& fired);
  std::optional<Detection> advance_window(const Use& use, std::string_view key, std::size_t hash,
                                          const Detection& detection);
  std::optional<Completed> add(const Window& window, Group& group, const Arrival& arrival);
  Detection fire(const Window& window, const Detection& last, const Completed& completed) const;

  Group& group_of(std::size_t window, std::string_view key, std::size_t hash);
  void account(Group& group);
  Duration life_of(const Window& window) const;
  void free_place(const Group& group);
  void remove_group(const Group& group);
  void keep_limits(Group& group);
  void drop_oldest_groups();
  void sweep();
  bool is_dead(const Group& group) const;

  void clear();
  Result<void> restore_all(const json::Value& value);
  Result<void> restore_group(const json::Value& stored, std::size_t window);

  CorrelatorOptions options_;
  KeyedHash hash_;
  std::vector<Window> windows_;
  KeyedMap<std::vector<Use>> uses_;  // by rule id, in order of windows
  std::vector<Place> groups_;
  std::vector<std::size_t> free_;  // places in groups_
  std::size_t live_ = 0;
  std::size_t bytes_ = 0;
  std::size_t swept_ = 0;   // the place in groups_ that is looked at next
  std::int64_t round_ = 0;  // the detection at which looking began anew
  std::unordered_map<std::int64_t, Stream> streams_;
  Timestamp newest_{std::numeric_limits<std::int64_t>::min()};  // of all streams
  std::int64_t arrivals_ = 0;
  std::int64_t dropped_ = 0;
  std::vector<Prepared> prepared_;  // those from prepared_end_ on are kept for their memory
  std::size_t prepared_end_ = 0;
  std::size_t prepared_next_ = 0;
  std::string key_;    // of the detection at hand, kept for its memory
  std::string value_;  // likewise
};

}  // namespace mailwarden::detect
