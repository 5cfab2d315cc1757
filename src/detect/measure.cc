#include "detect/measure.h"

#include <algorithm>

namespace mailwarden::detect {
namespace {

using Type = Correlation::Type;

constexpr Sum far_away = Sum{1} << 126;
constexpr std::int64_t hundred = 100 * amount_unit;

}  // namespace

Measure::Measure(const Correlation& correlation, const MeasureLimits& limits)
    : type_(correlation.type),
      timespan_(correlation.timespan),
      limits_(limits),
      steps_(correlation.rules.size()),
      distinct_(type_ == Type::value_count || type_ == Type::temporal),
      either_(correlation.differs),
      percentile_(correlation.percentile) {
  take_bounds(correlation);
}

void Measure::take_bounds(const Correlation& correlation) {
  const auto& low = correlation.at_least;
  const auto& high = correlation.at_most;
  low_ = low ? low->millionths + (low->open ? 1 : 0) : -far_away;
  high_ = high ? high->millionths - (high->open ? 1 : 0) : far_away;
  if (type_ == Type::value_avg) {
    if (low) low_at_ = low->millionths;
    if (high) high_at_ = high->millionths;
    low_ = low ? (low->open ? 1 : 0) : -far_away;
    high_ = high ? (high->open ? -1 : 0) : far_away;
  } else if (type_ == Type::value_percentile) {
    // Values are whole millionths, so that over c is the same as at least the next of them.
    if (low) low_at_ = static_cast<std::int64_t>(low_);
    if (high) high_at_ = static_cast<std::int64_t>(high_);
    low_ = low ? 1 : -far_away;
    high_ = high ? 0 : far_away;
  }
}

Sums Measure::weight(std::int64_t amount, std::int64_t count) const {
  switch (type_) {
    case Type::value_sum:
      return {Sum{amount} * count, Sum{amount} * count};
    case Type::value_avg:
      return {(Sum{amount} - low_at_) * count, (Sum{amount} - high_at_) * count};
    case Type::value_percentile:
      return {Sum{percentile_ - (amount < low_at_ ? hundred : 0)} * count,
              Sum{percentile_ - (amount <= high_at_ ? hundred : 0)} * count};
    case Type::event_count:
    case Type::value_count:
    case Type::temporal:
    case Type::temporal_ordered:
      break;
  }
  return {Sum{amount_unit} * count, Sum{amount_unit} * count};
}

std::string Measure::told(const Sums& sums, std::vector<Weighed> amounts) const {
  if (type_ == Type::value_count) return amount_text(sums[0]) + " values";
  if (type_ == Type::value_sum) return "sum " + amount_text(sums[0]);
  if (amounts.empty() || (type_ != Type::value_avg && type_ != Type::value_percentile)) return {};
  Sum all = 0;
  Sum count = 0;
  for (const Weighed& one : amounts) {
    all += Sum{one.amount} * one.count;
    count += one.count;
  }
  if (type_ == Type::value_avg) return "average " + amount_text(all / count);
  // The nearest rank: the smallest value that at least so many percent of all do not exceed.
  std::ranges::sort(amounts, {}, &Weighed::amount);
  auto at = amounts.begin();
  for (Sum below = at->count; below * hundred < count * percentile_; below += at->count) ++at;
  return "percentile " + amount_text(percentile_) + " is " + amount_text(at->amount);
}

std::string amount_text(Sum amount) {
  std::string text = amount < 0 ? "-" : "";
  const Sum size = amount < 0 ? -amount : amount;
  std::string digits;
  for (Sum rest = size / amount_unit; rest > 0 || digits.empty(); rest /= 10) {
    digits += static_cast<char>('0' + static_cast<int>(rest % 10));
  }
  text.append(digits.rbegin(), digits.rend());
  std::string fraction = std::to_string(static_cast<std::int64_t>(size % amount_unit));
  fraction.insert(0, 6 - fraction.size(), '0');
  fraction.erase(fraction.find_last_not_of('0') + 1);
  return fraction.empty() ? text : text + "." + fraction;
}

}  // namespace mailwarden::detect
