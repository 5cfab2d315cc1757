// When groups tell, of what, and what keeps them quiet.
#include "alert/grouping.h"

#include <gtest/gtest.h>

namespace mailwarden::alert {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Timestamp start{1'800'000'000'000'000};  // a Friday, 08:00 UTC

constexpr const char* routes_yaml = R"(
receivers: [{name: pager, kind: folder, folder: p}, {name: mail, kind: folder, folder: m}]
routes:
  - {signals: ['alertname=~".+"'], group_by: [alertname, cluster], wait: 30s, interval: 5m,
     repeat: 4h, to: [pager]}
inhibit:
  - {source: ['severity="critical"'], target: ['severity="warning"'], equal: [cluster]}
)";

Routes routes_of(const std::string& text) {
  auto routes = Routes::parse(text, "routes.yaml", "/a");
  EXPECT_TRUE(routes) << routes.error().what;
  return *std::move(routes);
}

// The books as the core has them.
class Books {
 public:
  explicit Books(const std::string& routes = routes_yaml) : routes_(routes_of(routes)) {}

  GroupContext context() { return {routes_, signals, silences, origin_}; }

  // A signal that fires from now on for so long.
  void fire(Labels labels, Timestamp now, Duration lasts = hours(24)) {
    const auto taken = signals.take(
        {.labels = std::move(labels), .starts = now, .ends = now + lasts, .updated = now}, now);
    ASSERT_TRUE(taken);
    if (taken->what == SignalBook::What::begun) groups.take(context(), taken->number, now);
  }
  void change(const std::string& kind, incident::Severity severity, Timestamp now,
              std::int64_t number = 7, incident::State state = incident::State::detected) {
    groups.take(context(), {.incident = number, .sequence = ++changes_, .when = now, .kind = kind},
                {.number = number,
                 .title = "Guessing",
                 .entity = {"address", "203.0.113.5"},
                 .state = state,
                 .severity = severity});
  }
  std::vector<Notice> flush(Timestamp now) {
    static_cast<void>(signals.take_ended(now));
    return groups.flush(context(), now);
  }
  // The subjects of what is told, and why of what is not.
  std::vector<std::string> told(Timestamp now) {
    std::vector<std::string> words;
    for (const Notice& notice : flush(now)) {
      for (const Alert& alert : notice.alerts) {
        words.push_back(alert.subject + (notice.muted.empty() ? "" : " " + notice.muted));
      }
    }
    return words;
  }
  // As after a restart: what was stored, and nothing else.
  void restart(Timestamp now) {
    std::vector<Signal> stored_signals;
    for (const auto& [number, signal] : signals.all()) {
      stored_signals.push_back(signal_from_json(to_json(signal)).value());
    }
    std::vector<Group> stored_groups;
    for (const auto& [number, group] : groups.all()) {
      stored_groups.push_back(group_from_json(to_json(group)).value());
    }
    signals = SignalBook(std::move(stored_signals));
    groups = GroupBook(std::move(stored_groups));
    groups.use(context(), now);
  }
  void use(const std::string& routes, Timestamp now) {
    routes_ = routes_of(routes);
    groups.use(context(), now);
  }

  SignalBook signals;
  SilenceBook silences;
  GroupBook groups;

