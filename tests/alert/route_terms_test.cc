// What routes.yaml says of signals, groups, hours, inhibitions, incidents and storms.
#include "alert/route_terms.h"

#include <gtest/gtest.h>

#include "alert/routes.h"

namespace mailwarden::alert {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

const std::string head = "receivers: [{name: p, kind: folder, folder: p}]\n";

Result<Routes> parse_terms(const std::string& rest) {
  return Routes::parse(head + rest, "routes.yaml", "/a");
}

TEST(RouteTerms, AreReadWithWhatIsUsual) {
  const auto routes = parse_terms(
      "routes:\n"
      "- {changes: [opened], to: [p]}\n"
      "- {signals: ['a=\"1\"', 'b=~\"x|y\"'], to: [p]}\n"
      "- {changes: [opened], group_by: [rule], wait: 0s, interval: 1m, repeat: 1h, to: [p]}\n"
      "- {changes: [opened], times: {zone: Europe/Berlin, days: [mon], from: 08:00, until: "
      "18:00}, to: [p]}\n"
      "inhibit: [{source: ['a=\"1\"'], target: ['b=\"2\"'], equal: [c]}]\n"
      "incidents:\n"
      "- {signals: ['a=\"1\"'], name: one, title: '${a} on ${b}', level: critical, entity: b,\n"
      "   entity_kind: host, facts: {services: degraded}}\n"
      "storm: {notices: 20, per: 2m}\n");
  ASSERT_TRUE(routes) << routes.error().what;
  EXPECT_FALSE(routes->routes()[0].terms.grouping);
  const RouteTerms& signals = routes->routes()[1].terms;
  ASSERT_TRUE(signals.grouping);
  EXPECT_EQ(signals.grouping->wait, seconds(30));
  EXPECT_EQ(signals.grouping->interval, minutes(5));
  EXPECT_EQ(signals.grouping->repeat, hours(4));
  EXPECT_TRUE(routes->routes()[1].takes(Labels{{"a", "1"}, {"b", "y"}}));
  EXPECT_FALSE(routes->routes()[1].takes(Labels{{"a", "1"}}));
  EXPECT_FALSE(routes->routes()[0].takes(Labels{{"a", "1"}}));
  EXPECT_EQ(routes->routes()[2].terms.grouping->wait, Duration(0));
  EXPECT_EQ(routes->routes()[2].terms.grouping->by, std::vector<std::string>{"rule"});
  EXPECT_EQ(routes->terms().inhibitions.size(), 1U);
  ASSERT_EQ(routes->terms().incidents.size(), 1U);
  EXPECT_EQ(routes->terms().incidents[0].facts.at("services"), "degraded");
  EXPECT_EQ(routes->terms().storm.notices, 20);
  EXPECT_EQ(routes->terms().storm.per, minutes(2));
}

TEST(RouteTerms, HoursAreThoseOfTheZone) {
  const auto routes = parse_terms(
      "routes: [{changes: [opened], times: {zone: Europe/Berlin, days: [mon], from: 22:00, until: "
      "06:00}, to: [p]}]\n");
  ASSERT_TRUE(routes) << routes.error().what;
  struct Case {
    const char* at;
    bool holds;
  };
  const Hours& held = *routes->routes()[0].terms.hours;
  for (const Case& c : {Case{"2026-11-30T20:59:00Z", false}, Case{"2026-11-30T21:00:00Z", true},
                        Case{"2026-12-01T04:59:59Z", true}, Case{"2026-12-01T05:00:00Z", false},
                        Case{"2026-12-01T21:00:00Z", false}, Case{"2026-07-06T20:00:00Z", true}}) {
    EXPECT_EQ(held.hold(parse_rfc3339(c.at).value()), c.holds) << c.at;
  }
  incident::Incident incident{.number = 1};
  incident::Change change{.incident = 1, .sequence = 1, .kind = "opened"};
  change.when = parse_rfc3339("2026-11-30T20:59:00Z").value();
  EXPECT_TRUE(route(*routes, change, incident, "o").empty());
  change.when = parse_rfc3339("2026-11-30T21:00:00Z").value();
  EXPECT_EQ(route(*routes, change, incident, "o").size(), 1U);
}

TEST(RouteTerms, ARoutesIdIsWhatItTakes) {
  const auto ids = [](const std::string& text) {
    std::vector<std::string> found;
    const Routes routes = parse_terms(text).value();
    for (const Route& route : routes.routes()) found.push_back(route.id);
    return found;
  };
  const auto two =
      ids("routes: [{changes: [opened], to: [p]}, {signals: ['a=\"1\"'], wait: 1m, to: [p]}, "
          "{changes: [opened], to: [p]}]");
  EXPECT_EQ(std::set(two.begin(), two.end()).size(), 3U);
  const auto moved = ids("routes: [{signals: ['a=\"1\"'], wait: 2m, to: [p]}]");
  EXPECT_EQ(moved[0], two[1]);
}

TEST(RouteTerms, EveryMistakeIsToldWithItsLine) {
  struct Case {
    const char* text;
    const char* what;
  };
  const std::vector<Case> cases{
      {"routes:\n- {signals: ['a'], to: [p]}", "line 3: 'a' is no matcher"},
      {"routes:\n- {signals: [], to: [p]}", "line 3: 'signals' must be a list"},
      {"routes:\n- {signals: ['a=1'], changes: [opened], to: [p]}", "not both"},
      {"routes:\n- {signals: ['a=1'], wait: soon, to: [p]}", "'wait'"},
      {"routes:\n- {signals: ['a=1'], interval: 0s, to: [p]}", "'interval': must not be zero"},
      {"routes:\n- {signals: ['a=1'], group_by: [a-b], to: [p]}", "'a-b' is no name of a label"},
      {"routes:\n- {signals: ['a=1'], times: {zone: Mars}, to: [p]}", "Mars"},
      {"routes:\n- {signals: ['a=1'], times: {zone: UTC, days: [mo]}, to: [p]}",
       "'mo' is no day of the week"},
      {"routes:\n- {signals: ['a=1'], times: {zone: UTC, from: 08:00}, to: [p]}",
       "'from' and 'until' go together"},
      {"routes:\n- {changes: [opened], to: [p]}\ninhibit: [{source: ['a=1'], equal: [b]}]",
       "'target' must be a list"},
      {"routes:\n- {changes: [opened], to: [p]}\nincidents: [{signals: ['a=1'], title: t}]",
       "'name' must be a text"},
      {"routes:\n- {changes: [opened], to: [p]}\nincidents: [{signals: ['a=1'], name: n, title: t, "
       "level: bad}]",
       "'bad' is none of"},
      {"routes:\n- {changes: [opened], to: [p]}\nincidents: [{signals: ['a=1'], name: n, title: t, "
       "entity: b, entity_kind: planet}]",
       "'planet' is none of"},
      {"routes:\n- {changes: [opened], to: [p]}\nstorm: {per: 1m}", "'notices' must be a number"},
      {"routes:\n- {changes: [opened], to: [p]}\nstorm: {notices: 0}",
       "'notices' must be a number from 1"}};
  for (const Case& c : cases) {
    const auto routes = parse_terms(c.text);
    ASSERT_FALSE(routes) << c.text;
    EXPECT_TRUE(routes.error().what.contains(c.what)) << c.text << ":\n" << routes.error().what;
  }
}

TEST(RouteTerms, LabelsFillATitle) {
  const Labels labels{{"a", "disk"}, {"b", "db1"}};
  EXPECT_EQ(with_labels("${a} on ${b}", labels), "disk on db1");
  EXPECT_EQ(with_labels("no${c}ne ${", labels), "none ${");
  EXPECT_EQ(with_labels("$a {b}", labels), "$a {b}");
}

}  // namespace
}  // namespace mailwarden::alert
