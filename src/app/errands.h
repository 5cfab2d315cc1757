// What is done outside the daemon, behind the commit of its cause.
//
// What     Errands carries alerts to their receivers and does the steps of playbooks, each in its
//          lane: a receiver, or a step. In a lane one errand runs at a time, so that a slow
//          receiver keeps nobody else waiting; of a group only so many, so that slow steps keep no
//          alert waiting. What fails for the moment is tried again, later each time, and a lane
//          whose other end asked for a pause gets it; every outcome comes back through
//          take_outcomes().
// Owns     Its threads and what waits in memory; the store has all of it, so a stop loses nothing.
// Threads  add(), take_outcomes() and the questions from any thread.
// Errors   An errand's Error{unavailable} or Error{io} means that it is tried again until
//          tries_max or give_up_after; any other ends it.
// Limits   ErrandsOptions::threads, group_max, pause_asked_max; Errand::per_minute. What waits is
//          bounded by what the store holds as pending.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "json/value.h"

namespace mailwarden::app {

// What one try came to.
struct Attempt {
  Attempt(Result<json::Object> came_to, Duration asked = {})
      : result(std::move(came_to)), pause(asked) {}

  Result<json::Object> result;
  Duration pause;  // for which the lane is to be left alone
};

struct Errand {
  std::string key;  // no two errands that wait have the same
  std::string lane;
  std::string group;            // of which few are at work at once; "" for none
  std::string subject;          // what it is about, in its lane
  bool follows = false;         // waits until what came before it about the subject is over
  std::int64_t per_minute = 0;  // as many in any minute of the lane; 0 for no such limit
  Timestamp since;              // when it was decided
  Duration give_up_after = std::chrono::hours(72);
  std::int64_t tries_max = 0;  // 0: as many as the time allows
  std::function<Attempt()> run;
};

struct ErrandOutcome {
  std::string key;
  bool over = false;  // false: tried in vain for the first time, and tried again later
  std::int64_t tries = 0;
  Result<json::Object> result;
};

struct ErrandsOptions {
  unsigned threads = 12;
  int group_max = 8;  // of a group at work at once, so that others find a thread
  Duration first_pause = std::chrono::seconds(1);
  Duration pause_max = std::chrono::minutes(5);
  Duration pause_asked_max = std::chrono::hours(1);  // what is asked for beyond is not heeded
};

// How long to wait behind so many tries: twice as long each time.
Duration pause_after(std::int64_t tries, const ErrandsOptions& options);

// Which errand is next, without threads: what Errands does under its lock.
class ErrandQueue {
 public:
  explicit ErrandQueue(const ErrandsOptions& options) : options_(options) {}

  void add(Errand errand);
  // The errand to run now, in a lane that is free; its lane is taken until settle().
  const Errand* take(Timestamp now);
  void settle(const std::string& key, Attempt attempt, Timestamp now);
  std::vector<ErrandOutcome> take_outcomes();

  std::size_t waiting() const { return items_.size(); }
  // Whether each that still waits has been tried at least once, or may not be because of one that
  // was or of a pause that was asked for, and all outcomes were taken.
  bool all_tried(Timestamp now) const;

 private:
  struct Item {
    Errand errand;
    std::int64_t tries = 0;
    Timestamp due;
    std::uint64_t order = 0;
    bool running = false;
  };
  struct Lane {
    bool busy = false;
    Timestamp paused_until;
    std::deque<Timestamp> begun;  // in the last minute, where there is a limit
  };
  using Subject = std::pair<std::string, std::string>;  // with its lane

  bool is_full(const Errand& errand) const;
  bool is_over(const Item& item, const Result<json::Object>& result, Timestamp now) const;
  bool is_paused(const Lane& lane, Timestamp now) const;
  bool waits_for_another(const Item& item) const;
  bool may_begin(const Item& item, Timestamp now);

  ErrandsOptions options_;
  std::map<std::string, Item> items_;
  std::map<std::string, int, std::less<>> at_work_;  // by group
  std::map<std::string, Lane> lanes_;
  std::map<Subject, std::set<std::uint64_t>> subjects_;  // the orders of those that wait
  std::vector<ErrandOutcome> outcomes_;
  std::uint64_t added_ = 0;
};

class Errands {
 public:
  Errands(const ErrandsOptions& options, const Clock& clock);
  Errands(const Errands&) = delete;
  Errands& operator=(const Errands&) = delete;
  ~Errands();

  // Waits for those at work, whose outcomes can still be taken; what waits is left to the next
  // start.
  void stop();

  void add(std::vector<Errand> errands);
  std::vector<ErrandOutcome> take_outcomes();
  std::size_t waiting() const;
  bool all_tried() const;

 private:
  void work(const std::stop_token& stop);

  const Clock& clock_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  ErrandQueue queue_;
  std::vector<std::jthread> threads_;
};

}  // namespace mailwarden::app