 private:
  Routes routes_;
  std::string origin_ = "example.com/log";
  std::int64_t changes_ = 0;
};

using Words = std::vector<std::string>;

TEST(GroupBook, WaitsThenTellsNewsEachIntervalAndTheRestAtTheRepeat) {
  Books books;
  books.fire({{"alertname", "Disk"}, {"cluster", "a"}, {"instance", "db1"}}, start);
  books.fire({{"alertname", "Disk"}, {"cluster", "a"}, {"instance", "db2"}}, start + seconds(20));
  books.fire({{"alertname", "Disk"}, {"cluster", "b"}}, start + seconds(20));
  EXPECT_EQ(books.told(start + seconds(29)), Words{});
  EXPECT_EQ(books.told(start + seconds(30)),
            Words{"[2 firing] alertname=Disk cluster=a: Disk on db1; Disk on db2"});
  EXPECT_EQ(books.told(start + seconds(50)), Words{"[1 firing] alertname=Disk cluster=b: Disk"});
  books.fire({{"alertname", "Disk"}, {"cluster", "a"}, {"instance", "db3"}}, start + seconds(60));
  EXPECT_EQ(books.told(start + seconds(329)), Words{});
  EXPECT_EQ(books.told(start + seconds(330)),
            Words{"[3 firing] alertname=Disk cluster=a: Disk on db1; Disk on db2; Disk on db3"});
  EXPECT_EQ(books.told(start + hours(4)), Words{});
  EXPECT_EQ(books.told(start + hours(4) + minutes(5)),
            Words{"[1 firing] alertname=Disk cluster=b: Disk"});
  EXPECT_EQ(books.told(start + hours(4) + minutes(10)).size(), 1U);
  EXPECT_EQ(books.told(start + hours(4) + minutes(15)), Words{});
}

TEST(GroupBook, TellsWhatIsOverOnceAndForgetsTheGroup) {
  Books books;
  books.fire({{"alertname", "Disk"}, {"instance", "db1"}}, start, minutes(2));
  books.fire({{"alertname", "Disk"}, {"instance", "db2"}}, start, minutes(20));
  EXPECT_EQ(books.told(start + minutes(1)).size(), 1U);
  EXPECT_EQ(books.told(start + minutes(6)),
            Words{"[1 firing, 1 resolved] alertname=Disk: Disk on db2; Disk on db1"});
  EXPECT_EQ(books.told(start + minutes(11)), Words{});
  EXPECT_EQ(books.told(start + minutes(26)), Words{"[1 resolved] alertname=Disk: Disk on db2"});
  EXPECT_TRUE(books.groups.all().empty());
  for (const auto& [number, signal] : books.signals.all()) EXPECT_TRUE(signal.told.empty());
}

TEST(GroupBook, WhatWasOverBeforeTheFirstNotificationIsNoNews) {
  Books books;
  books.fire({{"alertname", "Disk"}}, start, seconds(10));
  EXPECT_EQ(books.told(start + minutes(1)), Words{});
  EXPECT_TRUE(books.groups.all().empty());
}

TEST(GroupBook, OneThatHasFiredForLongDoesNotWait) {
  Books books;
  const auto taken = books.signals.take(
      {.labels = {{"alertname", "Disk"}}, .starts = start - hours(1), .ends = start + hours(1)},
      start);
  books.groups.take(books.context(), taken->number, start);
  EXPECT_EQ(books.told(start).size(), 1U);
}

TEST(GroupBook, ARestartTellsWhatCameDueUnderTheSameKeyAndNothingTwice) {
  Books kept;
  Books killed;
  for (Books* const books : {&kept, &killed}) books->fire({{"alertname", "Disk"}}, start);
  killed.restart(start + seconds(10));
  const auto one = kept.flush(start + seconds(30));
  const auto other = killed.flush(start + seconds(30));
  ASSERT_EQ(one.size(), 1U);
  ASSERT_EQ(other.size(), 1U);
  EXPECT_EQ(one[0].alerts[0].key, other[0].alerts[0].key);
  EXPECT_EQ(one[0].alerts[0].event, other[0].alerts[0].event);
  killed.restart(start + seconds(40));
  killed.fire({{"alertname", "Disk"}}, start + seconds(40));
  EXPECT_EQ(killed.told(start + minutes(20)), Words{});
  // The time that passed while it was away is passed at once.
  kept.restart(start + hours(9));
  EXPECT_EQ(kept.told(start + hours(9)).size(), 1U);
}

TEST(GroupBook, EachNotificationHasAKeyOfItsOwn) {
  Books books;
  std::set<std::string> keys;
  std::size_t told = 0;
  for (int hour = 0; hour < 30; hour += 5) {
    books.fire({{"alertname", "Disk"}}, start + hours(hour), hours(1));
    for (int step = 1; step <= 30; ++step) {
      for (const Notice& notice : books.flush(start + hours(hour) + minutes(5 * step))) {
        for (const Alert& alert : notice.alerts) {
          keys.insert(alert.key);
          ++told;
          EXPECT_EQ(alert.event.find("id")->second, json::Value(alert.key));
        }
      }
    }
  }
  EXPECT_EQ(told, 12U);  // six times firing and resolved
  EXPECT_EQ(keys.size(), told);
}

TEST(GroupBook, ASilenceMutesWhatIsCountedAndToldWhenItEnds) {
  Books books;
  Silence silence{.starts = start, .ends = start + hours(1), .author = "ada", .comment = "x"};
  silence.matchers.push_back(LabelMatcher::parse("instance=db1").value());
  ASSERT_TRUE(books.silences.set(silence, "quiet", start));
  books.fire({{"alertname", "Disk"}, {"instance", "db1"}}, start);
  EXPECT_EQ(books.told(start + seconds(30)),
            Words{"[1 muted] alertname=Disk: Disk on db1 silenced by quiet"});
  EXPECT_EQ(books.told(start + minutes(6)), Words{});  // no news of it
  books.fire({{"alertname", "Disk"}, {"instance", "db2"}}, start + minutes(6));
  const auto mixed = books.flush(start + minutes(12));
  ASSERT_EQ(mixed.size(), 1U);
  EXPECT_EQ(mixed[0].muted, "");
  EXPECT_EQ(mixed[0].alerts[0].subject, "[1 firing] alertname=Disk: Disk on db2");
  const json::Value data = mixed[0].alerts[0].event.find("data")->second;
  EXPECT_EQ(data["counts"].integer("silenced"), 1);
  EXPECT_EQ(data["silenced_by"], json::Value(json::Array{"quiet"}));
  EXPECT_EQ(books.told(start + hours(2)),
            Words{"[2 firing] alertname=Disk: Disk on db1; Disk on db2"});
}

TEST(GroupBook, ASourceInhibitsItsTargetsOfTheSameLabels) {
  struct Case {
    const char* name;
    Labels source;
    Labels target;
    bool told;
  };
  const std::vector<Case> cases{
      {"inhibited",
       {{"severity", "critical"}, {"cluster", "a"}},
       {{"severity", "warning"}, {"cluster", "a"}},
       false},
      {"another cluster",
       {{"severity", "critical"}, {"cluster", "a"}},
       {{"severity", "warning"}, {"cluster", "b"}},
       true},
      {"without the label", {{"severity", "critical"}}, {{"severity", "warning"}}, false},
      {"no target",
       {{"severity", "critical"}, {"cluster", "a"}},
       {{"severity", "info"}, {"cluster", "a"}},
       true}};
  for (Case c : cases) {
    Books books;
    c.target["alertname"] = "Target";
    books.fire(c.source, start);
    books.fire(c.target, start);
    bool told = false;
    for (const Notice& notice : books.flush(start + minutes(1))) {
      told = told || notice.muted.empty();
      EXPECT_TRUE(notice.muted.empty() || notice.muted == "inhibited") << c.name;
    }
    EXPECT_EQ(told, c.told) << c.name;
  }
}

TEST(Inhibitors, WhatIsSourceAndTargetIsNotInhibitedByTheSame) {
  const Routes routes = routes_of(
      "receivers: [{name: p, kind: folder, folder: p}]\nroutes: [{changes: [opened], to: [p]}]\n"
      "inhibit: [{source: ['a=\"1\"'], target: ['b=\"1\"']}]\n");
  SignalBook signals;
  const auto fire = [&](Labels labels) {
    return signals
        .take({.labels = std::move(labels), .starts = start, .ends = start + hours(1)}, start)
        ->number;
  };
  fire({{"a", "1"}, {"b", "1"}});
  const auto by = [&](const Labels& labels) {
    return Inhibitors(routes.terms().inhibitions, signals, start).inhibiting(labels);
  };
  EXPECT_EQ(by({{"a", "1"}, {"b", "1"}}), 0);
  EXPECT_EQ(by({{"b", "1"}}), 1);
  EXPECT_EQ(by({{"a", "1"}}), 0);
  const std::int64_t other = fire({{"a", "1"}});
  EXPECT_EQ(by({{"a", "1"}, {"b", "1"}}), other);
}

constexpr const char* changes_yaml = R"(
receivers: [{name: pager, kind: folder, folder: p}]
routes:
  - {changes: [opened, severity_raised, rule_joined], group_by: [entity_kind], wait: 1m,
     interval: 5m, repeat: 2h, to: [pager]}
)";

