// How many detections a second the correlator takes, beside the floor of looking a group up.
//
// usage: correlate_bench [GROUPS] [DETECTIONS] [TYPE]
//
// For each type: detections of GROUPS groups in turn by chance, so that nearly every one finds its
// group out of the processor's caches; once in the order of time and once with a tenth of them up
// to 20 seconds late. A condition that hardly ever holds keeps the groups alive. The floor is the
// hash of the group's key and one look into a table of that many keys, with the same detections.
#include <chrono>
#include <cstdio>
#include <fstream>
#include <random>
#include <span>
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

constexpr std::size_t warm_up = 800'000;

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

// Makes detections a batch at a time, as they come out of matching: warm in the caches, and not all
// in memory at once. In ten minutes there are six for each of 100,000 groups.
class Source {
 public:
  static constexpr std::size_t batch_max = 256;

  Source(std::size_t groups, bool late) : groups_(groups), late_(late) {}

  const std::vector<Detection>& next() {
    batch_.clear();
    while (batch_.size() < batch_max) batch_.push_back(one());
    return batch_;
  }

 private:
  Detection one() {
    const bool behind = late_ && random_() % 10 == 0;
    const auto lateness = behind ? static_cast<std::int64_t>(random_() % 20'000'000) : 0;
    const std::int64_t number = made_++;
    return {.rule_id = random_() % 2 == 0 ? "one" : "two",
            .event = {1, number},
            .time = {number * 1000 - lateness},
            .values = {{"src_endpoint.ip", "203.0.113." + std::to_string(random_() % groups_)},
                       {"value", std::to_string(random_() % 1000)}}};
  }

  std::size_t groups_;
  bool late_;
  std::mt19937_64 random_{20261124};
  std::int64_t made_ = 0;
  std::vector<Detection> batch_;
};

// Of `count` detections, after as many as the windows hold when they are full.
template <class Take>
double seconds_of(std::size_t count, std::size_t groups, bool late, Take take) {
  Source source(groups, late);
  for (std::size_t done = 0; done < warm_up; done += Source::batch_max) {
    take(source.next());
  }
  std::chrono::duration<double> spent{};
  for (std::size_t done = 0; done < count; done += Source::batch_max) {
    const std::vector<Detection>& batch = source.next();
    const auto begin = Clock::now();
    take(batch);
    spent += Clock::now() - begin;
  }
  return spent.count();
}

void report(const char* name, const char* order, std::size_t count, double seconds, double floor) {
  std::printf("%-17s %-13s %9.0f detections/s  %5.0f ns each  %4.1f floors\n", name, order,
              static_cast<double>(count) / seconds, seconds / static_cast<double>(count) * 1e9,
              seconds / floor);
}

double floor_of(std::size_t count, std::size_t groups, bool late) {
  KeyedMap<std::int64_t> table(0, KeyedHash(7));
  const auto look_up = [&](std::span<const Detection> batch) {
    for (const Detection& one : batch) ++table[one.values.front().second];
  };
  return seconds_of(count, groups, late, look_up);
}

void measure(const Lane& lane, std::size_t count, std::size_t groups, bool late, double floor) {
  const RuleSet rules = rules_of(lane);
  const double before = resident_megabytes();
  Correlator correlator(rules, {.groups_max = 1'000'000, .bytes_max = 2'000'000'000});
  std::size_t fired = 0;
  const double seconds = seconds_of(count, groups, late, [&](std::span<const Detection> batch) {
    correlator.advance(batch, [&](const Detection&, const std::vector<Detection>& complete) {
      fired += complete.size();
    });
  });
  report(lane.type, late ? "a tenth late" : "in order", count, seconds, floor);
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
    const double floor = floor_of(many, groups, late);
    report("floor: look-up", late ? "a tenth late" : "in order", many, floor, floor);
    for (const Lane& lane : lanes) {
      if (count > 3 && std::string_view(words[3]) != lane.type) continue;
      measure(lane, many, groups, late, floor);
    }
  }
  return 0;
}
