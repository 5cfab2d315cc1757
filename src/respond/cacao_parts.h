// What reading and writing CACAO share.
//
// What     write_plain() makes the CACAO playbook that a Playbook is without the extension,
//          read_plain() a Playbook of one; what each leaves out the callers in cacao_import.cc and
//          cacao_export.cc find as a difference.
// Owns     Nothing.
// Threads  Pure.
// Errors   invalid.
// Limits   CacaoLimits, FlowLimits.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "respond/cacao.h"
#include "respond/cacao_text.h"

namespace mailwarden::respond::cacao {

// An approval is a command of its own before the step's, so that a tool that does not know the
// extension asks, too.
inline constexpr std::string_view approval_words = "Approve before going on: ";

// The members in which a Playbook's and a Step's `cacao` keep what is not a difference.
namespace member {
inline constexpr std::string_view id = "id";
inline constexpr std::string_view start = "start";      // of a playbook: the start step's id
inline constexpr std::string_view ends = "ends";        // branch to its end step's id
inline constexpr std::string_view names = "names";      // CACAO's names of variables to ours; of a
                                                        // step: of the variables of its scope
inline constexpr std::string_view content = "content";  // digest of the playbook as it was read
}  // namespace member

// Names of branches in `ends`.
inline constexpr std::string_view main_branch = "main";
inline constexpr std::string_view exception_branch = "exception";

// What the extension says of names, which must be known before anything else is read.
struct Hints {
  std::string name;  // the playbook's, from which ids follow
  Texts names;       // of variables, CACAO's to ours
  Texts given;       // of what nobody declares here, since the incident gives it
  Texts step_ids;    // CACAO's to ours
};

std::string_view type_of(flow::StepKind kind);  // "if-condition"

// CACAO's name of a step's id in that playbook, and so on; the same each time.
std::string id_of(std::string_view type, std::string_view playbook, std::string_view what);
// Of a branch of a step, or of the playbook where `step` is "".
std::string usual_end(std::string_view playbook, const std::string& step,
                      const std::string& branch);
std::string usual_start(std::string_view playbook);
std::string usual_step(const flow::Playbook& playbook, const flow::Step& step);
std::string daemon_agent_id();
std::string people_agent_id();

// The branches of a step, each by its name in `ends` and its first step, "" where it has none.
std::vector<std::pair<std::string, std::string>> end_branches(const flow::Step& step);

// All that is ours in a playbook, without what `cacao` keeps.
std::string content_digest(flow::Playbook playbook);

struct Written {
  json::Object document;
  Texts ids;    // of steps, ours to CACAO's
  Hints hints;  // that read_plain() needs to find ours again
};
Result<Written> write_plain(const flow::Playbook& playbook, const ExportOptions& options);

Result<Imported> read_plain(const json::Object& document, const Hints& hints);

// `text` as a command's member: command, or command_b64 where it would need to be escaped.
void set_command(json::Object& command, const std::string& text);

}  // namespace mailwarden::respond::cacao