TEST(GroupBook, GathersChangesOfIncidents) {
  using incident::Severity;
  Books books(changes_yaml);
  books.change("opened", Severity::medium, start, 7);
  books.change("rule_joined", Severity::medium, start + seconds(1), 7);
  books.change("opened", Severity::high, start + seconds(2), 8);
  books.change("noted", Severity::high, start + seconds(3), 8);
  const auto first = books.flush(start + minutes(1));
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(first[0].alerts[0].subject,
            "[2 incidents] entity_kind=address: incident 7: Guessing; incident 8: Guessing");
  EXPECT_EQ(first[0].severity, 2);
  EXPECT_FALSE(first[0].grave);
  const json::Value data = first[0].alerts[0].event.find("data")->second;
  EXPECT_EQ(data["counts"].integer("changes"), 3);
  EXPECT_EQ(books.told(start + minutes(10)), Words{});
  books.change("severity_raised", Severity::extreme, start + minutes(11), 8);
  books.restart(start + minutes(11));
  const auto second = books.flush(start + minutes(15));
  ASSERT_EQ(second.size(), 1U);
  EXPECT_TRUE(second[0].grave);
  EXPECT_EQ(second[0].alerts[0].incident, 8);
  // Those that are open are told again; what is over is let go of.
  books.change("state_changed", Severity::medium, start + minutes(20), 7, incident::State::closed);
  EXPECT_EQ(books.told(start + hours(3)),
            Words{"[1 incident] entity_kind=address: incident 8: Guessing"});
  books.change("state_changed", Severity::extreme, start + hours(3), 8, incident::State::dismissed);
  EXPECT_EQ(books.told(start + hours(6)), Words{});
  EXPECT_TRUE(books.groups.all().empty());
}

