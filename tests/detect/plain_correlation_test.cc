#include "tests/detect/plain_correlation.h"

#include <random>

#include <gtest/gtest.h>

#include "detect/correlator.h"

namespace mailwarden::detect {
namespace {

using namespace std::chrono_literals;
using Type = Correlation::Type;

constexpr Duration lateness = 20s;

struct RandomCase {
  const char* name;
  std::string type;
  std::string condition;
  std::size_t rules = 2;
};

std::string random_rules_text(const RandomCase& one) {
  std::string text;
  std::string names;
  for (std::size_t i = 0; i < one.rules; ++i) {
    const std::string name = "r" + std::to_string(i);
    text += "{title: " + name + ", id: " + name +
            ", logsource: {product: x}, detection: {s: {a: b}, condition: s}}\n---\n";
    names += (names.empty() ? "" : ", ") + name;
  }
  text += "title: c\nid: c\ncorrelation:\n  type: " + one.type + "\n  rules: [" + names +
          "]\n  group-by: [g]\n  timespan: 1m\n";
  if (!one.condition.empty()) text += "  condition: {" + one.condition + "}\n";
  return text;
}

struct Stream {
  std::size_t arrivals = 0;
  int pace = 0;  // a second and more between two
  int late_percent = 0;
  int late_most = 0;  // seconds
  int groups = 1;
  int values = 1;
  bool restarts = false;
};

// The real one and the plain one side by side.
class Pair {
 public:
  Pair(const RuleSet& rules, const Stream& stream, std::uint64_t seed)
      : rules_(rules),
        stream_(stream),
        random_(seed),
        plain_(rules.correlations().front(), lateness) {}

  // Answers how often both fired; 0 and a failure where they differ.
  std::size_t run() {
    std::size_t fired = 0;
    for (std::size_t i = 0; i < stream_.arrivals; ++i) {
      const PlainArrival arrival = draw();
      const auto expected = plain_.arrives(arrival);
      const auto found = correlator_.advance(detection_of(arrival, i));
      EXPECT_EQ(found.size(), expected ? 1U : 0U) << "arrival " << i;
      if (testing::Test::HasFailure()) return 0;
      EXPECT_EQ(found.empty() ? 0 : found.front().count, expected.value_or(0)) << "arrival " << i;
      fired += found.size();
      if (stream_.restarts && below(40) == 0) restart();
    }
    EXPECT_EQ(correlator_.dropped(), 0);
    return fired;
  }

 private:
  int below(int bound) { return static_cast<int>(random_() % static_cast<unsigned>(bound)); }

  PlainArrival draw() {
    second_ += below(stream_.pace + 1);
    const int late = below(100) < stream_.late_percent ? below(stream_.late_most + 1) : 0;
    const Correlation& rule = rules_.correlations().front();
    const bool repeats = rule.type == Type::event_count || rule.type == Type::value_sum ||
                         rule.type == Type::value_avg || rule.type == Type::value_percentile;
    const int value = below(stream_.values);
    return {.group = std::to_string(below(stream_.groups)),
            .time = Timestamp{} + std::chrono::seconds(second_ - late),
            .rule = static_cast<std::size_t>(below(static_cast<int>(rule.rules.size()))),
            .value = std::to_string(value),
            .number = (value - 2) * 500'000,
            .count = repeats && below(10) == 0 ? 1 + below(3) : 1};
  }

  Detection detection_of(const PlainArrival& arrival, std::size_t number) {
    const Correlation& rule = rules_.correlations().front();
    const std::string value = rule.type == Type::value_count
                                  ? arrival.value
                                  : std::to_string(static_cast<double>(arrival.number) / 1e6);
    return {.rule_id = rule.rules[arrival.rule],
            .event = {1, static_cast<std::int64_t>(number)},
            .time = arrival.time,
            .count = arrival.count,
            .values = {{"g", arrival.group}, {"v", value}}};
  }

  void restart() {
    const std::string snapshot = correlator_.snapshot();
    correlator_ = Correlator(rules_, {.lateness = lateness});
    ASSERT_TRUE(correlator_.restore(snapshot));
    ASSERT_EQ(correlator_.snapshot(), snapshot);
  }

