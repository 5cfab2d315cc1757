// Many notices, few notifications.
//
// What     A GroupBook gathers signals and changes of incidents by route and by the labels of its
//          group_by. A group tells for the first time `wait` after its first member came, then at
//          most every `interval` where there is news, and every `repeat` while something lasts.
//          News are signals that fire or are over and were not told to be, and changes of
//          incidents. What is silenced or inhibited when a group is due is counted, not told; a
//          signal is told when that ends while it still fires. Outside its route's hours a group
//          waits.
//          Everything is due at a moment that stands in the group, so a restart tells at once what
//          came due meanwhile, under the key that it would have had.
// Owns     Its groups, and who is in them.
// Threads  One, the core's.
// Errors   None.
// Limits   incidents_max of a group, beyond which changes are counted alone; notification.h for
//          what a notification lists.
// Source   Alertmanager 0.25, packages dispatch and notify (DedupStage).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "alert/inhibition.h"
#include "alert/notification.h"
#include "alert/routes.h"
#include "alert/signal.h"
#include "alert/silence.h"
#include "base/timestamp.h"
#include "incident/incident.h"
#include "json/value.h"

namespace mailwarden::alert {

struct Group {
  static constexpr std::size_t incidents_max = 10'000;

  std::int64_t number = 0;  // from 1
  std::string route;        // its id
  Labels labels;
  Timestamp begun;
  Timestamp due;             // when it is looked at next
  std::int64_t flushes = 0;  // notifications so far
  std::optional<Timestamp> notified;
  std::map<std::int64_t, IncidentNews> incidents;
  std::int64_t left_out = 0;  // changes of further incidents, since it told last

  bool operator==(const Group&) const = default;
};
json::Object to_json(const Group& group);
Result<Group> group_from_json(const json::Value& value);

// What groups are made of and judged by.
struct GroupContext {
  const Routes& routes;
  SignalBook& signals;
  const SilenceBook& silences;
  const std::string& origin;
};

class GroupBook {
 public:
  GroupBook() = default;
  // As they were stored; use() then finds who is in them.
  explicit GroupBook(std::vector<Group> groups);

  // The routes are new: groups of others are let go of, and signals find theirs.
  void use(const GroupContext& context, Timestamp now);
  // One that began.
  void take(const GroupContext& context, std::int64_t signal, Timestamp now);
  void take(const GroupContext& context, const incident::Change& change,
            const incident::Incident& incident);
  // What the groups that are due have to tell.
  std::vector<Notice> flush(const GroupContext& context, Timestamp now);

  const std::map<std::int64_t, Group>& all() const { return groups_; }
  const Group* find(std::int64_t number) const;
  const std::set<std::int64_t>& members(std::int64_t group) const;

  // What has changed since the last call and must be stored.
  struct Touched {
    std::set<std::int64_t> groups;
    std::set<std::int64_t> gone;
    std::set<std::int64_t> signals;
  };
  Touched take_touched() { return std::exchange(touched_, {}); }

 private:
  Group& group_of(const Route& route, const Labels& labels, Timestamp now);
  void place(const GroupContext& context, const Signal& signal, Timestamp now);
  void plan(Group& group, Timestamp due);
  std::optional<Notice> tell(const GroupContext& context, const Inhibitors& inhibitors,
                             const Route& route, Group& group, Timestamp now);
  void gather(const GroupContext& context, const Inhibitors& inhibitors, Flush& flush);
  void gather(const GroupContext& context, const Inhibitors& inhibitors, Group& group, bool repeats,
              Flush& flush);
  void mark(Signal& signal, Signal::Told as, std::int64_t group);
  void let_go(SignalBook& signals, std::int64_t group, Timestamp now);
  void drop(SignalBook& signals, std::int64_t group);

  std::map<std::int64_t, Group> groups_;
  std::map<std::pair<std::string, Labels>, std::int64_t> by_labels_;
  std::map<std::int64_t, std::set<std::int64_t>> members_;    // signals by group
  std::map<std::int64_t, std::set<std::int64_t>> groups_of_;  // groups by incident
  std::set<std::pair<Timestamp, std::int64_t>> due_;
  std::int64_t last_number_ = 0;
  Touched touched_;
};

}  // namespace mailwarden::alert
