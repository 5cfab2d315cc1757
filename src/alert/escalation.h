// Escalations: chains at work on incidents.
//
// What     When a routed change reaches a chain, an Escalation begins for the incident and the
//          chain. It keeps the steps as they stood then, each with its absolute time, so that
//          neither a restart nor another file moves it; who is on call is asked when a step is
//          due. It ends when what the chain waits for has come to pass or the incident is over. A
//          severity that rises begins it anew, and so does the next routed change of an incident
//          that waits for somebody again; a chain that came to its end unanswered is exhausted.
//          EscalationBook decides this in memory, given the time; what it decided, moves, is
//          stored by escalation_table.h and told by escalation_alerts().
//          Where the clock jumps over steps, each is reached once and in order. Rounds that were
//          missed as a whole but the last of them are left out, and the next step says how many.
// Owns     The escalations of incidents that are not over.
// Threads  One, the core's.
// Errors   None.
// Limits   EscalationLimits; an incident has one escalation a chain.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alert/routes.h"
#include "base/timestamp.h"
#include "incident/incident.h"
#include "json/value.h"

namespace mailwarden::alert {

struct EscalationStep {
  Timestamp due;  // in the first round
  std::vector<std::string> to;
  incident::Severity severity_from = incident::Severity::low;

  bool operator==(const EscalationStep&) const = default;
};

struct Escalation {
  enum class State : std::uint8_t {
    running,
    ended,       // because of `why`
    exhausted,   // nobody answered
    passed_over  // the incident was open before a route named the chain
  };

  std::int64_t incident = 0;
  std::string chain;
  State state = State::running;
  std::int64_t begin = 0;                                 // how often it has begun
  incident::Severity severity = incident::Severity::low;  // at which it began
  Until until = Until::acknowledged;
  Timestamp began;
  std::string cause;                  // the kind of change
  std::vector<EscalationStep> steps;  // none where it was passed over, or is erased
  std::int64_t repeat = 0;
  Duration repeat_after{};
  std::int64_t round = 0;  // from 0
  std::size_t next = 0;    // the step that comes next; as many as there are: the end
  Timestamp reached;       // when the last step was; the epoch before
  Timestamp ended;         // the epoch while it runs
  std::string why;         // it ended

  bool operator==(const Escalation&) const = default;
};
std::string_view to_string(Escalation::State state);
std::optional<Escalation::State> parse_escalation_state(std::string_view text);

// When the next step is due, or it is exhausted; Timestamp::latest where it does not run.
Timestamp next_due(const Escalation& escalation);
// Rounds and steps count from 1 there. `next` has round, step, due and to; null where none comes.
json::Object to_json(const Escalation& escalation);
std::optional<Escalation> escalation_from_json(const json::Value& value);

// One step of an escalation's life, and how it stands behind it.
struct EscalationMove {
  enum class Kind : std::uint8_t { begun, reached, ended, exhausted, passed_over };

  Kind kind = Kind::begun;
  Escalation escalation;
  Timestamp when;
  // Of a step that was reached.
  std::int64_t round = 0;
  std::size_t step = 0;
  Timestamp due;
  std::int64_t rounds_left_out = 0;  // before it
};
std::string_view to_string(EscalationMove::Kind kind);

using FindIncident = std::function<const incident::Incident*(std::int64_t number)>;

class EscalationBook {
 public:
  EscalationBook() = default;
  // Those of open incidents, and whatever else runs.
  explicit EscalationBook(std::vector<Escalation> escalations);

  // What a change that left the incident as it is given begins or ends.
  std::vector<EscalationMove> change(const Routes& routes, const incident::Change& change,
                                     const incident::Incident& incident);
  // What is due by that time. An incident that is not found is over.
  std::vector<EscalationMove> tick(Timestamp now, const FindIncident& find);
  // The same incident under routes that are new: chains that would have begun for it.
  std::vector<EscalationMove> pass_over(const Routes& routes, const incident::Incident& incident,
                                        Timestamp now);

  const Escalation* find(std::int64_t incident, std::string_view chain) const;
  std::int64_t running() const { return running_; }
  // Of incidents that are not over.
  std::int64_t exhausted() const { return exhausted_; }

 private:
  using Key = std::pair<std::int64_t, std::string>;

  EscalationMove begin(const Chain& chain, const incident::Change& change,
                       const incident::Incident& incident);
  void advance(Escalation& escalation, Timestamp now, std::vector<EscalationMove>& moves);
  EscalationMove end(Escalation& escalation, Escalation::State state, std::string why,
                     Timestamp now);
  void set_state(Escalation& escalation, Escalation::State state);
  void forget(std::int64_t incident);

  std::map<Key, Escalation> escalations_;
  std::int64_t running_ = 0;
  std::int64_t exhausted_ = 0;
  Timestamp next_due_ = Timestamp::latest;  // nothing is before this
};

// Why the escalation of that incident must be over; "" where it need not.
std::string over_because(Until until, const incident::Incident& incident);
// Whether such a change of an incident of that severity and type goes to the chain; `type` is null
// for whatever type.
bool reaches(const Routes& routes, std::string_view chain, std::string_view change,
             incident::Severity severity, const std::string* type);

// Of a step that was reached. None where the incident is less severe than the step asks for.
std::vector<Alert> escalation_alerts(const Routes& routes, const EscalationMove& move,
                                     const incident::Incident& incident, const std::string& origin);
// Why a step that was reached told nobody, or not all that it names; "" else.
std::string untold(const Routes& routes, const EscalationMove& move,
                   const incident::Incident& incident);
// For the ledger; `receivers` are those who are told.
json::Object to_record(const EscalationMove& move, const std::vector<Alert>& alerts,
                       const std::string& untold);

}  // namespace mailwarden::alert
