// A small store with something of every kind that the reports tell of.
#pragma once

#include <string>
#include <vector>

#include "access/decision_record.h"
#include "access/grant_table.h"
#include "access/sign_ins.h"
#include "alert/escalation_table.h"
#include "alert/signal_table.h"
#include "identity/people_table.h"
#include "incident/waiting_table.h"
#include "ledger/witness_book.h"
#include "report/check_rows.h"
#include "report/report.h"
#include "tests/privacy/store.h"

namespace mailwarden::report {

inline constexpr Duration day = std::chrono::hours(24);
inline constexpr Timestamp begin = TestStore::begin;
inline const Timestamp week_end = begin + 7 * day;
inline const std::string hostile = R"(<script src="//evil.example/x.js">alert('1')</script>&"{{)";

inline incident::Incident sample_incident(std::int64_t number, incident::Severity severity) {
  return {.number = number,
          .title = "incident " + hostile,
          .entity = {"account", hostile},
          .state = incident::State::analysing,
          .severity = severity,
          .row = "row " + hostile,
          .because = {"because " + hostile},
          .opened = begin,
          .changed = begin,
          .first_event = begin,
          .last_event = begin,
          .detections = 1,
          .rules = {"r1"},
          .changes = 2};
}

inline incident::Change sample_change(std::int64_t number, std::int64_t sequence, Timestamp when,
                                      const std::string& who) {
  return {.incident = number,
          .sequence = sequence,
          .when = when,
          .kind = who == "mailwarden" ? "opened" : "noted",
          .before = {},
          .after = {},
          .why = "why " + hostile,
          .who = who};
}

// With every table that a report's checks read.
class ReportStore : public TestStore {
 public:
  ReportStore() : TestStore(of_access()) {}

 private:
  static std::vector<db::Migration> of_access() {
    std::vector<db::Migration> steps;
    for (const auto& some :
         {alert::escalation_migrations(), access::decision_migrations(), access::migrations(),
          access::sign_in_migrations(), alert::signal_migrations(), identity::migrations(),
          incident::waiting_migrations(), ledger::witness_migrations()}) {
      steps.insert(steps.end(), some.begin(), some.end());
    }
    return steps;
  }
};

// Sealed; every text that comes from outside is hostile.
inline void fill(TestStore& store) {
  store.record("gap", {{"source", "old"}, {"what", "before"}}, begin - day);
  store.change(sample_incident(3, incident::Severity::extreme),
               sample_change(3, 1, begin - day, "mailwarden"));
  store.record("policies", {{"correlations", 2}, {"rules", 5}, {"version", hostile}}, begin);
  store.events("auth", {begin - 20 * day, begin - 15 * day, begin - 15 * day}, begin);
  store.events(hostile, {begin, begin + day}, begin, hostile);
  const auto first = sample_incident(1, incident::Severity::high);
  store.change(first, sample_change(1, 1, begin, "mailwarden"));
  store.record("gap", {{"source", hostile}, {"what", "gap " + hostile}}, begin + day);
  store.detection(1,
                  {.rule_id = "r1",
                   .title = "rule " + hostile,
                   .event = store.last_event(hostile),
                   .time = begin + day,
                   .entity = {"account", hostile}},
                  begin + day);
  store.change(first, sample_change(1, 2, begin + day, "bob " + hostile));
  store.change(sample_incident(2, incident::Severity::low),
               sample_change(2, 1, begin + 2 * day, "mailwarden"));
  store.seal();
}

inline Period week_of(TestStore& store) {
  return period_between(store.database(), begin, week_end).value();
}

inline ReportOptions options_of(TestStore& store) {
  const Checks checks = all_checks(store.database());
  return {.key = store.key(), .check_record = checks.record, .check_end = checks.end};
}

inline std::vector<privacy::RetentionPolicy> sample_policies() {
  return {{.category = "sign-ins " + hostile,
           .basis = "basis " + hostile,
           .sources = {"auth", "web"},
           .keep = 10 * day,
           .holds = {{.name = "case " + hostile, .reason = "for " + hostile, .sources = {"web"}}}}};
}

}  // namespace mailwarden::report
