// Time as access knows it: it passes, and is never given back.
//
// What     An AccessTime holds the latest time that was seen and by how much the clock has been set
//          back in all since the store was made. What is over at some time is measured with both,
//          so that an hour of access is at most an hour, however the clock is set: a step forward
//          ends access early, a step back does not prolong it. Keeping the latest time alone would
//          not do: behind a clock that ran a year ahead it would stand still for a year, and what
//          was granted then would not end.
// Owns     Nothing.
// Threads  Values.
// Errors   None.
// Limits   A step back is known when see() is called: what passed between the last call before it
//          and the first after it may be granted twice. Whoever calls see() every second keeps
//          that below two seconds a step.
#pragma once

#include <algorithm>

#include "base/timestamp.h"

namespace mailwarden::access {

struct AccessTime {
  // A thousand years of setting back; more cannot be told apart and ends everything anyway.
  static constexpr Duration set_back_max = std::chrono::hours(24) * 365 * 1000;

  Timestamp latest = Timestamp::earliest;
  Duration set_back{0};

  void see(Timestamp now) {
    if (now < latest) set_back = std::min(set_back_max, set_back + (latest - now));
    latest = now;
  }

  // Whether `end` has come, which was fixed when the clock had been set back by `set_back_then`.
  bool has_reached(Timestamp end, Duration set_back_then, Timestamp now) const {
    return std::max(now, latest) + (set_back - set_back_then) >= end;
  }

  bool operator==(const AccessTime&) const = default;
};

}  // namespace mailwarden::access
