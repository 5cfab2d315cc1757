#include "alert/escalation.h"

#include <algorithm>

namespace mailwarden::alert {
namespace {

Timestamp step_due(const Escalation& escalation, std::int64_t round, std::size_t step) {
  return escalation.steps[step].due + escalation.repeat_after * round;
}

// How long somebody may still answer behind the last step.
Duration rest(const Escalation& escalation) {
  return escalation.repeat_after - (escalation.steps.back().due - escalation.began);
}

}  // namespace

Timestamp next_due(const Escalation& escalation) {
  if (escalation.state != Escalation::State::running) return Timestamp::latest;
  // One whose steps were erased has come to its end.
  if (escalation.steps.empty()) return escalation.began;
  if (escalation.next < escalation.steps.size()) {
    return step_due(escalation, escalation.round, escalation.next);
  }
  return escalation.reached + rest(escalation);
}

std::string over_because(Until until, const incident::Incident& incident) {
  if (incident.state == incident::State::merged) {
    return "merged into incident " + std::to_string(incident.merged_into);
  }
  if (is_over(incident.state)) {
    return "the incident is " + std::string(incident::to_string(incident.state));
  }
  if (!is_met(until, incident)) return "";
  if (until == Until::acknowledged) return "acknowledged by " + incident.acknowledged_by;
  return std::string(to_string(until));
}

bool reaches(const Routes& routes, std::string_view chain, std::string_view change,
             incident::Severity severity, const std::string* type) {
  const std::string name = std::string(escalation_prefix) + std::string(chain);
  return std::ranges::any_of(routes.routes(), [&](const Route& route) {
    return route.takes(change, severity, type) &&
           std::ranges::find(route.to, name) != route.to.end();
  });
}

EscalationBook::EscalationBook(std::vector<Escalation> escalations) {
  for (Escalation& one : escalations) {
    running_ += one.state == Escalation::State::running ? 1 : 0;
    exhausted_ += one.state == Escalation::State::exhausted ? 1 : 0;
    next_due_ = std::min(next_due_, next_due(one));
    Key key{one.incident, one.chain};
    escalations_.emplace(std::move(key), std::move(one));
  }
}

const Escalation* EscalationBook::find(std::int64_t incident, std::string_view chain) const {
  const auto found = escalations_.find({incident, std::string(chain)});
  return found == escalations_.end() ? nullptr : &found->second;
}

void EscalationBook::set_state(Escalation& escalation, Escalation::State state) {
  running_ += (state == Escalation::State::running ? 1 : 0) -
              (escalation.state == Escalation::State::running ? 1 : 0);
  exhausted_ += (state == Escalation::State::exhausted ? 1 : 0) -
                (escalation.state == Escalation::State::exhausted ? 1 : 0);
  escalation.state = state;
}

EscalationMove EscalationBook::end(Escalation& escalation, Escalation::State state, std::string why,
                                   Timestamp now) {
  set_state(escalation, state);
  escalation.ended = now;
  escalation.why = std::move(why);
  return {.kind = state == Escalation::State::exhausted ? EscalationMove::Kind::exhausted
                                                        : EscalationMove::Kind::ended,
          .escalation = escalation,
          .when = now};
}

void EscalationBook::forget(std::int64_t incident) {
  auto one = escalations_.lower_bound({incident, std::string()});
  while (one != escalations_.end() && one->first.first == incident) {
    set_state(one->second, Escalation::State::ended);
    one = escalations_.erase(one);
  }
}

EscalationMove EscalationBook::begin(const Chain& chain, const incident::Change& change,
                                     const incident::Incident& incident) {
  Escalation fresh{.incident = incident.number,
                   .chain = chain.name,
                   .state = Escalation::State::ended,
                   .severity = incident.severity,
                   .until = chain.until,
                   .began = change.when,
                   .cause = change.kind,
                   .repeat = chain.repeat,
                   .repeat_after = chain.repeat_after};
  for (const ChainStep& step : chain.steps) {
    fresh.steps.push_back(
        {.due = change.when + step.after, .to = step.to, .severity_from = step.severity_from});
  }
  Escalation& escalation = escalations_[{incident.number, chain.name}];
  fresh.begin = escalation.begin + 1;
  // What it was does not count any more.
  if (fresh.begin > 1) set_state(escalation, Escalation::State::ended);
  escalation = std::move(fresh);
  set_state(escalation, Escalation::State::running);
  next_due_ = std::min(next_due_, next_due(escalation));
  return {.kind = EscalationMove::Kind::begun, .escalation = escalation, .when = change.when};
}

std::vector<EscalationMove> EscalationBook::change(const Routes& routes,
                                                   const incident::Change& change,
                                                   const incident::Incident& incident) {
  std::vector<EscalationMove> moves;
  for (auto one = escalations_.lower_bound({incident.number, std::string()});
       one != escalations_.end() && one->first.first == incident.number; ++one) {
    if (one->second.state != Escalation::State::running) continue;
    std::string why = over_because(one->second.until, incident);
    if (why.empty()) continue;
    moves.push_back(end(one->second, Escalation::State::ended, std::move(why), change.when));
  }
  if (is_over(incident.state)) {
    forget(incident.number);
    return moves;
  }
  for (const Chain& chain : routes.chains().chains()) {
    const Escalation* const known = find(incident.number, chain.name);
    // An answer to what was known before does not count for a higher severity.
    const bool rises =
        change.kind == "severity_raised" && known != nullptr && incident.severity > known->severity;
    const bool is_its = reaches(routes, chain.name, change.kind, incident.severity, &incident.type);
    if (!rises && !is_its) continue;
    if (!rises && known != nullptr && known->state == Escalation::State::running) continue;
    if (is_met(chain.until, incident)) continue;
    moves.push_back(begin(chain, change, incident));
  }
  return moves;
}

std::vector<EscalationMove> EscalationBook::pass_over(const Routes& routes,
                                                      const incident::Incident& incident,
                                                      Timestamp now) {
  std::vector<EscalationMove> moves;
  for (const Chain& chain : routes.chains().chains()) {
    const auto goes = [&](std::string_view change) {
      return reaches(routes, chain.name, change, incident.severity, &incident.type);
    };
    const bool would_begin = goes("opened") || goes("severity_raised");
    if (!would_begin || find(incident.number, chain.name) != nullptr) continue;
    Escalation passed{.incident = incident.number,
                      .chain = chain.name,
                      .state = Escalation::State::passed_over,
                      .severity = incident.severity,
                      .until = chain.until,
                      .ended = now,
                      .why = "the incident was open before a route named the chain"};
    moves.push_back({.kind = EscalationMove::Kind::passed_over, .escalation = passed, .when = now});
    escalations_.emplace(Key{incident.number, chain.name}, std::move(passed));
  }
  return moves;
}

void EscalationBook::advance(Escalation& escalation, Timestamp now,
                             std::vector<EscalationMove>& moves) {
  if (escalation.steps.empty()) {
    moves.push_back(end(escalation, Escalation::State::ended, "its steps were erased", now));
    return;
  }
  while (true) {
    std::int64_t left_out = 0;
    while (escalation.next == 0 && escalation.round < escalation.repeat &&
           step_due(escalation, escalation.round + 1, 0) <= now) {
      ++escalation.round;
      ++left_out;
    }
    const Timestamp due = next_due(escalation);
    if (due > now) return;
    if (escalation.next == escalation.steps.size()) break;
    const std::int64_t round = escalation.round;
    const std::size_t step = escalation.next++;
    escalation.reached = now;
    if (escalation.next == escalation.steps.size() && round < escalation.repeat) {
      ++escalation.round;
      escalation.next = 0;
    }
    moves.push_back({.kind = EscalationMove::Kind::reached,
                     .escalation = escalation,
                     .when = now,
                     .round = round,
                     .step = step,
                     .due = due,
                     .rounds_left_out = left_out});
  }
  moves.push_back(end(escalation, Escalation::State::exhausted,
                      "nobody answered the chain '" + escalation.chain + "', which began at " +
                          to_rfc3339(escalation.began),
                      now));
}

std::vector<EscalationMove> EscalationBook::tick(Timestamp now, const FindIncident& find) {
  std::vector<EscalationMove> moves;
  if (now < next_due_) return moves;
  next_due_ = Timestamp::latest;
  for (auto& [key, escalation] : escalations_) {
    if (next_due(escalation) <= now) {
      const incident::Incident* const incident = find(escalation.incident);
      std::string why =
          incident == nullptr ? "the incident is over" : over_because(escalation.until, *incident);
      if (!why.empty()) {
        moves.push_back(end(escalation, Escalation::State::ended, std::move(why), now));
      } else {
        advance(escalation, now, moves);
      }
    }
    next_due_ = std::min(next_due_, next_due(escalation));
  }
  return moves;
}

}  // namespace mailwarden::alert
