#include "detect/correlator.h"

#include <random>

#include <gtest/gtest.h>

namespace mailwarden::detect {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view rules_text = R"(
title: failed
id: failed
logsource: {product: linux}
detection: {s: {a: failed}, condition: s}
---
title: accepted
id: accepted
logsource: {product: linux}
detection: {s: {a: accepted}, condition: s}
---
title: guessing
id: guessing
correlation:
  type: event_count
  rules: [failed]
  group-by: [src_endpoint.ip]
  timespan: 1m
  condition: {gte: 5}
mailwarden: {entity: src_endpoint.ip, facts: {account_compromised: true}}
---
title: guessed
id: guessed
level: high
correlation:
  type: temporal_ordered
  rules: [guessing, accepted]
  group-by: [src_endpoint.ip]
  timespan: 15m
mailwarden: {entity: src_endpoint.ip}
)";

RuleSet rules() {
  return RuleSet::make(parse_rules(rules_text, "r.yml")).value();
}

class CorrelatorTest : public testing::Test {
 protected:
  // What is reported when this happens at `second`.
  std::vector<std::string> at(int second, const std::string& what = "failed",
                              const std::string& address = "203.0.113.7", std::int64_t stream = 1,
                              const std::string& repeat = "") {
    Event event;
    event.id = {stream, ++position_};
    event.time = Timestamp{} + std::chrono::seconds(second);
    event.logsource.product = "linux";
    event.fields.add("a", what);
    if (!repeat.empty()) event.fields.add("repeat_count", repeat);
    event.ocsf.src_ip = address;
    std::vector<std::string> fired;
    for (const Detection& base : rules_.match(event)) {
      for (Detection& detection : correlator_.advance(base)) {
        fired.push_back(detection.rule_id);
        last_ = std::move(detection);
      }
    }
    return fired;
  }

  std::vector<std::string> none() { return {}; }
  std::vector<std::string> guessing() { return {"guessing"}; }

  RuleSet rules_ = rules();
  Correlator correlator_{rules_};
  Detection last_;
  std::int64_t position_ = 0;
};

TEST_F(CorrelatorTest, FiveWithinAMinuteFireOnceForEachFive) {
  for (int second : {0, 10, 20, 30}) EXPECT_EQ(at(second), none());
  EXPECT_EQ(at(40), guessing());
  EXPECT_EQ(last_.count, 5);
  EXPECT_EQ(last_.events.size(), 5U);
  EXPECT_EQ(last_.entity, (Entity{"address", "203.0.113.7"}));
  EXPECT_EQ(last_.facts.at("account_compromised"), 1);
  EXPECT_EQ(last_.because, (std::vector<Because>{{"group-by", "src_endpoint.ip", "203.0.113.7"},
                                                 {"correlation", "count", "5 within 1 min"}}));
  for (int second : {41, 42, 43, 44}) EXPECT_EQ(at(second), none());
  EXPECT_EQ(at(45), guessing());
}

TEST_F(CorrelatorTest, AMinuteIsAMinuteInclusive) {
  for (int second : {0, 15, 30, 45}) EXPECT_EQ(at(second), none());
  EXPECT_EQ(at(60), guessing());
  for (int second : {100, 115, 130, 145}) EXPECT_EQ(at(second), none());
  EXPECT_EQ(at(161), none());
}

TEST_F(CorrelatorTest, AddressesAreCountedApart) {
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(at(i, "failed", "203.0.113.7"), none());
    EXPECT_EQ(at(i, "failed", "203.0.113.8"), none());
  }
  EXPECT_EQ(at(5, "failed", ""), none());
  EXPECT_EQ(at(5, "failed", "203.0.113.8"), guessing());
}

TEST_F(CorrelatorTest, AFoldedLineCountsAsOftenAsItSays) {
  EXPECT_EQ(at(0), none());
  EXPECT_EQ(at(1, "failed", "203.0.113.7", 1, "4"), guessing());
  EXPECT_EQ(last_.count, 5);
}

TEST_F(CorrelatorTest, ALateEventFillsTheWindowItBelongsTo) {
  for (int second : {0, 10, 30, 40}) EXPECT_EQ(at(second), none());
  EXPECT_EQ(at(20), guessing());
}

