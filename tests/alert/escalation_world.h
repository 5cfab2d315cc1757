// One incident, its escalations and a clock that a test moves.
#pragma once

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "alert/escalation.h"

namespace mailwarden::alert {

inline constexpr Timestamp world_start{1'764'000'000'000'000};

class World {
 public:
  explicit World(const std::string& chains, const std::string& changes = "opened, severity_raised")
      : routes_(make_routes(chains, changes)) {}

  static Routes make_routes(const std::string& chains, const std::string& changes) {
    auto parsed = EscalationChains::parse(chains, "e.yaml");
    EXPECT_TRUE(parsed) << parsed.error().what;
    std::string to;
    for (const Chain& chain : parsed->chains()) {
      to += (to.empty() ? "" : ", ") + std::string(escalation_prefix) + chain.name;
    }
    auto routes = Routes::parse(
        "receivers:\n- {name: spool, kind: folder, folder: s}\n"
        "- {name: lead, kind: folder, folder: l}\n"
        "routes: [{changes: [" +
            changes + "], severity_from: 1, to: [" + to + "]}]\n",
        "r.yaml", "/a", OnCallSchedules(), *std::move(parsed));
    EXPECT_TRUE(routes) << routes.error().what;
    return *std::move(routes);
  }

  // What a change of that kind leads to.
  std::vector<EscalationMove> change(const std::string& kind) {
    return book_.change(routes_, {.incident = incident_.number, .when = now_, .kind = kind},
                        incident_);
  }
  std::vector<EscalationMove> open(incident::Severity severity = incident::Severity::medium) {
    incident_.severity = severity;
    return change("opened");
  }
  std::vector<EscalationMove> acknowledge() {
    incident_.acknowledged = now_;
    incident_.acknowledged_by = "ann";
    return change("acknowledged");
  }
  std::vector<EscalationMove> raise(incident::Severity severity) {
    incident_.severity = severity;
    incident_.acknowledged = {};
    return change("severity_raised");
  }

  // What is due so long behind the start.
  std::vector<EscalationMove> at(Duration since_start) {
    now_ = world_start + since_start;
    return tick();
  }
  std::vector<EscalationMove> tick() {
    return book_.tick(now_, [this](std::int64_t) { return &incident_; });
  }

  std::vector<Alert> alerts(const EscalationMove& move) const {
    return escalation_alerts(routes_, move, incident_, "example.com/log");
  }
  const Escalation& escalation(const std::string& chain = "c") const {
    return *book_.find(incident_.number, chain);
  }

  Routes routes_;
  EscalationBook book_;
  incident::Incident incident_{.number = 7, .title = "T", .entity = {"address", "203.0.113.5"}};
  Timestamp now_ = world_start;
};

// "reached 1.2" for step 2 of round 1; "begun 1" for the first beginning; "ended", …
inline std::vector<std::string> words(const std::vector<EscalationMove>& moves) {
  std::vector<std::string> all;
  for (const EscalationMove& move : moves) {
    std::string one(to_string(move.kind));
    if (move.kind == EscalationMove::Kind::begun) {
      one += " " + std::to_string(move.escalation.begin);
    } else if (move.kind == EscalationMove::Kind::reached) {
      one += " " + std::to_string(move.round + 1) + "." + std::to_string(move.step + 1);
      if (move.rounds_left_out > 0) one += " -" + std::to_string(move.rounds_left_out);
    }
    all.push_back(one);
  }
  return all;
}

}  // namespace mailwarden::alert
