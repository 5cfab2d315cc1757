// What is done outside the daemon, behind the commit of its cause.
//
// What     Errands carries alerts to their receivers and does the steps of playbooks, each in its
//          lane: a receiver, or a step. In a lane one errand runs at a time, so that a slow receiver
//          keeps nobody else waiting; of a group only so many, so that slow steps keep no alert
//          waiting. What fails for the moment is tried again, later
//          each time; every outcome comes back through take_outcomes().
// Owns     Its threads and what waits in memory; the store has all of it, so a stop loses nothing.
// Threads  add(), take_outcomes() and the questions from any thread.
// Errors   An errand's Error{unavailable} or Error{io} means that it is tried again until
//          tries_max or give_up_after; any other ends it.
// Limits   ErrandsOptions::threads, group_max; what waits is bounded by what the store holds as pending.
#pragma once

#include <condition_variable>
#include <cstdint>
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

struct Errand {
  std::string key;  // no two errands that wait have the same
  std::string lane;
  std::string group;  // of which few are at work at once; "" for none
  Timestamp since;    // when it was decided
  Duration give_up_after = std::chrono::hours(72);
  std::int64_t tries_max = 0;  // 0: as many as the time allows
  std::function<Result<json::Object>()> run;
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
  void settle(const std::string& key, Result<json::Object> result, Timestamp now);
  std::vector<ErrandOutcome> take_outcomes();

  std::size_t waiting() const { return items_.size(); }
  // Whether each that still waits has been tried at least once, and all outcomes were taken.
  bool all_tried() const;

 private:
  struct Item {
    Errand errand;
    std::int64_t tries = 0;
    Timestamp due;
    std::uint64_t order = 0;
    bool running = false;
  };

  bool is_full(const Errand& errand) const;
  bool is_over(const Item& item, const Result<json::Object>& result, Timestamp now) const;

  ErrandsOptions options_;
  std::map<std::string, Item> items_;
  std::set<std::string> busy_;
  std::map<std::string, int, std::less<>> at_work_;  // by group
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
