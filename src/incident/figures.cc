#include "incident/figures.h"

#include <algorithm>
#include <map>

#include "incident/incident_table.h"

namespace mailwarden::incident {
namespace {

struct Gathered {
  std::int64_t incidents = 0;
  std::int64_t missed = 0;
  std::vector<Duration> detect;
  std::vector<Duration> acknowledge;
  std::vector<Duration> contain;
  std::vector<Duration> resolve;
};

// A clock that was set back took no time at all.
void add(std::vector<Duration>& times, Timestamp from, Timestamp until) {
  if (until != Timestamp()) times.push_back(std::max(until - from, Duration{}));
}

Times times_of(std::vector<Duration>& times) {
  if (times.empty()) return {};
  std::ranges::sort(times);
  const auto rank = [&](std::size_t percent) {
    return times[(times.size() * percent + 99) / 100 - 1];
  };
  return {.count = std::ssize(times),
          .median = rank(50),
          .percentile_90 = rank(90),
          .longest = times.back()};
}

bool missed_any(const Incident& incident) {
  const auto is_missed = [](const auto& one) { return one.second.missed; };
  return std::ranges::any_of(incident.deadlines, is_missed) ||
         std::ranges::any_of(incident.duties, is_missed);
}

json::Object to_json(const Times& times) {
  const auto seconds = [](Duration time) {
    return std::chrono::duration_cast<std::chrono::seconds>(time).count();
  };
  return {{"count", times.count},
          {"longest_s", std::int64_t{seconds(times.longest)}},
          {"median_s", std::int64_t{seconds(times.median)}},
          {"p90_s", std::int64_t{seconds(times.percentile_90)}}};
}

}  // namespace

std::vector<FigureRow> figures_of(std::span<const Incident> incidents) {
  std::map<std::pair<std::string, Severity>, Gathered, std::greater<>> gathered;
  for (const Incident& one : incidents) {
    if (one.state == State::dismissed || one.state == State::merged) continue;
    Gathered& into = gathered[{to_rfc3339(one.opened).substr(0, 7), one.severity}];
    ++into.incidents;
    into.missed += missed_any(one) ? 1 : 0;
    add(into.detect, one.first_event, one.opened);
    add(into.acknowledge, one.graded, one.acknowledged);
    add(into.contain, one.opened, one.contained);
    add(into.resolve, one.opened, one.resolved);
  }
  std::vector<FigureRow> rows;
  for (auto& [of, times] : gathered) {
    rows.push_back({.month = of.first,
                    .severity = of.second,
                    .incidents = times.incidents,
                    .missed = times.missed,
                    .detect = times_of(times.detect),
                    .acknowledge = times_of(times.acknowledge),
                    .contain = times_of(times.contain),
                    .resolve = times_of(times.resolve)});
  }
  return rows;
}

json::Object to_json(const FigureRow& row) {
  return {{"acknowledge", to_json(row.acknowledge)},
          {"contain", to_json(row.contain)},
          {"detect", to_json(row.detect)},
          {"incidents", row.incidents},
          {"missed", row.missed},
          {"month", row.month},
          {"resolve", to_json(row.resolve)},
          {"severity", static_cast<int>(row.severity)}};
}

Result<std::vector<FigureRow>> load_figures(db::Database& database, Timestamp from,
                                            Timestamp until) {
  std::vector<Incident> all;
  const auto read = for_each_incident(database, [&](Incident& one) {
    if (one.opened >= from && one.opened < until) all.push_back(std::move(one));
  });
  if (!read) return std::unexpected(read.error());
  return figures_of(all);
}

}  // namespace mailwarden::incident
