// The words of playbook files, and the branches of steps.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "respond/flow.h"

namespace mailwarden::respond::flow {

// The member of a step by which its kind is known: "action", "approve", "if".
std::string_view word_of(StepKind kind);
inline constexpr StepKind all_step_kinds[] = {StepKind::notify,
                                              StepKind::command,
                                              StepKind::http,
                                              StepKind::action,
                                              StepKind::manual,
                                              StepKind::approval,
                                              StepKind::wait,
                                              StepKind::if_condition,
                                              StepKind::switch_condition,
                                              StepKind::while_condition,
                                              StepKind::parallel,
                                              StepKind::playbook};

bool is_operation(StepKind kind);  // notify, command, http, action

// The member under which a branch of a step stands, and its first step. Cases are "case NAME".
std::vector<std::pair<std::string, std::string>> branches_of(const Step& step);

inline constexpr std::size_t id_bytes_max = 64;
inline constexpr std::string_view end_of_branch = "end";  // next: end

bool is_step_id(std::string_view text);
bool is_playbook_name(std::string_view text);

// "90s", the shortest text that parse_duration() reads as the same.
std::string duration_text(Duration duration);

}  // namespace mailwarden::respond::flow
