// What the actions have in common: their arguments, their time and the programs that they run.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "respond/action.h"
#include "respond/effect_settings.h"

namespace mailwarden::respond {

// Of one try.
struct Work {
  const ActionCall& call;
  const EffectSettings& settings;
  std::chrono::steady_clock::time_point until;

  // "" and nothing where it is not given; check_arguments() has seen to their types.
  std::string text(std::string_view name) const;
  std::vector<std::string> texts(std::string_view name) const;
  std::optional<std::int64_t> integer(std::string_view name) const;
  Duration time_left() const;
};

// What one action does. describe() is asked only where the settings have its part.
struct Action {
  std::string_view name;
  Result<json::Object> (*perform)(const Work& work);
  Result<bool> (*probe)(const Work& work);
  std::string (*describe)(const Work& work);
};

struct Program {
  std::vector<std::string> command;
  std::string_view input;
  std::size_t output_bytes_max = std::size_t{64} * 1024;
  bool by_become = false;  // through the `become` of the settings
};
struct ProgramEnd {
  int exit_code = 0;
  std::string output;
  std::string errors;  // the beginning of them
  bool whole = true;   // the output is all there
};
// With English messages, until the work's time is over.
Result<ProgramEnd> run_program(const Work& work, const Program& program);
// "/usr/sbin/usermod: ended with 1, saying: …".
std::string saying(const Program& program, const ProgramEnd& end);

// As many as fit into a variable.
struct Listed {
  json::Array items;
  bool whole = true;
};
Listed listed(const std::vector<std::string>& texts);

// An absolute path without "." and "..", doubled or ending slashes, and NUL.
bool is_plain_path(std::string_view path);
// Letters, digits and what stands in names of files by good custom; so nobody reads it as an
// option, a pattern or several words.
bool is_tame_path(std::string_view path);

// By subject: actions_*.cc.
extern const Action suspend_account;
extern const Action unlock_account;
extern const Action end_sessions;
extern const Action remove_account;
extern const Action remove_ssh_key;
extern const Action restore_ssh_key;
extern const Action block_address;
extern const Action unblock_address;
extern const Action hold_mail;
extern const Action release_mail;
extern const Action delete_mail;
extern const Action stop_campaign;
extern const Action resume_campaign;
extern const Action quarantine_file;
extern const Action release_file;
extern const Action sweep_hosts;
extern const Action collect_evidence;
extern const Action open_ticket;

}  // namespace mailwarden::respond
