#include "respond/flow_words.h"

#include <algorithm>
#include <array>

namespace mailwarden::respond::flow {

std::string_view word_of(StepKind kind) {
  switch (kind) {
    case StepKind::notify:
      return "notify";
    case StepKind::command:
      return "command";
    case StepKind::http:
      return "http";
    case StepKind::action:
      return "action";
    case StepKind::manual:
      return "manual";
    case StepKind::approval:
      return "approve";
    case StepKind::wait:
      return "wait";
    case StepKind::if_condition:
      return "if";
    case StepKind::switch_condition:
      return "switch";
    case StepKind::while_condition:
      return "while";
    case StepKind::parallel:
      return "parallel";
    case StepKind::playbook:
      return "playbook";
  }
  return "unknown";
}

bool is_operation(StepKind kind) {
  return kind == StepKind::notify || kind == StepKind::command || kind == StepKind::http ||
         kind == StepKind::action;
}

std::vector<std::pair<std::string, std::string>> branches_of(const Step& step) {
  std::vector<std::pair<std::string, std::string>> branches;
  const auto add = [&](std::string name, const std::string& first) {
    if (!first.empty()) branches.emplace_back(std::move(name), first);
  };
  switch (step.kind) {
    case StepKind::if_condition:
      add("then", step.then);
      add("else", step.otherwise);
      break;
    case StepKind::while_condition:
      add("do", step.then);
      break;
    case StepKind::switch_condition:
      for (const auto& [text, first] : step.cases) add("case " + text, first);
      add("default", step.default_case);
      break;
    case StepKind::parallel:
      for (std::size_t i = 0; i < step.branches.size(); ++i) {
        add("branch " + std::to_string(i + 1), step.branches[i]);
      }
      break;
    default:
      break;
  }
  return branches;
}

bool is_step_id(std::string_view text) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  };
  return !text.empty() && text.size() <= id_bytes_max && text != end_of_branch &&
         std::ranges::all_of(text, fits);
}

bool is_playbook_name(std::string_view text) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  return !text.empty() && text.size() <= id_bytes_max && std::ranges::all_of(text, fits);
}

std::string duration_text(Duration duration) {
  struct Unit {
    Duration size;
    const char* name;
  };
  constexpr std::array units{Unit{std::chrono::days(1), "d"}, Unit{std::chrono::hours(1), "h"},
                             Unit{std::chrono::minutes(1), "m"}, Unit{std::chrono::seconds(1), "s"},
                             Unit{std::chrono::milliseconds(1), "ms"}};
  for (const Unit& unit : units) {
    if (duration >= unit.size && duration % unit.size == Duration(0)) {
      return std::to_string(duration / unit.size) + unit.name;
    }
  }
  return std::to_string(duration.count()) + "us";
}

}  // namespace mailwarden::respond::flow
