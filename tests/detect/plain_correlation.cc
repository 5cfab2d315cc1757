#include "tests/detect/plain_correlation.h"

#include <cmath>

namespace mailwarden::detect {
namespace {

using Type = Correlation::Type;

// Exact for the few digits of the tests.
std::int64_t sum_of(const std::vector<PlainArrival>& window) {
  std::int64_t sum = 0;
  for (const PlainArrival& one : window) sum += one.number * one.count;
  return sum;
}

std::int64_t count_of(const std::vector<PlainArrival>& window) {
  std::int64_t count = 0;
  for (const PlainArrival& one : window) count += one.count;
  return count;
}

// The value of nearest rank.
std::int64_t percentile_of(const std::vector<PlainArrival>& window, std::int64_t percentile) {
  std::vector<std::int64_t> values;
  for (const PlainArrival& one : window) {
    values.insert(values.end(), static_cast<std::size_t>(one.count), one.number);
  }
  std::ranges::sort(values);
  const double rank = static_cast<double>(percentile) / 1e8 * static_cast<double>(values.size());
  return values.at(static_cast<std::size_t>(std::ceil(rank - 1e-9)) - 1);
}

template <class Of>
std::int64_t different(const std::vector<PlainArrival>& window, Of of) {
  std::set<std::string> values;
  for (const PlainArrival& one : window) values.insert(of(one));
  return static_cast<std::int64_t>(values.size());
}

}  // namespace

bool PlainCorrelation::is_between(double measured) const {
  const auto above = [&](const Correlation::Bound& bound) {
    const auto limit = static_cast<double>(bound.millionths);
    return bound.open ? measured > limit : measured >= limit;
  };
  const auto below = [&](const Correlation::Bound& bound) {
    const auto limit = static_cast<double>(bound.millionths);
    return bound.open ? measured < limit : measured <= limit;
  };
  if (rule_.differs) return above(*rule_.at_least) || below(*rule_.at_most);
  return (!rule_.at_least || above(*rule_.at_least)) && (!rule_.at_most || below(*rule_.at_most));
}

bool PlainCorrelation::holds(const Seen& window) const {
  switch (rule_.type) {
    case Type::event_count:
      return is_between(1e6 * static_cast<double>(count_of(window)));
    case Type::value_count:
      return is_between(1e6 * static_cast<double>(different(
                                  window, [](const PlainArrival& one) { return one.value; })));
    case Type::temporal:
      return is_between(1e6 * static_cast<double>(different(window, [](const PlainArrival& one) {
                          return std::to_string(one.rule);
                        })));
    case Type::value_sum:
      return is_between(static_cast<double>(sum_of(window)));
    case Type::value_avg:
      return is_between(static_cast<double>(sum_of(window)) /
                        static_cast<double>(count_of(window)));
    case Type::value_percentile:
      return is_between(static_cast<double>(percentile_of(window, rule_.percentile)));
    case Type::temporal_ordered:
      break;
  }
  return false;
}

std::optional<std::int64_t> PlainCorrelation::counted(const Seen& seen, std::size_t at,
                                                      Timestamp open) const {
  for (std::size_t end = at; end < seen.size(); ++end) {
    if (seen[end].time - seen[at].time > rule_.timespan || seen[end].time < open) continue;
    Seen window;
    for (std::size_t i = 0; i <= end; ++i) {
      if (seen[end].time - seen[i].time <= rule_.timespan) window.push_back(seen[i]);
    }
    if (holds(window)) return count_of(window);
  }
  return std::nullopt;
}

// Whether the chain of the first rules goes on to all of them, `at` among them.
bool PlainCorrelation::chains(const Seen& seen, std::vector<std::size_t>& chain, std::size_t at,
                              Timestamp open) const {
  if (chain.size() == rule_.rules.size()) {
    return std::ranges::find(chain, at) != chain.end() && seen[chain.back()].time >= open;
  }
  const std::size_t begin = chain.empty() ? 0 : chain.back() + 1;
  for (std::size_t i = begin; i < seen.size(); ++i) {
    if (seen[i].rule != chain.size()) continue;
    if (!chain.empty() && seen[i].time - seen[chain.front()].time > rule_.timespan) break;
    chain.push_back(i);
    if (chains(seen, chain, at, open)) return true;
    chain.pop_back();
  }
  return false;
}

std::optional<std::int64_t> PlainCorrelation::ordered(const Seen& seen, std::size_t at,
                                                      Timestamp open) const {
  std::vector<std::size_t> chain;
  if (!chains(seen, chain, at, open)) return std::nullopt;
  return static_cast<std::int64_t>(rule_.rules.size());
}

std::optional<std::int64_t> PlainCorrelation::arrives(const PlainArrival& arrival) {
  Seen& seen = groups_[arrival.group];
  const auto behind = std::ranges::upper_bound(seen, arrival.time, {}, &PlainArrival::time);
  const auto at = static_cast<std::size_t>(behind - seen.begin());
  seen.insert(behind, arrival);
  const Timestamp open = seen.back().time - 2 * lateness_;
  const auto completed =
      rule_.type == Type::temporal_ordered ? ordered(seen, at, open) : counted(seen, at, open);
  if (completed) seen.clear();
  return completed;
}

}  // namespace mailwarden::detect
