// What is a signal, when it is the same one, and when it is over.
#include "alert/signal.h"

#include <gtest/gtest.h>

namespace mailwarden::alert {
namespace {

using std::chrono::minutes;
using What = SignalBook::What;

constexpr Timestamp now{1'800'000'000'000'000};

Result<Signal> read(const std::string& text, Timestamp at = now) {
  const auto posted = read_signals(json::parse("[" + text + "]").value(), at);
  if (!posted) return std::unexpected(posted.error());
  if (!posted->refused.empty()) return fail(Code::invalid, posted->refused.front());
  return posted->signals.at(0);
}

// The answers stand in prometheus/common, model/signature_test.go, as decimal numbers.
TEST(Signal, HasAlertmanagersFingerprint) {
  const auto hex = [](std::uint64_t number) {
    char text[17];
    std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(number));
    return std::string(text);
  };
  EXPECT_EQ(fingerprint({}), hex(14'695'981'039'346'656'037U));
  EXPECT_EQ(fingerprint({{"name", "garland, briggs"}, {"fear", "love is not enough"}}),
            hex(5'799'056'148'416'392'346U));
  EXPECT_NE(fingerprint({{"a", "bc"}}), fingerprint({{"ab", "c"}}));
  EXPECT_EQ(fingerprint({{"a", "1"}, {"b", "2"}}), fingerprint({{"b", "2"}, {"a", "1"}}));
}

TEST(Signal, TimesThatAreNotGivenFollow) {
  struct Case {
    const char* name;
    const char* times;
    Timestamp starts;
    Timestamp ends;
    bool by_timeout;
  };
  const Timestamp given = parse_rfc3339("2027-01-01T00:00:00Z").value();
  const std::vector<Case> cases{
      {"none", "", now, now + minutes(5), true},
      {"zero", R"(,"startsAt":"0001-01-01T00:00:00.000Z","endsAt":"0001-01-01T00:00:00Z")", now,
       now + minutes(5), true},
      {"start", R"(,"startsAt":"2027-01-01T00:00:00Z")", given, now + minutes(5), true},
      {"end", R"(,"endsAt":"2027-01-01T00:00:00Z")", given, given, false},
      {"both", R"(,"startsAt":"2027-01-01T00:00:00Z","endsAt":"2027-01-01T00:05:00+00:00")", given,
       given + minutes(5), false}};
  for (const Case& c : cases) {
    const auto signal = read(std::string(R"({"labels":{"a":"b"})") + c.times + "}");
    ASSERT_TRUE(signal) << c.name << ": " << signal.error().what;
    EXPECT_EQ(signal->starts, c.starts) << c.name;
    EXPECT_EQ(signal->ends, c.ends) << c.name;
    EXPECT_EQ(signal->by_timeout, c.by_timeout) << c.name;
    EXPECT_EQ(signal_from_json(to_json(*signal)), *signal) << c.name;
  }
}

TEST(Signal, RefusesWhatIsNone) {
  struct Case {
    std::string text;
    const char* why;
  };
  const std::string large(SignalLimits::value_bytes_max, 'x');
  std::string many;
  for (std::size_t i = 0; i <= SignalLimits::labels_max; ++i) {
    many += (i == 0 ? "" : ",") + std::string("\"l") + std::to_string(i) + "\":\"x\"";
  }
  const std::vector<Case> cases{
      {"{}", "at least one label"},
      {R"({"labels":{}})", "at least one label"},
      {R"({"labels":{"a":""}})", "at least one label"},
      {"7", "an alert must be an object"},
      {R"({"labels":[1]})", "'labels' must be an object"},
      {R"({"labels":{"a":1}})", "'a' must be a text"},
      {R"({"labels":{"a-b":"1"}})", "'a-b' is no name"},
      {R"({"labels":{"a":"1"},"annotations":{"b":true}})", "'b' must be a text"},
      {R"({"labels":{"a":"1"},"startsAt":"noon"})", "startsAt"},
      {R"({"labels":{"a":"1"},"endsAt":7})", "'endsAt' must be a time"},
      {R"({"labels":{"a":"1"},"startsAt":"2027-01-02T00:00:00Z","endsAt":"2027-01-01T00:00:00Z"})",
       "'endsAt' is before 'startsAt'"},
      {R"({"labels":{"a":")" + large + "x\"}}", "at most 4096 bytes"},
      {R"({"labels":{"a":")" + large + R"(","b":")" + large + R"("},"annotations":{"c":")" + large +
           R"(","d":")" + large + "\"}}",
       "more than 16384 bytes"},
      {"{\"labels\":{" + many + "}}", "more than 64 labels"}};
  for (const Case& c : cases) {
    const auto signal = read(c.text);
    ASSERT_FALSE(signal) << c.why;
    EXPECT_TRUE(signal.error().what.contains(c.why)) << signal.error().what;
  }
  EXPECT_FALSE(read_signals(json::Object{}, now));
  json::Array too_many(SignalLimits::posted_max + 1, json::Value());
  EXPECT_FALSE(read_signals(too_many, now));
}

