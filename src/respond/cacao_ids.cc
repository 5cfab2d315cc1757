// What things are called in CACAO.
#include "crypto/uuid.h"
#include "json/base64.h"
#include "respond/cacao_kept.h"
#include "respond/cacao_native.h"
#include "respond/cacao_parts.h"

namespace mailwarden::respond::cacao {
namespace {

using namespace flow;
using json::Object;

// Of all UUIDs that follow from names.
constexpr crypto::Uuid name_space{
    std::byte{0x6b}, std::byte{0x1d}, std::byte{0x93}, std::byte{0xe4},
    std::byte{0x0a}, std::byte{0x5c}, std::byte{0x4f}, std::byte{0x27},
    std::byte{0x8e}, std::byte{0x71}, std::byte{0xd2}, std::byte{0x39},
    std::byte{0xb0}, std::byte{0x46}, std::byte{0x7f}, std::byte{0xc8}};

}  // namespace

std::string_view type_of(StepKind kind) {
  switch (kind) {
    case StepKind::if_condition:
      return "if-condition";
    case StepKind::switch_condition:
      return "switch-condition";
    case StepKind::while_condition:
      return "while-condition";
    case StepKind::parallel:
      return "parallel";
    case StepKind::playbook:
      return "playbook-action";
    default:
      return "action";
  }
}

std::string id_of(std::string_view type, std::string_view playbook, std::string_view what) {
  const std::string name = std::string(playbook) + "/" + std::string(what);
  return std::string(type) + "--" + crypto::to_string(crypto::name_uuid(name_space, name));
}

std::string usual_end(std::string_view playbook, const std::string& step,
                      const std::string& branch) {
  return id_of("end", playbook,
               step.empty() ? "end " + branch : "end of step " + step + " " + branch);
}

std::string usual_start(std::string_view playbook) {
  return id_of("start", playbook, "start");
}

std::string usual_step(const Playbook& playbook, const Step& step) {
  return id_of(type_of(step.kind), playbook.name, "step " + step.id);
}

std::string daemon_agent_id() {
  return id_of("security-category", "", "agent mailwarden");
}

std::string people_agent_id() {
  return id_of("group", "", "agent people");
}

std::vector<std::pair<std::string, std::string>> end_branches(const Step& step) {
  std::vector<std::pair<std::string, std::string>> out;
  if (step.kind == StepKind::if_condition) {
    out = {{"then", step.then}, {"else", step.otherwise}};
  } else if (step.kind == StepKind::while_condition) {
    out = {{"body", step.then}};
  } else if (step.kind == StepKind::switch_condition) {
    for (const auto& [text, first] : step.cases) out.emplace_back("case " + text, first);
    out.emplace_back("default", step.default_case);
  } else if (step.kind == StepKind::parallel) {
    for (std::size_t i = 0; i < step.branches.size(); ++i) {
      out.emplace_back("branch " + std::to_string(i + 1), step.branches[i]);
    }
  }
  return out;
}

std::string content_digest(Playbook playbook) {
  playbook.cacao.clear();
  for (auto& [id, step] : playbook.steps) step.cacao.clear();
  return digest_of(members_of(playbook));
}

void set_command(Object& command, const std::string& text) {
  const bool plain = text.find_first_of("\"'\\\n\r\t") == std::string::npos &&
                     !text.contains("  ") && !text.starts_with(' ') && !text.ends_with(' ');
  if (plain) {
    command["command"] = text;
  } else {
    command["command_b64"] = json::to_base64(text);
  }
}

}  // namespace mailwarden::respond::cacao
