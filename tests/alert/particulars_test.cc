// What alerts say, in fields.
#include "alert/particulars.h"

#include <gmock/gmock.h>

#include "base/text.h"
#include "tests/alert/alerts.h"

namespace mailwarden::alert {
namespace {

using incident::State;
using testing::HasSubstr;
using testing::Not;

TEST(Particulars, WhatAnAlertIsForFollowsFromItsChangeAndItsIncident) {
  struct Case {
    const char* change;
    State state;
    bool acknowledged;
    Intent expected;
  };
  for (const Case& c : {Case{"opened", State::detected, false, Intent::trigger},
                        Case{"severity_raised", State::analysing, false, Intent::trigger},
                        Case{"severity_raised", State::analysing, true, Intent::trigger},
                        Case{"deadline_missed", State::contained, true, Intent::trigger},
                        Case{"acknowledged", State::detected, true, Intent::acknowledge},
                        Case{"state_changed", State::analysing, true, Intent::acknowledge},
                        Case{"state_changed", State::post_incident, true, Intent::resolve},
                        Case{"state_changed", State::closed, true, Intent::resolve},
                        Case{"state_changed", State::dismissed, false, Intent::resolve},
                        Case{"state_changed", State::merged, false, Intent::resolve},
                        Case{"noted", State::post_incident, true, Intent::resolve}}) {
    incident::Incident incident = sample_incident();
    incident.state = c.state;
    if (c.acknowledged) incident.acknowledged = opened_at;
    const Alert alert = alert_of(c.change, incident);
    EXPECT_EQ(particulars_of({}, alert).intent, c.expected)
        << c.change << ", " << incident::to_string(c.state);
    EXPECT_EQ(follows_others(alert), c.expected != Intent::trigger);
  }
}

TEST(Particulars, TheKeyIsTheIncidentsAndOnlyIts) {
  const Particulars opened = particulars_of({}, alert_of("opened", sample_incident()));
  incident::Incident closed = sample_incident();
  closed.state = State::closed;
  closed.title = "another title";
  EXPECT_EQ(particulars_of({}, alert_of("state_changed", closed)).key, opened.key);
  EXPECT_EQ(opened.key, "example.com-log.incident-7");
  closed.number = 8;
  EXPECT_NE(particulars_of({}, alert_of("state_changed", closed)).key, opened.key);
  Alert elsewhere = alert_of("opened", sample_incident());
  elsewhere.event["source"] = "mailwarden/" + std::string(300, 'x') + "/log";
  const std::string key = particulars_of({}, elsewhere).key;
  EXPECT_LE(key.size(), key_bytes_max);
  elsewhere.event["source"] = "mailwarden/" + std::string(300, 'x') + "/gol";
  EXPECT_NE(particulars_of({}, elsewhere).key, key);
}

TEST(Particulars, ANoticeOfAPlaybookTriggersItsIncident) {
  const Particulars told = particulars_of(
      {},
      notice("r", "isolate the host", "run-1", sample_incident(), "example.com/log", opened_at));
  EXPECT_EQ(told.intent, Intent::trigger);
  EXPECT_EQ(told.key, "example.com-log.incident-7");
  EXPECT_THAT(told.text, HasSubstr("\nnotice: isolate the host"));
}

TEST(Particulars, AnAlertOfNoIncidentStandsForItself) {
  const Alert alert =
      checkpoint_alert("r", {.origin = "example.com/log", .size = 120}, "note", opened_at);
  const Particulars told = particulars_of({.console = "https://c"}, alert);
  EXPECT_EQ(told.key, alert.key);
  EXPECT_EQ(told.incident, 0);
  EXPECT_EQ(told.link, "");
  EXPECT_EQ(told.title, alert.subject);
}

TEST(Particulars, TextOfLogLinesIsOneLineOfUtf8) {
  incident::Incident incident = sample_incident();
  incident.entity.name = "eve\r\n\x1b[31m\xff";
  const Particulars told = particulars_of({}, alert_of("opened", incident));
  EXPECT_EQ(told.entity, "eve   [31m\xEF\xBF\xBD");
  EXPECT_TRUE(is_utf8(told.summary));
  EXPECT_THAT(told.summary, Not(HasSubstr("\n")));
  EXPECT_THAT(told.text, Not(HasSubstr("\x1b")));
}

TEST(Particulars, DetailsAreBounded) {
  incident::Incident incident = sample_incident();
  incident.because.assign(1000, "a_fact=1");
  incident.entity.name = std::string(100'000, 'e');
  incident.assignee = std::string(100'000, 'a');
  std::size_t characters = 0;
  const Particulars told =
      particulars_of({}, alert_of("opened", incident, std::string(100'000, 'w')));
  for (const auto& [name, worth] : told.details) characters += name.size() + worth.size();
  EXPECT_LT(characters, 8000U);
}

TEST(Particulars, TheLinkIsToTheIncidentInTheConsole) {
  const Alert alert = alert_of("opened", sample_incident());
  EXPECT_EQ(particulars_of({.console = "https://warden.example.com"}, alert).link,
            "https://warden.example.com/#incident-7");
  EXPECT_EQ(particulars_of({}, alert).link, "");
}

TEST(Shortened, CutsBetweenCharacters) {
  struct Case {
    const char* text;
    std::size_t most;
    const char* expected;
  };
  for (const Case& c :
       {Case{"", 3, ""}, Case{"abc", 3, "abc"}, Case{"abcd", 3, "ab…"}, Case{"üöä", 3, "üöä"},
        Case{"üöäß", 3, "üö…"}, Case{"😀😀", 1, "…"}, Case{"a\xff", 2, "a\xEF\xBF\xBD"}}) {
    EXPECT_EQ(shortened(c.text, c.most), c.expected);
  }
}

}  // namespace
}  // namespace mailwarden::alert
