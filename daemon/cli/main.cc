#include <array>
#include <cstdio>

#include "daemon/cli/command.h"

namespace mailwarden::cli {
namespace {

constexpr std::array all{
    Group{"decode", "print the events in log files, as rules see them", decode_command},
    Group{"access", "grants of access; who can reach what, and who did", access_command},
    Group{"people", "what is known of people, and telling it", people_command},
    Group{"policy", "check, test, evaluate, compare and format access policies", policy_command},
    Group{"rules", "check and test detection rules", rules_command},
    Group{"detect", "hold rules against events in files", detect_command},
    Group{"scan", "hold files against YARA rules; check and test such rules", scan_command},
    Group{"config", "check a configuration", config_command},
    Group{"ledger", "verify and show the ledger, prove what is in it", ledger_command},
    Group{"events", "list events, or show one with its proof", events_command},
    Group{"incidents", "list incidents, show one, act on one", incidents_command},
    Group{"alerts", "list who was told of what; silences; try a receiver", alerts_command},
    Group{"oncall", "say who is on call, now or at a time", oncall_command},
    Group{"playbook", "check playbooks, show their runs, approve their steps", playbook_command},
    Group{"report", "write the audit or the retention report of a store", report_command},
    Group{"erase", "erase what the store says of a person", erase_command},
    Group{"retention", "say what retention would remove", retention_command},
    Group{"keys", "make and change the key that wraps a store's keys; how its keys stand",
          keys_command},
    Group{"store", "migrate, check, copy, back up and restore a store", store_command},
    Group{"status", "ask the daemon how it stands", status_command}};

std::string help() {
  std::string text = "Usage: mailwarden COMMAND [OPTION]...\n\nCommands:\n";
  for (const Group& group : all) {
    text += "  " + std::string(group.name) + std::string(12 - group.name.size(), ' ') +
            std::string(group.meaning) + "\n";
  }
  return text +
         "\n'mailwarden COMMAND --help' tells more. Exit codes: 0 done, 1 the answer is no, "
         "2 usage, 3 unavailable.\n";
}

}  // namespace

std::span<const Group> groups() {
  return all;
}

}  // namespace mailwarden::cli

int main(int argc, char** argv) {
  using namespace mailwarden::cli;
  const Arguments arguments(argv + 1, argv + argc);
  if (arguments.empty()) {
    print(help());
    return usage;
  }
  if (arguments[0] == "--help" || arguments[0] == "help") {
    print(help());
    return done;
  }
  for (const Group& group : groups()) {
    if (group.name == arguments[0]) {
      return group.run(Arguments(arguments.begin() + 1, arguments.end()));
    }
  }
  return complain(usage,
                  "there is no command '" + arguments[0] + "'; 'mailwarden --help' lists them");
}
