// Detections that wait until there are enough of them for an incident.
//
// What     A WaitingRoom keeps them by what they have in common. count() says how many lie within
//          one span of the time in which a rule counts, by the times of their events, so that the
//          answer does not depend on how input was cut into batches or on a restart between them.
//          Only how long one is kept goes by the clock, since whoever writes events writes their
//          times: `kept` longer than its rule counts.
//          What the store has to learn of it is take_moves(), the newest standing of each row.
// Owns     The detections that wait, without what no incident needs of them.
// Threads  One, the core's.
// Errors   None.
// Limits   detections_max in all, of_group_max of one group. Whoever would be one more does not
//          wait: full() says so.
// Source   None.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/timestamp.h"
#include "detect/detection.h"
#include "incident/grouping.h"

namespace mailwarden::incident {

struct Waiting {
  std::int64_t number = 0;  // of the detection
  detect::Detection detection;
  GroupingRule rule;  // by which it waits
  Timestamp until;    // by the clock
};

// What is stored: who it is about stands in the row of the detection.
struct WaitingRow {
  std::int64_t number = 0;
  std::string rule;
  std::vector<std::string> by;
  std::int64_t threshold = 0;
  std::string distinct;
  Duration within{};
  Timestamp until;

  bool operator==(const WaitingRow&) const = default;
};
struct StoredWaiting {
  WaitingRow row;
  std::optional<detect::Detection> detection;  // nothing where it was erased
};
struct WaitingMove {
  std::int64_t number = 0;
  std::optional<WaitingRow> row;  // nothing where it waits no more
};

// What of a detection counts once: itself, or its entity of the kind that must differ.
std::string counted_as(std::int64_t number, const detect::Detection& detection,
                       std::string_view distinct);

class WaitingRoom {
 public:
  static constexpr std::size_t detections_max = 20'000;
  static constexpr std::size_t of_group_max = 500;
  static constexpr Duration kept = std::chrono::days(1);

  // Why one more of the group cannot wait; "" where it can.
  std::string full(const GroupKey& key) const;
  bool is_full() const { return rows_.size() >= detections_max; }
  void add(const GroupKey& key, Waiting waiting);
  // The most that lie within one span of the rule's time together with that detection: of its
  // rule, each counted once or each different value once.
  std::int64_t count(const GroupKey& key, const GroupingRule& rule,
                     const detect::Detection& detection) const;
  // Those of the group whose events lie that near to the time, whatever they wait for; they wait
  // no more.
  std::vector<Waiting> take(const GroupKey& key, Timestamp time, Duration within);
  std::vector<Waiting> take_all();
  // What is known of the impact by those of the group.
  void add_facts(const GroupKey& key, Facts& facts) const;
  // Lets go of those whose time is over.
  void expire(Timestamp now);
  // Lets go of those whose text is told to name somebody.
  void forget(const std::function<bool(std::string_view text)>& names);

  // What the store has already; where none of that number is added, it is taken out of it.
  void know(const WaitingRow& row);
  std::vector<WaitingMove> take_moves();
  std::size_t size() const { return rows_.size(); }

 private:
  // Takes out of all groups what `leaves` says.
  template <class Leaves>
  void remove_if(Leaves leaves);
  void remove(std::int64_t number);

  std::map<GroupKey, std::vector<Waiting>> groups_;
  std::map<std::int64_t, WaitingRow> rows_;
  std::map<std::int64_t, WaitingRow> stored_;
  std::set<std::int64_t> touched_;
  Timestamp next_end_ = Timestamp::latest;  // nothing is over before this
};

}  // namespace mailwarden::incident
