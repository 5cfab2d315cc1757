// How many detections a second the correlator takes, beside the floor of looking a group up.
//
// usage: correlate_bench [GROUPS] [DETECTIONS]
//
// For each type: detections of GROUPS groups in turn by chance, so that nearly every one finds its
// group out of the processor's caches; once in the order of time and once with a tenth of them up
// to 20 seconds late. A condition that hardly ever holds keeps the groups alive. The floor is the
// hash of the group's key and one look into a table of that many keys, with the same detections.
#include <chrono>
#include <cstdio>
#include <fstream>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

#include <unistd.h>

#include "base/check.h"
#include "base/text.h"
#include "detect/correlator.h"

namespace {

using namespace mailwarden;
using namespace mailwarden::detect;
using Clock = std::chrono::steady_clock;

struct Lane {
  const char* type;
  const char* condition;
};

constexpr Lane lanes[] = {{"event_count", "gte: 1000000"},
                          {"value_count", "field: value, gte: 1000000"},
                          {"temporal", ""},
                          {"temporal_ordered", ""},
                          {"value_sum", "field: value, gte: 1e12"},
                          {"value_avg", "field: value, gte: 1e9"},
                          {"value_percentile", "field: value, gte: 1e9, percentile: 95"}};

double resident_megabytes() {
  std::ifstream status("/proc/self/statm");
  double size = 0;
  double resident = 0;
  status >> size >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1e6;
}

// The rule "never" does not occur, so that what needs it never completes.
RuleSet rules_of(const Lane& lane) {
  std::string text;
  for (const char* rule : {"one", "two", "never"}) {
    text += "{title: " + std::string(rule) + ", id: " + rule +
            ", logsource: {product: x}, detection: {s: {a: b}, condition: s}}\n---\n";
  }
  text += "title: c\nid: c\ncorrelation:\n  type: " + std::string(lane.type) +
          "\n  rules: [one, two, never]\n  group-by: [src_endpoint.ip]\n  timespan: 10m\n";
  if (*lane.condition != 0) text += "  condition: {" + std::string(lane.condition) + "}\n";
  RuleSet rules = RuleSet::make(parse_rules(text, "bench.yml")).value();
  CHECK(rules.refused().empty());
  return rules;
}

// 100,000 groups in ten minutes: a group has five to six entries in its window.
std::vector<Detection> detections_of(std::size_t count, std::size_t groups, bool late) {
  std::mt19937_64 random(20261124);
  std::vector<Detection> made;
  made.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto group = random() % groups;
    const auto us = static_cast<std::int64_t>(i) * 1000;
    const bool behind = late && random() % 10 == 0;
    const auto lateness = behind ? static_cast<std::int64_t>(random() % 20'000'000) : 0;
    made.push_back({.rule_id = random() % 2 == 0 ? "one" : "two",
                    .event = {1, static_cast<std::int64_t>(i)},
                    .time = {us - lateness},
                    .values = {{"src_endpoint.ip", "203.0.113." + std::to_string(group)},
                               {"value", std::to_string(random() % 1000)}}});
  }
  return made;
}

void report(const char* name, const char* order, std::size_t count, double seconds, double floor) {
  std::printf("%-17s %-13s %9.0f detections/s  %5.0f ns each  %4.1f floors\n", name, order,
              static_cast<double>(count) / seconds, seconds / static_cast<double>(count) * 1e9,
              seconds / floor);
}

double floor_of(const std::vector<Detection>& detections) {
  KeyedMap<std::int64_t> table(0, KeyedHash(7));
  for (const Detection& one : detections) ++table[one.values.front().second];
  const auto begin = Clock::now();
  for (const Detection& one : detections) ++table.find(one.values.front().second)->second;
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  CHECK(!table.empty());
  return seconds;
}

void measure(const Lane& lane, const std::vector<Detection>& detections, const char* order,
             double floor) {
  const RuleSet rules = rules_of(lane);
  const double before = resident_megabytes();
  Correlator correlator(rules, {.groups_max = 1'000'000, .bytes_max = 2'000'000'000});
  std::size_t fired = 0;
  const auto begin = Clock::now();
  for (const Detection& one : detections) fired += correlator.advance(one).size();
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  report(lane.type, order, detections.size(), seconds, floor);
  const auto snapshot_begin = Clock::now();
  const std::size_t bytes = correlator.snapshot().size();
  const double snapshot = std::chrono::duration<double>(Clock::now() - snapshot_begin).count();
  std::printf(
      "    %zu groups live, %zu fired, %lld dropped; resident %.0f MB before, %.0f MB after;"
      " counted %.0f MB; snapshot %.0f MB in %.2f s\n",
      correlator.groups(), fired, static_cast<long long>(correlator.dropped()), before,
      resident_megabytes(), static_cast<double>(correlator.bytes()) / 1e6,
      static_cast<double>(bytes) / 1e6, snapshot);
}

}  // namespace

int main(int count, char** words) {
  const auto word = [&](int i, std::int64_t otherwise) {
    return static_cast<std::size_t>(count > i ? to_integer(words[i]).value_or(otherwise)
                                              : otherwise);
  };
  const std::size_t groups = word(1, 100'000);
  const std::size_t many = word(2, 2'000'000);
  for (const bool late : {false, true}) {
    const std::vector<Detection> detections = detections_of(many, groups, late);
    const char* order = late ? "a tenth late" : "in order";
    const double floor = floor_of(detections);
    report("floor: look-up", order, many, floor, floor);
    for (const Lane& lane : lanes) measure(lane, detections, order, floor);
  }
  return 0;
}