TEST(Signal, TheGoodOnesOfAPostAreTakenWithoutTheOthers) {
  const auto posted = read_signals(
      json::parse(R"([{"labels":{"a":"1"}},{"labels":{}},{"labels":{"a":"2"}}])").value(), now);
  ASSERT_TRUE(posted);
  EXPECT_EQ(posted->signals.size(), 2U);
  ASSERT_EQ(posted->refused.size(), 1U);
  EXPECT_TRUE(posted->refused[0].starts_with("alert 2: ")) << posted->refused[0];
}

Signal signal_of(Timestamp starts, Timestamp ends, bool by_timeout, Timestamp updated) {
  return {.labels = {{"a", "b"}},
          .starts = starts,
          .ends = ends,
          .by_timeout = by_timeout,
          .updated = updated};
}

// The rules are those of Alertmanager's types.Alert.Merge and provider/mem.
TEST(SignalBook, TimesOfTheSameMerge) {
  struct Case {
    const char* name;
    Signal first;
    Signal second;  // two minutes later
    Timestamp starts;
    Timestamp ends;
    What what;
  };
  const Timestamp later = now + minutes(2);
  const std::vector<Case> cases{
      {"sent again without an end", signal_of(now, now + minutes(5), true, now),
       signal_of(later, later + minutes(5), true, later), now, later + minutes(5), What::continued},
      {"sent again as Prometheus does", signal_of(now, now + minutes(4), false, now),
       signal_of(now, later + minutes(4), false, later), now, later + minutes(4), What::continued},
      {"a given end outlasts a time-out", signal_of(now, now + minutes(60), false, now),
       signal_of(later, later + minutes(5), true, later), now, now + minutes(60), What::continued},
      {"a time-out outlasts nothing", signal_of(now, now + minutes(60), true, now),
       signal_of(later, later + minutes(5), true, later), now, later + minutes(5), What::continued},
      {"resolved", signal_of(now, now + minutes(5), true, now),
       signal_of(now, now + minutes(1), false, later), now, now + minutes(1), What::resolved},
      {"an earlier start", signal_of(now, now + minutes(5), true, now),
       signal_of(now - minutes(9), now + minutes(4), false, later), now - minutes(9),
       now + minutes(4), What::continued}};
  for (const Case& c : cases) {
    SignalBook book;
    ASSERT_EQ(book.take(c.first, now)->what, What::begun) << c.name;
    const auto taken = book.take(c.second, later);
    ASSERT_TRUE(taken) << c.name;
    EXPECT_EQ(taken->what, c.what) << c.name;
    EXPECT_EQ(book.find(taken->number)->starts, c.starts) << c.name;
    EXPECT_EQ(book.find(taken->number)->ends, c.ends) << c.name;
    EXPECT_EQ(book.all().size(), 1U) << c.name;
  }
}

TEST(SignalBook, EndsByItselfBeginsAnewAndIsForgotten) {
  SignalBook book;
  const auto first = book.take(signal_of(now, now + minutes(5), true, now), now).value();
  EXPECT_TRUE(book.take_ended(now + minutes(4)).empty());
  EXPECT_EQ(book.take_ended(now + minutes(5)), std::vector{first.number});
  EXPECT_TRUE(book.take_ended(now + minutes(6)).empty());
  EXPECT_EQ(book.firing(), 0U);
  // A restart takes note of it once, too.
  SignalBook again({*book.find(first.number)});
  EXPECT_TRUE(again.take_ended(now + minutes(9)).empty());
  const Timestamp later = now + minutes(30);
  const auto second = again.take(signal_of(later, later + minutes(5), true, later), later).value();
  EXPECT_EQ(second.number, first.number);
  EXPECT_EQ(second.what, What::begun);
  EXPECT_EQ(again.find(first.number)->starts, later);
  EXPECT_EQ(again.take_ended(later + minutes(5)).size(), 1U);
  EXPECT_TRUE(again.forget_old(later + minutes(5) + keep_resolved - minutes(1)).empty());
  EXPECT_EQ(again.forget_old(later + minutes(5) + keep_resolved), std::vector{first.number});
  EXPECT_TRUE(again.all().empty());
}

TEST(SignalBook, WhatIsOverAndUnknownIsNotHeld) {
  SignalBook book;
  const auto taken = book.take(signal_of(now - minutes(9), now, false, now), now);
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->number, 0);
  EXPECT_TRUE(book.all().empty());
}

TEST(SignalBook, IsFullAtItsLimit) {
  SignalBook book;
  for (std::size_t i = 0; i < SignalLimits::signals_max; ++i) {
    Signal signal = signal_of(now, now + minutes(5), true, now);
    signal.labels["i"] = std::to_string(i);
    ASSERT_TRUE(book.take(std::move(signal), now));
  }
  const auto more = book.take(signal_of(now, now + minutes(5), true, now), now);
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().code, Code::full);
}

}  // namespace
}  // namespace mailwarden::alert