TEST_F(CorrelatorTest, ALateEventDoesNotJoinWhatIsTooFarApart) {
  for (int second : {0, 1, 2, 63, 59, 62, 61}) EXPECT_EQ(at(second), none());
  // 2, 59, 61, 61 and 62 lie within a minute.
  EXPECT_EQ(at(61), guessing());
}

TEST_F(CorrelatorTest, SuccessAfterGuessingIsACorrelationOfACorrelation) {
  EXPECT_EQ(at(0, "accepted"), none());
  for (int second : {1, 2, 3, 4}) EXPECT_EQ(at(second), none());
  EXPECT_EQ(at(5), guessing());
  EXPECT_EQ(at(6, "accepted", "203.0.113.9"), none());
  EXPECT_EQ(at(7, "accepted"), (std::vector<std::string>{"guessed"}));
  EXPECT_EQ(last_.level, Level::high);
  EXPECT_EQ(at(8, "accepted"), none());
}

TEST_F(CorrelatorTest, SuccessLongAfterGuessingIsNot) {
  for (int second : {1, 2, 3, 4, 5}) at(second);
  EXPECT_EQ(at(5 + 15 * 60 + 1, "accepted"), none());
}

TEST_F(CorrelatorTest, BaseRulesAreSilent) {
  Event event;
  event.logsource.product = "linux";
  event.fields.add("a", "failed");
  EXPECT_TRUE(rules_.match(event).at(0).silent);
}

TEST_F(CorrelatorTest, GroupsStayWithinTheirLimit) {
  Correlator small(rules_, {.groups_max = 10});
  for (int i = 0; i < 1000; ++i) {
    const Detection detection{.rule_id = "failed",
                              .event = {1, i},
                              .time = {i},
                              .values = {{"src_endpoint.ip", std::to_string(i)}}};
    EXPECT_TRUE(small.advance(detection).empty());
  }
  EXPECT_EQ(small.dropped(), 990);
}

// Whatever happened before a restart, what comes after it is judged as if there had been none.
TEST_F(CorrelatorTest, RestoredItGoesOnTheSame) {
  std::mt19937 random(20261124);
  Correlator undisturbed(rules_);
  int second = 0;
  std::size_t fired = 0;
  for (int i = 0; i < 5000; ++i) {
    second += static_cast<int>(random() % 20);
    const bool failed = random() % 4 != 0;
    const std::string address = std::to_string(random() % 4);
    const int late = static_cast<int>(random() % 10 == 0 ? random() % 50 : 0);
    const Detection detection{.rule_id = failed ? "failed" : "accepted",
                              .event = {static_cast<std::int64_t>(random() % 2), i},
                              .time = Timestamp{} + std::chrono::seconds(second - late),
                              .values = {{"src_endpoint.ip", address}}};
    const auto expected = undisturbed.advance(detection);
    ASSERT_EQ(correlator_.advance(detection), expected);
    fired += expected.size();
    if (random() % 50 != 0) continue;
    const std::string snapshot = correlator_.snapshot();
    correlator_ = Correlator(rules_);
    ASSERT_TRUE(correlator_.restore(snapshot));
    ASSERT_EQ(correlator_.snapshot(), snapshot);
  }
  EXPECT_GT(fired, 50U);
}

// Groups that are made, completed and given up for a limit among those that wait, too.
TEST_F(CorrelatorTest, DetectionsThatWaitAreTakenAsIfOneByOne) {
  std::mt19937 random(20261127);
  const CorrelatorOptions few{.groups_max = 40};
  Correlator one_by_one(rules_, few);
  Correlator together(rules_, few);
  std::vector<Detection> waiting;
  std::size_t fired = 0;
  for (int i = 0; i < 20'000; ++i) {
    const bool failed = random() % 4 != 0;
    waiting.push_back({.rule_id = failed        ? "failed"
                                  : i % 50 == 0 ? "no such rule"
                                                : "accepted",
                       .event = {1, i},
                       .time = Timestamp{} + std::chrono::seconds(i / 4),
                       .values = {{"src_endpoint.ip", std::to_string(random() % 30)}}});
    if (i % 31 == 0) waiting.back().values.clear();
    if (random() % 30 != 0) continue;
    auto next = waiting.begin();
    together.advance(waiting, [&](const Detection& detection, const std::vector<Detection>& done) {
      ASSERT_EQ(&detection, &*next++);
      ASSERT_EQ(done, one_by_one.advance(detection));
      fired += done.size();
    });
    ASSERT_EQ(next, waiting.end());
    waiting.clear();
    ASSERT_EQ(together.snapshot(), one_by_one.snapshot());
  }
  EXPECT_GT(fired, 500U);
  EXPECT_GT(one_by_one.dropped(), 100);
}

