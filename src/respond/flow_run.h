// Playbooks with branches at work: which step of which run stands where.
//
// What     A RunBook starts runs, takes each from step to step through its playbook's graph, and
//          decides in memory alone. Every move is a StepChange, which is stored and proved, with
//          the run's row, before what it asks for is done: an intent comes before its effect, and
//          the effect's outcome is the next move. What one call of the book decided is stored as a
//          whole or not at all.
//          A run keeps the playbook that it began with, so another version of it changes nothing
//          for runs that are open. Waits, retries and time limits are moments in the run; tick()
//          takes up what is due.
// Owns     The runs that are not over, those that they belong to and those that belong to them.
// Threads  One, the core's.
// Errors   act(): not_found, conflict (a step that does not stand where the act needs it), denied
//          (no name or no reason), invalid (an answer of another type). start(): not_found,
//          invalid, denied, full.
// Limits   RunLimits, FlowLimits.
// Source   CACAO 2.0 for how steps follow each other; the rest is ours.
//
// A step stands at waiting until the run reaches it; then delayed, needs_approval, needs_person,
// at_work (one with branches or a run of its own), intended, retrying, or at its end: done, failed,
// skipped. An effect whose outcome nobody learned is asked for again with the same key where it may
// be repeated, else asked about by its probe (probing), else unknown: a person says. What was done
// can be taken back: undoing, then undone or undo_failed.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/timestamp.h"
#include "incident/incident.h"
#include "json/value.h"
#include "respond/condition.h"
#include "respond/flow.h"

namespace mailwarden::respond::flow {

struct RunLimits {
  static constexpr std::size_t runs_open_max = 10'000;
  static constexpr std::int64_t visits_max = 5000;  // of steps, in one run
  static constexpr std::size_t reason_bytes_max = 4096;
  static constexpr std::size_t result_bytes_max = 16 * 1024;  // of one step; more is cut
  static constexpr std::size_t followers_max = 20;            // that an approval is shown
};

enum class StepState : std::uint8_t {
  waiting,
  delayed,
  needs_approval,
  needs_person,
  at_work,
  intended,
  probing,
  unknown,
  retrying,
  done,
  failed,
  skipped,
  undoing,
  undone,
  undo_failed
};
std::string_view to_string(StepState state);
std::optional<StepState> parse_step_state(std::string_view text);

enum class RunState : std::uint8_t {
  running,
  waits_for_person,
  undoing,
  done,
  failed,
  cancelled,
  undone
};
std::string_view to_string(RunState state);
std::optional<RunState> parse_run_state(std::string_view text);
bool is_over(RunState state);

// What a run is at, whatever it waits for.
enum class Phase : std::uint8_t { steps, on_failure, cancelling, undoing, over };
// Why there is a run: an incident changed, a person said so, another run has it as a step.
enum class Cause : std::uint8_t { change, hand, run };
std::string_view to_string(Cause cause);

// A playbook, and what follows from it.
class Graph {
 public:
  explicit Graph(Playbook playbook);

  const Playbook& playbook() const { return playbook_; }
  const Step& step(std::string_view id) const;
  bool has(std::string_view id) const { return playbook_.steps.contains(id); }
  // The step with the branch in which this one stands; "" for none, and where nothing leads to it.
  const std::string& container(std::string_view id) const;
  // Steps of its branches, and of theirs.
  std::vector<std::string> inside(std::string_view id) const;

 private:
  void walk(const std::string& first, const std::string& container);

  Playbook playbook_;
  std::map<std::string, std::string, std::less<>> containers_;
  std::string none_;
};

// Where a step stands, or the taking back of what it did.
struct Standing {
  std::string step;
  bool is_undo = false;
  StepState state = StepState::waiting;
  std::int64_t visit = 0;  // how often the run has come to it
  std::int64_t tries = 0;  // of this visit
  std::optional<Timestamp> due;
  bool approved = false;
  bool by_hand = false;  // a person does what the daemon must not
  bool lost = false;     // nobody learned what its last try came to
  bool ordered = false;  // an undo that is to be done
  std::string who;       // of the last move
  std::string why;
  json::Object result;
  std::optional<Operation> operation;  // as it was filled in
  std::string does;                    // the same, for people
  json::Object plan;                   // what whoever approves is shown
  std::int64_t rounds = 0;             // of a while
  std::int64_t branches = 0;           // that have not ended
  bool branch_failed = false;
  std::int64_t child = 0;  // the run of a playbook step

