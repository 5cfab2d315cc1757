// Between playbooks as files have them and the engine that runs them.
//
// What     flow_of() makes a graph of a playbook whose steps stand one after the other; means_of()
//          is what the engine needs of the language of such playbooks: their variables are those of
//          the incident, and they have no conditions.
// Owns     Nothing.
// Threads  Pure.
// Errors   In Means; see respond/flow_run.h.
// Limits   Those of playbooks.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "respond/flow_run.h"
#include "respond/playbook.h"

namespace mailwarden::app {

respond::flow::Playbook flow_of(const respond::Playbook& playbook);

// `commands`: executables that may be run.
respond::flow::Means means_of(
    const std::vector<std::string>& commands,
    std::function<const respond::flow::Playbook*(std::string_view name)> find);

}  // namespace mailwarden::app
