// Alerts as the routes make them, for the tests of channels.
#pragma once

#include <gtest/gtest.h>

#include "alert/routes.h"

namespace mailwarden::alert {

inline constexpr Timestamp opened_at{1'764'000'000'000'000};  // 2025-11-24T16:00:00Z

inline incident::Incident sample_incident() {
  return {.number = 7,
          .title = "Password guessing over SSH",
          .entity = {"address", "203.0.113.5"},
          .state = incident::State::analysing,
          .severity = incident::Severity::high,
          .row = "accounts",
          .because = {"accounts_affected=3", "data_compromised=true"},
          .opened = opened_at,
          .changed = opened_at,
          .first_event = opened_at,
          .last_event = opened_at,
          .detections = 20,
          .assignee = "ada",
          .graded = opened_at};
}

// What is told of a change that left the incident like that.
inline Alert alert_of(const std::string& change, const incident::Incident& incident,
                      const std::string& why = "a reason") {
  const Routes routes = Routes::parse(
                            "receivers: [{name: r, kind: folder, folder: f}]\n"
                            "routes: [{changes: [" +
                                change + "], to: [r]}]\n",
                            "r.yaml", "/a")
                            .value();
  const incident::Change told{.incident = incident.number,
                              .sequence = 3,
                              .when = opened_at + std::chrono::minutes(5),
                              .kind = change,
                              .why = why,
                              .who = "ada"};
  auto alerts = route(routes, told, incident, "example.com/log");
  EXPECT_EQ(alerts.size(), 1U);
  return std::move(alerts.at(0));
}

}  // namespace mailwarden::alert