  bool operator==(const Standing&) const = default;
};

struct Run {
  std::int64_t number = 0;  // from 1
  std::shared_ptr<const Graph> graph;
  std::int64_t incident = 0;  // 0 for none
  Cause cause = Cause::change;
  std::int64_t parent = 0;  // the run that has this one as a step
  std::string parent_step;
  std::int64_t root = 0;  // the one above all
  std::int64_t depth = 0;
  bool dry_run = false;
  bool literal = false;  // its texts are filled in already and are not looked at again
  RunState state = RunState::running;
  Phase phase = Phase::steps;
  RunState ends_as = RunState::done;
  bool undo_asked = false;  // behind a cancellation
  std::string held;         // why a person must allow that it begins; "" where none must
  std::string who;          // of the last move of the run as a whole
  std::string why;
  std::string failure;  // why it fails, once it does
  Timestamp started;
  Timestamp changed;
  std::int64_t visits = 0;
  json::Object values;  // of variables, and of the incident as "incident.entity", "fact.malware"
  std::map<std::string, Standing, std::less<>> steps;
  std::deque<Standing> undos;  // of what was done, in that order
  // When steps with a rate were intended; under "" when the run began.
  std::map<std::string, std::vector<Timestamp>, std::less<>> uses;

  const Playbook& playbook() const { return graph->playbook(); }
};

// For the store: all of it. run_from_json() reads the rows of earlier versions, too.
json::Object to_stored_json(const Run& run);
Result<Run> run_from_json(const json::Value& value);
// For people.
json::Object to_json(const Run& run);

// "run-7-lock", "run-7-lock-2" for its second visit, "run-7-lock-undo": the same for every try, and
// no other step's.
std::string step_key(const Run& run, const Standing& standing);
// How long to wait behind so many tries; spread by the key, so that what failed together does not
// come again together.
Duration pause_after(std::int64_t tries, const Retry& retry, std::string_view key);

struct StepChange {
  std::int64_t run = 0;
  std::string step;  // "" for the run as a whole
  std::int64_t visit = 0;
  bool is_undo = false;
  std::string before;
  std::string after;
  std::string who;
  std::string why;
  std::string act;   // what a person ordered; "" where the daemon moved it
  std::string does;  // of an intent
  json::Object result;
  Timestamp when;
};
json::Object to_record(const StepChange& change, const Run& run);

// What is to be done once the moves are durable.
struct Effect {
  enum class Kind : std::uint8_t { perform, probe };
  Kind kind = Kind::perform;
  std::int64_t run = 0;
  std::string step;
  std::int64_t visit = 0;
  std::int64_t tries = 0;
  bool is_undo = false;
  std::string key;
  std::int64_t incident = 0;
  Operation operation;
  // Of a probe without an operation of its own: the daemon's action, asked whether it holds.
  bool asks_action = false;
};

// What an effect came to.
struct Outcome {
  Effect::Kind kind = Effect::Kind::perform;
  std::int64_t run = 0;
  std::string step;
  std::int64_t visit = 0;
  std::int64_t tries = 0;
  bool is_undo = false;
  // For asks_action: {"holds": true}.
  Result<json::Object> answer;
};
Outcome outcome_of(const Effect& effect, Result<json::Object> answer);

struct RunAct {
  enum class Kind : std::uint8_t { approve, reject, done, failed, again, undo, cancel };
  Kind kind = Kind::approve;
  std::int64_t run = 0;
  std::string step;  // "" for the run: undo, cancel, and approve and reject of one that is held
  std::string who;
  std::string why;
  std::string value;  // what a person answers
  bool undo = false;  // cancel: and take back what was done
};
std::string_view to_string(RunAct::Kind kind);
std::optional<RunAct::Kind> parse_act(std::string_view text);

// A run that a person wants.
struct StartOrder {
  std::string playbook;
  const incident::Incident* incident = nullptr;  // null for none
  json::Object values;                           // of external variables
  std::string who;
  std::string why;
  bool dry_run = false;
};

// What the book needs of those that know the language and the daemon's effects. All are pure.
struct Means {
  using Lookup = Condition::Lookup;
  std::function<Result<bool>(std::string_view condition, const Lookup& lookup)> holds;
  // not_found: a variable has no value. What else is wrong with an operation makes it a person's.
  std::function<Result<std::string>(std::string_view text, const Lookup& lookup)> fill_text;
  // As it is, to be compared.
  std::function<Result<std::string>(std::string_view text, const Lookup& lookup)> fill_exactly;
  // A text that is exactly one variable is its value.
  std::function<Result<json::Value>(const json::Value& value, const Lookup& lookup)> fill_value;
  std::function<Result<Operation>(const Operation& operation, const Lookup& lookup)> fill;
  // A value of that type, from JSON or from text.
  std::function<Result<json::Value>(VariableType type, const json::Value& value)> read;
  std::function<std::string(const Operation& operation)> describe;
  // As far as its values are known.
  std::function<std::string(const Operation& operation, const Lookup& lookup)> describe_unguarded;
  std::function<bool(std::string_view action)> is_repeatable;  // one of the daemon's actions
  std::function<json::Object(const incident::Incident& incident)> incident_values;
  std::function<const Playbook*(std::string_view name)> find;
};

struct Moves {
  std::vector<StepChange> changes;
  std::vector<Effect> effects;
  // Runs whose rows are to be stored.
  std::set<std::int64_t> runs() const;
};

// What stands in the store at a start.
struct Stored {
  std::vector<Run> runs;  // those that are not over, and all that belong to them
  std::set<std::pair<std::string, std::int64_t>> started;  // playbook and incident, by changes
  std::int64_t last_number = 0;
  // By playbook and step.
  std::map<std::pair<std::string, std::string>, std::vector<Timestamp>> uses;
};

struct Runs {
  std::map<std::int64_t, Run> all;
  std::set<std::pair<std::string, std::int64_t>> started;
  std::set<std::int64_t> taken;  // the incidents of those
  std::int64_t last_number = 0;
  std::map<std::pair<std::string, std::string>, std::vector<Timestamp>> uses;
  // When something is due next; found again behind each change.
  bool knows_due = false;
  std::optional<Timestamp> due;
};

class RunBook {
 public:
  RunBook(Means means, Stored stored);

  // Behind a start: what nobody learned the outcome of is asked for again, asked about, or unknown.
  Moves resume(Timestamp now);
  Moves start_due(std::span<const Playbook> playbooks, const incident::Incident& incident,
                  Timestamp now);
  struct Started {
    std::int64_t run = 0;
    Moves moves;
  };
  Result<Started> start(const StartOrder& order, Timestamp now);
  Moves settle(const Outcome& outcome, Timestamp now);
  Result<Moves> act(const RunAct& act, Timestamp now);
  Moves tick(Timestamp now);
  // When tick() has something to do next.
  std::optional<Timestamp> next_due();

  // A run that is not over, or has not been forgotten since.
  const Run* find(std::int64_t number) const;
  // Runs that are over come back, so that what they did can be undone: a whole family.
  void recall(std::vector<Run> family);
  // Those of families of which none is open.
  void forget_ended();
  // How many runs that are not over stand in each state.
  std::map<RunState, std::int64_t> count() const;
  // Those of an incident that are not over.
  std::vector<std::int64_t> open_runs(std::int64_t incident) const;

 private:
  Means means_;
  Runs runs_;
};

}  // namespace mailwarden::respond::flow