// Steps one, two, three within a minute, by trying every triple of all that came since the last.
class PlainOrder {
 public:
  bool arrives(std::size_t rule, Timestamp time) {
    const auto behind = std::ranges::upper_bound(seen_, time, {}, &Seen::time);
    seen_.insert(behind, {rule, time});
    for (std::size_t a = 0; a < seen_.size(); ++a) {
      for (std::size_t b = a + 1; b < seen_.size(); ++b) {
        for (std::size_t c = b + 1; c < seen_.size(); ++c) {
          const bool steps = seen_[a].rule == 0 && seen_[b].rule == 1 && seen_[c].rule == 2;
          if (!steps || seen_[c].time - seen_[a].time > 1min) continue;
          seen_.clear();
          return true;
        }
      }
    }
    return false;
  }

 private:
  struct Seen {
    std::size_t rule = 0;
    Timestamp time;
  };
  std::vector<Seen> seen_;
};

TEST(OrderedCorrelation, IsWhatTryingEveryTripleFinds) {
  const RuleSet rules = RuleSet::make(parse_rules(R"(
{title: one, id: r0, logsource: {product: x}, detection: {s: {a: one}, condition: s}}
---
{title: two, id: r1, logsource: {product: x}, detection: {s: {a: two}, condition: s}}
---
{title: three, id: r2, logsource: {product: x}, detection: {s: {a: three}, condition: s}}
---
title: steps
id: steps
correlation: {type: temporal_ordered, rules: [r0, r1, r2], group-by: [user.name], timespan: 1m}
)",
                                                  "r.yml"))
                            .value();
  std::mt19937 random(20261124);
  std::size_t fired = 0;
  for (int round = 0; round < 60; ++round) {
    Correlator correlator(rules);
    PlainOrder plain;
    int second = 0;
    for (int i = 0; i < 60; ++i) {
      second += static_cast<int>(random() % 25);
      const int late = static_cast<int>(random() % 5 == 0 ? random() % 50 : 0);
      const std::size_t rule = random() % 3;
      const Timestamp time = Timestamp{} + std::chrono::seconds(second - late);
      const Detection detection{.rule_id = "r" + std::to_string(rule),
                                .event = {1, i},
                                .time = time,
                                .values = {{"user.name", "ann"}}};
      const bool expected = plain.arrives(rule, time);
      ASSERT_EQ(!correlator.advance(detection).empty(), expected) << round << " " << i;
      fired += expected ? 1 : 0;
    }
  }
  EXPECT_GT(fired, 100U);
}

TEST_F(CorrelatorTest, NewRulesKeepTheWindowsOfThoseThatAreTheSame) {
  for (int second : {0, 1, 2, 3}) EXPECT_EQ(at(second), none());
  correlator_.rebind(rules_);
  EXPECT_EQ(at(4), guessing());
  for (int second : {5, 6, 7, 8}) EXPECT_EQ(at(second), none());
  std::string changed(rules_text);
  changed.replace(changed.find("gte: 5"), 6, "gte: 6");
  correlator_.rebind(RuleSet::make(parse_rules(changed, "r.yml")).value());
  EXPECT_EQ(at(9), none());
}

TEST_F(CorrelatorTest, ADamagedSnapshotIsRefused) {
  EXPECT_EQ(correlator_.restore("{").error().code, Code::corrupt);
  EXPECT_EQ(correlator_.restore("{}").error().code, Code::corrupt);
  EXPECT_EQ(
      correlator_
          .restore(R"({"newest":{},"windows":{"guessing":{"groups":{"a":[[1]]},"signature":)" +
                   std::string("\"\"}}}"))
          .has_value(),
      true);
}

}  // namespace
}  // namespace mailwarden::detect
