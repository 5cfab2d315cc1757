// What runs of playbooks need of the language of playbooks and of the daemon's actions.
//
// What     standard_means() puts together conditions, variables in texts, types of values and the
//          kinds of actions for a RunBook.
// Owns     Nothing.
// Threads  Pure.
// Errors   As Means says; denied: a command that the daemon may not run.
// Limits   Those of the language.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "respond/flow_run.h"

namespace mailwarden::respond::flow {

// `commands`: executables that the daemon may run.
Means standard_means(const std::vector<std::string>& commands,
                     std::function<const Playbook*(std::string_view name)> find);

}  // namespace mailwarden::respond::flow