TEST(GroupBook, BeyondItsLimitChangesAreCountedAlone) {
  Books books(changes_yaml);
  const auto most = static_cast<std::int64_t>(Group::incidents_max);
  for (std::int64_t number = 1; number <= most + 5; ++number) {
    books.change("opened", incident::Severity::medium, start, number);
  }
  const auto notices = books.flush(start + minutes(1));
  ASSERT_EQ(notices.size(), 1U);
  const json::Value data = notices[0].alerts[0].event.find("data")->second;
  EXPECT_EQ(data["counts"].integer("changes"), most + 5);
  EXPECT_EQ(data["incidents"].as_array()->size(), listed_max);
  EXPECT_TRUE(data.text("text").contains("besides 5 changes of further incidents"));
  EXPECT_LT(data.text("text").size(), 10'000U);
}

TEST(GroupBook, ARouteWithHoursWaitsForThem) {
  Books books(R"(
receivers: [{name: pager, kind: folder, folder: p}]
routes:
  - {signals: ['alertname=~".+"'], wait: 0s, interval: 1m, to: [pager],
     times: {zone: UTC, days: [fri], from: 09:00, until: 10:00}}
)");
  books.fire({{"alertname", "Disk"}}, start);
  EXPECT_EQ(books.told(start), Words{});
  EXPECT_EQ(books.told(start + minutes(59)), Words{});
  EXPECT_EQ(books.told(start + minutes(60)), Words{"[1 firing]: Disk"});
}

TEST(GroupBook, ANewRouteTakesWhatFiresAndAnOldOneLetsGo) {
  Books books;
  books.fire({{"alertname", "Disk"}}, start);
  EXPECT_EQ(books.told(start + seconds(30)).size(), 1U);
  // Another wait or receiver is the same route; nothing is told twice.
  std::string same = routes_yaml;
  same.replace(same.find("to: [pager]"), 11, "to: [mail]");
  books.use(same, start + minutes(1));
  EXPECT_EQ(books.told(start + minutes(10)), Words{});
  std::string other = routes_yaml;
  other.replace(other.find("alertname=~\".+\""), 15, "alertname=\"Disk\"");
  books.use(other, start + minutes(11));
  EXPECT_EQ(books.groups.all().size(), 1U);
  EXPECT_EQ(books.told(start + minutes(11)).size(), 1U);
  const auto touched = books.groups.take_touched();
  EXPECT_EQ(touched.gone.size(), 1U);
}

TEST(GroupBook, ManySignalsOfFewKeysAreFewNotifications) {
  Books books;
  for (int i = 0; i < 2'000; ++i) {
    books.fire({{"alertname", "A" + std::to_string(i % 40)}, {"instance", std::to_string(i)}},
               start);
  }
  const auto notices = books.flush(start + seconds(30));
  EXPECT_EQ(notices.size(), 40U);
  for (const Notice& notice : notices) {
    const json::Value data = notice.alerts.at(0).event.find("data")->second;
    EXPECT_EQ(data["counts"].integer("firing"), 50);
  }
}

}  // namespace
}  // namespace mailwarden::alert
