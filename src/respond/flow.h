// What is done about an incident: the steps, and the ways between them.
//
// What     A Playbook is a graph of steps by id, as CACAO's workflows are. A step is followed by
//          `next`; "" ends the branch that it stands in. if, switch, while and parallel lead into
//          branches, each of its own steps, and go on at their own `next` when those have ended. So
//          each step belongs to one branch, and branches nest.
//          Texts of a step may hold variables, ${name}, which are filled in when the step begins.
//          In a command each argument is handed over as it is, never to a shell.
// Owns     Its content.
// Threads  Values.
// Errors   None; check() in check.h says what is wrong with one.
// Limits   FlowLimits.
// Source   CACAO Security Playbooks 2.0 (OASIS CS01) for kinds of steps and types of variables;
//          what it lacks (retry, approval, undo, probes, rates, dry runs) is ours.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/timestamp.h"
#include "incident/severity.h"
#include "json/value.h"

namespace mailwarden::respond::flow {

struct FlowLimits {
  static constexpr std::size_t playbooks_max = 500;
  static constexpr std::size_t steps_max = 200;  // of a playbook, all branches together
  static constexpr std::size_t branches_max = 20;
  static constexpr std::size_t depth_max = 8;  // of branches, sub-playbooks included
  static constexpr std::size_t variables_max = 100;
  static constexpr std::size_t arguments_max = 100;
  static constexpr std::size_t value_bytes_max = 4096;  // of a variable
  static constexpr std::int64_t rounds_max = 1000;      // of a while
  static constexpr std::int64_t tries_max = 20;
  static constexpr Duration wait_max = std::chrono::days(31);
};

// CACAO's names, in its order.
enum class VariableType : std::uint8_t {
  boolean,      // bool
  dictionary,   // dictionary
  floating,     // float
  hexstring,    // hexstring
  integer,      // integer
  ipv4_addr,    // ipv4-addr
  ipv6_addr,    // ipv6-addr
  list,         // list: of texts
  long_int,     // long
  mac_addr,     // mac-addr
  hash,         // hash
  sha256_hash,  // sha256-hash
  string,       // string
  uri,          // uri
  uuid          // uuid
};

struct Variable {
  VariableType type = VariableType::string;
  std::string meaning;
  // A JSON bool, integer, number, array of strings, object or string, as its type asks for; null
  // where it has none yet.
  json::Value value;
  bool constant = false;
  bool external = false;  // whoever starts the run gives it
  std::string from;       // "incident.entity" and the like: given by the incident; "" for none

  bool operator==(const Variable&) const = default;
};
using Variables = std::map<std::string, Variable, std::less<>>;

enum class StepKind : std::uint8_t {
  notify,            // tells receivers
  command,           // runs an executable
  http,              // asks an HTTP API
  action,            // does one of the daemon's own effects (action.h)
  manual,            // asks a person to do something
  approval,          // asks a person whether to go on
  wait,              // lets time pass
  if_condition,      // one of two branches
  switch_condition,  // one of several
  while_condition,   // a branch again and again
  parallel,          // several branches beside each other
  playbook           // another playbook
};

// Something done outside. Which members count follows from the kind: notify, command, http or
// action.
struct Operation {
  StepKind kind = StepKind::command;
  std::vector<std::string> to;       // notify: receivers, on-call:SCHEDULE
  std::string text;                  // notify
  std::vector<std::string> command;  // the executable's absolute path and its arguments
  std::string method;                // http
  std::string url;                   // http; no variable in its host
  json::Object headers;              // http: name to text
  json::Value body;                  // http
  std::string sign_with;             // http: name of a key that signs the request; "" for none
  std::string action;                // action: its name
  json::Object arguments;            // action: name to value
  Duration time_out = std::chrono::seconds(30);

  bool operator==(const Operation&) const = default;
};

// How often what fails for the moment is tried: pauses grow twofold from the first to the longest.
struct Retry {
  std::int64_t tries = 1;
  Duration pause = std::chrono::seconds(1);
  Duration pause_max = std::chrono::minutes(5);

  bool operator==(const Retry&) const = default;
};

// No more than so many times within that time, over all runs of the playbook; what is more asks a
// person first.
struct Rate {
  std::int64_t times = 0;  // 0: no limit
  Duration per{};

  bool operator==(const Rate&) const = default;
};

// Asks whether an operation has had its effect already: it has where `holds` is true of what the
// probe answered (the variables exit, output, status, body).
struct Probe {
  Operation operation;
  std::string holds;  // a condition

  bool operator==(const Probe&) const = default;
};

struct Step {
  std::string id;
  StepKind kind = StepKind::manual;
  std::string name;  // for people; "" for none
  std::string description;

  std::string next;        // the step that follows; "" ends the branch
  std::string on_failure;  // the step that follows where this one fails; "" for none
  bool go_on = false;      // whether `next` follows then, too
  Duration delay{};        // before it begins

  std::string approval;  // why a person must allow it; "" where none need
  Operation operation;   // notify, command, http, action
  // It may be done again where nobody knows whether it was. An http step carries a constant
  // Idempotency-Key and an action knows; a command says so.
  bool repeatable = false;
  std::optional<Probe> probe;     // where it cannot be repeated blindly
  std::optional<Operation> undo;  // takes its effect back
  Retry retry;
  Rate rate;
  // Variables that get a value of what the operation, the person or the sub-playbook answered:
  // variable to name (exit, output, status, body, body.member…; answer; a variable of the other).
  std::map<std::string, std::string, std::less<>> set;

  std::string text;   // manual, approval: what is asked
  Duration within{};  // manual, approval: it fails when nobody has answered by then; 0: never
  Duration wait{};    // wait

  std::string condition;  // if, while (condition.h); switch: the text that is compared
  std::string then;       // if: the first step of the branch; while: of the body
  std::string otherwise;  // if; "" for none
  std::map<std::string, std::string, std::less<>> cases;  // switch: text to first step
  std::string default_case;                               // switch; "" for none
  std::int64_t rounds_max = 0;                            // while: at the most; then it fails
  std::vector<std::string> branches;                      // parallel: first steps, at least two

  std::string playbook;  // playbook: its name
  std::map<std::string, std::string, std::less<>>
      with;  // playbook: its external variables to texts

  json::Object cacao;  // what CACAO says of it beyond that, kept for an export

  bool operator==(const Step&) const = default;
};

// When a playbook is started for an incident by itself; never where nothing is said.
struct When {
  std::set<std::string> rules;  // names or ids; any of them in the incident
  std::set<std::string> types;  // of incidents
  incident::Severity severity_from = incident::Severity::low;

  bool operator==(const When&) const = default;
};

struct Playbook {
  std::string name;  // [a-z0-9-]
  std::string title;
  std::string description;
  std::string file;
  std::string version;  // hex of the SHA-256 of its text
  std::optional<When> when;
  bool dry_run = false;          // nothing is done, all is told
  bool undo_on_failure = false;  // when a run fails, what it did is taken back, the last first
  std::string on_failure;        // a branch that is run when a run fails; "" for none
  Rate rate;                     // of runs
  Variables variables;
  std::string start;  // the first step
  std::map<std::string, Step, std::less<>> steps;
  std::vector<std::string> order;  // of the steps in the file, for people

  json::Object cacao;  // what CACAO says of it beyond that

  bool operator==(const Playbook&) const = default;
};

}  // namespace mailwarden::respond::flow
