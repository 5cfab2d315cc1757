// Playbooks at work: which step of which run stands where.
//
// What     A RunBook starts a run when a change makes a playbook due on an incident, once for each
//          of the two, and takes it from step to step. Each move is a StepChange, which is stored
//          and proved before what it asks for is done: an intent comes before its effect, and the
//          effect's outcome is the next move. The book decides in memory and does nothing itself.
// Owns     The runs that are not over.
// Threads  One, the core's.
// Errors   act(): not_found, conflict (a step that does not stand where the act needs it), denied
//          (no name or no reason).
// Limits   reason_bytes_max.
//
// A step stands at waiting, then needs_approval where it asks for one, then intended (command,
// http), needs_person (manual) or at its end: done, failed, skipped. A command that was intended
// when the daemon died, and that must not be repeated blindly, becomes unknown: a person says what
// it did.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/timestamp.h"
#include "incident/incident.h"
#include "json/value.h"
#include "respond/playbook.h"

namespace mailwarden::respond {

enum class StepState : std::uint8_t {
  waiting,
  needs_approval,
  needs_person,
  intended,
  unknown,
  done,
  failed,
  skipped
};
std::string_view to_string(StepState state);

enum class RunState : std::uint8_t { running, waits_for_person, done, failed };
std::string_view to_string(RunState state);
std::optional<RunState> parse_run_state(std::string_view text);

struct StepStanding {
  Step step;
  StepState state = StepState::waiting;
  bool approved = false;
  std::string who;  // of the last move
  std::string why;
  json::Object result;  // what the effect answered
};

struct Run {
  std::int64_t number = 0;  // from 1
  std::string playbook;
  std::string title;
  std::string version;
  std::int64_t incident = 0;
  bool dry_run = false;
  RunState state = RunState::running;
  Timestamp started;
  Timestamp changed;
  std::vector<StepStanding> steps;
};
json::Object to_json(const Run& run);
Result<Run> run_from_json(const json::Value& value);

// "run-7-lock": the same for every try, and no other step's.
std::string step_key(const Run& run, const Step& step);

struct StepChange {
  std::int64_t run = 0;
  std::string step;  // "" for the run as a whole
  std::string before;
  std::string after;
  std::string who;
  std::string why;
  json::Object result;
  Timestamp when;
};
json::Object to_record(const StepChange& change, const Run& run);

// What is to be done once the moves are durable.
struct Effect {
  std::int64_t run = 0;
  std::string key;
  std::int64_t incident = 0;
  Step step;
};

struct RunAct {
  enum class Kind { approve, reject, done, failed, again };
  Kind kind = Kind::approve;
  std::int64_t run = 0;
  std::string step;
  std::string who;
  std::string why;
};

// What an effect came to.
struct StepOutcome {
  std::int64_t run = 0;
  std::string step;
  bool good = false;
  std::string why;  // where it failed
  json::Object result;
};

class RunBook {
 public:
  static constexpr std::size_t reason_bytes_max = 4096;

  struct Moves {
    std::vector<StepChange> changes;
    std::vector<Effect> effects;
  };

  // `runs`: those that are not over; `started`: each playbook and incident that has a run.
  RunBook(std::vector<Run> runs, std::set<std::pair<std::string, std::int64_t>> started,
          std::int64_t last_number);

  // Behind a start: what was intended and may be repeated is asked for again, and what may not is
  // unknown.
  Moves resume(Timestamp now);
  Moves start_due(const std::vector<Playbook>& playbooks, const incident::Incident& incident,
                  const std::vector<std::string>& commands, Timestamp now);
  Moves settle(const StepOutcome& outcome, Timestamp now);
  Result<Moves> act(const RunAct& act, Timestamp now);

  // A run that is not over, or was moved since forget_ended() was last called.
  const Run* find(std::int64_t number) const;
  void forget_ended();

 private:
  StepStanding* find_step(Run& run, std::string_view id);
  void move(Moves& moves, Run& run, StepStanding& standing, StepState state, const std::string& who,
            const std::string& why, Timestamp now, json::Object result = {});
  void advance(Moves& moves, Run& run, Timestamp now);
  // Whether the run goes on with the next step.
  bool begin(Moves& moves, Run& run, StepStanding& standing, Timestamp now);
  void end(Moves& moves, Run& run, RunState state, Timestamp now);

  std::map<std::int64_t, Run> runs_;
  std::set<std::pair<std::string, std::int64_t>> started_;
  std::int64_t last_number_;
};

}  // namespace mailwarden::respond