  const RuleSet& rules_;
  Stream stream_;
  std::mt19937_64 random_;
  PlainCorrelation plain_;
  Correlator correlator_{rules_, {.lateness = lateness}};
  int second_ = 0;
};

class RandomCorrelation : public testing::TestWithParam<RandomCase> {};

TEST_P(RandomCorrelation, IsWhatLookingThroughEverythingFinds) {
  const RuleSet rules = RuleSet::make(parse_rules(random_rules_text(GetParam()), "r.yml")).value();
  ASSERT_TRUE(rules.refused().empty()) << rules.refused().front().sentence();
  std::size_t fired = 0;
  for (std::uint64_t round = 0; round < 400; ++round) {
    const auto draw = [&](std::uint64_t part, int most) {
      return static_cast<int>((round * 2654435761U >> (4 * part)) % static_cast<unsigned>(most));
    };
    // A group that has been silent for longer than the stated lateness allows for is forgotten at
    // some time or other, with a restart at the latest.
    const bool restarts = round % 3 != 1;
    const Stream stream{.arrivals = 60,
                        .pace = 1 + draw(0, 12),
                        .late_percent = round % 2 == 0 ? 0 : 10 + draw(1, 60),
                        .late_most = 1 + draw(2, restarts ? 40 : 95),
                        .groups = 1 + draw(3, 2),
                        .values = 2 + draw(4, 6),
                        .restarts = restarts};
    SCOPED_TRACE("round " + std::to_string(round));
    fired += Pair(rules, stream, round).run();
    if (HasFailure()) return;
  }
  EXPECT_GT(fired, 50U);
}

// Many entries in a window, so that they stand in several blocks.
TEST_P(RandomCorrelation, InCrowdedWindowsToo) {
  if (GetParam().type == "temporal_ordered") return;  // which has no blocks
  std::size_t most = 0;
  for (std::uint64_t round = 0; round < 4; ++round) {
    RandomCase crowded = GetParam();
    const bool counts = crowded.type == "event_count";
    if (counts) crowded.condition = round % 2 == 0 ? "gte: 210" : "gt: 205, lt: 208";
    if (crowded.type == "value_count") crowded.condition = "field: v, gte: 65";
    if (crowded.type == "value_sum") crowded.condition = "field: v, gte: 150";
    const RuleSet rules = RuleSet::make(parse_rules(random_rules_text(crowded), "r.yml")).value();
    const Stream stream{.arrivals = 350,
                        .pace = round % 3 == 0 ? 0 : 1,
                        .late_percent = 40,
                        .late_most = 38,
                        .groups = 1,
                        .values = crowded.type == "value_count" ? 90 : 8,
                        .restarts = true};
    SCOPED_TRACE("round " + std::to_string(round));
    most += Pair(rules, stream, round + 1).run();
    if (HasFailure()) return;
  }
  // An average of many is too steady to fire again.
  const bool steady = GetParam().type == "value_avg" || GetParam().type == "value_percentile";
  EXPECT_TRUE(steady || most > 0);
}

INSTANTIATE_TEST_SUITE_P(
    Types, RandomCorrelation,
    testing::Values(
        RandomCase{"EventCount", "event_count", "gte: 6"},
        RandomCase{"EventCountEqual", "event_count", "eq: 5"},
        RandomCase{"EventCountRange", "event_count", "gt: 4, lt: 7"},
        RandomCase{"ValueCount", "value_count", "field: v, gte: 5"},
        RandomCase{"ValueCountRange", "value_count", "field: v, gte: 3, lte: 4"},
        RandomCase{"ValueSum", "value_sum", "field: v, gt: 4.5"},
        RandomCase{"ValueSumRange", "value_sum", "field: v, gte: 3, lt: 4"},
        RandomCase{"ValueAverage", "value_avg", "field: v, gte: 1.25"},
        RandomCase{"ValueAverageBelow", "value_avg", "field: v, lt: -0.5"},
        RandomCase{"ValueAverageRange", "value_avg", "field: v, gt: 0.9, lt: 1"},
        RandomCase{"ValueAverageOther", "value_avg", "field: v, neq: 0"},
        RandomCase{"Median", "value_percentile", "field: v, gt: 1"},
        RandomCase{"MedianBelow", "value_percentile", "field: v, lte: -1"},
        RandomCase{"Percentile90", "value_percentile", "field: v, gte: 2, percentile: 90"},
        RandomCase{"Percentile25", "value_percentile",
                   "field: v, gte: 0.5, lt: 1.5, percentile: 25"},
        RandomCase{"PercentileOther", "value_percentile", "field: v, neq: 1, percentile: 40"},
        RandomCase{"Temporal", "temporal", "", 3},
        RandomCase{"TemporalOfFive", "temporal", "gte: 4", 5},
        RandomCase{"Ordered", "temporal_ordered", "", 3},
        RandomCase{"OrderedOfTwo", "temporal_ordered", "", 2},
        RandomCase{"OrderedOfFour", "temporal_ordered", "", 4}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace mailwarden::detect
