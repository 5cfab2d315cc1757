// Playbooks to and from CACAO 2.0.
//
// What     import_cacao() makes a flow::Playbook of a CACAO playbook, export_cacao() the reverse.
//          docs/cacao.md has what becomes what. Both ways nothing is lost:
//
//            import(export(p)) == p     but for file and version, which are about a text
//            export(import(c)) == c     as JSON, but for extension members that are empty
//
//          What CACAO cannot say stands in one extension (`extension_id`) as the difference between
//          what CACAO's own members say and what the playbook says; so whatever another tool
//          changes in those counts. What a Playbook cannot say stands in its and its steps' member
//          `cacao`, as the difference to what an export would write; each difference knows what it
//          differs from and lapses when that has changed. What the daemon cannot do itself becomes
//          a manual step that shows the command.
// Owns     Nothing.
// Threads  Pure.
// Errors   import_cacao(): invalid, all mistakes together, a line each, each with a JSON pointer.
//          What was imported has still to pass check(). export_cacao(): invalid for a playbook that
//          has not passed it.
// Limits   CacaoLimits, FlowLimits.
// Source   CACAO Security Playbooks 2.0 (OASIS CS01, 2023); STIX 2.1, section 9, for conditions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/timestamp.h"
#include "json/value.h"
#include "respond/flow.h"

namespace mailwarden::respond {

struct CacaoLimits {
  static constexpr std::size_t bytes_max = std::size_t{8} * 1024 * 1024;
  static constexpr std::size_t depth_max = 64;  // of the JSON text
  static constexpr std::size_t mistakes_max = 100;
};

namespace cacao {
// Ours, by its first version; its schema is docs/cacao_extension.schema.json.
inline constexpr std::string_view extension_id =
    "extension-definition--3f0c7a1e-52d4-4b8e-9c61-7d0b8f2a6e55";
inline constexpr std::string_view extension_version = "1.0.0";
// Who made what nobody says of who made it.
inline constexpr std::string_view identity_id = "identity--8e1d6c0b-4a37-4f52-b3c9-2f5a917e04d8";
}  // namespace cacao

struct Imported {
  flow::Playbook playbook;
  // What could not be taken over as it was, and what was done about it; each with a JSON pointer.
  std::vector<std::string> notes;
};
Result<Imported> import_cacao(std::string_view text);

struct ExportOptions {
  Timestamp at;  // when the playbook was made, or changed
  std::string created_by = std::string(cacao::identity_id);
};
Result<json::Object> export_cacao(const flow::Playbook& playbook, const ExportOptions& options);

}  // namespace mailwarden::respond
