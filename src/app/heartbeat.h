// A sign of life for a dead man's switch outside.
//
// What     Whoever watches the watcher must learn when it stops, and nothing that has stopped can
//          tell. So a request goes to a switch at every interval, which alarms when none comes: at
//          once behind the start, and from then on only while the core's loop turns, the store
//          takes what is written, and the audit of escalations finds nothing. Otherwise it is
//          withheld, and the log says why.
// Owns     Its thread, which waits for a slow switch in the core's place.
// Threads  Pulse: one. Heartbeat: turn() from the core's, standing() from any.
// Errors   Told to the log, the same once.
// Limits   config::HeartbeatConfig; Pulse::stall_max; a request takes request_max.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "config/config.h"

namespace mailwarden::app {

// Whether a beat may be sent, without threads.
class Pulse {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // A turn of the loop that takes longer is a loop that stands still.
  static constexpr std::chrono::seconds stall_max{30};

  // The loop has turned; `trouble` says what is not well, "" for nothing.
  void turn(Time at, std::string trouble);
  bool has_turned() const { return turned_.has_value(); }
  // Why none may be; "" where one may.
  std::string why_not(Time now) const;

 private:
  std::optional<Time> turned_;
  std::string trouble_;
};

class Heartbeat {
 public:
  // What is tried again before the interval is over: a beat that was withheld or not taken.
  static constexpr std::chrono::seconds retry{5};
  static constexpr std::chrono::seconds request_max{10};

  Heartbeat(config::HeartbeatConfig options, const Clock& clock, Log& log)
      : options_(std::move(options)), clock_(clock), log_(log) {}
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;
  ~Heartbeat() { stop(); }

  void start();
  // Waits for one request at most.
  void stop();

  void turn(std::string trouble);
  // "sent at …", "withheld: …", "not taken: …"; "" before the first.
  std::string standing() const;

  // One request.
  Result<void> beat();

 private:
  void run(const std::stop_token& stop);
  // Whether one was taken.
  bool try_one();
  void tell(const std::string& trouble);

  const config::HeartbeatConfig options_;
  const Clock& clock_;
  Log& log_;
  std::string told_;  // the thread's: trouble that was told last

  mutable std::mutex mutex_;
  std::condition_variable_any wake_;
  Pulse pulse_;
  std::string standing_;
  std::jthread thread_;
};

}  // namespace mailwarden::app
