// What a correlation measures in a window, and when its condition holds.
//
// What     Each condition is made into one that compares sums of weights. A count is the sum of
//          ones, an average of at least c is a sum of (value - c) that is not negative, and a
//          percentile p is at least c where the sum of (p - 100 for each value below c) is over
//          zero. So every type costs the same: a sum that an entry joins and leaves, without a
//          division, an order of values or a rounding that drifts.
// Owns     Its numbers.
// Threads  Values.
// Errors   None; the correlation was checked when it was read.
// Limits   Sums are exact for 10^10 entries.
// Source   Sigma 2.1.0 correlations; docs/sigma.md, "Correlations".
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/timestamp.h"
#include "detect/amount.h"
#include "detect/rule.h"

namespace mailwarden::detect {

// The first is compared with the lower bound, the second with the upper one.
using Sums = std::array<Sum, 2>;

inline Sums operator+(const Sums& a, const Sums& b) {
  return {a[0] + b[0], a[1] + b[1]};
}
inline Sums operator-(const Sums& a, const Sums& b) {
  return {a[0] - b[0], a[1] - b[1]};
}

struct MeasureLimits {
  Duration lateness{};
  std::size_t late_windows_max = 0;
};

struct Weighed {
  std::int64_t amount = 0;
  std::int64_t count = 1;
};

class Measure {
 public:
  Measure(const Correlation& correlation, const MeasureLimits& limits);

  Duration timespan() const { return timespan_; }
  const MeasureLimits& limits() const { return limits_; }
  bool distinct() const { return distinct_; }
  bool ordered() const { return type_ == Correlation::Type::temporal_ordered; }
  std::size_t steps() const { return steps_; }
  // Whether folded lines weigh as often as they say.
  bool repeats() const { return !distinct_ && !ordered(); }

  // What an entry adds to the sums; with distinct(), what a value adds that was not there.
  Sums weight(std::int64_t amount, std::int64_t count) const;

  bool holds(const Sums& sums) const {
    const bool low = sums[0] >= low_;
    const bool high = sums[1] <= high_;
    return either_ ? low || high : low && high;
  }

  // What was measured, for a person: "3 values", "sum 12.5"; nothing where the count tells it.
  std::string told(const Sums& sums, std::vector<Weighed> amounts) const;

  // Windows that ended longer ago than this before the newest entry of their group are closed.
  Timestamp open_since(Timestamp newest) const { return newest - limits_.lateness * 2; }

 private:
  void take_bounds(const Correlation& correlation);

  Correlation::Type type_;
  Duration timespan_;
  MeasureLimits limits_;
  std::size_t steps_ = 0;
  bool distinct_ = false;
  bool either_ = false;
  std::int64_t low_at_ = 0;  // what an average or a percentile is compared with
  std::int64_t high_at_ = 0;
  std::int64_t percentile_ = 0;
  Sum low_ = 0;
  Sum high_ = 0;
};

// "12.5"
std::string amount_text(Sum amount);

}  // namespace mailwarden::detect
