// Correlations a second time, as plainly as they can be said.
//
// What     A PlainCorrelation keeps every detection that it ever took and looks through all windows
//          anew each time. It shares nothing with the real one but the rule as it was read.
// Owns     What it has seen.
// Threads  One.
// Errors   None.
// Limits   None: it is for tests.
// Source   docs/sigma.md, "Correlations".
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "detect/rule.h"

namespace mailwarden::detect {

struct PlainArrival {
  std::string group;
  Timestamp time;
  std::size_t rule = 0;
  std::string value;        // where values are counted
  std::int64_t number = 0;  // in millionths, where numbers are added
  std::int64_t count = 1;
};

class PlainCorrelation {
 public:
  PlainCorrelation(const Correlation& rule, Duration lateness) : rule_(rule), lateness_(lateness) {}

  // How many events the window holds that the arrival completes, if it does.
  std::optional<std::int64_t> arrives(const PlainArrival& arrival);

 private:
  using Seen = std::vector<PlainArrival>;

  bool holds(const Seen& window) const;
  bool is_between(double measured) const;
  std::optional<std::int64_t> counted(const Seen& seen, std::size_t at, Timestamp open) const;
  std::optional<std::int64_t> ordered(const Seen& seen, std::size_t at, Timestamp open) const;
  bool chains(const Seen& seen, std::vector<std::size_t>& chain, std::size_t at,
              Timestamp open) const;

  Correlation rule_;
  Duration lateness_;
  std::map<std::string, Seen> groups_;  // by time, then by arrival
};

}  // namespace mailwarden::detect
