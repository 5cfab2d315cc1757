// How a RunBook takes runs from step to step: one Walk for each of its calls.
//
// What     A Walk gathers moves. What follows from a step's end is queued, so that a long chain of
//          steps needs no deep stack; take() goes on until nothing follows.
// Owns     The moves.
// Threads  One.
// Errors   Become standings of steps.
// Limits   RunLimits.
#pragma once

#include <deque>
#include <set>
#include <string>
#include <string_view>

#include "respond/flow_run.h"

namespace mailwarden::respond::flow {

inline constexpr std::string_view daemon_itself = "mailwarden";

bool is_over(StepState state);       // of a step: nothing more comes of it by itself
bool is_open_undo(StepState state);  // begun, and not at its end
bool waits_for_person(StepState state);
bool has_operation(StepKind kind);
Means::Lookup lookup_of(const Run& run);
// A member of what was answered, as `set` names it: "status", "body.id".
json::Value answered(const json::Object& result, std::string_view name);
json::Object cut(json::Object result);

class Walk {
 public:
  Walk(Runs& runs, const Means& means, Timestamp now) : runs_(runs), means_(means), now_(now) {}

  struct Note {
    std::string why = {};
    std::string who = std::string(daemon_itself);
    std::string act = {};
    std::string does = {};
    json::Object result = {};
  };
  struct Begin {
    const Playbook& playbook;
    std::int64_t incident = 0;
    json::Object incident_values = {};
    json::Object given = {};  // values of external variables
    Cause cause = Cause::change;
    bool dry_run = false;
    std::string who = std::string(daemon_itself);
    std::string why = {};
    const Run* parent = nullptr;
    std::string parent_step = {};
  };

  // What is wrong with the given values is told before there is a run.
  Result<json::Object> values_of(const Begin& begin) const;
  Run& open(const Begin& begin, json::Object values);
  void release(Run& run);  // one that was held

  void resume(Run& run, Standing& standing);
  void take_up(Run& run, Standing& standing);  // it is due
  void settle(Run& run, Standing& standing, const Outcome& outcome);

  void move(Run& run, Standing& standing, StepState after, const Note& note);
  void move(Run& run, RunState after, const Note& note);
  void proceed(Run& run, Standing& standing);
  void finish(Run& run, Standing& standing, StepState after, const Note& note);
  void complete(Run& run, Standing& standing, const Note& note);  // its effect is there
  Result<void> set(Run& run, const Step& step, const json::Object& answer);
  void intend(Run& run, Standing& standing, const Note& note);
  void order_undo(Run& run, std::string_view step, RunState ends_as);
  void cancel(Run& run, bool undo);
  // Its effect is there, and may be taken back from now on.
  void keep_undo(Run& run, const Standing& standing);
  void look_at(Run& run) { touched_.insert(run.number); }

  Moves take();

 private:
  struct Task {
    enum class Kind : std::uint8_t { reach, follow, end_of_child };
    Kind kind = Kind::reach;
    std::int64_t run = 0;
    std::string step;
  };

  // Walking.
  void reach(Run& run, const std::string& step);
  void come_to(Run& run, const std::string& step);
  void follow(Run& run, Standing& standing);
  void end_branch(Run& run, Standing& container, bool good, const std::string& why);
  void end_main(Run& run, bool good, const std::string& why);
  void pretend(Run& run, Standing& standing, const Step& step);
  void branch(Run& run, Standing& standing, const Step& step);
  Result<bool> decide(Run& run, Standing& standing, const Step& step);
  Result<std::string> choose(Run& run, const Step& step);
  void next_round(Run& run, Standing& standing, const Step& step);
  void enter(Run& run, Standing& standing, const std::string& first, const std::string& why);
  void begin_child(Run& run, Standing& standing, const Step& step);
  void end_child(Run& child);
  void settle_run(Run& run);

  // Asking.
  std::string reason_to_ask(Run& run, const Standing& standing, const Step& step);
  std::string used_up(const std::string& playbook, const std::string& step, const Rate& rate) const;
  void use(Run& run, const std::string& step, const Rate& rate);
  void ask(Run& run, Standing& standing, StepState state, const std::string& why);
  json::Object plan_of(const Run& run, const Standing& standing, const Step& step) const;
  bool fill(Run& run, Standing& standing, const Step& step);
  std::string text_of(const Run& run, const std::string& text) const;

  // Effects.
  bool may_repeat(const Step& step, const Operation& operation) const;
  bool can_probe(const Step& step, const Operation& operation) const;
  void emit(Run& run, const Standing& standing);
  void probe(Run& run, Standing& standing, const std::string& why);
  void settle_probe(Run& run, Standing& standing, const Outcome& outcome);
  void fail_try(Run& run, Standing& standing, const Error& error);
  void again_or_failed(Run& run, Standing& standing, const std::string& why);

  // Undoing.
  void undo_next(Run& run);
  void begin_undo(Run& run, Standing& undo);
  void show_undo(Run& run, const Standing& undo);

  Runs& runs_;
  const Means& means_;
  Timestamp now_;
  std::deque<Task> tasks_;
  std::set<std::int64_t> touched_;
  Moves moves_;
};

}  // namespace mailwarden::respond::flow
