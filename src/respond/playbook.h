// What is done about an incident, step by step.
//
// What     A Playbook says on which incidents it runs and what its steps are, in order. Read from
//          policies/playbooks/*.yaml:
//
//            name: account-created
//            title: An account was made on a server
//            when: {rules: [account_created], severity_from: 0}
//            dry_run: false
//            steps:
//              - {id: tell, notify: [spool], text: "${incident.entity}: was this you?"}
//              - {id: lock, command: [/usr/sbin/usermod, --lock, "${incident.entity}"],
//                 approval: Locking takes the account from whoever uses it, time_out: 10s}
//              - {id: ticket, http: POST, url: "https://…/${incident.number}", body: {a: b}}
//              - {id: ask, manual: Ask the owner whether the account is theirs}
//
//          ${incident.number}, .title, .severity, .entity, .entity_kind and .row are filled in when
//          a run begins. In a command each argument is handed over as it is, never to a shell.
// Owns     Its content.
// Threads  Playbooks never change after parse(); plan() is pure.
// Errors   parse() reports every mistake in one Error{invalid}, each with file and line. What must
//          not be run as it stands becomes, in plan(), a manual step that says why.
// Limits   playbooks_max, steps_max, arguments_max.
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/timestamp.h"
#include "incident/incident.h"
#include "json/value.h"

namespace mailwarden::respond {

inline constexpr std::size_t playbooks_max = 500;
inline constexpr std::size_t steps_max = 100;
inline constexpr std::size_t arguments_max = 100;

enum class StepKind : std::uint8_t { notify, command, http, manual };
std::string_view to_string(StepKind kind);

struct Step {
  std::string id;
  StepKind kind = StepKind::manual;
  std::string approval;              // why a person must allow it; "" where none need
  std::vector<std::string> to;       // notify: receivers
  std::string text;                  // notify, manual
  std::vector<std::string> command;  // the executable's absolute path and its arguments
  std::string method;                // http
  std::string url;                   // http
  json::Value body;                  // http
  // It may be run again when nobody knows whether it ran. An http step carries a constant
  // Idempotency-Key; a command is asked for only where the playbook says so.
  bool repeatable = false;
  Duration time_out = std::chrono::seconds(30);
  std::int64_t tries_max = 3;
  bool go_on = false;  // whether the run goes on when the step has failed

  bool operator==(const Step&) const = default;
};

struct Playbook {
  std::string name;
  std::string title;
  std::string file;
  std::string version;          // hex of the text's SHA-256
  std::set<std::string> rules;  // names or ids; any of them in the incident
  incident::Severity severity_from = incident::Severity::low;
  bool dry_run = false;
  std::vector<Step> steps;
};

struct PlaybookText {
  std::string file;
  std::string text;
};
// A file holds one playbook.
Result<std::vector<Playbook>> parse_playbooks(std::span<const PlaybookText> texts);

// Whether it runs on the incident. `rules` are the playbook's rules as ids.
bool is_due(const Playbook& playbook, const incident::Incident& incident);

// The steps with the incident's values filled in. A command whose executable is not among
// `commands`, or whose argument would read as an option or hold a control character, becomes a
// manual step.
std::vector<Step> plan(const Playbook& playbook, const incident::Incident& incident,
                       const std::vector<std::string>& commands);

json::Object to_json(const Step& step);
Result<Step> step_from_json(const json::Value& value);

// What the step does, in a sentence: "run /usr/sbin/usermod --lock deploy".
std::string describe(const Step& step);

}  // namespace mailwarden::respond
