// Where the present comes from.
//
// What     Clock is an edge of the process: the daemon asks the system, a test says what time it
//          is.
// Owns     Nothing.
// Threads  now() may be called from any thread.
// Errors   None.
// Limits   None.
#pragma once

#include <atomic>

#include "base/timestamp.h"

namespace mailwarden {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Timestamp now() const = 0;
};

// The system's wall clock. It may jump; whoever needs an order uses the ledger's, not this.
class SystemClock final : public Clock {
 public:
  Timestamp now() const override;
};

// Stands still until it is told to move.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Timestamp start) : us_(start.us) {}

  Timestamp now() const override { return {us_.load()}; }
  void set(Timestamp at) { us_.store(at.us); }
  void advance(Duration by) { us_.fetch_add(by.count()); }

 private:
  std::atomic<std::int64_t> us_;
};

}  // namespace mailwarden
